//! Events to state: total, without rules. Sums saturate, so that no log can make it panic.

use crate::agreement::{Agreement, AgreementMade, InvoiceRenegotiated, InvoiceReopened, Stage};
use crate::event::released_minor;
use crate::{
    Account, Authorization, BankRecord, BankStanding, CreditNote, CreditNoteCancelled, CreditNoteIssued, Event, Instruments, Invoice,
    InvoiceAmended, InvoiceCancelled, InvoiceIssued, Payment, PaymentReceived, PaymentReversed, Phase, Release, ReminderAuthorized, Return,
    Reversal, Standing, Terms,
};
use alloc::{collections::BTreeMap, string::String, vec::Vec};
use chrono::TimeDelta;
use kernel::{AgreementId, Currency, PaymentId};

/// How long an authorisation is remembered. A contact belongs to one local day, so nobody asks for it later.
const AUTHORIZATION_DAYS: i64 = 2;

/// The account after an event.
pub fn evolve(mut account: Account, event: &Event) -> Account {
    if event.effective_on().is_some() {
        // Money moved: what was authorised before is authorised anew, so that its place in the log is after what is known.
        account.authorizations.clear();
    }
    match event {
        Event::CustomerRegistered(event) => {
            account.standing = Standing::Active;
            account.attributes = event.attributes.clone();
            account.consents = event.consents.clone();
        }
        Event::CustomerAmended(event) => {
            account.attributes = event.attributes.clone();
            account.consents = event.consents.clone();
        }
        Event::CustomerErased(_) => {
            account.standing = Standing::Erased;
            account.consents.clear();
            account.rating = None;
        }
        Event::CustomerRated(event) => account.rating = Some(event.rating.clone()),
        Event::InvoiceViewed(event) => {
            if let Some(invoice) = account.invoices.get_mut(&event.invoice_id) {
                invoice.viewed_at = Some(event.viewed_at);
            }
        }
        Event::InvoiceIssued(event) => issued(&mut account, event),
        Event::InvoiceAmended(event) => amended(&mut account, event),
        Event::InvoiceCancelled(event) => cancelled(&mut account, event),
        Event::AgreementMade(event) => made(&mut account, event),
        Event::InvoiceRenegotiated(event) => renegotiated(&mut account, event),
        Event::AgreementBroken(event) => {
            stage(&mut account, &event.agreement_id, Stage::Broken { on: event.broken_on, cause: event.cause });
        }
        Event::InvoiceReopened(event) => reopened(&mut account, event),
        Event::AgreementCompleted(event) => stage(&mut account, &event.agreement_id, Stage::Completed { on: event.on }),
        Event::AgreementResumed(event) => stage(&mut account, &event.agreement_id, Stage::Open),
        Event::CreditNoteIssued(event) => credit_note_issued(&mut account, event),
        Event::CreditNoteCancelled(event) => credit_note_cancelled(&mut account, event),
        Event::PaymentReceived(event) => received(&mut account, event),
        Event::PaymentReversed(event) => reversed(&mut account, event),
        Event::PaymentConfirmed(event) => {
            if let Some(payment) = account.payments.get_mut(&event.payment_id) {
                payment.confirmed_by = Some(event.confirmed_by.clone());
            }
        }
        Event::BoletoRegistered(record) => stands(&mut account, record, BankStanding::Registered),
        Event::BoletoRejected(record) => stands(&mut account, record, BankStanding::Rejected),
        Event::BoletoWrittenOff(record) => stands(&mut account, record, BankStanding::WrittenOff),
        Event::BoletoNoticed(event) => taken_in(&mut account, &event.record.record_id),
        Event::BankFeeCharged(event) => taken_in(&mut account, &event.record_id),
        Event::ReminderAuthorized(event) => authorized(&mut account, event),
        Event::InstrumentsAssigned(event) => {
            if let Some(invoice) = account.invoices.get_mut(&event.invoice_id) {
                let number = |instruments: &Instruments| instruments.boleto.as_ref().map(|slip| slip.nosso_numero.clone());
                if invoice.instruments.as_ref().is_some_and(|had| number(had) != number(&event.instruments)) {
                    (invoice.bank_standing, invoice.boleto_spent) = (BankStanding::Unsaid, false);
                }
                invoice.instruments = Some(event.instruments.clone());
            }
        }
    }
    account
}

