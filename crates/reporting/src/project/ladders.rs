//! Topic `regua.dunning.v1` → where each receivable stands on its ladder, and how its steps ended.

use super::{INVOICE_ID, TENANT, date, optional_date, payload};
use async_trait::async_trait;
use chrono::NaiveDate;
use contracts::dunning::v1 as proto;
use eventlog::{
    bus::Message,
    projection::{Change, Projection, ProjectionError, TableDef, View},
};
use sql::{Column, Kind, Value};

/// Tracks, steps and their ends.
pub struct LadderTables;

/// The policy of a track, which a reschedule does not repeat.
const ENROLMENT: TableDef = TableDef {
    name: "enrolment",
    columns: &[TENANT, INVOICE_ID, Column::new("policy_id", Kind::Text), Column::new("policy_version", Kind::Int)],
    key: &["tenant", "invoice_id"],
    indexes: &[],
};

const STEP: TableDef = TableDef {
    name: "planned_step",
    columns: &[
        TENANT,
        INVOICE_ID,
        Column::new("cycle", Kind::Int),
        Column::new("step_id", Kind::Text),
        Column::new("occurrence", Kind::Int),
        // Of the step in policy order; its occurrences share it.
        Column::new("ordinal", Kind::Int),
        Column::new("kind", Kind::Text),
        // The day from which the cycle is known.
        Column::new("known_on", Kind::Date),
        Column::optional("planned_on", Kind::Date),
        Column::optional("last_day", Kind::Date),
    ],
    key: &["tenant", "invoice_id", "cycle", "step_id", "occurrence"],
    indexes: &[],
};

/// The dates of a step that came after its plan: with the execution that it counts from, or with another version of its ladder.
const STEP_DATE: TableDef = TableDef {
    name: "step_date",
    columns: &[
        TENANT,
        INVOICE_ID,
        Column::new("cycle", Kind::Int),
        Column::new("step_id", Kind::Text),
        Column::new("occurrence", Kind::Int),
        // The day from which they are known; the newest of several holds.
        Column::new("known_on", Kind::Date),
        Column::optional("planned_on", Kind::Date),
        Column::optional("last_day", Kind::Date),
    ],
    key: &["tenant", "invoice_id", "cycle", "step_id", "occurrence", "known_on"],
    indexes: &[],
};

const STEP_END: TableDef = TableDef {
    name: "step_end",
    columns: &[
        TENANT,
        INVOICE_ID,
        Column::new("cycle", Kind::Int),
        Column::new("step_id", Kind::Text),
        Column::new("occurrence", Kind::Int),
        Column::new("outcome", Kind::Text),
        Column::new("reason", Kind::Text),
        Column::new("ended_on", Kind::Date),
        Column::new("channel", Kind::Text),
    ],
    key: &["tenant", "invoice_id", "cycle", "step_id", "occurrence"],
    indexes: &[],
};

const TASK: TableDef = TableDef {
    name: "raised_task",
    columns: &[TENANT, INVOICE_ID, Column::new("cycle", Kind::Int), Column::new("reason", Kind::Text), Column::new("day", Kind::Date)],
    key: &["tenant", "invoice_id", "cycle", "reason"],
    indexes: &[],
};

#[derive(Default)]
struct Rows {
    enrolments: Vec<Vec<Value>>,
    steps: Vec<Vec<Value>>,
    step_dates: Vec<Vec<Value>>,
    ends: Vec<Vec<Value>>,
    tasks: Vec<Vec<Value>>,
}

impl Projection for LadderTables {
    fn name(&self) -> &'static str {
        "reporting-ladders"
    }

    fn version(&self) -> u32 {
        3
    }

    fn sources(&self) -> &'static [&'static str] {
        &["regua.dunning.v1"]
    }

    fn tables(&self) -> &'static [TableDef] {
        &[ENROLMENT, STEP, STEP_DATE, STEP_END, TASK]
    }

    fn read(&self, page: &[&Message]) -> Result<Box<dyn Change>, ProjectionError> {
        let mut rows = Rows::default();
        for message in page {
            match message.event.event_type.as_str() {
                "TrackEnrolled" => enrolled(message, &mut rows)?,
                "TrackRescheduled" => rescheduled(message, &mut rows)?,
                "TrackReopened" => {
                    let m: proto::TrackReopened = payload(message)?;
                    planned(message, (&m.invoice_id, m.cycle, &m.known_on), &m.steps, &mut rows)?;
                }
                "TrackAgreementBroken" => {
                    let m: proto::TrackAgreementBroken = payload(message)?;
                    planned(message, (&m.invoice_id, m.cycle, &m.day), &m.steps, &mut rows)?;
                }
                "TrackMigrated" => migrated(message, &mut rows)?,
                "StepsPlanned" => dated(message, &mut rows)?,
                "StepsClosed" => closed(message, &mut rows)?,
                "TaskRaised" => {
                    let m: proto::TaskRaised = payload(message)?;
                    let day = date(message, "day", &m.day)?;
                    rows.tasks.push(vec![tenant(message), m.invoice_id.into(), m.cycle.into(), m.reason.into(), day.into()]);
                }
                _ => {}
            }
        }
        Ok(Box::new(rows))
    }
}

#[async_trait]
impl Change for Rows {
    async fn write(self: Box<Self>, view: &mut View<'_>) -> Result<(), ProjectionError> {
        view.upsert("enrolment", self.enrolments).await?;
        view.upsert("planned_step", self.steps).await?;
        view.upsert("step_date", self.step_dates).await?;
        view.upsert("step_end", self.ends).await?;
        view.upsert("raised_task", self.tasks).await
    }
}

