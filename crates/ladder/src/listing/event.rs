//! What happened to an entry. Each says when, and who where it was not the engine itself.

use super::{Alarm, Answer, Obligation, Opened, Order};
use alloc::string::String;
use kernel::{DateTime, NaiveDate, Utc};

/// An event. Days are local days.
#[derive(Debug, Clone, PartialEq, Eq)]
#[allow(missing_docs, reason = "the fields of events are those of the commands")]
pub enum Event {
    /// The step was executed: the debt is to be listed.
    Requested { opened: Opened, at: DateTime<Utc> },
    /// A command is being handed over. Until an answer comes the outcome is unknown.
    Sent { order: Order, at: DateTime<Utc> },
    /// The provider never had it: it may be handed over again, under the same key.
    Lost { order: Order, at: DateTime<Utc> },
    /// The provider's word, or a person's.
    Answered { answer: Answer, reason: String, reference: String, by: String, at: DateTime<Utc> },
    /// Given up before it was handed over.
    Withdrawn { cause: Cause, at: DateTime<Utc> },
    /// It must leave, or would have to.
    RemovalRequired { obligation: Obligation, at: DateTime<Utc> },
    /// The deadline of the removal is near, or has passed.
    RemovalAlarmed { alarm: Alarm, today: NaiveDate, until: NaiveDate, at: DateTime<Utc> },
}

/// Why an entry must leave.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Cause {
    /// The debt is paid.
    Paid,
    /// The receivable was cancelled.
    Cancelled,
    /// The debt is contested.
    Disputed,
    /// The creditor gave the debt up in its books.
    WrittenOff,
    /// It is owed anew, in the instalments of an agreement.
    Renegotiated,
    /// Something else, as an agreement about it.
    Other,
}

impl Cause {
    /// All of them.
    pub const ALL: [Cause; 6] = [Cause::Paid, Cause::Cancelled, Cause::Disputed, Cause::WrittenOff, Cause::Renegotiated, Cause::Other];

    /// Its stable name.
    pub fn slug(self) -> &'static str {
        match self {
            Cause::Paid => "paid",
            Cause::Cancelled => "cancelled",
            Cause::Disputed => "disputed",
            Cause::WrittenOff => "written_off",
            Cause::Renegotiated => "renegotiated",
            Cause::Other => "other",
        }
    }

    /// By its stable name.
    pub fn named(slug: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|cause| cause.slug() == slug)
    }
}
