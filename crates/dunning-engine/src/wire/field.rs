//! Single fields of stored messages.

use chrono::{DateTime, NaiveDate, NaiveTime, Utc};
use kernel::{Currency, ids::IdFault, written};
use prost::Message;

/// A message that cannot be read: the log is damaged or newer than the program.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DecodeFault {
    /// The bytes are no such message.
    #[error("not a {0}: {1}")]
    Bytes(&'static str, prost::DecodeError),
    /// A field has a value that the domain does not take.
    #[error("field {0} is malformed")]
    Field(&'static str),
}

pub(crate) fn message<M: Message + Default>(name: &'static str, payload: &[u8]) -> Result<M, DecodeFault> {
    M::decode(payload).map_err(|error| DecodeFault::Bytes(name, error))
}

pub(crate) fn id<T>(field: &'static str, text: &str, make: impl FnOnce(&str) -> Result<T, IdFault>) -> Result<T, DecodeFault> {
    make(text).map_err(|_| DecodeFault::Field(field))
}

pub(crate) fn optional_id<T>(
    field: &'static str,
    text: &str,
    make: impl FnOnce(&str) -> Result<T, IdFault>,
) -> Result<Option<T>, DecodeFault> {
    if text.is_empty() { Ok(None) } else { id(field, text, make).map(Some) }
}

pub(crate) fn day(field: &'static str, text: &str) -> Result<NaiveDate, DecodeFault> {
    written::date(text).ok_or(DecodeFault::Field(field))
}

pub(super) fn optional_day(field: &'static str, text: &str) -> Result<Option<NaiveDate>, DecodeFault> {
    if text.is_empty() { Ok(None) } else { day(field, text).map(Some) }
}

pub(super) fn time(field: &'static str, text: &str) -> Result<NaiveTime, DecodeFault> {
    written::time(text).ok_or(DecodeFault::Field(field))
}

pub(super) fn instant(field: &'static str, micros: i64) -> Result<DateTime<Utc>, DecodeFault> {
    DateTime::from_timestamp_micros(micros).ok_or(DecodeFault::Field(field))
}

pub(crate) fn currency(field: &'static str, code: &str) -> Result<Currency, DecodeFault> {
    Currency::new(code).ok_or(DecodeFault::Field(field))
}

/// A word out of an enumeration.
pub(super) fn named<T>(field: &'static str, text: &str, find: impl FnOnce(&str) -> Option<T>) -> Result<T, DecodeFault> {
    find(text).ok_or(DecodeFault::Field(field))
}

pub(super) fn tone(field: &'static str, tone: u32) -> Result<u8, DecodeFault> {
    u8::try_from(tone).map_err(|_| DecodeFault::Field(field))
}

/// A date as it is written; empty where there is none.
pub(super) fn date_text(day: Option<NaiveDate>) -> String {
    day.map(written::date_text).unwrap_or_default()
}

/// An id as it is written; empty where there is none.
pub(super) fn text_of(id: Option<&impl ToString>) -> String {
    id.map(ToString::to_string).unwrap_or_default()
}
