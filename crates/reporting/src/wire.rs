//! Public events of the other services → what views are made of.

use chrono::NaiveDate;
use eventlog::{bus::Message, projection::ProjectionError};
use kernel::written;

/// A civil date of an event.
pub fn date(message: &Message, field: &str, text: &str) -> Result<NaiveDate, ProjectionError> {
    written::date(text).ok_or_else(|| ProjectionError::poison(message, format!("{field} is no date")))
}

/// A civil date of an event that may be empty.
pub fn optional_date(message: &Message, field: &str, text: &str) -> Result<Option<NaiveDate>, ProjectionError> {
    if text.is_empty() { Ok(None) } else { date(message, field, text).map(Some) }
}

/// An event's payload.
pub fn payload<M: prost::Message + Default>(message: &Message) -> Result<M, ProjectionError> {
    M::decode(message.event.payload.as_slice()).map_err(|error| ProjectionError::poison(message, error.to_string()))
}
