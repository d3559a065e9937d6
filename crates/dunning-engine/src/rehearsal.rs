//! Rehearsal of a draft: what it would do to one payer's running tracks in the days to come, and the sum over payers. Pure: it plays the
//! ladders of a copy, and nothing of it is stored or sent.
//!
//! Played as if all went well and nobody paid: what is offered is sent by its first channel and delivered on the same day, every approval is
//! given, every action is done. What the payer's budgets leave no room for waits, as it would at the gate.

mod budget;

use budget::Heard;
use chrono::{DateTime, Utc};
use kernel::{ContactId, InvoiceId, NaiveDate, PolicyId, StepId, VariantId, Zone};
use ladder::{
    Command, Context, Event, Ladder, Policy, PolicyBook, Reason, Rejection, Terms, decide, evolve,
    ladder::{ActionOutcome, DueItem, ItemOutcome, Outcome},
    next_wake,
    policy::{Channel, ContactRules},
    track::Track,
};
use std::collections::{BTreeMap, BTreeSet};

/// The number of a draft: no version that was published has it.
pub const DRAFT_VERSION: u32 = u32::MAX;
/// From this tone on a first contact is harsh.
const HARSH_TONE: u8 = 3;

/// The tenant's policies, and the draft as one more.
pub struct DraftBook<'a> {
    /// The published ones.
    pub book: &'a dyn PolicyBook,
    /// The draft.
    pub draft: &'a Policy,
}

impl PolicyBook for DraftBook<'_> {
    fn policy(&self, id: &PolicyId, version: u32) -> Option<&Policy> {
        if version == DRAFT_VERSION && id == self.draft.id() { Some(self.draft) } else { self.book.policy(id, version) }
    }

    fn local_holiday(&self, state: Option<&str>, municipality: Option<&str>, day: NaiveDate) -> Option<&str> {
        self.book.local_holiday(state, municipality, day)
    }
}

/// When is played, and by what.
pub struct Asked<'a> {
    /// Now.
    pub from: DateTime<Utc>,
    /// The last local day that is played.
    pub until: NaiveDate,
    /// The payer's zone.
    pub zone: Zone,
    /// The policies with the draft.
    pub book: &'a DraftBook<'a>,
    /// The creditor's limits.
    pub terms: Terms,
}

/// What a draft would do, over payers.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Rehearsal {
    /// Payers with running tracks.
    pub payers: u64,
    /// Running tracks.
    pub tracks: u64,
    /// Tracks of which a step is being carried out.
    pub left: u64,
    /// Contacts by local day and channel.
    pub contacts: BTreeMap<(NaiveDate, Channel), u64>,
    /// Payers of whom a track goes on with another step than before.
    pub moved: u64,
    /// Payers whose first contact is harsh.
    pub harsh_firsts: u64,
    /// Tracks that stand on each variant of the draft after the move.
    pub variants: BTreeMap<VariantId, u64>,
}

impl Rehearsal {
    /// Of one payer, whose ladders these are.
    ///
    /// # Errors
    /// [`Rejection`] where a track's policy is missing.
    pub fn of(asked: &Asked<'_>, ladder: &Ladder) -> Result<Rehearsal, Rejection> {
        let running = |ladder: &Ladder| ladder.tracks.values().filter(|track| track.phase.is_running()).cloned().collect::<Vec<Track>>();
        let before = running(ladder);
        let mut play = Play {
            asked,
            ladder: ladder.clone(),
            told: Rehearsal { payers: 1, tracks: before.len() as u64, ..Rehearsal::default() },
            first: None,
            heard: Heard::before(ladder),
        };
        let versions: BTreeSet<(PolicyId, u32)> = before.iter().map(|track| (track.policy_id.clone(), track.policy_version)).collect();
        for from in versions {
            let to = (asked.book.draft.id().clone(), DRAFT_VERSION);
            play.tell(&Command::Migrate { from, to, by: String::new(), why: String::new(), now: asked.from })?;
        }
        let moved = |track: &Track| play.ladder.tracks.get(&track.invoice_id).is_none_or(|after| next_step(after) != next_step(track));
        play.told.moved = u64::from(before.iter().any(moved));
        let after = running(&play.ladder);
        play.told.left = after.iter().filter(|track| track.policy_version != DRAFT_VERSION).count() as u64;
        let variants = after.iter().filter(|track| track.policy_version == DRAFT_VERSION).filter_map(|track| track.variant.clone());
        variants.for_each(|variant| *play.told.variants.entry(variant).or_default() += 1);
        play.run()?;
        play.told.harsh_firsts = u64::from(play.first.is_some_and(|tone| tone >= HARSH_TONE));
        Ok(play.told)
    }

