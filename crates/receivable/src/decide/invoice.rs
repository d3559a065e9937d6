//! Invoices: issued, amended, cancelled.

use super::{bounded, bounded_option, found, release, room_for_credit};
use crate::event::released_minor;
use crate::{
    Account, AmendInvoice, CancelInvoice, Event, Invoice, InvoiceAmended, InvoiceCancelled, InvoiceIssued, IssueInvoice, Phase, Rejection,
    Standing,
};
use alloc::{string::String, vec, vec::Vec};
use kernel::NaiveDate;
use kernel::money::positive_minor;

pub(super) fn issue(account: &Account, command: &IssueInvoice) -> Result<Vec<Event>, Rejection> {
    let document = bounded_option("document", command.document.as_ref(), 120)?;
    positive_minor(command.amount_minor)?;
    due_after_issue(command.issued_on, command.due_on)?;
    debit_after_issue(command.issued_on, command.automatic_debit_on)?;
    if account.standing == Standing::Unknown {
        return Err(Rejection::CustomerUnknown);
    }
    if let Some(invoice) = account.invoices.get(&command.invoice_id) {
        return if says_the_same(invoice, command, &document) { Ok(vec![]) } else { Err(Rejection::InvoiceExists) };
    }
    if account.standing == Standing::Erased {
        return Err(Rejection::CustomerErased);
    }
    Ok(vec![Event::InvoiceIssued(InvoiceIssued {
        invoice_id: command.invoice_id.clone(),
        amount_minor: command.amount_minor,
        currency: command.currency,
        issued_on: command.issued_on,
        due_on: command.due_on,
        document,
        automatic_debit_on: command.automatic_debit_on,
    })])
}

fn says_the_same(invoice: &Invoice, command: &IssueInvoice, document: &Option<String>) -> bool {
    invoice.issued.amount_minor == command.amount_minor
        && invoice.issued.due_on == command.due_on
        && invoice.issued.document == *document
        && invoice.issued.automatic_debit_on == command.automatic_debit_on
        && invoice.currency == command.currency
        && invoice.issued_on == command.issued_on
}

pub(super) fn amend(account: &Account, command: &AmendInvoice) -> Result<Vec<Event>, Rejection> {
    if let Some(amount_minor) = command.amount_minor {
        positive_minor(amount_minor)?;
    }
    let invoice = owed(account, command)?;
    let amount_minor = command.amount_minor.unwrap_or(invoice.amount_minor);
    let due_on = command.due_on.unwrap_or(invoice.due_on);
    let automatic_debit_on = command.automatic_debit_on.unwrap_or(invoice.automatic_debit_on);
    due_after_issue(invoice.issued_on, due_on)?;
    debit_after_issue(invoice.issued_on, automatic_debit_on)?;
    if (amount_minor, due_on, automatic_debit_on) == (invoice.amount_minor, invoice.due_on, invoice.automatic_debit_on) {
        return Ok(vec![]);
    }
    let applied_minor = invoice.amount_minor - invoice.open_minor;
    let released = release(account, invoice, applied_minor.saturating_sub(amount_minor).max(0));
    room_for_credit(account, invoice.currency, released_minor(&released))?;
    Ok(vec![Event::InvoiceAmended(InvoiceAmended {
        invoice_id: command.invoice_id.clone(),
        currency: invoice.currency,
        previous_amount_minor: invoice.amount_minor,
        amount_minor,
        previous_due_on: invoice.due_on,
        due_on,
        outstanding_minor: amount_minor.saturating_sub(applied_minor).max(0),
        released,
        automatic_debit_on,
        amended_on: command.today,
    })])
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

fn debit_after_issue(issued_on: NaiveDate, automatic_debit_on: Option<NaiveDate>) -> Result<(), Rejection> {
    if automatic_debit_on.is_some_and(|day| day < issued_on) { Err(Rejection::DebitBeforeIssue) } else { Ok(()) }
}
