//! One line of a bank file, and the values of its columns: slices of it, owned only by whoever keeps them.

use super::key;
use super::layout::Column;
use alloc::{string::String, vec::Vec};
use chrono::NaiveTime;
use kernel::NaiveDate;

/// A decoded line. Positions past its end read as blanks: trailing blanks are often cut.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Record {
    text: String,
    /// Where each character begins; empty where each is one byte, as in almost every line.
    starts: Vec<usize>,
    /// Characters as the line came, trailing blanks counted.
    width: usize,
    /// Line in the file, from 1.
    pub line: u64,
}

/// A column that does not hold what it should.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Unreadable;

impl Record {
    /// Wraps a decoded line, trailing blanks cut.
    pub fn new(text: &str, line: u64) -> Self {
        let kept = without_blanks(text);
        let starts = if kept.is_ascii() { Vec::new() } else { kept.char_indices().map(|(start, _)| start).collect() };
        let record = Self { text: String::from(kept), starts, width: 0, line };
        // What was cut is blanks, one byte each.
        Self { width: record.len() + (text.len() - kept.len()), ..record }
    }

    /// Characters without trailing blanks.
    pub fn len(&self) -> usize {
        if self.starts.is_empty() { self.text.len() } else { self.starts.len() }
    }

    /// Characters as the line came.
    pub fn width(&self) -> usize {
        self.width
    }

    /// Whether nothing is on the line.
    pub fn is_empty(&self) -> bool {
        self.text.is_empty()
    }

    /// The character at a position, from 1.
    pub fn char_at(&self, position: usize) -> char {
        position.checked_sub(1).and_then(|index| self.text.get(self.offset(index)..)?.chars().next()).unwrap_or(' ')
    }

    /// Where the character of an index, from 0, begins; the end of the text for one past it.
    fn offset(&self, index: usize) -> usize {
        if self.starts.is_empty() { index.min(self.text.len()) } else { self.starts.get(index).copied().unwrap_or(self.text.len()) }
    }

    /// Positions `from` to `to`, from 1, ends included, as far as the line goes.
    fn part(&self, from: usize, to: usize) -> &str {
        self.text.get(self.offset(from.saturating_sub(1))..self.offset(to)).unwrap_or_default()
    }

    /// Characters of positions `from` to `to`, from 1, ends included.
    pub fn slice(&self, from: usize, to: usize) -> String {
        let part = self.part(from, to);
        let blanks = (to + 1).saturating_sub(from).saturating_sub(part.chars().count());
        part.chars().chain(core::iter::repeat_n(' ', blanks)).collect()
    }

    /// A column as it stands.
    pub fn raw(&self, column: &Column) -> String {
        self.slice(column.from, column.to)
    }

    /// A column as it stands, without the blanks past the end of the line.
    pub fn run(&self, column: &Column) -> &str {
        self.part(column.from, column.to)
    }

    /// A column without blanks around it.
    pub fn text(&self, column: &Column) -> &str {
        let run = self.run(column);
        if self.starts.is_empty() { trimmed_ascii(run) } else { run.trim() }
    }

    /// A column of digits; blank is 0. Errors: anything else.
    pub fn number(&self, column: &Column) -> Result<u64, Unreadable> {
        let text = self.text(column);
        if text.is_empty() {
            return Ok(0);
        }
        let add = |number: u64, byte: u8| number.checked_mul(10)?.checked_add(u64::from(char::from(byte).to_digit(10)?));
        text.bytes().try_fold(0, add).ok_or(Unreadable)
    }

    /// An amount in cents; blank is 0. Errors: anything but digits.
    pub fn cents(&self, column: &Column) -> Result<i64, Unreadable> {
        self.number(column).and_then(|cents| i64::try_from(cents).map_err(|_| Unreadable))
    }

    /// A date of DDMMAAAA or DDMMAA; zeros and blanks are none. Errors: an impossible date.
    pub fn day(&self, column: &Column) -> Result<Option<NaiveDate>, Unreadable> {
        let text = self.text(column);
        if text.bytes().all(|byte| byte == b'0') {
            return Ok(None);
        }
        day_month_year(text).map(Some).ok_or(Unreadable)
    }

