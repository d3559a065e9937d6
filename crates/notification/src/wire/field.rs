//! Single fields: proto ↔ domain.

use chrono::NaiveDate;
use kernel::{Calendar, Currency, DateTime, Utc, Window, Zone, ids::IdFault, window::close_named, written};
use notice::Channel;
use prost::Message;
use prost_types::Timestamp;

/// An event that cannot be read: it is damaged, or newer than the program.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DecodeFault {
    /// The bytes are no such message.
    #[error("not a {0}: {1}")]
    Bytes(&'static str, prost::DecodeError),
    /// A field has a value that the domain does not take.
    #[error("field {0} is malformed")]
    Field(&'static str),
}

pub(super) fn message<M: Message + Default>(name: &'static str, payload: &[u8]) -> Result<M, DecodeFault> {
    M::decode(payload).map_err(|error| DecodeFault::Bytes(name, error))
}

pub(super) fn id<T>(field: &'static str, text: &str, make: impl FnOnce(&str) -> Result<T, IdFault>) -> Result<T, DecodeFault> {
    make(text).map_err(|_| DecodeFault::Field(field))
}

pub(super) fn day(field: &'static str, text: &str) -> Result<NaiveDate, DecodeFault> {
    written::date(text).ok_or(DecodeFault::Field(field))
}

pub(super) fn currency(text: &str) -> Result<Currency, DecodeFault> {
    Currency::new(text).ok_or(DecodeFault::Field("currency"))
}

pub(super) fn channel(text: &str) -> Result<Channel, DecodeFault> {
    Channel::named(text).ok_or(DecodeFault::Field("channel"))
}

pub(super) fn tone(number: u32) -> Result<u8, DecodeFault> {
    u8::try_from(number).ok().filter(|tone| *tone <= 5).ok_or(DecodeFault::Field("tone"))
}

pub(super) fn calendar(text: &str) -> Result<Calendar, DecodeFault> {
    Calendar::named(text).ok_or(DecodeFault::Field("calendar"))
}

pub(super) fn zone(text: &str) -> Result<Zone, DecodeFault> {
    Zone::named(text).ok_or(DecodeFault::Field("time_zone"))
}

pub(super) fn window(weekdays: &[bool], from: &str, until: &str) -> Result<Window, DecodeFault> {
    let time = |field, text| written::time(text).ok_or(DecodeFault::Field(field));
    Ok(Window {
        weekdays: weekdays.try_into().map_err(|_| DecodeFault::Field("weekdays"))?,
        from: time("window_from", from)?,
        until: close_named(until).ok_or(DecodeFault::Field("window_until"))?,
    })
}

pub(super) fn at(field: &'static str, timestamp: Option<Timestamp>) -> Result<DateTime<Utc>, DecodeFault> {
    let found = timestamp.and_then(|at| DateTime::from_timestamp(at.seconds, u32::try_from(at.nanos).ok()?));
    found.ok_or(DecodeFault::Field(field))
}

pub(super) fn at_out(at: DateTime<Utc>) -> Option<Timestamp> {
    // Nanoseconds of a second are fewer than 2^31.
    Some(Timestamp { seconds: at.timestamp(), nanos: i32::try_from(at.timestamp_subsec_nanos()).unwrap_or(0) })
}
