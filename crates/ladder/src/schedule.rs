//! Dates of a ladder: pure functions of due date, executions, policy and calendar. Nothing is computed from "the last run".

use crate::policy::{Anchor, DayKind, Expires, Policy, Roll, Step, StepKind};
use alloc::vec::Vec;
use kernel::{Calendar, NaiveDate, StepId, calendar};

/// One occurrence of a step of a cycle with its dates, in policy order within its list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PlannedStep {
    /// The step.
    pub step_id: StepId,
    /// From 1.
    pub occurrence: u32,
    /// Its tone.
    pub tone: u8,
    /// Its kind.
    pub kind: StepKind,
    /// The day from which it is reached; `None` while the step before, from which it counts, is not executed.
    pub planned_on: Option<NaiveDate>,
    /// The last day on which it may be done; `None` where it never expires, or not as long as it has no date. May lie before `planned_on`.
    pub last_day: Option<NaiveDate>,
}

/// The due date moved to the next business day. A debt is overdue from the day after it.
pub fn effective_due(due_on: NaiveDate, calendar: Calendar) -> NaiveDate {
    calendar.following(due_on)
}

/// Anchor plus offset, plus what the occurrence (from 1) is repeated by, rolled, moved to the first day on which the step's window opens.
pub fn planned_on(anchor: NaiveDate, step: &Step, occurrence: u32, calendar: Calendar) -> NaiveDate {
    let days = offset_days(step, occurrence);
    let offset = match step.day_kind {
        DayKind::Calendar => calendar::add_days(anchor, i64::from(days)),
        DayKind::Business => calendar.add_business_days(anchor, days),
    };
    let rolled = match step.roll {
        Roll::Back => calendar.preceding(offset),
        Roll::Forward => calendar.following(offset),
        Roll::None => offset,
    };
    // A validated window opens within a week and a few holidays; the fallback keeps the function total.
    step.window.first_day(rolled, calendar).unwrap_or(rolled)
}

/// The offset of an occurrence (from 1), in days of the step's kind.
pub fn offset_days(step: &Step, occurrence: u32) -> i32 {
    let repeated = step.repeat.map_or(0, |repeat| repeat.every_days.saturating_mul(occurrence.saturating_sub(1)));
    step.offset_days.saturating_add(i32::try_from(repeated).unwrap_or(i32::MAX))
}

/// The last day of a step; `None` where it never expires.
pub fn last_day(effective_due: NaiveDate, planned_on: NaiveDate, expires: Expires) -> Option<NaiveDate> {
    match expires {
        Expires::AtDue => Some(effective_due),
        Expires::AfterDays(days) => Some(calendar::add_days(planned_on, i64::from(days))),
        Expires::Never => None,
    }
}

/// All occurrences of a cycle, in policy order; those that count from an execution have no date yet. `instalment`: of an instalment of an
/// agreement, which may have steps of its own.
pub fn planned_steps(policy: &Policy, due_on: NaiveDate, instalment: bool) -> Vec<PlannedStep> {
    let is_for = |step: &&Step| policy.audience(&step.id).has(instalment);
    planned(policy, due_on, policy.steps().iter().filter(is_for))
}

/// The occurrences of every step of a policy, whomever it is for.
pub fn all_steps(policy: &Policy, due_on: NaiveDate) -> Vec<PlannedStep> {
    planned(policy, due_on, policy.steps().iter())
}

fn planned<'a>(policy: &Policy, due_on: NaiveDate, steps: impl Iterator<Item = &'a Step>) -> Vec<PlannedStep> {
    let due = effective_due(due_on, policy.calendar());
    let of = |step: &Step| {
        let anchor = match step.anchor {
            Anchor::Due | Anchor::AgreementDue => Some(due),
            Anchor::PreviousExecuted => None,
        };
        occurrences(step, anchor, due, policy.calendar())
    };
    steps.flat_map(of).collect()
}

/// The occurrences of a step, counted from an anchor.
pub fn occurrences(step: &Step, anchor: Option<NaiveDate>, effective_due: NaiveDate, calendar: Calendar) -> Vec<PlannedStep> {
    let one = |occurrence| {
        let planned_on = anchor.map(|anchor| planned_on(anchor, step, occurrence, calendar));
        let last_day = match (planned_on, step.expires) {
            (Some(planned_on), expires) => last_day(effective_due, planned_on, expires),
            // Its text is over at due, whether or not it got a date before.
            (None, Expires::AtDue) => Some(effective_due),
            (None, Expires::AfterDays(_) | Expires::Never) => None,
        };
        PlannedStep { step_id: step.id.clone(), occurrence, tone: step.tone, kind: step.kind, planned_on, last_day }
    };
    (1..=step.times()).map(one).collect()
}
