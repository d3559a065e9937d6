//! Business-day calendars.
//!
//! Source of `br-settlement`: Res. CMN 4.880/2020 and Lei 14.759/2023 (20 November from 2024); the Easter rule
//! equals the ANBIMA list for 2001-2078.

use chrono::{Datelike, Days, NaiveDate, Weekday};

/// Which days are business days.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Calendar {
    /// Every day counts.
    None,
    /// Days on which Brazilian banks settle: no Saturdays, Sundays or national holidays.
    BrSettlement,
}

impl Calendar {
    /// By its name in a policy: `none` or `br-settlement`.
    pub fn named(name: &str) -> Option<Self> {
        match name {
            "none" => Some(Calendar::None),
            "br-settlement" => Some(Calendar::BrSettlement),
            _ => None,
        }
    }

    /// Its name in a policy.
    pub fn name(self) -> &'static str {
        match self {
            Calendar::None => "none",
            Calendar::BrSettlement => "br-settlement",
        }
    }

    /// Version of the rule, recorded with what was planned by it.
    pub fn version(self) -> u32 {
        1
    }

    /// A holiday of this calendar, weekends not counted among them.
    pub fn is_holiday(self, day: NaiveDate) -> bool {
        match self {
            Calendar::None => false,
            Calendar::BrSettlement => is_national_bank_holiday(day),
        }
    }

    /// A day on which this calendar settles.
    pub fn is_business_day(self, day: NaiveDate) -> bool {
        match self {
            Calendar::None => true,
            Calendar::BrSettlement => !is_weekend(day) && !is_national_bank_holiday(day),
        }
    }

    /// The next business day on or after `day`; the last date there is where none follows.
    pub fn following(self, day: NaiveDate) -> NaiveDate {
        self.nearest(day, next)
    }

    /// The last business day on or before `day`; the first date there is where none precedes.
    pub fn preceding(self, day: NaiveDate) -> NaiveDate {
        self.nearest(day, previous)
    }

    /// The first business day from `day` on by steps of `step`, which stands still at the end of the calendar.
    fn nearest(self, day: NaiveDate, step: fn(NaiveDate) -> NaiveDate) -> NaiveDate {
        let mut at = day;
        while !self.is_business_day(at) {
            let moved = step(at);
            if moved == at {
                break;
            }
            at = moved;
        }
        at
    }

    /// `day` moved by `count` business days, negative is back. A start that is no business day is first moved
    /// in the direction of travel's opposite rule: forward for `count` >= 0, back for `count` < 0, and counts as day zero.
    /// The walk ends at the end of the calendar, however much is left to count.
    pub fn add_business_days(self, day: NaiveDate, count: i32) -> NaiveDate {
        let mut at = if count >= 0 { self.following(day) } else { self.preceding(day) };
        for _ in 0..count.unsigned_abs() {
            let moved = if count > 0 { self.following(next(at)) } else { self.preceding(previous(at)) };
            if moved == at {
                break;
            }
            at = moved;
        }
        at
    }

    /// Business days in `[from, until)`; 0 where `until` is not after `from`.
    pub fn count(self, from: NaiveDate, until: NaiveDate) -> u32 {
        let mut at = from;
        let mut days = 0;
        while at < until {
            days += u32::from(self.is_business_day(at));
            at = next(at);
        }
        days
    }
}

/// Whole days from `from` to `until`, negative where `until` is earlier.
pub fn days_between(from: NaiveDate, until: NaiveDate) -> i64 {
    until.signed_duration_since(from).num_days()
}

/// `day` moved by whole days, held at the ends of the calendar.
pub fn add_days(day: NaiveDate, days: i64) -> NaiveDate {
    let moved = match u64::try_from(days) {
        Ok(forward) => day.checked_add_days(Days::new(forward)),
        Err(_) => day.checked_sub_days(Days::new(days.unsigned_abs())),
    };
    moved.unwrap_or(if days < 0 { NaiveDate::MIN } else { NaiveDate::MAX })
}

