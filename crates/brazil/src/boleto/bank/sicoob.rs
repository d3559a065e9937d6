//! Sicoob (756). Source: Sicoob, layout de cobrança.

use super::{InputFault, Issued, char_of, issued, padded};
use crate::check_digit::sicoob;
use alloc::string::String;

/// A title of Sicoob.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sicoob {
    /// Carteira, one digit.
    pub carteira: String,
    /// Cooperative, up to 4 digits.
    pub cooperative: String,
    /// Modality, up to 2 digits.
    pub modality: String,
    /// Client with its check digit, up to 7 digits.
    pub client: String,
    /// Nosso número without its check digit, up to 7 digits.
    pub number: String,
    /// Instalment, up to 3 digits: 001 for a single one.
    pub instalment: String,
}

impl Sicoob {
    pub(super) fn issue(&self) -> Result<Issued, InputFault> {
        let (carteira, cooperative) = (padded("carteira", &self.carteira, 1)?, padded("cooperative", &self.cooperative, 4)?);
        let (modality, client) = (padded("modality", &self.modality, 2)?, padded("client", &self.client, 7)?);
        let (number, instalment) = (padded("number", &self.number, 7)?, padded("instalment", &self.instalment, 3)?);
        // The check covers the client in ten digits.
        let check = sicoob(&[cooperative.as_slice(), &[0; 3], &client, &number].concat());
        issued(&[&carteira, &cooperative, &modality, &client, &number, &[check], &instalment], &number, Some(char_of(check)))
    }
}
