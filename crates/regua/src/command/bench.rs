//! `regua bench`

use super::{DONE, Shared};
use crate::{
    bench::{self, NAMES, Plan, Report},
    output::{Format, print_json},
};
use anyhow::Context;
use clap::Args;
use std::{fs, path::PathBuf, time::Duration};

/// Measure how fast it is here, each figure beside what this machine can do at all
#[derive(Args)]
#[command(after_help = "Examples:
  regua bench --quick                                   all of it in three minutes
  regua bench --only append_sqlite,grpc_unary
  regua bench --config stack/regua.toml                 with PostgreSQL (make stack DIR=stack)
Figures are explained in docs/performance.md. Data goes beside the report, on the disk that is measured, and is removed.")]
pub struct Bench {
    /// Short rounds
    #[arg(long, conflicts_with = "full")]
    quick: bool,
    /// Long rounds and a large portfolio
    #[arg(long)]
    full: bool,
    /// Only these figures
    #[arg(long, value_delimiter = ',', value_name = "NAME", value_parser = clap::builder::PossibleValuesParser::new(NAMES))]
    only: Vec<String>,
    /// Where the report goes, JSON
    #[arg(long, default_value = "target/bench/report.json")]
    report: PathBuf,
    /// Rounds of path and reference; fewer than three make no median
    #[arg(long, value_parser = clap::value_parser!(u16).range(1..=100))]
    rounds: Option<u16>,
    /// Milliseconds of a round
    #[arg(long, value_parser = clap::value_parser!(u64).range(1..=600_000))]
    round_ms: Option<u64>,
    /// Payers over whom the load is spread
    #[arg(long, value_parser = clap::value_parser!(u64).range(1..=999_999))]
    payers: Option<u64>,
    /// Invoices behind reports, views that are built again, and timers
    #[arg(long, value_parser = clap::value_parser!(u64).range(10..=10_000_000))]
    invoices: Option<u64>,
    /// Measure nothing and do this work over and over, for a counter of instructions
    #[arg(long, hide = true, requires = "times", value_parser = clap::builder::PossibleValuesParser::new(bench::work::NAMES))]
    work: Option<String>,
    /// How often
    #[arg(long, hide = true, value_parser = clap::value_parser!(u64).range(1..=10_000_000))]
    times: Option<u64>,
}

impl Bench {
    fn plan(&self) -> Plan {
        let plan = match (self.quick, self.full) {
            (true, _) => Plan::quick(),
            (false, true) => Plan::full(),
            (false, false) => Plan::usual(),
        };
        Plan {
            rounds: self.rounds.map_or(plan.rounds, usize::from),
            round: self.round_ms.map_or(plan.round, Duration::from_millis),
            payers: self.payers.unwrap_or(plan.payers),
            invoices: self.invoices.unwrap_or(plan.invoices),
            ..plan
        }
    }
}

pub async fn run(args: Bench, shared: &Shared) -> anyhow::Result<u8> {
    let beside = args.report.parent().context("--report names no file")?;
    fs::create_dir_all(beside).with_context(|| format!("{} cannot be made", beside.display()))?;
    let place = tempfile::Builder::new().prefix("data-").tempdir_in(beside).context("no directory for the data")?;
    if let (Some(work), Some(times)) = (&args.work, args.times) {
        bench::work::work(work, times, place.path()).await?;
        return Ok(DONE);
    }
    let settings = shared.settings(None)?;
    let report = bench::run(&args.plan(), &args.only, &settings, place.path()).await?;
    let json = serde_json::to_value(&report)?;
    let text = serde_json::to_string_pretty(&json)? + "\n";
    fs::write(&args.report, text).with_context(|| format!("{} cannot be written", args.report.display()))?;
    if shared.format == Format::Json {
        print_json(std::io::stdout().lock(), &json)?;
        return Ok(DONE);
    }
    report.table().print(shared.format)?;
    tell_left(&report);
    Ok(DONE)
}

fn tell_left(report: &Report) {
    for left in &report.skipped {
        eprintln!("skipped {}: {}", left.name, left.reason);
    }
}
