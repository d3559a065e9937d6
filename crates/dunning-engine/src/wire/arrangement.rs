//! Arrangements ↔ protobuf bytes: one domain event, and one published message for each kind and end.

use super::Read;
use super::field::{DecodeFault, currency, date_text, day, id, message, named, optional_day};
use contracts::dunning::v1 as proto;
use kernel::{ArrangementId, InvoiceId, written};
use ladder::{
    Event,
    arrangement::{Arrangement, ArrangementEnd, ArrangementKind, ArrangementTerms},
    terms::Method,
};
use prost::Message;

/// Type name and bytes of an arrangement that was made.
pub(super) fn encode_made(customer_id: String, made: &Arrangement) -> (&'static str, Vec<u8>) {
    let (arrangement_id, day, by, reason) = (made.id.to_string(), made.since.to_string(), made.by.clone(), made.why.clone());
    let (invoice_ids, invoice_id) = ids(&made.invoice_ids);
    let until = date_text(made.until);
    match &made.terms {
        ArrangementTerms::Hold { review_on } => {
            let review_on = date_text(*review_on);
            let m = proto::HoldPlaced { customer_id, arrangement_id, invoice_id, day, by, reason, until, review_on };
            ("HoldPlaced", m.encode_to_vec())
        }
        ArrangementTerms::Dispute { amount_minor } => {
            let amount_minor = amount_minor.unwrap_or_default();
            let m = proto::DisputeOpened { customer_id, arrangement_id, invoice_id, day, by, reason, amount_minor };
            ("DisputeOpened", m.encode_to_vec())
        }
        ArrangementTerms::Promise { amount_minor, currency, promised_on } => {
            let m = proto::PromiseMade {
                customer_id,
                arrangement_id,
                invoice_ids,
                day,
                by,
                reason,
                amount_minor: *amount_minor,
                currency: currency.to_string(),
                promised_on: written::date_text(*promised_on),
                until,
            };
            ("PromiseMade", m.encode_to_vec())
        }
        ArrangementTerms::Announcement { method } => {
            let method = method.name().to_owned();
            let m = proto::PaymentAnnounced { customer_id, arrangement_id, invoice_id, day, by, reason, method, until };
            ("PaymentAnnounced", m.encode_to_vec())
        }
    }
}

/// Type name and bytes of the end of an arrangement; any other event gives an empty message.
pub(super) fn encode_ended(customer_id: String, event: &Event) -> (&'static str, Vec<u8>) {
    let Event::ArrangementEnded { id, kind, invoice_ids, end, day, received_minor, by, why } = event else { return ("", Vec::new()) };
    let (arrangement_id, day, by, reason, received_minor) =
        (id.to_string(), written::date_text(*day), by.clone(), why.clone(), *received_minor);
    let (invoice_ids, invoice_id) = ids(invoice_ids);
    let name = end.slug().to_owned();
    match (kind, end) {
        (ArrangementKind::Hold, _) => {
            let m = proto::HoldEnded { customer_id, arrangement_id, invoice_id, day, by, reason, end: name };
            ("HoldEnded", m.encode_to_vec())
        }
        (ArrangementKind::Dispute, _) => {
            let m = proto::DisputeResolved { customer_id, arrangement_id, invoice_id, day, by, reason, end: name };
            ("DisputeResolved", m.encode_to_vec())
        }
        (ArrangementKind::Promise, ArrangementEnd::Kept) => {
            let m = proto::PromiseKept { customer_id, arrangement_id, invoice_ids, day, by, reason, received_minor };
            ("PromiseKept", m.encode_to_vec())
        }
        (ArrangementKind::Promise, ArrangementEnd::Broken | ArrangementEnd::PartlyKept) => {
            let m = proto::PromiseBroken { customer_id, arrangement_id, invoice_ids, day, by, reason, received_minor, end: name };
            ("PromiseBroken", m.encode_to_vec())
        }
        (ArrangementKind::Promise, _) => {
            let m = proto::PromiseWithdrawn { customer_id, arrangement_id, invoice_ids, day, by, reason, end: name, received_minor };
            ("PromiseWithdrawn", m.encode_to_vec())
        }
        (ArrangementKind::Announcement, _) => {
            let m = proto::AnnouncementEnded { customer_id, arrangement_id, invoice_id, day, by, reason, end: name, received_minor };
            ("AnnouncementEnded", m.encode_to_vec())
        }
    }
}

/// All of them, and the first.
fn ids(invoice_ids: &[InvoiceId]) -> (Vec<String>, String) {
    let all: Vec<String> = invoice_ids.iter().map(ToString::to_string).collect();
    let first = all.first().cloned().unwrap_or_default();
    (all, first)
}

