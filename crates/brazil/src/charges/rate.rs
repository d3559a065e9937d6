//! Rates in percent, with six decimals.

use super::{ChargeFault, Exact};
use core::fmt;

/// Micro-percents in the whole: 100 % of 10^6.
const WHOLE: i128 = 100_000_000;

/// A rate of at least zero: one millionth of a percent is the unit, so `1 %` is 1 000 000.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Rate(u64);

impl Rate {
    /// No rate.
    pub const ZERO: Rate = Rate(0);

    /// From millionths of a percent.
    pub const fn from_micros(percent_micros: u64) -> Self {
        Self(percent_micros)
    }

    /// From hundredths of a percent, as bank files and the Pix API write them: 200 is 2 %.
    pub const fn from_hundredths(percent_hundredths: u64) -> Self {
        Self(percent_hundredths.saturating_mul(10_000))
    }

    /// Whole percents.
    pub const fn percent(percent: u64) -> Self {
        Self(percent.saturating_mul(1_000_000))
    }

    /// Reads `1`, `0.5`, `1,033` or `0.033333`: digits, then at most six decimals; `None` for anything else.
    pub fn parse(text: &str) -> Option<Self> {
        let (whole, decimals) = text.split_once(['.', ',']).unwrap_or((text, "0"));
        let digits = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
        if !digits(whole) || !digits(decimals) || decimals.len() > 6 {
            return None;
        }
        let scale = 10u64.pow(6 - u32::try_from(decimals.len()).ok()?);
        let micros = whole.parse::<u64>().ok()?.checked_mul(1_000_000)?;
        micros.checked_add(decimals.parse::<u64>().ok()? * scale).map(Self)
    }

    /// Millionths of a percent.
    pub fn micros(self) -> u64 {
        self.0
    }

    /// The part of `cents` that it is. Errors: [`ChargeFault::TooLarge`].
    pub fn of(self, cents: i64) -> Result<Exact, ChargeFault> {
        Exact::whole(cents).times(Exact::ratio(i128::from(self.0), WHOLE)?)
    }
}

impl fmt::Display for Rate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{:06} %", self.0 / 1_000_000, self.0 % 1_000_000)
    }
}

impl fmt::Debug for Rate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Rate({self})")
    }
}
