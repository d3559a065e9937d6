//! What of the agreed charges and discounts a bank is told, so that it adds and takes off the same by itself.
//!
//! A bank's file has a fine, interest in cents a day or percent a month, and three discounts with their last days. Terms that say more,
//! as interest by business days, the legal rate, or a rate of more than two decimals, are left out of the file, and no message may say
//! that the bank adds them. Source: FEBRABAN CNAB 240 V10.6, C018, C021, G073.

use crate::charges::{AgreedInterest, ChargeTerms};
use alloc::vec::Vec;
use brazil::charges::{Convention, DayBasis, DiscountTier, DiscountValue, Fine, InterestStart, LegalRates, Period, Rate, accrue};
use brazil::cnab::remittance::{DiscountOrder, FineOrder, InterestOrder};
use kernel::{NaiveDate, calendar};

/// Discounts that a file has room for.
const MAX_BANK_DISCOUNTS: usize = 3;
/// Millionths of a percent in the smallest rate that a file can say.
const HUNDREDTH: u64 = 10_000;
/// Days of a bank's month.
const MONTH_DAYS: u64 = 30;

/// Charges and discounts of a title as a bank is told them.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct BankCharges {
    /// Interest.
    pub interest: InterestOrder,
    /// Fine.
    pub fine: Option<FineOrder>,
    /// Discounts, the earliest last day first; at most three.
    pub discounts: Vec<DiscountOrder>,
    /// What credit notes took off, minor units.
    pub abatement_minor: i64,
}

/// What of the terms a bank can be told.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct AtBank {
    /// What it is told.
    pub charges: BankCharges,
    /// Whether that is all that is charged for being late.
    pub late: bool,
    /// Whether that is all that is taken off for being early.
    pub early: bool,
}

impl BankCharges {
    /// Without the discounts that are over before a day: no bank takes those.
    pub fn from_day(&self, day: NaiveDate) -> BankCharges {
        let discounts = self.discounts.iter().copied().filter(|discount| discount.until >= day).collect();
        BankCharges { discounts, ..self.clone() }
    }
}

impl ChargeTerms {
    /// What a bank is told for a title over an amount, in minor units, that is due on a day.
    pub fn at_bank(&self, amount_minor: i64, due_on: NaiveDate) -> AtBank {
        let fine = self.bank_fine(due_on);
        let interest = self.bank_interest(amount_minor, due_on);
        let discounts = self.bank_discounts(amount_minor, due_on);
        AtBank {
            late: fine.is_some() && interest.is_some(),
            early: discounts.is_some(),
            charges: BankCharges {
                interest: interest.unwrap_or_default(),
                fine: fine.flatten(),
                discounts: discounts.unwrap_or_default(),
                abatement_minor: 0,
            },
        }
    }

    /// `None` where a file cannot say it.
    fn bank_fine(&self, due_on: NaiveDate) -> Option<Option<FineOrder>> {
        let from = calendar::next(self.calendar.following(due_on));
        match self.fine {
            None | Some(Fine::Percent(Rate::ZERO) | Fine::Fixed(0)) => Some(None),
            Some(Fine::Percent(rate)) => two_decimals(rate).map(|rate| Some(FineOrder::Percent(from, rate))),
            Some(Fine::Fixed(cents)) => Some(Some(FineOrder::Fixed(from, cents))),
        }
    }

    fn bank_interest(&self, amount_minor: i64, due_on: NaiveDate) -> Option<InterestOrder> {
        let from = calendar::next(match self.interest_start {
            InterestStart::Original => due_on,
            InterestStart::Adjusted => self.calendar.following(due_on),
        });
        let per_day = |cents| if cents == 0 { InterestOrder::Exempt } else { InterestOrder::CentsPerDay(from, cents) };
        match self.interest {
            AgreedInterest::None => Some(InterestOrder::Exempt),
            AgreedInterest::PerDay(cents) => Some(per_day(cents)),
            AgreedInterest::Rate { days: DayBasis::Business, .. } | AgreedInterest::Legal(_) => None,
            AgreedInterest::Rate { days: DayBasis::Calendar, convention: Convention::PerDayCents, .. } => {
                let interest = self.on(due_on, &LegalRates::default()).interest;
                let day = (due_on, calendar::next(due_on));
                let one = accrue(&interest, amount_minor, amount_minor, day, self.calendar, self.rounding).ok()?;
                one.rounded(self.rounding).ok().map(per_day)
            }
            AgreedInterest::Rate { rate, period, days: DayBasis::Calendar, convention } => {
                let monthly = two_decimals(monthly(rate, period, convention)?)?;
                Some(if monthly == Rate::ZERO { InterestOrder::Exempt } else { InterestOrder::PercentPerMonth(from, monthly) })
            }
        }
    }

    /// Of tiers that are valid together the bank takes the first that is not over, so one that a later tier beats is left out.
    fn bank_discounts(&self, amount_minor: i64, due_on: NaiveDate) -> Option<Vec<DiscountOrder>> {
        let mut tiers = self.on(due_on, &LegalRates::default()).discounts;
        if self.discounts_roll {
            // A last day past the due date is the due date's own rolling, which every bank does by itself.
            tiers.iter_mut().for_each(|tier| tier.until = self.calendar.following(tier.until).min(due_on));
        }
        let cents = |tier: &DiscountTier| match tier.value {
            DiscountValue::Percent(rate) => rate.of(amount_minor).and_then(|exact| exact.rounded(self.rounding)).ok(),
            DiscountValue::Fixed(cents) => Some(cents),
        };
        tiers.sort_by_key(|tier| (tier.until, cents(tier)));
        let mut kept: Vec<DiscountTier> = Vec::new();
        for tier in tiers.into_iter().rev() {
            if kept.last().is_none_or(|later| cents(&tier) > cents(later)) {
                kept.push(tier);
            }
        }
        kept.reverse();
        if kept.len() > MAX_BANK_DISCOUNTS {
            return None;
        }
        kept.iter().map(order).collect()
    }
}

fn order(tier: &DiscountTier) -> Option<DiscountOrder> {
    let (code, hundredths) = match tier.value {
        DiscountValue::Fixed(cents) => (1, cents),
        DiscountValue::Percent(rate) => (2, i64::try_from(two_decimals(rate)?.micros() / HUNDREDTH).ok()?),
    };
    Some(DiscountOrder { code, until: tier.until, hundredths })
}

/// The rate for a month of thirty days; `None` where millionths of a percent cannot say it.
fn monthly(rate: Rate, period: Period, convention: Convention) -> Option<Rate> {
    let days = match period {
        Period::Day => 1,
        Period::Month(days) | Period::Year(days) => u64::from(days),
    };
    let (micros, days) = match convention {
        Convention::DailyRateThreeDecimals => (rate.micros().checked_div(days.checked_mul(1000)?)?.checked_mul(1000)?, 1),
        Convention::Exact | Convention::PerDayCents => (rate.micros(), days),
    };
    let thirty = micros.checked_mul(MONTH_DAYS)?;
    (days > 0 && thirty.is_multiple_of(days)).then(|| Rate::from_micros(thirty / days))
}

fn two_decimals(rate: Rate) -> Option<Rate> {
    rate.micros().is_multiple_of(HUNDREDTH).then_some(rate)
}
