//! State: everything sent or about to be sent to one payer.

use crate::chain::Chain;
use crate::channel::{Channel, Reach};
use crate::gate::Budget;
use crate::reminder::{Item, Occurrence, Rules};
use crate::standstill::Standstill;
use alloc::{collections::BTreeMap, string::String, vec::Vec};
use kernel::{Calendar, ContactId, Currency, InvoiceId, NaiveDate, Purpose, Zone, calendar};
use rpds::RedBlackTreeMapSync;

/// All contacts of one payer. What grows with them shares with its copies what did not change.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Contacts {
    /// Channels on which the payer said yes (`true`) or no (`false`); the last word stands.
    pub preferences: BTreeMap<Channel, bool>,
    /// Contacts of the last two months.
    pub contacts: RedBlackTreeMapSync<ContactId, Contact>,
    /// Occurrences that ended for good, with their contact: none of them is ever composed again.
    pub done: RedBlackTreeMapSync<Occurrence, ContactId>,
    /// Whether the payer's personal data was deleted.
    pub forgotten: bool,
    /// Debts that stand still since they were offered last.
    pub suspended: RedBlackTreeMapSync<InvoiceId, Standstill>,
}

impl Contacts {
    /// Whether the payer may be reached on a channel: a valid address, and the payer's word or else the owner's.
    pub fn may_use(&self, channel: Channel, reach: &Reach) -> bool {
        has_address(channel, reach) && self.consents(channel, reach)
    }

    /// Whether the payer wants the channel: the payer's own word before the owner's.
    pub fn consents(&self, channel: Channel, reach: &Reach) -> bool {
        let by_owner = reach.get(&channel).is_some_and(|reachability| reachability.consent);
        !self.forgotten && self.preferences.get(&channel).copied().unwrap_or(by_owner)
    }

    /// Whether the payer said no to a channel.
    pub fn opted_out(&self, channel: Channel) -> bool {
        self.preferences.get(&channel) == Some(&false)
    }

    /// What the payer has heard already, seen from one contact. Reminders are counted among reminders, thanks and corrections among
    /// themselves, whatever the currency: of those one goes out a day, and none of them takes the place of a reminder. Calls are calls.
    pub fn budget(&self, contact_id: &ContactId, contact: &Contact) -> Budget {
        let week_start = calendar::add_days(contact.day, -6);
        let mut budget = Budget::default();
        for (_, other) in self.contacts.iter().filter(|(id, other)| *id != contact_id && other.counts()) {
            if other.class.is_reminder() != contact.class.is_reminder() {
                continue;
            }
            budget.in_7_days += u32::from(week_start <= other.day && other.day <= contact.day);
            let is_same = other.currency == contact.currency && other.class == contact.class;
            budget.today += u32::from(other.day == contact.day);
            budget.day_taken |= other.day == contact.day && (is_same || !contact.class.is_reminder());
        }
        let today = self.contacts.values().filter(|other| other.day == contact.day);
        budget.voice_today = today.map(Contact::voice_calls).fold(0, u32::saturating_add);
        budget
    }
}

/// Whether a channel has a valid address.
pub(crate) fn has_address(channel: Channel, reach: &Reach) -> bool {
    reach.get(&channel).is_some_and(|reachability| reachability.address == crate::channel::Address::Valid)
}

/// One contact.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Contact {
    /// The payer's local day; it goes out on that day or not at all.
    pub day: NaiveDate,
    /// Currency of all its items.
    pub currency: Currency,
    /// What it gathers.
    pub class: Class,
    /// Rules of the policy that offered it.
    pub rules: Rules,
    /// Calendar whose holidays are outside the window.
    pub calendar: Calendar,
    /// The payer's zone.
    pub zone: Zone,
    /// What was composed: overdue first, oldest due first, upcoming below.
    pub items: Vec<Item>,
    /// What it says since the last gate, in the order of `items`.
    pub said: Vec<Said>,
    /// The item that gives template, tone and chains; `None` before the gate.
    pub carrying: Option<Occurrence>,
    /// Its ways out; empty before the gate.
    pub chains: Vec<Chain>,
    /// Where it stands.
    pub phase: Phase,
}

