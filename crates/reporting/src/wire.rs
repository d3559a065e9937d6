//! Public events of the other services → what views are made of.

use chrono::NaiveDate;
use eventlog::{bus::Message, projection::ProjectionError};

/// A civil date of an event.
pub fn date(message: &Message, field: &str, text: &str) -> Result<NaiveDate, ProjectionError> {
    let parsed = usual(text).or_else(|| NaiveDate::parse_from_str(text, host::request::DATE_FORMAT).ok());
    parsed.ok_or_else(|| ProjectionError::poison(message, format!("{field} is no date")))
}

/// A date as it is nearly always written, `2026-11-20`. Whoever reads any format takes longer than all else of an event, and there are two
/// dates to most.
fn usual(text: &str) -> Option<NaiveDate> {
    let [y1, y2, y3, y4, b'-', m1, m2, b'-', d1, d2] = text.as_bytes() else { return None };
    let digit = |number: u32, byte: &u8| byte.is_ascii_digit().then(|| number * 10 + u32::from(byte - b'0'));
    let number = |digits: &[u8]| digits.iter().try_fold(0, digit);
    NaiveDate::from_ymd_opt(number(&[*y1, *y2, *y3, *y4])?.try_into().ok()?, number(&[*m1, *m2])?, number(&[*d1, *d2])?)
}

/// A civil date of an event that may be empty.
pub fn optional_date(message: &Message, field: &str, text: &str) -> Result<Option<NaiveDate>, ProjectionError> {
    if text.is_empty() { Ok(None) } else { date(message, field, text).map(Some) }
}

/// An event's payload.
pub fn payload<M: prost::Message + Default>(message: &Message) -> Result<M, ProjectionError> {
    M::decode(message.event.payload.as_slice()).map_err(|error| ProjectionError::poison(message, error.to_string()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_usual_date_is_read_as_the_reader_of_any_format_reads_it() {
        for text in [
            "2026-11-20",
            "2024-02-29",
            "2023-02-29",
            "2026-13-01",
            "0001-01-01",
            "2026-1-20",
            "2026-11-2a",
            "2026/11/20",
            "",
            "+026-11-20",
        ] {
            let any = NaiveDate::parse_from_str(text, host::request::DATE_FORMAT).ok();
            assert!(usual(text).is_none_or(|date| Some(date) == any), "{text}");
        }
        assert_eq!(usual("2026-11-20"), NaiveDate::from_ymd_opt(2026, 11, 20));
    }
}
