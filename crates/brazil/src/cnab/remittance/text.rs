//! One line being written.

use super::OrderFault;
use crate::ascii;
use crate::cnab::layout::{Column, Kind};
use alloc::{string::String, vec::Vec};
use chrono::Datelike;
use kernel::NaiveDate;

const BLANKS_BEHIND: (u8, bool) = (b' ', false);
const ZEROS_BEFORE: (u8, bool) = (b'0', true);

/// A record of 240 characters: zeros in numbers, blanks in text, fixed values in their places, until they are put.
pub(super) struct Line {
    bytes: Vec<u8>,
    /// First column that could not hold its value.
    fault: Option<OrderFault>,
}

impl Line {
    /// A record of a layout.
    pub fn of(layout: &[Column]) -> Self {
        let mut line = Self { bytes: alloc::vec![b' '; 240], fault: None };
        for column in layout {
            match column.kind {
                Kind::Number | Kind::Cents => line.put_number(column, 0),
                Kind::Text => {}
            }
            if !column.fixed.is_empty() {
                line.put_exact(column, column.fixed);
            }
        }
        line
    }

    /// Where a column is.
    fn place(&mut self, column: &Column) -> Option<&mut [u8]> {
        self.bytes.get_mut(column.from - 1..column.to)
    }

    /// Writes a text into its column, `fill` before it or behind it.
    fn write(&mut self, column: &Column, text: &str, (fill, is_right): (u8, bool)) {
        let place = self.place(column).filter(|place| text.len() <= place.len());
        let Some(place) = place else { return self.fail(OrderFault::TooWide(column.name)) };
        place.fill(fill);
        let begin = if is_right { place.len() - text.len() } else { 0 };
        place.iter_mut().skip(begin).zip(text.bytes()).for_each(|(byte, letter)| *byte = letter);
    }

    fn fail(&mut self, fault: OrderFault) {
        self.fault.get_or_insert(fault);
    }

    /// A number, zeros on the left.
    pub fn put_number(&mut self, column: &Column, number: u64) {
        let Some(place) = self.place(column) else { return self.fail(OrderFault::TooWide(column.name)) };
        let mut rest = number;
        for byte in place.iter_mut().rev() {
            // Below ten.
            *byte = b'0' + (rest % 10) as u8;
            rest /= 10;
        }
        if rest > 0 {
            self.fail(OrderFault::TooWide(column.name));
        }
    }

    /// An amount of at least zero.
    pub fn put_cents(&mut self, column: &Column, cents: i64) {
        match u64::try_from(cents) {
            Ok(cents) => self.put_number(column, cents),
            Err(_) => self.fail(OrderFault::Range(column.name)),
        }
    }

    /// A date as DDMMAAAA.
    pub fn put_day(&mut self, column: &Column, day: NaiveDate) {
        match u64::try_from(day.year()) {
            Ok(year @ ..=9999) if column.size() == 8 => {
                self.put_number(column, u64::from(day.day()) * 1_000_000 + u64::from(day.month()) * 10_000 + year);
            }
            _ => self.fail(OrderFault::TooWide(column.name)),
        }
    }

    /// Prose: upper-case ASCII, cut to the column.
    pub fn put_prose(&mut self, column: &Column, text: &str) {
        let text = ascii::plain_cut(text, column.size()).to_ascii_uppercase();
        self.write(column, &text, BLANKS_BEHIND);
    }

    /// A code: visible ASCII and blanks as they are, never cut; blanks on the right.
    pub fn put_exact(&mut self, column: &Column, text: &str) {
        if !text.bytes().all(|byte| byte == b' ' || byte.is_ascii_graphic()) {
            return self.fail(OrderFault::Text(column.name));
        }
        self.write(column, text, BLANKS_BEHIND);
    }

    /// A code of digits (or of a CNPJ with letters), zeros on the left.
    pub fn put_code(&mut self, column: &Column, text: &str) {
        if !text.bytes().all(|byte| byte.is_ascii_digit() || byte.is_ascii_uppercase()) {
            return self.fail(OrderFault::Text(column.name));
        }
        self.write(column, text, ZEROS_BEFORE);
    }

    /// One character.
    pub fn put_char(&mut self, column: &Column, c: char) {
        let mut buffer = [0; 4];
        self.put_exact(column, c.encode_utf8(&mut buffer));
    }

    /// The 240 characters. Errors: the first column that could not hold its value.
    pub fn finish(self) -> Result<String, OrderFault> {
        match self.fault {
            Some(fault) => Err(fault),
            None => String::from_utf8(self.bytes).map_err(|_| OrderFault::Text("line")),
        }
    }
}
