//! Agreements: made, broken, and what payments of their instalments do to them.

use super::payment::{part, split_of};
use super::{bounded, found, invoice, known};
use crate::agreement::{
    Agreement, AgreementBroken, AgreementMade, AgreementMoved, BreakAgreement, BreakCause, InstalmentOf, InvoiceRenegotiated,
    InvoiceReopened, MAX_BREACH_AFTER_DAYS, MAX_INSTALMENTS, MAX_ORIGINALS, MakeAgreement, Original, PartOf, Stage, late_from,
};
use crate::charges::due_minor;
use crate::settlement::{Asked, Position, money, settle};
use crate::{Account, Event, Invoice, Phase, Rejection, Release, evolve};
use alloc::{collections::BTreeSet, format, string::String, vec, vec::Vec};
use brazil::charges::LegalRates;
use kernel::money::positive_minor;
use kernel::{AgreementId, InvoiceId, NaiveDate, PaymentId};

pub(super) fn make(account: &Account, command: &MakeAgreement, rates: &LegalRates) -> Result<Vec<Event>, Rejection> {
    well_formed(command)?;
    known(account)?;
    if let Some(agreement) = account.agreements.get(&command.agreement_id) {
        return if says_the_same(account, agreement, command) { Ok(vec![]) } else { Err(Rejection::AgreementExists) };
    }
    let mut originals = command.originals.iter().map(|id| Ok((id, owed(account, id)?))).collect::<Result<Vec<_>, Rejection>>()?;
    originals.sort_by_key(|(id, invoice)| (invoice.due_on, invoice.issued_on, *id));
    let currency = originals.first().map(|(_, invoice)| invoice.currency).ok_or(Rejection::OriginalsMissing)?;
    let other = |(_, invoice): &(&InvoiceId, &Invoice)| invoice.currency != currency;
    if originals.iter().any(other) || command.instalments.iter().any(|issue| issue.currency != currency) {
        return Err(Rejection::CurrencyMismatch);
    }
    let stood = originals.iter().map(|(id, invoice)| stands(account, (id, invoice), command.made_on, rates));
    let mut stood = stood.collect::<Result<Vec<Original>, Rejection>>()?;
    let owed_minor = stood.iter().map(Original::moved_minor).fold(0, i64::saturating_add);
    share(&mut stood, owed_minor, command.total_minor);
    let made = AgreementMade {
        agreement_id: command.agreement_id.clone(),
        currency,
        owed_minor,
        total_minor: command.total_minor,
        breach_after_days: command.breach_after_days,
        originals: stood.iter().map(|original| original.invoice_id.clone()).collect(),
        instalments: command.instalments.iter().map(|issue| issue.invoice_id.clone()).collect(),
        made_on: command.made_on,
    };
    let renegotiated = |original| {
        let (agreement_id, renegotiated_on) = (command.agreement_id.clone(), command.made_on);
        Event::InvoiceRenegotiated(InvoiceRenegotiated { agreement_id, currency, original, renegotiated_on })
    };
    let mut events = vec![Event::AgreementMade(made)];
    events.extend(stood.into_iter().map(renegotiated));
    events.extend(instalments(account, command)?);
    Ok(events)
}

fn well_formed(command: &MakeAgreement) -> Result<(), Rejection> {
    if command.originals.is_empty() {
        return Err(Rejection::OriginalsMissing);
    }
    let distinct: BTreeSet<&InvoiceId> = command.originals.iter().collect();
    if distinct.len() != command.originals.len() {
        return Err(Rejection::OriginalsNotDistinct);
    }
    if command.originals.len() > MAX_ORIGINALS {
        return Err(Rejection::OriginalsTooMany);
    }
    if command.instalments.is_empty() || command.instalments.len() > MAX_INSTALMENTS {
        return Err(Rejection::InstalmentsCount);
    }
    if command.breach_after_days > MAX_BREACH_AFTER_DAYS {
        return Err(Rejection::BreachDaysTooMany);
    }
    command.instalments.iter().try_for_each(|issue| positive_minor(issue.amount_minor).map(|_| ()))?;
    positive_minor(command.total_minor)?;
    let sum = command.instalments.iter().fold(0, |sum: i64, issue| sum.saturating_add(issue.amount_minor));
    if sum != command.total_minor {
        return Err(Rejection::InstalmentsSum);
    }
    let pairs = command.instalments.iter().zip(command.instalments.iter().skip(1));
    let past = command.instalments.iter().any(|issue| issue.due_on < command.made_on);
    if past || pairs.into_iter().any(|(before, after)| after.due_on <= before.due_on) {
        return Err(Rejection::InstalmentsOrder);
    }
    Ok(())
}

