//! Arrecadação: slips of utilities, city halls and government. Bar code of 44 digits that begins with 8, line of 48.
//!
//! Source: FEBRABAN, layout padrão de arrecadação com código de barras, v4. Strict: a value identifier outside 6 to 9
//! (older than v4) is refused.

use super::typed::{digits_from, digits_of, number_of, text_of};
use super::{Fault, Faults};
use crate::check_digit::{mod10, mod11};
use alloc::{format, string::String, vec::Vec};
use core::fmt;
use kernel::NaiveDate;

/// Largest value: eleven digits.
pub const MAX_VALUE: u64 = 99_999_999_999;

/// Who collects.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Segment {
    /// 1, city halls.
    CityHall,
    /// 2, water and sewage.
    Water,
    /// 3, electricity and gas.
    Energy,
    /// 4, telecommunications.
    Telecom,
    /// 5, government bodies.
    Government,
    /// 6, companies identified by the root of their CNPJ.
    OthersByCnpj,
    /// 7, traffic fines.
    TrafficFines,
    /// 9, for the bank's own use.
    Bank,
}

impl Segment {
    const ALL: [(u8, Segment); 8] = [
        (1, Segment::CityHall),
        (2, Segment::Water),
        (3, Segment::Energy),
        (4, Segment::Telecom),
        (5, Segment::Government),
        (6, Segment::OthersByCnpj),
        (7, Segment::TrafficFines),
        (9, Segment::Bank),
    ];

    fn of(digit: u8) -> Option<Self> {
        Self::ALL.iter().find(|(code, _)| *code == digit).map(|(_, segment)| *segment)
    }

    /// Digit of position 2.
    pub fn digit(self) -> u8 {
        Self::ALL.iter().find(|(_, segment)| *segment == self).map_or(0, |(code, _)| *code)
    }
}

/// What the eleven value digits are, and which modulus checks the code (position 3).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ValueKind {
    /// 6: cents of BRL, modulus 10.
    CentsMod10,
    /// 7: a quantity of a reference unit, modulus 10.
    ReferenceMod10,
    /// 8: cents of BRL, modulus 11.
    CentsMod11,
    /// 9: a quantity of a reference unit, modulus 11.
    ReferenceMod11,
}

impl ValueKind {
    fn of(digit: u8) -> Option<Self> {
        Some(match digit {
            6 => ValueKind::CentsMod10,
            7 => ValueKind::ReferenceMod10,
            8 => ValueKind::CentsMod11,
            9 => ValueKind::ReferenceMod11,
            _ => return None,
        })
    }

    /// Digit of position 3.
    pub fn digit(self) -> u8 {
        match self {
            ValueKind::CentsMod10 => 6,
            ValueKind::ReferenceMod10 => 7,
            ValueKind::CentsMod11 => 8,
            ValueKind::ReferenceMod11 => 9,
        }
    }
}

/// The check digit that position 3 asks for: 8 and 9 use modulus 11, all else modulus 10.
fn check_digit(value_kind: u8, digits: &[u8]) -> u8 {
    if matches!(value_kind, 8 | 9) { mod11(digits) } else { mod10(digits) }
}

/// An arrecadação slip whose check digits are right.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Arrecadacao {
    /// Values 0 to 9; position 4 holds the general digit.
    digits: [u8; 44],
}

impl Arrecadacao {
    /// Makes a slip. `tail` is company and free field, 29 digits: company 4 and free 25, or CNPJ root 8 and free 21.
    /// `None` where `value` is past [`MAX_VALUE`] or `tail` is not 29 digits.
    pub fn new(segment: Segment, kind: ValueKind, value: u64, tail: &str) -> Option<Self> {
        let tail: [u8; 29] = crate::check_digit::values(tail)?.try_into().ok()?;
        if value > MAX_VALUE {
            return None;
        }
        let mut digits = [0; 44];
        (digits[0], digits[1], digits[2]) = (8, segment.digit(), kind.digit());
        digits[4..15].copy_from_slice(&digits_from::<11>(value));
        digits[15..].copy_from_slice(&tail);
        let mut slip = Self { digits };
        slip.digits[3] = slip.computed_general();
        Some(slip)
    }

    /// Reads a bar code; masks and blanks are skipped. Errors name every fault.
    pub fn from_barcode(text: &str) -> Result<Self, Faults> {
        Self::from_digits(&digits_of(text)?)
    }

    /// Reads a typed line; masks and blanks are skipped. Errors name every fault.
    pub fn from_line(text: &str) -> Result<Self, Faults> {
        Self::from_line_digits(&digits_of(text)?)
    }

