//! Sicredi (748). Source: Sicredi, manual CNAB 400, Aug-2019, 10.7 and 10.8.

use super::{InputFault, Issued, char_of, issued, padded};
use crate::check_digit::mod11;
use alloc::string::String;

/// A title of Sicredi.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sicredi {
    /// Kind of collection, one digit: 1 registered, 3 not.
    pub kind: String,
    /// Carteira, one digit: 1.
    pub carteira: String,
    /// Cooperative, up to 4 digits.
    pub cooperative: String,
    /// Posto, up to 2 digits.
    pub post: String,
    /// Beneficiary, up to 5 digits.
    pub beneficiary: String,
    /// Last two digits of the year of issue.
    pub year: String,
    /// Byte: 1 where the cooperative numbers, 2 to 9 where the beneficiary does.
    pub byte: String,
    /// Sequence, up to 5 digits.
    pub sequence: String,
}

impl Sicredi {
    pub(super) fn issue(&self, has_amount: bool) -> Result<Issued, InputFault> {
        let place =
            [padded("cooperative", &self.cooperative, 4)?, padded("post", &self.post, 2)?, padded("beneficiary", &self.beneficiary, 5)?]
                .concat();
        let base = [padded("year", &self.year, 2)?, padded("byte", &self.byte, 1)?, padded("sequence", &self.sequence, 5)?].concat();
        let check = mod11(&[place.as_slice(), &base].concat());
        let kind = [padded("kind", &self.kind, 1)?, padded("carteira", &self.carteira, 1)?].concat();
        let campo = [kind.as_slice(), &base, &[check], &place, &[u8::from(has_amount), 0]].concat();
        issued(&[&campo, &[mod11(&campo)]], &base, Some(char_of(check)))
    }
}
