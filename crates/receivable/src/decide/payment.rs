//! Payments: received, reversed.

use super::{bank, bounded, found, known, room_for_money};
use crate::agreement::PartOf;
use crate::settlement::{Asked, Money, money, settle};
use crate::{
    Account, ChargeTerms, Event, Invoice, Payment, PaymentConfirmed, PaymentReceived, PaymentReversed, Phase, RecordPayment, RecordReceipt,
    Rejection, Release, ReturnPayment, ReversePayment, Source, evolve,
};
use alloc::{string::String, vec, vec::Vec};
use brazil::charges::{ChargeFault, LegalRates};
use kernel::{InvoiceId, NaiveDate, PaymentId, money::positive_minor};

/// Days by which two channels may date the same money apart: a weekend and a holiday beside it.
const SAME_MONEY_DAYS: i64 = 5;

pub(super) fn record(account: &Account, command: &RecordPayment, rates: &LegalRates) -> Result<Vec<Event>, Rejection> {
    record_from(account, command, Source::Caller, rates)
}

fn record_from(account: &Account, command: &RecordPayment, source: Source, rates: &LegalRates) -> Result<Vec<Event>, Rejection> {
    let method = bounded("method", &command.method, 64)?;
    positive_minor(command.amount_minor)?;
    known(account)?;
    if let Some(payment) = account.payments.get(&command.payment_id) {
        return if says_the_same(payment, command, &method) { Ok(vec![]) } else { Err(Rejection::PaymentExists) };
    }
    let invoice = found(account, &command.invoice_id)?;
    if invoice.currency != command.currency {
        return Err(Rejection::CurrencyMismatch);
    }
    if invoice.phase == Phase::Cancelled {
        return Err(Rejection::InvoiceCancelled);
    }
    // What it is owed for is in the instalments: money goes there.
    if invoice.phase == Phase::Renegotiated && invoice.open_minor == 0 {
        return Err(Rejection::InvoiceRenegotiated);
    }
    let on = (&command.payment_id, command.paid_on);
    let split = split_of(account, invoice, on, command.amount_minor, rates).map_err(Rejection::Charges)?;
    room_for_money(account, command.currency, command.amount_minor)?;
    Ok(vec![Event::PaymentReceived(PaymentReceived {
        payment_id: command.payment_id.clone(),
        invoice_id: command.invoice_id.clone(),
        amount_minor: command.amount_minor,
        currency: command.currency,
        paid_on: command.paid_on,
        method,
        applied_minor: split.applied_minor,
        charges_minor: split.charges_minor,
        discount_minor: split.discount_minor,
        unapplied_minor: split.unapplied_minor,
        released: split.released,
        outstanding_minor: split.outstanding_minor,
        source,
        part_of: None,
    })])
}

/// A part of a payment on an instalment, put on a debt whose agreement was broken. All of it is needed there.
pub(super) fn part(
    (account, invoice_id): (&Account, &InvoiceId),
    (part_id, paid_on): (&PaymentId, NaiveDate),
    (part_of, amount_minor): (PartOf, i64),
    rates: &LegalRates,
) -> Result<Event, Rejection> {
    let invoice = found(account, invoice_id)?;
    let split = split_of(account, invoice, (part_id, paid_on), amount_minor, rates).map_err(Rejection::Charges)?;
    let method = account.payments.get(&part_of.payment_id).map_or_else(String::new, |payment| payment.method.clone());
    Ok(Event::PaymentReceived(PaymentReceived {
        payment_id: part_id.clone(),
        invoice_id: invoice_id.clone(),
        amount_minor,
        currency: invoice.currency,
        paid_on,
        method,
        applied_minor: split.applied_minor,
        charges_minor: split.charges_minor,
        discount_minor: split.discount_minor,
        unapplied_minor: split.unapplied_minor,
        released: split.released,
        outstanding_minor: split.outstanding_minor,
        source: Source::Caller,
        part_of: Some(part_of),
    }))
}

