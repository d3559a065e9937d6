//! Agreements in events.

use super::{DecodeFault, Fact, currency, day, fact, invoice_id, message, optional_day, payment_id, releases_in, releases_out};
use contracts::invoice::v1 as proto;
use kernel::{AgreementId, InvoiceId, written};
use prost::Message;
use receivable::{
    AgreementBroken, AgreementMade, AgreementMoved, BreakCause, Event, InstalmentOf, InvoiceRenegotiated, InvoiceReopened, Original, PartOf,
};

pub(super) fn made(customer_id: String, e: &AgreementMade) -> (&'static str, Vec<u8>) {
    ("AgreementMade", made_out(customer_id, e).encode_to_vec())
}

pub(super) fn renegotiated(customer_id: String, e: &InvoiceRenegotiated) -> (&'static str, Vec<u8>) {
    ("InvoiceRenegotiated", renegotiated_out(customer_id, e).encode_to_vec())
}

pub(super) fn broken(customer_id: String, e: &AgreementBroken) -> (&'static str, Vec<u8>) {
    ("AgreementBroken", broken_out(customer_id, e).encode_to_vec())
}

pub(super) fn reopened(customer_id: String, e: &InvoiceReopened) -> (&'static str, Vec<u8>) {
    ("InvoiceReopened", reopened_out(customer_id, e).encode_to_vec())
}

pub(super) fn completed(customer_id: String, e: &AgreementMoved) -> (&'static str, Vec<u8>) {
    let (agreement_id, completed_on) = (e.agreement_id.to_string(), e.on.to_string());
    ("AgreementCompleted", proto::AgreementCompleted { customer_id, agreement_id, completed_on }.encode_to_vec())
}

pub(super) fn resumed(customer_id: String, e: &AgreementMoved) -> (&'static str, Vec<u8>) {
    let (agreement_id, resumed_on) = (e.agreement_id.to_string(), e.on.to_string());
    ("AgreementResumed", proto::AgreementResumed { customer_id, agreement_id, resumed_on }.encode_to_vec())
}

fn made_out(customer_id: String, e: &AgreementMade) -> proto::AgreementMade {
    let ids = |ids: &[InvoiceId]| ids.iter().map(ToString::to_string).collect();
    proto::AgreementMade {
        customer_id,
        agreement_id: e.agreement_id.to_string(),
        currency: e.currency.to_string(),
        owed_minor: e.owed_minor,
        total_minor: e.total_minor,
        breach_after_days: e.breach_after_days,
        invoice_ids: ids(&e.originals),
        instalment_ids: ids(&e.instalments),
        made_on: written::date_text(e.made_on),
    }
}

fn renegotiated_out(customer_id: String, e: &InvoiceRenegotiated) -> proto::InvoiceRenegotiated {
    proto::InvoiceRenegotiated {
        customer_id,
        invoice_id: e.original.invoice_id.to_string(),
        agreement_id: e.agreement_id.to_string(),
        currency: e.currency.to_string(),
        principal_minor: e.original.principal_minor,
        charges_minor: e.original.charges_minor,
        discount_minor: e.original.discount_minor,
        charges_paid_minor: e.original.charges_paid_minor,
        discount_taken_minor: e.original.discount_taken_minor,
        renegotiated_on: written::date_text(e.renegotiated_on),
    }
}

fn broken_out(customer_id: String, e: &AgreementBroken) -> proto::AgreementBroken {
    proto::AgreementBroken {
        customer_id,
        agreement_id: e.agreement_id.to_string(),
        cause: e.cause.slug().to_owned(),
        reason: e.reason.clone(),
        paid_minor: e.paid_minor,
        currency: e.currency.to_string(),
        broken_on: written::date_text(e.broken_on),
    }
}

fn reopened_out(customer_id: String, e: &InvoiceReopened) -> proto::InvoiceReopened {
    proto::InvoiceReopened {
        customer_id,
        invoice_id: e.invoice_id.to_string(),
        agreement_id: e.agreement_id.to_string(),
        currency: e.currency.to_string(),
        moved_minor: e.moved_minor,
        charges_minor: e.charges_minor,
        discount_minor: e.discount_minor,
        released: releases_out(&e.released),
        outstanding_minor: e.outstanding_minor,
        due_on: written::date_text(e.due_on),
        reopened_on: written::date_text(e.reopened_on),
    }
}

