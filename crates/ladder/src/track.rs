//! A track: where one debt stands on its ladder. State only; its rules are in [`crate::plan`] and [`crate::ladder`].

use crate::arrangement::OpenArrangement;
use crate::notices::Notice;
use crate::policy::{Channel, FIRST_TONE, StepKind};
use crate::reason::Reason;
use crate::schedule::PlannedStep;
use crate::task::Task;
use alloc::string::String;
use alloc::vec::Vec;
use kernel::{AgreementId, ContactId, Currency, DateTime, InvoiceId, NaiveDate, PolicyId, StepId, Utc, VariantId};

/// The first occurrence of a step in a cycle, and the only one where it is not repeated.
pub const FIRST_OCCURRENCE: u32 = 1;

/// The debt of one receivable on its ladder.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Track {
    /// The receivable.
    pub invoice_id: InvoiceId,
    /// The policy it is pinned to.
    pub policy_id: PolicyId,
    /// The version it is pinned to.
    pub policy_version: u32,
    /// The variant of that version it is pinned to; `None`: the base.
    pub variant: Option<VariantId>,
    /// Where it is in its life.
    pub phase: Phase,
    /// From 1; a later or earlier due date or a reversed payment starts the next.
    pub cycle: u32,
    /// Why the current cycle began.
    pub opening: Opening,
    /// Currency of the receivable.
    pub currency: Currency,
    /// Civil date of issue.
    pub issued_on: NaiveDate,
    /// Civil due date as agreed.
    pub due_on: NaiveDate,
    /// Due date moved to a business day.
    pub effective_due: NaiveDate,
    /// Local day of issue or of its recording, whichever is later.
    pub known_on: NaiveDate,
    /// What was open after the last fact, charges as the owner counts them.
    pub outstanding_minor: i64,
    /// What payments brought less what returns took, minor units.
    pub received_minor: i64,
    /// When the latest fact was recorded; older ones change nothing.
    pub facts_until: DateTime<Utc>,
    /// The agreement whose instalment it is.
    pub instalment_of: Option<AgreementId>,
    /// The agreement by which the debt is, or was last, owed in instalments.
    pub renegotiated_by: Option<AgreementId>,
    /// When the fact was recorded with which the current cycle began; `None` in the first cycle.
    pub cycle_since: Option<DateTime<Utc>>,
    /// When the payer opened the receivable last; `None` where nobody said that it did.
    pub viewed_at: Option<DateTime<Utc>>,
    /// When the latest reversal was recorded.
    pub reversed_at: Option<DateTime<Utc>>,
    /// Of every cycle, oldest cycle first, in policy order within a cycle.
    pub occurrences: Vec<Occurrence>,
    /// Local day of the last contact, over all cycles.
    pub last_contact_on: Option<NaiveDate>,
    /// Local day on which a step was last offered, over all cycles.
    pub last_offer_on: Option<NaiveDate>,
    /// Tone of the last step executed in an earlier cycle.
    pub tone_before: Option<u8>,
    /// What keeps the track out of contacts; at most one of each kind.
    pub arrangements: Vec<OpenArrangement>,
    /// Promises that were made about it.
    pub promises_made: u32,
    /// Payments that were announced for it.
    pub announcements_made: u32,
    /// A promise was broken, and nothing was sent since.
    pub promise_broken: bool,
    /// The cycle for which a person was told that no step is allowed.
    pub blocked_cycle: Option<u32>,
    /// What the payer is told, or was, once a cycle was over; oldest first.
    pub notices: Vec<Notice>,
    /// What a person still has to do about it, in the order in which it was asked.
    pub tasks: Vec<Task>,
}

/// Where a track is in its life.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Phase {
    /// Known, nothing has happened yet.
    Enrolled,
    /// On its ladder.
    Active,
    /// Paid. Reopens when a payment is returned.
    Settled,
    /// Cancelled, for good.
    Cancelled,
    /// With a collector, for good.
    HandedOff,
    /// Ladder over, debt open: no more messages.
    Exhausted,
    /// Given up in the creditor's books, for good.
    WrittenOff,
    /// Owed by the instalments of an agreement. Reopens when that is broken.
    Renegotiated,
}

