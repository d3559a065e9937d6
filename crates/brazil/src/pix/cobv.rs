//! A charge with a due date (cobv): its terms in the words of the Pix API, and what of them is refused.
//!
//! Source: bacen/pix-api openapi 2.9.0, CobVencimento. Amounts come in hundredths: cents, or hundredths of a percent.

pub use super::cobv_due::{Due, Settings, adjusted_due, amount_due, is_payable, last_payable_day};
use crate::charges::{DayBasis, Rate};
use alloc::vec::Vec;
use kernel::NaiveDate;

/// Days after the due date on which a charge may still be paid, where none are given.
pub const DEFAULT_VALIDITY_DAYS: u32 = 30;
/// Most pairs of date and value in a discount.
pub const MAX_FIXED_DISCOUNTS: usize = 3;

/// A charge.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cobv {
    /// `valor.original`, cents.
    pub original_cents: i64,
    /// `calendario.dataDeVencimento`.
    pub due: NaiveDate,
    /// `calendario.validadeAposVencimento`, calendar days.
    pub validity_days: u32,
    /// `valor.multa`.
    pub fine: Option<Value>,
    /// `valor.juros`.
    pub interest: Option<InterestValue>,
    /// `valor.abatimento`.
    pub abatement: Option<Value>,
    /// `valor.desconto`.
    pub discount: Option<Discount>,
}

/// Modalidade 1 (fixed) or 2 (percent) of multa and abatimento.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Value {
    /// Cents.
    Fixed(i64),
    /// Part of the original.
    Percent(Rate),
}

/// Modalidades of juros: 1 to 4 by calendar days, 5 to 8 by business days.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct InterestValue {
    /// Which days count.
    pub days: DayBasis,
    /// How much for them.
    pub per: InterestPer,
}

/// What interest is for a stretch of time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum InterestPer {
    /// Cents a day.
    DayCents(i64),
    /// Percent a day.
    Day(Rate),
    /// Percent a month.
    Month(Rate),
    /// Percent a year.
    Year(Rate),
}

/// Modalidades of desconto.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Discount {
    /// 1: cents until a date, up to three pairs.
    FixedUntil(Vec<(NaiveDate, i64)>),
    /// 2: percent until a date, up to three pairs.
    PercentUntil(Vec<(NaiveDate, Rate)>),
    /// 3 and 4: cents for each day paid early.
    CentsPerDayEarly(DayBasis, i64),
    /// 5 and 6: percent for each day paid early.
    PercentPerDayEarly(DayBasis, Rate),
}

/// Why the terms of a charge are refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum CobvFault {
    /// `valor.original` is not more than zero.
    #[error("valor.original must be more than zero")]
    Original,
    /// The due date is before the day of creation.
    #[error("calendario.dataDeVencimento is before the day of creation")]
    Due,
    /// A modalidade that the object does not have.
    #[error("{object}.modalidade {modality} does not exist")]
    Modality {
        /// The object.
        object: &'static str,
        /// As given.
        modality: u8,
    },
    /// Modalidade 1 or 2 of desconto with `valorPerc`, or 3 to 6 without.
    #[error("valor.desconto.valorPerc does not fit its modalidade")]
    DiscountValue,
    /// Modalidade 1 or 2 of desconto without one to three dates, or 3 to 6 with any.
    #[error("valor.desconto.descontoDataFixa does not fit its modalidade")]
    DiscountDates,
    /// A discount's date is after the due date.
    #[error("valor.desconto.descontoDataFixa has a date after the due date")]
    DiscountAfterDue,
    /// The abatement is at least the original.
    #[error("valor.abatimento is not less than valor.original")]
    Abatement,
    /// A discount is at least the original.
    #[error("valor.desconto is not less than valor.original")]
    Discount,
    /// A value below zero, or past ten digits.
    #[error("{0} is out of range")]
    Range(&'static str),
}

impl CobvFault {
    /// Stable name of the refusal.
    pub fn slug(&self) -> &'static str {
        match self {
            CobvFault::Original => "cobv_original",
            CobvFault::Due => "cobv_due_before_creation",
            CobvFault::Modality { .. } => "cobv_modality",
            CobvFault::DiscountValue => "cobv_discount_value",
            CobvFault::DiscountDates => "cobv_discount_dates",
            CobvFault::DiscountAfterDue => "cobv_discount_after_due",
            CobvFault::Abatement => "cobv_abatement",
            CobvFault::Discount => "cobv_discount",
            CobvFault::Range(_) => "cobv_range",
        }
    }
}

fn cents(hundredths: u64) -> i64 {
    i64::try_from(hundredths).unwrap_or(i64::MAX)
}

