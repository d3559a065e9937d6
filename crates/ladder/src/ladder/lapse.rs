//! What time alone ends: steps past their last day, and lower steps that are reached after a higher one was executed.
//! An end by date holds whether or not the engine ran; it is recorded at the next wake, or by the fact that closes the rest.

use super::anchor;
use super::command::Rejection;
use super::event::{Closing, Event};
use super::facts;
use super::pending::Pending;
use crate::Policy;
use crate::policy::{Expires, Step};
use crate::reason::{Reason, TaskReason};
use crate::track::{End, Occurrence, Track};
use alloc::vec::Vec;
use kernel::{DateTime, InvoiceId, NaiveDate, StepId, Utc, Zone};

pub(super) fn closing(occurrence: &Occurrence, end: End) -> Closing {
    Closing { step_id: occurrence.step_id.clone(), occurrence: occurrence.occurrence, end }
}

fn expired(policy: &Policy, occurrence: &Occurrence, day: NaiveDate) -> Option<End> {
    occurrence.is_past(day).then(|| End::Expired { reason: expiry_reason(policy, occurrence) })
}

/// The lower open steps of the current cycle that the execution of `executed` on `day` supersedes, or that had expired before.
pub(crate) fn overtaken_by(track: &Track, executed: &Occurrence, policy: &Policy, day: NaiveDate) -> Vec<Closing> {
    let below = track.current().iter().take_while(|at| (&at.step_id, at.occurrence) != (&executed.step_id, executed.occurrence));
    let reached = below.filter(|at| at.is_open() && at.is_reached(day));
    let end = |at: &Occurrence| {
        let reason = if at.planned_on == Some(day) { Reason::SameDay } else { Reason::Late };
        let by = Some(executed.step_id.clone());
        expired(policy, at, day).unwrap_or(End::Superseded { reason, by })
    };
    reached.map(|at| closing(at, end(at))).collect()
}

/// How a step that is reached below the executed one of its cycle ends: it is late, whatever its planned date.
fn overtaken(track: &Track, index: usize) -> Option<End> {
    let executed = track.place().filter(|place| index < *place).and_then(|place| track.current().get(place))?;
    Some(End::Superseded { reason: Reason::Late, by: Some(executed.step_id.clone()) })
}

/// How a step was over before `day`, whether or not anybody looked: its last day was, or it was reached below the place.
fn over_before(track: &Track, policy: &Policy, (index, at): (usize, &Occurrence), day: NaiveDate) -> Option<End> {
    let was_reached = at.planned_on.is_some_and(|planned_on| planned_on < day);
    expired(policy, at, day).or_else(|| if was_reached { overtaken(track, index) } else { None })
}

fn expiry_reason(policy: &Policy, occurrence: &Occurrence) -> Reason {
    match policy.step(&occurrence.step_id).map(|step| step.expires) {
        Some(Expires::AfterDays(_)) => Reason::TooOld,
        Some(Expires::AtDue | Expires::Never) | None => Reason::DuePassed,
    }
}

/// Records what lapsed by an instant. A step that is reached that day is overtaken from the opening hour of its window on.
pub(super) fn record(pending: &mut Pending, id: &InvoiceId, now: DateTime<Utc>, zone: Zone) -> Result<(), Rejection> {
    let track = pending.track(id)?;
    let policy = pending.policy_of(track)?;
    let (cycle, day) = (track.cycle, zone.day_of(now));
    let opening = |step: &Step| policy.window_of(step, pending.ladder().state.as_deref()).from;
    let has_opened = |at: &Occurrence| policy.step(&at.step_id).is_none_or(|step| opening(step) <= zone.time_of(now));
    let is_reached = |at: &Occurrence| at.is_reached(day) && (at.planned_on != Some(day) || has_opened(at));
    let open = track.current().iter().enumerate().filter(|(index, at)| at.is_open() && !awaits_claim(track, *index));
    let ended = open.filter_map(|(index, at)| {
        let by_place = || if is_reached(at) { overtaken(track, index) } else { None };
        expired(policy, at, day).or_else(by_place).map(|end| closing(at, end))
    });
    let closings = ended.collect();
    pending.close(id, cycle, day, closings);
    Ok(())
}

/// Whether a higher step was claimed while this one could still be done, or before the payment was returned the same step: if it was
/// executed then, it superseded this one, so nothing is said before its conclusion.
pub(super) fn awaits_claim(track: &Track, index: usize) -> bool {
    let Some(of) = track.current().get(index) else { return false };
    let mut claims = track.current().iter().skip(index + 1).filter_map(Occurrence::claimed_on);
    claims.any(|claimed_on| of.last_day.is_none_or(|last| claimed_on <= last)) || facts::awaits_word(track, of)
}

