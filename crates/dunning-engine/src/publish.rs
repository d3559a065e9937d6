//! Own events → public events.

use eventlog::Recorded;
use eventlog::bus::{Publish, Published};

/// What stays inside: what the engine noted of facts that their owner publishes itself, the talk with the person who approves or attends
/// to tasks, the texts and assignments of policies, and the talk with bureaus and protest offices (the step and the tasks are public).
const WITHHELD: [&str; 20] = [
    "PayerNoted",
    "PayerForgotten",
    "RatingNoted",
    "ViewNoted",
    "OutstandingNoted",
    "ApprovalRequested",
    "ApprovalGiven",
    "ApprovalRefused",
    "TaskDone",
    "TaskSnoozed",
    "PolicyPublished",
    "PolicyAssigned",
    "PolicyMigrated",
    "ListingRequested",
    "ListingSent",
    "ListingLost",
    "ListingAnswered",
    "ListingWithdrawn",
    "RemovalRequired",
    "RemovalAlarmed",
];

/// Everything that moves a track or a step is public.
#[derive(Debug, Clone, Copy, Default)]
pub struct PublicFacts;

impl Publish for PublicFacts {
    fn publish(&self, event: &Recorded) -> Published {
        if WITHHELD.contains(&event.event_type.as_str()) {
            return Published::Withheld;
        }
        Published::Public { event_type: event.event_type.clone(), payload: event.payload.clone() }
    }
}
