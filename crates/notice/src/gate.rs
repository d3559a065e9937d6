//! The last look before a contact is handed to a provider: what goes out, what does not, and why.
//!
//! Order, the same for all: what the owner refuses · debts that stand still · no address · no consent · window · one contact per currency and day ·
//! budget. What the owner refuses for good, no address and no consent end an occurrence, the others put it off, and are
//! decided on what the first ones leave: a payer who cannot be reached spends nothing.

use crate::chain::{Chain, starts};
use crate::channel::{Channel, Reach};
use crate::compose::carrying;
use crate::contacts::{Contact, Contacts, Said, has_address};
use crate::outcome::{ItemOutcome, Outcome, Reason};
use crate::reminder::{Item, Occurrence};
use crate::wake::{is_open, opens_at};
use alloc::{
    collections::{BTreeMap, BTreeSet},
    vec::Vec,
};
use kernel::{DateTime, Purpose, Utc};

/// Fresh facts for a look, gathered right before it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Evidence {
    /// Now.
    pub now: DateTime<Utc>,
    /// The owner's answer for each item of the contact.
    pub verdicts: BTreeMap<Occurrence, OwnerAnswer>,
    /// Addresses and the owner's word on consent, by channel.
    pub reach: Reach,
    /// Whether the contact's day is a local holiday of the payer, as the creditor keeps them now: its window is shut all day.
    pub local_holiday: bool,
}

/// The owner's answer for an item.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OwnerAnswer {
    /// It may go out, and says this net balance in minor units.
    Authorized {
        /// More than zero.
        net_minor: i64,
    },
    /// It may not.
    Refused(OwnerRefusal),
}

/// Why the owner of the balance says no.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum OwnerRefusal {
    /// Nothing is open.
    Paid,
    /// No longer owed.
    Cancelled,
    /// Owed by the instalments of an agreement.
    Renegotiated,
    /// The residue is tolerated.
    WithinTolerance,
    /// Unapplied credit covers it.
    CoveredByCredit,
    /// Below the step's minimum.
    BelowMinimum,
    /// No such invoice.
    Unknown,
    /// The payer's personal data was deleted.
    CustomerErased,
    /// Thanks or a correction, and it is owed.
    OwedAgain,
    /// Not now: on automatic debit whose day has not come.
    AutomaticDebit,
    /// Not now: it is overdue, and payments may be missing.
    StaleFeed,
    /// Not now: the legal rate of a month in which interest runs is not known to the owner yet.
    ChargesUnknown,
    /// Not now: all that is open is contested.
    Disputed,
}

impl OwnerRefusal {
    const ALL: [(OwnerRefusal, &'static str); 13] = [
        (OwnerRefusal::Paid, "paid"),
        (OwnerRefusal::Cancelled, "cancelled"),
        (OwnerRefusal::Renegotiated, "renegotiated"),
        (OwnerRefusal::WithinTolerance, "within_tolerance"),
        (OwnerRefusal::CoveredByCredit, "covered_by_credit"),
        (OwnerRefusal::BelowMinimum, "below_minimum"),
        (OwnerRefusal::Unknown, "unknown"),
        (OwnerRefusal::CustomerErased, "customer_erased"),
        (OwnerRefusal::OwedAgain, "owed_again"),
        (OwnerRefusal::AutomaticDebit, "automatic_debit"),
        (OwnerRefusal::StaleFeed, "stale_feed"),
        (OwnerRefusal::ChargesUnknown, "charges_unknown"),
        (OwnerRefusal::Disputed, "disputed"),
    ];

    /// By the owner's slug.
    pub fn named(slug: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|(_, name)| *name == slug).map(|(refusal, _)| refusal)
    }