fn says_the_same(account: &Account, agreement: &Agreement, command: &MakeAgreement) -> bool {
    let originals: BTreeSet<&InvoiceId> = agreement.originals.iter().map(|original| &original.invoice_id).collect();
    let asked = command.instalments.iter().map(|issue| Some((&issue.invoice_id, issue.amount_minor, issue.due_on)));
    let had = agreement.instalments.iter().map(|id| {
        let issued = &account.invoices.get(id)?.issued;
        Some((id, issued.amount_minor, issued.due_on))
    });
    originals == command.originals.iter().collect()
        && agreement.total_minor == command.total_minor
        && agreement.breach_after_days == command.breach_after_days
        && had.eq(asked)
}

/// A debt that may be renegotiated.
fn owed<'a>(account: &'a Account, invoice_id: &InvoiceId) -> Result<&'a Invoice, Rejection> {
    let invoice = found(account, invoice_id)?;
    match invoice.phase {
        Phase::Cancelled => return Err(Rejection::InvoiceCancelled),
        Phase::Settled => return Err(Rejection::InvoiceSettled),
        Phase::Renegotiated => return Err(Rejection::InvoiceRenegotiated),
        Phase::Open => {}
    }
    if invoice.instalment.is_some() { Err(Rejection::InvoiceIsInstalment) } else { Ok(invoice) }
}

fn stands(
    account: &Account,
    (invoice_id, invoice): (&InvoiceId, &Invoice),
    day: NaiveDate,
    rates: &LegalRates,
) -> Result<Original, Rejection> {
    let due_minor = due_minor(account, invoice, day, rates).map_err(Rejection::Charges)?;
    let position = position(account, invoice, rates)?;
    Ok(Original {
        invoice_id: invoice_id.clone(),
        principal_minor: invoice.open_minor,
        charges_minor: due_minor.saturating_sub(invoice.open_minor).max(0),
        discount_minor: invoice.open_minor.saturating_sub(due_minor).max(0),
        charges_paid_minor: position.0.charges_paid_minor,
        discount_taken_minor: position.0.discount_minor,
    })
}

/// Where a debt stands by its own money, without any agreement.
fn position(account: &Account, invoice: &Invoice, rates: &LegalRates) -> Result<(Position, Vec<Release>), Rejection> {
    match &invoice.charges {
        Some(terms) => settle(terms, Asked::of(invoice), &money(account, invoice), rates).map_err(Rejection::Charges),
        None => Ok((Position { open_minor: invoice.open_minor, ..Position::default() }, vec![])),
    }
}

/// What was given up is taken off the oldest debts first; interest of the agreement is a charge of the oldest.
fn share(stood: &mut [Original], owed_minor: i64, total_minor: i64) {
    let mut given_up_minor = owed_minor.saturating_sub(total_minor).max(0);
    for original in stood.iter_mut() {
        let part = original.moved_minor().min(given_up_minor);
        original.discount_minor = original.discount_minor.saturating_add(part);
        given_up_minor -= part;
    }
    if let Some(first) = stood.first_mut() {
        first.charges_minor = first.charges_minor.saturating_add(total_minor.saturating_sub(owed_minor).max(0));
    }
}

fn instalments(account: &Account, command: &MakeAgreement) -> Result<Vec<Event>, Rejection> {
    let count = u32::try_from(command.instalments.len()).map_err(|_| Rejection::InstalmentsCount)?;
    let mut all = Vec::new();
    for (number, issue) in (1..).zip(&command.instalments) {
        if account.invoices.contains_key(&issue.invoice_id) {
            return Err(Rejection::InvoiceExists);
        }
        let mut events = invoice::issue(account, issue)?;
        if let Some(Event::InvoiceIssued(issued)) = events.first_mut() {
            issued.instalment = Some(InstalmentOf { agreement_id: command.agreement_id.clone(), number, count });
        }
        all.extend(events);
    }
    Ok(all)
}

