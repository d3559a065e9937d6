//! The aggregate of one payer: all tracks that the payer's receivables have, and the day of the last reminder.
//!
//! Invariants, each a property test:
//! - a track offers at most one step a day; no two [`Event::ReminderDue`] of a day speak for the same contact of the payer;
//! - while a step is claimed its track offers nothing else, and its conclusion ends it or opens it again;
//! - the place of a track never falls within a cycle, and the tone never rises by more than one between two executed steps;
//! - every occurrence ends at most once, with a reason; facts and conclusions told twice change nothing;
//! - days are compared with "not later than", never with "equal", so an outage loses nothing and repeats nothing.
//!
//! Silent corners of the norm, decided here:
//! - A fact whose `recorded_at` lies before the latest known one of its track is stale and changes nothing.
//! - A payment closes as expired what had expired before its local day, as late what was reached before it below the track's place, all
//!   other open steps as `paid`. A claimed step is left to the gate; a deferral that comes after the end of its track or cycle ends it
//!   by the reason of that end.
//! - A person is asked for something from the opening hour of the first step's window on, and not since midnight: what a run finds out
//!   in the night, a payment of the morning may undo.
//! - Any effective reversal, also of a part, starts a cycle. On a cancelled or handed-off track it only changes the balance.
//! - A due date moved later or earlier starts a cycle, even where the effective due date stays.
//! - A payer's reminder merges policies: the strictest rules hold (see `combined_rules`), and steps whose window is shut at that
//!   instant wait for another day.
//! - Payment, cancellation, dispute or write-off of a debt listed at a bureau or under protest raises a removal task, within 5 business
//!   days (STJ, Súmula 548). What is contested is not made public, and a debt that the creditor gave up is not held against the payer.
//!
//! Sources: ladder.md sections 3 to 9 and 11.

mod agreement;
mod anchor;
mod arrange;
mod attend;
mod catch_up;
mod command;
mod conclude;
mod decide;
mod event;
mod evolve;
mod facts;
mod lapse;
mod listings;
mod migrate;
mod notices;
mod pending;
mod wake;
mod waking;

pub use command::{ActionOutcome, Arrange, Attend, Command, ItemOutcome, ListingNote, Outcome, Rejection};
pub use decide::{Context, decide};
pub use event::{Closing, DueItem, Event, Shift};
pub use evolve::evolve;
pub(crate) use lapse::overtaken_by;
pub use waking::next_wake;

use crate::PolicyBook;
use crate::arrangement::PromiseRecord;
use crate::policy::Merge;
use crate::track::Track;
use alloc::collections::BTreeSet;
use alloc::string::String;
use kernel::{ArrangementId, Currency, InvoiceId, NaiveDate, Zone};
use rpds::RedBlackTreeMapSync;

/// All that is known of one payer's ladders.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Ladder {
    /// The payer's own zone; `None` while unknown: then the policy's holds.
    pub zone: Option<Zone>,
    /// A neutral attribute of the payer.
    pub segment: Option<String>,
    /// The state of the payer's address, by its two letters; `None` while unknown: then the policy's window holds.
    pub state: Option<String>,
    /// The municipality of the payer's address, by its code; `None` while unknown: then it has no holidays of its own.
    pub municipality: Option<String>,
    /// How likely the payer is not to pay, 0 to 100; `None` while nobody said.
    pub risk_score: Option<u8>,
    /// The payer's data was erased: nothing is offered any more.
    pub forgotten: bool,
    /// Local day of the last reminder.
    pub last_reminder_on: Option<NaiveDate>,
    /// The contacts that the reminders of that day ask for.
    pub reminded: BTreeSet<Reminded>,
    /// Local day of the last thanks or correction.
    pub last_notice_on: Option<NaiveDate>,
    /// Local day on which tracks moved to another policy version: one contact per currency on that day, whatever the policy merges.
    pub migrated_on: Option<NaiveDate>,
    /// The day since which the payer waits for the creditor's catch-up to be approved.
    pub catch_up_since: Option<NaiveDate>,
    /// What is planned up to this day is no catch-up any more.
    pub caught_up_on: Option<NaiveDate>,
    /// How the payer keeps promises.
    pub promises: PromiseRecord,
    /// The ids of all arrangements that were ever made.
    pub arranged: BTreeSet<ArrangementId>,
    /// One per receivable. The map shares what it has in common with the one before: a new state of a payer of ten thousand receivables
    /// costs what one of ten costs.
    pub tracks: RedBlackTreeMapSync<InvoiceId, Track>,
}

/// What a reminder of a day spoke for: later items that belong into the same contact wait for another day.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Reminded {
    /// Of its items.
    pub currency: Currency,
    /// Whether they were overdue.
    pub overdue: bool,
    /// How the reminder merged.
    pub merge: Merge,
}

impl Ladder {
    /// Whether a contact of that day has spoken for what a track offers: one per currency and day, per class too where it is asked for by
    /// both sides, one per track where neither merges. The side that asks for fewer contacts decides.
    pub(crate) fn has_reminded(&self, track: &Track, merge: Merge, day: NaiveDate) -> bool {
        let merge = self.merge_on(merge, day);
        let is_same = |sent: &Reminded| match merge.min(sent.merge) {
            Merge::PerDay => sent.currency == track.currency,
            Merge::ByClass => sent.currency == track.currency && sent.overdue == (day > track.effective_due),
            Merge::None => false,
        };
        self.last_reminder_on.is_some_and(|last| last >= day) && self.reminded.iter().any(is_same)
    }

    /// How items are merged on a day, where their policy says `merge`.
    pub(crate) fn merge_on(&self, merge: Merge, day: NaiveDate) -> Merge {
        if self.migrated_on == Some(day) { Merge::PerDay } else { merge }
    }

    /// The zone in which the payer's days and windows are read: the payer's own, else that of the policy of the first
    /// track (by id). `None` where there is neither.
    pub fn zone(&self, book: &dyn PolicyBook) -> Option<Zone> {
        let of_policy = || {
            let track = self.tracks.values().next()?;
            track.policy(book).map(|policy| policy.time_zone())
        };
        self.zone.or_else(of_policy)
    }
}
