//! Late fees and early discounts: fine once, simple interest, discounts in tiers, partial payments.
//!
//! Integers and exact fractions only. Money is rounded once, at the end, by the mode that the terms name; every
//! [`Statement`] carries the names of the rules it was made by. Interest on interest or on the fine: never.

pub(crate) mod accrual;
mod exact;
mod legal;
mod rate;
mod statement;
mod terms;

pub use accrual::accrue;
pub use exact::{Exact, Rounding};
pub use legal::{LegalRates, legal_rate};
pub use rate::Rate;
pub use statement::{Debt, Movement, MovementKind, Statement, statement};
pub use terms::{
    Allocation, Convention, DayBasis, DiscountTier, DiscountValue, Fine, Interest, InterestStart, Period, ProRata, Relation, Terms,
    fine_ceiling,
};

/// Why charges cannot be computed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ChargeFault {
    /// The principal is not 1 to 2^53 cents.
    #[error("principal is not 1 to 2^53 cents")]
    Principal,
    /// A movement's amount is not 1 to 2^53 cents.
    #[error("amount of a movement is not 1 to 2^53 cents")]
    MovementAmount,
    /// A fine or discount below zero, a period of no days, a day outside the years 1900 to 2999.
    #[error("{0} is out of range")]
    Terms(&'static str),
    /// The table has no legal rate for a month in which interest ran.
    #[error("no legal rate for {year}-{month:02}")]
    MissingLegalRate {
        /// Year.
        year: i32,
        /// Month, 1 to 12.
        month: u32,
    },
    /// The result does not fit; no real debt is that large.
    #[error("charges are too large")]
    TooLarge,
}

impl ChargeFault {
    /// Stable name of the refusal.
    pub fn slug(&self) -> &'static str {
        match self {
            ChargeFault::Principal => "charges_principal",
            ChargeFault::MovementAmount => "charges_movement_amount",
            ChargeFault::Terms(_) => "charges_terms",
            ChargeFault::MissingLegalRate { .. } => "charges_missing_legal_rate",
            ChargeFault::TooLarge => "charges_too_large",
        }
    }
}
