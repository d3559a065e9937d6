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
        let kept = text.trim_end_matches(' ');
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
        self.run(column).trim()
    }

    /// A column of digits; blank is 0. Errors: anything else.
    pub fn number(&self, column: &Column) -> Result<u64, Unreadable> {
        let text = self.text(column);
        if text.is_empty() {
            return Ok(0);
        }
        if !text.bytes().all(|byte| byte.is_ascii_digit()) {
            return Err(Unreadable);
        }
        text.parse().map_err(|_| Unreadable)
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