/// What a payment does to its invoice, minor units.
pub(super) struct Split {
    applied_minor: i64,
    charges_minor: i64,
    discount_minor: i64,
    /// Too much: nothing on the invoice needs it.
    pub(super) unapplied_minor: i64,
    released: Vec<Release>,
    outstanding_minor: i64,
}

/// While an agreement holds, what went back of a debt's payments is owed just as it is: charges are those of the instalments.
pub(super) fn split_of(
    account: &Account,
    invoice: &Invoice,
    on: (&PaymentId, NaiveDate),
    amount_minor: i64,
    rates: &LegalRates,
) -> Result<Split, ChargeFault> {
    match (invoice.phase, &invoice.charges) {
        (Phase::Open | Phase::Settled | Phase::Cancelled, Some(terms)) => charged((account, invoice), terms, (on, amount_minor), rates),
        (Phase::Open | Phase::Settled | Phase::Cancelled, None) | (Phase::Renegotiated, _) => Ok(plain(invoice, amount_minor)),
    }
}

fn plain(invoice: &Invoice, amount_minor: i64) -> Split {
    let applied_minor = amount_minor.min(invoice.open_minor);
    Split {
        applied_minor,
        charges_minor: 0,
        discount_minor: 0,
        unapplied_minor: amount_minor - applied_minor,
        released: vec![],
        outstanding_minor: invoice.open_minor - applied_minor,
    }
}

fn charged(
    (account, invoice): (&Account, &Invoice),
    terms: &ChargeTerms,
    ((payment_id, paid_on), amount_minor): ((&PaymentId, NaiveDate), i64),
    rates: &LegalRates,
) -> Result<Split, ChargeFault> {
    let asked = Asked::of(invoice);
    let mut money = money(account, invoice);
    let (before, _) = settle(terms, asked, &money, rates)?;
    money.push(Money { payment_id: payment_id.clone(), paid_on, amount_minor });
    let (after, mut released) = settle(terms, asked, &money, rates)?;
    let own = released.iter().position(|release| release.payment_id == *payment_id);
    let unapplied_minor = own.map_or(0, |own| released.remove(own).amount_minor);
    Ok(Split {
        applied_minor: before.open_minor - after.open_minor,
        charges_minor: after.charges_paid_minor - before.charges_paid_minor,
        discount_minor: after.discount_minor - before.discount_minor,
        unapplied_minor,
        released,
        outstanding_minor: after.outstanding_minor(),
    })
}

fn says_the_same(payment: &Payment, command: &RecordPayment, method: &str) -> bool {
    payment.invoice_id == command.invoice_id
        && payment.amount_minor == command.amount_minor
        && payment.currency == command.currency
        && payment.paid_on == command.paid_on
        && payment.method == method
}

pub(super) fn reverse(account: &Account, command: &ReversePayment, rates: &LegalRates) -> Result<Vec<Event>, Rejection> {
    let reason = bounded("reason", &command.reason, 200)?;
    known(account)?;
    let payment = account.payments.get(&command.payment_id).filter(|payment| payment.part_of.is_none()).ok_or(Rejection::PaymentUnknown)?;
    if let Some(reversal) = &payment.reversed {
        let same = reversal.reason == reason && reversal.reversed_on == command.reversed_on;
        return if same { Ok(vec![]) } else { Err(Rejection::PaymentAlreadyReversed) };
    }
    let left_minor = payment.amount_minor - payment.returned_minor;
    let back = Back { amount_minor: left_minor, return_id: None, reason, on: command.reversed_on };
    went_back(account, (&command.payment_id, payment), back, rates)
}

/// What goes back of a payment.
#[derive(Clone)]
pub(super) struct Back {
    /// Minor units, at most what has not gone back yet.
    pub amount_minor: i64,
    pub return_id: Option<String>,
    pub reason: String,
    pub on: NaiveDate,
}

