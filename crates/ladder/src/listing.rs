//! An entry at a credit bureau or a protest office, from the step that asked for it until it has left.
//!
//! One per occurrence of a `bureau` or `protest` step: the occurrence key is the key of its two commands, so none is ever given twice.
//!
//! Invariants, each a property test:
//! - at most one inclusion is handed over per occurrence, unless the provider said that it never had it;
//! - what must leave and may be listed gets a removal, or the alarm of its deadline, whatever came in between;
//! - the words of a provider may come in any order and repeatedly: the state is the same. `Done` stands before `Refused`, and what was
//!   removed stays removed: an entry that was once confirmed is treated as one that has to go;
//! - what was withdrawn, refused or removed is never listed again by itself: a new cycle has an occurrence of its own.
//!
//! Sources: STJ Súmula 548 (five business days), CDC art. 43, STJ Tema 1.315 (delivery of the notice is proven).

mod command;
mod decide;
mod event;
mod request;

pub use command::{Answer, Command, Opened, Order};
pub use decide::decide;
pub use event::{Cause, Event};
pub use request::{Missing, cause_of, due_removal, may_send, request};

use crate::policy::StepKind;
use alloc::string::String;
use chrono::TimeDelta;
use kernel::{DateTime, NaiveDate, Utc};

/// How long an inclusion without an answer may be under way; after that a removal goes out although nobody knows whether there is an entry.
pub const UNDER_WAY: TimeDelta = TimeDelta::hours(24);

/// What sort of entry.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Kind {
    /// A credit bureau (negativação).
    Bureau,
    /// A protest office.
    Protest,
}

impl Kind {
    /// Both.
    pub const ALL: [Kind; 2] = [Kind::Bureau, Kind::Protest];

    /// Its stable name.
    pub fn slug(self) -> &'static str {
        match self {
            Kind::Bureau => "bureau",
            Kind::Protest => "protest",
        }
    }

    /// By its stable name.
    pub fn named(slug: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.slug() == slug)
    }

    /// Of a step; `None` where it makes no entry.
    pub fn of_step(kind: StepKind) -> Option<Self> {
        match kind {
            StepKind::Bureau => Some(Kind::Bureau),
            StepKind::Protest => Some(Kind::Protest),
            StepKind::Notify | StepKind::Task | StepKind::HandOff => None,
        }
    }
}

/// How far a command has come. Ordered: a later word never takes an earlier one back.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub enum Stage {
    /// Not handed over.
    #[default]
    Waiting,
    /// Handed over, or about to be: the outcome is unknown.
    Sent,
    /// The provider has it.
    Taken,
    /// The provider will not do it.
    Refused,
    /// Done.
    Done,
}

impl Stage {
    /// All of them.
    pub const ALL: [Stage; 5] = [Stage::Waiting, Stage::Sent, Stage::Taken, Stage::Refused, Stage::Done];

    /// Its stable name.
    pub fn slug(self) -> &'static str {
        match self {
            Stage::Waiting => "waiting",
            Stage::Sent => "sent",
            Stage::Taken => "taken",
            Stage::Refused => "refused",
            Stage::Done => "done",
        }
    }

    /// By its stable name.
    pub fn named(slug: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|stage| stage.slug() == slug)
    }
}

/// The entry must leave.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Obligation {
    /// Why.
    pub cause: Cause,
    /// Local day since when.
    pub since: NaiveDate,
    /// The first day of the alarm.
    pub alarm_on: NaiveDate,
    /// Last day of the removal.
    pub until: NaiveDate,
}

/// How urgent a removal is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Alarm {
    /// The deadline is near.
    Near,
    /// The deadline has passed.
    Late,
}

impl Alarm {
    /// Its stable name.
    pub fn slug(self) -> &'static str {
        match self {
            Alarm::Near => "near",
            Alarm::Late => "late",
        }
    }

    /// By its stable name.
    pub fn named(slug: &str) -> Option<Self> {
        [Alarm::Near, Alarm::Late].into_iter().find(|alarm| alarm.slug() == slug)
    }
}

/// All that is known of one entry; the default is one that nobody asked for.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Listing {
    /// What was asked for.
    pub opened: Option<Opened>,
    /// How far the inclusion is.
    pub inclusion: Stage,
    /// When the inclusion was last handed over.
    pub included_at: Option<DateTime<Utc>>,
    /// How far the removal is.
    pub removal: Stage,
    /// When the removal was last handed over.
    pub removed_at: Option<DateTime<Utc>>,
    /// Why and until when it must leave.
    pub obligation: Option<Obligation>,
    /// Given up before it was handed over.
    pub withdrawn: bool,
    /// The hardest alarm that was raised.
    pub alarm: Option<Alarm>,
    /// The provider's last reason for a refusal; a slug, may be empty.
    pub reason: String,
}

/// Where an entry is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Phase {
    /// To be handed over.
    Requested,
    /// Handed over; the outcome is unknown.
    Sent,
    /// The provider has it.
    Taken,
    /// Listed.
    Listed,
    /// The provider refused it: there is no entry.
    Refused,
    /// Given up before it was handed over: there is no entry.
    Withdrawn,
    /// It must leave; the removal is not handed over.
    RemovalDue,
    /// The removal is handed over.
    RemovalSent,
    /// The provider refused the removal: a person must act.
    RemovalRefused,
    /// It has left.
    Removed,
}

