//! Previews: what the offsets of a policy mean for one due date, in dates.

use crate::policy::{Anchor, Audience, Policy, Step, StepKind};
use crate::schedule::{self, PlannedStep};
use alloc::vec::Vec;
use chrono::Datelike;
use kernel::{NaiveDate, StepId, Weekday, calendar};

/// One occurrence of a step for a sample due date.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PreviewLine {
    /// The step.
    pub step_id: StepId,
    /// From 1.
    pub occurrence: u32,
    /// Its kind.
    pub kind: StepKind,
    /// Its tone.
    pub tone: u8,
    /// Its offset as written, plus what the occurrence is repeated by.
    pub offset_days: i32,
    /// The step whose execution the offset counts from; `None` where it counts from the due date.
    pub after: Option<StepId>,
    /// The day from which it is reached, with its weekday; `None` where it counts from an execution.
    pub planned_on: Option<(NaiveDate, Weekday)>,
    /// Days from the effective due date to that day, negative before it.
    pub days_from_due: Option<i64>,
    /// The last day on which it may be done; `None` where it never expires.
    pub last_day: Option<NaiveDate>,
    /// Its last day lies before its planned date for this due date: it would never go out.
    pub never_reached: bool,
    /// A person confirms first.
    pub requires_approval: bool,
    /// Whose step it is.
    pub audience: Audience,
}

/// The steps of a policy for a sample due date, in policy order.
pub fn preview(policy: &Policy, due_on: NaiveDate) -> Vec<PreviewLine> {
    let due = schedule::effective_due(due_on, policy.calendar());
    let planned = schedule::all_steps(policy, due_on);
    planned.iter().filter_map(|planned| Some(line(policy, policy.step(&planned.step_id)?, planned, due))).collect()
}

fn line(policy: &Policy, step: &Step, planned: &PlannedStep, due: NaiveDate) -> PreviewLine {
    let after = match step.anchor {
        Anchor::PreviousExecuted => policy.step_before(&step.id).map(|before| before.id.clone()),
        Anchor::Due | Anchor::AgreementDue => None,
    };
    PreviewLine {
        step_id: step.id.clone(),
        occurrence: planned.occurrence,
        kind: step.kind,
        tone: step.tone,
        offset_days: schedule::offset_days(step, planned.occurrence),
        after,
        planned_on: planned.planned_on.map(|day| (day, day.weekday())),
        days_from_due: planned.planned_on.map(|day| calendar::days_between(due, day)),
        last_day: planned.last_day,
        never_reached: planned.last_day.zip(planned.planned_on).is_some_and(|(last, planned_on)| last < planned_on),
        requires_approval: step.requires_approval,
        audience: policy.audience(&step.id),
    }
}
