//! What the facts of the receivable's owner do to a track (ladder.md section 8).

use super::arrange;
use super::command::Rejection;
use super::event::{Event, Shift};
use super::lapse::{self, closing};
use super::listings;
use super::notices;
use super::pending::Pending;
use crate::policy::{Policy, StepKind};
use crate::reason::{Reason, TaskReason};
use crate::schedule;
use crate::track::{End, Occurrence, Opening, Phase, Track};
use alloc::vec::Vec;
use kernel::{DateTime, InvoiceId, NaiveDate, Utc, calendar};

/// A fact about a track, with the payer's local day of its recording; `None` where the track already knows something later.
pub(super) struct Fact {
    pub(super) day: NaiveDate,
    pub(super) recorded_at: DateTime<Utc>,
}

pub(super) fn fresh(pending: &Pending, id: &InvoiceId, recorded_at: DateTime<Utc>) -> Result<Option<Fact>, Rejection> {
    let track = pending.track(id)?;
    let day = pending.zone_by(pending.policy_of(track)?).day_of(recorded_at);
    Ok((recorded_at >= track.facts_until).then_some(Fact { day, recorded_at }))
}

/// A payment, or a credit note where nothing was `received`.
pub(super) fn note_payment(
    pending: &mut Pending,
    id: &InvoiceId,
    minor: i64,
    (received, at): (bool, DateTime<Utc>),
) -> Result<(), Rejection> {
    let Some(fact) = fresh(pending, id, at)? else { return Ok(()) };
    let track = pending.track(id)?;
    let came_minor = if received { track.outstanding_minor.saturating_sub(minor) } else { 0 };
    match track.phase {
        Phase::Settled | Phase::Cancelled | Phase::Renegotiated => Ok(()),
        // A payment never opens what is paid; that takes a reversal.
        Phase::HandedOff | Phase::WrittenOff if track.outstanding_minor <= 0 => Ok(()),
        Phase::HandedOff | Phase::WrittenOff => {
            // What came after its last day does not keep a promise here either.
            arrange::lapse(pending, id, fact.day)?;
            note_after_end(pending, id, (minor, came_minor), &fact)
        }
        Phase::Enrolled | Phase::Active | Phase::Exhausted => {
            if track.outstanding_minor == minor && minor > 0 {
                return Ok(());
            }
            arrange::lapse(pending, id, fact.day)?;
            note_outstanding(pending, id, (minor, came_minor), &fact)?;
            if minor <= 0 {
                settle(pending, id, fact.day)?;
            }
            if minor <= 0 && received {
                notices::thank(pending, id, fact.day)?;
            }
            arrange::after_payment(pending, id, fact.day)
        }
    }
}

pub(super) fn note_reversal(pending: &mut Pending, id: &InvoiceId, minor: i64, at: DateTime<Utc>) -> Result<(), Rejection> {
    let Some(fact) = fresh(pending, id, at)? else { return Ok(()) };
    arrange::lapse(pending, id, fact.day)?;
    let track = pending.track(id)?;
    let same_return = track.reversed_at == Some(at);
    let came_minor = track.outstanding_minor.saturating_sub(minor);
    match track.phase {
        Phase::Cancelled | Phase::HandedOff | Phase::WrittenOff => note_outstanding(pending, id, (minor, came_minor), &fact),
        Phase::Settled | Phase::Enrolled | Phase::Active | Phase::Exhausted | Phase::Renegotiated => {
            if same_return || minor <= 0 {
                note_outstanding(pending, id, (minor, came_minor), &fact)
            } else {
                reopen(pending, id, minor, &fact)
            }
        }
    }
}

pub(super) fn note_amendment(
    pending: &mut Pending,
    id: &InvoiceId,
    minor: i64,
    due_on: NaiveDate,
    at: DateTime<Utc>,
) -> Result<(), Rejection> {
    super::decide::check_date("due_on", due_on)?;
    let Some(fact) = fresh(pending, id, at)? else { return Ok(()) };
    arrange::lapse(pending, id, fact.day)?;
    let track = pending.track(id)?;
    let (phase, shift) = (track.phase, shift(track.due_on, due_on));
    match phase {
        Phase::Cancelled => Ok(()),
        Phase::Renegotiated => note_outstanding(pending, id, (minor, 0), &fact),
        Phase::HandedOff | Phase::WrittenOff => note_after_end(pending, id, (minor, 0), &fact),
        Phase::Settled if minor <= 0 => Ok(()),
        Phase::Enrolled | Phase::Active | Phase::Exhausted if minor <= 0 => {
            note_outstanding(pending, id, (minor, 0), &fact)?;
            settle(pending, id, fact.day)
        }
        Phase::Settled | Phase::Enrolled | Phase::Active | Phase::Exhausted => match shift {
            Some(shift) => reschedule(pending, id, minor, due_on, shift, &fact),
            None if phase == Phase::Settled => reopen(pending, id, minor, &fact),
            None => note_outstanding(pending, id, (minor, 0), &fact),
        },
    }
}

