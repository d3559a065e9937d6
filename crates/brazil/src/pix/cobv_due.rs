//! What a cobv costs on a day, and until when it can be paid.

use super::cobv::{Cobv, CobvFault, Discount, InterestPer, InterestValue, Value};
use crate::charges::{ChargeFault, Convention, DayBasis, Exact, Interest, Period, Rate, Rounding, accrual, accrue};
use kernel::{Calendar, NaiveDate, calendar};

/// What the API leaves to the provider.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Settings {
    /// Business days, of the payer's place where the provider knows it.
    pub calendar: Calendar,
    /// Days of a month for a rate per month.
    pub month_days: u16,
    /// Days of a year for a rate per year.
    pub year_days: u16,
    /// Rounding of each component.
    pub rounding: Rounding,
    /// Whether a fixed discount's date moves to the next business day.
    pub discount_dates_roll: bool,
}

impl Default for Settings {
    /// Settlement calendar, 30 and 365 days, half up, discount dates as written.
    fn default() -> Self {
        Self { calendar: Calendar::BrSettlement, month_days: 30, year_days: 365, rounding: Rounding::HalfUp, discount_dates_roll: false }
    }
}

/// The components of what is due: `total = original + fine + interest - abatement - discount`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Due {
    /// `valor.original`, cents.
    pub original_cents: i64,
    /// Fine, cents.
    pub fine_cents: i64,
    /// Interest, cents.
    pub interest_cents: i64,
    /// Abatement, cents.
    pub abatement_cents: i64,
    /// Discount, cents.
    pub discount_cents: i64,
    /// What must be paid, cents, more than zero.
    pub total_cents: i64,
}

/// Due date moved to a business day: multa, juros and desconto count from it.
pub fn adjusted_due(due: NaiveDate, calendar: Calendar) -> NaiveDate {
    calendar.following(due)
}

/// The last day on which a charge can be paid: the next business day on or after the adjusted due date and the
/// validity in calendar days.
pub fn last_payable_day(due: NaiveDate, validity_days: u32, calendar: Calendar) -> NaiveDate {
    let adjusted = adjusted_due(due, calendar);
    calendar.following(calendar::add_days(adjusted, i64::from(validity_days)))
}

/// Whether a charge can be paid on a day, as far as its dates go.
pub fn is_payable(cobv: &Cobv, on: NaiveDate, calendar: Calendar) -> bool {
    on <= last_payable_day(cobv.due, cobv.validity_days, calendar)
}

/// What a charge costs on a day. It says nothing on whether it can still be paid, see [`is_payable`].
/// Errors: [`CobvFault::Range`] for terms below zero or past all sense, [`CobvFault::Discount`] where nothing would be
/// left to pay.
pub fn amount_due(cobv: &Cobv, on: NaiveDate, settings: &Settings) -> Result<Due, CobvFault> {
    if cobv.original_cents <= 0 {
        return Err(CobvFault::Original);
    }
    let dates = [cobv.due, on];
    if dates.iter().any(|day| accrual::known(*day).is_err()) {
        return Err(CobvFault::Range("calendario"));
    }
    let adjusted = adjusted_due(cobv.due, settings.calendar);
    let late = on > adjusted;
    let fine_cents = match cobv.fine.filter(|_| late) {
        Some(value) => component(value, cobv, settings, "valor.multa")?,
        None => 0,
    };
    let interest_cents = match cobv.interest.filter(|_| late) {
        Some(value) => interest(value, cobv, (adjusted, on), settings)?,
        None => 0,
    };
    let abatement_cents = match cobv.abatement {
        Some(value) => component(value, cobv, settings, "valor.abatimento")?,
        None => 0,
    };
    let discount_cents = match &cobv.discount {
        Some(value) if !late => discount(value, cobv, (on, adjusted), settings)?,
        _ => 0,
    };
    let owed = cobv.original_cents.checked_add(fine_cents).and_then(|sum| sum.checked_add(interest_cents));
    let off = abatement_cents.checked_add(discount_cents);
    let total = owed.zip(off).and_then(|(owed, off)| owed.checked_sub(off)).ok_or(CobvFault::Range("valor"))?;
    if total <= 0 {
        return Err(CobvFault::Discount);
    }
    Ok(Due { original_cents: cobv.original_cents, fine_cents, interest_cents, abatement_cents, discount_cents, total_cents: total })
}

