//! Previews: what the offsets of a policy mean for one due date, in dates.

use crate::policy::{Policy, Step, StepKind};
use crate::schedule;
use alloc::vec::Vec;
use chrono::Datelike;
use kernel::{NaiveDate, StepId, Weekday, calendar};

/// One step for a sample due date.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PreviewLine {
    /// The step.
    pub step_id: StepId,
    /// Its kind.
    pub kind: StepKind,
    /// Its tone.
    pub tone: u8,
    /// Its offset as written.
    pub offset_days: i32,
    /// The day from which it is reached.
    pub planned_on: NaiveDate,
    /// Weekday of that day.
    pub weekday: Weekday,
    /// Days from the effective due date to that day, negative before it.
    pub days_from_due: i64,
    /// The last day on which it may be done; `None` where it never expires.
    pub last_day: Option<NaiveDate>,
    /// Its last day lies before its planned date for this due date: it would never go out.
    pub never_reached: bool,
    /// A person confirms first.
    pub requires_approval: bool,
}

/// The steps of a policy for a sample due date, in policy order.
pub fn preview(policy: &Policy, due_on: NaiveDate) -> Vec<PreviewLine> {
    let due = schedule::effective_due(due_on, policy.calendar());
    policy.steps().iter().map(|step| line(policy, step, due)).collect()
}

fn line(policy: &Policy, step: &Step, due: NaiveDate) -> PreviewLine {
    let planned_on = schedule::planned_on(due, step, policy.calendar());
    let last_day = schedule::last_day(due, planned_on, step.expires);
    PreviewLine {
        step_id: step.id.clone(),
        kind: step.kind,
        tone: step.tone,
        offset_days: step.offset_days,
        planned_on,
        weekday: planned_on.weekday(),
        days_from_due: calendar::days_between(due, planned_on),
        last_day,
        never_reached: last_day.is_some_and(|last| last < planned_on),
        requires_approval: step.requires_approval,
    }
}
