//! What happened to the contacts of a payer.

use crate::channel::{Channel, ReceiptStatus};
use crate::contacts::{Class, Said};
use crate::outcome::ItemOutcome;
use crate::reminder::{Item, Occurrence, Rules};
use crate::standstill::Standstill;
use alloc::{string::String, vec::Vec};
use kernel::{Calendar, ChannelAttemptId, ContactId, Currency, DateTime, InvoiceId, NaiveDate, Utc, Zone};

/// A fact about the contacts of one payer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Event {
    /// Items were merged; again for the same contact, it replaces the first.
    ContactComposed(ContactComposed),
    /// It passed the gate.
    ContactGated(ContactGated),
    /// It passed the gate again, for the next channel of a chain.
    FallbackGated(FallbackGated),
    /// Chains go no further.
    FallbackStopped(FallbackStopped),
    /// A provider is about to be called.
    AttemptStarted(AttemptStarted),
    /// A provider is about to be called again with the same key.
    AttemptRetried(AttemptRetried),
    /// A provider took it.
    AttemptAccepted(AttemptAccepted),
    /// A provider did not take it.
    AttemptRefused(AttemptRefused),
    /// Nobody knows whether a provider took it.
    AttemptUnknown(AttemptUnknown),
    /// A provider reported.
    ReceiptNoted(ReceiptNoted),
    /// All items have their outcome.
    ContactConcluded(ContactConcluded),
    /// The payer said no to a channel.
    OptedOut(OptedOut),
    /// The payer said yes to a channel.
    OptedIn(OptedIn),
    /// The payer's personal data was deleted.
    Forgotten(Forgotten),
    /// Debts stand still.
    Suspended(Suspended),
}

impl Event {
    /// Outcomes that become known by this event. Each item of a contact gets exactly one, in one of its events:
    /// those that the gate drops at once, the others when the contact is concluded.
    pub fn outcomes(&self) -> &[ItemOutcome] {
        match self {
            Event::ContactGated(event) => &event.outcomes,
            Event::FallbackGated(event) => &event.outcomes,
            Event::ContactConcluded(event) => &event.outcomes,
            Event::ContactComposed(_)
            | Event::FallbackStopped(_)
            | Event::AttemptStarted(_)
            | Event::AttemptRetried(_)
            | Event::AttemptAccepted(_)
            | Event::AttemptRefused(_)
            | Event::AttemptUnknown(_)
            | Event::ReceiptNoted(_)
            | Event::OptedOut(_)
            | Event::OptedIn(_)
            | Event::Forgotten(_)
            | Event::Suspended(_) => &[],
        }
    }
}

/// Items were merged into a contact.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ContactComposed {
    /// Unique within the payer: day, currency, class.
    pub contact_id: ContactId,
    /// The payer's local day.
    pub day: NaiveDate,
    /// Currency of all items.
    pub currency: Currency,
    /// What it gathers.
    pub class: Class,
    /// Rules of the policy.
    pub rules: Rules,
    /// Calendar of the policy.
    pub calendar: Calendar,
    /// The payer's zone.
    pub zone: Zone,
    /// In reading order.
    pub items: Vec<Item>,
}

/// It passed the gate: some of its items go out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ContactGated {
    /// Which.
    pub contact_id: ContactId,
    /// The payer's local day.
    pub day: NaiveDate,
    /// Currency of the amounts.
    pub currency: Currency,
    /// What does not go out, and why.
    pub outcomes: Vec<ItemOutcome>,
    /// What goes out; never empty.
    pub said: Vec<Said>,
    /// The item that gives template, tone and chains.
    pub carrying: Occurrence,
    /// Its tone.
    pub tone: u8,
    /// Its template.
    pub template: String,
    /// The ways out; never empty.
    pub chains: Vec<Vec<Channel>>,
    /// When.
    pub at: DateTime<Utc>,
}

/// It passed the gate again before the next channel of a chain is tried.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FallbackGated {
    /// Which.
    pub contact_id: ContactId,
    /// What no longer goes out; empty where the contact was concluded before.
    pub outcomes: Vec<ItemOutcome>,
    /// What the next channel says; never empty.
    pub said: Vec<Said>,
    /// The item that gives template and tone.
    pub carrying: Occurrence,
    /// Its tone.
    pub tone: u8,
    /// Its template.
    pub template: String,
    /// When.
    pub at: DateTime<Utc>,
}