/// The event of a stored message; `None` for a type that is none of an arrangement.
pub(super) fn decode(event_type: &str, payload: &[u8]) -> Result<Option<(String, Event)>, DecodeFault> {
    let read = match event_type {
        "HoldPlaced" => hold(message("HoldPlaced", payload)?)?,
        "DisputeOpened" => dispute(message("DisputeOpened", payload)?)?,
        "PromiseMade" => promise(message("PromiseMade", payload)?)?,
        "PaymentAnnounced" => announcement(message("PaymentAnnounced", payload)?)?,
        "HoldEnded" => {
            let m: proto::HoldEnded = message("HoldEnded", payload)?;
            let signed = Signed { id: &m.arrangement_id, invoice_ids: &[m.invoice_id], day: &m.day, by: m.by, why: m.reason };
            (m.customer_id, ended(ArrangementKind::Hold, (&m.end, 0), signed)?)
        }
        "DisputeResolved" => {
            let m: proto::DisputeResolved = message("DisputeResolved", payload)?;
            let signed = Signed { id: &m.arrangement_id, invoice_ids: &[m.invoice_id], day: &m.day, by: m.by, why: m.reason };
            (m.customer_id, ended(ArrangementKind::Dispute, (&m.end, 0), signed)?)
        }
        "PromiseKept" => {
            let m: proto::PromiseKept = message("PromiseKept", payload)?;
            let signed = Signed { id: &m.arrangement_id, invoice_ids: &m.invoice_ids, day: &m.day, by: m.by, why: m.reason };
            (m.customer_id, ended(ArrangementKind::Promise, (ArrangementEnd::Kept.slug(), m.received_minor), signed)?)
        }
        "PromiseBroken" => {
            let m: proto::PromiseBroken = message("PromiseBroken", payload)?;
            let signed = Signed { id: &m.arrangement_id, invoice_ids: &m.invoice_ids, day: &m.day, by: m.by, why: m.reason };
            (m.customer_id, ended(ArrangementKind::Promise, (&m.end, m.received_minor), signed)?)
        }
        "PromiseWithdrawn" => {
            let m: proto::PromiseWithdrawn = message("PromiseWithdrawn", payload)?;
            let signed = Signed { id: &m.arrangement_id, invoice_ids: &m.invoice_ids, day: &m.day, by: m.by, why: m.reason };
            (m.customer_id, ended(ArrangementKind::Promise, (&m.end, m.received_minor), signed)?)
        }
        "AnnouncementEnded" => {
            let m: proto::AnnouncementEnded = message("AnnouncementEnded", payload)?;
            let signed = Signed { id: &m.arrangement_id, invoice_ids: &[m.invoice_id], day: &m.day, by: m.by, why: m.reason };
            (m.customer_id, ended(ArrangementKind::Announcement, (&m.end, m.received_minor), signed)?)
        }
        _ => return Ok(None),
    };
    Ok(Some(read))
}

/// What all messages of arrangements say.
struct Signed<'a> {
    id: &'a str,
    invoice_ids: &'a [String],
    day: &'a str,
    by: String,
    why: String,
}

fn invoice_ids(texts: &[String]) -> Result<Vec<InvoiceId>, DecodeFault> {
    texts.iter().map(|text| id("invoice_id", text, InvoiceId::new)).collect()
}

fn ended(kind: ArrangementKind, (end, received_minor): (&str, i64), signed: Signed) -> Result<Event, DecodeFault> {
    Ok(Event::ArrangementEnded {
        id: id("arrangement_id", signed.id, ArrangementId::new)?,
        kind,
        invoice_ids: invoice_ids(signed.invoice_ids)?,
        end: named("end", end, ArrangementEnd::from_slug)?,
        day: day("day", signed.day)?,
        received_minor,
        by: signed.by,
        why: signed.why,
    })
}

fn made(terms: ArrangementTerms, until: &str, signed: Signed) -> Result<Event, DecodeFault> {
    let arrangement = Arrangement {
        id: id("arrangement_id", signed.id, ArrangementId::new)?,
        terms,
        invoice_ids: invoice_ids(signed.invoice_ids)?,
        since: day("day", signed.day)?,
        until: optional_day("until", until)?,
        by: signed.by,
        why: signed.why,
    };
    Ok(Event::Arranged { arrangement })
}

fn hold(m: proto::HoldPlaced) -> Read {
    let terms = ArrangementTerms::Hold { review_on: optional_day("review_on", &m.review_on)? };
    let signed = Signed { id: &m.arrangement_id, invoice_ids: &[m.invoice_id], day: &m.day, by: m.by, why: m.reason };
    Ok((m.customer_id, made(terms, &m.until, signed)?))
}

fn dispute(m: proto::DisputeOpened) -> Read {
    let terms = ArrangementTerms::Dispute { amount_minor: (m.amount_minor != 0).then_some(m.amount_minor) };
    let signed = Signed { id: &m.arrangement_id, invoice_ids: &[m.invoice_id], day: &m.day, by: m.by, why: m.reason };
    Ok((m.customer_id, made(terms, "", signed)?))
}

fn promise(m: proto::PromiseMade) -> Read {
    let terms = ArrangementTerms::Promise {
        amount_minor: m.amount_minor,
        currency: currency("currency", &m.currency)?,
        promised_on: day("promised_on", &m.promised_on)?,
    };
    let signed = Signed { id: &m.arrangement_id, invoice_ids: &m.invoice_ids, day: &m.day, by: m.by, why: m.reason };
    Ok((m.customer_id, made(terms, &m.until, signed)?))
}

fn announcement(m: proto::PaymentAnnounced) -> Read {
    let terms = ArrangementTerms::Announcement { method: named("method", &m.method, Method::named)? };
    let signed = Signed { id: &m.arrangement_id, invoice_ids: &[m.invoice_id], day: &m.day, by: m.by, why: m.reason };
    Ok((m.customer_id, made(terms, &m.until, signed)?))
}