fn issued(account: &mut Account, event: &InvoiceIssued) {
    let issued = Terms {
        amount_minor: event.amount_minor,
        due_on: event.due_on,
        document: event.document.clone(),
        automatic_debit_on: event.automatic_debit_on,
    };
    let invoice = Invoice {
        issued,
        amount_minor: event.amount_minor,
        currency: event.currency,
        issued_on: event.issued_on,
        due_on: event.due_on,
        automatic_debit_on: event.automatic_debit_on,
        credited_minor: 0,
        open_minor: event.amount_minor,
        phase: Phase::Open,
        payments: Vec::new(),
        instruments: None,
        charges: event.charges.clone(),
        bank_standing: BankStanding::Unsaid,
        boleto_spent: false,
        instalment: event.instalment.clone(),
        renegotiated_by: None,
        viewed_at: None,
    };
    account.invoices.insert_mut(event.invoice_id.clone(), invoice);
}

fn amended(account: &mut Account, event: &InvoiceAmended) {
    if let Some(invoice) = account.invoices.get_mut(&event.invoice_id) {
        invoice.amount_minor = event.amount_minor;
        invoice.due_on = event.due_on;
        invoice.automatic_debit_on = event.automatic_debit_on;
        let grown = event.amount_minor.saturating_sub(event.previous_amount_minor).saturating_add(released_minor(&event.released));
        left_open(invoice, grown.saturating_add(event.charges_minor).saturating_sub(event.discount_minor), event.outstanding_minor);
    }
    released(account, event.currency, &event.released);
}

fn cancelled(account: &mut Account, event: &InvoiceCancelled) {
    if let Some(invoice) = account.invoices.get_mut(&event.invoice_id) {
        invoice.open_minor = 0;
        invoice.phase = Phase::Cancelled;
    }
    released(account, event.currency, &event.released);
}

fn made(account: &mut Account, event: &AgreementMade) {
    let agreement = Agreement {
        currency: event.currency,
        owed_minor: event.owed_minor,
        total_minor: event.total_minor,
        made_on: event.made_on,
        breach_after_days: event.breach_after_days,
        originals: Vec::new(),
        instalments: event.instalments.clone(),
        stage: Stage::Open,
    };
    account.agreements.insert(event.agreement_id.clone(), agreement);
}

fn renegotiated(account: &mut Account, event: &InvoiceRenegotiated) {
    if let Some(invoice) = account.invoices.get_mut(&event.original.invoice_id) {
        invoice.open_minor = 0;
        invoice.phase = Phase::Renegotiated;
        invoice.renegotiated_by = Some(event.agreement_id.clone());
    }
    if let Some(agreement) = account.agreements.get_mut(&event.agreement_id) {
        agreement.originals.push(event.original.clone());
    }
}

fn reopened(account: &mut Account, event: &InvoiceReopened) {
    if let Some(invoice) = account.invoices.get_mut(&event.invoice_id) {
        invoice.phase = Phase::Open;
        invoice.renegotiated_by = None;
        left_open(invoice, event.grown_minor(), event.outstanding_minor);
    }
    released(account, event.currency, &event.released);
}

fn stage(account: &mut Account, agreement_id: &AgreementId, stage: Stage) {
    if let Some(agreement) = account.agreements.get_mut(agreement_id) {
        agreement.stage = stage;
    }
}

fn credit_note_issued(account: &mut Account, event: &CreditNoteIssued) {
    let invoice = event.invoice_id.as_ref().and_then(|invoice_id| account.invoices.get_mut(invoice_id));
    match invoice {
        Some(invoice) => {
            invoice.credited_minor = invoice.credited_minor.saturating_add(event.amount_minor);
            left_open(invoice, event.applied_minor.saturating_neg(), event.outstanding_minor);
        }
        None => credited(account, event.currency, event.amount_minor),
    }
    let note = CreditNote {
        invoice_id: event.invoice_id.clone(),
        amount_minor: event.amount_minor,
        currency: event.currency,
        reason: event.reason.clone(),
        noted_on: event.noted_on,
        cancelled_on: None,
    };
    account.credit_notes.insert(event.credit_note_id.clone(), note);
    released(account, event.currency, &event.released);
}

fn credit_note_cancelled(account: &mut Account, event: &CreditNoteCancelled) {
    let invoice = event.invoice_id.as_ref().and_then(|invoice_id| account.invoices.get_mut(invoice_id));
    match invoice {
        Some(invoice) => {
            invoice.credited_minor = invoice.credited_minor.saturating_sub(event.amount_minor);
            left_open(invoice, event.applied_minor, event.outstanding_minor);
        }
        None => credited(account, event.currency, event.amount_minor.saturating_neg()),
    }
    if let Some(note) = account.credit_notes.get_mut(&event.credit_note_id) {
        note.cancelled_on = Some(event.cancelled_on);
    }
    released(account, event.currency, &event.released);
}

