//! Payments: received, reversed.

use super::{bounded, found, known, room_for_credit};
use crate::event::released_minor;
use crate::settlement::{Money, money, settle};
use crate::{
    Account, ChargeTerms, Event, Invoice, Payment, PaymentReceived, PaymentReversed, Phase, RecordPayment, Rejection, Release,
    ReversePayment,
};
use alloc::{vec, vec::Vec};
use brazil::charges::ChargeFault;
use kernel::{PaymentId, money::positive_minor};

pub(super) fn record(account: &Account, command: &RecordPayment) -> Result<Vec<Event>, Rejection> {
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
        Some(terms) => charged(account, invoice, terms, command).map_err(Rejection::Charges)?,
    };
    room_for_credit(account, command.currency, split.unapplied_minor.saturating_add(released_minor(&split.released)))?;
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

fn charged(account: &Account, invoice: &Invoice, terms: &ChargeTerms, command: &RecordPayment) -> Result<Split, ChargeFault> {
    let asked = (invoice.amount_minor, invoice.due_on);
    let mut money = money(account, invoice);
    let (before, _) = settle(terms, asked, &money)?;
    money.push(Money { payment_id: command.payment_id.clone(), paid_on: command.paid_on, amount_minor: command.amount_minor });
    let (after, mut released) = settle(terms, asked, &money)?;
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

pub(super) fn reverse(account: &Account, command: &ReversePayment) -> Result<Vec<Event>, Rejection> {
    let reason = bounded("reason", &command.reason, 200)?;
    known(account)?;
    let payment = account.payments.get(&command.payment_id).ok_or(Rejection::PaymentUnknown)?;
    if let Some(reversal) = &payment.reversed {
        let same = reversal.reason == reason && reversal.reversed_on == command.reversed_on;
        return if same { Ok(vec![]) } else { Err(Rejection::PaymentAlreadyReversed) };
    }
    let back = take_back(account, &command.payment_id, payment)?;
    Ok(vec![Event::PaymentReversed(PaymentReversed {
        payment_id: command.payment_id.clone(),
        invoice_id: payment.invoice_id.clone(),
        amount_minor: payment.amount_minor,
        currency: payment.currency,
        applied_minor: back.applied_minor,
        charges_minor: back.charges_minor,
        discount_minor: back.discount_minor,
        unapplied_minor: payment.unapplied_minor(),
        outstanding_minor: back.outstanding_minor,
        reason,
        reversed_on: command.reversed_on,
    })])
}

/// What taking a payment back does to its invoice. Of a cancelled one nothing is applied any more.
fn take_back(account: &Account, payment_id: &PaymentId, payment: &Payment) -> Result<Split, Rejection> {
    let split = |applied_minor, outstanding_minor| Split {
        applied_minor,
        charges_minor: 0,
        discount_minor: 0,
        unapplied_minor: payment.unapplied_minor(),
        released: vec![],
        outstanding_minor,
    };
    let open_minor = account.open_minor(&payment.invoice_id);
    // The applied part of a payment never exceeds what its invoice lacks, so the sum stays within the amount.
    let plain = split(payment.applied_minor, open_minor + payment.applied_minor);
    let Some(invoice) = account.invoices.get(&payment.invoice_id) else { return Ok(plain) };
    let (Some(terms), Phase::Open | Phase::Settled) = (&invoice.charges, invoice.phase) else { return Ok(plain) };
    let asked = (invoice.amount_minor, invoice.due_on);
    let mut money = money(account, invoice);
    let (before, _) = settle(terms, asked, &money).map_err(Rejection::Charges)?;
    money.retain(|one| one.payment_id != *payment_id);
    let (after, _) = settle(terms, asked, &money).map_err(Rejection::Charges)?;
    Ok(Split {
        charges_minor: before.charges_paid_minor - after.charges_paid_minor,
        discount_minor: before.discount_minor - after.discount_minor,
        ..split(after.open_minor - before.open_minor, after.outstanding_minor())
    })
}
