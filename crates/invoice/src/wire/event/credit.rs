//! Credit notes in events.

use super::{DecodeFault, Fact, currency, day, fact, invoice_id, message, optional_day, optional_day_out, releases_in, releases_out};
use contracts::invoice::v1 as proto;
use kernel::{CreditNoteId, InvoiceId, written};
use receivable::{CreditNoteCancelled, CreditNoteIssued, Event};

pub(super) fn issued_out(customer_id: String, e: &CreditNoteIssued) -> proto::CreditNoteIssued {
    proto::CreditNoteIssued {
        customer_id,
        credit_note_id: e.credit_note_id.to_string(),
        invoice_id: invoice_out(e.invoice_id.as_ref()),
        amount_minor: e.amount_minor,
        currency: e.currency.to_string(),
        noted_on: written::date_text(e.noted_on),
        reason: e.reason.clone(),
        applied_minor: e.applied_minor,
        charges_minor: e.charges_minor,
        discount_minor: e.discount_minor,
        released: releases_out(&e.released),
        outstanding_minor: e.outstanding_minor,
    }
}

pub(super) fn cancelled_out(customer_id: String, e: &CreditNoteCancelled) -> proto::CreditNoteCancelled {
    proto::CreditNoteCancelled {
        customer_id,
        credit_note_id: e.credit_note_id.to_string(),
        invoice_id: invoice_out(e.invoice_id.as_ref()),
        amount_minor: e.amount_minor,
        currency: e.currency.to_string(),
        cancelled_on: written::date_text(e.cancelled_on),
        reason: e.reason.clone(),
        applied_minor: e.applied_minor,
        charges_minor: e.charges_minor,
        discount_minor: e.discount_minor,
        released: releases_out(&e.released),
        outstanding_minor: e.outstanding_minor,
        due_on: optional_day_out(e.due_on),
    }
}

pub(super) fn issued_in(payload: &[u8]) -> Result<Fact, DecodeFault> {
    let m: proto::CreditNoteIssued = message("CreditNoteIssued", payload)?;
    let event = CreditNoteIssued {
        credit_note_id: note_id(&m.credit_note_id)?,
        invoice_id: invoice_in(&m.invoice_id)?,
        amount_minor: m.amount_minor,
        currency: currency(&m.currency)?,
        reason: m.reason,
        applied_minor: m.applied_minor,
        charges_minor: m.charges_minor,
        discount_minor: m.discount_minor,
        released: releases_in(m.released)?,
        outstanding_minor: m.outstanding_minor,
        noted_on: day("noted_on", &m.noted_on)?,
    };
    fact(&m.customer_id, Event::CreditNoteIssued(event))
}

pub(super) fn cancelled_in(payload: &[u8]) -> Result<Fact, DecodeFault> {
    let m: proto::CreditNoteCancelled = message("CreditNoteCancelled", payload)?;
    let event = CreditNoteCancelled {
        credit_note_id: note_id(&m.credit_note_id)?,
        invoice_id: invoice_in(&m.invoice_id)?,
        amount_minor: m.amount_minor,
        currency: currency(&m.currency)?,
        reason: m.reason,
        applied_minor: m.applied_minor,
        charges_minor: m.charges_minor,
        discount_minor: m.discount_minor,
        released: releases_in(m.released)?,
        outstanding_minor: m.outstanding_minor,
        due_on: optional_day("due_on", &m.due_on)?,
        cancelled_on: day("cancelled_on", &m.cancelled_on)?,
    };
    fact(&m.customer_id, Event::CreditNoteCancelled(event))
}

fn invoice_out(id: Option<&InvoiceId>) -> String {
    id.map(ToString::to_string).unwrap_or_default()
}

fn invoice_in(text: &str) -> Result<Option<InvoiceId>, DecodeFault> {
    if text.is_empty() { Ok(None) } else { invoice_id(text).map(Some) }
}

fn note_id(text: &str) -> Result<CreditNoteId, DecodeFault> {
    CreditNoteId::new(text).map_err(|_| DecodeFault::Field("credit_note_id"))
}
