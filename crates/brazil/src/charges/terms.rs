//! What was agreed, or what the law says where nothing was.

use super::{ChargeFault, Exact, LegalRates, Rate, Rounding};
use alloc::vec::Vec;
use kernel::{Calendar, NaiveDate};

/// The charges of a contract.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Terms {
    /// Fine, charged once.
    pub fine: Option<Fine>,
    /// Interest for being late.
    pub interest: Interest,
    /// First day of interest where the due date is no business day.
    pub interest_start: InterestStart,
    /// Discounts for paying early; the best that is valid on the day counts.
    pub discounts: Vec<DiscountTier>,
    /// Whether a discount's last day moves to the next business day.
    pub discounts_roll: bool,
    /// Where a payment that does not cover everything goes first.
    pub allocation: Allocation,
    /// The one rounding of each component.
    pub rounding: Rounding,
    /// Business days, for the due date and for interest by business days.
    pub calendar: Calendar,
}

/// A fine for being late.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fine {
    /// Part of the principal.
    Percent(Rate),
    /// Cents.
    Fixed(i64),
}

impl Fine {
    /// The exact fine on a principal. Errors: [`ChargeFault`].
    pub(super) fn on(self, principal_cents: i64) -> Result<Exact, ChargeFault> {
        match self {
            Fine::Percent(rate) => rate.of(principal_cents),
            Fine::Fixed(cents) if cents >= 0 => Ok(Exact::whole(cents)),
            Fine::Fixed(_) => Err(ChargeFault::Terms("fine")),
        }
    }
}

/// Who owes to whom: it limits the fine.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Relation {
    /// Consumer: CDC art. 52 §1.
    Consumer,
    /// Condominium: CC art. 1336 §1.
    Condominium,
    /// Any other contract: Decreto 22.626 art. 9, customary.
    Other,
}

/// The highest fine: 2 % for consumers and condominiums, 10 % by custom elsewhere.
pub fn fine_ceiling(relation: Relation) -> Rate {
    match relation {
        Relation::Consumer | Relation::Condominium => Rate::percent(2),
        Relation::Other => Rate::percent(10),
    }
}

/// Interest for being late: simple, on the open principal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Interest {
    /// None.
    None,
    /// An agreed rate.
    Agreed {
        /// The rate per period.
        rate: Rate,
        /// The period.
        period: Period,
        /// Which days count.
        days: DayBasis,
        /// How a day's interest is made from it.
        convention: Convention,
    },
    /// Agreed cents for each calendar day on the whole principal (CNAB code 1); in proportion once a part is paid.
    CentsPerDay(i64),
    /// No agreed rate: the legal rate (CC 406, Lei 14.905/2024, Res. CMN 5.171), from a table.
    Legal {
        /// Rates by month.
        rates: LegalRates,
        /// What a part of a month is.
        pro_rata: ProRata,
    },
}

impl Interest {
    /// Name of the convention, for the record.
    pub fn name(&self) -> &'static str {
        match self {
            Interest::None => "none",
            Interest::Agreed { convention, .. } => convention.name(),
            Interest::CentsPerDay(_) => "agreed_cents_per_day",
            Interest::Legal { pro_rata: ProRata::ActualMonth, .. } => "legal_actual_month",
            Interest::Legal { pro_rata: ProRata::Thirty, .. } => "legal_month_of_30",
        }
    }
}

/// What a rate is for. A month is 30 days by custom; a divisor of 0 is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Period {
    /// One day.
    Day,
    /// A month of so many days, 30 by custom.
    Month(u16),
    /// A year of so many days: 365, 360, or 252 business days.
    Year(u16),
}

impl Period {
    /// Days that the rate is spread over.
    pub(super) fn days(self) -> Result<i128, ChargeFault> {
        match self {
            Period::Day => Ok(1),
            Period::Month(0) | Period::Year(0) => Err(ChargeFault::Terms("period")),
            Period::Month(days) | Period::Year(days) => Ok(i128::from(days)),
        }
    }
}

/// Which days count.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum DayBasis {
    /// All of them.
    #[default]
    Calendar,
    /// Business days of the terms' calendar.
    Business,
}

