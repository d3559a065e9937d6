//! Unapplied payments: protobuf bytes ↔ domain facts, and rows of the list.

use super::event::{DecodeFault, currency, day, invoice_id, message, payment_id};
use crate::unapplied::UnappliedFact;
use contracts::invoice::v1 as proto;
use host::Refusal;
use kernel::{CustomerId, written};
use prost::Message;
use receivable::Source;
use receivable::unapplied::{Assignment, Receipt, UnappliedEvent, UnappliedRejection};

const RECEIVED: &str = "UnappliedPaymentReceived";
const ASSIGNED: &str = "UnappliedPaymentAssigned";
const APPLIED: &str = "UnappliedPaymentApplied";
const RELEASED: &str = "UnappliedPaymentReleased";
const DISMISSED: &str = "UnappliedPaymentDismissed";
const RETURNED: &str = "UnappliedPaymentReturned";

/// Type name and bytes of a fact.
pub fn encode(fact: &UnappliedFact) -> (&'static str, Vec<u8>) {
    let payment_id = fact.payment_id.clone();
    match &fact.event {
        UnappliedEvent::Received(receipt) => (RECEIVED, received_out(receipt).encode_to_vec()),
        UnappliedEvent::Assigned(to) => {
            let (invoice_id, customer_id) = (to.invoice_id.to_string(), to.customer_id.to_string());
            let message = proto::UnappliedPaymentAssigned { payment_id, invoice_id, customer_id, amount_minor: to.amount_minor };
            (ASSIGNED, message.encode_to_vec())
        }
        UnappliedEvent::Applied { invoice_id, customer_id } => {
            let (invoice_id, customer_id) = (invoice_id.to_string(), customer_id.to_string());
            (APPLIED, proto::UnappliedPaymentApplied { payment_id, invoice_id, customer_id }.encode_to_vec())
        }
        UnappliedEvent::Released { invoice_id, reason } => {
            let (invoice_id, reason) = (invoice_id.to_string(), reason.clone());
            (RELEASED, proto::UnappliedPaymentReleased { payment_id, invoice_id, reason }.encode_to_vec())
        }
        UnappliedEvent::Dismissed { reason } => {
            (DISMISSED, proto::UnappliedPaymentDismissed { payment_id, reason: reason.clone() }.encode_to_vec())
        }
        UnappliedEvent::Returned { return_id, amount_minor, returned_on } => {
            let (return_id, returned_on) = (return_id.clone(), written::date_text(*returned_on));
            let message = proto::UnappliedPaymentReturned { payment_id, return_id, amount_minor: *amount_minor, returned_on };
            (RETURNED, message.encode_to_vec())
        }
    }
}

fn received_out(receipt: &Receipt) -> proto::UnappliedPaymentReceived {
    proto::UnappliedPaymentReceived {
        payment_id: receipt.payment_id.to_string(),
        source: receipt.source.slug().to_owned(),
        amount_minor: receipt.amount_minor,
        currency: receipt.currency.to_string(),
        paid_on: written::date_text(receipt.paid_on),
        reference: receipt.reference.clone(),
        account: receipt.account.clone(),
        end_to_end_id: receipt.end_to_end_id.clone(),
        reason: receipt.reason.clone(),
        suggested_invoice_id: receipt.suggested.as_ref().map(ToString::to_string).unwrap_or_default(),
        fee_minor: receipt.fee_minor,
    }
}

