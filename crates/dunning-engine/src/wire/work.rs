//! What a person does with tasks and questions ↔ protobuf bytes, and requests about them.

use super::Read;
use super::field::{DecodeFault, day, id, named, optional_id, text_of};
use super::migration::signature;
use crate::aggregate::Approval;
use chrono::{DateTime, NaiveDate, Utc};
use contracts::dunning::v1 as proto;
use host::{Refusal, request};
use kernel::{InvoiceId, StepId, text, written};
use ladder::{Command, Event, TaskReason, ladder::Attend, task::TaskKey};
use prost::Message;

/// Longest operator id, in characters.
const BY_CHARS: usize = 64;
/// Longest reason, in characters.
const WHY_CHARS: usize = 200;
/// Separates the parts of a task's name: no id holds it.
const SEPARATOR: char = ',';

/// How a task is named in lists and commands: `I1,1,hold_review,,2026-11-23`.
pub fn task_id(m: &proto::Task) -> String {
    [m.invoice_id.as_str(), &m.cycle.to_string(), &m.reason, &m.step_id, &m.day].join(&SEPARATOR.to_string())
}

fn task_key(task_id: &str) -> Result<TaskKey, Refusal> {
    let malformed = || Refusal::invalid("task_id", "id_malformed", "should be the name of a task, as it is listed");
    let parts: Vec<&str> = task_id.split(SEPARATOR).collect();
    let [invoice_id, cycle, reason, step_id, day] = parts.as_slice() else { return Err(malformed()) };
    let step = |text: &str| StepId::new(text).map_err(|_| malformed());
    Ok(TaskKey {
        invoice_id: InvoiceId::new(invoice_id).map_err(|_| malformed())?,
        cycle: cycle.parse().map_err(|_| malformed())?,
        reason: TaskReason::from_slug(reason).ok_or_else(malformed)?,
        step_id: if step_id.is_empty() { None } else { Some(step(step_id)?) },
        day: day.parse::<NaiveDate>().map_err(|_| malformed())?,
    })
}

/// A request about a task, at an instant, with the receivable that it is about. Errors: INVALID_ARGUMENT on the field at fault:
/// `id_malformed`, `text_refused`, `date_malformed`.
pub trait Attended {
    /// What it asks.
    fn attended(&self, at: DateTime<Utc>) -> Result<(InvoiceId, Command), Refusal>;
}

impl Attended for proto::CompleteTaskRequest {
    fn attended(&self, at: DateTime<Utc>) -> Result<(InvoiceId, Command), Refusal> {
        let task = task_key(&self.task_id)?;
        let (by, why) = signature(&self.by, &self.reason)?;
        Ok((task.invoice_id.clone(), Command::Attend { at, by, why, what: Attend::Done(task) }))
    }
}

impl Attended for proto::SnoozeTaskRequest {
    fn attended(&self, at: DateTime<Utc>) -> Result<(InvoiceId, Command), Refusal> {
        let task = task_key(&self.task_id)?;
        let until = request::date("until", &self.until)?;
        let (by, why) = signature(&self.by, &self.reason)?;
        Ok((task.invoice_id.clone(), Command::Attend { at, by, why, what: Attend::Snooze { task, until } }))
    }
}

/// A request that gives or refuses an approval, at an instant. Errors: INVALID_ARGUMENT on the field at fault: `id_malformed`,
/// `text_refused`.
pub trait Answered {
    /// What it asks.
    fn answered(&self, at: DateTime<Utc>) -> Result<Approval, Refusal>;
}

impl Answered for proto::ApproveStepRequest {
    fn answered(&self, at: DateTime<Utc>) -> Result<Approval, Refusal> {
        let bounded = |field: &str, value: &str, chars| {
            text::bounded(value, chars).map_err(|fault| Refusal::invalid(field, "text_refused", fault.to_string()))
        };
        let why = if self.reason.is_empty() { String::new() } else { bounded("reason", &self.reason, WHY_CHARS)? };
        let by = bounded("by", &self.by, BY_CHARS)?;
        let (invoice_id, step_id) = question(&self.invoice_id, &self.step_id)?;
        Ok(Approval { invoice_id, step_id, by, why, at, is_given: true })
    }
}

impl Answered for proto::RefuseStepRequest {
    fn answered(&self, at: DateTime<Utc>) -> Result<Approval, Refusal> {
        let (by, why) = signature(&self.by, &self.reason)?;
        let (invoice_id, step_id) = question(&self.invoice_id, &self.step_id)?;
        Ok(Approval { invoice_id, step_id, by, why, at, is_given: false })
    }
}

fn question(invoice_id: &str, step_id: &str) -> Result<(InvoiceId, StepId), Refusal> {
    Ok((request::id("invoice_id", invoice_id, InvoiceId::new)?, request::id("step_id", step_id, StepId::new)?))
}

