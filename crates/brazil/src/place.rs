//! Places: municipalities by their IBGE code, and where a local holiday holds.

use crate::{State, check_digit};
use core::fmt;

/// Digits of the code of a municipality.
const DIGITS: usize = 7;

/// Codes that IBGE gave out with a check digit that does not fit (NF-e, Nota Técnica 2008.004): they are right as they are.
const IRREGULAR: [u32; 9] = [2_201_919, 2_201_988, 2_202_251, 2_611_533, 3_117_836, 3_152_131, 4_305_871, 5_203_939, 5_203_962];

/// First two digits of a municipality's code, and whose they are (IBGE).
const STATES: [(u32, State); 27] = [
    (11, State::RO),
    (12, State::AC),
    (13, State::AM),
    (14, State::RR),
    (15, State::PA),
    (16, State::AP),
    (17, State::TO),
    (21, State::MA),
    (22, State::PI),
    (23, State::CE),
    (24, State::RN),
    (25, State::PB),
    (26, State::PE),
    (27, State::AL),
    (28, State::SE),
    (29, State::BA),
    (31, State::MG),
    (32, State::ES),
    (33, State::RJ),
    (35, State::SP),
    (41, State::PR),
    (42, State::SC),
    (43, State::RS),
    (50, State::MS),
    (51, State::MT),
    (52, State::GO),
    (53, State::DF),
];

/// A municipality by its IBGE code: seven digits, the first two the state, the last a check digit. Whether there is such a municipality is
/// not known here.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Municipality {
    code: u32,
    state: State,
}

/// Why a text is no municipality.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum MunicipalityFault {
    /// Not seven digits.
    #[error("should be the seven digits of IBGE")]
    Form,
    /// The first two digits are no state.
    #[error("begins with no state of IBGE")]
    State,
    /// The last digit does not fit.
    #[error("has a check digit that does not fit")]
    CheckDigit,
}

impl Municipality {
    /// Reads the seven digits, with nothing around them. Errors: [`MunicipalityFault`].
    pub fn parse(text: &str) -> Result<Self, MunicipalityFault> {
        let digits = check_digit::values(text).filter(|digits| digits.len() == DIGITS).ok_or(MunicipalityFault::Form)?;
        let code = digits.iter().fold(0, |code, digit| code * 10 + u32::from(*digit));
        let state = STATES.iter().find(|(first, _)| *first == code / 100_000).map(|(_, state)| *state).ok_or(MunicipalityFault::State)?;
        let fits = digits.split_last().is_some_and(|(last, rest)| check_digit::mod10(rest) == *last);
        if fits || IRREGULAR.contains(&code) { Ok(Self { code, state }) } else { Err(MunicipalityFault::CheckDigit) }
    }

    /// The state that it lies in.
    pub fn state(self) -> State {
        self.state
    }
}

impl fmt::Display for Municipality {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:07}", self.code)
    }
}

/// Where a local holiday holds, the narrowest first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Place {
    /// A municipality.
    Municipality(Municipality),
    /// A whole state.
    State(State),
    /// Everywhere: a day on which the tenant itself is closed.
    Tenant,
}

/// A text that is no place.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum PlaceFault {
    /// None of the three.
    #[error("should be two letters of a state, seven digits of IBGE, or `tenant`")]
    Form,
    /// Seven digits that are no municipality.
    #[error("{0}")]
    Municipality(#[from] MunicipalityFault),
}

impl Place {
    /// How the whole tenant is written.
    pub const TENANT: &str = "tenant";

    /// Reads `SP`, `3550308` or `tenant`. Errors: [`PlaceFault`].
    pub fn parse(text: &str) -> Result<Self, PlaceFault> {
        if text == Place::TENANT {
            return Ok(Place::Tenant);
        }
        if let Some(state) = State::named(text) {
            return Ok(Place::State(state));
        }
        match Municipality::parse(text) {
            Ok(municipality) => Ok(Place::Municipality(municipality)),
            Err(MunicipalityFault::Form) => Err(PlaceFault::Form),
            Err(fault @ (MunicipalityFault::State | MunicipalityFault::CheckDigit)) => Err(fault.into()),
        }
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Place::Municipality(municipality) => municipality.fmt(f),
            Place::State(state) => state.fmt(f),
            Place::Tenant => f.write_str(Place::TENANT),
        }
    }
}
