//! Days on which a payer's windows are shut: holidays of the policy's calendar, and local holidays of the payer's place.
//!
//! A local holiday moves no date: planned dates, effective due dates, business days and the deadlines of bureaus never read it. It shuts
//! the windows of its day, so that what is reached goes out on the next day on which they open, unless it expires before.

use crate::ladder::Ladder;
use crate::policy::{Policy, PolicyBook};
use kernel::{Calendar, Holidays, NaiveDate};

/// The holidays of a payer, as one policy has them.
#[derive(Clone, Copy)]
pub(crate) struct PayersHolidays<'a> {
    ladder: &'a Ladder,
    calendar: Calendar,
    book: &'a dyn PolicyBook,
}

impl Holidays for PayersHolidays<'_> {
    fn has(self, day: NaiveDate) -> bool {
        self.calendar.is_holiday(day) || self.ladder.local_holiday(self.book, day).is_some()
    }
}

impl Ladder {
    /// The name of the payer's local holiday on a day; `None` where there is none.
    pub fn local_holiday<'b>(&self, book: &'b dyn PolicyBook, day: NaiveDate) -> Option<&'b str> {
        book.local_holiday(self.state.as_deref(), self.municipality.as_deref(), day)
    }

    pub(crate) fn holidays<'a>(&'a self, policy: &Policy, book: &'a dyn PolicyBook) -> PayersHolidays<'a> {
        PayersHolidays { ladder: self, calendar: policy.calendar(), book }
    }
}
