//! Rows of `task`: what the engine asks of a person, the steps whose kind is a task, the questions that wait for an answer, and what became
//! of each.

use super::step::{self, Steps};
use super::{
    Fact, ProjectionError, View,
    rows::{Kept, Rows},
    track,
};
use chrono::NaiveDate;
use kernel::{InvoiceId, StepId};
use ladder::{
    Event, TaskReason,
    policy::StepKind,
    task::{TaskKey, is_void_after},
    track::End,
};
use sql::{Row, Value};

/// (tenant, invoice, cycle, reason, step, day).
type Key = (String, String, u32, String, String, NaiveDate);
pub(super) type Tasks = Rows<Key, TaskRow>;

/// A task as it is stored.
pub(super) struct TaskRow {
    key: Key,
    customer_id: String,
    until: Option<NaiveDate>,
    occurrence: u32,
    status: String,
    snoozed_until: Option<NaiveDate>,
    by: String,
    note: String,
    ended_on: Option<NaiveDate>,
}

impl TaskRow {
    pub(super) fn values(self) -> Vec<Value> {
        let (tenant, invoice_id, cycle, reason, step_id, day) = self.key;
        vec![
            tenant.into(),
            invoice_id.into(),
            cycle.into(),
            reason.into(),
            step_id.into(),
            day.into(),
            self.customer_id.into(),
            self.until.into(),
            self.occurrence.into(),
            self.status.into(),
            self.snoozed_until.into(),
            self.by.into(),
            self.note.into(),
            self.ended_on.into(),
        ]
    }

    fn read(row: &Row) -> Result<Self, ProjectionError> {
        let small = |column: &str| row.int(column).map(|value| u32::try_from(value).unwrap_or(u32::MAX));
        let (tenant, invoice_id, cycle) = (row.text("tenant")?, row.text("invoice_id")?, small("cycle")?);
        Ok(Self {
            key: (tenant, invoice_id, cycle, row.text("reason")?, row.text("step_id")?, row.date("day")?),
            customer_id: row.text("customer_id")?,
            until: row.opt_date("until")?,
            occurrence: small("occurrence")?,
            status: row.text("status")?,
            snoozed_until: row.opt_date("snoozed_until")?,
            by: row.text("attended_by")?,
            note: row.text("note")?,
            ended_on: row.opt_date("ended_on")?,
        })
    }

    fn is_open(&self) -> bool {
        self.status == "open"
    }

    fn end(&mut self, status: &str, day: Option<NaiveDate>, (by, note): (&str, &str)) {
        status.clone_into(&mut self.status);
        self.ended_on = day;
        by.clone_into(&mut self.by);
        note.clone_into(&mut self.note);
    }

    fn is_void_after(&self, event: &Event) -> bool {
        let (_, _, cycle, reason, step_id, _) = &self.key;
        let step_id = StepId::new(step_id).ok();
        TaskReason::from_slug(reason).is_some_and(|reason| is_void_after(event, reason, (*cycle, step_id.as_ref(), self.occurrence)))
    }
}

/// The stored rows of the tracks that the facts of a page are about, as far as they may change one.
pub(super) async fn stored(view: &mut View<'_>, facts: &[Fact]) -> Result<Tasks, ProjectionError> {
    let changing = facts.iter().filter(|fact| changes(&fact.event));
    let Some(keys) = track::keys_of(changing) else { return Ok(Tasks::none()) };
    let text = "SELECT t.* FROM {keys} k CROSS JOIN {task} t WHERE t.tenant = k.tenant AND t.invoice_id = k.invoice_id";
    let found = view.query_keyed(text, keys, &[]).await?;
    found.iter().map(|row| TaskRow::read(row).map(|row| (row.key.clone(), row))).collect()
}

/// Whether an event may raise or end a task.
fn changes(event: &Event) -> bool {
    match event {
        Event::TaskRaised { .. }
        | Event::TaskDone { .. }
        | Event::TaskSnoozed { .. }
        | Event::ApprovalRequested { .. }
        | Event::ApprovalGiven { .. }
        | Event::ApprovalRefused { .. }
        | Event::StepsClosed { .. }
        | Event::TrackSettled { .. }
        | Event::TrackCancelled { .. }
        | Event::TrackRenegotiated { .. }
        | Event::TrackAgreementBroken { .. }
        | Event::TrackHandedOff { .. }
        | Event::TrackWrittenOff { .. }
        | Event::TrackReopened { .. }
        | Event::TrackRescheduled { .. }
        | Event::TrackMigrated { .. }
        | Event::ArrangementEnded { .. } => true,
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
        | Event::ActionDue { .. }
        | Event::TrackExhausted { .. }
        | Event::CatchUpBegan { .. }
        | Event::CatchUpEnded { .. }
        | Event::Arranged { .. }
        | Event::StepDelivered { .. } => false,
    }
}

/// The local day of an event that voids tasks.
fn day_of(event: &Event) -> Option<NaiveDate> {
    if let Event::StepsClosed { day, .. }
    | Event::TrackSettled { day, .. }
    | Event::TrackCancelled { day, .. }
    | Event::TrackRenegotiated { day, .. }
    | Event::TrackAgreementBroken { day, .. }
    | Event::TrackHandedOff { day, .. }
    | Event::TrackWrittenOff { day, .. }
    | Event::TrackReopened { day, .. }
    | Event::TrackRescheduled { day, .. }
    | Event::TrackMigrated { day, .. }
    | Event::ArrangementEnded { day, .. } = event
    {
        Some(*day)
    } else {
        None
    }
}

