//! CEP, the postal code: eight digits. The state comes from the ranges of Correios.

use crate::State;
use alloc::{format, string::String};
use core::fmt;

/// A postal code that belongs to a state's range.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Cep(u32);

/// Why a text is no CEP.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum CepFault {
    /// Not `00000-000` or eight digits.
    #[error("cep is not eight digits")]
    Form,
    /// No state has this range (00000 to 00999).
    #[error("cep is in no state's range")]
    Range,
}

impl CepFault {
    /// Stable name of the refusal.
    pub fn slug(self) -> &'static str {
        match self {
            CepFault::Form => "cep_form",
            CepFault::Range => "cep_range",
        }
    }
}

/// Last five-digit prefix of each run, and whose it is.
const RANGES: &[(u32, State)] = &[
    (19_999, State::SP),
    (28_999, State::RJ),
    (29_999, State::ES),
    (39_999, State::MG),
    (48_999, State::BA),
    (49_999, State::SE),
    (56_999, State::PE),
    (57_999, State::AL),
    (58_999, State::PB),
    (59_999, State::RN),
    (63_999, State::CE),
    (64_999, State::PI),
    (65_999, State::MA),
    (68_899, State::PA),
    (68_999, State::AP),
    (69_299, State::AM),
    (69_399, State::RR),
    (69_899, State::AM),
    (69_999, State::AC),
    (72_799, State::DF),
    (72_999, State::GO),
    (73_699, State::DF),
    (76_799, State::GO),
    (76_999, State::RO),
    (77_999, State::TO),
    (78_899, State::MT),
    (78_999, State::RO),
    (79_999, State::MS),
    (87_999, State::PR),
    (89_999, State::SC),
    (99_999, State::RS),
];

impl Cep {
    /// Reads eight digits; dots, hyphens and blanks are skipped. Errors: [`CepFault`].
    pub fn parse(text: &str) -> Result<Self, CepFault> {
        let mut number = 0u32;
        let mut count = 0;
        for c in text.chars().filter(|c| !matches!(c, '.' | '-') && !c.is_whitespace()) {
            let digit = c.to_digit(10).ok_or(CepFault::Form)?;
            count += 1;
            if count > 8 {
                return Err(CepFault::Form);
            }
            number = number * 10 + digit;
        }
        match (count, number) {
            (8, 1_000_000..) => Ok(Self(number)),
            (8, _) => Err(CepFault::Range),
            _ => Err(CepFault::Form),
        }
    }

    /// Eight digits.
    pub fn digits(self) -> String {
        format!("{:08}", self.0)
    }

    /// With its mask: `01310-100`. Display prints only the region: an address is personal.
    pub fn formatted(self) -> String {
        format!("{:05}-{:03}", self.0 / 1000, self.0 % 1000)
    }

    /// The state of its range.
    pub fn state(self) -> State {
        let prefix = self.0 / 1000;
        RANGES.iter().find(|(last, _)| prefix <= *last).map_or(State::RS, |(_, state)| *state)
    }
}

impl fmt::Display for Cep {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:02}***-***", self.0 / 1_000_000)
    }
}

impl fmt::Debug for Cep {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Cep({self})")
    }
}
