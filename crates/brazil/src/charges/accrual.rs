//! Interest of a stretch of days: exact, so that stretches add up.

use super::{ChargeFault, Convention, DayBasis, Exact, Interest, LegalRates, Period, ProRata, Rate, Rounding};
use chrono::Datelike;
use kernel::{Calendar, NaiveDate, calendar};

/// Interest on `principal_cents` for the days after `from` up to and with `to`; zero where `to` is not after `from`.
///
/// Exact for every convention: `accrue(a, c) = accrue(a, b) + accrue(b, c)`. `rounding` matters only to
/// [`Convention::PerDayCents`], whose day is whole cents; `nominal_cents` only to [`Interest::CentsPerDay`], whose
/// cents were agreed for that principal. Errors: [`ChargeFault`].
pub fn accrue(
    interest: &Interest,
    principal_cents: i64,
    nominal_cents: i64,
    (from, to): (NaiveDate, NaiveDate),
    calendar: Calendar,
    rounding: Rounding,
) -> Result<Exact, ChargeFault> {
    if to <= from || principal_cents <= 0 {
        return Ok(Exact::ZERO);
    }
    known(from)?;
    known(to)?;
    match interest {
        Interest::None => Ok(Exact::ZERO),
        Interest::CentsPerDay(cents) if *cents >= 0 => {
            let share = Exact::ratio(i128::from(principal_cents), i128::from(nominal_cents))?;
            Exact::whole(*cents).times(share)?.times(Exact::whole(calendar::days_between(from, to)))
        }
        Interest::CentsPerDay(_) => Err(ChargeFault::Terms("cents_per_day")),
        Interest::Agreed { rate, period, days, convention } => {
            let count = match days {
                DayBasis::Calendar => calendar::days_between(from, to),
                DayBasis::Business => i64::from(calendar.count(calendar::next(from), calendar::next(to))),
            };
            per_day(*rate, *period, *convention, principal_cents, rounding)?.times(Exact::whole(count))
        }
        Interest::Legal { rates, pro_rata } => legal(rates, *pro_rata, principal_cents, from, to),
    }
}

/// Business-day rules are walked day by day: dates outside any real contract are refused, not walked to.
pub(crate) fn known(day: NaiveDate) -> Result<(), ChargeFault> {
    if (1900..=2999).contains(&day.year()) { Ok(()) } else { Err(ChargeFault::Terms("day")) }
}

/// One day's interest by a convention.
fn per_day(rate: Rate, period: Period, convention: Convention, principal_cents: i64, rounding: Rounding) -> Result<Exact, ChargeFault> {
    let days = period.days()?;
    match convention {
        Convention::Exact => rate.of(principal_cents)?.times(Exact::ratio(1, days)?),
        Convention::DailyRateThreeDecimals => {
            let thousandths = i128::from(rate.micros()) / (days * 1000);
            let daily = u64::try_from(thousandths * 1000).map_err(|_| ChargeFault::TooLarge)?;
            Rate::from_micros(daily).of(principal_cents)
        }
        Convention::PerDayCents => {
            let exact = rate.of(principal_cents)?.times(Exact::ratio(1, days)?)?;
            exact.rounded(rounding).map(Exact::whole)
        }
    }
}

/// Simple interest by the monthly legal rates: each day belongs to its own month.
fn legal(rates: &LegalRates, pro_rata: ProRata, principal_cents: i64, from: NaiveDate, to: NaiveDate) -> Result<Exact, ChargeFault> {
    let mut total = Exact::ZERO;
    let mut at = from;
    while at < to {
        let day = calendar::next(at);
        let month_end = last_of_month(day);
        let until = month_end.min(to);
        let rate = rates.of(day.year(), day.month())?;
        let divisor = match pro_rata {
            ProRata::ActualMonth => i128::from(month_end.day()),
            ProRata::Thirty => 30,
        };
        let share = Exact::ratio(i128::from(calendar::days_between(at, until)), divisor)?;
        total = total.plus(rate.of(principal_cents)?.times(share)?)?;
        at = until;
    }
    Ok(total)
}

fn last_of_month(day: NaiveDate) -> NaiveDate {
    let mut end = day;
    while calendar::next(end).month() == day.month() && calendar::next(end) > end {
        end = calendar::next(end);
    }
    end
}
