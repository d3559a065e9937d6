//! Banco do Brasil (001): layout by the size of the agreement. Source: BB, Jan-2016, annexes IV to VI.

use super::{InputFault, Issued, issued, padded};
use crate::check_digit::banco_do_brasil;
use alloc::{string::String, vec::Vec};

/// A title of Banco do Brasil.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BancoDoBrasil {
    /// Agreement and number.
    pub number: BbNumber,
    /// Agency, up to 4 digits, without its check digit. Only for agreements of 4 and 6 digits.
    pub agency: String,
    /// Account, up to 8 digits, without its check digit. Only for agreements of 4 and 6 digits.
    pub account: String,
    /// Carteira, up to 2 digits.
    pub carteira: String,
}

/// How the agreement numbers its titles.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum BbNumber {
    /// Agreement of 7 (or 8) digits: 17 digits in all, no check digit. `sequence` fills what the agreement leaves.
    Seven {
        /// 7 or 8 digits.
        agreement: String,
        /// Up to 10 (or 9) digits.
        sequence: String,
    },
    /// The 17 digits themselves, as the bank returned them.
    Seventeen(String),
    /// Agreement of 6 digits and 5 of sequence.
    Six {
        /// Up to 6 digits.
        agreement: String,
        /// Up to 5 digits.
        sequence: String,
    },
    /// Agreement of 4 digits and 7 of sequence.
    Four {
        /// Up to 4 digits.
        agreement: String,
        /// Up to 7 digits.
        sequence: String,
    },
    /// Agreement of 6 digits with a free number of 17, unregistered titles only.
    SixFree {
        /// Up to 6 digits.
        agreement: String,
        /// Up to 17 digits.
        number: String,
    },
}

impl BancoDoBrasil {
    pub(super) fn issue(&self) -> Result<Issued, InputFault> {
        match &self.number {
            BbNumber::Seven { agreement, sequence } => {
                if !matches!(agreement.len(), 7 | 8) {
                    return Err(InputFault::Value { field: "agreement" });
                }
                let size = agreement.len();
                let number = [padded("agreement", agreement, size)?, padded("sequence", sequence, 17 - size)?].concat();
                self.seventeen(&number)
            }
            BbNumber::Seventeen(number) => self.seventeen(&padded("number", number, 17)?),
            BbNumber::Six { agreement, sequence } => self.short(padded("agreement", agreement, 6)?, &padded("sequence", sequence, 5)?),
            BbNumber::Four { agreement, sequence } => self.short(padded("agreement", agreement, 4)?, &padded("sequence", sequence, 7)?),
            BbNumber::SixFree { agreement, number } => {
                let (agreement, number) = (padded("agreement", agreement, 6)?, padded("number", number, 17)?);
                issued(&[&agreement, &number, &[2, 1]], &number, None)
            }
        }
    }

    fn seventeen(&self, number: &[u8]) -> Result<Issued, InputFault> {
        issued(&[&[0; 6], number, &padded("carteira", &self.carteira, 2)?], number, None)
    }

    fn short(&self, mut number: Vec<u8>, sequence: &[u8]) -> Result<Issued, InputFault> {
        number.extend_from_slice(sequence);
        let (agency, account) = (padded("agency", &self.agency, 4)?, padded("account", &self.account, 8)?);
        let carteira = padded("carteira", &self.carteira, 2)?;
        let check = banco_do_brasil(&number);
        issued(&[&number, &agency, &account, &carteira], &number, Some(check))
    }
}
