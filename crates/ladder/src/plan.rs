//! The planner: what each track of a payer offers on a day, and why the others offer nothing.
//!
//! Of the reached, open, not expired steps above the track's place, those whose tone is at most the last executed tone + 1
//! (at most 2 before the first) and whose `requires` hold: the latest in policy order is offered; with `catch_up = "replay"`
//! the earliest. Where that one must wait, nothing else is offered in its place. Where its condition does not hold it ends, and the next of
//! them takes its place on the same day.

use crate::arrangement::ArrangementKind;
use crate::ladder::Ladder;
use crate::policy::{CatchUp, Merge, Policy, PolicyBook, Requires, Step, StepKind};
use crate::track::{Occurrence, OccurrenceState, Phase, Track};
use alloc::vec::Vec;
use kernel::{DateTime, InvoiceId, NaiveDate, StepId, Utc, Zone, calendar};

/// What a payer's tracks offer on a day.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Plan {
    /// The local day in the payer's zone.
    pub day: NaiveDate,
    /// At most one per track, by invoice id.
    pub offers: Vec<Offer>,
    /// Steps that would be offered before those, but that their condition leaves out: they end.
    pub unmet: Vec<Offer>,
    /// All other tracks, by invoice id.
    pub not_offered: Vec<NotOffered>,
}

/// A step that its track offers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Offer {
    /// The receivable.
    pub invoice_id: InvoiceId,
    /// Its cycle.
    pub cycle: u32,
    /// The step.
    pub step_id: StepId,
    /// Its occurrence.
    pub occurrence: u32,
    /// Its kind.
    pub kind: StepKind,
    /// A person must confirm first, and was not asked yet.
    pub asks_approval: bool,
}

/// A track that offers nothing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NotOffered {
    /// The receivable.
    pub invoice_id: InvoiceId,
    /// Why.
    pub waiting: Waiting,
}

/// Why a track offers nothing on a day.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Waiting {
    /// It is no longer on its ladder.
    Over(Phase),
    /// The payer's data was erased.
    PayerForgotten,
    /// Its policy version is not in the book.
    PolicyMissing,
    /// A step is being carried out.
    Claimed,
    /// The payer waits for the creditor's catch-up to be approved.
    CatchUpUnapproved,
    /// An arrangement keeps it out of contacts.
    Paused(ArrangementKind),
    /// A part of it is disputed: it is neither listed nor taken to protest.
    PartDisputed,
    /// The invoice became known less than `min_known_days` ago.
    JustKnown,
    /// It offered a step that day already.
    OfferedToday,
    /// The payer was reminded that day already, in the contact that this track would belong to.
    PayerRemindedToday,
    /// No open step is reached.
    NothingReached,
    /// Every reached step is harsher than allowed.
    ToneTooHigh,
    /// Every reached step of an allowed tone waits for another that it requires.
    RequiresUnmet,
    /// The conditions of all that could go out do not hold.
    ConditionNotMet,
    /// Too soon after the last contact of the track.
    MinGap,
    /// A person was asked and has not answered.
    AwaitingApproval,
    /// The step's window is shut at that instant.
    WindowShut,
}

impl Waiting {
    /// Its stable name.
    pub fn slug(self) -> &'static str {
        match self {
            Waiting::Over(phase) => phase.slug(),
            Waiting::PayerForgotten => "payer_forgotten",
            Waiting::PolicyMissing => "policy_missing",
            Waiting::Claimed => "claimed",
            Waiting::CatchUpUnapproved => "catch_up_unapproved",
            Waiting::Paused(kind) => kind.state(),
            Waiting::PartDisputed => "part_disputed",
            Waiting::JustKnown => "just_known",
            Waiting::OfferedToday => "offered_today",
            Waiting::PayerRemindedToday => "payer_reminded_today",
            Waiting::NothingReached => "nothing_reached",
            Waiting::ToneTooHigh => "tone_too_high",
            Waiting::RequiresUnmet => "requires_unmet",
            Waiting::ConditionNotMet => "condition_not_met",
            Waiting::MinGap => "min_gap",
            Waiting::AwaitingApproval => "awaiting_approval",
            Waiting::WindowShut => "window_shut",
        }
    }
}

/// What the payer's tracks offer on a day, the hour left aside. Steps that lapsed by dates are left out, recorded or not.
pub fn plan(ladder: &Ladder, day: NaiveDate, book: &dyn PolicyBook, approvals_given: bool) -> Plan {
    Asked { ladder, day, book, approvals_given, now: None }.plan()
}

