//! Rows of `step_occurrence`.

use super::{
    Fact, ProjectionError, View,
    rows::Rows,
    table::{CYCLE, INVOICE_ID, OCCURRENCE, STEP_ID, TENANT},
};
use chrono::NaiveDate;
use ladder::{Event, ladder::Closing, schedule::PlannedStep, track::End};
use sql::{Keys, Row, Value};
use std::collections::BTreeSet;

/// (tenant, invoice, cycle, step, occurrence).
pub(super) type Key = (String, String, u32, String, u32);
pub(super) type Steps = Rows<Key, StepRow>;

/// An occurrence as it is stored.
pub(super) struct StepRow {
    key: Key,
    customer_id: String,
    place: i64,
    pub(super) kind: String,
    tone: i64,
    planned_on: Option<NaiveDate>,
    last_day: Option<NaiveDate>,
    status: String,
    reason: String,
    by_step_id: String,
    ended_on: Option<NaiveDate>,
    contact_id: String,
    channel: String,
    delivered_on: Option<NaiveDate>,
}

impl StepRow {
    pub(super) fn values(self) -> Vec<Value> {
        let (tenant, invoice_id, cycle, step_id, occurrence) = self.key;
        vec![
            tenant.into(),
            invoice_id.into(),
            cycle.into(),
            step_id.into(),
            occurrence.into(),
            self.customer_id.into(),
            self.place.into(),
            self.kind.into(),
            self.tone.into(),
            self.planned_on.into(),
            self.last_day.into(),
            self.status.into(),
            self.reason.into(),
            self.by_step_id.into(),
            self.ended_on.into(),
            self.contact_id.into(),
            self.channel.into(),
            self.delivered_on.into(),
        ]
    }

    fn read(row: &Row) -> Result<Self, ProjectionError> {
        let small = |column: &str| row.int(column).map(|value| u32::try_from(value).unwrap_or(u32::MAX));
        Ok(Self {
            key: (row.text("tenant")?, row.text("invoice_id")?, small("cycle")?, row.text("step_id")?, small("occurrence")?),
            customer_id: row.text("customer_id")?,
            place: row.int("place")?,
            kind: row.text("kind")?,
            tone: row.int("tone")?,
            planned_on: row.opt_date("planned_on")?,
            last_day: row.opt_date("last_day")?,
            status: row.text("status")?,
            reason: row.text("reason")?,
            by_step_id: row.text("by_step_id")?,
            ended_on: row.opt_date("ended_on")?,
            contact_id: row.text("contact_id")?,
            channel: row.text("channel")?,
            delivered_on: row.opt_date("delivered_on")?,
        })
    }

    fn stand(&mut self, status: &str) {
        status.clone_into(&mut self.status);
    }

    /// What has ended meanwhile keeps what it had.
    fn date(&mut self, step: &PlannedStep) {
        if self.ended_on.is_none() {
            (self.planned_on, self.last_day) = (step.planned_on, step.last_day);
        }
    }

    fn close(&mut self, day: NaiveDate, end: &End) {
        self.stand(end.slug());
        self.ended_on = Some(day);
        self.reason = end.reason().map(|reason| reason.slug().to_owned()).unwrap_or_default();
        match end {
            End::Executed { contact_id, channel } => {
                self.contact_id = contact_id.as_ref().map(ToString::to_string).unwrap_or_default();
                self.channel = channel.map(|channel| channel.name().to_owned()).unwrap_or_default();
            }
            End::Superseded { by, .. } => self.by_step_id = by.as_ref().map(ToString::to_string).unwrap_or_default(),
            End::Suppressed { .. } | End::Expired { .. } | End::Undeliverable { .. } => {}
        }
    }
}

