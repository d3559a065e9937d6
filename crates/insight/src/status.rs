//! Status of a receivable, computed when read.

use crate::aging::{Bucket, days_late};
use crate::books::{AsOf, Column, Entry, balance_minor};
use kernel::NaiveDate;

/// Where a receivable stands as of a day.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Status {
    /// Not issued yet, as far as is seen.
    Unissued,
    /// Something is open and its due date has not passed.
    Current,
    /// Something is open and its due date has passed.
    Overdue {
        /// Days since the effective due date, 1 or more.
        days_late: i64,
    },
    /// Paid.
    Settled,
    /// No longer owed.
    Cancelled,
}

impl Status {
    /// Stable name.
    pub fn slug(self) -> &'static str {
        match self {
            Status::Unissued => "unissued",
            Status::Current => "current",
            Status::Overdue { .. } => "overdue",
            Status::Settled => "settled",
            Status::Cancelled => "cancelled",
        }
    }

    /// Its bucket, where something is open.
    pub fn bucket(self) -> Option<Bucket> {
        match self {
            Status::Current => Some(Bucket::Current),
            Status::Overdue { days_late } => Some(Bucket::of(days_late)),
            Status::Unissued | Status::Settled | Status::Cancelled => None,
        }
    }
}

/// The status of a receivable from its dated entries.
pub fn status(entries: &[Entry], effective_due: NaiveDate, as_of: AsOf) -> Status {
    let principal =
        || entries.iter().filter(|entry| entry.column == Column::Principal && as_of.sees(entry.effective_on, entry.recorded_at));
    if principal().next().is_none() {
        return Status::Unissued;
    }
    let days_late = days_late(effective_due, as_of.day);
    if balance_minor(entries, as_of) > 0 {
        if days_late > 0 { Status::Overdue { days_late } } else { Status::Current }
    } else if principal().fold(0, |sum: i64, entry| sum.saturating_add(entry.amount_minor)) > 0 {
        Status::Settled
    } else {
        Status::Cancelled
    }
}
