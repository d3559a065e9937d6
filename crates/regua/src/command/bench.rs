//! `regua bench`

use super::{DONE, Shared};
use crate::{
    bench::{self, NAMES, Plan, Report},
    output::{Format, print_json},
};
use anyhow::{Context, ensure};
use clap::Args;
use host::{launch::Ending, spool};
use std::{fs, path::PathBuf, time::Duration};
use tempfile::TempDir;

/// Fewer rounds make no median.
const MEDIAN: usize = 3;
/// How often, and after what time, data that was just written to is tried to be removed.
const REMOVALS: usize = 100;
const REMOVES_AGAIN: Duration = Duration::from_millis(20);
/// The exit code of who was asked to end before it was through.
const INTERRUPTED: u8 = 130;

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
    /// Versions that the report shall name beside those that this program knows: of the broker, of what built it
    #[arg(long = "version-of", value_name = "NAME=VERSION", value_parser = version)]
    versions: Vec<(String, String)>,
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
        let growth = self.invoices.map_or(plan.growth.clone(), |invoices| sizes(&plan.growth, invoices));
        Plan {
            growth,
            large_rebuild: plan.large_rebuild.filter(|_| self.invoices.is_none()),
            rounds: self.rounds.map_or(plan.rounds, usize::from),
            round: self.round_ms.map_or(plan.round, Duration::from_millis),
            payers: self.payers.unwrap_or(plan.payers),
            invoices: self.invoices.unwrap_or(plan.invoices),
            ..plan
        }
    }
}

/// Portfolios of `growth` up to so many invoices: at least two, or nothing is compared.
fn sizes(usual: &[u64], invoices: u64) -> Vec<u64> {
    let smaller: Vec<u64> = usual.iter().copied().filter(|usual| *usual < invoices).collect();
    let smaller = if smaller.is_empty() { vec![invoices / 10] } else { smaller };
    smaller.into_iter().chain([invoices]).collect()
}

fn version(text: &str) -> Result<(String, String), String> {
    let (name, version) = text.split_once('=').unwrap_or_default();
    if name.is_empty() || version.is_empty() {
        return Err("should be NAME=VERSION".to_owned());
    }
    Ok((name.to_owned(), version.to_owned()))
}

pub async fn run(args: Bench, shared: &Shared) -> anyhow::Result<u8> {
    // Found out before anything is measured: that may take hours.
    let report_file = std::path::absolute(&args.report).context("--report names no file")?;
    ensure!(!report_file.is_dir() && !args.report.as_os_str().as_encoded_bytes().ends_with(b"/"), "--report names a directory");
    let (beside, name) = report_file.parent().zip(report_file.file_name()).context("--report names no file")?;
    fs::create_dir_all(beside).with_context(|| format!("{} cannot be made", beside.display()))?;
    let place = tempfile::Builder::new().prefix("data-").tempdir_in(beside).context("no directory for the data")?;
    if let (Some(work), Some(times)) = (&args.work, args.times) {
        bench::work::work(work, times, place.path()).await?;
        return Ok(DONE);
    }
    let (settings, plan) = (shared.settings(None)?, args.plan());
    if cfg!(debug_assertions) || plan.rounds < MEDIAN {
        eprintln!("bench: says nothing of speed: it wants a release build and {MEDIAN} rounds or more");
    }
    // Whoever is asked to end takes along what was started, and removes the data.
    let mut ending = Ending::listen()?;
    let measured = ending.or(bench::run(&plan, &args.only, (&settings, &args.versions), place.path())).await?;
    let Some(report) = measured else {
        remove(place).await;
        return Ok(INTERRUPTED);
    };
    let json = serde_json::to_value(&report)?;
    // Neither is lost for the sake of the other.
    let text = serde_json::to_string_pretty(&json)? + "\n";
    let written = spool::replace(beside, &name.to_string_lossy(), text.as_bytes());
    if shared.format == Format::Json {
        print_json(std::io::stdout().lock(), &json)?;
    } else {
        report.table().print(shared.format)?;
        tell_left(&report);
    }
    written.with_context(|| format!("{} cannot be written", report_file.display()))?;
    Ok(DONE)
}

/// Removes the data of a run that was broken off: what still works in this process may make a file while the others go.
async fn remove(place: TempDir) {
    let path = place.keep();
    for _ in 0..REMOVALS {
        if fs::remove_dir_all(&path).is_ok() || !path.exists() {
            return;
        }
        tokio::time::sleep(REMOVES_AGAIN).await;
    }
    eprintln!("bench: {} is left", path.display());
}

fn tell_left(report: &Report) {
    for left in &report.skipped {
        eprintln!("skipped {}: {}", left.name, left.reason);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_portfolio_that_is_asked_for_is_the_largest_and_has_a_smaller_one_beside_it() {
        assert_eq!(sizes(&[10_000, 100_000, 1_000_000], 100_000), [10_000, 100_000]);
        assert_eq!(sizes(&[10_000, 100_000], 1_000_000), [10_000, 100_000, 1_000_000]);
        assert_eq!(sizes(&[500, 5_000], 200), [20, 200]);
    }

    #[test]
    fn a_version_has_a_name() {
        assert_eq!(version("rustc=1.95.0 (x=y)"), Ok(("rustc".to_owned(), "1.95.0 (x=y)".to_owned())));
        assert!(["1.95.0", "=1", "a=", ""].iter().all(|text| version(text).is_err()));
    }
}
