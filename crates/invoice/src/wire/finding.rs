//! Findings: protobuf bytes ↔ domain facts, and rows of the list.

use super::event::{DecodeFault, currency, day, invoice_id, message, payment_id};
use crate::finding::FindingFact;
use contracts::invoice::v1 as proto;
use host::Refusal;
use kernel::written;
use prost::Message;
use receivable::finding::{FindingEvent, FindingRejection, Found};

const FOUND: &str = "BankFindingNoted";
const DISMISSED: &str = "BankFindingDismissed";

/// Type name and bytes of a fact.
pub fn encode(fact: &FindingFact) -> (&'static str, Vec<u8>) {
    let finding_id = fact.finding_id.clone();
    match &fact.event {
        FindingEvent::Found(found) => (FOUND, found_out(finding_id, found).encode_to_vec()),
        FindingEvent::Dismissed { reason } => {
            (DISMISSED, proto::BankFindingDismissed { finding_id, reason: reason.clone() }.encode_to_vec())
        }
    }
}

fn found_out(finding_id: String, found: &Found) -> proto::BankFindingNoted {
    proto::BankFindingNoted {
        finding_id,
        kind: found.kind.clone(),
        bank: found.bank.clone(),
        agreement: found.agreement.clone(),
        nosso_numero: found.nosso_numero.clone(),
        movement: found.movement.clone(),
        reference: found.reference.clone(),
        event_on: found.event_on.map(written::date_text).unwrap_or_default(),
        amount_minor: found.amount_minor,
        currency: found.currency.to_string(),
        invoice_id: found.invoice_id.as_ref().map(ToString::to_string).unwrap_or_default(),
        payment_id: found.payment_id.as_ref().map(ToString::to_string).unwrap_or_default(),
        counted_payment_id: found.counted_payment_id.as_ref().map(ToString::to_string).unwrap_or_default(),
        line: found.line,
    }
}

/// The fact of a stored event; `None` for another type.
pub fn decode(event_type: &str, payload: &[u8]) -> Result<Option<FindingFact>, DecodeFault> {
    let (finding_id, event) = match event_type {
        FOUND => {
            let m: proto::BankFindingNoted = message(FOUND, payload)?;
            (m.finding_id.clone(), FindingEvent::Found(found_in(m)?))
        }
        DISMISSED => {
            let m: proto::BankFindingDismissed = message(DISMISSED, payload)?;
            (m.finding_id, FindingEvent::Dismissed { reason: m.reason })
        }
        _ => return Ok(None),
    };
    Ok(Some(FindingFact { finding_id, event }))
}

fn found_in(m: proto::BankFindingNoted) -> Result<Found, DecodeFault> {
    let payment = |text: &str| if text.is_empty() { Ok(None) } else { payment_id(text).map(Some) };
    Ok(Found {
        event_on: if m.event_on.is_empty() { None } else { Some(day("event_on", &m.event_on)?) },
        amount_minor: m.amount_minor,
        currency: currency(&m.currency)?,
        invoice_id: if m.invoice_id.is_empty() { None } else { Some(invoice_id(&m.invoice_id)?) },
        payment_id: payment(&m.payment_id)?,
        counted_payment_id: payment(&m.counted_payment_id)?,
        line: m.line,
        kind: m.kind,
        bank: m.bank,
        agreement: m.agreement,
        nosso_numero: m.nosso_numero,
        movement: m.movement,
        reference: m.reference,
    })
}

/// The refusal of a command on a finding.
pub fn refused(rejection: FindingRejection) -> Refusal {
    let text = rejection.to_string();
    match rejection {
        FindingRejection::Unknown => Refusal::not_found("finding_id", rejection.slug(), text),
        FindingRejection::Text(field) => Refusal::invalid(field, rejection.slug(), text),
        FindingRejection::Dismissed => Refusal::precondition("finding_id", rejection.slug(), text),
    }
}

/// The filter of a list, by the names of the view. Errors: INVALID_ARGUMENT `unknown_status`.
pub fn status(asked: i32) -> Result<&'static str, Refusal> {
    let unknown = |_| Refusal::invalid("status", "unknown_status", "should be open or dismissed");
    Ok(match proto::FindingStatus::try_from(asked).map_err(unknown)? {
        proto::FindingStatus::Unspecified | proto::FindingStatus::Open => "open",
        proto::FindingStatus::Dismissed => "dismissed",
    })
}

/// The status of a row of the view.
pub fn status_of(name: &str) -> proto::FindingStatus {
    match name {
        "open" => proto::FindingStatus::Open,
        "dismissed" => proto::FindingStatus::Dismissed,
        _ => proto::FindingStatus::Unspecified,
    }
}