/// Ends the occurrences of a step that has just got its dates, as far as they came too late: where the step before came to its end long
/// after its execution, they may be over already, or a higher step was executed meanwhile.
pub(super) fn end_dated(pending: &mut Pending, id: &InvoiceId, day: NaiveDate, step_id: &StepId) -> Result<(), Rejection> {
    let track = pending.track(id)?;
    let policy = pending.policy_of(track)?;
    let dated = track.current().iter().enumerate().filter(|(_, at)| at.step_id == *step_id && at.is_open());
    let ended = dated.filter(|(index, _)| !awaits_claim(track, *index)).filter_map(|(index, at)| {
        let by_place = || if at.is_reached(day) { overtaken(track, index) } else { None };
        expired(policy, at, day).or_else(by_place).map(|end| closing(at, end))
    });
    let (cycle, closings) = (track.cycle, ended.collect());
    pending.close(id, cycle, day, closings);
    Ok(())
}

/// Closes what was over by its dates before `day`.
pub(super) fn close_over(pending: &mut Pending, id: &InvoiceId, day: NaiveDate) -> Result<(), Rejection> {
    let track = pending.track(id)?;
    let policy = pending.policy_of(track)?;
    let open = track.current().iter().enumerate().filter(|(index, at)| at.is_open() && !awaits_claim(track, *index));
    let ended = open.filter_map(|(index, at)| over_before(track, policy, (index, at), day).map(|end| closing(at, end)));
    let (cycle, closings) = (track.cycle, ended.collect());
    pending.close(id, cycle, day, closings);
    Ok(())
}

/// Closes some of the open steps of the current cycle.
pub(super) fn close_keys(
    pending: &mut Pending,
    id: &InvoiceId,
    day: NaiveDate,
    keys: &[(StepId, u32)],
    reason: Reason,
) -> Result<(), Rejection> {
    let cycle = pending.track(id)?.cycle;
    let one = |(step_id, occurrence): &(StepId, u32)| {
        let end = End::Superseded { reason, by: None };
        Closing { step_id: step_id.clone(), occurrence: *occurrence, end }
    };
    pending.close(id, cycle, day, keys.iter().map(one).collect());
    Ok(())
}

/// Closes every open step of the current cycle: as it was what was over by its dates before `day`, the rest by `reason`.
pub(super) fn close_open(pending: &mut Pending, id: &InvoiceId, day: NaiveDate, reason: Reason) -> Result<(), Rejection> {
    if pending.track(id)?.current().iter().any(|at| at.is_open() && at.planned_on.is_none()) {
        // What counts from a step that had expired was lost with it, whoever looked when.
        close_over(pending, id, day)?;
        anchor::settle(pending, id, day)?;
    }
    let track = pending.track(id)?;
    let policy = pending.policy_of(track)?;
    let cycle = track.cycle;
    let end = |indexed| over_before(track, policy, indexed, day).unwrap_or(End::Superseded { reason, by: None });
    let open = track.current().iter().enumerate().filter(|(_, at)| at.is_open());
    let closings: Vec<Closing> = open.map(|(index, at)| closing(at, end((index, at)))).collect();
    pending.close(id, cycle, day, closings);
    Ok(())
}

/// Says what the track has come to: what counts from an execution has its date or none any more, its ladder is over, or no step of an
/// allowed tone is left. Once each.
pub(super) fn take_stock(pending: &mut Pending, id: &InvoiceId, day: NaiveDate) -> Result<(), Rejection> {
    anchor::settle(pending, id, day)?;
    let track = pending.track(id)?;
    let cycle = track.cycle;
    let Some(reason) = standstill(track, pending.policy_of(track)?, day) else {
        return Ok(());
    };
    if reason == TaskReason::Exhausted {
        pending.emit(Event::TrackExhausted { invoice_id: id.clone(), cycle, day });
    }
    pending.emit(Event::TaskRaised { invoice_id: id.clone(), cycle, day, reason, step_id: None, until: None });
    Ok(())
}

/// Why a running track stands still and a person must be told; `None` where it goes on, or somebody was told.
pub(super) fn standstill(track: &Track, policy: &Policy, day: NaiveDate) -> Option<TaskReason> {
    if !track.phase.is_running() {
        None
    } else if track.pause_on(day).is_some() {
        // What the ladder has come to is said when it goes on.
        None
    } else if track.current().iter().any(|at| at.ended_on().is_some_and(|ended_on| ended_on > day)) {
        // The word of an earlier day, told late: what was not over on that day is for the next run to say, whoever looked meanwhile.
        None
    } else if track.current().iter().all(Occurrence::is_ended) {
        Some(TaskReason::Exhausted)
    } else if track.blocked_cycle != Some(track.cycle) && is_blocked(track, policy, day) {
        Some(TaskReason::NoAllowedStep)
    } else {
        None
    }
}

/// Steps remain, and none of them can ever be offered in this cycle.
fn is_blocked(track: &Track, policy: &Policy, day: NaiveDate) -> bool {
    let remaining = || crate::plan::remaining(track).filter(|(_, occurrence)| !occurrence.is_past(day));
    !track.is_claimed() && remaining().next().is_some() && !remaining().any(|(_, at)| crate::plan::is_possible(track, policy, at))
}