/// Type name and bytes; any other event gives an empty message.
pub(super) fn encode(customer_id: String, event: &Event) -> (&'static str, Vec<u8>) {
    if let Event::ApprovalRefused { invoice_id, cycle, step_id, occurrence, by, day, why } = event {
        let m = proto::ApprovalRefused {
            customer_id,
            invoice_id: invoice_id.to_string(),
            cycle: *cycle,
            step_id: step_id.to_string(),
            occurrence: *occurrence,
            by: by.clone(),
            day: written::date_text(*day),
            reason: why.clone(),
        };
        ("ApprovalRefused", m.encode_to_vec())
    } else if let Event::TaskDone { task, day, by, why } = event {
        let (task, day, by, reason) = (Some(written(task)), written::date_text(*day), by.clone(), why.clone());
        ("TaskDone", proto::TaskDone { customer_id, task, day, by, reason }.encode_to_vec())
    } else if let Event::TaskSnoozed { task, until, day, by, why } = event {
        let (task, day, by, reason, until) =
            (Some(written(task)), written::date_text(*day), by.clone(), why.clone(), written::date_text(*until));
        ("TaskSnoozed", proto::TaskSnoozed { customer_id, task, day, by, reason, until }.encode_to_vec())
    } else {
        ("", Vec::new())
    }
}

fn written(key: &TaskKey) -> proto::TaskKey {
    proto::TaskKey {
        invoice_id: key.invoice_id.to_string(),
        cycle: key.cycle,
        reason: key.reason.slug().to_owned(),
        step_id: text_of(key.step_id.as_ref()),
        day: written::date_text(key.day),
    }
}

fn read(m: Option<proto::TaskKey>) -> Result<TaskKey, DecodeFault> {
    let m = m.ok_or(DecodeFault::Field("task"))?;
    Ok(TaskKey {
        invoice_id: id("task.invoice_id", &m.invoice_id, InvoiceId::new)?,
        cycle: m.cycle,
        reason: named("task.reason", &m.reason, TaskReason::from_slug)?,
        step_id: optional_id("task.step_id", &m.step_id, StepId::new)?,
        day: day("task.day", &m.day)?,
    })
}

/// `ApprovalRefused`.
pub(super) fn refused(m: proto::ApprovalRefused) -> Read {
    let event = Event::ApprovalRefused {
        invoice_id: id("invoice_id", &m.invoice_id, InvoiceId::new)?,
        cycle: m.cycle,
        step_id: id("step_id", &m.step_id, StepId::new)?,
        occurrence: m.occurrence,
        by: m.by,
        day: day("day", &m.day)?,
        why: m.reason,
    };
    Ok((m.customer_id, event))
}

/// `TaskDone`.
pub(super) fn done(m: proto::TaskDone) -> Read {
    Ok((m.customer_id, Event::TaskDone { task: read(m.task)?, day: day("day", &m.day)?, by: m.by, why: m.reason }))
}

/// `TaskSnoozed`.
pub(super) fn snoozed(m: proto::TaskSnoozed) -> Read {
    let (task, until) = (read(m.task)?, day("until", &m.until)?);
    Ok((m.customer_id, Event::TaskSnoozed { task, until, day: day("day", &m.day)?, by: m.by, why: m.reason }))
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use kernel::PolicyId;

    fn key(step: Option<&str>) -> TaskKey {
        let day = "2026-11-23".parse().unwrap();
        let (reason, step_id) =
            (if step.is_some() { TaskReason::StepDue } else { TaskReason::HoldReview }, step.map(|id| StepId::new(id).unwrap()));
        TaskKey { invoice_id: InvoiceId::new("I-1").unwrap(), cycle: 2, reason, step_id, day }
    }

    /// One of each event of this file, and of the approvals.
    pub fn attended() -> Vec<Event> {
        let (invoice_id, step_id, day) = (InvoiceId::new("I-1").unwrap(), StepId::new("d+1").unwrap(), "2026-11-23".parse().unwrap());
        let given = |day, why: &str| Event::ApprovalGiven {
            invoice_id: invoice_id.clone(),
            cycle: 1,
            step_id: step_id.clone(),
            occurrence: 1,
            by: "ana".into(),
            day,
            why: why.into(),
        };
        let (by, why) = (|| "ana".to_owned(), || "visto".to_owned());
        vec![
            given(None, ""),
            given(Some(day), "visto"),
            Event::ApprovalRefused {
                invoice_id: invoice_id.clone(),
                cycle: 1,
                step_id: step_id.clone(),
                occurrence: 2,
                by: by(),
                day,
                why: why(),
            },
            Event::TaskDone { task: key(None), day, by: by(), why: why() },
            Event::TaskSnoozed { task: key(Some("d+2")), until: "2026-11-30".parse().unwrap(), day, by: by(), why: why() },
        ]
    }

    #[test]
    fn a_task_is_found_by_the_name_under_which_it_is_listed() {
        for task in [key(None), key(Some("d+2"))] {
            let listed = proto::Task {
                invoice_id: task.invoice_id.to_string(),
                cycle: task.cycle,
                reason: task.reason.slug().to_owned(),
                step_id: text_of(task.step_id.as_ref()),
                day: written::date_text(task.day),
                ..proto::Task::default()
            };
            assert_eq!(task_key(&task_id(&listed)), Ok(task));
        }
        for wrong in [
            "",
            "I1",
            "I1,1,hold_review,,tomorrow",
            "I1,1,nonsense,,2026-11-23",
            "I 1,1,hold_review,,2026-11-23",
            "I1,x,hold_review,,2026-11-23",
        ] {
            assert!(task_key(wrong).is_err(), "{wrong}");
        }
        assert!(PolicyId::new("a,b").is_err(), "no id holds the separator");
    }
}