/// What the payment's own invoice and the payer's credit have of it goes back first, then its parts on debts of a broken agreement, the
/// latest part first.
pub(super) fn went_back(
    account: &Account,
    (payment_id, payment): (&PaymentId, &Payment),
    back: Back,
    rates: &LegalRates,
) -> Result<Vec<Event>, Rejection> {
    let own_minor = payment.unapplied_minor().max(0) + payment.applied_minor;
    let mut left_minor = back.amount_minor - own_minor.min(back.amount_minor);
    let is_part = |(_, part): &(&PaymentId, &Payment)| part.part_of.as_ref() == Some(payment_id) && part.returned_minor < part.amount_minor;
    let mut parts: Vec<(&PaymentId, &Payment)> = account.payments.iter().filter(is_part).collect();
    // Their ids end in a running number: the longer one is the later one.
    parts.sort_by_key(|(part_id, _)| (part_id.as_str().len(), part_id.as_str()));
    let (mut after, mut events) = (account.clone(), Vec::new());
    for (part_id, part) in parts.into_iter().rev() {
        let amount_minor = left_minor.min(part.amount_minor - part.returned_minor);
        if amount_minor > 0 {
            left_minor -= amount_minor;
            let event = taken_from(&after, (part_id, part), Back { amount_minor, ..back.clone() }, rates)?;
            after = evolve(after, &event);
            events.push(event);
        }
    }
    let own = taken_from(&after, (payment_id, payment), Back { amount_minor: own_minor.min(back.amount_minor), ..back.clone() }, rates)?;
    events.push(match own {
        // The whole amount went back, wherever it was.
        Event::PaymentReversed(event) => Event::PaymentReversed(PaymentReversed { amount_minor: back.amount_minor, ..event }),
        other => other,
    });
    Ok(events)
}

/// The unapplied part goes back first: it is the part that the payer had no use for.
fn taken_from(
    account: &Account,
    (payment_id, payment): (&PaymentId, &Payment),
    back: Back,
    rates: &LegalRates,
) -> Result<Event, Rejection> {
    let unapplied_minor = back.amount_minor.min(payment.unapplied_minor());
    let split = take_back(account, (payment_id, payment), back.amount_minor - unapplied_minor, rates)?;
    Ok(Event::PaymentReversed(PaymentReversed {
        payment_id: payment_id.clone(),
        invoice_id: payment.invoice_id.clone(),
        amount_minor: back.amount_minor,
        currency: payment.currency,
        applied_minor: split.applied_minor,
        charges_minor: split.charges_minor,
        discount_minor: split.discount_minor,
        unapplied_minor,
        outstanding_minor: split.outstanding_minor,
        reason: back.reason,
        reversed_on: back.on,
        return_id: back.return_id,
        part_of: payment.part_of.clone(),
    }))
}

/// What taking money of a payment off its invoice does. Of a cancelled one nothing is applied any more.
fn take_back(
    account: &Account,
    (payment_id, payment): (&PaymentId, &Payment),
    money_minor: i64,
    rates: &LegalRates,
) -> Result<Split, Rejection> {
    let split = |applied_minor, outstanding_minor| Split {
        applied_minor,
        charges_minor: 0,
        discount_minor: 0,
        unapplied_minor: 0,
        released: vec![],
        outstanding_minor,
    };
    let open_minor = account.open_minor(&payment.invoice_id);
    // The applied part of a payment never exceeds what its invoice lacks, so the sum stays within the amount.
    let plain = split(money_minor, open_minor + money_minor);
    let Some(invoice) = account.invoices.get(&payment.invoice_id) else { return Ok(plain) };
    let (Some(terms), Phase::Open | Phase::Settled) = (&invoice.charges, invoice.phase) else { return Ok(plain) };
    let asked = Asked::of(invoice);
    let mut money = money(account, invoice);
    let (before, _) = settle(terms, asked, &money, rates).map_err(Rejection::Charges)?;
    for one in money.iter_mut().filter(|one| one.payment_id == *payment_id) {
        one.amount_minor -= money_minor;
    }
    money.retain(|one| one.amount_minor > 0);
    let (after, _) = settle(terms, asked, &money, rates).map_err(Rejection::Charges)?;
    Ok(Split {
        charges_minor: before.charges_paid_minor - after.charges_paid_minor,
        discount_minor: before.discount_minor - after.discount_minor,
        ..split(after.open_minor - before.open_minor, after.outstanding_minor())
    })
}

