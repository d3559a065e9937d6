//! Migration: a running track moves from the policy version that it is pinned to, to another one (ladder.md section 8, "policy edited").
//!
//! Pure: what a rehearsal shows and what a migration does is the same plan. By `step_id` and occurrence:
//! - what has ended stays as it ended, and is not done again;
//! - what is open under both gets the dates, tone and kind of the new version, and is planned anew: an approval was given for the old text;
//! - what the new version does not have ends as superseded (`policy_migrated`);
//! - what only the new version has is planned; where it stands below the track's place it is never sent, as any lower step.
//!
//! The place is kept: it is that of the last executed step. Where the new version does not have that step, the track stands above every step
//! that stood at or below it, and above every one that is planned no later. The cycle, the tones of what was executed and with them the
//! hardest tone of the next step stay. A track of which a step is being carried out is not moved: migrate again once it is concluded.

use crate::policy::Policy;
use crate::schedule::{self, PlannedStep};
use crate::track::{Occurrence, Track};
use alloc::vec::Vec;
use kernel::{NaiveDate, StepId};

/// What a migration makes of one track.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Move {
    /// The due date moved to a business day of the new version's calendar.
    pub effective_due: NaiveDate,
    /// How many of `steps` stand at or below the place, where the last executed step is none of them; else 0.
    pub place: u32,
    /// All occurrences of the new version, in its order.
    pub steps: Vec<MovedStep>,
    /// Open occurrences that the new version does not have.
    pub vanished: Vec<(StepId, u32)>,
}

/// One occurrence of the new version.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MovedStep {
    /// With its dates by the new version; what has ended keeps its own.
    pub planned: PlannedStep,
    /// The old version did not have it.
    pub is_new: bool,
}

/// What the move of a running track to a policy would do; `None` while a step is being carried out.
pub fn plan(track: &Track, to: &Policy) -> Option<Move> {
    if track.is_claimed() {
        return None;
    }
    let current = track.current();
    let planned = schedule::planned_steps(to, track.due_on, track.instalment_of.is_some());
    let has = |at: &Occurrence| planned.iter().any(|step| is_same(at, step));
    let vanished = current.iter().filter(|at| at.is_open() && !has(at)).map(|at| (at.step_id.clone(), at.occurrence)).collect();
    let place = place(current, &planned);
    let moved = |planned: PlannedStep| MovedStep { is_new: !current.iter().any(|at| is_same(at, &planned)), planned };
    let steps = planned.into_iter().map(moved).collect();
    Some(Move { effective_due: schedule::effective_due(track.due_on, to.calendar()), place, steps, vanished })
}

/// The occurrences of the current cycle after a move, in order.
pub(crate) fn rearranged(cycle: u32, current: Vec<Occurrence>, place: u32, steps: &[MovedStep]) -> Vec<Occurrence> {
    let (mut kept, gone): (Vec<_>, Vec<_>) = current.into_iter().partition(|at| steps.iter().any(|step| is_same(at, &step.planned)));
    let mut take = |step: &MovedStep| {
        let known = kept.iter().position(|at| is_same(at, &step.planned)).map(|index| kept.swap_remove(index));
        match known {
            Some(ended) if ended.is_ended() => ended,
            Some(open) => Occurrence { deferred_by: open.deferred_by, ..Occurrence::planned(cycle, &step.planned) },
            None => Occurrence::planned(cycle, &step.planned),
        }
    };
    let mut all: Vec<Occurrence> = steps.iter().map(&mut take).collect();
    let at = usize::try_from(place).unwrap_or(usize::MAX).min(all.len());
    all.splice(at..at, gone);
    all
}

pub(crate) fn is_same(at: &Occurrence, step: &PlannedStep) -> bool {
    at.step_id == step.step_id && at.occurrence == step.occurrence
}

/// Where the last executed step goes that the new version does not have.
fn place(current: &[Occurrence], planned: &[PlannedStep]) -> u32 {
    let Some(last) = current.iter().rposition(|at| at.executed_on().is_some()) else { return 0 };
    let Some((executed, below)) = current.get(..=last).and_then(<[Occurrence]>::split_last) else { return 0 };
    if planned.iter().any(|step| is_same(executed, step)) {
        return 0;
    }
    let stood_below = |step: &PlannedStep| below.iter().any(|at| is_same(at, step));
    let is_earlier = |step: &PlannedStep| step.planned_on.zip(executed.planned_on).is_some_and(|(new, old)| new <= old);
    let highest = planned.iter().rposition(|step| stood_below(step) || is_earlier(step));
    u32::try_from(highest.map_or(0, |at| at + 1)).unwrap_or(u32::MAX)
}