/// How a day's interest is made from a rate. They differ by cents, and the world uses all of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Convention {
    /// Exact until the end, one rounding.
    #[default]
    Exact,
    /// The daily rate cut to three decimals of a percent (1 %/month is 0,033 % a day).
    DailyRateThreeDecimals,
    /// The day's interest rounded to cents, times the days: what a bank computes from CNAB code 1.
    PerDayCents,
}

impl Convention {
    /// Its name in a policy and in an event.
    pub fn name(self) -> &'static str {
        match self {
            Convention::Exact => "exact",
            Convention::DailyRateThreeDecimals => "daily_rate_three_decimals",
            Convention::PerDayCents => "per_day_cents",
        }
    }

    /// By its name; `None` for any other text.
    pub fn named(name: &str) -> Option<Self> {
        let all = [Convention::Exact, Convention::DailyRateThreeDecimals, Convention::PerDayCents];
        all.into_iter().find(|convention| convention.name() == name)
    }
}

/// First day of interest where the due date is no business day and the next one passed without payment.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum InterestStart {
    /// The due date as written (STJ REsp 1.954.924).
    #[default]
    Original,
    /// The next business day (Pix cobv).
    Adjusted,
}

impl InterestStart {
    /// Its name in a policy and in an event.
    pub fn name(self) -> &'static str {
        match self {
            InterestStart::Original => "original",
            InterestStart::Adjusted => "adjusted",
        }
    }

    /// By its name; `None` for any other text.
    pub fn named(name: &str) -> Option<Self> {
        [InterestStart::Original, InterestStart::Adjusted].into_iter().find(|start| start.name() == name)
    }
}

/// What a part of a month is under the legal rate.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum ProRata {
    /// Days over the days of that month, so that a whole month is the published rate.
    #[default]
    ActualMonth,
    /// Days over 30.
    Thirty,
}

impl ProRata {
    /// Its name in an event.
    pub fn name(self) -> &'static str {
        match self {
            ProRata::ActualMonth => "actual_month",
            ProRata::Thirty => "month_of_30",
        }
    }

    /// By its name; `None` for any other text.
    pub fn named(name: &str) -> Option<Self> {
        [ProRata::ActualMonth, ProRata::Thirty].into_iter().find(|pro_rata| pro_rata.name() == name)
    }
}

/// Where a payment goes first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Allocation {
    /// Fine and interest, then principal (CC 354).
    #[default]
    ChargesFirst,
    /// Principal, then charges.
    PrincipalFirst,
}

impl Allocation {
    /// Its name in a policy and in an event.
    pub fn name(self) -> &'static str {
        match self {
            Allocation::ChargesFirst => "charges_first",
            Allocation::PrincipalFirst => "principal_first",
        }
    }
}

/// A discount for paying until a day.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DiscountTier {
    /// Last day, included.
    pub until: NaiveDate,
    /// How much.
    pub value: DiscountValue,
}

/// How much a discount is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DiscountValue {
    /// Part of the principal.
    Percent(Rate),
    /// Cents.
    Fixed(i64),
}

impl Terms {
    /// The last day on which paying is on time: the due date, or the next business day (Lei 7.089/1983).
    pub fn last_day_on_time(&self, due: NaiveDate) -> NaiveDate {
        self.calendar.following(due)
    }

    /// The best discount valid on a day, in cents, never more than the principal. Errors: [`ChargeFault`].
    pub fn discount_on(&self, day: NaiveDate, principal_cents: i64) -> Result<i64, ChargeFault> {
        let mut best = 0;
        for tier in &self.discounts {
            let until = if self.discounts_roll { self.calendar.following(tier.until) } else { tier.until };
            if day <= until {
                let cents = match tier.value {
                    DiscountValue::Percent(rate) => rate.of(principal_cents)?.rounded(self.rounding)?,
                    DiscountValue::Fixed(cents) if cents >= 0 => cents,
                    DiscountValue::Fixed(_) => return Err(ChargeFault::Terms("discount")),
                };
                best = best.max(cents);
            }
        }
        Ok(best.min(principal_cents))
    }
}
