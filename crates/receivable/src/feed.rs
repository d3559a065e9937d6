//! The payment feed of a tenant: up to which instant its payments are known.
//!
//! An overdue reminder is only fair where a payment would have been known by now. Whoever brings payments in says how far they reach;
//! the gate compares that with the tenant's limit. The instant never goes back.

use alloc::{vec, vec::Vec};
use chrono::TimeDelta;
use kernel::{DateTime, Utc};

/// How far ahead of this clock a reporter's may run.
const CLOCK_SKEW_MINUTES: i64 = 5;

/// What is known of a tenant's feed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct PaymentFeed {
    /// All payments up to this instant are recorded; `None` where nobody ever said so.
    pub known_until: Option<DateTime<Utc>>,
}

impl PaymentFeed {
    /// Whether payments may be missing: a feed that nobody reported, or that ends before the last `max_age`.
    pub fn is_stale(&self, now: DateTime<Utc>, max_age: TimeDelta) -> bool {
        self.known_until.is_none_or(|known_until| now.signed_duration_since(known_until) > max_age)
    }
}

/// Says that all payments up to an instant are recorded. One that is known already adds nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ReportPaymentFeed {
    /// Up to when.
    pub known_until: DateTime<Utc>,
    /// Now.
    pub at: DateTime<Utc>,
}

/// All payments up to an instant are recorded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PaymentFeedReported {
    /// Up to when.
    pub known_until: DateTime<Utc>,
}

/// Why a report is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum FeedRejection {
    /// Nobody knows the payments of tomorrow; such a feed would look fresh for ever.
    #[error("known_until lies in the future")]
    InFuture,
}

impl FeedRejection {
    /// Stable reason for the caller.
    pub fn slug(self) -> &'static str {
        match self {
            FeedRejection::InFuture => "in_future",
        }
    }

    /// The field at fault, by its name in the command.
    pub fn field(self) -> &'static str {
        match self {
            FeedRejection::InFuture => "known_until",
        }
    }
}

/// What a report does: an event, none where nothing is new, or the reason why not.
pub fn decide(feed: &PaymentFeed, command: &ReportPaymentFeed) -> Result<Vec<PaymentFeedReported>, FeedRejection> {
    if command.known_until.signed_duration_since(command.at) > TimeDelta::minutes(CLOCK_SKEW_MINUTES) {
        return Err(FeedRejection::InFuture);
    }
    let is_new = feed.known_until.is_none_or(|known_until| known_until < command.known_until);
    Ok(if is_new { vec![PaymentFeedReported { known_until: command.known_until }] } else { vec![] })
}

/// The feed after an event.
pub fn evolve(feed: PaymentFeed, event: &PaymentFeedReported) -> PaymentFeed {
    PaymentFeed { known_until: feed.known_until.max(Some(event.known_until)) }
}