/// The stored rows that the facts of a page are about.
pub(super) async fn stored(view: &mut View<'_>, facts: &[Fact]) -> Result<Steps, ProjectionError> {
    let keys: BTreeSet<Key> = facts.iter().flat_map(occurrences).collect();
    if keys.is_empty() {
        return Ok(Steps::none());
    }
    let row = |(tenant, invoice_id, cycle, step_id, occurrence): Key| {
        vec![tenant.into(), invoice_id.into(), cycle.into(), step_id.into(), occurrence.into()]
    };
    let keys = Keys { columns: &[TENANT, INVOICE_ID, CYCLE, STEP_ID, OCCURRENCE], rows: keys.into_iter().map(row).collect() };
    let text = "SELECT s.* FROM {keys} k CROSS JOIN {step_occurrence} s WHERE s.tenant = k.tenant AND s.invoice_id = k.invoice_id \
                AND s.cycle = k.cycle AND s.step_id = k.step_id AND s.occurrence = k.occurrence";
    let found = view.query_keyed(text, keys, &[]).await?;
    found.iter().map(|row| StepRow::read(row).map(|row| (row.key.clone(), row))).collect()
}

/// The occurrences that a fact is about and that may be stored already.
fn occurrences(fact: &Fact) -> Vec<Key> {
    match &fact.event {
        Event::StepsPlanned { invoice_id, cycle, steps, .. } => {
            steps.iter().map(|step| key(fact, invoice_id, *cycle, &step.step_id, step.occurrence)).collect()
        }
        Event::TrackMigrated { invoice_id, cycle, steps, .. } => {
            let planned = steps.iter().map(|step| &step.planned);
            planned.map(|step| key(fact, invoice_id, *cycle, &step.step_id, step.occurrence)).collect()
        }
        Event::StepsClosed { invoice_id, cycle, closings, .. } => {
            closings.iter().map(|closing| key(fact, invoice_id, *cycle, &closing.step_id, closing.occurrence)).collect()
        }
        Event::ReminderDue { items, .. } => {
            items.iter().map(|item| key(fact, &item.invoice_id, item.cycle, &item.step_id, item.occurrence)).collect()
        }
        Event::StepDeferred { invoice_id, cycle, step_id, occurrence, .. }
        | Event::ApprovalRequested { invoice_id, cycle, step_id, occurrence, .. }
        | Event::ApprovalGiven { invoice_id, cycle, step_id, occurrence, .. }
        | Event::ActionDue { invoice_id, cycle, step_id, occurrence, .. }
        | Event::StepDelivered { invoice_id, cycle, step_id, occurrence, .. } => {
            vec![key(fact, invoice_id, *cycle, step_id, *occurrence)]
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
        | Event::TrackRescheduled { .. }
        | Event::TrackReopened { .. }
        | Event::OutstandingNoted { .. }
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
        | Event::ApprovalRefused { .. }
        | Event::TaskDone { .. }
        | Event::TaskSnoozed { .. }
        | Event::TaskRaised { .. } => Vec::new(),
    }
}

pub(super) fn key(fact: &Fact, invoice_id: &kernel::InvoiceId, cycle: u32, step_id: &kernel::StepId, occurrence: u32) -> Key {
    (fact.tenant.clone(), invoice_id.to_string(), cycle, step_id.to_string(), occurrence)
}

pub(super) fn fold(steps: &mut Steps, fact: &Fact) {
    migrated(steps, fact);
    let mut change = |key: Key, change: &dyn Fn(&mut StepRow)| {
        if let Some(row) = steps.change(&key) {
            change(row);
        }
    };
    match &fact.event {
        Event::TrackEnrolled { invoice_id, cycle, steps: planned, .. }
        | Event::TrackRescheduled { invoice_id, cycle, steps: planned, .. }
        | Event::TrackReopened { invoice_id, cycle, steps: planned, .. }
        | Event::TrackAgreementBroken { invoice_id, cycle, steps: planned, .. } => {
            let rows = planned.iter().enumerate().map(|(place, step)| planned_row(fact, invoice_id, *cycle, (place, step)));
            rows.for_each(|row| steps.insert(row.key.clone(), row));
        }
        Event::StepsPlanned { invoice_id, cycle, steps: dated, .. } => {
            for step in dated {
                change(key(fact, invoice_id, *cycle, &step.step_id, step.occurrence), &|row| row.date(step));
            }
        }
        Event::StepsClosed { invoice_id, cycle, day, closings } => {
            for Closing { step_id, occurrence, end } in closings {
                change(key(fact, invoice_id, *cycle, step_id, *occurrence), &|row| row.close(*day, end));
            }
        }
        Event::ReminderDue { items, .. } => {
            for item in items {
                change(key(fact, &item.invoice_id, item.cycle, &item.step_id, item.occurrence), &|row| row.stand("claimed"));
            }
        }
        Event::ActionDue { invoice_id, cycle, step_id, occurrence, .. } => {
            change(key(fact, invoice_id, *cycle, step_id, *occurrence), &|row| row.stand("claimed"));
        }
        Event::StepDeferred { invoice_id, cycle, step_id, occurrence, .. }
        | Event::ApprovalGiven { invoice_id, cycle, step_id, occurrence, .. } => {
            change(key(fact, invoice_id, *cycle, step_id, *occurrence), &|row| row.stand("planned"));
        }
        Event::ApprovalRequested { invoice_id, cycle, step_id, occurrence, .. } => {
            change(key(fact, invoice_id, *cycle, step_id, *occurrence), &|row| row.stand("awaiting_approval"));
        }
        Event::StepDelivered { invoice_id, cycle, step_id, occurrence, delivered_on } => {
            change(key(fact, invoice_id, *cycle, step_id, *occurrence), &|row| row.delivered_on = Some(*delivered_on));
        }
        Event::PayerNoted { .. }
        | Event::PayerForgotten
        | Event::RatingNoted { .. }
        | Event::NoticePlanned { .. }
        | Event::NoticeDue { .. }
        | Event::NoticeDeferred { .. }
        | Event::NoticeClosed { .. }
        | Event::ViewNoted { .. }
        | Event::TrackMigrated { .. }
        | Event::OutstandingNoted { .. }
        | Event::TrackSettled { .. }
        | Event::TrackCancelled { .. }
        | Event::TrackRenegotiated { .. }
        | Event::TrackExhausted { .. }
        | Event::TrackHandedOff { .. }
        | Event::TrackWrittenOff { .. }
        | Event::CatchUpBegan { .. }
        | Event::CatchUpEnded { .. }
        | Event::Arranged { .. }
        | Event::ArrangementEnded { .. }
        | Event::ApprovalRefused { .. }
        | Event::TaskDone { .. }
        | Event::TaskSnoozed { .. }
        | Event::TaskRaised { .. } => {}
    }
}

/// The occurrences of the version to which a track moved.
fn migrated(steps: &mut Steps, fact: &Fact) {
    if let Event::TrackMigrated { invoice_id, cycle, steps: moved, .. } = &fact.event {
        for (place, step) in moved.iter().enumerate() {
            let row = planned_row(fact, invoice_id, *cycle, (place, &step.planned));
            let has_ended = steps.get(&row.key).is_some_and(|known| known.ended_on.is_some());
            match steps.change(&row.key).filter(|_| has_ended) {
                // It keeps what it had.
                Some(known) => known.place = row.place,
                None => steps.insert(row.key.clone(), row),
            }
        }
    }
}

fn planned_row(fact: &Fact, invoice_id: &kernel::InvoiceId, cycle: u32, planned: (usize, &PlannedStep)) -> StepRow {
    let (place, step) = planned;
    StepRow {
        key: key(fact, invoice_id, cycle, &step.step_id, step.occurrence),
        customer_id: fact.customer_id.to_string(),
        place: i64::try_from(place).unwrap_or(i64::MAX),
        kind: step.kind.name().to_owned(),
        tone: step.tone.into(),
        planned_on: step.planned_on,
        last_day: step.last_day,
        status: "planned".to_owned(),
        reason: String::new(),
        by_step_id: String::new(),
        ended_on: None,
        contact_id: String::new(),
        channel: String::new(),
        delivered_on: None,
    }
}