/// `steps` holds the occurrences that the fact is about.
pub(super) fn fold(rows: &mut Tasks, fact: &Fact, steps: &Steps) {
    for invoice_id in super::invoice_ids(fact) {
        let void = of_invoice(rows, fact, invoice_id).filter(|row| row.is_open() && row.is_void_after(&fact.event));
        void.for_each(|row| row.change().end("void", day_of(&fact.event), ("", "")));
    }
    if let Event::TaskRaised { invoice_id, cycle, day, reason, step_id, until } = &fact.event {
        raise(rows, fact, (invoice_id, *cycle, *reason, step_id.as_ref(), *day), (*until, 0));
    } else if let Event::ApprovalRequested { invoice_id, cycle, step_id, occurrence, day } = &fact.event {
        raise(rows, fact, (invoice_id, *cycle, TaskReason::Approval, Some(step_id), *day), (None, *occurrence));
    } else if let Event::StepsClosed { invoice_id, cycle, day, closings } = &fact.event {
        for closing in closings.iter().filter(|closing| matches!(closing.end, End::Executed { .. })) {
            let stored = steps.get(&step::key(fact, invoice_id, *cycle, &closing.step_id, closing.occurrence));
            if stored.is_some_and(|row| row.kind == StepKind::Task.name()) {
                raise(rows, fact, (invoice_id, *cycle, TaskReason::StepDue, Some(&closing.step_id), *day), (None, closing.occurrence));
            }
        }
    } else if let Event::ApprovalGiven { invoice_id, cycle, step_id, occurrence, by, day, why } = &fact.event {
        answer(rows, fact, (invoice_id, *cycle, step_id, *occurrence), ("approved", *day, (by, why)));
    } else if let Event::ApprovalRefused { invoice_id, cycle, step_id, occurrence, by, day, why } = &fact.event {
        answer(rows, fact, (invoice_id, *cycle, step_id, *occurrence), ("refused", Some(*day), (by, why)));
    } else if let Event::TaskDone { task, day, by, why } = &fact.event {
        attend(rows, fact, task, |row| row.end("done", Some(*day), (by, why)));
    } else if let Event::TaskSnoozed { task, until, by, why, .. } = &fact.event {
        attend(rows, fact, task, |row| {
            row.snoozed_until = Some(*until);
            row.by.clone_from(by);
            row.note.clone_from(why);
        });
    }
}

fn of_invoice<'r>(rows: &'r mut Tasks, fact: &Fact, invoice_id: &InvoiceId) -> impl Iterator<Item = &'r mut Kept<TaskRow>> {
    let first = (fact.tenant.clone(), invoice_id.to_string(), 0, String::new(), String::new(), NaiveDate::MIN);
    rows.from(first).take_while(|(key, _)| is_of(key, fact, invoice_id)).map(|(_, row)| row)
}

fn is_of((tenant, invoice, ..): &Key, fact: &Fact, invoice_id: &InvoiceId) -> bool {
    (tenant.as_str(), invoice.as_str()) == (fact.tenant.as_str(), invoice_id.as_str())
}

type Asked<'a> = (&'a InvoiceId, u32, TaskReason, Option<&'a StepId>, NaiveDate);

fn key(fact: &Fact, (invoice_id, cycle, reason, step_id, day): Asked<'_>) -> Key {
    let step_id = step_id.map(ToString::to_string).unwrap_or_default();
    (fact.tenant.clone(), invoice_id.to_string(), cycle, reason.slug().to_owned(), step_id, day)
}

/// Asked again on the same day, it is the same task.
fn raise(rows: &mut Tasks, fact: &Fact, asked: Asked<'_>, (until, occurrence): (Option<NaiveDate>, u32)) {
    let key = key(fact, asked);
    let row = TaskRow {
        key: key.clone(),
        customer_id: fact.customer_id.to_string(),
        until,
        occurrence,
        status: "open".to_owned(),
        snoozed_until: None,
        by: String::new(),
        note: String::new(),
        ended_on: None,
    };
    match rows.get(&key) {
        Some(known) if known.is_open() => {}
        Some(_) | None => rows.insert(key, row),
    }
}

fn answer(
    rows: &mut Tasks,
    fact: &Fact,
    (invoice_id, cycle, step_id, occurrence): (&InvoiceId, u32, &StepId, u32),
    (status, day, signed): (&str, Option<NaiveDate>, (&str, &str)),
) {
    let asked = of_invoice(rows, fact, invoice_id).filter(|row| {
        let (_, _, of, reason, step, _) = &row.key;
        (*of, reason.as_str(), step.as_str(), row.occurrence) == (cycle, TaskReason::Approval.slug(), step_id.as_str(), occurrence)
    });
    asked.filter(|row| row.is_open()).for_each(|row| row.change().end(status, day, signed));
}

fn attend(rows: &mut Tasks, fact: &Fact, task: &TaskKey, change: impl FnOnce(&mut TaskRow)) {
    let key = key(fact, (&task.invoice_id, task.cycle, task.reason, task.step_id.as_ref(), task.day));
    if rows.get(&key).is_some_and(TaskRow::is_open)
        && let Some(row) = rows.change(&key)
    {
        change(row);
    }
}
