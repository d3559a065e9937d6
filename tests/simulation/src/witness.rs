//! Who watches: the invariants of ladder.md section 11, judged by what payers got and what logs say, without the rules under test.

use crate::policy::{place_of, tone_of};
use chrono::{DateTime, Utc};
use eventlog::bus::Message;
use kernel::ChannelAttemptId;
use ladder::Event;
use ladder::notices::NoticeKind;
use ladder::track::End;
use notice::{Channel, Occurrence};
use prost::Message as _;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

/// What must always hold; the numbers are those of ladder.md section 11.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Invariant {
    /// 1: per occurrence at most one accepted contact, per attempt one message.
    OneContact,
    /// 2: nothing is handed over after an event that settles, cancels, holds or disputes was visible.
    NothingAfterTheFact,
    /// 3: same log, same clock, same plan; a run more adds nothing.
    SamePlan,
    /// 4: tone rises by one at most.
    ToneStepByStep,
    /// 5: a place never falls but by a new cycle.
    PlaceOnlyRises,
    /// 6: the ledger adds up, at every instant and over every span.
    Ledger,
    /// 7: every occurrence ends once, with a reason.
    OneEnd,
    /// 8: an outage changes nothing that is owed and makes no duplicate.
    Outage,
    /// 9: read models from zero equal the live ones.
    Views,
    /// Not of the norm: messages are understood in order, and the system comes to rest.
    Contracts,
}

impl Invariant {
    /// Number and name.
    pub fn name(self) -> &'static str {
        match self {
            Invariant::OneContact => "1 one accepted contact per occurrence",
            Invariant::NothingAfterTheFact => "2 nothing after the fact",
            Invariant::SamePlan => "3 same log, same clock, same plan",
            Invariant::ToneStepByStep => "4 tone step by step",
            Invariant::PlaceOnlyRises => "5 the place only rises",
            Invariant::Ledger => "6 the ledger adds up",
            Invariant::OneEnd => "7 one end with a reason",
            Invariant::Outage => "8 an outage changes no debt and makes no duplicate",
            Invariant::Views => "9 views from zero equal the live ones",
            Invariant::Contracts => "contracts and rest",
        }
    }
}

/// An invariant that did not hold.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Violation {
    /// Which.
    pub invariant: Invariant,
    /// When it was noticed.
    pub at: DateTime<Utc>,
    /// What was seen.
    pub what: String,
}

impl fmt::Display for Violation {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{} | {} | {}", self.at.format("%F %T"), self.invariant.name(), self.what)
    }
}

/// What was visible to a gate: receivables that nobody may be asked for, and those of which nobody may be told that they are over.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Visible {
    /// By the owner of balances, when it was asked.
    pub settled: BTreeSet<String>,
    /// By the log of the gate, when it decided.
    pub still: BTreeSet<String>,
    /// By the owner of balances, when it was asked: surely owed.
    pub owed: BTreeSet<String>,
    /// The same: cancelled.
    pub void: BTreeSet<String>,
}

/// A message that a provider was called with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Handed {
    /// To whom.
    pub payer: usize,
    /// The contact.
    pub contact_id: String,
    /// The attempt.
    pub attempt_id: ChannelAttemptId,
    /// The channel.
    pub channel: Channel,
    /// What it asks for, with the tone of each step.
    pub items: Vec<(Occurrence, u8)>,
    /// Whether the payer got it.
    pub sent: bool,
}

/// What was seen so far.
#[derive(Debug, Default)]
pub struct Witness {
    /// What did not hold.
    pub violations: Vec<Violation>,
    /// Every call of a provider, in order.
    pub calls: Vec<Handed>,
    /// Messages that were sent more than once.
    pub duplicates: u64,
    /// Every step that a payer, or a person, was given, in order, with the contact that brought it.
    steps: Vec<(usize, Occurrence, u8, Option<String>)>,
    still: BTreeSet<(usize, String)>,
    messages: BTreeMap<(usize, ChannelAttemptId), u32>,
    contacts: BTreeMap<(usize, Occurrence), String>,
    notices: BTreeMap<(usize, String), String>,
    ends: BTreeMap<(usize, Occurrence), End>,
}

