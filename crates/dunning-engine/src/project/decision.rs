//! Rows of `decision`: one for each thing that was decided about an occurrence on a local day.

use super::Fact;
use chrono::NaiveDate;
use kernel::{InvoiceId, StepId};
use ladder::{
    Event,
    ladder::Closing,
    track::{End, FIRST_OCCURRENCE},
};
use sql::Value;

/// What was decided, and by what.
#[derive(Default)]
struct Said<'a> {
    decision: &'static str,
    reason: &'static str,
    by_step_id: &'a str,
    contact_id: &'a str,
    channel: &'static str,
}

pub(super) fn rows(fact: &Fact) -> Vec<Vec<Value>> {
    match &fact.event {
        Event::ReminderDue { day, items, .. } => {
            let offered = || Said { decision: "offered", ..Said::default() };
            items.iter().map(|item| row(fact, *day, (&item.invoice_id, item.cycle, &item.step_id, item.occurrence), offered())).collect()
        }
        Event::ActionDue { invoice_id, cycle, step_id, occurrence, day, .. } => {
            let said = Said { decision: "offered", ..Said::default() };
            vec![row(fact, *day, (invoice_id, *cycle, step_id, *occurrence), said)]
        }
        Event::ApprovalRequested { invoice_id, cycle, step_id, occurrence, day } => {
            let said = Said { decision: "approval_requested", ..Said::default() };
            vec![row(fact, *day, (invoice_id, *cycle, step_id, *occurrence), said)]
        }
        Event::StepDeferred { invoice_id, cycle, step_id, occurrence, day, contact_id, reason } => {
            let contact_id = contact_id.as_ref().map_or("", |id| id.as_str());
            let said = Said { decision: "deferred", reason: reason.slug(), contact_id, ..Said::default() };
            vec![row(fact, *day, (invoice_id, *cycle, step_id, *occurrence), said)]
        }
        Event::StepsClosed { invoice_id, cycle, day, closings } => {
            let one = |closing: &Closing| row(fact, *day, (invoice_id, *cycle, &closing.step_id, closing.occurrence), ended(&closing.end));
            closings.iter().map(one).collect()
        }
        Event::NoticeDue { day, items, .. } => {
            let offered = || Said { decision: "offered", ..Said::default() };
            items.iter().map(|item| row(fact, *day, (&item.invoice_id, item.cycle, &item.step_id, item.occurrence), offered())).collect()
        }
        Event::NoticeDeferred { invoice_id, cycle, kind, day, contact_id, reason } => {
            let contact_id = contact_id.as_ref().map_or("", |id| id.as_str());
            let said = Said { decision: "deferred", reason: reason.slug(), contact_id, ..Said::default() };
            vec![row(fact, *day, (invoice_id, *cycle, &kind.step_id(), FIRST_OCCURRENCE), said)]
        }
        Event::NoticeClosed { invoice_id, cycle, kind, day, end } => {
            vec![row(fact, *day, (invoice_id, *cycle, &kind.step_id(), FIRST_OCCURRENCE), ended(end))]
        }
        Event::NoticePlanned { .. }
        | Event::PayerNoted { .. }
        | Event::PayerForgotten
        | Event::RatingNoted { .. }
        | Event::ViewNoted { .. }
        | Event::TrackEnrolled { .. }
        | Event::TrackRescheduled { .. }
        | Event::TrackReopened { .. }
        | Event::OutstandingNoted { .. }
        | Event::StepsPlanned { .. }
        | Event::TrackMigrated { .. }
        | Event::ApprovalGiven { .. }
        | Event::ApprovalRefused { .. }
        | Event::TaskDone { .. }
        | Event::TaskSnoozed { .. }
        | Event::TrackSettled { .. }
        | Event::TrackCancelled { .. }
        | Event::TrackRenegotiated { .. }
        | Event::TrackAgreementBroken { .. }
        | Event::TrackExhausted { .. }
        | Event::TrackHandedOff { .. }
        | Event::TrackWrittenOff { .. }
        | Event::CatchUpBegan { .. }
        | Event::CatchUpEnded { .. }
        | Event::Arranged { .. }
        | Event::ArrangementEnded { .. }
        | Event::TaskRaised { .. }
        | Event::StepDelivered { .. } => Vec::new(),
    }
}

fn ended(end: &End) -> Said<'_> {
    let reason = end.reason().map_or("", |reason| reason.slug());
    let said = Said { decision: end.slug(), reason, ..Said::default() };
    match end {
        End::Executed { contact_id, channel } => Said {
            contact_id: contact_id.as_ref().map_or("", |id| id.as_str()),
            channel: channel.map_or("", |channel| channel.name()),
            ..said
        },
        End::Superseded { by, .. } => Said { by_step_id: by.as_ref().map_or("", |id| id.as_str()), ..said },
        End::Suppressed { .. } | End::Expired { .. } | End::Undeliverable { .. } => said,
    }
}

fn row(fact: &Fact, day: NaiveDate, key: (&InvoiceId, u32, &StepId, u32), said: Said<'_>) -> Vec<Value> {
    let (invoice_id, cycle, step_id, occurrence) = key;
    vec![
        fact.tenant.as_str().into(),
        fact.customer_id.as_str().into(),
        day.into(),
        invoice_id.as_str().into(),
        cycle.into(),
        step_id.as_str().into(),
        occurrence.into(),
        said.decision.into(),
        said.reason.into(),
        said.by_step_id.into(),
        said.contact_id.into(),
        said.channel.into(),
    ]
}
