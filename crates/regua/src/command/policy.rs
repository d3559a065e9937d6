//! `regua policy`

use super::{DONE, FOUND, Shared};
use crate::output::{Format, Table, print_json};
use anyhow::Context;
use chrono::NaiveDate;
use clap::{Args, Subcommand};
use ladder::{draft::Fault, preview::preview};
use std::{fs, path::PathBuf};

/// Check a ladder and see its dates
#[derive(Args)]
#[command(after_help = "Examples:\n  regua policy check my-ladder.toml\n  regua policy preview my-ladder.toml --due 2026-12-24")]
pub struct PolicyArgs {
    #[command(subcommand)]
    what: What,
}

#[derive(Subcommand)]
enum What {
    /// Every fault of a ladder at once, each with its path; exit code 3 where there are any
    Check {
        /// The ladder, TOML
        file: PathBuf,
    },
    /// What the offsets mean, for a sample due date
    Preview {
        /// The ladder, TOML
        file: PathBuf,
        /// Sample due date, YYYY-MM-DD
        #[arg(long)]
        due: NaiveDate,
    },
}

pub fn run(args: PolicyArgs, shared: &Shared) -> anyhow::Result<u8> {
    let (file, due) = match &args.what {
        What::Check { file } => (file, None),
        What::Preview { file, due } => (file, Some(*due)),
    };
    let text = fs::read_to_string(file).with_context(|| format!("{} cannot be read", file.display()))?;
    match dunning_engine::policy_toml::load(&text) {
        Err(faults) => {
            faults_table(&faults).print(shared.format)?;
            Ok(FOUND)
        }
        Ok(policy) => {
            if let Some(due) = due {
                preview_table(&policy, due).print(shared.format)?;
            } else if shared.format == Format::Json {
                print_json(std::io::stdout().lock(), &serde_json::json!([]))?;
            } else {
                println!("{} is good: {} steps", policy.id(), policy.steps().len());
            }
            Ok(DONE)
        }
    }
}

fn faults_table(faults: &[Fault]) -> Table {
    let mut table = Table::new("Faults", &["path", "reason", "message"]);
    for fault in faults {
        table.row(vec![fault.path.as_str().into(), fault.slug.into(), fault.message.as_str().into()]);
    }
    table
}

fn preview_table(policy: &ladder::Policy, due: NaiveDate) -> Table {
    let mut table =
        Table::new(&format!("{} for an invoice due on {due}", policy.id()), &["step", "tone", "kind", "planned_on", "weekday", "last_day"]);
    for line in preview(policy, due) {
        let planned_on = match (line.planned_on, &line.after) {
            (Some((day, _)), _) => day.to_string(),
            (None, Some(step)) => format!("{} days after {step}", line.offset_days),
            (None, None) => String::new(),
        };
        let step = if line.occurrence > 1 { format!("{} #{}", line.step_id, line.occurrence) } else { line.step_id.to_string() };
        table.row(vec![
            step.into(),
            line.tone.into(),
            line.kind.name().into(),
            planned_on.into(),
            line.planned_on.map(|(_, weekday)| weekday.to_string()).unwrap_or_default().into(),
            line.last_day.map(|day| day.to_string()).unwrap_or_default().into(),
        ]);
    }
    table
}
