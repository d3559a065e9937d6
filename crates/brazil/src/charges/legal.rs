//! The legal rate: monthly, published by the Central Bank on the first business day (SGS 29541, 29542, 29543).
//!
//! It is data and comes in as an argument; nothing here knows a value. Source: Res. CMN 5.171/2024.

use super::{ChargeFault, Exact, Rate, Rounding};
use alloc::{collections::BTreeMap, vec::Vec};

/// Legal rates by month.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct LegalRates(BTreeMap<(i32, u32), Rate>);

impl LegalRates {
    /// From rows of year, month (1 to 12) and rate; the last row of a month counts. Months out of range are left out.
    pub fn new(rows: Vec<(i32, u32, Rate)>) -> Self {
        Self(rows.into_iter().filter(|(_, month, _)| (1..=12).contains(month)).map(|(year, month, rate)| ((year, month), rate)).collect())
    }

    /// The rate of a month from now on. A month out of range is left out.
    pub fn set(&mut self, year: i32, month: u32, rate: Rate) {
        if (1..=12).contains(&month) {
            self.0.insert((year, month), rate);
        }
    }

    /// Year, month and rate, in order.
    pub fn rows(&self) -> impl DoubleEndedIterator<Item = (i32, u32, Rate)> {
        self.0.iter().map(|((year, month), rate)| (*year, *month, *rate))
    }

    /// Months without a rate, from the first that has one until a month, in order; none where no month has one.
    pub fn missing_until(&self, year: i32, month: u32) -> Vec<(i32, u32)> {
        let mut missing = Vec::new();
        let Some(mut at) = self.0.keys().next().copied() else { return missing };
        while at <= (year, month) {
            if !self.0.contains_key(&at) {
                missing.push(at);
            }
            at = if at.1 == 12 { (at.0 + 1, 1) } else { (at.0, at.1 + 1) };
        }
        missing
    }

    /// The rate of a month. Errors: [`ChargeFault::MissingLegalRate`].
    pub fn of(&self, year: i32, month: u32) -> Result<Rate, ChargeFault> {
        self.0.get(&(year, month)).copied().ok_or(ChargeFault::MissingLegalRate { year, month })
    }
}

/// The legal rate of a month from the Selic and IPCA-15 factors of the month before, each in units of 10^-8:
/// `(Selic / IPCA - 1) x 100`, never below zero, six decimals by NBR 5891 (ties to even).
/// Errors: [`ChargeFault::Terms`] for a factor of zero.
pub fn legal_rate(selic_factor_e8: u64, ipca15_factor_e8: u64) -> Result<Rate, ChargeFault> {
    if ipca15_factor_e8 == 0 {
        return Err(ChargeFault::Terms("ipca15_factor"));
    }
    let excess = u128::from(selic_factor_e8.saturating_sub(ipca15_factor_e8)) * 100_000_000;
    let numerator = i128::try_from(excess).map_err(|_| ChargeFault::TooLarge)?;
    let micros = Exact::ratio(numerator, i128::from(ipca15_factor_e8))?.rounded(Rounding::HalfEven)?;
    u64::try_from(micros).map(Rate::from_micros).map_err(|_| ChargeFault::TooLarge)
}