    /// What it means for the occurrence.
    pub fn outcome(self) -> Outcome {
        match self {
            OwnerRefusal::Paid => Outcome::Superseded(Reason::Paid),
            OwnerRefusal::Cancelled => Outcome::Superseded(Reason::Cancelled),
            OwnerRefusal::Renegotiated => Outcome::Superseded(Reason::Renegotiated),
            OwnerRefusal::WithinTolerance => Outcome::Superseded(Reason::WithinTolerance),
            OwnerRefusal::CoveredByCredit => Outcome::Suppressed(Reason::CoveredByCredit),
            OwnerRefusal::BelowMinimum => Outcome::Suppressed(Reason::BelowMinimum),
            OwnerRefusal::Unknown => Outcome::Suppressed(Reason::UnknownInvoice),
            OwnerRefusal::CustomerErased => Outcome::Suppressed(Reason::CustomerErased),
            OwnerRefusal::OwedAgain => Outcome::Superseded(Reason::OwedAgain),
            OwnerRefusal::AutomaticDebit => Outcome::Deferred(Reason::AutomaticDebit),
            OwnerRefusal::StaleFeed => Outcome::Deferred(Reason::StaleFeed),
            OwnerRefusal::ChargesUnknown => Outcome::Deferred(Reason::ChargesUnknown),
            OwnerRefusal::Disputed => Outcome::Deferred(Reason::Disputed),
        }
    }
}

/// What the payer has heard of other contacts, over all currencies.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Budget {
    /// Contacts handed over on the local day.
    pub today: u32,
    /// Contacts handed over on the local day and the six before.
    pub in_7_days: u32,
    /// Calls on the local day.
    pub voice_today: u32,
    /// Whether a contact of the same day, currency and class went out.
    pub day_taken: bool,
}

/// What the look decides.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Ruling {
    /// The window of its day has not opened; nothing is decided.
    NotYet,
    /// Some items go out.
    Proceed {
        /// What does not, and why.
        outcomes: Vec<ItemOutcome>,
        /// What does.
        said: Vec<Said>,
        /// The item that gives template, tone and chains.
        carrying: Occurrence,
        /// Its chains, channels without address or consent left out.
        chains: Vec<Vec<Channel>>,
    },
    /// Nothing goes out: every item has its outcome.
    Closed {
        /// One for each item.
        outcomes: Vec<ItemOutcome>,
    },
}

/// The last look at a contact that was not handed over before. `contacts` gives the payer's own word on channels.
///
/// An item without a verdict is treated as unknown to the owner; [`crate::decide()`] refuses such evidence before.
pub fn gate(contacts: &Contacts, contact: &Contact, evidence: &Evidence, budget: Budget) -> Ruling {
    if evidence.now < opens_at(contact) {
        return Ruling::NotYet;
    }
    let (said, mut outcomes) = judge(contacts, &contact.items, evidence);
    let shut = (evidence.local_holiday || !is_open(contact, evidence.now)).then_some(Reason::WindowShut);
    let Some(carrying) = carry(contact, &said) else { return Ruling::Closed { outcomes } };
    let may_use = |channel: Channel| contacts.may_use(channel, &evidence.reach);
    let chains = ways_out(carrying, may_use, contact.rules.max_voice_per_day.saturating_sub(budget.voice_today));
    if let Some(reason) = shut.or_else(|| over_budget(contact, budget, &chains)) {
        outcomes.extend(deferred(&said, reason));
        return Ruling::Closed { outcomes };
    }
    Ruling::Proceed { outcomes, carrying: carrying.key(), said, chains }
}

/// What may go out of some items, and what ends or waits by itself. Of two steps of one track only the newest cycle, and in it
/// the harshest step, is said.
pub(crate) fn judge(contacts: &Contacts, items: &[Item], evidence: &Evidence) -> (Vec<Said>, Vec<ItemOutcome>) {
    let (mut said, mut outcomes) = (Vec::new(), Vec::new());
    for item in items {
        let net_minor = match evidence.verdicts.get(&item.key()) {
            Some(OwnerAnswer::Authorized { net_minor }) => Some(*net_minor),
            Some(OwnerAnswer::Refused(_)) | None => None,
        };
        let ended = outdone(item, items).or_else(|| ended(contacts, item, evidence));
        match (ended, net_minor) {
            (None, Some(net_minor)) => said.push(Said { key: item.key(), net_minor }),
            (ended, _) => {
                let outcome = ended.unwrap_or(Outcome::Suppressed(Reason::UnknownInvoice));
                outcomes.push(ItemOutcome { key: item.key(), outcome, net_minor });
            }
        }
    }
    (said, outcomes)
}

