//! `regua replay`

use super::{DONE, FOUND, Shared, day};
use crate::{
    output::{Format, Table, print_json},
    portfolio::{Columns, RowFault},
    progress,
    replay::{Outage, Replay, Report},
    settings::Settings,
};
use anyhow::Context;
use chrono::NaiveDate;
use clap::Args;
use host::{launch, telemetry};
use serde_json::Value;
use std::{fs, path::PathBuf};

/// Play a portfolio through the whole system on a virtual clock
#[derive(Args)]
#[command(after_help = "Example:
  regua replay --portfolio invoices.csv --columns columns.toml --policy policies/simples.toml --until 2014-02-28 --report out.json
The exit code is 3 where rows were refused, or a view differs from the one built again from its events.")]
pub struct ReplayArgs {
    /// CSV of invoices and payments
    #[arg(long)]
    portfolio: PathBuf,
    /// How its columns are named; our own names without it
    #[arg(long)]
    columns: Option<PathBuf>,
    /// The ladder, TOML
    #[arg(long)]
    policy: PathBuf,
    /// Last day, YYYY-MM-DD
    #[arg(long, value_parser = day)]
    until: NaiveDate,
    /// Where the report is written, JSON; standard output without it
    #[arg(long)]
    report: Option<PathBuf>,
    /// A..B: from 00:00 of A until 00:00 of B the engine and notification do nothing
    #[arg(long, value_parser = Outage::parse)]
    outage: Option<Outage>,
    /// Keep logs and views in this directory; without it they are removed at the end
    #[arg(long)]
    data: Option<PathBuf>,
    /// Keep the schemas and topics of this run (PostgreSQL, Kafka); without it they are removed at the end
    #[arg(long)]
    keep: bool,
    /// Stop at the first wrong row
    #[arg(long)]
    strict: bool,
}

pub async fn run(args: ReplayArgs, shared: &Shared) -> anyhow::Result<u8> {
    let work = tempfile::tempdir().context("no temporary directory")?;
    let columns = match &args.columns {
        None => Columns::default(),
        Some(path) => Columns::parse(&fs::read_to_string(path).with_context(|| format!("{} cannot be read", path.display()))?)?,
    };
    let elapsed = progress::stopwatch();
    let settings = settings(shared, args.data.as_ref(), &work)?;
    let _telemetry = logs(&settings)?;
    let replay = Replay {
        portfolio: args.portfolio,
        columns,
        policy: fs::read_to_string(&args.policy).with_context(|| format!("{} cannot be read", args.policy.display()))?,
        until: args.until,
        outage: args.outage,
        strict: args.strict,
        verify: true,
        account: None,
        settings,
        keep: args.keep,
        stop: launch::stopped_by_signal()?,
        elapsed: Box::new(elapsed),
        progress: Box::new(progress::replay_bar()),
    };
    let (report, faults) = replay.run(work.path()).await?;
    tell_faults(&faults, report.portfolio.refused_rows);
    let json = serde_json::to_value(&report)?;
    match &args.report {
        Some(path) => {
            let text = serde_json::to_string_pretty(&json)? + "\n";
            fs::write(path, text).with_context(|| format!("{} cannot be written", path.display()))?;
            print_summary(&report, shared.format, &json)?;
        }
        None => print_json(std::io::stdout().lock(), &json)?,
    }
    let differs = report.projections.iter().any(|projection| projection.live_hash != projection.rebuilt_hash);
    Ok(if differs || report.portfolio.refused_rows > 0 { FOUND } else { DONE })
}

/// Years go by in seconds: of the log's usual level only what is wrong is told, beside the progress. A filter that the configuration
/// names is kept.
///
/// # Errors
/// A malformed filter or endpoint.
pub fn logs(settings: &Settings) -> anyhow::Result<telemetry::Telemetry> {
    let mut told = settings.telemetry.clone();
    if told.log == "info" {
        "error".clone_into(&mut told.log);
    }
    telemetry::start("regua", &told)
}

/// Embedded in a directory that is removed, in `data`, or where the configuration says.
pub fn settings(shared: &Shared, data: Option<&PathBuf>, work: &tempfile::TempDir) -> anyhow::Result<Settings> {
    let mut settings = shared.settings(data)?.on_free_ports();
    // Everything is loopback and of this process alone: no token, and no certificate that names another host.
    settings.access = host::config::Access::default();
    if settings.storage.kind == "sqlite" && data.is_none() {
        settings.storage.directory = work.path().join("data");
        settings.throwaway = true;
    }
    if let Some(directory) = data {
        let used = directory.join("invoice.sqlite").exists();
        anyhow::ensure!(!used, "{} holds a portfolio already; a replay starts from nothing", directory.display());
    }
    Ok(settings)
}

/// Wrong rows, on standard error.
pub fn tell_faults(faults: &[RowFault], refused: u64) {
    for fault in faults {
        eprintln!("refused {fault}");
    }
    let untold = refused.saturating_sub(faults.len() as u64);
    if untold > 0 {
        eprintln!("refused {untold} more rows, {refused} in all");
    }
}

fn print_summary(report: &Report, format: Format, json: &Value) -> anyhow::Result<()> {
    if format == Format::Json {
        return print_json(std::io::stdout().lock(), json);
    }
    steps_table(report).print(format)
}

/// How the steps ended.
pub fn steps_table(report: &Report) -> Table {
    let columns = ["step", "executed", "superseded", "suppressed", "expired", "undeliverable", "open", "reasons"];
    let mut table = Table::new("How each step of the ladder ended", &columns);
    for step in &report.steps {
        let reasons: Vec<String> = step.reasons.iter().map(|(reason, n)| format!("{reason} {n}")).collect();
        table.row(vec![
            step.id.as_str().into(),
            step.executed.into(),
            step.superseded.into(),
            step.suppressed.into(),
            step.expired.into(),
            step.undeliverable.into(),
            step.open.into(),
            reasons.join(", ").into(),
        ]);
    }
    table
}
