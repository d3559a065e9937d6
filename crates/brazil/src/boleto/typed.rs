//! Reading what people paste: bar code or typed line, with dots, blanks and hyphens.

use super::{Arrecadacao, Boleto, Fault, Faults};
use alloc::{string::String, vec::Vec};

/// Most characters that are looked at: four times the longest line with its mask.
const MAX_CHARS: usize = 240;

/// Either kind of slip.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Slip {
    /// A bank slip.
    Bank(Boleto),
    /// An arrecadação slip (utilities, taxes).
    Arrecadacao(Arrecadacao),
}

/// Reads a bar code (44 digits) or typed line (47 bank, 48 arrecadação), masks and blanks left out.
/// Errors say every field and check digit that is wrong, see [`Fault`].
pub fn parse(text: &str) -> Result<Slip, Faults> {
    let digits = digits_of(text)?;
    let arrecadacao = digits.first() == Some(&8);
    match (digits.len(), arrecadacao) {
        (44, false) => Boleto::from_digits(&digits).map(Slip::Bank),
        (47, false) => Boleto::from_line_digits(&digits).map(Slip::Bank),
        (44, true) => Arrecadacao::from_digits(&digits).map(Slip::Arrecadacao),
        (48, true) => Arrecadacao::from_line_digits(&digits).map(Slip::Arrecadacao),
        (found, true) => Err(Fault::Length { digits: found, expected: 48 }.into()),
        (found, false) => Err(Fault::Length { digits: found, expected: 47 }.into()),
    }
}

/// Values of the digits in `text`; masks are skipped, anything else is a fault with its position.
pub(super) fn digits_of(text: &str) -> Result<Vec<u8>, Faults> {
    let mut digits = Vec::with_capacity(48);
    for (index, c) in text.chars().enumerate() {
        if index >= MAX_CHARS {
            return Err(Fault::Length { digits: text.chars().filter(char::is_ascii_digit).count(), expected: 47 }.into());
        }
        match c {
            '0'..='9' => digits.push(c as u8 - b'0'),
            '.' | '-' | '/' | '_' | '|' | '\u{200b}' | '\u{feff}' | '\u{2010}'..='\u{2015}' => {}
            _ if c.is_whitespace() => {}
            _ => return Err(Fault::Character { position: index + 1, found: c }.into()),
        }
    }
    Ok(digits)
}

/// Digit values as text.
pub(super) fn text_of(digits: &[u8]) -> String {
    digits.iter().map(|digit| char::from(b'0' + digit % 10)).collect()
}

/// Digit values as a number; at most 18 digits.
pub(super) fn number_of(digits: &[u8]) -> u64 {
    digits.iter().fold(0, |number, digit| number * 10 + u64::from(*digit))
}

/// `number` as `N` digit values, its lowest where it has more.
pub(super) fn digits_from<const N: usize>(number: u64) -> [u8; N] {
    let mut digits = [0; N];
    let mut rest = number;
    for slot in digits.iter_mut().rev() {
        *slot = u8::try_from(rest % 10).unwrap_or(0);
        rest /= 10;
    }
    digits
}
