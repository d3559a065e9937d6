//! What is wrong with a bar code or a typed line.

use alloc::vec::Vec;
use core::fmt;

/// One thing that is wrong, and where.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Fault {
    /// Neither a digit nor a mask; positions count all characters from 1.
    #[error("character {found:?} at position {position} is no digit")]
    Character {
        /// Position in the text, from 1.
        position: usize,
        /// What stands there.
        found: char,
    },
    /// Not 44, 47 or 48 digits.
    #[error("{digits} digits in place of {expected}")]
    Length {
        /// Digits found.
        digits: usize,
        /// Digits that this kind of code has.
        expected: usize,
    },
    /// The first digit is not the product that the length promises (8 is arrecadação, and only it).
    #[error("product digit {found} does not fit this kind of code")]
    Product {
        /// First digit.
        found: u8,
    },
    /// Position 4 of a bank slip is not 9 (real).
    #[error("currency digit {found} is not 9 (real)")]
    Currency {
        /// Fourth digit.
        found: u8,
    },
    /// The check digit of field 1, 2 or 3 of a bank line, or of block 1 to 4 of an arrecadação line.
    #[error("check digit of field {field} is {stated}, computed {computed}")]
    FieldDigit {
        /// Field from 1.
        field: u8,
        /// As written.
        stated: u8,
        /// As it must be.
        computed: u8,
    },
    /// The general check digit (field 4 of a bank line, position 5 of its bar code; position 4 of arrecadação).
    #[error("general check digit is {stated}, computed {computed}")]
    GeneralDigit {
        /// As written.
        stated: u8,
        /// As it must be.
        computed: u8,
    },
    /// Position 2 of arrecadação names no segment.
    #[error("segment {found} does not exist")]
    Segment {
        /// Second digit.
        found: u8,
    },
    /// Position 3 of arrecadação is not 6, 7, 8 or 9.
    #[error("value identifier {found} is not 6, 7, 8 or 9")]
    ValueKind {
        /// Third digit.
        found: u8,
    },
}

impl Fault {
    /// Stable name of the refusal.
    pub fn slug(&self) -> &'static str {
        match self {
            Fault::Character { .. } => "boleto_character",
            Fault::Length { .. } => "boleto_length",
            Fault::Product { .. } => "boleto_product",
            Fault::Currency { .. } => "boleto_currency",
            Fault::FieldDigit { .. } => "boleto_field_digit",
            Fault::GeneralDigit { .. } => "boleto_general_digit",
            Fault::Segment { .. } => "boleto_segment",
            Fault::ValueKind { .. } => "boleto_value_kind",
        }
    }
}

/// Everything that is wrong with one code, in reading order; never empty.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Faults(Vec<Fault>);

impl Faults {
    /// `Ok` where nothing is wrong.
    pub(super) fn none(faults: Vec<Fault>) -> Result<(), Faults> {
        if faults.is_empty() { Ok(()) } else { Err(Faults(faults)) }
    }

    /// All of them, in reading order.
    pub fn all(&self) -> &[Fault] {
        &self.0
    }

    /// Stable name of the first.
    pub fn slug(&self) -> &'static str {
        self.0.first().map_or("boleto", Fault::slug)
    }
}

impl From<Fault> for Faults {
    fn from(fault: Fault) -> Self {
        Faults(alloc::vec![fault])
    }
}

impl fmt::Display for Faults {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, fault) in self.0.iter().enumerate() {
            write!(f, "{}{fault}", if index == 0 { "" } else { "; " })?;
        }
        Ok(())
    }
}

impl core::error::Error for Faults {}