/// Chains go no further.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FallbackStopped {
    /// Which contact.
    pub contact_id: ContactId,
    /// Indexes of the chains.
    pub chains: Vec<u32>,
    /// Why.
    pub reason: StopReason,
}

/// Why a chain goes no further.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StopReason {
    /// The window of its day is shut.
    WindowShut,
    /// None of its items may go out any more.
    NothingToSay,
    /// No channel is left that may be used.
    NoChannelLeft,
}

impl StopReason {
    /// Stable reason.
    pub fn slug(self) -> &'static str {
        match self {
            StopReason::WindowShut => "window_shut",
            StopReason::NothingToSay => "nothing_to_say",
            StopReason::NoChannelLeft => "no_channel_left",
        }
    }

    /// By its slug.
    pub fn named(slug: &str) -> Option<Self> {
        [StopReason::WindowShut, StopReason::NothingToSay, StopReason::NoChannelLeft].into_iter().find(|reason| reason.slug() == slug)
    }
}

/// A provider is about to be called. Durable before the call, and no proof of sending.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AttemptStarted {
    /// The contact.
    pub contact_id: ContactId,
    /// The attempt; also the provider's idempotency key, prefixed with tenant and payer.
    pub attempt_id: ChannelAttemptId,
    /// Index of the chain.
    pub chain: u32,
    /// Index of the link.
    pub link: u32,
    /// Channel.
    pub channel: Channel,
    /// When.
    pub at: DateTime<Utc>,
}

/// A provider is about to be called again with the same key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AttemptRetried {
    /// The contact.
    pub contact_id: ContactId,
    /// The attempt.
    pub attempt_id: ChannelAttemptId,
    /// When.
    pub at: DateTime<Utc>,
}

/// A provider took it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AttemptAccepted {
    /// The contact.
    pub contact_id: ContactId,
    /// The attempt.
    pub attempt_id: ChannelAttemptId,
    /// Channel.
    pub channel: Channel,
    /// The payer's local day.
    pub day: NaiveDate,
    /// The provider's own id; empty where a receipt came before any answer.
    pub provider_id: String,
    /// When.
    pub at: DateTime<Utc>,
}

/// A provider did not take it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AttemptRefused {
    /// The contact.
    pub contact_id: ContactId,
    /// The attempt.
    pub attempt_id: ChannelAttemptId,
    /// Channel.
    pub channel: Channel,
    /// Why.
    pub reason: String,
    /// When.
    pub at: DateTime<Utc>,
}

/// Nobody knows whether a provider took it. A status query, a webhook or a retry under the same key settles it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AttemptUnknown {
    /// The contact.
    pub contact_id: ContactId,
    /// The attempt.
    pub attempt_id: ChannelAttemptId,
    /// Channel.
    pub channel: Channel,
    /// When.
    pub at: DateTime<Utc>,
}

/// A provider reported.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReceiptNoted {
    /// The contact.
    pub contact_id: ContactId,
    /// The attempt.
    pub attempt_id: ChannelAttemptId,
    /// Channel.
    pub channel: Channel,
    /// What.
    pub status: ReceiptStatus,
    /// When.
    pub at: DateTime<Utc>,
}

/// The remaining items have their outcome: executed by the first channel that accepted, or ended for a reason.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ContactConcluded {
    /// Which.
    pub contact_id: ContactId,
    /// The payer's local day.
    pub day: NaiveDate,
    /// Currency of the amounts.
    pub currency: Currency,
    /// The carrying item, where it passed the gate.
    pub carrying: Option<Occurrence>,
    /// Its tone; 0 where it did not pass the gate.
    pub tone: u8,
    /// Its template; empty where it did not pass the gate.
    pub template: String,
    /// The channel that accepted first, if one did.
    pub channel: Option<Channel>,
    /// One for each item that had none yet.
    pub outcomes: Vec<ItemOutcome>,
}

/// The payer said no to a channel.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OptedOut {
    /// Which.
    pub channel: Channel,
}

/// The payer said yes to a channel.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OptedIn {
    /// Which.
    pub channel: Channel,
}

/// The payer's personal data was deleted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Forgotten;

/// Debts stand still until they are offered again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Suspended {
    /// Which; never empty.
    pub invoice_ids: Vec<InvoiceId>,
    /// Why.
    pub standstill: Standstill,
}
