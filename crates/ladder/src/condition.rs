//! Conditions: for whom a step is, by facts that the engine has. A step whose condition does not hold on the day on which it would be
//! offered ends as suppressed, and the track goes on with the rest.

use crate::ladder::Ladder;
use crate::track::{Opening, Track};
use alloc::string::String;
use alloc::vec::Vec;
use kernel::{NaiveDate, calendar};

/// `only_if` of a step: all of them must hold. What is absent asks nothing.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Conditions {
    /// The payer is of one of these segments; of none where it is empty: then nothing is asked.
    pub segment: Vec<String>,
    /// The payer is of none of these segments. A payer without a segment is of none.
    pub not_segment: Vec<String>,
    /// Days since the effective due date, at least.
    pub days_overdue_at_least: Option<u32>,
    /// Promises that the payer broke, whole or in part, over all debts, at least.
    pub promises_broken_at_least: Option<u32>,
    /// Whether the cycle began with a payment that was returned.
    pub payment_returned: Option<bool>,
    /// Whether the payer has not opened the receivable in this cycle, as far as anybody said.
    pub not_viewed: Option<bool>,
    /// The payer's rating is known and at least this.
    pub risk_at_least: Option<u8>,
}

impl Conditions {
    /// Whether they hold for a track on a local day.
    pub fn hold(&self, ladder: &Ladder, track: &Track, day: NaiveDate) -> bool {
        let is_of = |segments: &[String]| ladder.segment.as_ref().is_some_and(|segment| segments.contains(segment));
        let days_overdue = calendar::days_between(track.effective_due, day);
        let broken = ladder.promises.broken.saturating_add(ladder.promises.partly_kept);
        (self.segment.is_empty() || is_of(&self.segment))
            && !is_of(&self.not_segment)
            && self.days_overdue_at_least.is_none_or(|least| days_overdue >= i64::from(least))
            && self.promises_broken_at_least.is_none_or(|least| broken >= least)
            && self.payment_returned.is_none_or(|returned| returned == (track.opening == Opening::Reversed))
            && self.not_viewed.is_none_or(|unseen| unseen != track.is_viewed())
            && self.risk_at_least.is_none_or(|least| ladder.risk_score.is_some_and(|score| score >= least))
    }
}