/// The fact of a stored event; `None` for another type.
pub fn decode(event_type: &str, payload: &[u8]) -> Result<Option<UnappliedFact>, DecodeFault> {
    let (payment_id, event) = match event_type {
        RECEIVED => received_in(message(RECEIVED, payload)?)?,
        ASSIGNED => assigned_in(message(ASSIGNED, payload)?)?,
        APPLIED => {
            let m: proto::UnappliedPaymentApplied = message(APPLIED, payload)?;
            let event = UnappliedEvent::Applied { invoice_id: invoice_id(&m.invoice_id)?, customer_id: customer_id(&m.customer_id)? };
            (m.payment_id, event)
        }
        RELEASED => {
            let m: proto::UnappliedPaymentReleased = message(RELEASED, payload)?;
            (m.payment_id, UnappliedEvent::Released { invoice_id: invoice_id(&m.invoice_id)?, reason: m.reason })
        }
        DISMISSED => {
            let m: proto::UnappliedPaymentDismissed = message(DISMISSED, payload)?;
            (m.payment_id, UnappliedEvent::Dismissed { reason: m.reason })
        }
        RETURNED => {
            let m: proto::UnappliedPaymentReturned = message(RETURNED, payload)?;
            let returned_on = day("returned_on", &m.returned_on)?;
            (m.payment_id, UnappliedEvent::Returned { return_id: m.return_id, amount_minor: m.amount_minor, returned_on })
        }
        _ => return Ok(None),
    };
    Ok(Some(UnappliedFact { payment_id, event }))
}

fn received_in(m: proto::UnappliedPaymentReceived) -> Result<(String, UnappliedEvent), DecodeFault> {
    let suggested = if m.suggested_invoice_id.is_empty() { None } else { Some(invoice_id(&m.suggested_invoice_id)?) };
    let receipt = Receipt {
        payment_id: payment_id(&m.payment_id)?,
        source: Source::named(&m.source).ok_or(DecodeFault::Field("source"))?,
        amount_minor: m.amount_minor,
        currency: currency(&m.currency)?,
        paid_on: day("paid_on", &m.paid_on)?,
        reference: m.reference,
        account: m.account,
        end_to_end_id: m.end_to_end_id,
        reason: m.reason,
        suggested,
        fee_minor: m.fee_minor,
    };
    Ok((m.payment_id, UnappliedEvent::Received(receipt)))
}

fn assigned_in(m: proto::UnappliedPaymentAssigned) -> Result<(String, UnappliedEvent), DecodeFault> {
    let assignment =
        Assignment { invoice_id: invoice_id(&m.invoice_id)?, customer_id: customer_id(&m.customer_id)?, amount_minor: m.amount_minor };
    Ok((m.payment_id, UnappliedEvent::Assigned(assignment)))
}

fn customer_id(text: &str) -> Result<CustomerId, DecodeFault> {
    CustomerId::new(text).map_err(|_| DecodeFault::Field("customer_id"))
}

/// The refusal of a command on an unapplied payment.
pub fn refused(rejection: UnappliedRejection) -> Refusal {
    let text = rejection.to_string();
    match rejection {
        UnappliedRejection::Unknown => Refusal::not_found("payment_id", rejection.slug(), text),
        UnappliedRejection::Text(field) => Refusal::invalid(field, rejection.slug(), text),
        UnappliedRejection::Amount => Refusal::invalid("amount_minor", rejection.slug(), text),
        UnappliedRejection::Exists
        | UnappliedRejection::AlreadyApplied
        | UnappliedRejection::WentBack
        | UnappliedRejection::ReturnRefused => Refusal::precondition("payment_id", rejection.slug(), text),
    }
}

/// The filter of a list, by the names of the view. Errors: INVALID_ARGUMENT `unknown_status`.
pub fn status(asked: i32) -> Result<&'static str, Refusal> {
    let unknown = |_| Refusal::invalid("status", "unknown_status", "should be waiting, assigned, applied, dismissed or returned");
    Ok(match proto::UnappliedStatus::try_from(asked).map_err(unknown)? {
        proto::UnappliedStatus::Unspecified | proto::UnappliedStatus::Waiting => "waiting",
        proto::UnappliedStatus::Assigned => "assigned",
        proto::UnappliedStatus::Applied => "applied",
        proto::UnappliedStatus::Dismissed => "dismissed",
        proto::UnappliedStatus::Returned => "returned",
    })
}

/// The status of a row of the view.
pub fn status_of(name: &str) -> proto::UnappliedStatus {
    match name {
        "waiting" => proto::UnappliedStatus::Waiting,
        "assigned" => proto::UnappliedStatus::Assigned,
        "applied" => proto::UnappliedStatus::Applied,
        "dismissed" => proto::UnappliedStatus::Dismissed,
        "returned" => proto::UnappliedStatus::Returned,
        _ => proto::UnappliedStatus::Unspecified,
    }
}
