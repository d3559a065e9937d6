//! Contact windows: weekdays and hours in the payer's zone.

use crate::{Calendar, Zone, calendar, written};
use alloc::string::{String, ToString};
use chrono::{DateTime, Datelike, NaiveDate, NaiveTime, Utc, Weekday};

/// Days that are outside every window.
pub trait Holidays: Copy {
    /// Whether a day is one of them.
    fn has(self, day: NaiveDate) -> bool;
}

impl Holidays for Calendar {
    fn has(self, day: NaiveDate) -> bool {
        self.is_holiday(day)
    }
}

/// When a payer may be contacted: from `from` (included) until `until` (excluded) on the given weekdays.
/// A holiday is outside every window: one of the policy's calendar, and one of the payer's place where that is asked too.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Window {
    /// Monday first.
    pub weekdays: [bool; 7],
    /// Opens.
    pub from: NaiveTime,
    /// Closes; later than `from`. [`END_OF_DAY`] is 24:00.
    pub until: NaiveTime,
}

/// 24:00 as the close of a window: nothing of the day is after it.
pub const END_OF_DAY: NaiveTime = NaiveTime::from_hms_micro_opt(23, 59, 59, 999_999).expect("a time of the day");

const MIDNIGHT: &str = "24:00";

/// The close of a window as written: `HH:MM`, or `24:00` for the end of the day; `None` for any other text.
pub fn close_named(text: &str) -> Option<NaiveTime> {
    if text == MIDNIGHT { Some(END_OF_DAY) } else { written::time(text) }
}

/// The close of a window, as [`close_named`] reads it.
pub fn close_text(until: NaiveTime) -> String {
    if until == END_OF_DAY { MIDNIGHT.to_string() } else { written::time_text(until) }
}

impl Default for Window {
    /// 09:00-18:00 on weekdays: the strictest of the Brazilian state rules.
    fn default() -> Self {
        let hour = |hour| NaiveTime::from_hms_opt(hour, 0, 0).unwrap_or(NaiveTime::MIN);
        Self { weekdays: [true, true, true, true, true, false, false], from: hour(9), until: hour(18) }
    }
}

impl Window {
    /// Whether the window opens on a day at all.
    pub fn opens_on(&self, day: NaiveDate, holidays: impl Holidays) -> bool {
        let index = day.weekday().num_days_from_monday() as usize;
        self.weekdays.get(index).copied().unwrap_or(false) && !holidays.has(day)
    }

    /// The first day on or after `day` on which the window opens; `None` where it never does within a year.
    pub fn first_day(&self, day: NaiveDate, holidays: impl Holidays) -> Option<NaiveDate> {
        let mut at = day;
        for _ in 0..366 {
            if self.opens_on(at, holidays) {
                return Some(at);
            }
            at = calendar::next(at);
        }
        None
    }

    /// Whether an instant lies inside.
    pub fn is_open(&self, at: DateTime<Utc>, zone: Zone, holidays: impl Holidays) -> bool {
        let time = zone.time_of(at);
        self.opens_on(zone.day_of(at), holidays) && self.from <= time && (time < self.until || self.until == END_OF_DAY)
    }

    /// The instant itself if inside, else the next opening; `None` where there is none within a year.
    pub fn next_open(&self, at: DateTime<Utc>, zone: Zone, holidays: impl Holidays) -> Option<DateTime<Utc>> {
        if self.is_open(at, zone, holidays) {
            return Some(at);
        }
        let today = zone.day_of(at);
        let start = if zone.time_of(at) < self.from { today } else { calendar::next(today) };
        self.first_day(start, holidays).map(|day| zone.instant(day, self.from))
    }
}

/// A weekday by its three English letters, as policies write it.
pub fn weekday_named(name: &str) -> Option<Weekday> {
    let day = match name {
        "mon" => Weekday::Mon,
        "tue" => Weekday::Tue,
        "wed" => Weekday::Wed,
        "thu" => Weekday::Thu,
        "fri" => Weekday::Fri,
        "sat" => Weekday::Sat,
        "sun" => Weekday::Sun,
        _ => return None,
    };
    Some(day)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> DateTime<Utc> {
        text.parse().unwrap()
    }

    #[test]
    fn the_window_opens_at_nine_and_is_shut_at_six() {
        let (window, zone, calendar) = (Window::default(), Zone::SAO_PAULO, Calendar::BrSettlement);
        for (now, next) in [
            ("2026-11-23T11:59:00Z", "2026-11-23T12:00:00Z"),
            ("2026-11-23T12:00:00Z", "2026-11-23T12:00:00Z"),
            ("2026-11-23T20:59:59Z", "2026-11-23T20:59:59Z"),
            ("2026-11-23T21:00:00Z", "2026-11-24T12:00:00Z"),
            ("2026-11-19T21:00:00Z", "2026-11-23T12:00:00Z"), // Friday 20 November is a holiday
        ] {
            assert_eq!(window.next_open(at(now), zone, calendar), Some(at(next)), "{now}");
        }
    }

    #[test]
    fn a_window_until_24_is_open_to_the_last_moment_of_the_day() {
        let window = Window { until: close_named("24:00").unwrap(), ..Window::default() };
        for (now, open) in [("2026-11-24T02:59:59.999999999Z", true), ("2026-11-24T03:00:00Z", false)] {
            assert_eq!(window.is_open(at(now), Zone::SAO_PAULO, Calendar::None), open, "{now}");
        }
        for text in ["24:00", "23:59", "18:00"] {
            assert_eq!(close_text(close_named(text).unwrap()), text);
        }
        assert_eq!((close_named("24:01"), close_named("")), (None, None));
    }

    #[test]
    fn a_window_without_days_never_opens() {
        let never = Window { weekdays: [false; 7], ..Window::default() };
        assert_eq!(never.next_open(at("2026-11-23T12:00:00Z"), Zone::SAO_PAULO, Calendar::None), None);
    }
}