pub(super) fn note_cancellation(pending: &mut Pending, id: &InvoiceId, at: DateTime<Utc>) -> Result<(), Rejection> {
    let Some(fact) = fresh(pending, id, at)? else { return Ok(()) };
    if pending.track(id)?.phase == Phase::Cancelled {
        return Ok(());
    }
    arrange::lapse(pending, id, fact.day)?;
    lapse::close_open(pending, id, fact.day, Reason::Cancelled)?;
    notices::drop_open(pending, id, fact.day, Reason::Cancelled)?;
    let track = pending.track(id)?;
    let (cycle, was_paid) = (track.cycle, track.phase == Phase::Settled);
    pending.emit(Event::TrackCancelled { invoice_id: id.clone(), cycle, day: fact.day, recorded_at: fact.recorded_at });
    if !was_paid {
        notices::correct(pending, id, fact.day)?;
    }
    listings::remove(pending, id, fact.day)
}

/// Nobody is left to contact: open steps end, running tracks are over.
pub(super) fn forget_payer(pending: &mut Pending, at: DateTime<Utc>) -> Result<(), Rejection> {
    let ladder = pending.ladder();
    if ladder.forgotten {
        return Ok(());
    }
    for (id, track) in ladder.tracks.iter().filter(|(_, track)| track.phase.is_running()) {
        let day = pending.zone_by(pending.policy_of(track)?).day_of(at);
        lapse::close_open(pending, id, day, Reason::PayerForgotten)?;
        pending.emit(Event::TrackExhausted { invoice_id: id.clone(), cycle: track.cycle, day });
    }
    for (id, track) in ladder.tracks.iter().filter(|(_, track)| track.has_open_notice()) {
        let day = pending.zone_by(pending.policy_of(track)?).day_of(at);
        notices::drop_open(pending, id, day, Reason::PayerForgotten)?;
    }
    pending.emit(Event::PayerForgotten);
    Ok(())
}

fn shift(from: NaiveDate, to: NaiveDate) -> Option<Shift> {
    match to.cmp(&from) {
        core::cmp::Ordering::Greater => Some(Shift::Later),
        core::cmp::Ordering::Less => Some(Shift::Earlier),
        core::cmp::Ordering::Equal => None,
    }
}

pub(super) fn note_outstanding(
    pending: &mut Pending,
    id: &InvoiceId,
    (outstanding_minor, received_minor): (i64, i64),
    fact: &Fact,
) -> Result<(), Rejection> {
    if pending.track(id)?.outstanding_minor != outstanding_minor {
        let (invoice_id, recorded_at) = (id.clone(), fact.recorded_at);
        pending.emit(Event::OutstandingNoted { invoice_id, outstanding_minor, received_minor, recorded_at });
    }
    Ok(())
}

/// Who has the debt now, collector or accountant, must hear of it, and a listing must go.
fn note_after_end(pending: &mut Pending, id: &InvoiceId, (minor, came_minor): (i64, i64), fact: &Fact) -> Result<(), Rejection> {
    let track = pending.track(id)?;
    let (was_open, cycle, phase) = (track.outstanding_minor > 0, track.cycle, track.phase);
    note_outstanding(pending, id, (minor, came_minor), fact)?;
    if was_open && minor <= 0 {
        let reason = if phase == Phase::WrittenOff { TaskReason::PaidAfterWriteOff } else { TaskReason::PaidAfterHandOff };
        pending.emit(Event::TaskRaised { invoice_id: id.clone(), cycle, day: fact.day, reason, step_id: None, until: None });
        listings::remove(pending, id, fact.day)?;
    }
    Ok(())
}

/// A residue within tolerance ends dunning; it stays open in the owner's books.
pub(super) fn end_with_residue(pending: &mut Pending, id: &InvoiceId, day: NaiveDate) -> Result<(), Rejection> {
    match pending.track(id)?.phase {
        Phase::Enrolled | Phase::Active | Phase::Exhausted => end_as(pending, id, day, Reason::WithinTolerance),
        Phase::Settled | Phase::Cancelled | Phase::HandedOff | Phase::WrittenOff | Phase::Renegotiated => Ok(()),
    }
}

fn settle(pending: &mut Pending, id: &InvoiceId, day: NaiveDate) -> Result<(), Rejection> {
    end_as(pending, id, day, Reason::Paid)
}

fn end_as(pending: &mut Pending, id: &InvoiceId, day: NaiveDate, reason: Reason) -> Result<(), Rejection> {
    lapse::close_open(pending, id, day, reason)?;
    let cycle = pending.track(id)?.cycle;
    pending.emit(Event::TrackSettled { invoice_id: id.clone(), cycle, day });
    listings::remove(pending, id, day)
}