pub(super) fn break_up(account: &Account, command: &BreakAgreement, rates: &LegalRates) -> Result<Vec<Event>, Rejection> {
    let reason = bounded("reason", &command.reason, 200)?;
    known(account)?;
    let late = |agreement: &Agreement| late_from(account, agreement).is_some_and(|from| from <= command.today);
    let broken = match (&command.agreement_id, command.cause) {
        (Some(id), cause) => {
            let (id, agreement) = account.agreements.get_key_value(id).ok_or(Rejection::AgreementUnknown)?;
            match (agreement.stage, cause) {
                (Stage::Broken { .. }, _) => vec![],
                (Stage::Completed { .. }, _) => return Err(Rejection::AgreementCompleted),
                (Stage::Open, BreakCause::Late) if !late(agreement) => vec![],
                (Stage::Open, BreakCause::Late | BreakCause::Person) => vec![(id, agreement)],
            }
        }
        (None, _) => account.agreements.iter().filter(|(_, agreement)| late(agreement)).collect(),
    };
    let mut after = Undoing { account: account.clone(), events: vec![], rates };
    for (id, agreement) in broken {
        after.undo(id, agreement, (command.cause, &reason, command.today))?;
    }
    Ok(after.events)
}

/// The account as it becomes while an agreement is undone: each event builds on those before.
struct Undoing<'a> {
    account: Account,
    events: Vec<Event>,
    rates: &'a LegalRates,
}

/// Money that was paid on an instalment.
struct Paid {
    payment_id: PaymentId,
    paid_on: NaiveDate,
    amount_minor: i64,
}

impl Undoing<'_> {
    fn tell(&mut self, event: Event) {
        self.account = evolve(core::mem::take(&mut self.account), &event);
        self.events.push(event);
    }

    fn undo(
        &mut self,
        id: &AgreementId,
        agreement: &Agreement,
        (cause, reason, today): (BreakCause, &str, NaiveDate),
    ) -> Result<(), Rejection> {
        let paid = self.paid(agreement);
        let paid_minor = paid.iter().fold(0, |sum: i64, one| sum.saturating_add(one.amount_minor));
        self.tell(Event::AgreementBroken(AgreementBroken {
            agreement_id: id.clone(),
            cause,
            reason: String::from(reason),
            paid_minor,
            currency: agreement.currency,
            broken_on: today,
        }));
        for invoice_id in &agreement.instalments {
            let instalment = found(&self.account, invoice_id)?;
            if instalment.phase != Phase::Cancelled {
                let cancelled = invoice::cancelled((&self.account, instalment), invoice_id, (cause.slug(), today), self.rates)?;
                self.tell(cancelled);
            }
        }
        for original in &agreement.originals {
            let reopened = self.reopened(id, original, today)?;
            self.tell(Event::InvoiceReopened(reopened));
        }
        self.put_on_originals(id, agreement, paid, today)
    }

    /// What instalments had of each payment, the earliest payment first.
    fn paid(&self, agreement: &Agreement) -> Vec<Paid> {
        let instalments = agreement.instalments.iter().filter_map(|id| self.account.invoices.get(id));
        let ids = instalments.filter(|invoice| invoice.phase != Phase::Cancelled).flat_map(|invoice| &invoice.payments);
        let of = |id: &PaymentId| {
            let payment = self.account.payments.get(id).filter(|payment| payment.applied_minor > 0)?;
            Some(Paid { payment_id: id.clone(), paid_on: payment.paid_on, amount_minor: payment.applied_minor })
        };
        let mut paid: Vec<Paid> = ids.filter_map(of).collect();
        paid.sort_by_key(|one| one.paid_on);
        paid
    }

    fn reopened(&self, id: &AgreementId, original: &Original, today: NaiveDate) -> Result<InvoiceReopened, Rejection> {
        let invoice = found(&self.account, &original.invoice_id)?;
        let (position, released) = position(&self.account, invoice, self.rates)?;
        let outstanding_minor = match &invoice.charges {
            Some(_) => position.outstanding_minor(),
            None => invoice.open_minor.saturating_add(original.principal_minor),
        };
        Ok(InvoiceReopened {
            agreement_id: id.clone(),
            invoice_id: original.invoice_id.clone(),
            currency: invoice.currency,
            moved_minor: original.moved_minor(),
            charges_minor: position.charges_paid_minor - original.charges_paid_minor - original.charges_minor,
            discount_minor: position.discount_minor - original.discount_taken_minor - original.discount_minor,
            released,
            outstanding_minor,
            due_on: invoice.due_on,
            reopened_on: today,
        })
    }

    /// The oldest due first, each payment on the day on which it was made. What none of them needs stays the payer's credit.
    fn put_on_originals(&mut self, id: &AgreementId, agreement: &Agreement, paid: Vec<Paid>, today: NaiveDate) -> Result<(), Rejection> {
        let mut number = 0;
        for Paid { payment_id, paid_on, amount_minor } in paid {
            let mut left_minor = amount_minor;
            for original in &agreement.originals {
                let invoice = found(&self.account, &original.invoice_id)?;
                if left_minor <= 0 || invoice.phase != Phase::Open {
                    continue;
                }
                let part_id = loop {
                    number += 1;
                    let part_id = PaymentId::new(&format!("{id}+{number}")).map_err(|_| Rejection::AgreementIdTooLong)?;
                    if !self.account.payments.contains_key(&part_id) {
                        break part_id;
                    }
                };
                let on = (&part_id, paid_on);
                let tried = split_of(&self.account, invoice, on, left_minor, self.rates).map_err(Rejection::Charges)?;
                let part_minor = left_minor.saturating_sub(tried.unapplied_minor);
                if part_minor <= 0 {
                    continue;
                }
                let moved = PartOf { payment_id: payment_id.clone(), moved_on: today };
                let event = part((&self.account, &original.invoice_id), on, (moved, part_minor), self.rates)?;
                left_minor -= part_minor;
                self.tell(event);
            }
        }
        Ok(())
    }
}

