//! Itaú (341). Source: Itaú, Mar-2015, annexes 2 to 4.

use super::{InputFault, Issued, char_of, issued, padded};
use crate::check_digit::mod10;
use alloc::string::String;

/// Carteiras whose DAC covers carteira and number only.
const SHORT_DAC: [&str; 5] = ["126", "131", "146", "150", "168"];
/// Carteiras with the payer's own number and the client in the campo livre.
const WITH_OWN_NUMBER: [&str; 6] = ["107", "122", "142", "143", "196", "198"];

/// A title of Itaú.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Itau {
    /// Agency, up to 4 digits.
    pub agency: String,
    /// Account, up to 5 digits, without its check digit.
    pub account: String,
    /// The account's real check digit, one digit, as the bank gave it: it is not always the computed one.
    pub account_digit: String,
    /// Carteira, 3 digits.
    pub carteira: String,
    /// Nosso número without its DAC, up to 8 digits.
    pub number: String,
    /// Seu número, up to 7 digits; only for carteiras 107, 122, 142, 143, 196 and 198.
    pub own_number: String,
    /// Client, up to 5 digits; only for the same carteiras.
    pub client: String,
}

impl Itau {
    pub(super) fn issue(&self) -> Result<Issued, InputFault> {
        let (agency, account) = (padded("agency", &self.agency, 4)?, padded("account", &self.account, 5)?);
        let (carteira, number) = (padded("carteira", &self.carteira, 3)?, padded("number", &self.number, 8)?);
        let own = [carteira.as_slice(), &number].concat();
        let dac =
            if SHORT_DAC.contains(&self.carteira.as_str()) { mod10(&own) } else { mod10(&[agency.as_slice(), &account, &own].concat()) };
        if WITH_OWN_NUMBER.contains(&self.carteira.as_str()) {
            let (own_number, client) = (padded("own_number", &self.own_number, 7)?, padded("client", &self.client, 5)?);
            let covered = [own.as_slice(), &own_number, &client].concat();
            return issued(&[&covered, &[mod10(&covered), 0]], &number, Some(char_of(dac)));
        }
        let account_digit = padded("account_digit", &self.account_digit, 1)?;
        issued(&[&own, &[dac], &agency, &account, &account_digit, &[0; 3]], &number, Some(char_of(dac)))
    }
}
