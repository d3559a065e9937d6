//! Check digits of Brazilian codes.
//!
//! Every function takes digit *values* (0 to 9, most significant first); [`values`] makes them from text.
//! Sources: FEBRABAN bar code v4; manuals of the banks named at each function.

use alloc::vec::Vec;

/// Values of a text of ASCII digits; `None` if it has anything else.
pub fn values(text: &str) -> Option<Vec<u8>> {
    text.bytes().map(|byte| byte.is_ascii_digit().then(|| byte - b'0')).collect()
}

/// Sum with weights 2, 3 .. `max_weight`, 2 .. from the right.
fn weighted(digits: &[u8], max_weight: u32) -> u32 {
    let span = max_weight - 1;
    digits.iter().rev().zip((0..span).cycle()).fold(0, |sum, (digit, step)| (sum + u32::from(*digit) * (step + 2)) % 11)
}

/// A value below 10 as a digit.
fn digit(value: u32) -> u8 {
    u8::try_from(value % 10).unwrap_or(0)
}

/// Modulus 10: weights 2, 1 from the right, digits of each product added, `10 - sum mod 10`, 10 becomes 0.
/// Fields of the typed line (FEBRABAN), Itaú DAC, Inter nosso número.
pub fn mod10(digits: &[u8]) -> u8 {
    let sum = digits.iter().rev().zip([2u32, 1].iter().cycle()).fold(0, |sum, (value, weight)| {
        let product = u32::from(*value) * weight;
        (sum + product / 10 + product % 10) % 10
    });
    digit((10 - sum) % 10)
}

/// Modulus 11 with weights 2..9: rest 0 or 1 gives 0, else `11 - rest`.
/// Arrecadação (FEBRABAN v4), Santander nosso número, Caixa, Sicredi: their wordings differ, the result does not.
pub fn mod11(digits: &[u8]) -> u8 {
    match weighted(digits, 9) {
        0 | 1 => 0,
        rest => digit(11 - rest),
    }
}

/// General digit of a bank boleto: weights 2..9, `11 - rest`; a raw result of 0, 1, 10 or 11 becomes 1, so 0 never occurs.
pub fn boleto_general(digits: &[u8]) -> u8 {
    match 11 - weighted(digits, 9) {
        1 | 10 | 11 => 1,
        raw => digit(raw),
    }
}

/// Banco do Brasil nosso número (conv 4 and 6): weights 9..2 from the right, the rest itself, 10 is `X`.
pub fn banco_do_brasil(digits: &[u8]) -> char {
    let sum = digits.iter().rev().zip((2..=9u32).rev().cycle()).fold(0, |sum, (value, weight)| (sum + u32::from(*value) * weight) % 11);
    if sum == 10 { 'X' } else { char::from(b'0' + digit(sum)) }
}

/// Bradesco nosso número over carteira and number: weights 2..7, rest 1 is `P`, rest 0 is `0`, else `11 - rest`.
pub fn bradesco(digits: &[u8]) -> char {
    match weighted(digits, 7) {
        0 => '0',
        1 => 'P',
        rest => char::from(b'0' + digit(11 - rest)),
    }
}

/// Sicoob nosso número over cooperative (4), client (10) and number (7): constants 3, 1, 9, 7 from the left,
/// rest 0 or 1 gives 0, else `11 - rest`.
pub fn sicoob(digits: &[u8]) -> u8 {
    let rest = digits.iter().zip([3u32, 1, 9, 7].iter().cycle()).fold(0, |sum, (value, weight)| (sum + u32::from(*value) * weight) % 11);
    if rest < 2 { 0 } else { digit(11 - rest) }
}