/// What the payer's tracks offer at an instant: as [`plan`], of steps whose window is open. `None` where nothing is enrolled.
pub fn plan_at(ladder: &Ladder, now: DateTime<Utc>, book: &dyn PolicyBook, approvals_given: bool) -> Option<Plan> {
    let zone = ladder.zone(book)?;
    Some(Asked { ladder, day: zone.day_of(now), book, approvals_given, now: Some((now, zone)) }.plan())
}

/// A payer on a day, or at an instant of it.
struct Asked<'a> {
    ladder: &'a Ladder,
    day: NaiveDate,
    book: &'a dyn PolicyBook,
    approvals_given: bool,
    now: Option<(DateTime<Utc>, Zone)>,
}

impl Asked<'_> {
    fn plan(&self) -> Plan {
        let mut plan = Plan { day: self.day, offers: Vec::new(), unmet: Vec::new(), not_offered: Vec::new() };
        for track in self.ladder.tracks.values() {
            match self.judge(track, &mut plan.unmet) {
                Ok(offer) => plan.offers.push(offer),
                Err(waiting) => plan.not_offered.push(NotOffered { invoice_id: track.invoice_id.clone(), waiting }),
            }
        }
        plan
    }

    /// The step of the day, or why there is none. One that could go out but for its condition is `unmet`, and the next is looked at.
    fn judge(&self, track: &Track, unmet: &mut Vec<Offer>) -> Result<Offer, Waiting> {
        if self.ladder.forgotten {
            return Err(Waiting::PayerForgotten);
        }
        if !track.phase.is_running() {
            return Err(Waiting::Over(track.phase));
        }
        let policy = track.policy(self.book).ok_or(Waiting::PolicyMissing)?;
        ready(track, policy, self.day)?;
        for (occurrence, step) in candidates(track, policy, self.day)? {
            let offer = self.offer(track, policy, (occurrence, step))?;
            if step.only_if.as_ref().is_none_or(|conditions| conditions.hold(self.ladder, track, self.day)) {
                return Ok(offer);
            }
            unmet.push(offer);
        }
        Err(Waiting::ConditionNotMet)
    }

    fn offer(&self, track: &Track, policy: &Policy, (occurrence, step): (&Occurrence, &Step)) -> Result<Offer, Waiting> {
        if step.kind == StepKind::Notify {
            if self.ladder.catch_up_since.is_some() {
                return Err(Waiting::CatchUpUnapproved);
            }
            may_contact(self.ladder, track, (step, policy.contact().merge), self.day)?;
        } else if is_barred_by_dispute(track, step.kind) {
            return Err(Waiting::PartDisputed);
        }
        let asks_approval = asks_approval(step, occurrence, self.approvals_given)?;
        let window = policy.window_of(step, self.ladder.state.as_deref());
        if self.now.is_some_and(|(now, zone)| !window.is_open(now, zone, self.ladder.holidays(policy, self.book))) {
            return Err(Waiting::WindowShut);
        }
        Ok(Offer {
            invoice_id: track.invoice_id.clone(),
            cycle: occurrence.cycle,
            step_id: occurrence.step_id.clone(),
            occurrence: occurrence.occurrence,
            kind: step.kind,
            asks_approval,
        })
    }
}

/// What holds for the track whatever its step.
fn ready(track: &Track, policy: &Policy, day: NaiveDate) -> Result<(), Waiting> {
    if track.is_claimed() {
        Err(Waiting::Claimed)
    } else if let Some(pause) = track.pause_on(day) {
        Err(Waiting::Paused(pause.kind()))
    } else if day < first_contact_day(track, policy) {
        Err(Waiting::JustKnown)
    } else if track.last_offer_on.is_some_and(|last| last >= day) {
        Err(Waiting::OfferedToday)
    } else {
        Ok(())
    }
}

/// The rule of the day: which step, whatever it still waits for. At least one; those after the first are for where conditions leave it out.
fn candidates<'a, 'b>(track: &'a Track, policy: &'b Policy, day: NaiveDate) -> Result<Vec<(&'a Occurrence, &'b Step)>, Waiting> {
    let cap = track.tone_cap();
    let reached: Vec<&Occurrence> = remaining(track).map(|(_, at)| at).filter(|at| at.is_reached(day) && !at.is_past(day)).collect();
    if reached.is_empty() {
        return Err(Waiting::NothingReached);
    }
    if reached.iter().all(|at| at.tone > cap) {
        return Err(Waiting::ToneTooHigh);
    }
    let steps = reached.into_iter().filter(|at| at.tone <= cap).filter_map(|at| Some((at, policy.step(&at.step_id)?)));
    let mut ready: Vec<_> = steps.filter(|(_, step)| step.requires.iter().all(|needed| is_met(track, needed, day))).collect();
    if ready.is_empty() {
        return Err(Waiting::RequiresUnmet);
    }
    match policy.catch_up() {
        CatchUp::Latest => ready.reverse(),
        CatchUp::Replay => {}
    }
    Ok(ready)
}

