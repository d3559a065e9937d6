//! Invoices: issued, amended, cancelled.

use super::{bounded, bounded_option, found, release, room_for_credit};
use crate::event::released_minor;
use crate::settlement::{Asked, money, settle};
use crate::{
    Account, AmendInvoice, CancelInvoice, ChargeTerms, Event, InstrumentsAssigned, Invoice, InvoiceAmended, InvoiceCancelled,
    InvoiceIssued, IssueInvoice, Phase, Rejection, Release, Standing,
};
use alloc::{string::String, vec, vec::Vec};
use brazil::charges::LegalRates;
use kernel::money::positive_minor;
use kernel::{Currency, InvoiceId, NaiveDate};

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
    let assigned = instruments(command)?;
    let charges = charges(command)?;
    let issued = Event::InvoiceIssued(InvoiceIssued {
        invoice_id: command.invoice_id.clone(),
        amount_minor: command.amount_minor,
        currency: command.currency,
        issued_on: command.issued_on,
        due_on: command.due_on,
        document,
        automatic_debit_on: command.automatic_debit_on,
        charges,
        instalment: None,
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

/// Terms that charge nothing and take nothing off are none. Others must be computable.
fn charges(command: &IssueInvoice) -> Result<Option<ChargeTerms>, Rejection> {
    let terms = command.charges.as_ref().map(|new| &new.terms).filter(|terms| !terms.is_plain());
    if let Some(terms) = terms {
        terms.check(command.amount_minor, command.due_on).map_err(Rejection::Charges)?;
    }
    Ok(terms.cloned())
}

fn says_the_same(invoice: &Invoice, command: &IssueInvoice, document: &Option<String>) -> bool {
    invoice.issued.amount_minor == command.amount_minor
        && invoice.issued.due_on == command.due_on
        && invoice.issued.document == *document
        && invoice.issued.automatic_debit_on == command.automatic_debit_on
        && invoice.currency == command.currency
        && invoice.issued_on == command.issued_on
        && same_account(invoice, command)
        && same_charges(invoice, command)
}

fn same_charges(invoice: &Invoice, command: &IssueInvoice) -> bool {
    let named = command.charges.as_ref().filter(|new| new.named);
    named.is_none_or(|new| invoice.charges.as_ref() == Some(&new.terms).filter(|terms| !terms.is_plain()))
}

/// An account that the caller did not name may be another default by now: that is no other content.
fn same_account(invoice: &Invoice, command: &IssueInvoice) -> bool {
    let named = command.instruments.as_ref().filter(|new| new.named);
    named.is_none_or(|new| invoice.instruments.as_ref().is_some_and(|had| had.account_id == new.account_id))
}

pub(super) fn amend(account: &Account, command: &AmendInvoice, rates: &LegalRates) -> Result<Vec<Event>, Rejection> {
    if let Some(amount_minor) = command.amount_minor {
        positive_minor(amount_minor)?;
    }
    let invoice = owed(account, command)?;
    let amount_minor = command.amount_minor.unwrap_or(invoice.amount_minor);
    let due_on = command.due_on.unwrap_or(invoice.due_on);
    let automatic_debit_on = command.automatic_debit_on.unwrap_or(invoice.automatic_debit_on);
    due_after_issue(invoice.issued_on, due_on)?;
    debit_after_issue(invoice.issued_on, automatic_debit_on)?;
    if invoice.instalment.is_some() && amount_minor != invoice.amount_minor {
        return Err(Rejection::InvoiceIsInstalment);
    }
    if amount_minor < invoice.credited_minor {
        return Err(Rejection::BelowCredited);
    }
    if (amount_minor, due_on, automatic_debit_on) == (invoice.amount_minor, invoice.due_on, invoice.automatic_debit_on) {
        return Ok(vec![]);
    }
    let changed = match &invoice.charges {
        None => plain(account, invoice, amount_minor),
        Some(terms) => charged((account, invoice), terms, Asked { amount_minor, due_on, ..Asked::of(invoice) }, rates)?,
    };
    room_for_credit(account, invoice.currency, released_minor(&changed.released))?;
    let assigned = reassigned(command, invoice, due_on, amount_minor)?;
    let amended = Event::InvoiceAmended(InvoiceAmended {
        invoice_id: command.invoice_id.clone(),
        currency: invoice.currency,
        previous_amount_minor: invoice.amount_minor,
        amount_minor,
        previous_due_on: invoice.due_on,
        due_on,
        outstanding_minor: changed.outstanding_minor,
        released: changed.released,
        automatic_debit_on,
        charges_minor: changed.charges_minor,
        discount_minor: changed.discount_minor,
        amended_on: command.today,
    });
    Ok([amended].into_iter().chain(assigned).collect())
}

/// What a change of amount or due day does to the money that is there, minor units.
struct Changed {
    outstanding_minor: i64,
    released: Vec<Release>,
    charges_minor: i64,
    discount_minor: i64,
}

fn plain(account: &Account, invoice: &Invoice, amount_minor: i64) -> Changed {
    let paid_minor = invoice.amount_minor - invoice.credited_minor - invoice.open_minor;
    let owed_minor = amount_minor - invoice.credited_minor;
    Changed {
        outstanding_minor: owed_minor.saturating_sub(paid_minor).max(0),
        released: release(account, invoice, paid_minor.saturating_sub(owed_minor).max(0)),
        charges_minor: 0,
        discount_minor: 0,
    }
}

fn charged((account, invoice): (&Account, &Invoice), terms: &ChargeTerms, asked: Asked, rates: &LegalRates) -> Result<Changed, Rejection> {
    if asked.credited_minor < asked.amount_minor {
        terms.check(asked.amount_minor - asked.credited_minor, asked.due_on).map_err(Rejection::Charges)?;
    }
    let money = money(account, invoice);
    let (before, _) = settle(terms, Asked::of(invoice), &money, rates).map_err(Rejection::Charges)?;
    let (after, released) = settle(terms, asked, &money, rates).map_err(Rejection::Charges)?;
    Ok(Changed {
        outstanding_minor: after.outstanding_minor(),
        released,
        charges_minor: after.charges_paid_minor - before.charges_paid_minor,
        discount_minor: after.discount_minor - before.discount_minor,
    })
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
        Phase::Renegotiated => Err(Rejection::InvoiceRenegotiated),
    }
}

pub(super) fn cancel(account: &Account, command: &CancelInvoice, rates: &LegalRates) -> Result<Vec<Event>, Rejection> {
    let reason = bounded("reason", &command.reason, 200)?;
    let invoice = found(account, &command.invoice_id)?;
    match invoice.phase {
        Phase::Cancelled => return Ok(vec![]),
        Phase::Renegotiated => return Err(Rejection::InvoiceRenegotiated),
        Phase::Open | Phase::Settled if invoice.instalment.is_some() => return Err(Rejection::InvoiceIsInstalment),
        Phase::Open | Phase::Settled => {}
    }
    Ok(vec![cancelled((account, invoice), &command.invoice_id, (&reason, command.today), rates)?])
}

/// The end of an invoice: what was paid becomes credit.
pub(super) fn cancelled(
    (account, invoice): (&Account, &Invoice),
    invoice_id: &InvoiceId,
    (reason, today): (&str, NaiveDate),
    rates: &LegalRates,
) -> Result<Event, Rejection> {
    let (charges_minor, discount_minor) = match &invoice.charges {
        None => (0, 0),
        Some(terms) => {
            let money = money(account, invoice);
            let (stands, _) = settle(terms, Asked::of(invoice), &money, rates).map_err(Rejection::Charges)?;
            (stands.charges_paid_minor, stands.discount_minor)
        }
    };
    let paid_minor = invoice.amount_minor - invoice.credited_minor - invoice.open_minor + charges_minor - discount_minor;
    let released = release(account, invoice, paid_minor);
    room_for_credit(account, invoice.currency, released_minor(&released))?;
    Ok(Event::InvoiceCancelled(InvoiceCancelled {
        invoice_id: invoice_id.clone(),
        currency: invoice.currency,
        amount_minor: invoice.amount_minor,
        previous_outstanding_minor: invoice.open_minor,
        released,
        charges_minor,
        discount_minor,
        credited_minor: invoice.credited_minor,
        reason: String::from(reason),
        cancelled_on: today,
    }))
}

fn due_after_issue(issued_on: NaiveDate, due_on: NaiveDate) -> Result<(), Rejection> {
    if due_on < issued_on { Err(Rejection::DueBeforeIssue) } else { Ok(()) }
}

fn debit_after_issue(issued_on: NaiveDate, automatic_debit_on: Option<NaiveDate>) -> Result<(), Rejection> {
    if automatic_debit_on.is_some_and(|day| day < issued_on) { Err(Rejection::DebitBeforeIssue) } else { Ok(()) }
}
