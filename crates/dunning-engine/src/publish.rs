//! Own events → public events.

use eventlog::Recorded;
use eventlog::bus::{Publish, Published};

/// What stays inside: what the engine noted of facts that their owner publishes itself, the talk with the person who approves or attends
/// to tasks, and the texts and assignments of policies.
const WITHHELD: [&str; 11] = [
    "PayerNoted",
    "PayerForgotten",
    "OutstandingNoted",
    "ApprovalRequested",
    "ApprovalGiven",
    "ApprovalRefused",
    "TaskDone",
    "TaskSnoozed",
    "PolicyPublished",
    "PolicyAssigned",
    "PolicyMigrated",
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
