//! Campo livre and nosso número, bank by bank. One file per layout; sources are the banks' own manuals.
//!
//! Nubank (260) has no public layout: its slips come from the provider's API and are only read here.

mod banco_do_brasil;
mod bradesco;
mod caixa;
mod inter;
mod itau;
mod read;
mod santander;
mod sicoob;
mod sicredi;

pub use banco_do_brasil::{BancoDoBrasil, BbNumber};
pub use bradesco::Bradesco;
pub use caixa::Caixa;
pub use inter::Inter;
pub use itau::Itau;
pub use santander::Santander;
pub use sicoob::Sicoob;
pub use sicredi::Sicredi;

pub(in crate::boleto) use read::nosso_numero;

use super::typed::text_of;
use crate::check_digit::values;
use alloc::{string::String, vec::Vec};
use core::fmt;

/// A title with what its bank's layout asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum BankTitle {
    /// 001.
    BancoDoBrasil(BancoDoBrasil),
    /// 033.
    Santander(Santander),
    /// 077.
    Inter(Inter),
    /// 104, SIGCB.
    Caixa(Caixa),
    /// 237.
    Bradesco(Bradesco),
    /// 341.
    Itau(Itau),
    /// 748.
    Sicredi(Sicredi),
    /// 756.
    Sicoob(Sicoob),
}

impl BankTitle {
    /// COMPE code.
    pub fn bank(&self) -> u16 {
        match self {
            BankTitle::BancoDoBrasil(_) => 1,
            BankTitle::Santander(_) => 33,
            BankTitle::Inter(_) => 77,
            BankTitle::Caixa(_) => 104,
            BankTitle::Bradesco(_) => 237,
            BankTitle::Itau(_) => 341,
            BankTitle::Sicredi(_) => 748,
            BankTitle::Sicoob(_) => 756,
        }
    }

    /// Campo livre and nosso número. The amount matters to Sicredi only, which marks whether there is one.
    /// Errors: [`InputFault`].
    pub fn issue(&self, amount_cents: u64) -> Result<Issued, InputFault> {
        match self {
            BankTitle::BancoDoBrasil(title) => title.issue(),
            BankTitle::Santander(title) => title.issue(),
            BankTitle::Inter(title) => title.issue(),
            BankTitle::Caixa(title) => title.issue(),
            BankTitle::Bradesco(title) => title.issue(),
            BankTitle::Itau(title) => title.issue(),
            BankTitle::Sicredi(title) => title.issue(amount_cents > 0),
            BankTitle::Sicoob(title) => title.issue(),
        }
    }
}

/// What a bank's layout makes of a title.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Issued {
    /// Values of the 25 digits.
    pub campo_livre: [u8; 25],
    /// The bank's number of the title.
    pub nosso_numero: NossoNumero,
}

/// The bank's number of a title, with its check digit where the layout has one.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct NossoNumero {
    /// Digits, zeros on the left kept.
    pub number: String,
    /// Check digit: `0` to `9`, `X` (Banco do Brasil) or `P` (Bradesco).
    pub check: Option<char>,
}

impl fmt::Display for NossoNumero {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.check {
            Some(check) => write!(f, "{}-{check}", self.number),
            None => f.write_str(&self.number),
        }
    }
}

/// A field of a title that does not fit its layout.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum InputFault {
    /// Not digits only.
    #[error("{field} is not digits only")]
    NotDigits {
        /// Its name.
        field: &'static str,
    },
    /// More digits than the layout has room for.
    #[error("{field} has {digits} digits, the layout has {max}")]
    TooLong {
        /// Its name.
        field: &'static str,
        /// Digits found.
        digits: usize,
        /// Digits that fit.
        max: usize,
    },
    /// A value that the layout does not know.
    #[error("{field} has a value that the layout does not know")]
    Value {
        /// Its name.
        field: &'static str,
    },
}

impl InputFault {
    /// Stable name of the refusal.
    pub fn slug(&self) -> &'static str {
        match self {
            InputFault::NotDigits { .. } => "boleto_field_not_digits",
            InputFault::TooLong { .. } => "boleto_field_too_long",
            InputFault::Value { .. } => "boleto_field_value",
        }
    }
}

/// `text` as `size` digit values, zeros on the left. An empty text is a fault: no field of a layout may be left out.
fn padded(field: &'static str, text: &str, size: usize) -> Result<Vec<u8>, InputFault> {
    let found = values(text).filter(|found| !found.is_empty()).ok_or(InputFault::NotDigits { field })?;
    if found.len() > size {
        return Err(InputFault::TooLong { field, digits: found.len(), max: size });
    }
    let mut out = alloc::vec![0; size - found.len()];
    out.extend(found);
    Ok(out)
}

/// The parts one after another; a layout whose parts are not 25 digits is a fault of this crate, kept from panicking.
fn issued(parts: &[&[u8]], number: &[u8], check: Option<char>) -> Result<Issued, InputFault> {
    let campo_livre = parts.concat().try_into().map_err(|_| InputFault::Value { field: "campo_livre" })?;
    Ok(Issued { campo_livre, nosso_numero: NossoNumero { number: text_of(number), check } })
}

/// A digit value as a character.
fn char_of(digit: u8) -> char {
    char::from(b'0' + digit % 10)
}
