//! Santander (033). Source: Santander, layout de boleto, Jan-2017.

use super::{InputFault, Issued, char_of, issued, padded};
use crate::check_digit::mod11;
use alloc::string::String;

/// A title of Santander.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Santander {
    /// Beneficiary (PSK), up to 7 digits.
    pub beneficiary: String,
    /// Nosso número without its check digit, up to 12 digits.
    pub number: String,
    /// IOF code, one digit; 0 unless an insurer issues.
    pub iof: String,
    /// Carteira, up to 3 digits: 101 registered, 102, 201.
    pub carteira: String,
}

impl Santander {
    pub(super) fn issue(&self) -> Result<Issued, InputFault> {
        let beneficiary = padded("beneficiary", &self.beneficiary, 7)?;
        let number = padded("number", &self.number, 12)?;
        let (iof, carteira) = (padded("iof", &self.iof, 1)?, padded("carteira", &self.carteira, 3)?);
        let check = mod11(&number);
        issued(&[&[9], &beneficiary, &number, &[check], &iof, &carteira], &number, Some(char_of(check)))
    }
}
