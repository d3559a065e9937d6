//! Amounts and percentages as Pix writes them: `\d{1,10}\.\d{2}`.

use alloc::{format, string::String};

/// Largest value: ten digits and two decimals.
pub const MAX_HUNDREDTHS: u64 = 999_999_999_999;

/// Hundredths (cents, or hundredths of a percent) of a text of one to ten digits, a dot and two digits; else `None`.
pub fn parse_decimal(text: &str) -> Option<u64> {
    let (whole, decimals) = text.split_once('.')?;
    let digits = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
    if !(1..=10).contains(&whole.len()) || decimals.len() != 2 || !digits(whole) || !digits(decimals) {
        return None;
    }
    Some(whole.parse::<u64>().ok()? * 100 + decimals.parse::<u64>().ok()?)
}

/// The text of hundredths; `None` past ten digits before the dot.
pub fn decimal_text(hundredths: u64) -> Option<String> {
    (hundredths <= MAX_HUNDREDTHS).then(|| format!("{}.{:02}", hundredths / 100, hundredths % 100))
}
