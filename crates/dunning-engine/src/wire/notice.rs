//! Thanks and corrections ↔ protobuf bytes.

use super::field::{DecodeFault, day, id, message, named, optional_id, text_of};
use super::{Read, decode, encode};
use contracts::dunning::v1 as proto;
use kernel::{ContactId, InvoiceId, written};
use ladder::{Event, Reason, ladder::Closing, notices::NoticeKind, track::FIRST_OCCURRENCE};
use prost::Message;

/// Type name and bytes of an event about a notice; of any other event those of the empty message.
pub(super) fn encode_notice(customer_id: String, event: &Event) -> (&'static str, Vec<u8>) {
    if let Event::NoticePlanned { invoice_id, cycle, kind, day, last_day } = event {
        let (invoice_id, kind) = (invoice_id.to_string(), kind.name().to_owned());
        let (day, last_day) = (written::date_text(*day), written::date_text(*last_day));
        let m = proto::NoticePlanned { customer_id, invoice_id, cycle: *cycle, kind, day, last_day };
        ("NoticePlanned", m.encode_to_vec())
    } else if let Event::NoticeDue { kind, day, items, rules, calendar, zone } = event {
        let reminder = encode::reminder_of(customer_id, &written::date_text(*day), items, (rules, *calendar, *zone));
        ("NoticeDue", proto::NoticeDue { reminder: Some(reminder), kind: kind.name().to_owned() }.encode_to_vec())
    } else if let Event::NoticeDeferred { invoice_id, cycle, kind, day, contact_id, reason } = event {
        let (invoice_id, kind, day) = (invoice_id.to_string(), kind.name().to_owned(), written::date_text(*day));
        let (contact_id, reason) = (text_of(contact_id.as_ref()), reason.slug().to_owned());
        let m = proto::NoticeDeferred { customer_id, invoice_id, cycle: *cycle, kind, day, contact_id, reason };
        ("NoticeDeferred", m.encode_to_vec())
    } else if let Event::NoticeClosed { invoice_id, cycle, kind, day, end } = event {
        let closing = Closing { step_id: kind.step_id(), occurrence: FIRST_OCCURRENCE, end: end.clone() };
        let (invoice_id, day, closing) = (invoice_id.to_string(), written::date_text(*day), Some(encode::closing(&closing)));
        ("NoticeClosed", proto::NoticeClosed { customer_id, invoice_id, cycle: *cycle, day, closing }.encode_to_vec())
    } else {
        ("", Vec::new())
    }
}

/// `None` for another type.
pub(super) fn decode_notice(event_type: &str, payload: &[u8]) -> Result<Option<(String, Event)>, DecodeFault> {
    let read: Read = match event_type {
        "NoticePlanned" => planned(message("NoticePlanned", payload)?),
        "NoticeDue" => due(message("NoticeDue", payload)?),
        "NoticeDeferred" => deferred(message("NoticeDeferred", payload)?),
        "NoticeClosed" => closed(message("NoticeClosed", payload)?),
        _ => return Ok(None),
    };
    read.map(Some)
}

fn kind(name: &str) -> Result<NoticeKind, DecodeFault> {
    named("kind", name, NoticeKind::named)
}

fn planned(m: proto::NoticePlanned) -> Read {
    let event = Event::NoticePlanned {
        invoice_id: id("invoice_id", &m.invoice_id, InvoiceId::new)?,
        cycle: m.cycle,
        kind: kind(&m.kind)?,
        day: day("day", &m.day)?,
        last_day: day("last_day", &m.last_day)?,
    };
    Ok((m.customer_id, event))
}

fn due(m: proto::NoticeDue) -> Read {
    let of = kind(&m.kind)?;
    let (customer_id, reminder) = decode::reminder(m.reminder.ok_or(DecodeFault::Field("reminder"))?)?;
    let Event::ReminderDue { day, items, rules, calendar, zone } = reminder else { return Err(DecodeFault::Field("reminder")) };
    Ok((customer_id, Event::NoticeDue { kind: of, day, items, rules, calendar, zone }))
}

fn deferred(m: proto::NoticeDeferred) -> Read {
    let event = Event::NoticeDeferred {
        invoice_id: id("invoice_id", &m.invoice_id, InvoiceId::new)?,
        cycle: m.cycle,
        kind: kind(&m.kind)?,
        day: day("day", &m.day)?,
        contact_id: optional_id("contact_id", &m.contact_id, ContactId::new)?,
        reason: named("reason", &m.reason, Reason::from_slug)?,
    };
    Ok((m.customer_id, event))
}

fn closed(m: proto::NoticeClosed) -> Read {
    let closing = decode::closing(m.closing.as_ref().ok_or(DecodeFault::Field("closing"))?)?;
    let event = Event::NoticeClosed {
        invoice_id: id("invoice_id", &m.invoice_id, InvoiceId::new)?,
        cycle: m.cycle,
        kind: NoticeKind::of_step(&closing.step_id).ok_or(DecodeFault::Field("closing.step_id"))?,
        day: day("day", &m.day)?,
        end: closing.end,
    };
    Ok((m.customer_id, event))
}