pub(super) fn give_back(account: &Account, command: &ReturnPayment, rates: &LegalRates) -> Result<Vec<Event>, Rejection> {
    let reason = bounded("reason", &command.reason, 200)?;
    let return_id = bounded("return_id", &command.return_id, 64)?;
    positive_minor(command.amount_minor)?;
    known(account)?;
    let known = known_as(account, &command.payment_id).filter(|(_, payment)| payment.part_of.is_none());
    let (payment_id, payment) = known.ok_or(Rejection::PaymentUnknown)?;
    if let Some(known) = payment.returns.get(&return_id) {
        return if known.amount_minor == command.amount_minor { Ok(vec![]) } else { Err(Rejection::ReturnExists) };
    }
    if payment.reversed.is_some() {
        return Err(Rejection::PaymentAlreadyReversed);
    }
    if command.amount_minor > payment.amount_minor - payment.returned_minor {
        return Err(Rejection::ReturnTooLarge);
    }
    let back = Back { amount_minor: command.amount_minor, return_id: Some(return_id), reason, on: command.returned_on };
    went_back(account, (payment_id, payment), back, rates)
}

/// A payment by its own id, or by the one under which a second channel told of it.
fn known_as<'a>(account: &'a Account, id: &PaymentId) -> Option<(&'a PaymentId, &'a Payment)> {
    let by_own = account.payments.get_key_value(id);
    by_own.or_else(|| account.payments.iter().find(|(_, payment)| payment.confirmed_by.as_ref() == Some(id)))
}

/// A payment, or only its confirmation where another channel told of the same money before; and the fee, if any.
pub(super) fn receive(account: &Account, command: &RecordReceipt, rates: &LegalRates) -> Result<Vec<Event>, Rejection> {
    let payment = &command.payment;
    let mut events = match twin(account, command) {
        Some(confirmed) => confirmed,
        None => record_from(account, payment, command.source, rates)?,
    };
    events.extend(bank::fee(account, (&payment.invoice_id, payment.payment_id.as_str()), command.fee_minor, payment.paid_on)?);
    Ok(events)
}

/// The event that confirms a payment of the other channel; none where the confirmation is known, `None` where it is other money.
fn twin(account: &Account, command: &RecordReceipt) -> Option<Vec<Event>> {
    let told = &command.payment;
    let invoice = account.invoices.get(&told.invoice_id)?;
    let known = invoice.payments.iter().filter_map(|id| account.payments.get(id).map(|payment| (id, payment)));
    let known: Vec<(&PaymentId, &Payment)> = known.collect();
    if known.iter().any(|(_, payment)| payment.confirmed_by.as_ref() == Some(&told.payment_id)) {
        return Some(vec![]);
    }
    if account.payments.contains_key(&told.payment_id) {
        return None;
    }
    let same = |payment: &Payment| {
        payment.confirmed_by.is_none()
            && payment.source.may_repeat(command.source)
            && payment.amount_minor == told.amount_minor
            && payment.currency == told.currency
            && payment.paid_on.signed_duration_since(told.paid_on).num_days().abs() <= SAME_MONEY_DAYS
    };
    let (payment_id, _) = known.into_iter().find(|(_, payment)| same(payment))?;
    Some(vec![Event::PaymentConfirmed(PaymentConfirmed {
        payment_id: payment_id.clone(),
        invoice_id: told.invoice_id.clone(),
        confirmed_by: told.payment_id.clone(),
        source: command.source,
    })])
}
