//! Entries at bureaus and protest offices ↔ protobuf bytes.

use super::field::{DecodeFault, currency, date_text, day, id, instant, message, named, optional_day, optional_id, text_of};
use contracts::dunning::v1 as proto;
use kernel::{ContactId, CustomerId, DateTime, InvoiceId, StepId, Utc, written};
use ladder::listing::{Alarm, Answer, Cause, Event, Kind, Obligation, Opened, Order};
use prost::Message;

/// Type name and bytes of an entry's event.
pub fn encode_listing(event: &Event) -> (&'static str, Vec<u8>) {
    match event {
        Event::Requested { opened, at } => ("ListingRequested", requested(opened, *at).encode_to_vec()),
        Event::Sent { order, at } => {
            let m = proto::ListingSent { order: order.slug().to_owned(), at_micros: at.timestamp_micros() };
            ("ListingSent", m.encode_to_vec())
        }
        Event::Lost { order, at } => {
            let m = proto::ListingLost { order: order.slug().to_owned(), at_micros: at.timestamp_micros() };
            ("ListingLost", m.encode_to_vec())
        }
        Event::Answered { answer, reason, reference, by, at } => {
            let (answer, reason, reference, by) = (answer.slug().to_owned(), reason.clone(), reference.clone(), by.clone());
            let m = proto::ListingAnswered { answer, reason, reference, by, at_micros: at.timestamp_micros() };
            ("ListingAnswered", m.encode_to_vec())
        }
        Event::Withdrawn { cause, at } => {
            let m = proto::ListingWithdrawn { cause: cause.slug().to_owned(), at_micros: at.timestamp_micros() };
            ("ListingWithdrawn", m.encode_to_vec())
        }
        Event::RemovalRequired { obligation, at } => ("RemovalRequired", required(obligation, *at).encode_to_vec()),
        Event::RemovalAlarmed { alarm, today, until, at } => {
            let (alarm, today, until) = (alarm.slug().to_owned(), written::date_text(*today), written::date_text(*until));
            ("RemovalAlarmed", proto::RemovalAlarmed { alarm, today, until, at_micros: at.timestamp_micros() }.encode_to_vec())
        }
    }
}

fn requested(opened: &Opened, at: DateTime<Utc>) -> proto::ListingRequested {
    proto::ListingRequested {
        customer_id: opened.customer_id.to_string(),
        invoice_id: opened.invoice_id.to_string(),
        cycle: opened.cycle,
        step_id: opened.step_id.to_string(),
        occurrence: opened.occurrence,
        kind: opened.kind.slug().to_owned(),
        amount_minor: opened.amount_minor,
        currency: opened.currency.to_string(),
        due_on: written::date_text(opened.due_on),
        day: written::date_text(opened.day),
        notice_step_id: text_of(opened.notice_step.as_ref()),
        notice_contact_id: text_of(opened.notice_contact.as_ref()),
        notice_delivered_on: date_text(opened.notice_delivered_on),
        at_micros: at.timestamp_micros(),
    }
}

fn required(obligation: &Obligation, at: DateTime<Utc>) -> proto::RemovalRequired {
    proto::RemovalRequired {
        cause: obligation.cause.slug().to_owned(),
        since: obligation.since.to_string(),
        alarm_on: written::date_text(obligation.alarm_on),
        until: obligation.until.to_string(),
        at_micros: at.timestamp_micros(),
    }
}

/// An entry's event of a stored message; `None` for another type.
///
/// # Errors
/// [`DecodeFault`] for a known type whose payload cannot be read.
pub fn decode_listing(event_type: &str, payload: &[u8]) -> Result<Option<Event>, DecodeFault> {
    let at = |micros| instant("at_micros", micros);
    Ok(Some(match event_type {
        "ListingRequested" => {
            let m: proto::ListingRequested = message("ListingRequested", payload)?;
            Event::Requested { at: at(m.at_micros)?, opened: opened(&m)? }
        }
        "ListingSent" => {
            let m: proto::ListingSent = message("ListingSent", payload)?;
            Event::Sent { order: named("order", &m.order, Order::named)?, at: at(m.at_micros)? }
        }
        "ListingLost" => {
            let m: proto::ListingLost = message("ListingLost", payload)?;
            Event::Lost { order: named("order", &m.order, Order::named)?, at: at(m.at_micros)? }
        }
        "ListingAnswered" => {
            let m: proto::ListingAnswered = message("ListingAnswered", payload)?;
            let answer = named("answer", &m.answer, Answer::named)?;
            Event::Answered { answer, at: at(m.at_micros)?, reason: m.reason, reference: m.reference, by: m.by }
        }
        "ListingWithdrawn" => {
            let m: proto::ListingWithdrawn = message("ListingWithdrawn", payload)?;
            Event::Withdrawn { cause: named("cause", &m.cause, Cause::named)?, at: at(m.at_micros)? }
        }
        "RemovalRequired" => {
            let m: proto::RemovalRequired = message("RemovalRequired", payload)?;
            let cause = named("cause", &m.cause, Cause::named)?;
            let (since, alarm_on, until) = (day("since", &m.since)?, day("alarm_on", &m.alarm_on)?, day("until", &m.until)?);
            Event::RemovalRequired { obligation: Obligation { cause, since, alarm_on, until }, at: at(m.at_micros)? }
        }
        "RemovalAlarmed" => {
            let m: proto::RemovalAlarmed = message("RemovalAlarmed", payload)?;
            let alarm = named("alarm", &m.alarm, Alarm::named)?;
            Event::RemovalAlarmed { alarm, today: day("today", &m.today)?, until: day("until", &m.until)?, at: at(m.at_micros)? }
        }
        _ => return Ok(None),
    }))
}

fn opened(m: &proto::ListingRequested) -> Result<Opened, DecodeFault> {
    Ok(Opened {
        customer_id: id("customer_id", &m.customer_id, CustomerId::new)?,
        invoice_id: id("invoice_id", &m.invoice_id, InvoiceId::new)?,
        cycle: m.cycle,
        step_id: id("step_id", &m.step_id, StepId::new)?,
        occurrence: m.occurrence,
        kind: named("kind", &m.kind, Kind::named)?,
        amount_minor: m.amount_minor,
        currency: currency("currency", &m.currency)?,
        due_on: day("due_on", &m.due_on)?,
        day: day("day", &m.day)?,
        notice_step: optional_id("notice_step_id", &m.notice_step_id, StepId::new)?,
        notice_contact: optional_id("notice_contact_id", &m.notice_contact_id, ContactId::new)?,
        notice_delivered_on: optional_day("notice_delivered_on", &m.notice_delivered_on)?,
    })
}
