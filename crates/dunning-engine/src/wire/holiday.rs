//! Local holidays ↔ protobuf bytes, and requests for them.

use super::field::{DecodeFault, day, instant, message};
use crate::holidays::{Holiday, HolidayEvent, Key, Signed};
use brazil::Place;
use contracts::dunning::v1 as proto;
use host::{Refusal, request};
use kernel::{text, written};
use prost::Message;

/// Longest name, in characters.
const NAME_CHARS: usize = 120;
/// Most days of one command.
const MOST: usize = 2_000;

/// Type name and bytes of an event.
pub fn encode_holiday(event: &HolidayEvent) -> (&'static str, Vec<u8>) {
    match event {
        HolidayEvent::Recorded { key: (day, place), name, signed } => {
            let m = proto::LocalHolidayRecorded {
                place: place.to_string(),
                day: written::date_text(*day),
                name: name.clone(),
                by: signed.by.clone(),
                reason: signed.why.clone(),
                at_micros: signed.at.timestamp_micros(),
            };
            ("LocalHolidayRecorded", m.encode_to_vec())
        }
        HolidayEvent::Withdrawn { key: (day, place), signed } => {
            let m = proto::LocalHolidayWithdrawn {
                place: place.to_string(),
                day: written::date_text(*day),
                by: signed.by.clone(),
                reason: signed.why.clone(),
                at_micros: signed.at.timestamp_micros(),
            };
            ("LocalHolidayWithdrawn", m.encode_to_vec())
        }
    }
}

/// The event of a stored one; `None` for another type.
///
/// # Errors
/// [`DecodeFault`] for a known type whose payload cannot be read.
pub fn decode_holiday(event_type: &str, payload: &[u8]) -> Result<Option<HolidayEvent>, DecodeFault> {
    let event = match event_type {
        "LocalHolidayRecorded" => {
            let m: proto::LocalHolidayRecorded = message("LocalHolidayRecorded", payload)?;
            let signed = Signed { by: m.by, why: m.reason, at: instant("at_micros", m.at_micros)? };
            HolidayEvent::Recorded { key: key(&m.place, &m.day)?, name: m.name, signed }
        }
        "LocalHolidayWithdrawn" => {
            let m: proto::LocalHolidayWithdrawn = message("LocalHolidayWithdrawn", payload)?;
            let signed = Signed { by: m.by, why: m.reason, at: instant("at_micros", m.at_micros)? };
            HolidayEvent::Withdrawn { key: key(&m.place, &m.day)?, signed }
        }
        _ => return Ok(None),
    };
    Ok(Some(event))
}

fn key(place: &str, on: &str) -> Result<Key, DecodeFault> {
    Ok((day("day", on)?, Place::parse(place).map_err(|_| DecodeFault::Field("place"))?))
}

/// Days with their names.
///
/// # Errors
/// INVALID_ARGUMENT on the field at fault: `holidays_count`, `place_malformed`, `date_malformed`, `text_refused`; the message says which
/// of them it is, from 1.
pub fn new_holidays(m: &proto::RecordLocalHolidaysRequest) -> Result<Vec<(Key, String)>, Refusal> {
    let name =
        |text: &str| text::bounded(text, NAME_CHARS).map_err(|fault| Refusal::invalid("holidays.name", "text_refused", fault.to_string()));
    let one = |m: &proto::NewLocalHoliday| Ok((asked_key(&m.place, &m.day)?, name(&m.name)?));
    each(&m.holidays, one)
}

/// Days of places.
///
/// # Errors
/// As for [`new_holidays`].
pub fn local_days(m: &proto::WithdrawLocalHolidaysRequest) -> Result<Vec<Key>, Refusal> {
    each(&m.holidays, |m| asked_key(&m.place, &m.day))
}

fn each<M, T>(all: &[M], one: impl Fn(&M) -> Result<T, Refusal>) -> Result<Vec<T>, Refusal> {
    if !(1..=MOST).contains(&all.len()) {
        return Err(Refusal::invalid("holidays", "holidays_count", format!("should be 1 to {MOST}")));
    }
    let numbered =
        |(at, m): (usize, &M)| one(m).map_err(|refusal| Refusal { message: format!("number {} {}", at + 1, refusal.message), ..refusal });
    all.iter().enumerate().map(numbered).collect()
}

fn asked_key(place: &str, day: &str) -> Result<Key, Refusal> {
    Ok((request::date("holidays.day", day)?, asked_place("holidays.place", place)?))
}

/// A place of a request.
///
/// # Errors
/// INVALID_ARGUMENT `place_malformed`.
pub fn asked_place(field: &str, text: &str) -> Result<Place, Refusal> {
    Place::parse(text).map_err(|fault| Refusal::invalid(field, "place_malformed", fault.to_string()))
}

/// A holiday as callers see it.
pub fn local_holiday((day, place): &Key, holiday: &Holiday) -> proto::LocalHoliday {
    let Holiday { name, signed } = holiday.clone();
    proto::LocalHoliday {
        place: place.to_string(),
        day: written::date_text(*day),
        name,
        by: signed.by,
        reason: signed.why,
        recorded_at_micros: signed.at.timestamp_micros(),
    }
}