fn outdone(item: &Item, items: &[Item]) -> Option<Outcome> {
    let same_track = || items.iter().filter(|other| other.invoice_id == item.invoice_id);
    let rank = |item: &Item| (item.tone, item.planned_on, item.step_id.clone(), item.occurrence);
    if same_track().any(|other| other.cycle > item.cycle) {
        Some(Outcome::Superseded(Reason::NewCycle))
    } else if same_track().any(|other| other.cycle == item.cycle && rank(other) > rank(item)) {
        Some(Outcome::Superseded(Reason::SameDay))
    } else {
        None
    }
}

/// What ends an occurrence at the gate, or puts it off, whatever the other items are.
fn ended(contacts: &Contacts, item: &Item, evidence: &Evidence) -> Option<Outcome> {
    if let Some(OwnerAnswer::Refused(refusal)) = evidence.verdicts.get(&item.key()) {
        return Some(refusal.outcome());
    }
    // That a debt stands still keeps it from being asked for.
    if let Some(standstill) = contacts.suspended.get(&item.invoice_id).filter(|_| item.purpose == Purpose::Reminder) {
        return Some(Outcome::Deferred(standstill.reason()));
    }
    let mut channels = item.chains.iter().flatten().copied().filter(|channel| has_address(*channel, &evidence.reach)).peekable();
    if channels.peek().is_none() {
        return Some(Outcome::Undeliverable(Reason::NoAddress));
    }
    if channels.clone().any(|channel| contacts.consents(channel, &evidence.reach)) {
        return None;
    }
    let reason = if channels.all(|channel| contacts.opted_out(channel)) { Reason::OptedOut } else { Reason::NoConsent };
    Some(Outcome::Suppressed(reason))
}

/// The carrying item among what goes out.
pub(crate) fn carry<'a>(contact: &'a Contact, said: &[Said]) -> Option<&'a Item> {
    carrying(said.iter().filter_map(|said| contact.item(&said.key).map(|item| (item, said.net_minor))))
}

fn deferred(said: &[Said], reason: Reason) -> impl Iterator<Item = ItemOutcome> + '_ {
    said.iter().map(move |said| ItemOutcome { key: said.key.clone(), outcome: Outcome::Deferred(reason), net_minor: Some(said.net_minor) })
}

/// The chains of the carrying item as far as they can be used today: without a first link a chain is left out.
fn ways_out(carrying: &Item, may_use: impl Fn(Channel) -> bool, voice_left: u32) -> Vec<Vec<Channel>> {
    let usable = |chain: &Vec<Channel>| chain.iter().copied().filter(|channel| may_use(*channel)).collect::<Vec<_>>();
    let chains: Vec<Chain> = carrying.chains.iter().map(usable).map(Chain::new).collect();
    let all: Vec<u32> = (0u32..).zip(&chains).map(|(index, _)| index).collect();
    let begun: BTreeSet<u32> = starts(&chains, &all, |_| true, voice_left).into_iter().map(|start| start.chain).collect();
    (0u32..).zip(chains).filter(|(index, _)| begun.contains(index)).map(|(_, chain)| chain.links).collect()
}

/// Why the payer has heard enough. A contact whose only channel is a call that may not be made today waits as well.
fn over_budget(contact: &Contact, budget: Budget, chains: &[Vec<Channel>]) -> Option<Reason> {
    if budget.day_taken {
        return Some(Reason::DayTaken);
    }
    if !contact.class.is_reminder() {
        return chains.is_empty().then_some(Reason::BudgetSpent);
    }
    let spent = budget.today >= contact.rules.max_per_day || budget.in_7_days >= contact.rules.max_per_7_days || chains.is_empty();
    spent.then_some(Reason::BudgetSpent)
}
