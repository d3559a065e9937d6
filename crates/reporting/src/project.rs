//! Events → tables. One projection per topic: each column has one owner, so the order between topics does not matter,
//! and views are joined when they are read.

mod contacts;
mod ladders;
mod receivables;

pub use contacts::ContactTables;
pub use ladders::LadderTables;
pub use receivables::ReceivableTables;

use chrono::NaiveDate;
use eventlog::{bus::Message, projection::ProjectionError};
use sql::{Column, Kind, Value};

const TENANT: Column = Column::new("tenant", Kind::Text);
const CUSTOMER_ID: Column = Column::new("customer_id", Kind::Text);
const INVOICE_ID: Column = Column::new("invoice_id", Kind::Text);

/// A civil date of an event.
fn date(message: &Message, field: &str, text: &str) -> Result<NaiveDate, ProjectionError> {
    let parsed = NaiveDate::parse_from_str(text, host::request::DATE_FORMAT);
    parsed.map_err(|_| ProjectionError::poison(message, format!("{field} is no date")))
}

/// A civil date of an event that may be empty.
fn optional_date(message: &Message, field: &str, text: &str) -> Result<Option<NaiveDate>, ProjectionError> {
    if text.is_empty() { Ok(None) } else { date(message, field, text).map(Some) }
}

/// An event's payload.
fn payload<M: prost::Message + Default>(message: &Message) -> Result<M, ProjectionError> {
    M::decode(message.event.payload.as_slice()).map_err(|error| ProjectionError::poison(message, error.to_string()))
}

/// Days since 1970, so that differences of dates are integers in both databases.
pub fn day_number(day: NaiveDate) -> i64 {
    kernel::calendar::days_between(NaiveDate::default(), day)
}

fn version(message: &Message) -> Value {
    Value::Int(i64::try_from(message.event.version).unwrap_or(i64::MAX))
}