fn component(value: Value, cobv: &Cobv, settings: &Settings, name: &'static str) -> Result<i64, CobvFault> {
    let range = |_: ChargeFault| CobvFault::Range(name);
    match value {
        Value::Fixed(cents) if cents >= 0 => Ok(cents),
        Value::Fixed(_) => Err(CobvFault::Range(name)),
        Value::Percent(rate) => rate.of(cobv.original_cents).and_then(|exact| exact.rounded(settings.rounding)).map_err(range),
    }
}

/// Interest for the days after the adjusted due date up to and with the day of payment.
fn interest(value: InterestValue, cobv: &Cobv, stretch: (NaiveDate, NaiveDate), settings: &Settings) -> Result<i64, CobvFault> {
    let range = |_: ChargeFault| CobvFault::Range("valor.juros");
    let (rate, period) = match value.per {
        InterestPer::DayCents(cents) => {
            let days = days_after(stretch, value.days, settings.calendar);
            return cents.checked_mul(days).filter(|total| *total >= 0).ok_or(CobvFault::Range("valor.juros"));
        }
        InterestPer::Day(rate) => (rate, Period::Day),
        InterestPer::Month(rate) => (rate, Period::Month(settings.month_days)),
        InterestPer::Year(rate) => (rate, Period::Year(settings.year_days)),
    };
    let agreed = Interest::Agreed { rate, period, days: value.days, convention: Convention::Exact };
    let original = cobv.original_cents;
    let exact = accrue(&agreed, original, original, stretch, settings.calendar, settings.rounding).map_err(range)?;
    exact.rounded(settings.rounding).map_err(range)
}

/// Days after `from` up to and with `to`.
fn days_after((from, to): (NaiveDate, NaiveDate), basis: DayBasis, calendar: Calendar) -> i64 {
    match basis {
        DayBasis::Calendar => calendar::days_between(from, to).max(0),
        DayBasis::Business => i64::from(calendar.count(calendar::next(from), calendar::next(to))),
    }
}

fn discount(value: &Discount, cobv: &Cobv, stretch: (NaiveDate, NaiveDate), settings: &Settings) -> Result<i64, CobvFault> {
    let valid = |until: NaiveDate| stretch.0 <= if settings.discount_dates_roll { settings.calendar.following(until) } else { until };
    let part = |rate: Rate, days: i64| -> Result<i64, ChargeFault> {
        rate.of(cobv.original_cents)?.times(Exact::whole(days))?.rounded(settings.rounding)
    };
    let range = CobvFault::Range("valor.desconto");
    let best = match value {
        Discount::FixedUntil(pairs) => pairs.iter().filter(|(until, _)| valid(*until)).map(|(_, cents)| *cents).max(),
        Discount::PercentUntil(pairs) => {
            let rate = pairs.iter().filter(|(until, _)| valid(*until)).map(|(_, rate)| *rate).max();
            rate.map(|rate| part(rate, 1)).transpose().map_err(|_| range)?
        }
        Discount::CentsPerDayEarly(basis, cents) => Some(cents.checked_mul(days_after(stretch, *basis, settings.calendar)).ok_or(range)?),
        Discount::PercentPerDayEarly(basis, rate) => Some(part(*rate, days_after(stretch, *basis, settings.calendar)).map_err(|_| range)?),
    };
    best.map_or(Ok(0), |cents| if cents >= 0 { Ok(cents) } else { Err(range) })
}
