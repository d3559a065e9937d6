//! A portfolio in a file: invoices and payments as rows, read as a stream and kept in order of days.

mod amount;
pub mod columns;
pub mod read;
pub mod row;
pub mod spool;

pub use columns::Columns;
pub use row::{Row, RowFault};
pub use spool::{Spool, SpooledInvoice, SpooledPayment};