    pub(super) fn from_digits(digits: &[u8]) -> Result<Self, Faults> {
        let Ok(digits) = <[u8; 44]>::try_from(digits) else {
            return Err(Fault::Length { digits: digits.len(), expected: 44 }.into());
        };
        let slip = Self { digits };
        Faults::none(slip.faults())?;
        Ok(slip)
    }

    pub(super) fn from_line_digits(line: &[u8]) -> Result<Self, Faults> {
        if line.len() != 48 {
            return Err(Fault::Length { digits: line.len(), expected: 48 }.into());
        }
        let mut faults = Vec::new();
        let mut digits = [0; 44];
        for ((field, block), target) in (1u8..).zip(line.chunks_exact(12)).zip(digits.chunks_exact_mut(11)) {
            let computed = check_digit(line[2], &block[..11]);
            if block[11] != computed {
                faults.push(Fault::FieldDigit { field, stated: block[11], computed });
            }
            target.copy_from_slice(&block[..11]);
        }
        let slip = Self { digits };
        faults.extend(slip.faults());
        Faults::none(faults)?;
        Ok(slip)
    }

    fn faults(&self) -> Vec<Fault> {
        let mut faults = Vec::new();
        if self.digits[0] != 8 {
            faults.push(Fault::Product { found: self.digits[0] });
        }
        if Segment::of(self.digits[1]).is_none() {
            faults.push(Fault::Segment { found: self.digits[1] });
        }
        if ValueKind::of(self.digits[2]).is_none() {
            faults.push(Fault::ValueKind { found: self.digits[2] });
        }
        let (stated, computed) = (self.digits[3], self.computed_general());
        if stated != computed {
            faults.push(Fault::GeneralDigit { stated, computed });
        }
        faults
    }

    fn computed_general(&self) -> u8 {
        let mut covered = [0; 43];
        covered[..3].copy_from_slice(&self.digits[..3]);
        covered[3..].copy_from_slice(&self.digits[4..]);
        check_digit(self.digits[2], &covered)
    }

    /// Who collects.
    pub fn segment(&self) -> Segment {
        Segment::of(self.digits[1]).unwrap_or(Segment::Bank)
    }

    /// What the value digits are.
    pub fn value_kind(&self) -> ValueKind {
        ValueKind::of(self.digits[2]).unwrap_or(ValueKind::CentsMod10)
    }

    /// Amount in cents; `None` for an open value or one in a reference unit.
    pub fn amount_cents(&self) -> Option<u64> {
        match self.value_kind() {
            ValueKind::CentsMod10 | ValueKind::CentsMod11 => Some(number_of(&self.digits[4..15])).filter(|amount| *amount > 0),
            ValueKind::ReferenceMod10 | ValueKind::ReferenceMod11 => None,
        }
    }

    /// Who is paid: FEBRABAN's four digits, or the eight of the CNPJ root in segment 6.
    pub fn company(&self) -> String {
        text_of(&self.digits[15..self.free_from()])
    }

    /// The company's own digits: 25, or 21 in segment 6.
    pub fn free_field(&self) -> String {
        text_of(&self.digits[self.free_from()..])
    }

    fn free_from(&self) -> usize {
        if self.segment() == Segment::OthersByCnpj { 23 } else { 19 }
    }

    /// The date that the first eight digits of the free field make (AAAAMMDD, years 2000 to 2099). A hint: companies
    /// are free to put something else there.
    pub fn due_date_hint(&self) -> Option<NaiveDate> {
        let from = self.free_from();
        let part = |start: usize, size: usize| u32::try_from(number_of(&self.digits[from + start..from + start + size])).ok();
        let year = i32::try_from(part(0, 4)?).ok().filter(|year| (2000..=2099).contains(year))?;
        NaiveDate::from_ymd_opt(year, part(4, 2)?, part(6, 2)?)
    }

    /// The 44 digits of the bar code.
    pub fn barcode(&self) -> String {
        text_of(&self.digits)
    }

    /// The 48 digits of the typed line.
    pub fn line(&self) -> String {
        let blocks = self.digits.chunks_exact(11);
        blocks.map(|block| format!("{}{}", text_of(block), check_digit(self.digits[2], block))).collect()
    }

    /// The typed line as printed: four blocks `AAAAAAAAAAA-D`.
    pub fn printed_line(&self) -> String {
        let blocks = self.digits.chunks_exact(11).map(|block| format!("{}-{}", text_of(block), check_digit(self.digits[2], block)));
        blocks.collect::<Vec<_>>().join(" ")
    }
}

impl fmt::Debug for Arrecadacao {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Arrecadacao({})", self.barcode())
    }
}

impl fmt::Display for Arrecadacao {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.printed_line())
    }
}
