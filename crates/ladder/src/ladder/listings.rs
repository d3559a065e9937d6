//! Entries at bureaus and protest offices, as far as people have to do with them: tasks, and their end.

use super::command::{ListingNote, Rejection};
use super::event::Event;
use super::pending::Pending;
use crate::arrangement::ArrangementKind;
use crate::policy::StepKind;
use crate::reason::TaskReason;
use crate::task::TaskKey;
use crate::track::{Phase, Track};
use alloc::string::String;
use alloc::vec::Vec;
use kernel::{InvoiceId, NaiveDate, StepId, calendar};

/// Business days within which a creditor asks for the removal of a listing after full payment (STJ, Súmula 548).
const REMOVAL_BUSINESS_DAYS: i32 = 5;
/// Why a task of a removal is done.
const GONE: &str = "no entry is left";

/// A debt that may not be held against its payer must leave bureau and protest: one task for each executed entry, of whatever cycle.
pub(super) fn remove(pending: &mut Pending, id: &InvoiceId, day: NaiveDate) -> Result<(), Rejection> {
    let track = pending.track(id)?;
    let until = Some(pending.policy_of(track)?.calendar().add_business_days(calendar::next(day), REMOVAL_BUSINESS_DAYS - 1));
    let listed = track.occurrences.iter().filter(|occurrence| occurrence.executed_on().is_some() && !occurrence.removal_asked);
    let tasks: Vec<Event> = listed
        .filter_map(|occurrence| {
            let (reason, step_id) = (removal(occurrence.kind)?, Some(occurrence.step_id.clone()));
            Some(Event::TaskRaised { invoice_id: id.clone(), cycle: occurrence.cycle, day, reason, step_id, until })
        })
        .collect();
    tasks.into_iter().for_each(|task| pending.emit(task));
    Ok(())
}

fn removal(kind: StepKind) -> Option<TaskReason> {
    match kind {
        StepKind::Bureau => Some(TaskReason::RemoveBureauListing),
        StepKind::Protest => Some(TaskReason::RemoveProtest),
        StepKind::Notify | StepKind::Task | StepKind::HandOff => None,
    }
}

/// Whether a debt may stand at a bureau or under protest.
pub(super) fn may_stand(track: &Track) -> bool {
    match track.phase {
        Phase::Enrolled | Phase::Active | Phase::Exhausted | Phase::HandedOff => track.arrangement(ArrangementKind::Dispute).is_none(),
        Phase::Settled | Phase::Cancelled | Phase::WrittenOff | Phase::Renegotiated => false,
    }
}

/// Tasks of an entry: asked for once while they are open, and done when there is nothing to take out.
pub(super) fn note(
    pending: &mut Pending,
    id: &InvoiceId,
    (cycle, step_id): (u32, &StepId),
    day: NaiveDate,
    note: &ListingNote,
) -> Result<(), Rejection> {
    let track = pending.track(id)?;
    let of_entry = |key: &&TaskKey| key.cycle == cycle && key.step_id.as_ref() == Some(step_id);
    let mut open = track.tasks.iter().map(|task| &task.key).filter(of_entry);
    let (reason, until) = match note {
        ListingNote::Refused => (TaskReason::ListingRefused, None),
        ListingNote::RemovalRefused { until } => (TaskReason::RemovalRefused, Some(*until)),
        ListingNote::Near { until } => (TaskReason::RemovalNear, Some(*until)),
        ListingNote::Late { until } => (TaskReason::RemovalLate, Some(*until)),
        ListingNote::Gone { by } => {
            let done: Vec<TaskKey> = open.filter(|key| is_of_removal(key.reason)).cloned().collect();
            let (by, why) = (by.clone(), String::from(GONE));
            done.into_iter().for_each(|task| pending.emit(Event::TaskDone { task, day, by: by.clone(), why: why.clone() }));
            return Ok(());
        }
    };
    if !open.any(|key| key.reason == reason) {
        let (invoice_id, step_id) = (id.clone(), Some(step_id.clone()));
        pending.emit(Event::TaskRaised { invoice_id, cycle, day, reason, step_id, until });
    }
    Ok(())
}

/// Whether a task asks for the removal of an entry, or warns of it.
fn is_of_removal(reason: TaskReason) -> bool {
    match reason {
        TaskReason::RemoveBureauListing
        | TaskReason::RemoveProtest
        | TaskReason::RemovalRefused
        | TaskReason::RemovalNear
        | TaskReason::RemovalLate => true,
        TaskReason::Exhausted
        | TaskReason::NoAllowedStep
        | TaskReason::Undeliverable
        | TaskReason::ListingRefused
        | TaskReason::PaidAfterHandOff
        | TaskReason::PaidAfterWriteOff
        | TaskReason::HoldReview
        | TaskReason::DisputeOpen
        | TaskReason::PromiseBroken
        | TaskReason::StepDue
        | TaskReason::Approval => false,
    }
}