fn reopen(pending: &mut Pending, id: &InvoiceId, minor: i64, fact: &Fact) -> Result<(), Rejection> {
    notices::drop_open(pending, id, fact.day, Reason::Reopened)?;
    lapse::close_open(pending, id, fact.day, Reason::Reopened)?;
    let track = pending.track(id)?;
    let policy = pending.policy_of(track)?;
    let event = Event::TrackReopened {
        invoice_id: id.clone(),
        cycle: track.cycle + 1,
        day: fact.day,
        outstanding_minor: minor,
        recorded_at: fact.recorded_at,
        steps: schedule::planned_steps(policy, track.due_on, track.instalment_of.is_some()),
    };
    pending.emit(event);
    close_recently_sent(pending, id, fact.day)?;
    begin(pending, id, fact.day)
}

/// Steps sent within `min_gap_days` before the return are not repeated.
pub(super) fn close_recently_sent(pending: &mut Pending, id: &InvoiceId, day: NaiveDate) -> Result<(), Rejection> {
    let track = pending.track(id)?;
    let policy = pending.policy_of(track)?;
    let contacts = track.current().iter().filter(|at| at.is_open() && at.kind == StepKind::Notify);
    let recent = contacts.filter(|at| was_sent_recently(track, policy, at, day));
    let closings: Vec<_> = recent.map(|at| closing(at, End::Superseded { reason: Reason::RecentlySent, by: None })).collect();
    let cycle = track.cycle;
    pending.close(id, cycle, day, closings);
    Ok(())
}

fn was_sent_recently(track: &Track, policy: &Policy, of: &Occurrence, day: NaiveDate) -> bool {
    let gap_days = policy.step(&of.step_id).map_or(0, |step| i64::from(step.min_gap_days));
    let mut sent = same_before(track, of);
    sent.any(|at| at.executed_on().is_some_and(|sent_on| calendar::days_between(sent_on, day) < gap_days))
}

/// Whether nobody knows yet if a contact of a new cycle was sent shortly before the payment was returned.
pub(super) fn awaits_word(track: &Track, of: &Occurrence) -> bool {
    track.opening == Opening::Reversed && of.kind == StepKind::Notify && same_before(track, of).any(Occurrence::is_claimed)
}

/// The same occurrence of the step in earlier cycles, and later ones: what comes before them in the new cycle would say the same again.
fn same_before<'a>(track: &'a Track, of: &'a Occurrence) -> impl Iterator<Item = &'a Occurrence> {
    let is_same = |at: &&Occurrence| at.cycle < track.cycle && at.step_id == of.step_id && of.occurrence <= at.occurrence;
    track.occurrences.iter().filter(is_same)
}

fn reschedule(pending: &mut Pending, id: &InvoiceId, minor: i64, due_on: NaiveDate, shift: Shift, fact: &Fact) -> Result<(), Rejection> {
    notices::drop_open(pending, id, fact.day, Reason::Rescheduled)?;
    lapse::close_open(pending, id, fact.day, Reason::Rescheduled)?;
    let track = pending.track(id)?;
    let policy = pending.policy_of(track)?;
    let event = Event::TrackRescheduled {
        invoice_id: id.clone(),
        cycle: track.cycle + 1,
        day: fact.day,
        shift,
        due_on,
        effective_due: schedule::effective_due(due_on, policy.calendar()),
        outstanding_minor: minor,
        recorded_at: fact.recorded_at,
        steps: schedule::planned_steps(policy, due_on, track.instalment_of.is_some()),
    };
    pending.emit(event);
    if shift == Shift::Earlier {
        expire_already_past(pending, id, fact.day)?;
    }
    begin(pending, id, fact.day)
}

/// A new cycle begins; that of a payer whose data was erased is over with it, because nothing of it would ever be offered.
pub(super) fn begin(pending: &mut Pending, id: &InvoiceId, day: NaiveDate) -> Result<(), Rejection> {
    if !pending.ladder().forgotten {
        return lapse::take_stock(pending, id, day);
    }
    lapse::close_open(pending, id, day, Reason::PayerForgotten)?;
    let cycle = pending.track(id)?.cycle;
    pending.emit(Event::TrackExhausted { invoice_id: id.clone(), cycle, day });
    Ok(())
}

/// A due date moved earlier: what would have been planned before that day is not sent.
fn expire_already_past(pending: &mut Pending, id: &InvoiceId, day: NaiveDate) -> Result<(), Rejection> {
    let track = pending.track(id)?;
    let past = track.current().iter().filter(|at| at.planned_on.is_some_and(|planned_on| planned_on < day));
    let closings: Vec<_> = past.map(|at| closing(at, End::Expired { reason: Reason::AlreadyPast })).collect();
    let cycle = track.cycle;
    pending.close(id, cycle, day, closings);
    Ok(())
}