    /// A time of HHMMSS; `None` for zeros, blanks and what is no time: headers leave it out so.
    pub fn time(&self, column: &Column) -> Option<NaiveTime> {
        let text = self.text(column);
        let part = |from: usize, to: usize| digits(text.get(from..to)?);
        if text.len() != 6 || text.bytes().all(|byte| byte == b'0') {
            return None;
        }
        NaiveTime::from_hms_opt(part(0, 2)?, part(2, 4)?, part(4, 6)?)
    }

    /// A number that is equal for equal texts of positions `from` to `to`.
    pub fn print(&self, (from, to): (usize, usize)) -> u128 {
        key::hash(self.slice(from, to).as_bytes())
    }

    /// A date of AAAAMMDD; zeros and blanks are none. Errors: an impossible date.
    pub fn year_first_day(&self, column: &Column) -> Result<Option<NaiveDate>, Unreadable> {
        let text = self.text(column);
        if text.bytes().all(|byte| byte == b'0') {
            return Ok(None);
        }
        let part = |from: usize, to: usize| digits(text.get(from..to)?);
        let date = || NaiveDate::from_ymd_opt(i32::try_from(part(0, 4)?).ok()?, part(4, 6)?, part(6, 8)?);
        if text.len() == 8 { date().map(Some).ok_or(Unreadable) } else { Err(Unreadable) }
    }
}

/// A line without the blanks at its end, which are half of many a line: looked at sixteen at a time.
fn without_blanks(text: &str) -> &str {
    let mut kept = text.as_bytes();
    while let Some((before, _)) = kept.split_last_chunk().filter(|(_, end)| **end == [b' '; 16]) {
        kept = before;
    }
    let end = kept.iter().rposition(|byte| *byte != b' ').map_or(0, |last| last + 1);
    // A blank is one byte, so the text can be cut beside it.
    text.get(..end).unwrap_or(text)
}

/// As [`str::trim`] does with ASCII, by bytes and not by characters.
fn trimmed_ascii(text: &str) -> &str {
    let is_something = |byte: &u8| !matches!(byte, b' ' | b'\t'..=b'\r');
    let bytes = text.as_bytes();
    let end = bytes.iter().rposition(is_something).map_or(0, |last| last + 1);
    let kept = text.get(..end).unwrap_or_default();
    let begin = kept.bytes().position(|byte| is_something(&byte)).unwrap_or_default();
    kept.get(begin..).unwrap_or_default()
}

fn digits(text: &str) -> Option<u32> {
    if text.bytes().all(|byte| byte.is_ascii_digit()) { text.parse().ok() } else { None }
}

/// Two-digit years are 1980 to 2079: the layouts are no older and no title runs longer.
fn day_month_year(text: &str) -> Option<NaiveDate> {
    let (day, month) = (digits(text.get(..2)?)?, digits(text.get(2..4)?)?);
    let year = match (text.len(), digits(text.get(4..)?)?) {
        (8, year) => i32::try_from(year).ok()?,
        (6, year @ 80..) => 1900 + i32::try_from(year).ok()?,
        (6, year) => 2000 + i32::try_from(year).ok()?,
        _ => return None,
    };
    NaiveDate::from_ymd_opt(year, month, day).filter(|_| year >= 1980)
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::format;

    #[test]
    fn blanks_are_cut_by_bytes_as_they_are_by_characters() {
        for byte in 0..=127_u8 {
            let c = char::from(byte);
            for text in [format!("{c}"), format!("{c}a b{c}"), format!(" {c}a{c} "), format!("{c}{c} "), format!("a{c}{c}b")] {
                assert_eq!(trimmed_ascii(&text), text.trim(), "{text:?}");
            }
        }
        for blanks in 0..40 {
            let end = " ".repeat(blanks);
            let lines =
                [end.clone(), format!("a b{end}"), format!("{end}\u{e9}{end}"), format!("{end}\t{end}"), format!("a{end}\u{a0}{end}")];
            for text in lines {
                assert_eq!(without_blanks(&text), text.trim_end_matches(' '), "{text:?}");
            }
        }
    }
}
