//! What the analysts read: balances as of a day, aging, delinquency, settlement behaviour.
//!
//! Pure folds over dated entries. Nothing here is stored by age: aging and status are computed when read, from dates, so
//! that every past day stays a query. A debt is overdue from the day after its effective due date.
//!
//! Sums are in minor units of one currency and saturate at the ends of `i64`; amounts of different currencies are never added.
#![no_std]
#![warn(missing_docs)]
extern crate alloc;

pub mod aging;
pub mod books;
pub mod delinquency;
pub mod settlement;
pub mod status;
pub mod stretches;

pub use aging::{Aging, Bucket, days_late};
pub use books::{AsOf, Column, DueEntry, Entry, balance_minor, due_on, effective_due};
pub use delinquency::{DelinquencyLine, Owed, delinquency};
pub use settlement::{Settlement, settled_on};
pub use status::{Status, status};
pub use stretches::{Contested, Mark, Moved, Stretch, stretches};
