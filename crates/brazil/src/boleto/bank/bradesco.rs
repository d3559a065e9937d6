//! Bradesco (237). Source: Bradesco, manual CNAB 400.

use super::{InputFault, Issued, issued, padded};
use crate::check_digit::bradesco;
use alloc::string::String;

/// A title of Bradesco.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Bradesco {
    /// Agency, up to 4 digits, without its check digit.
    pub agency: String,
    /// Account, up to 7 digits, without its check digit.
    pub account: String,
    /// Carteira, up to 2 digits.
    pub carteira: String,
    /// Nosso número without its check digit, up to 11 digits.
    pub number: String,
}

impl Bradesco {
    pub(super) fn issue(&self) -> Result<Issued, InputFault> {
        let (agency, account) = (padded("agency", &self.agency, 4)?, padded("account", &self.account, 7)?);
        let (carteira, number) = (padded("carteira", &self.carteira, 2)?, padded("number", &self.number, 11)?);
        let check = bradesco(&[carteira.as_slice(), &number].concat());
        issued(&[&agency, &carteira, &number, &account, &[0]], &number, Some(check))
    }
}
