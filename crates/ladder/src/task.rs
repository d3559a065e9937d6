//! Tasks: what a person has to do about a debt, until it is done or there is nothing left to do.
//!
//! A task whose cause has gone is void by itself: nobody calls a payer who has paid, and nobody reviews a hold that was lifted. What must be
//! done whatever comes (a listing that has to go, a collector who has to hear of a payment) stays until a person says that it is done.

use crate::arrangement::ArrangementKind;
use crate::ladder::Event;
use crate::reason::TaskReason;
use kernel::{InvoiceId, NaiveDate, StepId};

/// Which task: no two of a receivable have the same reason, step, cycle and day.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct TaskKey {
    /// The receivable.
    pub invoice_id: InvoiceId,
    /// Its cycle.
    pub cycle: u32,
    /// Why it was asked for.
    pub reason: TaskReason,
    /// The step; `None` where it is about no step.
    pub step_id: Option<StepId>,
    /// Local day on which it was asked for.
    pub day: NaiveDate,
}

/// An open task of a track.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Task {
    /// Which.
    pub key: TaskKey,
    /// The step's occurrence; 0 where it is about none.
    pub occurrence: u32,
    /// The day on which it is looked at again; `None` where it waits for nobody.
    pub snoozed_until: Option<NaiveDate>,
}

/// Whether an event about its receivable leaves nothing to do of a task.
pub fn is_void_after(event: &Event, reason: TaskReason, (cycle, step_id, occurrence): (u32, Option<&StepId>, u32)) -> bool {
    match event {
        Event::TrackSettled { .. }
        | Event::TrackCancelled { .. }
        | Event::TrackRenegotiated { .. }
        | Event::TrackHandedOff { .. }
        | Event::TrackWrittenOff { .. } => is_about_an_open_debt(reason),
        Event::TrackReopened { .. } | Event::TrackAgreementBroken { .. } | Event::TrackRescheduled { .. } => {
            matches!(reason, TaskReason::Exhausted | TaskReason::NoAllowedStep)
        }
        Event::TrackMigrated { .. } => matches!(reason, TaskReason::NoAllowedStep | TaskReason::Approval),
        Event::ArrangementEnded { kind, .. } => match kind {
            ArrangementKind::Hold => reason == TaskReason::HoldReview,
            ArrangementKind::Dispute => reason == TaskReason::DisputeOpen,
            ArrangementKind::Promise | ArrangementKind::Announcement => false,
        },
        Event::StepsClosed { cycle: of, closings, .. } => {
            let is_same = |closing: &crate::ladder::Closing| Some(&closing.step_id) == step_id && closing.occurrence == occurrence;
            reason == TaskReason::Approval && *of == cycle && closings.iter().any(is_same)
        }
        Event::PayerNoted { .. }
        | Event::PayerForgotten
        | Event::RatingNoted { .. }
        | Event::NoticePlanned { .. }
        | Event::NoticeDue { .. }
        | Event::NoticeDeferred { .. }
        | Event::NoticeClosed { .. }
        | Event::ViewNoted { .. }
        | Event::TrackEnrolled { .. }
        | Event::OutstandingNoted { .. }
        | Event::StepsPlanned { .. }
        | Event::ReminderDue { .. }
        | Event::StepDeferred { .. }
        | Event::ApprovalRequested { .. }
        | Event::ApprovalGiven { .. }
        | Event::ApprovalRefused { .. }
        | Event::ActionDue { .. }
        | Event::TrackExhausted { .. }
        | Event::CatchUpBegan { .. }
        | Event::CatchUpEnded { .. }
        | Event::Arranged { .. }
        | Event::TaskRaised { .. }
        | Event::TaskDone { .. }
        | Event::TaskSnoozed { .. }
        | Event::StepDelivered { .. } => false,
    }
}

fn is_about_an_open_debt(reason: TaskReason) -> bool {
    match reason {
        TaskReason::Exhausted
        | TaskReason::NoAllowedStep
        | TaskReason::Undeliverable
        | TaskReason::HoldReview
        | TaskReason::PromiseBroken
        | TaskReason::StepDue
        | TaskReason::ListingRefused
        | TaskReason::Approval => true,
        TaskReason::RemoveBureauListing
        | TaskReason::RemoveProtest
        | TaskReason::RemovalRefused
        | TaskReason::RemovalNear
        | TaskReason::RemovalLate
        | TaskReason::PaidAfterHandOff
        | TaskReason::PaidAfterWriteOff
        | TaskReason::DisputeOpen => false,
    }
}
