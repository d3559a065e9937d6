//! Steps that count from the execution of the step before: their dates become known with it, or they are lost with it.
//!
//! The date counts from the record of the execution, which is a fact, and never from a run. Where the step before is repeated, it counts
//! from its last execution, once none of its occurrences is open any more: as long as one is, the step before is not over.

use super::command::Rejection;
use super::event::Event;
use super::lapse::{self, closing};
use super::pending::Pending;
use crate::policy::{Anchor, Policy, Step};
use crate::reason::Reason;
use crate::schedule;
use crate::track::{End, Occurrence, Track};
use kernel::{InvoiceId, NaiveDate};

/// What has become of the step before.
enum Previous {
    /// It may still be executed.
    Open,
    /// It was, for the last time, on that day.
    Executed(NaiveDate),
    /// It ended otherwise, on that day.
    Lost(NaiveDate),
}

/// Gives dates to what can be counted now, and ends what never will be. In policy order, so that a loss goes on to what counts from it.
pub(super) fn settle(pending: &mut Pending, id: &InvoiceId, day: NaiveDate) -> Result<(), Rejection> {
    let policy = pending.policy_of(pending.track(id)?)?;
    for step in policy.steps() {
        let track = pending.track(id)?;
        if !waits(track, step) {
            continue;
        }
        let cycle = track.cycle;
        match previous(track, policy, step) {
            Previous::Open => {}
            Previous::Executed(executed_on) => {
                let steps = schedule::occurrences(step, Some(executed_on), track.effective_due, policy.calendar());
                pending.emit(Event::StepsPlanned { invoice_id: id.clone(), cycle, day, steps });
                lapse::end_dated(pending, id, day, &step.id)?;
            }
            // On the day of that end, whoever looked when.
            Previous::Lost(lost_on) => {
                let lost = undated(track, step).map(|at| closing(at, End::Superseded { reason: Reason::AnchorLost, by: None }));
                let closings = lost.collect();
                pending.close(id, cycle, lost_on, closings);
            }
        }
    }
    Ok(())
}

/// Whether [`settle`] would say something.
pub(super) fn is_behind(track: &Track, policy: &Policy) -> bool {
    let waiting = policy.steps().iter().filter(|step| waits(track, step));
    waiting.into_iter().any(|step| !matches!(previous(track, policy, step), Previous::Open))
}

fn waits(track: &Track, step: &Step) -> bool {
    step.anchor == Anchor::PreviousExecuted && undated(track, step).next().is_some()
}

fn undated<'a>(track: &'a Track, step: &'a Step) -> impl Iterator<Item = &'a Occurrence> {
    track.current().iter().filter(|at| at.step_id == step.id && at.planned_on.is_none() && at.is_open())
}

fn previous(track: &Track, policy: &Policy, step: &Step) -> Previous {
    let before = policy.step_before(&step.id);
    let occurrences = || track.current().iter().filter(|at| before.is_some_and(|before| at.step_id == before.id));
    if occurrences().any(|at| !at.is_ended()) {
        return Previous::Open;
    }
    let executed_on = occurrences().filter_map(Occurrence::executed_on).max();
    let ended_on = occurrences().filter_map(Occurrence::ended_on).max();
    match (executed_on, ended_on) {
        (Some(executed_on), _) => Previous::Executed(executed_on),
        (None, Some(ended_on)) => Previous::Lost(ended_on),
        // Validation gives such a step one before it, and a cycle has all its steps.
        (None, None) => Previous::Open,
    }
}
