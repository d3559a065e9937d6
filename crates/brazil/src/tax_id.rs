//! CPF and CNPJ, the latter with letters since July 2026 (IN RFB 2.229/2024).
//!
//! Stored as upper-case text, never as an integer. Debug and Display print a mask; [`TaxId::reveal`] gives the text.

use crate::check_digit;
use alloc::{format, string::String, vec::Vec};
use core::fmt;

/// Person or company.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum TaxIdKind {
    /// Natural person: 11 digits.
    Cpf,
    /// Company: 12 of `0-9 A-Z` and 2 digits.
    Cnpj,
}

/// A CPF or CNPJ whose check digits are right.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TaxId {
    kind: TaxIdKind,
    text: String,
}

/// Why a text is no tax id.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum TaxIdFault {
    /// Nothing but blanks and punctuation.
    #[error("tax id is empty")]
    Empty,
    /// Neither 11 nor 14 characters after the punctuation is taken away.
    #[error("tax id has {0} characters, not 11 (CPF) or 14 (CNPJ)")]
    Length(usize),
    /// A character that its position does not allow.
    #[error("tax id has a character that is not allowed there")]
    Character,
    /// One digit repeated: right by arithmetic, never issued.
    #[error("tax id repeats one digit")]
    Repeated,
    /// A check digit is wrong.
    #[error("tax id check digits are wrong")]
    CheckDigit,
}

impl TaxIdFault {
    /// Stable name of the refusal.
    pub fn slug(self) -> &'static str {
        match self {
            TaxIdFault::Empty => "tax_id_empty",
            TaxIdFault::Length(_) => "tax_id_length",
            TaxIdFault::Character => "tax_id_character",
            TaxIdFault::Repeated => "tax_id_repeated",
            TaxIdFault::CheckDigit => "tax_id_check_digit",
        }
    }
}

impl TaxId {
    /// Reads a CPF (11) or CNPJ (14), with or without its mask, in either case. Errors: [`TaxIdFault`].
    pub fn parse(text: &str) -> Result<Self, TaxIdFault> {
        let kept: Vec<char> = text.chars().filter(|c| !matches!(c, '.' | '-' | '/') && !c.is_whitespace()).collect();
        match kept.len() {
            0 => Err(TaxIdFault::Empty),
            11 => Self::checked(TaxIdKind::Cpf, &kept),
            14 => Self::checked(TaxIdKind::Cnpj, &kept),
            other => Err(TaxIdFault::Length(other)),
        }
    }

    /// Reads the number of a bank file: zeros on the left where the field is wider than the number.
    /// `kind` is what the file says of it (1 = CPF, 2 = CNPJ).
    pub fn from_padded(kind: TaxIdKind, field: &str) -> Result<Self, TaxIdFault> {
        let size = kind.size();
        let field = field.trim();
        let surplus = field.len().saturating_sub(size);
        match field.get(..surplus) {
            Some(zeros) if zeros.bytes().all(|byte| byte == b'0') => {}
            _ => return Err(TaxIdFault::Length(field.chars().count())),
        }
        let kept: Vec<char> = field.get(surplus..).unwrap_or("").chars().collect();
        if kept.is_empty() {
            return Err(TaxIdFault::Empty);
        }
        if kept.len() == size { Self::checked(kind, &kept) } else { Err(TaxIdFault::Length(kept.len())) }
    }

    fn checked(kind: TaxIdKind, kept: &[char]) -> Result<Self, TaxIdFault> {
        let text: String = kept.iter().map(char::to_ascii_uppercase).collect();
        let base = kind.size() - 2;
        let allowed =
            |(index, byte): (usize, u8)| byte.is_ascii_digit() || (kind == TaxIdKind::Cnpj && index < base && byte.is_ascii_uppercase());
        if !text.bytes().enumerate().all(allowed) {
            return Err(TaxIdFault::Character);
        }
        if text.bytes().all(|byte| Some(byte) == text.bytes().next()) {
            return Err(TaxIdFault::Repeated);
        }
        let bytes = text.as_bytes();
        let (first, second) = (kind.digit(&bytes[..base]), kind.digit(&bytes[..=base]));
        if bytes.ends_with(&[first, second]) { Ok(Self { kind, text }) } else { Err(TaxIdFault::CheckDigit) }
    }

    /// Whose it is.
    pub fn kind(&self) -> TaxIdKind {
        self.kind
    }

    /// The 11 or 14 characters; call it only where they are handed to their reader.
    pub fn reveal(&self) -> &str {
        &self.text
    }

    /// With punctuation, in full: `133.782.710-00`, `12.ABC.345/01DE-35`. As confidential as [`TaxId::reveal`].
    pub fn formatted(&self) -> String {
        let part = |from: usize, until: usize| self.text.get(from..until).unwrap_or("");
        match self.kind {
            TaxIdKind::Cpf => format!("{}.{}.{}-{}", part(0, 3), part(3, 6), part(6, 9), part(9, 11)),
            TaxIdKind::Cnpj => format!("{}.{}.{}/{}-{}", part(0, 2), part(2, 5), part(5, 8), part(8, 12), part(12, 14)),
        }
    }

    /// The eight characters that all branches of a company share; `None` for a person.
    pub fn root(&self) -> Option<&str> {
        (self.kind == TaxIdKind::Cnpj).then(|| self.text.get(..8)).flatten()
    }
}

impl TaxIdKind {
    /// Characters without punctuation.
    pub fn size(self) -> usize {
        match self {
            TaxIdKind::Cpf => 11,
            TaxIdKind::Cnpj => 14,
        }
    }

    /// CPF weighs 2, 3, 4 .. without end, CNPJ 2..9 in turns; a character is worth its ASCII code less 48.
    fn digit(self, bytes: &[u8]) -> u8 {
        let cycle = match self {
            TaxIdKind::Cpf => 10,
            TaxIdKind::Cnpj => 8,
        };
        let weighted = |(index, byte): (usize, &u8)| (usize::from(byte.saturating_sub(b'0'))) * (index % cycle + 2);
        let rest = bytes.iter().rev().enumerate().map(weighted).sum::<usize>() % 11;
        if rest < 2 { b'0' } else { u8::try_from(11 - rest).map_or(b'0', |digit| b'0' + digit) }
    }
}

impl fmt::Display for TaxId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.kind {
            TaxIdKind::Cpf => write!(f, "***.***.{}-**", self.text.get(6..9).unwrap_or("***")),
            TaxIdKind::Cnpj => write!(f, "**.***.***/{}-**", self.text.get(8..12).unwrap_or("****")),
        }
    }
}

impl fmt::Debug for TaxId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "TaxId({self})")
    }
}

/// Check digits of a base (9 digits, or 12 characters), for whoever makes test numbers; `None` for any other text.
pub fn check_digits_of(base: &str) -> Option<String> {
    let kind = match base.len() {
        9 if check_digit::values(base).is_some() => TaxIdKind::Cpf,
        12 if base.bytes().all(|byte| byte.is_ascii_digit() || byte.is_ascii_uppercase()) => TaxIdKind::Cnpj,
        _ => return None,
    };
    let mut bytes = base.as_bytes().to_vec();
    let first = kind.digit(&bytes);
    bytes.push(first);
    Some(format!("{}{}", char::from(first), char::from(kind.digit(&bytes))))
}
