//! Brazilian instruments: tax ids, phones, places, boletos, Pix codes, late fees, contact hours, bank files.
//!
//! Pure: no IO, no clock, no randomness, no float. What comes from outside is checked at the door: bad input is an
//! error with a stable slug, never a panic and never half a value. Amounts are integer cents of BRL.
#![no_std]
#![warn(missing_docs)]
extern crate alloc;

pub mod ascii;
pub mod boleto;
pub mod cep;
pub mod charges;
pub mod check_digit;
pub mod cnab;
pub mod contact_window;
pub mod holiday;
pub mod phone;
pub mod pix;
pub mod place;
pub mod state;
pub mod tax_id;

pub use boleto::Arrecadacao;
pub use cep::Cep;
pub use holiday::LocalHolidays;
pub use kernel::{Calendar, NaiveDate};
pub use phone::Phone;
pub use place::{Municipality, Place};
pub use state::State;
pub use tax_id::TaxId;