/// The fact of a stored event; `None` for a type of another family.
pub(super) fn decode(event_type: &str, payload: &[u8]) -> Result<Option<Fact>, DecodeFault> {
    let fact = match event_type {
        "AgreementMade" => made_in(message("AgreementMade", payload)?)?,
        "InvoiceRenegotiated" => renegotiated_in(message("InvoiceRenegotiated", payload)?)?,
        "AgreementBroken" => broken_in(message("AgreementBroken", payload)?)?,
        "InvoiceReopened" => reopened_in(message("InvoiceReopened", payload)?)?,
        "AgreementCompleted" => {
            let m: proto::AgreementCompleted = message("AgreementCompleted", payload)?;
            let moved = AgreementMoved { agreement_id: agreement_id(&m.agreement_id)?, on: day("completed_on", &m.completed_on)? };
            fact(&m.customer_id, Event::AgreementCompleted(moved))?
        }
        "AgreementResumed" => {
            let m: proto::AgreementResumed = message("AgreementResumed", payload)?;
            let moved = AgreementMoved { agreement_id: agreement_id(&m.agreement_id)?, on: day("resumed_on", &m.resumed_on)? };
            fact(&m.customer_id, Event::AgreementResumed(moved))?
        }
        _ => return Ok(None),
    };
    Ok(Some(fact))
}

fn agreement_id(text: &str) -> Result<AgreementId, DecodeFault> {
    AgreementId::new(text).map_err(|_| DecodeFault::Field("agreement_id"))
}

fn invoice_ids(texts: &[String]) -> Result<Vec<InvoiceId>, DecodeFault> {
    texts.iter().map(|text| invoice_id(text)).collect()
}

fn made_in(m: proto::AgreementMade) -> Result<Fact, DecodeFault> {
    let event = AgreementMade {
        agreement_id: agreement_id(&m.agreement_id)?,
        currency: currency(&m.currency)?,
        owed_minor: m.owed_minor,
        total_minor: m.total_minor,
        breach_after_days: m.breach_after_days,
        originals: invoice_ids(&m.invoice_ids)?,
        instalments: invoice_ids(&m.instalment_ids)?,
        made_on: day("made_on", &m.made_on)?,
    };
    fact(&m.customer_id, Event::AgreementMade(event))
}

fn renegotiated_in(m: proto::InvoiceRenegotiated) -> Result<Fact, DecodeFault> {
    let original = Original {
        invoice_id: invoice_id(&m.invoice_id)?,
        principal_minor: m.principal_minor,
        charges_minor: m.charges_minor,
        discount_minor: m.discount_minor,
        charges_paid_minor: m.charges_paid_minor,
        discount_taken_minor: m.discount_taken_minor,
    };
    let event = InvoiceRenegotiated {
        agreement_id: agreement_id(&m.agreement_id)?,
        currency: currency(&m.currency)?,
        original,
        renegotiated_on: day("renegotiated_on", &m.renegotiated_on)?,
    };
    fact(&m.customer_id, Event::InvoiceRenegotiated(event))
}

fn broken_in(m: proto::AgreementBroken) -> Result<Fact, DecodeFault> {
    let event = AgreementBroken {
        agreement_id: agreement_id(&m.agreement_id)?,
        cause: BreakCause::named(&m.cause).ok_or(DecodeFault::Field("cause"))?,
        reason: m.reason,
        paid_minor: m.paid_minor,
        currency: currency(&m.currency)?,
        broken_on: day("broken_on", &m.broken_on)?,
    };
    fact(&m.customer_id, Event::AgreementBroken(event))
}

fn reopened_in(m: proto::InvoiceReopened) -> Result<Fact, DecodeFault> {
    let event = InvoiceReopened {
        agreement_id: agreement_id(&m.agreement_id)?,
        invoice_id: invoice_id(&m.invoice_id)?,
        currency: currency(&m.currency)?,
        moved_minor: m.moved_minor,
        charges_minor: m.charges_minor,
        discount_minor: m.discount_minor,
        released: releases_in(m.released)?,
        outstanding_minor: m.outstanding_minor,
        due_on: day("due_on", &m.due_on)?,
        reopened_on: day("reopened_on", &m.reopened_on)?,
    };
    fact(&m.customer_id, Event::InvoiceReopened(event))
}

/// Which instalment an issued receivable is.
pub(super) fn instalment_in(m: &proto::InvoiceIssued) -> Result<Option<InstalmentOf>, DecodeFault> {
    if m.agreement_id.is_empty() {
        return Ok(None);
    }
    Ok(Some(InstalmentOf { agreement_id: agreement_id(&m.agreement_id)?, number: m.instalment, count: m.instalments }))
}

/// Of which payment a received one is a part.
pub(super) fn part_in(m: &proto::PaymentReceived) -> Result<Option<PartOf>, DecodeFault> {
    if m.part_of.is_empty() {
        return Ok(None);
    }
    let moved_on = optional_day("moved_on", &m.moved_on)?.ok_or(DecodeFault::Field("moved_on"))?;
    Ok(Some(PartOf { payment_id: payment_id(&m.part_of)?, moved_on }))
}