impl Phase {
    /// All of them.
    pub const ALL: &'static [Phase] = &[
        Phase::Enrolled,
        Phase::Active,
        Phase::Settled,
        Phase::Cancelled,
        Phase::HandedOff,
        Phase::Exhausted,
        Phase::WrittenOff,
        Phase::Renegotiated,
    ];

    /// Its stable name.
    pub fn slug(self) -> &'static str {
        match self {
            Phase::Enrolled => "enrolled",
            Phase::Active => "active",
            Phase::Settled => "settled",
            Phase::Cancelled => "cancelled",
            Phase::HandedOff => "handed_off",
            Phase::Exhausted => "exhausted",
            Phase::WrittenOff => "written_off",
            Phase::Renegotiated => "renegotiated",
        }
    }

    /// Whether the ladder goes on by itself.
    pub fn is_running(self) -> bool {
        matches!(self, Phase::Enrolled | Phase::Active)
    }
}

/// Why a cycle began; decides the tone of its first step.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Opening {
    /// Enrolment: at most tone 2.
    Enrolled,
    /// A payment was returned: tone no higher than before, tone 2 where nothing was executed before.
    Reversed,
    /// Its agreement was broken: tone no higher than before, tone 2 where nothing was executed before.
    Broken,
    /// The due date moved later: tone starts again.
    Later,
    /// The due date moved earlier: tone goes on from where it was.
    Earlier,
}

/// One occurrence of a step.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Occurrence {
    /// The cycle it belongs to.
    pub cycle: u32,
    /// The step.
    pub step_id: StepId,
    /// From [`FIRST_OCCURRENCE`]; later ones of a step come after it in policy order, and before the next step.
    pub occurrence: u32,
    /// The step's tone.
    pub tone: u8,
    /// The step's kind.
    pub kind: StepKind,
    /// The day from which it is reached; `None` while the step before, from which it counts, is not executed.
    pub planned_on: Option<NaiveDate>,
    /// The last day on which it may be done.
    pub last_day: Option<NaiveDate>,
    /// What became of it.
    pub state: OccurrenceState,
    /// The day on which its contact was delivered.
    pub delivered_on: Option<NaiveDate>,
    /// The contact that last deferred it.
    pub deferred_by: Option<ContactId>,
    /// A person was asked to remove the listing that it made.
    pub removal_asked: bool,
}

/// What became of an occurrence. `Due` is [`OccurrenceState::Planned`] from the planned date on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum OccurrenceState {
    /// Open.
    Planned,
    /// Open, a person was asked.
    AwaitingApproval {
        /// The day of the question.
        day: NaiveDate,
    },
    /// Open, a person agreed.
    Approved {
        /// Who.
        by: String,
    },
    /// Being carried out; its conclusion ends it or opens it again.
    Claimed {
        /// The day of the offer.
        day: NaiveDate,
    },
    /// Over.
    Ended {
        /// The local day of its end.
        day: NaiveDate,
        /// How.
        end: End,
    },
}

/// How an occurrence ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum End {
    /// Carried out.
    Executed {
        /// The contact that carried it; `None` where the kind is not `notify`.
        contact_id: Option<ContactId>,
        /// The first channel that accepted it; `None` where the kind is not `notify`.
        channel: Option<Channel>,
    },
    /// Made void by a fact or by another step.
    Superseded {
        /// By what.
        reason: Reason,
        /// The other step, where it was one.
        by: Option<StepId>,
    },
    /// Stopped at the gate.
    Suppressed {
        /// By which rule.
        reason: Reason,
    },
    /// Too late for it.
    Expired {
        /// By which rule.
        reason: Reason,
    },
    /// No channel accepted it.
    Undeliverable {
        /// Why.
        reason: Reason,
    },
}

impl End {
    /// Its stable name.
    pub fn slug(&self) -> &'static str {
        match self {
            End::Executed { .. } => "executed",
            End::Superseded { .. } => "superseded",
            End::Suppressed { .. } => "suppressed",
            End::Expired { .. } => "expired",
            End::Undeliverable { .. } => "undeliverable",
        }
    }

    /// Why, unless executed.
    pub fn reason(&self) -> Option<Reason> {
        match self {
            End::Executed { .. } => None,
            End::Superseded { reason, .. } | End::Suppressed { reason } | End::Expired { reason } | End::Undeliverable { reason } => {
                Some(*reason)
            }
        }
    }
}