impl Value {
    /// By modalidade and `valorPerc`; `object` names it in the fault.
    pub fn of(object: &'static str, modality: u8, hundredths: u64) -> Result<Self, CobvFault> {
        match modality {
            1 => Ok(Value::Fixed(cents(hundredths))),
            2 => Ok(Value::Percent(Rate::from_hundredths(hundredths))),
            modality => Err(CobvFault::Modality { object, modality }),
        }
    }

    /// Whether it takes at least all of `original_cents`.
    fn swallows(self, original_cents: i64) -> bool {
        match self {
            Value::Fixed(cents) => cents >= original_cents,
            Value::Percent(rate) => rate >= Rate::percent(100),
        }
    }
}

impl InterestValue {
    /// By modalidade and `valorPerc`.
    pub fn of(modality: u8, hundredths: u64) -> Result<Self, CobvFault> {
        let days = if modality <= 4 { DayBasis::Calendar } else { DayBasis::Business };
        let rate = Rate::from_hundredths(hundredths);
        let per = match modality {
            1 | 5 => InterestPer::DayCents(cents(hundredths)),
            2 | 6 => InterestPer::Day(rate),
            3 | 7 => InterestPer::Month(rate),
            4 | 8 => InterestPer::Year(rate),
            modality => return Err(CobvFault::Modality { object: "valor.juros", modality }),
        };
        Ok(Self { days, per })
    }
}

impl Discount {
    /// By modalidade, `valorPerc` and the pairs of `descontoDataFixa`: 1 and 2 need dates and forbid the value,
    /// 3 to 6 the reverse.
    pub fn of(modality: u8, hundredths: Option<u64>, dates: &[(NaiveDate, u64)]) -> Result<Self, CobvFault> {
        let fixed = matches!(modality, 1 | 2);
        if !(1..=6).contains(&modality) {
            return Err(CobvFault::Modality { object: "valor.desconto", modality });
        }
        if fixed == hundredths.is_some() {
            return Err(CobvFault::DiscountValue);
        }
        if fixed == dates.is_empty() || dates.len() > MAX_FIXED_DISCOUNTS {
            return Err(CobvFault::DiscountDates);
        }
        let value = hundredths.unwrap_or(0);
        let days = if matches!(modality, 3 | 5) { DayBasis::Calendar } else { DayBasis::Business };
        Ok(match modality {
            1 => Discount::FixedUntil(dates.iter().map(|(until, value)| (*until, cents(*value))).collect()),
            2 => Discount::PercentUntil(dates.iter().map(|(until, value)| (*until, Rate::from_hundredths(*value))).collect()),
            3 | 4 => Discount::CentsPerDayEarly(days, cents(value)),
            _ => Discount::PercentPerDayEarly(days, Rate::from_hundredths(value)),
        })
    }

    fn swallows(&self, original_cents: i64) -> bool {
        match self {
            Discount::FixedUntil(pairs) => pairs.iter().any(|(_, cents)| Value::Fixed(*cents).swallows(original_cents)),
            Discount::PercentUntil(pairs) => pairs.iter().any(|(_, rate)| Value::Percent(*rate).swallows(original_cents)),
            Discount::CentsPerDayEarly(_, cents) => Value::Fixed(*cents).swallows(original_cents),
            Discount::PercentPerDayEarly(_, rate) => Value::Percent(*rate).swallows(original_cents),
        }
    }

    fn dates(&self) -> Vec<NaiveDate> {
        match self {
            Discount::FixedUntil(pairs) => pairs.iter().map(|(until, _)| *until).collect(),
            Discount::PercentUntil(pairs) => pairs.iter().map(|(until, _)| *until).collect(),
            Discount::CentsPerDayEarly(..) | Discount::PercentPerDayEarly(..) => Vec::new(),
        }
    }
}

impl Cobv {
    /// Everything that a provider would refuse on `created`, all at once; empty where nothing is wrong.
    pub fn faults(&self, created: NaiveDate) -> Vec<CobvFault> {
        let mut faults = Vec::new();
        if self.original_cents <= 0 {
            faults.push(CobvFault::Original);
        }
        if self.due < created {
            faults.push(CobvFault::Due);
        }
        if self.abatement.is_some_and(|value| value.swallows(self.original_cents)) {
            faults.push(CobvFault::Abatement);
        }
        if let Some(discount) = &self.discount {
            if discount.swallows(self.original_cents) {
                faults.push(CobvFault::Discount);
            }
            let (dates, fixed) = (discount.dates(), matches!(discount, Discount::FixedUntil(_) | Discount::PercentUntil(_)));
            if fixed && !(1..=MAX_FIXED_DISCOUNTS).contains(&dates.len()) {
                faults.push(CobvFault::DiscountDates);
            }
            if dates.iter().any(|until| *until > self.due) {
                faults.push(CobvFault::DiscountAfterDue);
            }
        }
        faults
    }
}
