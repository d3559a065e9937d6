//! Dates of a ladder: pure functions of due date, policy and calendar. Nothing is computed from "the last run".

use crate::policy::{DayKind, Expires, Policy, Roll, Step, StepKind};
use alloc::vec::Vec;
use kernel::{Calendar, NaiveDate, StepId, calendar};

/// One step of a cycle with its dates, in policy order within its list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PlannedStep {
    /// The step.
    pub step_id: StepId,
    /// Its tone.
    pub tone: u8,
    /// Its kind.
    pub kind: StepKind,
    /// The day from which it is reached.
    pub planned_on: NaiveDate,
    /// The last day on which it may be done; `None` where it never expires. May lie before `planned_on`.
    pub last_day: Option<NaiveDate>,
}

/// The due date moved to the next business day. A debt is overdue from the day after it.
pub fn effective_due(due_on: NaiveDate, calendar: Calendar) -> NaiveDate {
    calendar.following(due_on)
}

/// Effective due date plus offset, rolled, moved to the first day on which the step's window opens.
pub fn planned_on(effective_due: NaiveDate, step: &Step, calendar: Calendar) -> NaiveDate {
    let offset = match step.day_kind {
        DayKind::Calendar => calendar::add_days(effective_due, i64::from(step.offset_days)),
        DayKind::Business => calendar.add_business_days(effective_due, step.offset_days),
    };
    let rolled = match step.roll {
        Roll::Back => calendar.preceding(offset),
        Roll::Forward => calendar.following(offset),
        Roll::None => offset,
    };
    // A validated window opens within a week and a few holidays; the fallback keeps the function total.
    step.window.first_day(rolled, calendar).unwrap_or(rolled)
}

/// The last day of a step; `None` where it never expires.
pub fn last_day(effective_due: NaiveDate, planned_on: NaiveDate, expires: Expires) -> Option<NaiveDate> {
    match expires {
        Expires::AtDue => Some(effective_due),
        Expires::AfterDays(days) => Some(calendar::add_days(planned_on, i64::from(days))),
        Expires::Never => None,
    }
}

/// All steps of a cycle, in policy order.
pub fn planned_steps(policy: &Policy, due_on: NaiveDate) -> Vec<PlannedStep> {
    let due = effective_due(due_on, policy.calendar());
    policy.steps().iter().map(|step| planned_step(step, due, policy.calendar())).collect()
}

fn planned_step(step: &Step, effective_due: NaiveDate, calendar: Calendar) -> PlannedStep {
    let planned_on = planned_on(effective_due, step, calendar);
    PlannedStep {
        step_id: step.id.clone(),
        tone: step.tone,
        kind: step.kind,
        planned_on,
        last_day: last_day(effective_due, planned_on, step.expires),
    }
}
