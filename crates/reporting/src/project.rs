//! Events → tables. Each column has one owner and each fact a row, so the order between topics does not matter; views are joined when
//! they are read, except where a report of everybody would join for each receivable ([`standings`]).

mod contacts;
mod disputes;
mod entries;
mod ladders;
mod payments;
mod placements;
mod receivables;
mod standings;

pub use contacts::ContactTables;
pub use ladders::LadderTables;
pub use payments::PaymentTables;
pub use receivables::ReceivableTables;
pub use standings::FOREVER;

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
