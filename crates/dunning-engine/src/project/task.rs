//! Rows of `task`: what the engine asks of a person, and the steps whose kind is a task.

use super::Fact;
use super::step::{Steps, key};
use chrono::NaiveDate;
use kernel::InvoiceId;
use ladder::{Event, policy::StepKind, track::End};
use sql::Value;

/// Reason of a task that a step of the ladder is.
const STEP_DUE: &str = "step_due";

/// `steps` holds the occurrences that the fact is about.
pub(super) fn rows(fact: &Fact, steps: &Steps) -> Vec<Vec<Value>> {
    match &fact.event {
        Event::TaskRaised { invoice_id, cycle, day, reason, step_id, until } => {
            let step_id = step_id.as_ref().map_or("", |id| id.as_str());
            vec![row(fact, invoice_id, *cycle, (reason.slug(), step_id, *day, *until))]
        }
        Event::StepsClosed { invoice_id, cycle, day, closings } => {
            let is_task = |closing: &&ladder::ladder::Closing| {
                let stored = steps.get(&key(fact, invoice_id, *cycle, &closing.step_id, closing.occurrence));
                matches!(closing.end, End::Executed { .. }) && stored.is_some_and(|row| row.kind == StepKind::Task.name())
            };
            let due = closings.iter().filter(is_task);
            due.map(|closing| row(fact, invoice_id, *cycle, (STEP_DUE, closing.step_id.as_str(), *day, None))).collect()
        }
        Event::PayerNoted { .. }
        | Event::PayerForgotten
        | Event::TrackEnrolled { .. }
        | Event::TrackRescheduled { .. }
        | Event::TrackReopened { .. }
        | Event::TrackMigrated { .. }
        | Event::StepsPlanned { .. }
        | Event::OutstandingNoted { .. }
        | Event::ReminderDue { .. }
        | Event::StepDeferred { .. }
        | Event::ApprovalRequested { .. }
        | Event::ApprovalGiven { .. }
        | Event::ActionDue { .. }
        | Event::TrackSettled { .. }
        | Event::TrackCancelled { .. }
        | Event::TrackExhausted { .. }
        | Event::TrackHandedOff { .. }
        | Event::TrackWrittenOff { .. }
        | Event::CatchUpBegan { .. }
        | Event::CatchUpEnded { .. }
        | Event::Arranged { .. }
        | Event::ArrangementEnded { .. }
        | Event::StepDelivered { .. } => Vec::new(),
    }
}

fn row(fact: &Fact, invoice_id: &InvoiceId, cycle: u32, what: (&str, &str, NaiveDate, Option<NaiveDate>)) -> Vec<Value> {
    let (reason, step_id, day, until) = what;
    vec![
        fact.tenant.as_str().into(),
        invoice_id.as_str().into(),
        cycle.into(),
        reason.into(),
        step_id.into(),
        day.into(),
        fact.customer_id.as_str().into(),
        until.into(),
    ]
}