impl Contact {
    /// An item by its key.
    pub fn item(&self, key: &Occurrence) -> Option<&Item> {
        self.items.iter().find(|item| item.key() == *key)
    }

    /// The carrying item; `None` before the gate.
    pub fn carrying_item(&self) -> Option<&Item> {
        self.carrying.as_ref().and_then(|key| self.item(key))
    }

    /// Whether it counts in the budget: on its way, or accepted, or perhaps accepted. One that every channel refused
    /// never reached anybody and does not count.
    pub fn counts(&self) -> bool {
        self.phase == Phase::Handed || self.was_handed()
    }

    /// Whether a provider has, or may have, accepted it.
    pub fn was_handed(&self) -> bool {
        self.chains.iter().any(|chain| chain.is_accepted() || chain.is_in_flight())
    }

    /// Whether a channel accepted it.
    pub fn is_accepted(&self) -> bool {
        self.chains.iter().any(Chain::is_accepted)
    }

    /// Calls made or in flight.
    pub fn voice_calls(&self) -> u32 {
        let attempts = self.chains.iter().flat_map(|chain| &chain.attempts);
        let calls = attempts.filter(|attempt| attempt.channel == Channel::Voice && !attempt.is_refused()).count();
        u32::try_from(calls).unwrap_or(u32::MAX)
    }

    /// Hours of silence after which a chain falls back; `None` where it never does.
    pub fn fallback_after_hours(&self) -> Option<u32> {
        self.carrying_item().map(|item| item.fallback_after_hours).filter(|hours| *hours > 0)
    }
}

/// What a contact gathers.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Class {
    /// All items of its currency and day.
    All,
    /// The overdue ones.
    Overdue,
    /// Those not yet overdue.
    Upcoming,
    /// One receivable alone.
    Single(InvoiceId),
    /// Thanks for what is paid.
    ThankYou,
    /// What was cancelled.
    Correction,
}

impl Class {
    /// Stable name, the same for all single ones.
    pub fn slug(&self) -> &'static str {
        match self {
            Class::All => "all",
            Class::Overdue => "overdue",
            Class::Upcoming => "upcoming",
            Class::Single(_) => "single",
            Class::ThankYou => "thank_you",
            Class::Correction => "correction",
        }
    }

    /// By its slug; `invoice_id` is that of a single one's item.
    pub fn named(slug: &str, invoice_id: &InvoiceId) -> Option<Self> {
        match slug {
            "all" => Some(Class::All),
            "overdue" => Some(Class::Overdue),
            "upcoming" => Some(Class::Upcoming),
            "single" => Some(Class::Single(invoice_id.clone())),
            "thank_you" => Some(Class::ThankYou),
            "correction" => Some(Class::Correction),
            _ => None,
        }
    }

    /// Its part of a contact id.
    pub(crate) fn name(&self) -> String {
        match self {
            Class::Single(invoice_id) => invoice_id.as_str().into(),
            Class::All | Class::Overdue | Class::Upcoming | Class::ThankYou | Class::Correction => self.slug().into(),
        }
    }

    /// Why its items are told.
    pub fn purpose(&self) -> Purpose {
        match self {
            Class::All | Class::Overdue | Class::Upcoming | Class::Single(_) => Purpose::Reminder,
            Class::ThankYou => Purpose::ThankYou,
            Class::Correction => Purpose::Correction,
        }
    }

    /// Whether it asks for something.
    pub fn is_reminder(&self) -> bool {
        self.purpose() == Purpose::Reminder
    }
}

/// An item that goes out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Said {
    /// Which.
    pub key: Occurrence,
    /// What is left to pay on it after credit, in minor units: what the text says.
    pub net_minor: i64,
}

/// Where a contact stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Phase {
    /// Merged, not yet looked at.
    Composed,
    /// Handed to channels; nothing accepted so far.
    Handed,
    /// Each item has its outcome. Receipts, and fallbacks on silence or bounce, still come.
    Concluded,
}
