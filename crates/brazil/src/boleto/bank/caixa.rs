//! Caixa (104), SIGCB. Source: Caixa, SIGCB annexes III, IV and VI. SINCO slips are read, never issued.

use super::{InputFault, Issued, char_of, issued, padded};
use crate::check_digit::mod11;
use alloc::string::String;

/// Registered, issued by the beneficiary.
const OWN_ISSUE: &str = "14";

/// A title of Caixa.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Caixa {
    /// Beneficiary, up to 6 digits, without its check digit.
    pub beneficiary: String,
    /// Nosso número: up to 15 digits (14, registered and own issue, is put in front), or 17 with its prefix (14 or 24).
    pub number: String,
}

impl Caixa {
    pub(super) fn issue(&self) -> Result<Issued, InputFault> {
        let beneficiary = padded("beneficiary", &self.beneficiary, 6)?;
        let number = match self.number.len() {
            17 => padded("number", &self.number, 17)?,
            _ => [padded("prefix", OWN_ISSUE, 2)?, padded("number", &self.number, 15)?].concat(),
        };
        // 1 = registered, 2 = not; 4 = the beneficiary prints it, 1 = Caixa does.
        if !matches!(number[..2], [1 | 2, 1 | 4]) {
            return Err(InputFault::Value { field: "number" });
        }
        let mut campo = [beneficiary.as_slice(), &[mod11(&beneficiary)]].concat();
        for part in [&number[2..5], &number[..1], &number[5..8], &number[1..2], &number[8..]] {
            campo.extend_from_slice(part);
        }
        let check = mod11(&campo);
        issued(&[&campo, &[check]], &number, Some(char_of(mod11(&number))))
    }
}
