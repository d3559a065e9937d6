//! What the contacts of a payer are asked to do.

use crate::channel::{Channel, ReceiptStatus};
use crate::gate::Evidence;
use crate::reminder::Reminder;
use crate::standstill::Standstill;
use alloc::{string::String, vec::Vec};
use kernel::{ChannelAttemptId, ContactId, DateTime, InvoiceId, Utc};

/// A command on one payer's contacts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Command {
    /// Merges what is offered on a day.
    Compose(Compose),
    /// Looks a last time and hands over, or says why not.
    Gate(Gate),
    /// Tells a provider's answer.
    NoteAttempt(NoteAttempt),
    /// Calls a provider again with the same key.
    RetryAttempt(RetryAttempt),
    /// Tells what a provider reported afterwards.
    NoteReceipt(NoteReceipt),
    /// Closes what its day left behind.
    CloseStale(CloseStale),
    /// The payer says no to a channel, or to all.
    OptOut(OptOut),
    /// The payer says yes to a channel.
    OptIn(OptIn),
    /// The payer's personal data was deleted.
    Forget(Forget),
    /// Debts of the payer stand still.
    Suspend(Suspend),
}

/// Merges what is offered on a day into contacts. Occurrences that ended, are in flight, or were offered on the same
/// day before are left out, so the same reminder again adds nothing. Contacts that an earlier day left behind are closed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Compose {
    /// What is offered.
    pub reminder: Reminder,
}

/// Looks a last time. On a contact that is due for a fallback it looks again and tries the next channel. Contacts of a
/// day must be looked at in their turn ([`crate::due`]). Before its window opens, and where nothing is due, adds nothing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Gate {
    /// Which.
    pub contact_id: ContactId,
    /// Fresh facts.
    pub evidence: Evidence,
}

/// Tells a provider's answer to a call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NoteAttempt {
    /// The contact.
    pub contact_id: ContactId,
    /// The attempt.
    pub attempt_id: ChannelAttemptId,
    /// The answer.
    pub result: AttemptResult,
    /// When.
    pub at: DateTime<Utc>,
}

/// A provider's answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AttemptResult {
    /// Taken.
    Accepted {
        /// The provider's own id, 1 to 200 characters.
        provider_id: String,
    },
    /// Certainly not taken.
    Refused {
        /// Why: a slug, 1 to 200 characters, nothing personal.
        reason: String,
    },
    /// Nobody knows: a timeout, a crash between call and answer.
    Unknown,
}

/// Calls a provider again with the same key, where its outcome is unknown: only where the provider honours that key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RetryAttempt {
    /// The attempt.
    pub attempt_id: ChannelAttemptId,
    /// Whether the provider takes a repeated key as one message.
    pub channel_is_idempotent: bool,
    /// When.
    pub at: DateTime<Utc>,
}

/// Tells what a provider reported after its answer, in whatever order and however often.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NoteReceipt {
    /// The attempt.
    pub attempt_id: ChannelAttemptId,
    /// What.
    pub status: ReceiptStatus,
    /// When.
    pub at: DateTime<Utc>,
}

/// Closes contacts that their day left behind.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CloseStale {
    /// Now.
    pub now: DateTime<Utc>,
}

/// The payer says no to a channel, or to all. It stands before what the owner says, until the payer opts in again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OptOut {
    /// Which; `None` = all.
    pub channel: Option<Channel>,
}

/// The payer says yes to a channel.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OptIn {
    /// Which.
    pub channel: Channel,
}

/// The payer's personal data was deleted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Forget;

/// Debts of the payer stand still: nothing of them goes out any more, neither a contact that waits nor a fallback, until the engine
/// offers them again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Suspend {
    /// Which.
    pub invoice_ids: Vec<InvoiceId>,
    /// Why.
    pub standstill: Standstill,
}