impl Occurrence {
    pub(crate) fn planned(cycle: u32, step: &PlannedStep) -> Self {
        Self {
            cycle,
            step_id: step.step_id.clone(),
            occurrence: step.occurrence,
            tone: step.tone,
            kind: step.kind,
            planned_on: step.planned_on,
            last_day: step.last_day,
            state: OccurrenceState::Planned,
            delivered_on: None,
            deferred_by: None,
            removal_asked: false,
        }
    }

    /// Neither ended nor being carried out.
    pub fn is_open(&self) -> bool {
        match self.state {
            OccurrenceState::Planned | OccurrenceState::AwaitingApproval { .. } | OccurrenceState::Approved { .. } => true,
            OccurrenceState::Claimed { .. } | OccurrenceState::Ended { .. } => false,
        }
    }

    /// Being carried out.
    pub fn is_claimed(&self) -> bool {
        self.claimed_on().is_some()
    }

    /// The day of the offer that is being carried out.
    pub fn claimed_on(&self) -> Option<NaiveDate> {
        if let OccurrenceState::Claimed { day } = &self.state { Some(*day) } else { None }
    }

    /// Over.
    pub fn is_ended(&self) -> bool {
        matches!(self.state, OccurrenceState::Ended { .. })
    }

    /// The day of its end, whatever it was.
    pub fn ended_on(&self) -> Option<NaiveDate> {
        if let OccurrenceState::Ended { day, .. } = &self.state { Some(*day) } else { None }
    }

    /// The day of its execution.
    pub fn executed_on(&self) -> Option<NaiveDate> {
        if let OccurrenceState::Ended { day, end: End::Executed { .. } } = &self.state { Some(*day) } else { None }
    }

    /// Whether its planned date has come on `day`.
    pub fn is_reached(&self, day: NaiveDate) -> bool {
        self.planned_on.is_some_and(|planned_on| planned_on <= day)
    }

    /// Whether its last day is over on `today`.
    pub fn is_past(&self, today: NaiveDate) -> bool {
        self.last_day.is_some_and(|last| last < today)
    }
}

impl Track {
    /// The occurrences of the current cycle, in policy order.
    pub fn current(&self) -> &[Occurrence] {
        let start = self.occurrences.iter().position(|occurrence| occurrence.cycle == self.cycle);
        start.and_then(|at| self.occurrences.get(at..)).unwrap_or(&[])
    }

    /// One occurrence by its key.
    pub fn occurrence(&self, cycle: u32, step_id: &StepId, occurrence: u32) -> Option<&Occurrence> {
        self.occurrences.iter().find(|at| at.cycle == cycle && at.occurrence == occurrence && at.step_id == *step_id)
    }

    pub(crate) fn occurrence_mut(&mut self, cycle: u32, step_id: &StepId, occurrence: u32) -> Option<&mut Occurrence> {
        self.occurrences.iter_mut().find(|at| at.cycle == cycle && at.occurrence == occurrence && at.step_id == *step_id)
    }

    /// Place on the ladder: index in the current cycle of the latest executed step; `None` before the first.
    pub fn place(&self) -> Option<usize> {
        self.current().iter().rposition(|occurrence| occurrence.executed_on().is_some())
    }

    /// The hardest tone that the next step may have.
    pub fn tone_cap(&self) -> u8 {
        let executed = self.place().and_then(|at| self.current().get(at)).map(|occurrence| occurrence.tone);
        if let Some(tone) = executed {
            return tone.saturating_add(1);
        }
        match self.opening {
            Opening::Enrolled | Opening::Later => FIRST_TONE,
            Opening::Reversed | Opening::Broken => self.tone_before.unwrap_or(FIRST_TONE),
            Opening::Earlier => self.tone_before.map_or(FIRST_TONE, |tone| tone.saturating_add(1)),
        }
    }

    /// Whether the payer opened the receivable in this cycle. A view from before it shows that something else was read.
    pub fn is_viewed(&self) -> bool {
        self.viewed_at.is_some_and(|at| self.cycle_since.is_none_or(|since| at >= since))
    }

    /// Whether a step of any cycle is being carried out.
    pub fn is_claimed(&self) -> bool {
        self.occurrences.iter().any(Occurrence::is_claimed)
    }
}
