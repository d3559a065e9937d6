//! Events to state: total, without rules. Sums saturate, so that no log can make it panic.

use crate::event::released_minor;
use crate::{
    Account, Authorization, Event, Invoice, InvoiceAmended, InvoiceCancelled, InvoiceIssued, Payment, PaymentReceived, PaymentReversed,
    Phase, Release, ReminderAuthorized, Reversal, Standing, Terms,
};
use alloc::vec::Vec;
use chrono::TimeDelta;
use kernel::Currency;

/// How long an authorisation is remembered. A contact belongs to one local day, so nobody asks for it later.
const AUTHORIZATION_DAYS: i64 = 2;

/// The account after an event.
pub fn evolve(mut account: Account, event: &Event) -> Account {
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
        }
        Event::InvoiceIssued(event) => issued(&mut account, event),
        Event::InvoiceAmended(event) => amended(&mut account, event),
        Event::InvoiceCancelled(event) => cancelled(&mut account, event),
        Event::PaymentReceived(event) => received(&mut account, event),
        Event::PaymentReversed(event) => reversed(&mut account, event),
        Event::ReminderAuthorized(event) => authorized(&mut account, event),
        Event::InstrumentsAssigned(event) => {
            if let Some(invoice) = account.invoices.get_mut(&event.invoice_id) {
                invoice.instruments = Some(event.instruments.clone());
            }
        }
    }
    account
}

fn issued(account: &mut Account, event: &InvoiceIssued) {
    let issued = Terms { amount_minor: event.amount_minor, due_on: event.due_on, document: event.document.clone() };
    let invoice = Invoice {
        issued,
        amount_minor: event.amount_minor,
        currency: event.currency,
        issued_on: event.issued_on,
        due_on: event.due_on,
        open_minor: event.amount_minor,
        phase: Phase::Open,
        payments: Vec::new(),
        instruments: None,
        charges: event.charges.clone(),
    };
    account.invoices.insert(event.invoice_id.clone(), invoice);
}

fn amended(account: &mut Account, event: &InvoiceAmended) {
    if let Some(invoice) = account.invoices.get_mut(&event.invoice_id) {
        invoice.amount_minor = event.amount_minor;
        invoice.due_on = event.due_on;
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
        reversed: None,
    };
    account.payments.insert(event.payment_id.clone(), payment);
    credited(account, event.currency, event.unapplied_minor);
    released(account, event.currency, &event.released);
}

fn reversed(account: &mut Account, event: &PaymentReversed) {
    if let Some(invoice) = account.invoices.get_mut(&event.invoice_id) {
        left_open(invoice, event.applied_minor, event.outstanding_minor);
    }
    if let Some(payment) = account.payments.get_mut(&event.payment_id) {
        let applied_minor = core::mem::take(&mut payment.applied_minor);
        payment.reversed = Some(Reversal { reason: event.reason.clone(), reversed_on: event.reversed_on, applied_minor });
    }
    credited(account, event.currency, event.unapplied_minor.saturating_neg());
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
