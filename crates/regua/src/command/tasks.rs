//! `regua tasks`

use super::{
    DONE, Shared, day,
    invoices::{self, Access, Dunning, command_id, paged, told},
};
use crate::output::Table;
use chrono::NaiveDate;
use clap::{Args, Subcommand, ValueEnum};
use contracts::dunning::v1 as proto;
use serde_json::json;

/// What a person has to do: list it, approve or refuse a step, put a task off, say that it is done
#[derive(Args)]
#[command(after_help = "Examples:
  regua tasks list
  regua tasks list --reason approval
  regua tasks approve F1 d+45 --by ana
  regua tasks refuse F1 d+45 --by ana --reason \"acordo em conversa\"
  regua tasks snooze F1,1,hold_review,,2026-11-23 --until 2026-12-01 --by ana --reason \"aguarda resposta\"
  regua tasks done F1,1,undeliverable,d+7,2026-11-23 --by ana --reason \"novo e-mail cadastrado\"
Asks the running dunning engine. Payments that are on no receivable wait in `regua unapplied list`.")]
pub struct TasksArgs {
    #[command(subcommand)]
    what: What,
    #[command(flatten)]
    access: Access,
}

#[derive(Subcommand)]
enum What {
    /// What can be done today, the newest first
    List(List),
    /// Let a step go out that waits for a person
    Approve(Answer),
    /// End a step that waits for a person; its ladder goes on
    Refuse(Answer),
    /// Put a task off until a day
    Snooze {
        /// The task, as `list` shows it
        task: String,
        /// The day on which it is looked at again, YYYY-MM-DD
        #[arg(long, value_parser = day)]
        until: NaiveDate,
        #[command(flatten)]
        signed: Signed,
    },
    /// Say that a task is done
    Done {
        /// The task, as `list` shows it
        task: String,
        #[command(flatten)]
        signed: Signed,
    },
}

#[derive(Args)]
struct List {
    /// Only this payer's
    #[arg(long, default_value = "")]
    customer: String,
    /// Only this receivable's
    #[arg(long, default_value = "")]
    invoice: String,
    /// Only of this reason, as `approval`, `hold_review`, `undeliverable`
    #[arg(long, default_value = "")]
    reason: String,
    /// Those of another status
    #[arg(long, value_enum, default_value_t = Status::Open)]
    status: Status,
    /// At most this many lines
    #[arg(long, default_value_t = 50)]
    limit: usize,
}

#[derive(Clone, Copy, ValueEnum)]
enum Status {
    Open,
    Snoozed,
    Done,
    Void,
    All,
}

impl Status {
    fn name(self) -> &'static str {
        match self {
            Status::Open => "open",
            Status::Snoozed => "snoozed",
            Status::Done => "done",
            Status::Void => "void",
            Status::All => "all",
        }
    }
}

#[derive(Args)]
struct Answer {
    /// The receivable
    invoice: String,
    /// The step of its ladder
    step: String,
    #[command(flatten)]
    signed: Signed,
}

/// Who does it, and why.
#[derive(Args)]
struct Signed {
    /// Who, as an operator id
    #[arg(long)]
    by: String,
    /// Why; nothing personal
    #[arg(long, default_value = "")]
    reason: String,
}

pub async fn run(args: TasksArgs, shared: &Shared) -> anyhow::Result<u8> {
    let mut client = invoices::dunning(&args.access, shared)?;
    let command_id = command_id();
    match args.what {
        What::List(asked) => list(&mut client, asked).await?.print(shared.format)?,
        What::Approve(Answer { invoice: invoice_id, step: step_id, signed: Signed { by, reason } }) => {
            let asked = proto::ApproveStepRequest { command_id, invoice_id, step_id, by, reason };
            client.approve_step(asked).await.map_err(|status| told(&status))?;
        }
        What::Refuse(Answer { invoice: invoice_id, step: step_id, signed: Signed { by, reason } }) => {
            let asked = proto::RefuseStepRequest { command_id, invoice_id, step_id, by, reason };
            client.refuse_step(asked).await.map_err(|status| told(&status))?;
        }
        What::Snooze { task: task_id, until, signed: Signed { by, reason } } => {
            let asked = proto::SnoozeTaskRequest { command_id, task_id, by, reason, until: until.to_string() };
            client.snooze_task(asked).await.map_err(|status| told(&status))?;
        }
        What::Done { task: task_id, signed: Signed { by, reason } } => {
            let asked = proto::CompleteTaskRequest { command_id, task_id, by, reason };
            client.complete_task(asked).await.map_err(|status| told(&status))?;
        }
    }
    Ok(DONE)
}

async fn list(client: &mut Dunning, asked: List) -> anyhow::Result<Table> {
    let columns = ["task", "customer", "invoice", "step", "reason", "day", "until", "status", "snoozed_until", "by", "note", "ended_on"];
    let mut table = Table::new("Tasks", &columns);
    let found = paged(asked.limit, async |page_size, page_token| {
        let request = proto::ListTasksRequest {
            customer_id: asked.customer.clone(),
            invoice_id: asked.invoice.clone(),
            reason: asked.reason.clone(),
            status: asked.status.name().to_owned(),
            page_size,
            page_token,
        };
        let answer = client.list_tasks(request).await.map_err(|status| told(&status))?.into_inner();
        Ok((answer.tasks, answer.next_page_token))
    })
    .await?;
    for task in found {
        table.row(vec![
            json!(task.task_id),
            json!(task.customer_id),
            json!(task.invoice_id),
            json!(task.step_id),
            json!(task.reason),
            json!(task.day),
            json!(task.until),
            json!(task.status),
            json!(task.snoozed_until),
            json!(task.by),
            json!(task.note),
            json!(task.ended_on),
        ]);
    }
    Ok(table)
}