    /// Adds another payer's.
    pub fn add(&mut self, other: &Rehearsal) {
        self.payers += other.payers;
        self.tracks += other.tracks;
        self.left += other.left;
        self.moved += other.moved;
        self.harsh_firsts += other.harsh_firsts;
        for (variant, count) in &other.variants {
            *self.variants.entry(variant.clone()).or_default() += count;
        }
        for (key, count) in &other.contacts {
            *self.contacts.entry(*key).or_default() += count;
        }
    }
}

/// The first open step above the place.
fn next_step(track: &Track) -> Option<(&StepId, u32)> {
    let start = track.place().map_or(0, |place| place + 1);
    track.current().iter().skip(start).find(|at| at.is_open()).map(|at| (&at.step_id, at.occurrence))
}

struct Play<'a> {
    asked: &'a Asked<'a>,
    ladder: Ladder,
    told: Rehearsal,
    /// Hardest tone of the first contact.
    first: Option<u8>,
    heard: Heard,
}

impl Play<'_> {
    fn run(&mut self) -> Result<(), Rejection> {
        let mut now = self.asked.from;
        // What is due at this very moment comes first.
        self.wake(now)?;
        while let Some(next) = self.next(now) {
            now = next;
            self.wake(now)?;
        }
        Ok(())
    }

    fn next(&self, after: DateTime<Utc>) -> Option<DateTime<Utc>> {
        let wake = |invoice_id: &InvoiceId| next_wake(&self.ladder, invoice_id, self.asked.book, after);
        let next = self.ladder.tracks.keys().filter_map(wake).min()?;
        (self.asked.zone.day_of(next) <= self.asked.until).then_some(next)
    }

    fn tell(&mut self, command: &Command) -> Result<Vec<Event>, Rejection> {
        let context = Context { policies: self.asked.book, approvals_given: true, terms: self.asked.terms };
        let events = decide(&self.ladder, command, &context)?;
        for event in &events {
            self.ladder = evolve(std::mem::take(&mut self.ladder), event);
        }
        Ok(events)
    }

    fn wake(&mut self, now: DateTime<Utc>) -> Result<(), Rejection> {
        for event in self.tell(&Command::Wake { now })? {
            if let Event::ReminderDue { day, items, rules, .. } = &event {
                self.send(*day, items, rules)?;
            } else if let Event::ActionDue { invoice_id, cycle, step_id, occurrence, day, .. } = &event {
                let (invoice_id, step_id, outcome) = (invoice_id.clone(), step_id.clone(), ActionOutcome::Executed);
                self.tell(&Command::ConcludeAction { invoice_id, cycle: *cycle, step_id, occurrence: *occurrence, day: *day, outcome })?;
            }
        }
        Ok(())
    }

    fn send(&mut self, day: NaiveDate, items: &[DueItem], rules: &ContactRules) -> Result<(), Rejection> {
        for (number, contact) in budget::compose(items, rules.merge).iter().enumerate() {
            let channels = self.heard.send(day, contact, rules);
            for channel in &channels {
                *self.told.contacts.entry((day, *channel)).or_default() += 1;
            }
            let outcome = match channels.first() {
                Some(channel) => Outcome::Executed { channel: *channel },
                None => Outcome::Deferred(Reason::BudgetSpent),
            };
            // Only letters, digits and hyphens: an id.
            let Ok(contact_id) = ContactId::new(&format!("rehearsal-{day}-{number}")) else { continue };
            let outcomes = contact.items.iter().map(|item| ended(item, outcome)).collect();
            self.tell(&Command::ConcludeContact { contact_id, day, items: outcomes })?;
            if channels.is_empty() {
                continue;
            }
            self.first = self.first.or(contact.items.iter().map(|item| item.tone).max());
            for item in &contact.items {
                let (invoice_id, step_id) = (item.invoice_id.clone(), item.step_id.clone());
                self.tell(&Command::NoteDelivery {
                    invoice_id,
                    cycle: item.cycle,
                    step_id,
                    occurrence: item.occurrence,
                    delivered_on: day,
                })?;
            }
        }
        Ok(())
    }
}

fn ended(item: &DueItem, outcome: Outcome) -> ItemOutcome {
    ItemOutcome {
        invoice_id: item.invoice_id.clone(),
        cycle: item.cycle,
        step_id: item.step_id.clone(),
        occurrence: item.occurrence,
        outcome,
    }
}
