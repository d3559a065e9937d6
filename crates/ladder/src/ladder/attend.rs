//! What a person does with tasks and questions, and what becomes of them by themselves.

use super::command::{Attend, Command, Rejection};
use super::decide::check_date;
use super::event::{Closing, Event};
use super::lapse;
use super::pending::Pending;
use crate::policy::StepKind;
use crate::reason::{Reason, TaskReason};
use crate::task::{Task, TaskKey, is_void_after};
use crate::track::{End, OccurrenceState, Track};
use alloc::string::String;
use alloc::vec::Vec;
use kernel::{InvoiceId, NaiveDate, StepId};

/// Who attends to something on which local day, and why.
struct Signed<'a> {
    day: NaiveDate,
    by: &'a str,
    why: &'a str,
}

pub(super) fn attend(pending: &mut Pending, command: &Command) -> Result<(), Rejection> {
    let Command::Attend { at, by, why, what } = command else { return Ok(()) };
    let (Attend::Done(TaskKey { invoice_id, .. })
    | Attend::Snooze { task: TaskKey { invoice_id, .. }, .. }
    | Attend::Refuse { invoice_id, .. }) = what;
    let day = pending.zone_by(pending.policy_of(pending.track(invoice_id)?)?).day_of(*at);
    let signed = Signed { day, by, why };
    match what {
        Attend::Done(task) => done(pending, &signed, task),
        Attend::Snooze { task, until } => snooze(pending, &signed, task, *until),
        Attend::Refuse { invoice_id, cycle, step_id, occurrence } => refuse(pending, &signed, invoice_id, (*cycle, step_id, *occurrence)),
    }
}

fn open<'p>(pending: &'p Pending, task: &TaskKey) -> Result<&'p Task, Rejection> {
    let found = pending.track(&task.invoice_id)?.tasks.iter().find(|open| open.key == *task);
    found.ok_or_else(|| Rejection::TaskNotOpen(task.invoice_id.clone()))
}

fn done(pending: &mut Pending, signed: &Signed, task: &TaskKey) -> Result<(), Rejection> {
    open(pending, task)?;
    if task.reason == TaskReason::Approval {
        return Err(Rejection::ApprovalPending);
    }
    let (by, why) = (String::from(signed.by), String::from(signed.why));
    pending.emit(Event::TaskDone { task: task.clone(), day: signed.day, by, why });
    Ok(())
}

fn snooze(pending: &mut Pending, signed: &Signed, task: &TaskKey, until: NaiveDate) -> Result<(), Rejection> {
    check_date("until", until)?;
    if until <= signed.day {
        return Err(Rejection::DateInPast("until"));
    }
    open(pending, task)?;
    let (by, why) = (String::from(signed.by), String::from(signed.why));
    pending.emit(Event::TaskSnoozed { task: task.clone(), until, day: signed.day, by, why });
    Ok(())
}

fn refuse(
    pending: &mut Pending,
    signed: &Signed,
    invoice_id: &InvoiceId,
    (cycle, step_id, occurrence): (u32, &StepId, u32),
) -> Result<(), Rejection> {
    let asked = pending.track(invoice_id)?.occurrence(cycle, step_id, occurrence);
    if !asked.is_some_and(|at| matches!(at.state, OccurrenceState::AwaitingApproval { .. })) {
        return Ok(());
    }
    pending.emit(Event::ApprovalRefused {
        invoice_id: invoice_id.clone(),
        cycle,
        step_id: step_id.clone(),
        occurrence,
        by: String::from(signed.by),
        day: signed.day,
        why: String::from(signed.why),
    });
    let end = End::Suppressed { reason: Reason::ApprovalRefused };
    pending.close(invoice_id, cycle, signed.day, Vec::from([Closing { step_id: step_id.clone(), occurrence, end }]));
    lapse::take_stock(pending, invoice_id, signed.day)
}

/// What an event does to the open tasks of its track. Comes before the event itself.
pub(super) fn apply(track: &mut Track, event: &Event) {
    track.tasks.retain(|task| !is_void_after(event, task.key.reason, (task.key.cycle, task.key.step_id.as_ref(), task.occurrence)));
    if let Event::TaskRaised { invoice_id, cycle, day, reason, step_id, .. } = event {
        let key = TaskKey { invoice_id: invoice_id.clone(), cycle: *cycle, reason: *reason, step_id: step_id.clone(), day: *day };
        raise(track, key, 0);
    } else if let Event::ApprovalRequested { invoice_id, cycle, step_id, occurrence, day } = event {
        raise(track, of_step(invoice_id, *cycle, (TaskReason::Approval, step_id), *day), *occurrence);
    } else if let Event::ApprovalGiven { cycle, step_id, occurrence, .. } | Event::ApprovalRefused { cycle, step_id, occurrence, .. } =
        event
    {
        let is_asked = |task: &Task| task.key.reason == TaskReason::Approval && task.key.step_id.as_ref() == Some(step_id);
        track.tasks.retain(|task| !(is_asked(task) && (task.key.cycle, task.occurrence) == (*cycle, *occurrence)));
    } else if let Event::StepsClosed { invoice_id, cycle, day, closings } = event {
        for closing in closings.iter().filter(|closing| matches!(closing.end, End::Executed { .. })) {
            let step = track.occurrence(*cycle, &closing.step_id, closing.occurrence);
            if step.is_some_and(|at| at.kind == StepKind::Task) {
                raise(track, of_step(invoice_id, *cycle, (TaskReason::StepDue, &closing.step_id), *day), closing.occurrence);
            }
        }
    } else if let Event::TaskDone { task, .. } = event {
        track.tasks.retain(|open| open.key != *task);
    } else if let Event::TaskSnoozed { task, until, .. } = event {
        track.tasks.iter_mut().filter(|open| open.key == *task).for_each(|open| open.snoozed_until = Some(*until));
    }
}

fn of_step(invoice_id: &InvoiceId, cycle: u32, (reason, step_id): (TaskReason, &StepId), day: NaiveDate) -> TaskKey {
    TaskKey { invoice_id: invoice_id.clone(), cycle, reason, step_id: Some(step_id.clone()), day }
}

fn raise(track: &mut Track, key: TaskKey, occurrence: u32) {
    if track.tasks.iter().all(|open| open.key != key) {
        track.tasks.push(Task { key, occurrence, snoozed_until: None });
    }
}
