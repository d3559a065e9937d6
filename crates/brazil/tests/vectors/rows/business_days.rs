//! `business_days.csv` and `bank_holidays.csv`: the settlement calendar.

use super::row::{Checked, Row};
use brazil::{Calendar, NaiveDate};
use chrono::{Datelike, Weekday};

const CALENDAR: Calendar = Calendar::BrSettlement;

pub fn check(row: &Row) -> Checked {
    let day = row.day("a")?;
    match row.text("kind") {
        "following" => row.same("result", &row.day("result")?, &CALENDAR.following(day)),
        "preceding" => row.same("result", &row.day("result")?, &CALENDAR.preceding(day)),
        "count" => row.same("result", &row.number("result")?, &CALENDAR.count(day, row.day("b")?)),
        "last_of_year" => {
            let last = NaiveDate::from_ymd_opt(day.year(), 12, 31).unwrap_or(NaiveDate::MAX);
            row.same("result", &row.day("result")?, &CALENDAR.preceding(last))
        }
        _ => Err(row.unchecked("kind", "is a kind that is not known")),
    }
}

/// What other libraries say of the day is their own affair.
pub fn check_holiday(row: &Row) -> Checked {
    let day = row.day("date")?;
    row.holds("date", CALENDAR.is_holiday(day), "a day that settles, or a weekend")?;
    let weekday: Weekday = row.number("weekday")?;
    row.same("weekday", &weekday, &day.weekday())
}
