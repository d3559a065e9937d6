//! Civil dates and times of day as they are written: `2026-11-20`, `09:00`.
//!
//! A reader of any format interprets the format for each text, and a writer asks a formatter for each digit; whoever reads or writes an
//! event does so several times, so the usual spelling is read and written by itself, and any other by the library.

use alloc::string::{String, ToString};
use chrono::{Datelike, NaiveDate, NaiveTime, Timelike};

const DATE: &str = "%Y-%m-%d";
const TIME: &str = "%H:%M";

/// A civil date, year, month and day with `-` between; `None` for any other text.
pub fn date(text: &str) -> Option<NaiveDate> {
    usual_date(text.as_bytes()).or_else(|| NaiveDate::parse_from_str(text, DATE).ok())
}

/// A time of day, hours and minutes with `:` between; `None` for any other text.
pub fn time(text: &str) -> Option<NaiveTime> {
    usual_time(text.as_bytes()).or_else(|| NaiveTime::parse_from_str(text, TIME).ok())
}

/// A civil date as [`date`] reads it, and as it displays itself.
pub fn date_text(date: NaiveDate) -> String {
    let Some(year) = u32::try_from(date.year()).ok().filter(|year| *year <= 9999) else { return date.to_string() };
    let mut text = String::with_capacity(10);
    two_digits(&mut text, year / 100);
    two_digits(&mut text, year % 100);
    text.push('-');
    two_digits(&mut text, date.month());
    text.push('-');
    two_digits(&mut text, date.day());
    text
}

/// A time of day as [`time`] reads it; what is less than a minute is left out.
pub fn time_text(time: NaiveTime) -> String {
    let mut text = String::with_capacity(5);
    two_digits(&mut text, time.hour());
    text.push(':');
    two_digits(&mut text, time.minute());
    text
}

/// A number below a hundred.
fn two_digits(text: &mut String, number: u32) {
    for digit in [number / 10, number % 10] {
        text.push(char::from_digit(digit, 10).unwrap_or('0'));
    }
}

fn usual_date(text: &[u8]) -> Option<NaiveDate> {
    let [y1, y2, y3, y4, b'-', m1, m2, b'-', d1, d2] = *text else { return None };
    NaiveDate::from_ymd_opt(i32::try_from(number(&[y1, y2, y3, y4])?).ok()?, number(&[m1, m2])?, number(&[d1, d2])?)
}

fn usual_time(text: &[u8]) -> Option<NaiveTime> {
    let [h1, h2, b':', m1, m2] = *text else { return None };
    NaiveTime::from_hms_opt(number(&[h1, h2])?, number(&[m1, m2])?, 0)
}

fn number(digits: &[u8]) -> Option<u32> {
    digits.iter().try_fold(0, |number: u32, byte| byte.is_ascii_digit().then(|| number * 10 + u32::from(byte - b'0')))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_usual_spelling_is_read_as_the_reader_of_any_format_reads_it() {
        for text in [
            "2026-11-20",
            "2024-02-29",
            "2023-02-29",
            "2026-13-01",
            "0000-01-01",
            "0001-01-01",
            "9999-12-31",
            "2026-1-20",
            "2026-11-2a",
            "2026/11/20",
            "",
            "+026-11-20",
            " 026-11-20",
            "2026-11-20T",
        ] {
            assert_eq!(date(text), NaiveDate::parse_from_str(text, DATE).ok(), "{text}");
        }
        for text in ["00:00", "09:05", "23:59", "24:00", "23:60", "9:00", "09:0", "+9:00", "09-00", "", "09:00:00"] {
            assert_eq!(time(text), NaiveTime::parse_from_str(text, TIME).ok(), "{text}");
        }
        assert_eq!(usual_date(b"2026-11-20"), NaiveDate::from_ymd_opt(2026, 11, 20));
        assert_eq!(usual_time(b"09:05"), NaiveTime::from_hms_opt(9, 5, 0));
        assert_eq!(time("09:05").map(time_text).as_deref(), Some("09:05"));
    }

    #[test]
    fn what_is_written_is_what_a_format_writes() {
        let days = [i32::MIN, -1, 0, 1, 999, 2024, 2026, 9999, 10_000, i32::MAX].into_iter().flat_map(|year| {
            (1..=12)
                .flat_map(move |month| [1, 9, 10, 28, 29, 31].into_iter().filter_map(move |day| NaiveDate::from_ymd_opt(year, month, day)))
        });
        let mut seen = 0;
        for day in days.chain([NaiveDate::MIN, NaiveDate::MAX]) {
            assert_eq!(date_text(day), day.to_string());
            seen += 1;
        }
        assert!(seen > 500, "{seen}");
        for minute in 0..24 * 60 {
            let at = NaiveTime::from_num_seconds_from_midnight_opt(minute * 60 + 59, 999_999_999).unwrap();
            assert_eq!(time_text(at), at.format(TIME).to_string());
        }
    }
}
