//! The legal rate of each month, as the tenant recorded it from what the Central Bank published (SGS 29543): one table per tenant.
//!
//! Invariants:
//! - a month has one rate; another one for it is a correction, and is said to be one;
//! - no month before the law (Lei 14.905/2024, in force 2024-08-30) has one. A month without a rate is never guessed.

use alloc::{vec, vec::Vec};
use brazil::charges::{LegalRates, Rate};

/// First month of the law.
const FIRST: Month = Month { year: 2024, month: 8 };
/// Past this a year is a typing mistake.
const LAST_YEAR: i32 = 2999;
/// Highest rate of a month: more is a mistake of units.
const MAX_RATE: Rate = Rate::percent(20);
/// Most months of one command.
pub const MAX_MONTHS: usize = 600;

/// A month.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Month {
    /// Year.
    pub year: i32,
    /// 1 to 12.
    pub month: u32,
}

/// Records rates. A rate that is known already adds nothing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RecordLegalRates {
    /// Rates by month, at most [`MAX_MONTHS`].
    pub rates: Vec<(Month, Rate)>,
    /// Whether a rate that is known may be replaced: charges of that month change with it.
    pub correct: bool,
}

/// A month has this rate.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LegalRateRecorded {
    /// The month.
    pub month: Month,
    /// Its rate.
    pub rate: Rate,
}

/// Why no rate is recorded; none of the command's is then.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum LegalRatesRejection {
    /// Nothing, or too much at once.
    #[error("give 1 to {MAX_MONTHS} months")]
    Count,
    /// No month, one before the law, or past the year 2999.
    #[error("the month is none from 2024-08 on")]
    Month,
    /// More than 20 % a month.
    #[error("the rate is more than 20 % a month")]
    Rate,
    /// The month has another rate, and this is not said to be a correction.
    #[error("the month has another rate")]
    Known,
}

impl LegalRatesRejection {
    /// Stable reason for the caller.
    pub fn slug(self) -> &'static str {
        match self {
            LegalRatesRejection::Count => "legal_rates_count",
            LegalRatesRejection::Month => "legal_rate_month",
            LegalRatesRejection::Rate => "legal_rate_too_high",
            LegalRatesRejection::Known => "legal_rate_known",
        }
    }

    /// The field at fault, by its name in the request.
    pub fn field(self) -> &'static str {
        match self {
            LegalRatesRejection::Count | LegalRatesRejection::Known => "rates",
            LegalRatesRejection::Month => "rates.month",
            LegalRatesRejection::Rate => "rates.percent_micros",
        }
    }
}

/// What a command records: an event for each month that is new or corrected, in the order given, or the reason why not.
pub fn decide_legal_rates(known: &LegalRates, command: &RecordLegalRates) -> Result<Vec<LegalRateRecorded>, LegalRatesRejection> {
    if !(1..=MAX_MONTHS).contains(&command.rates.len()) {
        return Err(LegalRatesRejection::Count);
    }
    let mut table = known.clone();
    let mut events = vec![];
    for (month, rate) in &command.rates {
        if !(1..=12).contains(&month.month) || *month < FIRST || month.year > LAST_YEAR {
            return Err(LegalRatesRejection::Month);
        }
        if *rate > MAX_RATE {
            return Err(LegalRatesRejection::Rate);
        }
        match table.of(month.year, month.month) {
            Ok(same) if same == *rate => continue,
            Ok(_) if !command.correct => return Err(LegalRatesRejection::Known),
            Ok(_) | Err(_) => {}
        }
        let event = LegalRateRecorded { month: *month, rate: *rate };
        table = evolve_legal_rates(table, &event);
        events.push(event);
    }
    Ok(events)
}

/// The table after an event. Total.
pub fn evolve_legal_rates(mut table: LegalRates, event: &LegalRateRecorded) -> LegalRates {
    table.set(event.month.year, event.month.month, event.rate);
    table
}