/// What a change of instalments means for their agreement: completed with the last payment, open again where one goes back.
pub(super) fn follow(account: &Account, mut events: Vec<Event>) -> Vec<Event> {
    let touched = events.iter().filter_map(|event| Some((paid_or_returned(event)?, event.effective_on()?)));
    let of =
        |(invoice_id, on): (&InvoiceId, NaiveDate)| Some((account.invoices.get(invoice_id)?.instalment.as_ref()?.agreement_id.clone(), on));
    let touched: Vec<(AgreementId, NaiveDate)> = touched.filter_map(of).collect();
    let Some((agreement_id, on)) = touched.into_iter().next_back() else { return events };
    let Some(agreement) = account.agreements.get(&agreement_id) else { return events };
    let after = events.iter().fold(account.clone(), evolve);
    let settled = |id: &InvoiceId| after.invoices.get(id).is_some_and(|invoice| invoice.phase == Phase::Settled);
    let complete = agreement.instalments.iter().all(settled);
    match (agreement.stage, complete) {
        (Stage::Open, true) => events.push(Event::AgreementCompleted(AgreementMoved { agreement_id, on })),
        (Stage::Completed { .. }, false) => events.push(Event::AgreementResumed(AgreementMoved { agreement_id, on })),
        (Stage::Open | Stage::Broken { .. }, _) | (Stage::Completed { .. }, true) => {}
    }
    events
}

fn paid_or_returned(event: &Event) -> Option<&InvoiceId> {
    match event {
        Event::InvoiceAmended(e) => Some(&e.invoice_id),
        Event::CreditNoteIssued(e) => e.invoice_id.as_ref(),
        Event::CreditNoteCancelled(e) => e.invoice_id.as_ref(),
        Event::PaymentReceived(e) => Some(&e.invoice_id),
        Event::PaymentReversed(e) => Some(&e.invoice_id),
        Event::CustomerRegistered(_)
        | Event::CustomerAmended(_)
        | Event::CustomerErased(_)
        | Event::CustomerRated(_)
        | Event::InvoiceViewed(_)
        | Event::InvoiceIssued(_)
        | Event::InvoiceCancelled(_)
        | Event::AgreementMade(_)
        | Event::AgreementBroken(_)
        | Event::AgreementCompleted(_)
        | Event::AgreementResumed(_)
        | Event::InvoiceRenegotiated(_)
        | Event::InvoiceReopened(_)
        | Event::PaymentConfirmed(_)
        | Event::BoletoRegistered(_)
        | Event::BoletoRejected(_)
        | Event::BoletoWrittenOff(_)
        | Event::BoletoNoticed(_)
        | Event::BankFeeCharged(_)
        | Event::InstrumentsAssigned(_)
        | Event::ReminderAuthorized(_) => None,
    }
}