impl Witness {
    /// Notes that something did not hold.
    pub fn accuse(&mut self, invariant: Invariant, at: DateTime<Utc>, what: String) {
        self.violations.push(Violation { invariant, at, what });
    }

    /// A provider is called; `visible` is what the gate knew.
    pub fn handed(&mut self, handed: Handed, visible: &Visible, at: DateTime<Utc>) {
        for (key, _) in &handed.items {
            let invoice = key.invoice_id.as_str();
            let forbidden = match NoticeKind::of_step(&key.step_id) {
                None => visible.settled.contains(invoice) || visible.still.contains(invoice),
                Some(NoticeKind::ThankYou) => visible.owed.contains(invoice) || visible.void.contains(invoice),
                Some(NoticeKind::Correction) => !visible.void.contains(invoice),
            };
            if forbidden {
                let what = format!("{} tells {} of {invoice}, which {visible:?} forbids", handed.contact_id, key.step_id);
                self.accuse(Invariant::NothingAfterTheFact, at, what);
            }
        }
        if handed.sent {
            self.count(&handed, at);
        }
        self.calls.push(handed);
    }

    fn count(&mut self, handed: &Handed, at: DateTime<Utc>) {
        let copies = self.messages.entry((handed.payer, handed.attempt_id.clone())).or_default();
        *copies += 1;
        if *copies > 1 {
            self.duplicates += 1;
            let what = format!("{} was sent {copies} times", handed.attempt_id);
            self.accuse(Invariant::OneContact, at, what);
        }
        for (key, tone) in &handed.items {
            // Thanks and corrections are no steps: they climb nothing, and one contact of them goes out a day.
            if NoticeKind::of_step(&key.step_id).is_none() {
                self.steps.push((handed.payer, key.clone(), *tone, Some(handed.contact_id.clone())));
            } else {
                self.one_a_day(handed, at);
            }
            let known = self.contacts.entry((handed.payer, key.clone())).or_insert_with(|| handed.contact_id.clone());
            if *known != handed.contact_id {
                self.duplicates += 1;
                let what = format!("{key:?} was said by {known} and by {}", handed.contact_id);
                self.accuse(Invariant::OneContact, at, what);
            }
        }
    }

    fn one_a_day(&mut self, handed: &Handed, at: DateTime<Utc>) {
        let day: String = handed.contact_id.chars().take("2026-11-23".len()).collect();
        let known = self.notices.entry((handed.payer, day)).or_insert_with(|| handed.contact_id.clone());
        if *known != handed.contact_id {
            let what = format!("{known} and {} on one day", handed.contact_id);
            self.accuse(Invariant::OneContact, at, what);
        }
    }

    /// The gate's service has taken in a message.
    pub fn heard(&mut self, payer: usize, message: &Message) {
        use contracts::dunning::v1 as dunning;
        let payload = message.event.payload.as_slice();
        let still: Vec<String> = match message.event.event_type.as_str() {
            "HoldPlaced" => dunning::HoldPlaced::decode(payload).map(|m| vec![m.invoice_id]),
            "DisputeOpened" => dunning::DisputeOpened::decode(payload).map(|m| vec![m.invoice_id]),
            "PaymentAnnounced" => dunning::PaymentAnnounced::decode(payload).map(|m| vec![m.invoice_id]),
            "TrackWrittenOff" => dunning::TrackWrittenOff::decode(payload).map(|m| vec![m.invoice_id]),
            "TrackHandedOff" => dunning::TrackHandedOff::decode(payload).map(|m| vec![m.invoice_id]),
            "PromiseMade" => dunning::PromiseMade::decode(payload).map(|m| m.invoice_ids),
            "ReminderDue" => {
                for item in dunning::ReminderDue::decode(payload).map(|m| m.items).unwrap_or_default() {
                    self.still.remove(&(payer, item.invoice_id));
                }
                Ok(Vec::new())
            }
            _ => Ok(Vec::new()),
        }
        .unwrap_or_default();
        self.still.extend(still.into_iter().map(|invoice| (payer, invoice)));
    }

