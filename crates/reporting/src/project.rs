//! Events → tables. One projection per topic: each column has one owner, so the order between topics does not matter,
//! and views are joined when they are read.

mod contacts;
mod disputes;
mod ladders;
mod payments;
mod receivables;

pub use contacts::ContactTables;
pub use disputes::DisputeTables;
pub use ladders::LadderTables;
pub use payments::PaymentTables;
pub use receivables::ReceivableTables;

use crate::wire::{date, optional_date, payload};
use chrono::NaiveDate;
use eventlog::bus::Message;
use sql::{Column, Kind, Value};

const TENANT: Column = Column::new("tenant", Kind::Text);
const CUSTOMER_ID: Column = Column::new("customer_id", Kind::Text);
const INVOICE_ID: Column = Column::new("invoice_id", Kind::Text);

/// Days since 1970, so that differences of dates are integers in both databases.
pub fn day_number(day: NaiveDate) -> i64 {
    kernel::calendar::days_between(NaiveDate::default(), day)
}

fn version(message: &Message) -> Value {
    Value::Int(i64::try_from(message.event.version).unwrap_or(i64::MAX))
}