/// What is contested, even in part, is not made public.
pub(crate) fn is_barred_by_dispute(track: &Track, kind: StepKind) -> bool {
    match kind {
        StepKind::Bureau | StepKind::Protest => track.arrangement(ArrangementKind::Dispute).is_some(),
        StepKind::Notify | StepKind::Task | StepKind::HandOff => false,
    }
}

fn may_contact(ladder: &Ladder, track: &Track, (step, merge): (&Step, Merge), day: NaiveDate) -> Result<(), Waiting> {
    if gap_day(track, step).is_some_and(|first| day < first) {
        Err(Waiting::MinGap)
    } else if ladder.has_reminded(track, merge, day) {
        Err(Waiting::PayerRemindedToday)
    } else {
        Ok(())
    }
}

fn asks_approval(step: &Step, occurrence: &Occurrence, approvals_given: bool) -> Result<bool, Waiting> {
    if !step.requires_approval || approvals_given {
        return Ok(false);
    }
    match occurrence.state {
        OccurrenceState::Approved { .. } => Ok(false),
        OccurrenceState::AwaitingApproval { .. } => Err(Waiting::AwaitingApproval),
        OccurrenceState::Planned | OccurrenceState::Claimed { .. } | OccurrenceState::Ended { .. } => Ok(true),
    }
}

/// The first local day on which the payer may be contacted about the invoice.
pub(crate) fn first_contact_day(track: &Track, policy: &Policy) -> NaiveDate {
    calendar::add_days(track.known_on, i64::from(policy.min_known_days()))
}

/// The first day that is far enough from the last contact of the track; `None` where there was none.
pub(crate) fn gap_day(track: &Track, step: &Step) -> Option<NaiveDate> {
    track.last_contact_on.map(|last| calendar::add_days(last, i64::from(step.min_gap_days)))
}

/// Open steps of the current cycle above the track's place, each with its index.
pub(crate) fn remaining(track: &Track) -> impl Iterator<Item = (usize, &Occurrence)> {
    let start = track.place().map_or(0, |place| place + 1);
    track.current().iter().enumerate().skip(start).filter(|(_, occurrence)| occurrence.is_open())
}

/// Whether a step may still be offered in this cycle: its tone is allowed as things stand, no step that it requires is lost, and the step
/// that it counts from may still be executed.
pub(crate) fn is_possible(track: &Track, policy: &Policy, occurrence: &Occurrence) -> bool {
    let requires = policy.step(&occurrence.step_id).map_or(&[][..], |step| &step.requires);
    let is_counted = || occurrence.planned_on.is_some() || may_be_counted(track, policy, occurrence);
    occurrence.tone <= track.tone_cap() && requires.iter().all(|needed| !is_lost(track, needed)) && is_counted()
}

fn may_be_counted(track: &Track, policy: &Policy, occurrence: &Occurrence) -> bool {
    let Some(before) = policy.step_before(&occurrence.step_id) else { return false };
    let may_be = |(index, at): (usize, &Occurrence)| {
        let is_ahead = track.place().is_none_or(|place| index > place);
        at.executed_on().is_some() || at.is_claimed() || (at.is_open() && is_ahead && is_possible(track, policy, at))
    };
    find(track, &before.id).any(may_be)
}

/// The day from which a requirement holds, by whichever occurrence of the step meets it first; `None` while nobody knows.
pub(crate) fn met_from(track: &Track, needed: &Requires) -> Option<NaiveDate> {
    let counted = |at: &Occurrence| at.executed_on().and_then(|executed| if needed.delivered { at.delivered_on } else { Some(executed) });
    let counted = find(track, &needed.step).filter_map(|(_, at)| counted(at)).min()?;
    Some(calendar::add_days(counted, i64::from(needed.days_ago)))
}

fn is_met(track: &Track, needed: &Requires, day: NaiveDate) -> bool {
    met_from(track, needed).is_some_and(|from| from <= day)
}

/// The required step can no longer be executed: it ended otherwise, or the track has climbed past it.
fn is_lost(track: &Track, needed: &Requires) -> bool {
    let is_gone = |(index, at): (usize, &Occurrence)| {
        let passed = track.place().is_some_and(|place| index < place);
        at.executed_on().is_none() && !at.is_claimed() && (at.is_ended() || passed)
    };
    find(track, &needed.step).all(is_gone)
}

fn find<'a>(track: &'a Track, step_id: &'a StepId) -> impl Iterator<Item = (usize, &'a Occurrence)> {
    track.current().iter().enumerate().filter(move |(_, at)| at.step_id == *step_id)
}