/// The day after.
pub fn next(day: NaiveDate) -> NaiveDate {
    add_days(day, 1)
}

/// The day before.
pub fn previous(day: NaiveDate) -> NaiveDate {
    add_days(day, -1)
}

/// Saturday or Sunday.
pub fn is_weekend(day: NaiveDate) -> bool {
    matches!(day.weekday(), Weekday::Sat | Weekday::Sun)
}

/// A national bank holiday of Brazil.
fn is_national_bank_holiday(day: NaiveDate) -> bool {
    let fixed = matches!((day.month(), day.day()), (1, 1) | (4, 21) | (5, 1) | (9, 7) | (10, 12) | (11, 2) | (11, 15) | (12, 25));
    let black_awareness = (day.month(), day.day()) == (11, 20) && day.year() >= 2024;
    fixed || black_awareness || matches!(days_from_easter(day), -48 | -47 | -2 | 60)
}

/// Days from that year's Easter Sunday.
fn days_from_easter(day: NaiveDate) -> i64 {
    easter(day.year()).map_or(i64::MAX, |sunday| days_between(sunday, day))
}

/// Easter Sunday of the Gregorian calendar (anonymous algorithm, Meeus chapter 8).
fn easter(year: i32) -> Option<NaiveDate> {
    let (a, b, c) = (year % 19, year / 100, year % 100);
    let g = (8 * b + 13) / 25;
    let h = (19 * a + b - b / 4 - g + 15) % 30;
    let l = (32 + 2 * (b % 4) + 2 * (c / 4) - h - c % 4) % 7;
    let m = (a + 11 * h + 22 * l) / 451;
    let n = h + l - 7 * m + 114;
    NaiveDate::from_ymd_opt(year, u32::try_from(n / 31).ok()?, u32::try_from(n % 31 + 1).ok()?)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn day(text: &str) -> NaiveDate {
        text.parse().unwrap()
    }

    /// The lists of the banks and of an independent library are compared in `crates/brazil/tests/vectors`.
    #[test]
    fn days_that_others_take_for_holidays_settle() {
        for (no_holiday, why) in
            [("2026-02-18", "Ash Wednesday"), ("2026-12-24", "eve"), ("2026-12-31", "settles"), ("2023-11-20", "before 2024")]
        {
            assert!(Calendar::BrSettlement.is_business_day(day(no_holiday)), "{why}");
        }
        assert!(Calendar::BrSettlement.is_holiday(day("2026-11-20")));
    }

    #[test]
    fn walks_end_where_the_calendar_ends() {
        let cal = Calendar::BrSettlement;
        for ahead in 0..20 {
            let (early, late) = (add_days(NaiveDate::MIN, ahead), add_days(NaiveDate::MAX, -ahead));
            assert!(cal.preceding(early) <= early && cal.following(early) >= early, "{early}");
            assert!(cal.following(late) >= late && cal.preceding(late) <= late, "{late}");
        }
        assert!(cal.add_business_days(NaiveDate::MAX, i32::MAX) >= add_days(NaiveDate::MAX, -7));
        assert!(cal.add_business_days(NaiveDate::MIN, i32::MIN) <= add_days(NaiveDate::MIN, 7));
        assert_eq!(Calendar::None.add_business_days(NaiveDate::MAX, i32::MAX), NaiveDate::MAX);
    }

    #[test]
    fn adding_business_days_skips_weekends_and_holidays() {
        let cal = Calendar::BrSettlement;
        assert_eq!(cal.add_business_days(day("2026-11-20"), 0), day("2026-11-23"));
        assert_eq!(cal.add_business_days(day("2026-11-19"), 1), day("2026-11-23"));
        assert_eq!(cal.add_business_days(day("2026-11-23"), -1), day("2026-11-19"));
        assert_eq!(Calendar::None.add_business_days(day("2026-11-20"), 3), day("2026-11-23"));
    }
}