impl Phase {
    /// All of them.
    pub const ALL: [Phase; 10] = [
        Phase::Requested,
        Phase::Sent,
        Phase::Taken,
        Phase::Listed,
        Phase::Refused,
        Phase::Withdrawn,
        Phase::RemovalDue,
        Phase::RemovalSent,
        Phase::RemovalRefused,
        Phase::Removed,
    ];

    /// Its stable name.
    pub fn slug(self) -> &'static str {
        match self {
            Phase::Requested => "requested",
            Phase::Sent => "sent",
            Phase::Taken => "taken",
            Phase::Listed => "listed",
            Phase::Refused => "refused",
            Phase::Withdrawn => "withdrawn",
            Phase::RemovalDue => "removal_due",
            Phase::RemovalSent => "removal_sent",
            Phase::RemovalRefused => "removal_refused",
            Phase::Removed => "removed",
        }
    }

    /// Whether nothing is left to do and nothing is listed.
    pub fn is_over(self) -> bool {
        match self {
            Phase::Refused | Phase::Withdrawn | Phase::Removed => true,
            Phase::Requested
            | Phase::Sent
            | Phase::Taken
            | Phase::Listed
            | Phase::RemovalDue
            | Phase::RemovalSent
            | Phase::RemovalRefused => false,
        }
    }
}

impl Listing {
    /// Where it is; `None` where nobody asked for it.
    pub fn phase(&self) -> Option<Phase> {
        self.opened.as_ref()?;
        Some(match (self.inclusion, self.removal) {
            (_, Stage::Done) => Phase::Removed,
            (Stage::Waiting, _) if self.withdrawn => Phase::Withdrawn,
            (Stage::Waiting, _) => Phase::Requested,
            (Stage::Refused, _) => Phase::Refused,
            (Stage::Sent | Stage::Taken | Stage::Done, Stage::Refused) => Phase::RemovalRefused,
            (Stage::Sent | Stage::Taken | Stage::Done, Stage::Sent | Stage::Taken) => Phase::RemovalSent,
            (Stage::Sent | Stage::Taken | Stage::Done, Stage::Waiting) if self.obligation.is_some() => Phase::RemovalDue,
            (Stage::Sent, Stage::Waiting) => Phase::Sent,
            (Stage::Taken, Stage::Waiting) => Phase::Taken,
            (Stage::Done, Stage::Waiting) => Phase::Listed,
        })
    }

    /// Whether there may be an entry that has to go.
    pub fn must_leave(&self) -> bool {
        self.obligation.is_some() && self.phase().is_some_and(|phase| !phase.is_over())
    }

    /// The command that may be handed over now.
    pub fn next_order(&self, now: DateTime<Utc>) -> Option<Order> {
        match self.phase()? {
            Phase::Requested => Some(Order::Include),
            Phase::RemovalDue if self.inclusion > Stage::Sent => Some(Order::Remove),
            Phase::RemovalDue => self.included_at.is_some_and(|at| at + UNDER_WAY <= now).then_some(Order::Remove),
            Phase::Sent
            | Phase::Taken
            | Phase::Listed
            | Phase::Refused
            | Phase::Withdrawn
            | Phase::RemovalSent
            | Phase::RemovalRefused
            | Phase::Removed => None,
        }
    }

    /// The command whose outcome is unknown, and since when: the provider can be asked for it, and it is not sent again.
    pub fn unsettled(&self) -> Option<(Order, DateTime<Utc>)> {
        if self.phase()?.is_over() {
            None
        } else if self.removal == Stage::Sent {
            Some((Order::Remove, self.removed_at?))
        } else if self.inclusion == Stage::Sent {
            Some((Order::Include, self.included_at?))
        } else {
            None
        }
    }

    fn stage_mut(&mut self, order: Order) -> &mut Stage {
        match order {
            Order::Include => &mut self.inclusion,
            Order::Remove => &mut self.removal,
        }
    }

    fn stage(&self, order: Order) -> Stage {
        match order {
            Order::Include => self.inclusion,
            Order::Remove => self.removal,
        }
    }
}

/// The entry after an event. Total.
pub fn evolve(mut listing: Listing, event: &Event) -> Listing {
    match event {
        Event::Requested { opened, .. } => listing.opened = Some(opened.clone()),
        Event::Sent { order, at } => {
            *listing.stage_mut(*order) = Stage::Sent;
            match order {
                Order::Include => listing.included_at = Some(*at),
                Order::Remove => listing.removed_at = Some(*at),
            }
        }
        Event::Lost { order, .. } => *listing.stage_mut(*order) = Stage::Waiting,
        Event::Answered { answer, reason, .. } => {
            let (order, stage) = answer.means();
            let so_far = listing.stage_mut(order);
            *so_far = (*so_far).max(stage);
            if stage == Stage::Refused {
                listing.reason.clone_from(reason);
            }
        }
        Event::Withdrawn { .. } => listing.withdrawn = true,
        Event::RemovalRequired { obligation, .. } => listing.obligation = Some(obligation.clone()),
        Event::RemovalAlarmed { alarm, .. } => listing.alarm = listing.alarm.max(Some(*alarm)),
    }
    listing
}