fn tenant(message: &Message) -> Value {
    message.event.tenant.as_str().into()
}

fn enrolled(message: &Message, rows: &mut Rows) -> Result<(), ProjectionError> {
    let m: proto::TrackEnrolled = payload(message)?;
    planned(message, (&m.invoice_id, m.cycle, &m.known_on), &m.steps, rows)?;
    rows.enrolments.push(vec![tenant(message), m.invoice_id.into(), m.policy_id.into(), m.policy_version.into()]);
    Ok(())
}

fn rescheduled(message: &Message, rows: &mut Rows) -> Result<(), ProjectionError> {
    let m: proto::TrackRescheduled = payload(message)?;
    planned(message, (&m.invoice_id, m.cycle, &m.known_on), &m.steps, rows)
}

fn planned(message: &Message, cycle: (&str, u32, &str), steps: &[proto::PlannedStep], rows: &mut Rows) -> Result<(), ProjectionError> {
    let (invoice_id, cycle, known_on) = cycle;
    let known_on = date(message, "known_on", known_on)?;
    for (ordinal, step) in ordinals(steps.iter()) {
        rows.steps.push(planned_row(message, (invoice_id, cycle, known_on), (ordinal, step))?);
    }
    Ok(())
}

/// Steps with their place in policy order; the occurrences of a step follow each other, and share it.
fn ordinals<'a>(steps: impl Iterator<Item = &'a proto::PlannedStep>) -> Vec<(i64, &'a proto::PlannedStep)> {
    let (mut ordinal, mut last) = (-1_i64, "");
    let mut one = |step: &'a proto::PlannedStep| {
        ordinal += i64::from(step.step_id != last);
        last = &step.step_id;
        (ordinal, step)
    };
    steps.map(&mut one).collect()
}

fn planned_row(
    message: &Message,
    (invoice_id, cycle, known_on): (&str, u32, NaiveDate),
    (ordinal, step): (i64, &proto::PlannedStep),
) -> Result<Vec<Value>, ProjectionError> {
    Ok(vec![
        tenant(message),
        invoice_id.into(),
        cycle.into(),
        step.step_id.as_str().into(),
        step.occurrence.max(1).into(),
        ordinal.into(),
        step.kind.as_str().into(),
        known_on.into(),
        optional_date(message, "planned_on", &step.planned_on)?.into(),
        optional_date(message, "last_day", &step.last_day)?.into(),
    ])
}

/// What is new is known from that day on; what was there has other dates from that day on. A receivable counts under the ladder that it
/// stands on now.
fn migrated(message: &Message, rows: &mut Rows) -> Result<(), ProjectionError> {
    let m: proto::TrackMigrated = payload(message)?;
    let (day, to) = (date(message, "day", &m.day)?, m.to.unwrap_or_default());
    rows.enrolments.push(vec![tenant(message), m.invoice_id.as_str().into(), to.policy_id.into(), to.policy_version.into()]);
    let is_new: Vec<bool> = m.steps.iter().filter(|moved| moved.step.is_some()).map(|moved| moved.is_new).collect();
    for ((ordinal, step), is_new) in ordinals(m.steps.iter().filter_map(|moved| moved.step.as_ref())).into_iter().zip(is_new) {
        if is_new {
            rows.steps.push(planned_row(message, (&m.invoice_id, m.cycle, day), (ordinal, step))?);
        } else {
            rows.step_dates.push(date_row(message, (&m.invoice_id, m.cycle, day), step)?);
        }
    }
    Ok(())
}

fn dated(message: &Message, rows: &mut Rows) -> Result<(), ProjectionError> {
    let m: proto::StepsPlanned = payload(message)?;
    let known_on = date(message, "day", &m.day)?;
    for step in &m.steps {
        rows.step_dates.push(date_row(message, (&m.invoice_id, m.cycle, known_on), step)?);
    }
    Ok(())
}

fn date_row(
    message: &Message,
    (invoice_id, cycle, known_on): (&str, u32, NaiveDate),
    step: &proto::PlannedStep,
) -> Result<Vec<Value>, ProjectionError> {
    Ok(vec![
        tenant(message),
        invoice_id.into(),
        cycle.into(),
        step.step_id.as_str().into(),
        step.occurrence.max(1).into(),
        known_on.into(),
        optional_date(message, "planned_on", &step.planned_on)?.into(),
        optional_date(message, "last_day", &step.last_day)?.into(),
    ])
}

fn closed(message: &Message, rows: &mut Rows) -> Result<(), ProjectionError> {
    let m: proto::StepsClosed = payload(message)?;
    let day = date(message, "day", &m.day)?;
    for closing in m.closings {
        let outcome = match closing.end() {
            proto::StepEnd::Unspecified => return Err(ProjectionError::poison(message, "a step ended in no way")),
            proto::StepEnd::Executed => "executed",
            proto::StepEnd::Superseded => "superseded",
            proto::StepEnd::Suppressed => "suppressed",
            proto::StepEnd::Expired => "expired",
            proto::StepEnd::Undeliverable => "undeliverable",
        };
        rows.ends.push(vec![
            tenant(message),
            m.invoice_id.as_str().into(),
            m.cycle.into(),
            closing.step_id.into(),
            closing.occurrence.into(),
            outcome.into(),
            closing.reason.into(),
            day.into(),
            closing.channel.into(),
        ]);
    }
    Ok(())
}
