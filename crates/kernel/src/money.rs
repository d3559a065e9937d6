//! Money: integer minor units and an ISO 4217 currency.

use core::fmt;

/// Largest amount of one fact, in minor units: 2^53, past which a reader with doubles would lose cents.
pub const MAX_AMOUNT_MINOR: i64 = 1 << 53;

/// An ISO 4217 alphabetic code, upper case, three letters.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Currency([u8; 3]);

/// Currencies that a portfolio may use: all with two decimals, so that minor units are cents.
const KNOWN: &[&str] = &[
    "AED", "ALL", "AMD", "ANG", "AOA", "ARS", "AUD", "AWG", "AZN", "BAM", "BBD", "BDT", "BGN", "BMD", "BND", "BOB", "BRL", "BSD", "BWP",
    "BYN", "BZD", "CAD", "CHF", "CNY", "COP", "CRC", "CUP", "CVE", "CZK", "DKK", "DOP", "DZD", "EGP", "ETB", "EUR", "FJD", "GBP", "GEL",
    "GHS", "GTQ", "GYD", "HKD", "HNL", "HTG", "HUF", "IDR", "ILS", "INR", "JMD", "KES", "KHR", "KZT", "LKR", "MAD", "MDL", "MKD", "MMK",
    "MNT", "MOP", "MUR", "MXN", "MYR", "MZN", "NAD", "NGN", "NIO", "NOK", "NPR", "NZD", "PAB", "PEN", "PGK", "PHP", "PKR", "PLN", "QAR",
    "RON", "RSD", "RUB", "SAR", "SCR", "SEK", "SGD", "SRD", "STN", "THB", "TRY", "TTD", "TWD", "TZS", "UAH", "USD", "UYU", "UZS", "VES",
    "ZAR", "ZMW",
];

impl Currency {
    /// Real brasileiro, the default.
    pub const BRL: Currency = Currency(*b"BRL");

    /// A known currency by its code (exact, upper case); `None` for any other text.
    pub fn new(code: &str) -> Option<Self> {
        if !KNOWN.contains(&code) {
            return None;
        }
        code.as_bytes().try_into().ok().map(Currency)
    }

    /// The code.
    pub fn as_str(&self) -> &str {
        core::str::from_utf8(&self.0).unwrap_or("")
    }
}

impl fmt::Debug for Currency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl fmt::Display for Currency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// An amount in minor units of one currency.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Money {
    /// Minor units (cents).
    pub minor: i64,
    /// The currency.
    pub currency: Currency,
}

/// Why an amount is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum AmountFault {
    /// Zero or less.
    #[error("must be more than zero")]
    NotPositive,
    /// Past [`MAX_AMOUNT_MINOR`].
    #[error("is past 2^53 minor units")]
    TooLarge,
}

/// Checks the amount of a fact: more than zero, at most [`MAX_AMOUNT_MINOR`].
pub fn positive_minor(minor: i64) -> Result<i64, AmountFault> {
    if minor <= 0 {
        Err(AmountFault::NotPositive)
    } else if minor > MAX_AMOUNT_MINOR {
        Err(AmountFault::TooLarge)
    } else {
        Ok(minor)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_are_positive_and_bounded() {
        assert_eq!(positive_minor(1), Ok(1));
        assert_eq!(positive_minor(MAX_AMOUNT_MINOR), Ok(MAX_AMOUNT_MINOR));
        assert_eq!(positive_minor(0), Err(AmountFault::NotPositive));
        assert_eq!(positive_minor(-5), Err(AmountFault::NotPositive));
        assert_eq!(positive_minor(MAX_AMOUNT_MINOR + 1), Err(AmountFault::TooLarge));
    }

    #[test]
    fn only_known_codes_are_currencies() {
        assert_eq!(Currency::new("BRL"), Some(Currency::BRL));
        assert_eq!(Currency::new("brl"), None);
        assert_eq!(Currency::new("JPY"), None, "has no cents");
        assert_eq!(Currency::new("XXX"), None);
    }
}
