//! Rolling dates to business days, without walking off the end of the calendar.

use chrono::Datelike;
use kernel::{Calendar, NaiveDate};

/// Past this year no holiday rule means anything, and a walk could reach the last date there is.
const LAST_YEAR: i32 = 9999;

/// The next business day on or after `day`; `day` itself past the year 9999.
pub(crate) fn following(calendar: Calendar, day: NaiveDate) -> NaiveDate {
    if day.year() > LAST_YEAR { day } else { calendar.following(day) }
}
