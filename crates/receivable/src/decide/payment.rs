//! Payments: received, reversed.

use super::{bank, bounded, found, known, room_for_money};
use crate::settlement::{Asked, Money, money, settle};
use crate::{
    Account, ChargeTerms, Event, Invoice, Payment, PaymentConfirmed, PaymentReceived, PaymentReversed, Phase, RecordPayment, RecordReceipt,
    Rejection, Release, ReturnPayment, ReversePayment, Source,
};
use alloc::{string::String, vec, vec::Vec};
use brazil::charges::{ChargeFault, LegalRates};
use kernel::{NaiveDate, PaymentId, money::positive_minor};

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
    let split = match &invoice.charges {
        None => plain(invoice, command.amount_minor),
        Some(terms) => charged((account, invoice), terms, command, rates).map_err(Rejection::Charges)?,
    };
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
    })])
}

/// What a payment does to its invoice, minor units.
struct Split {
    applied_minor: i64,
    charges_minor: i64,
    discount_minor: i64,
    unapplied_minor: i64,
    released: Vec<Release>,
    outstanding_minor: i64,
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
    command: &RecordPayment,
    rates: &LegalRates,
) -> Result<Split, ChargeFault> {
    let asked = Asked::of(invoice);
    let mut money = money(account, invoice);
    let (before, _) = settle(terms, asked, &money, rates)?;
    money.push(Money { payment_id: command.payment_id.clone(), paid_on: command.paid_on, amount_minor: command.amount_minor });
    let (after, mut released) = settle(terms, asked, &money, rates)?;
    let own = released.iter().position(|release| release.payment_id == command.payment_id);
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
    let payment = account.payments.get(&command.payment_id).ok_or(Rejection::PaymentUnknown)?;
    if let Some(reversal) = &payment.reversed {
        let same = reversal.reason == reason && reversal.reversed_on == command.reversed_on;
        return if same { Ok(vec![]) } else { Err(Rejection::PaymentAlreadyReversed) };
    }
    let left_minor = payment.amount_minor - payment.returned_minor;
    let back = Back { amount_minor: left_minor, return_id: None, reason, on: command.reversed_on };
    Ok(vec![went_back(account, (&command.payment_id, payment), back, rates)?])
}

/// What goes back of a payment.
pub(super) struct Back {
    /// Minor units, at most what has not gone back yet.
    pub amount_minor: i64,
    pub return_id: Option<String>,
    pub reason: String,
    pub on: NaiveDate,
}

/// The unapplied part goes back first: it is the part that the payer had no use for.
pub(super) fn went_back(
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
    let (payment_id, payment) = known_as(account, &command.payment_id).ok_or(Rejection::PaymentUnknown)?;
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
    Ok(vec![went_back(account, (payment_id, payment), back, rates)?])
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
