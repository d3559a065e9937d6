//! Payments: received, reversed.

use super::{bounded, found, known, room_for_credit};
use crate::{Account, Event, Payment, PaymentReceived, PaymentReversed, Phase, RecordPayment, Rejection, ReversePayment};
use alloc::{vec, vec::Vec};
use kernel::money::positive_minor;

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
    let applied_minor = command.amount_minor.min(invoice.open_minor);
    let unapplied_minor = command.amount_minor - applied_minor;
    room_for_credit(account, command.currency, unapplied_minor)?;
    Ok(vec![Event::PaymentReceived(PaymentReceived {
        payment_id: command.payment_id.clone(),
        invoice_id: command.invoice_id.clone(),
        amount_minor: command.amount_minor,
        currency: command.currency,
        paid_on: command.paid_on,
        method,
        applied_minor,
        unapplied_minor,
        outstanding_minor: invoice.open_minor - applied_minor,
    })])
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
    let open_minor = account.open_minor(&payment.invoice_id);
    Ok(vec![Event::PaymentReversed(PaymentReversed {
        payment_id: command.payment_id.clone(),
        invoice_id: payment.invoice_id.clone(),
        amount_minor: payment.amount_minor,
        currency: payment.currency,
        applied_minor: payment.applied_minor,
        unapplied_minor: payment.unapplied_minor(),
        // The applied part of a payment never exceeds what its invoice lacks, so the sum stays within the amount.
        outstanding_minor: open_minor + payment.applied_minor,
        reason,
        reversed_on: command.reversed_on,
    })])
}
