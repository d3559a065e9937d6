//! Inter (077). Source: Inter, manual de cobrança.

use super::{InputFault, Issued, char_of, issued, padded};
use crate::check_digit::mod10;
use alloc::string::String;

/// Inter has one agency.
const AGENCY: [u8; 4] = [0, 0, 0, 1];

/// A title of Inter.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Inter {
    /// Carteira, up to 3 digits: 112 (110 in tests).
    pub carteira: String,
    /// Operation, up to 7 digits.
    pub operation: String,
    /// Nosso número without its check digit, up to 10 digits.
    pub number: String,
}

impl Inter {
    pub(super) fn issue(&self) -> Result<Issued, InputFault> {
        let (carteira, operation) = (padded("carteira", &self.carteira, 3)?, padded("operation", &self.operation, 7)?);
        let number = padded("number", &self.number, 10)?;
        let check = mod10(&[&AGENCY, carteira.as_slice(), &number].concat());
        issued(&[&AGENCY, &carteira, &operation, &number, &[check]], &number, Some(char_of(check)))
    }
}