fn received(account: &mut Account, event: &PaymentReceived) {
    if let Some(invoice) = account.invoices.get_mut(&event.invoice_id) {
        left_open(invoice, event.applied_minor.saturating_neg(), event.outstanding_minor);
        invoice.payments.push(event.payment_id.clone());
    }
    let payment = Payment {
        invoice_id: event.invoice_id.clone(),
        amount_minor: event.amount_minor,
        currency: event.currency,
        applied_minor: event.amount_minor.saturating_sub(event.unapplied_minor),
        paid_on: event.paid_on,
        method: event.method.clone(),
        source: event.source,
        confirmed_by: None,
        returns: BTreeMap::new(),
        returned_minor: 0,
        reversed: None,
        part_of: event.part_of.as_ref().map(|part| part.payment_id.clone()),
        parts_minor: 0,
    };
    account.payments.insert_mut(event.payment_id.clone(), payment);
    if let Some(part) = &event.part_of {
        lend(account, &part.payment_id, event.amount_minor);
    }
    credited(account, event.currency, event.credit_minor());
    released(account, event.currency, &event.released);
}

fn reversed(account: &mut Account, event: &PaymentReversed) {
    if let Some(invoice) = account.invoices.get_mut(&event.invoice_id) {
        left_open(invoice, event.applied_minor, event.outstanding_minor);
    }
    if let Some(whole) = account.payments.get(&event.payment_id).and_then(|part| part.part_of.clone()) {
        lend(account, &whole, event.amount_minor.saturating_neg());
    }
    if let Some(payment) = account.payments.get_mut(&event.payment_id) {
        // Of the whole amount, what its parts had was taken off before.
        let money_minor = event.amount_minor.saturating_sub(event.unapplied_minor).min(payment.applied_minor);
        payment.applied_minor = payment.applied_minor.saturating_sub(money_minor);
        payment.returned_minor = payment.returned_minor.saturating_add(event.amount_minor);
        let whole_minor = match &event.return_id {
            None => money_minor,
            Some(return_id) => {
                let part = Return { amount_minor: event.amount_minor, applied_minor: money_minor, returned_on: event.reversed_on };
                payment.returns.insert(return_id.clone(), part);
                0
            }
        };
        if payment.returned_minor >= payment.amount_minor {
            let (reason, reversed_on) = (event.reason.clone(), event.reversed_on);
            payment.reversed = Some(Reversal { reason, reversed_on, applied_minor: whole_minor });
        }
    }
    credited(account, event.currency, event.unapplied_minor.saturating_neg());
}

/// Notes how much more (less where negative) of a payment its parts have.
fn lend(account: &mut Account, payment_id: &PaymentId, amount_minor: i64) {
    if let Some(payment) = account.payments.get_mut(payment_id) {
        payment.parts_minor = payment.parts_minor.saturating_add(amount_minor);
    }
}

fn stands(account: &mut Account, record: &BankRecord, standing: BankStanding) {
    if let Some(invoice) = account.invoices.get_mut(&record.invoice_id) {
        invoice.bank_standing = standing;
        invoice.boleto_spent |= standing == BankStanding::WrittenOff && !invoice.is_owed();
    }
    taken_in(account, &record.record_id);
}

fn taken_in(account: &mut Account, record_id: &str) {
    account.bank_records.insert_mut(String::from(record_id));
}

fn authorized(account: &mut Account, event: &ReminderAuthorized) {
    let kept_since = event.at.checked_sub_signed(TimeDelta::days(AUTHORIZATION_DAYS)).unwrap_or(event.at);
    account.authorizations.retain(|_, authorization| authorization.at >= kept_since);
    let authorization = Authorization { at: event.at, items: event.items.clone() };
    account.authorizations.insert(event.contact_id.clone(), authorization);
}

/// A cancelled invoice stays cancelled, whatever happens to the money paid on it. Without agreed charges what is left is the principal.
fn left_open(invoice: &mut Invoice, grown_minor: i64, outstanding_minor: i64) {
    match invoice.phase {
        Phase::Open | Phase::Settled => {
            invoice.open_minor = match &invoice.charges {
                None => outstanding_minor,
                Some(_) => invoice.open_minor.saturating_add(grown_minor).max(0),
            };
            invoice.phase = if outstanding_minor == 0 { Phase::Settled } else { Phase::Open };
        }
        // What went back of its payments while an agreement holds is owed just as it is.
        Phase::Renegotiated => invoice.open_minor = outstanding_minor,
        Phase::Cancelled => {}
    }
}

fn released(account: &mut Account, currency: Currency, released: &[Release]) {
    for release in released {
        if let Some(payment) = account.payments.get_mut(&release.payment_id) {
            payment.applied_minor = payment.applied_minor.saturating_sub(release.amount_minor);
        }
        credited(account, currency, release.amount_minor);
    }
}

fn credited(account: &mut Account, currency: Currency, more_minor: i64) {
    let after = account.credit_minor(currency).saturating_add(more_minor);
    if after == 0 {
        account.credit.remove(&currency);
    } else {
        account.credit.insert(currency, after);
    }
}
