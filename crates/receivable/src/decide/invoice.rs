//! Invoices: issued, amended, cancelled.

use super::{bounded, bounded_option, found, release, room_for_credit};
use crate::event::released_minor;
use crate::{
    Account, AmendInvoice, CancelInvoice, Event, InstrumentsAssigned, Invoice, InvoiceAmended, InvoiceCancelled, InvoiceIssued,
    IssueInvoice, Phase, Rejection, Standing,
};
use alloc::{string::String, vec, vec::Vec};
use kernel::money::positive_minor;
use kernel::{Currency, NaiveDate};

pub(super) fn issue(account: &Account, command: &IssueInvoice) -> Result<Vec<Event>, Rejection> {
    let document = bounded_option("document", command.document.as_ref(), 120)?;
    positive_minor(command.amount_minor)?;
    due_after_issue(command.issued_on, command.due_on)?;
    if account.standing == Standing::Unknown {
        return Err(Rejection::CustomerUnknown);
    }
    if let Some(invoice) = account.invoices.get(&command.invoice_id) {
        return if says_the_same(invoice, command, &document) { Ok(vec![]) } else { Err(Rejection::InvoiceExists) };
    }
    if account.standing == Standing::Erased {
        return Err(Rejection::CustomerErased);
    }
    let assigned = instruments(command)?;
    let issued = Event::InvoiceIssued(InvoiceIssued {
        invoice_id: command.invoice_id.clone(),
        amount_minor: command.amount_minor,
        currency: command.currency,
        issued_on: command.issued_on,
        due_on: command.due_on,
        document,
    });
    Ok([issued].into_iter().chain(assigned).collect())
}

fn instruments(command: &IssueInvoice) -> Result<Option<Event>, Rejection> {
    let Some(new) = &command.instruments else { return Ok(None) };
    if command.currency != Currency::BRL {
        return Err(Rejection::InstrumentsCurrency);
    }
    let instruments = new.assign(command.issued_on, command.due_on, command.amount_minor).map_err(Rejection::Boleto)?;
    Ok(Some(Event::InstrumentsAssigned(InstrumentsAssigned { invoice_id: command.invoice_id.clone(), instruments })))
}

fn says_the_same(invoice: &Invoice, command: &IssueInvoice, document: &Option<String>) -> bool {
    invoice.issued.amount_minor == command.amount_minor
        && invoice.issued.due_on == command.due_on
        && invoice.issued.document == *document
        && invoice.currency == command.currency
        && invoice.issued_on == command.issued_on
        && same_account(invoice, command)
}

/// An account that the caller did not name may be another default by now: that is no other content.
fn same_account(invoice: &Invoice, command: &IssueInvoice) -> bool {
    let named = command.instruments.as_ref().filter(|new| new.named);
    named.is_none_or(|new| invoice.instruments.as_ref().is_some_and(|had| had.account_id == new.account_id))
}

pub(super) fn amend(account: &Account, command: &AmendInvoice) -> Result<Vec<Event>, Rejection> {
    if let Some(amount_minor) = command.amount_minor {
        positive_minor(amount_minor)?;
    }
    let invoice = owed(account, command)?;
    let amount_minor = command.amount_minor.unwrap_or(invoice.amount_minor);
    let due_on = command.due_on.unwrap_or(invoice.due_on);
    due_after_issue(invoice.issued_on, due_on)?;
    if amount_minor == invoice.amount_minor && due_on == invoice.due_on {
        return Ok(vec![]);
    }
    let applied_minor = invoice.amount_minor - invoice.open_minor;
    let released = release(account, invoice, applied_minor.saturating_sub(amount_minor).max(0));
    room_for_credit(account, invoice.currency, released_minor(&released))?;
    let assigned = reassigned(command, invoice, due_on, amount_minor)?;
    let amended = Event::InvoiceAmended(InvoiceAmended {
        invoice_id: command.invoice_id.clone(),
        currency: invoice.currency,
        previous_amount_minor: invoice.amount_minor,
        amount_minor,
        previous_due_on: invoice.due_on,
        due_on,
        outstanding_minor: amount_minor.saturating_sub(applied_minor).max(0),
        released,
        amended_on: command.today,
    });
    Ok([amended].into_iter().chain(assigned).collect())
}

/// The boleto says amount and due day: it is made anew under its number.
fn reassigned(command: &AmendInvoice, invoice: &Invoice, due_on: NaiveDate, amount_minor: i64) -> Result<Option<Event>, Rejection> {
    let Some(had) = invoice.instruments.as_ref().filter(|had| had.boleto.is_some()) else { return Ok(None) };
    let instruments = had.amended(due_on, amount_minor).map_err(Rejection::Boleto)?;
    Ok(Some(Event::InstrumentsAssigned(InstrumentsAssigned { invoice_id: command.invoice_id.clone(), instruments })))
}

fn owed<'a>(account: &'a Account, command: &AmendInvoice) -> Result<&'a Invoice, Rejection> {
    let invoice = found(account, &command.invoice_id)?;
    match invoice.phase {
        Phase::Open | Phase::Settled => Ok(invoice),
        Phase::Cancelled => Err(Rejection::InvoiceCancelled),
    }
}

pub(super) fn cancel(account: &Account, command: &CancelInvoice) -> Result<Vec<Event>, Rejection> {
    let reason = bounded("reason", &command.reason, 200)?;
    let invoice = found(account, &command.invoice_id)?;
    if invoice.phase == Phase::Cancelled {
        return Ok(vec![]);
    }
    let released = release(account, invoice, invoice.amount_minor - invoice.open_minor);
    room_for_credit(account, invoice.currency, released_minor(&released))?;
    Ok(vec![Event::InvoiceCancelled(InvoiceCancelled {
        invoice_id: command.invoice_id.clone(),
        currency: invoice.currency,
        amount_minor: invoice.amount_minor,
        previous_outstanding_minor: invoice.open_minor,
        released,
        reason,
        cancelled_on: command.today,
    })])
}

fn due_after_issue(issued_on: NaiveDate, due_on: NaiveDate) -> Result<(), Rejection> {
    if due_on < issued_on { Err(Rejection::DueBeforeIssue) } else { Ok(()) }
}