    /// Receivables of a payer that stand still, as far as the gate's service knows.
    pub fn still(&self, payer: usize) -> BTreeSet<String> {
        self.still.iter().filter(|(of, _)| *of == payer).map(|(_, invoice)| invoice.clone()).collect()
    }

    /// The engine of a creditor has recorded an event.
    pub fn planned(&mut self, (tenant, payer): (&str, usize), event: &Event, at: DateTime<Utc>) {
        let Event::StepsClosed { invoice_id, cycle, closings, .. } = event else { return };
        for closing in closings {
            let key = Occurrence {
                invoice_id: invoice_id.clone(),
                cycle: *cycle,
                step_id: closing.step_id.clone(),
                occurrence: closing.occurrence,
            };
            if let End::Executed { contact_id: None, .. } = &closing.end {
                self.steps.push((payer, key.clone(), tone_of(tenant, &key.step_id), None));
            }
            if closing.end.reason().is_none() != matches!(closing.end, End::Executed { .. }) {
                self.accuse(Invariant::OneEnd, at, format!("{key:?} ends without a reason: {:?}", closing.end));
            }
            if let Some(before) = self.ends.insert((payer, key.clone()), closing.end.clone()) {
                self.accuse(Invariant::OneEnd, at, format!("{key:?} ended as {before:?} and as {:?}", closing.end));
            }
        }
    }

    /// How an occurrence ended.
    pub fn end_of(&self, payer: usize, key: &Occurrence) -> Option<&End> {
        self.ends.get(&(payer, key.clone()))
    }

    /// Tone and place over the steps that were executed, in the order in which they reached somebody; and no step that is executed
    /// without a message. What a person does (a task) is a step of the ladder like a message.
    pub fn judge_climbs(&mut self, tenant: &str, at: DateTime<Utc>) {
        let mut found = Vec::new();
        let mut said: BTreeSet<(usize, &Occurrence)> = BTreeSet::new();
        let mut climbs: BTreeMap<(usize, &str), (u32, usize, u32, u8)> = BTreeMap::new();
        for (payer, key, tone, by) in &self.steps {
            let executed =
                self.end_of(*payer, key).is_some_and(|end| matches!(end, End::Executed { .. }) && contact_of(end) == by.as_deref());
            if !executed || !said.insert((*payer, key)) {
                continue;
            }
            let now = (key.cycle, place_of(tenant, &key.step_id), key.occurrence, *tone);
            let before = climbs.insert((*payer, key.invoice_id.as_str()), now);
            let cap = before.map_or(2, |(_, _, _, tone)| tone + 1);
            if *tone > cap && (before.is_some() || key.cycle == 1) {
                found.push((Invariant::ToneStepByStep, format!("{key:?} has tone {tone} after {before:?}")));
            }
            if before.is_some_and(|(cycle, place, nth, _)| (now.0, now.1, now.2) <= (cycle, place, nth)) {
                found.push((Invariant::PlaceOnlyRises, format!("{key:?} comes after {before:?}")));
            }
        }
        for ((payer, key), end) in &self.ends {
            if contact_of(end).is_some() && !said.contains(&(*payer, key)) {
                found.push((Invariant::OneEnd, format!("{key:?} is executed and nobody was sent it")));
            }
        }
        found.into_iter().for_each(|(invariant, what)| self.accuse(invariant, at, what));
    }
}

fn contact_of(end: &End) -> Option<&str> {
    match end {
        End::Executed { contact_id, .. } => contact_id.as_ref().map(|id| id.as_str()),
        End::Superseded { .. } | End::Suppressed { .. } | End::Expired { .. } | End::Undeliverable { .. } => None,
    }
}
