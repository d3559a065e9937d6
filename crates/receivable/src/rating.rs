//! Ratings: how likely a payer is not to pay, as somebody who computes such things says. The newest one holds.

use alloc::string::String;
use kernel::{CustomerId, NaiveDate};

/// The worst rating: 0 is the least risk.
pub const MAX_SCORE: u32 = 100;

/// What holds of a payer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rating {
    /// 0 to [`MAX_SCORE`].
    pub score: u8,
    /// Who says so.
    pub source: String,
    /// The day from which it holds.
    pub rated_on: NaiveDate,
}

/// Rates a payer. One of an earlier day than what holds adds nothing; one of the same day takes its place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RateCustomer {
    /// The payer.
    pub customer_id: CustomerId,
    /// 0 to [`MAX_SCORE`], more is riskier.
    pub score: u32,
    /// Who says so, 1 to 64 characters; nothing personal.
    pub source: String,
    /// The day from which it holds, not after `today`.
    pub rated_on: NaiveDate,
    /// The day of recording.
    pub today: NaiveDate,
}

/// A payer was rated.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CustomerRated {
    /// The payer.
    pub customer_id: CustomerId,
    /// What holds from here on.
    pub rating: Rating,
}
