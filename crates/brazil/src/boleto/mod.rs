//! Boletos: the bank slip (44-digit bar code, 47-digit typed line) and the arrecadação slip (44 and 48).
//!
//! [`parse`] reads what people paste. Everything printed and read here is digits; the general check digit of a slip
//! covers the campo livre, so a slip that parses is one that a bank's till would take.

pub mod arrecadacao;
pub mod bank;
pub mod bar;
pub mod due_factor;
mod fault;
mod slip;
mod typed;

pub use arrecadacao::Arrecadacao;
pub use bank::{BankTitle, InputFault, Issued, NossoNumero};
pub use due_factor::FactorFault;
pub use fault::{Fault, Faults};
pub use slip::{Boleto, BuildFault, MAX_AMOUNT_CENTS, MAX_AMOUNT_WITH_DUE_CENTS};
pub use typed::{Slip, parse};
