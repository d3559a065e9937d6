//! Topic `regua.invoice.v1` → dated entries from which every figure of every day is a sum.
//!
//! An event is one entry, so pages of any size and order between payers give the same rows.

use super::{CUSTOMER_ID, INVOICE_ID, TENANT, day_number, version};
use crate::wire::{date, payload};
use chrono::NaiveDate;
use contracts::invoice::v1 as proto;
use eventlog::{
    bus::Message,
    projection::{ProjectionError, TableDef},
};
use sql::{Column, Kind, Value};

pub const ENTRY: TableDef = TableDef {
    name: "ledger_entry",
    columns: &[
        TENANT,
        CUSTOMER_ID,
        // Version of the account's stream: one entry an event.
        Column::new("version", Kind::Int),
        INVOICE_ID,
        Column::new("effective_on", Kind::Date),
        Column::new("effective_day", Kind::Int),
        Column::new("recorded_at", Kind::Instant),
        Column::new("kind", Kind::Text),
        Column::new("currency", Kind::Text),
        // What the receivable owes more, less where negative.
        Column::new("amount_minor", Kind::Int),
        // The terms from this entry on, where it states them: the receivable's amount and due date.
        Column::optional("stated_minor", Kind::Int),
        Column::optional("due_on", Kind::Date),
        Column::optional("due_day", Kind::Int),
    ],
    key: &["tenant", "customer_id", "version"],
    indexes: &[&["tenant", "invoice_id", "effective_day"]],
};

/// What one event does to one receivable.
pub struct Entry {
    pub customer_id: String,
    pub invoice_id: String,
    pub effective_on: NaiveDate,
    pub kind: &'static str,
    pub currency: String,
    pub amount_minor: i64,
    /// Amount and due date, where the event states them.
    pub terms: Option<(i64, NaiveDate)>,
}

/// What an event does to a receivable, if anything. Errors: a payload or a date that cannot be read.
pub fn entry(message: &Message) -> Result<Option<Entry>, ProjectionError> {
    let entry = match message.event.event_type.as_str() {
        "InvoiceIssued" => issued(message)?,
        "InvoiceAmended" => amended(message)?,
        "InvoiceCancelled" => cancelled(message)?,
        "InvoiceRenegotiated" => renegotiated(message)?,
        "InvoiceReopened" => reopened(message)?,
        "CreditNoteIssued" => return credit_note(message),
        "CreditNoteCancelled" => return credit_note_cancelled(message),
        "PaymentReceived" => received(message)?,
        "PaymentReversed" => reversed(message)?,
        _ => return Ok(None),
    };
    Ok(Some(entry))
}

fn issued(message: &Message) -> Result<Entry, ProjectionError> {
    let m: proto::InvoiceIssued = payload(message)?;
    Ok(Entry {
        effective_on: date(message, "issued_on", &m.issued_on)?,
        terms: Some((m.amount_minor, date(message, "due_on", &m.due_on)?)),
        kind: "issued",
        amount_minor: m.amount_minor,
        customer_id: m.customer_id,
        invoice_id: m.invoice_id,
        currency: m.currency,
    })
}

fn amended(message: &Message) -> Result<Entry, ProjectionError> {
    let m: proto::InvoiceAmended = payload(message)?;
    let released: i64 = m.released.iter().map(|release| release.amount_minor).sum();
    Ok(Entry {
        effective_on: date(message, "amended_on", &m.amended_on)?,
        terms: Some((m.amount_minor, date(message, "due_on", &m.due_on)?)),
        kind: "amended",
        // Money that pays more of the charges pays less of the principal; a discount lowers it.
        amount_minor: m.amount_minor - m.previous_amount_minor + released + m.charges_minor - m.discount_minor,
        customer_id: m.customer_id,
        invoice_id: m.invoice_id,
        currency: m.currency,
    })
}

fn cancelled(message: &Message) -> Result<Entry, ProjectionError> {
    let m: proto::InvoiceCancelled = payload(message)?;
    Ok(Entry {
        effective_on: date(message, "cancelled_on", &m.cancelled_on)?,
        terms: None,
        kind: "cancelled",
        amount_minor: -m.previous_outstanding_minor,
        customer_id: m.customer_id,
        invoice_id: m.invoice_id,
        currency: m.currency,
    })
}

