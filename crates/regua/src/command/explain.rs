//! `regua explain`

use super::{
    DONE, Shared, day,
    invoices::{self, Access, told},
};
use crate::output::{Format, Table, print_json};
use chrono::NaiveDate;
use clap::Args;
use contracts::dunning::v1 as proto;
use serde_json::{Value, json};

/// Why was a payer contacted, or not, on a day?
#[derive(Args)]
#[command(after_help = "Examples:
  regua explain C1 2026-11-24
  regua explain C1 2026-11-24 --format json
Asks the running dunning engine.")]
pub struct Explain {
    /// The payer
    payer: String,
    /// The payer's local day, YYYY-MM-DD
    #[arg(value_parser = day)]
    day: NaiveDate,
    #[command(flatten)]
    access: Access,
}

pub async fn run(args: Explain, shared: &Shared) -> anyhow::Result<u8> {
    let mut client = invoices::dunning(&args.access, shared)?;
    let asked = proto::ExplainDayRequest { customer_id: args.payer.clone(), day: args.day.to_string() };
    let answer = client.explain_day(asked).await.map_err(|status| told(&status))?.into_inner();
    match shared.format {
        Format::Json => print_json(std::io::stdout().lock(), &as_json(&args, &answer))?,
        Format::Csv => steps(&answer).print(Format::Csv)?,
        Format::Table => {
            let verb = if answer.contacted { "was contacted" } else { "was not contacted" };
            println!("{} {verb} on {}, by {} facts that were known then:", args.payer, args.day, answer.stream_version);
            answer.lines.iter().for_each(|line| println!("  {line}"));
            facts(&answer).print(Format::Table)?;
            steps(&answer).print(Format::Table)?;
        }
    }
    Ok(DONE)
}

fn as_json(args: &Explain, answer: &proto::ExplainDayResponse) -> Value {
    json!({
        "customer": args.payer,
        "day": args.day.to_string(),
        "contacted": answer.contacted,
        "stream_version": answer.stream_version,
        "lines": answer.lines,
        "facts": facts(answer).to_json(),
        "steps": steps(answer).to_json(),
    })
}

fn facts(answer: &proto::ExplainDayResponse) -> Table {
    let columns = [
        "invoice",
        "standing",
        "cycle",
        "policy",
        "policy_version",
        "due_on",
        "effective_due",
        "known_on",
        "outstanding_minor",
        "disputed_minor",
        "currency",
        "last_contact_on",
        "tone_cap",
        "variant",
    ];
    let mut table = Table::new("What was known", &columns);
    for fact in &answer.facts {
        table.row(vec![
            json!(fact.invoice_id),
            json!(fact.standing),
            json!(fact.cycle),
            json!(fact.policy_id),
            json!(fact.policy_version),
            json!(fact.due_on),
            json!(fact.effective_due),
            json!(fact.known_on),
            json!(fact.outstanding_minor),
            json!(fact.disputed_minor),
            json!(fact.currency),
            json!(fact.last_contact_on),
            json!(fact.tone_cap),
            json!(fact.variant),
        ]);
    }
    table
}

fn steps(answer: &proto::ExplainDayResponse) -> Table {
    let columns = ["invoice", "cycle", "step", "occurrence", "planned_on", "decision", "reason", "policy", "policy_version", "variant"];
    let mut table = Table::new("Every step considered", &columns);
    for one in &answer.considerations {
        table.row(vec![
            json!(one.invoice_id),
            json!(one.cycle),
            json!(one.step_id),
            json!(one.occurrence),
            json!(one.planned_on),
            json!(one.decision),
            json!(one.reason),
            json!(one.policy_id),
            json!(one.policy_version),
            json!(one.variant),
        ]);
    }
    table
}
