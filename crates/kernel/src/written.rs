//! Civil dates and times of day as they are written: `2026-11-20`, `09:00`.
//!
//! A reader of any format interprets the format for each text; whoever reads an event reads several of them, so the usual spelling is
//! read by itself, and any other by that reader.

use alloc::string::{String, ToString};
use chrono::{NaiveDate, NaiveTime};

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

/// A time of day as [`time`] reads it; what is less than a minute is left out.
pub fn time_text(time: NaiveTime) -> String {
    time.format(TIME).to_string()
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
}
