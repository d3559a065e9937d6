//! Fields that every service's requests have: dates, ids, pages, idempotency keys.

use crate::Refusal;
use chrono::NaiveDate;
use kernel::{CommandId, ids::IdFault, text, written};

/// First civil date that requests may name.
pub const FIRST_DAY: NaiveDate = NaiveDate::from_ymd_opt(1900, 1, 1).expect("a date of the calendar");
/// Last civil date that requests may name.
pub const LAST_DAY: NaiveDate = NaiveDate::from_ymd_opt(2199, 12, 31).expect("a date of the calendar");
const MAX_PAGE: i32 = 1000;
const DEFAULT_PAGE: i32 = 100;

/// A civil date of a request. Errors: INVALID_ARGUMENT `date_malformed`.
pub fn date(field: &str, text: &str) -> Result<NaiveDate, Refusal> {
    // The parser takes `2026-1-5` too; two spellings of one date would be two bodies of one command.
    let parsed = written::date(text).filter(|_| text.len() == 10);
    let in_range = parsed.filter(|day| (FIRST_DAY..=LAST_DAY).contains(day));
    in_range.ok_or_else(|| Refusal::invalid(field, "date_malformed", "should be a date YYYY-MM-DD from 1900 to 2199"))
}

/// A civil date of a request, or `default` where the text is empty.
pub fn date_or(field: &str, text: &str, default: NaiveDate) -> Result<NaiveDate, Refusal> {
    if text.is_empty() { Ok(default) } else { date(field, text) }
}

/// An identifier of a request. Errors: INVALID_ARGUMENT `id_malformed`.
pub fn id<T>(field: &str, text: &str, make: impl FnOnce(&str) -> Result<T, IdFault>) -> Result<T, Refusal> {
    make(text).map_err(|fault| Refusal::invalid(field, "id_malformed", fault.to_string()))
}

/// An identifier of a request, or `None` where the text is empty.
pub fn optional_id<T>(field: &str, text: &str, make: impl FnOnce(&str) -> Result<T, IdFault>) -> Result<Option<T>, Refusal> {
    if text.is_empty() { Ok(None) } else { id(field, text, make).map(Some) }
}

/// A text by which a list is filtered; empty = all. Errors: INVALID_ARGUMENT `text_refused` for control characters and
/// for more than `max` characters.
pub fn filter(field: &str, value: &str, max: usize) -> Result<String, Refusal> {
    if value.is_empty() {
        return Ok(String::new());
    }
    text::bounded(value, max).map_err(|fault| Refusal::invalid(field, "text_refused", fault.to_string()))
}

/// INVALID_ARGUMENT with a slug: a filter is none of the words that it knows.
pub fn unknown_word<'a>(field: &str, reason: &str, known: impl Iterator<Item = &'a str>) -> Refusal {
    Refusal::invalid(field, reason, format!("should be one of {}", known.collect::<Vec<_>>().join(", ")))
}

/// The idempotency key of a command. Errors: INVALID_ARGUMENT `command_id_malformed`.
pub fn command_id(text: &str) -> Result<CommandId, Refusal> {
    CommandId::new(text).map_err(|fault| Refusal::invalid("command_id", "command_id_malformed", fault.to_string()))
}

/// A page asked for: at most `size` rows after the key `after`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Page {
    /// Rows, 1 to 1000.
    pub size: usize,
    /// Key of the last row of the page before; empty = from the start.
    pub after: String,
}

impl Page {
    /// From a request. Errors: INVALID_ARGUMENT `page_size_out_of_range`, `page_token_malformed`.
    pub fn of(size: i32, token: &str) -> Result<Self, Refusal> {
        let size = if size == 0 { DEFAULT_PAGE } else { size };
        if !(1..=MAX_PAGE).contains(&size) {
            return Err(Refusal::invalid("page_size", "page_size_out_of_range", "should be 1 to 1000"));
        }
        let after = hex::decode(token).ok().and_then(|bytes| String::from_utf8(bytes).ok());
        let after = after.filter(|key| !key.contains(char::is_control));
        let after = after.ok_or_else(|| Refusal::invalid("page_token", "page_token_malformed", "is not a token of ours"))?;
        Ok(Self { size: usize::try_from(size).unwrap_or(1), after })
    }

    /// One row more than the page, to know whether there is a next one.
    pub fn limit(&self) -> i64 {
        i64::try_from(self.size).unwrap_or(i64::MAX - 1) + 1
    }

    /// Cuts the extra row off and gives the token of the next page; empty on the last.
    pub fn cut<T>(&self, rows: &mut Vec<T>, key: impl Fn(&T) -> String) -> String {
        if rows.len() <= self.size {
            return String::new();
        }
        rows.truncate(self.size);
        rows.last().map(|row| hex::encode(key(row))).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_of_requests_are_civil_and_in_range() {
        assert!(date("due_on", "2026-11-23").is_ok());
        for bad in ["", "2026-02-30", "23/11/2026", "1899-12-31", "2200-01-01", "2026-11-23T00:00", "2026-1-5"] {
            assert_eq!(date("due_on", bad).unwrap_err().reason, "date_malformed", "{bad}");
        }
    }

    #[test]
    fn a_page_token_leads_to_the_next_page() {
        let page = Page::of(2, "").unwrap();
        let mut rows = vec!["a".to_owned(), "b".to_owned(), "c".to_owned()];
        let token = page.cut(&mut rows, Clone::clone);
        assert_eq!((rows.len(), Page::of(2, &token).unwrap().after.as_str()), (2, "b"));
        for bad in ["zz", "00", "ff"] {
            assert_eq!(Page::of(0, bad).unwrap_err().reason, "page_token_malformed", "{bad}");
        }
        assert_eq!(Page::of(1001, "").unwrap_err().reason, "page_size_out_of_range");
    }
}