/// From the day of an agreement on its instalments are owed, each by its own due date, and the debt is not owed twice.
fn renegotiated(message: &Message) -> Result<Entry, ProjectionError> {
    let m: proto::InvoiceRenegotiated = payload(message)?;
    Ok(Entry {
        effective_on: date(message, "renegotiated_on", &m.renegotiated_on)?,
        terms: None,
        kind: "renegotiated",
        amount_minor: -m.principal_minor,
        customer_id: m.customer_id,
        invoice_id: m.invoice_id,
        currency: m.currency,
    })
}

fn reopened(message: &Message) -> Result<Entry, ProjectionError> {
    let m: proto::InvoiceReopened = payload(message)?;
    let released: i64 = m.released.iter().map(|release| release.amount_minor).sum();
    Ok(Entry {
        effective_on: date(message, "reopened_on", &m.reopened_on)?,
        terms: None,
        kind: "reopened",
        amount_minor: m.moved_minor + m.charges_minor - m.discount_minor + released,
        customer_id: m.customer_id,
        invoice_id: m.invoice_id,
        currency: m.currency,
    })
}

/// What is the payer's own, and no receivable's, is no entry.
fn credit_note(message: &Message) -> Result<Option<Entry>, ProjectionError> {
    let m: proto::CreditNoteIssued = payload(message)?;
    let entry = Entry {
        effective_on: date(message, "noted_on", &m.noted_on)?,
        terms: None,
        kind: "credit_note",
        amount_minor: -m.applied_minor,
        customer_id: m.customer_id,
        invoice_id: m.invoice_id,
        currency: m.currency,
    };
    Ok((!entry.invoice_id.is_empty()).then_some(entry))
}

fn credit_note_cancelled(message: &Message) -> Result<Option<Entry>, ProjectionError> {
    let m: proto::CreditNoteCancelled = payload(message)?;
    let entry = Entry {
        effective_on: date(message, "cancelled_on", &m.cancelled_on)?,
        terms: None,
        kind: "credit_note_cancelled",
        amount_minor: m.applied_minor,
        customer_id: m.customer_id,
        invoice_id: m.invoice_id,
        currency: m.currency,
    };
    Ok((!entry.invoice_id.is_empty()).then_some(entry))
}

fn received(message: &Message) -> Result<Entry, ProjectionError> {
    let m: proto::PaymentReceived = payload(message)?;
    // A part of a payment on an instalment is here from the day on which the agreement was broken.
    let (field, counts_on) = if m.part_of.is_empty() { ("paid_on", &m.paid_on) } else { ("moved_on", &m.moved_on) };
    Ok(Entry {
        effective_on: date(message, field, counts_on)?,
        terms: None,
        kind: if m.part_of.is_empty() { "payment" } else { "payment_part" },
        amount_minor: -m.applied_minor,
        customer_id: m.customer_id,
        invoice_id: m.invoice_id,
        currency: m.currency,
    })
}

fn reversed(message: &Message) -> Result<Entry, ProjectionError> {
    let m: proto::PaymentReversed = payload(message)?;
    Ok(Entry {
        effective_on: date(message, "reversed_on", &m.reversed_on)?,
        terms: None,
        kind: if m.part_of.is_empty() { "reversal" } else { "payment_part" },
        amount_minor: m.applied_minor,
        customer_id: m.customer_id,
        invoice_id: m.invoice_id,
        currency: m.currency,
    })
}

/// As a row of [`ENTRY`].
pub fn entry_row(message: &Message, entry: &Entry) -> Vec<Value> {
    let (stated_minor, due_on) = entry.terms.unzip();
    vec![
        message.event.tenant.as_str().into(),
        entry.customer_id.as_str().into(),
        version(message),
        entry.invoice_id.as_str().into(),
        entry.effective_on.into(),
        day_number(entry.effective_on).into(),
        message.event.recorded_at.into(),
        entry.kind.into(),
        entry.currency.as_str().into(),
        entry.amount_minor.into(),
        stated_minor.into(),
        due_on.into(),
        due_on.map(day_number).into(),
    ]
}
