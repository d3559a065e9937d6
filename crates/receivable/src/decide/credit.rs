//! Credit notes: a part of a debt, or of all that a payer owes, is given up.

use super::{bounded, found, known, release, room_for_credit, room_for_money};
use crate::event::released_minor;
use crate::settlement::{Asked, money, settle};
use crate::{
    Account, CancelCreditNote, CreditNote, CreditNoteCancelled, CreditNoteIssued, Event, Invoice, IssueCreditNote, Phase, Rejection,
    Release,
};
use alloc::{vec, vec::Vec};
use brazil::charges::LegalRates;
use kernel::money::positive_minor;

/// What a change of what is credited does to an invoice, minor units.
#[derive(Default)]
struct Changed {
    /// By how much less principal is open; more where negative.
    applied_minor: i64,
    charges_minor: i64,
    discount_minor: i64,
    released: Vec<Release>,
    outstanding_minor: i64,
}

pub(super) fn issue(account: &Account, command: &IssueCreditNote, rates: &LegalRates) -> Result<Vec<Event>, Rejection> {
    let reason = bounded("reason", &command.reason, 200)?;
    positive_minor(command.amount_minor)?;
    known(account)?;
    if let Some(note) = account.credit_notes.get(&command.credit_note_id) {
        return if says_the_same(note, command, &reason) { Ok(vec![]) } else { Err(Rejection::CreditNoteExists) };
    }
    let changed = match &command.invoice_id {
        None => Changed::default(),
        Some(invoice_id) => {
            let invoice = found(account, invoice_id)?;
            if invoice.currency != command.currency {
                return Err(Rejection::CurrencyMismatch);
            }
            creditable(invoice)?;
            if command.amount_minor > invoice.amount_minor - invoice.credited_minor {
                return Err(Rejection::CreditNoteTooLarge);
            }
            credited(account, invoice, invoice.credited_minor + command.amount_minor, rates)?
        }
    };
    match &command.invoice_id {
        // It is the payer's own at once.
        None => room_for_money(account, command.currency, command.amount_minor)?,
        Some(_) => room_for_credit(account, command.currency, released_minor(&changed.released))?,
    }
    Ok(vec![Event::CreditNoteIssued(CreditNoteIssued {
        credit_note_id: command.credit_note_id.clone(),
        invoice_id: command.invoice_id.clone(),
        amount_minor: command.amount_minor,
        currency: command.currency,
        reason,
        applied_minor: changed.applied_minor,
        charges_minor: changed.charges_minor,
        discount_minor: changed.discount_minor,
        released: changed.released,
        outstanding_minor: changed.outstanding_minor,
        noted_on: command.noted_on,
    })])
}

fn creditable(invoice: &Invoice) -> Result<(), Rejection> {
    match invoice.phase {
        Phase::Open | Phase::Settled => Ok(()),
        Phase::Cancelled => Err(Rejection::InvoiceCancelled),
        Phase::Renegotiated => Err(Rejection::InvoiceRenegotiated),
    }
}

fn says_the_same(note: &CreditNote, command: &IssueCreditNote, reason: &str) -> bool {
    note.invoice_id == command.invoice_id
        && note.amount_minor == command.amount_minor
        && note.currency == command.currency
        && note.noted_on == command.noted_on
        && note.reason == reason
}

pub(super) fn cancel(account: &Account, command: &CancelCreditNote, rates: &LegalRates) -> Result<Vec<Event>, Rejection> {
    let reason = bounded("reason", &command.reason, 200)?;
    known(account)?;
    let note = account.credit_notes.get(&command.credit_note_id).ok_or(Rejection::CreditNoteUnknown)?;
    if note.cancelled_on.is_some() {
        return Ok(vec![]);
    }
    let (changed, due_on) = match &note.invoice_id {
        None if account.credit_minor(note.currency) < note.amount_minor => return Err(Rejection::CreditNoteUsed),
        None => (Changed::default(), None),
        Some(invoice_id) => {
            let invoice = found(account, invoice_id)?;
            creditable(invoice)?;
            (credited(account, invoice, invoice.credited_minor - note.amount_minor, rates)?, Some(invoice.due_on))
        }
    };
    room_for_credit(account, note.currency, released_minor(&changed.released))?;
    Ok(vec![Event::CreditNoteCancelled(CreditNoteCancelled {
        credit_note_id: command.credit_note_id.clone(),
        invoice_id: note.invoice_id.clone(),
        amount_minor: note.amount_minor,
        currency: note.currency,
        reason,
        applied_minor: -changed.applied_minor,
        charges_minor: changed.charges_minor,
        discount_minor: changed.discount_minor,
        released: changed.released,
        outstanding_minor: changed.outstanding_minor,
        due_on,
        cancelled_on: command.today,
    })])
}

/// What crediting so much of an invoice in all does.
fn credited(account: &Account, invoice: &Invoice, credited_minor: i64, rates: &LegalRates) -> Result<Changed, Rejection> {
    let Some(terms) = &invoice.charges else {
        let paid_minor = invoice.amount_minor - invoice.credited_minor - invoice.open_minor;
        let owed_minor = invoice.amount_minor - credited_minor;
        let outstanding_minor = owed_minor.saturating_sub(paid_minor).max(0);
        return Ok(Changed {
            applied_minor: invoice.open_minor - outstanding_minor,
            released: release(account, invoice, paid_minor.saturating_sub(owed_minor).max(0)),
            outstanding_minor,
            ..Changed::default()
        });
    };
    // What is left must be a debt that the terms can be applied to: no discount takes off all of it.
    if credited_minor < invoice.amount_minor {
        terms.check(invoice.amount_minor - credited_minor, invoice.due_on).map_err(Rejection::Charges)?;
    }
    let money = money(account, invoice);
    let (before, _) = settle(terms, Asked::of(invoice), &money, rates).map_err(Rejection::Charges)?;
    let (after, released) = settle(terms, Asked { credited_minor, ..Asked::of(invoice) }, &money, rates).map_err(Rejection::Charges)?;
    Ok(Changed {
        applied_minor: before.open_minor - after.open_minor,
        charges_minor: after.charges_paid_minor - before.charges_paid_minor,
        discount_minor: after.discount_minor - before.discount_minor,
        released,
        outstanding_minor: after.outstanding_minor(),
    })
}
