//! `regua demo`

use super::{DONE, Shared, replay};
use crate::{
    demo::Portfolio,
    output::{Format, Table, money, print_json},
    portfolio::Columns,
    progress,
    replay::{Replay, Report, report},
};
use anyhow::Context;
use chrono::NaiveDate;
use clap::Args;
use host::launch;
use std::{
    fs,
    path::{Path, PathBuf},
};

/// Make a plausible Brazilian portfolio, play it, and show what happened
#[derive(Args)]
#[command(
    after_help = "Examples:\n  regua demo\n  regua demo --customers 200 --invoices 2000 --seed 7\n  regua demo --data ./demo-data   (keeps the data)"
)]
pub struct Demo {
    /// Payers
    #[arg(long, default_value_t = 1000, value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
    customers: u32,
    /// Invoices
    #[arg(long, default_value_t = 10_000, value_parser = clap::value_parser!(u32).range(1..=10_000_000))]
    invoices: u32,
    /// Months
    #[arg(long, default_value_t = 18, value_parser = clap::value_parser!(u32).range(1..=120))]
    months: u32,
    /// The same seed makes the same portfolio
    #[arg(long, default_value_t = 2026)]
    seed: u64,
    /// Keep portfolio, logs and views in this directory; it must not hold any yet
    #[arg(long, default_value = "regua-demo")]
    data: PathBuf,
    /// Build every view again from its events at the end, and compare; with the data kept, `regua projections verify` does it later
    #[arg(long)]
    verify: bool,
    /// Remove the data at the end
    #[arg(long)]
    discard: bool,
}

pub async fn run(args: Demo, shared: &Shared) -> anyhow::Result<u8> {
    let elapsed = progress::stopwatch();
    let work = tempfile::tempdir().context("no temporary directory")?;
    let directory = if args.discard { work.path().to_owned() } else { args.data.clone() };
    clear(&directory)?;
    let portfolio = Portfolio { customers: args.customers, invoices: args.invoices, months: args.months, seed: args.seed };
    let file = directory.join("portfolio.csv");
    portfolio.write(&file)?;
    let mut settings = replay::settings(shared, (!args.discard).then_some(&directory), &work)?;
    // Made up, and made up again in a minute: what a power cut takes is no loss.
    settings.throwaway = true;
    settings.keep_mail_in = (!args.discard).then(|| directory.join("mail"));
    let _telemetry = replay::logs(&settings)?;
    let replay = Replay {
        portfolio: file,
        columns: Columns::default(),
        policy: dunning_engine::DEFAULT_POLICY.to_owned(),
        until: portfolio.until(),
        outage: None,
        strict: true,
        verify: args.verify,
        account: Some(crate::demo::account()),
        settings,
        keep: false,
        stop: launch::stopped_by_signal()?,
        elapsed: Box::new(elapsed),
        progress: Box::new(progress::replay_bar()),
    };
    let (report, _) = replay.run(work.path()).await?;
    if shared.format == Format::Json {
        print_json(std::io::stdout().lock(), &serde_json::to_value(&report)?)?;
        return Ok(DONE);
    }
    if shared.format == Format::Csv {
        replay::steps_table(&report).print(Format::Csv)?;
        return Ok(DONE);
    }
    show(&report, shared.format)?;
    if !args.discard {
        next_steps(&args.data, portfolio.until());
    }
    Ok(DONE)
}

/// Says that a directory was made by a demo and gives way to the next one.
const MARKER: &str = ".regua-demo";

/// An empty directory for a demo: the one of an earlier demo gives way, anything else stays. Errors: it holds something else.
fn clear(directory: &Path) -> anyhow::Result<()> {
    let name = directory.display();
    let mut entries = fs::read_dir(directory).into_iter().flatten();
    if directory.join(MARKER).is_file() {
        fs::remove_dir_all(directory).with_context(|| format!("{name} cannot be removed"))?;
    } else {
        anyhow::ensure!(entries.next().is_none(), "{name} holds something that no demo made; name another directory with --data");
    }
    fs::create_dir_all(directory).with_context(|| format!("{name} cannot be made"))?;
    fs::write(directory.join(MARKER), "made by `regua demo`, which removes this directory before the next one\n")
        .with_context(|| format!("{name} cannot be written to"))
}

fn show(report: &Report, format: Format) -> anyhow::Result<()> {
    let p = &report.portfolio;
    println!(
        "{} payers, {} invoices of R$ {}, {} payments, played in {} s\n",
        p.customers,
        p.invoices,
        money(p.amount_minor),
        p.payments,
        report.run.wall_seconds
    );
    sent(report).print(format)?;
    println!();
    replay::steps_table(report).print(format)?;
    println!();
    avoided(report).print(format)?;
    println!();
    aging(&report.month_ends).print(format)?;
    println!();
    settled(report).print(format)?;
    if !report.projections.is_empty() {
        let differs = report.projections.iter().filter(|projection| projection.live_hash != projection.rebuilt_hash).count();
        println!("\n{} views built again from their events, {} of them differ.", report.projections.len(), differs);
    }
    for alarm in &report.alarms {
        println!("look at: {alarm}");
    }
    Ok(())
}

fn sent(report: &Report) -> Table {
    let mut table = Table::new("What was sent", &["channel", "contacts"]);
    for (channel, count) in &report.contacts.by_channel {
        table.row(vec![channel.as_str().into(), (*count).into()]);
    }
    table.row(vec!["all contacts".into(), report.contacts.total.into()]);
    table.row(vec!["payers reached".into(), report.contacts.payers.into()]);
    table.row(vec!["most on one payer's day".into(), report.contacts.max_per_payer_day.into()]);
    table
}

fn avoided(report: &Report) -> Table {
    let mut table = Table::new("What did not go out, and why", &["reason", "steps"]);
    let mut reasons = std::collections::BTreeMap::new();
    for (reason, count) in report.steps.iter().flat_map(|step| &step.reasons) {
        *reasons.entry(reason.as_str()).or_insert(0) += count;
    }
    for (reason, count) in reasons {
        table.row(vec![reason.into(), count.into()]);
    }
    table
}

fn aging(month_ends: &[report::MonthEnd]) -> Table {
    let columns = ["month_end", "open", "open_minor", "current_minor", "1-30_minor", "31-60_minor", "61-90_minor", "over_90_minor"];
    let mut table = Table::new("Open amounts by days late, at the end of each month", &columns);
    for m in month_ends {
        table.row(vec![
            m.date.as_str().into(),
            m.open_count.into(),
            m.open_minor.into(),
            m.current_minor.into(),
            m.overdue_1_30_minor.into(),
            m.overdue_31_60_minor.into(),
            m.overdue_61_90_minor.into(),
            m.overdue_over_90_minor.into(),
        ]);
    }
    table
}

fn settled(report: &Report) -> Table {
    let s = &report.settlement;
    let mean = |total: i64, count: i64| if count == 0 { 0 } else { (total + count / 2) / count };
    let mut table = Table::new("How fast people paid", &["what", "value"]);
    table.row(vec!["paid by the due date".into(), s.paid_by_due.into()]);
    table.row(vec!["paid late".into(), s.paid_late.into()]);
    table.row(vec!["days late, mean of those paid late".into(), mean(s.days_late_total, s.paid_late).into()]);
    table.row(vec!["days from issue to payment, mean".into(), mean(s.days_to_settle_total, s.paid_by_due + s.paid_late).into()]);
    table
}

fn next_steps(data: &Path, until: NaiveDate) {
    let program = std::env::current_exe().map_or_else(|_| "regua".to_owned(), |path| shown_path(&path));
    let data = data.display();
    println!(
        "\nWhat to look at next:
  {data}/mail
    the first e-mails, with boleto and Pix; any mail reader opens them
  {program} report delinquency --data {data} --as-of {until}
    who owed how much on a past day
  {program} report receivables --data {data} --status overdue
    receivable by receivable
  {program} events show dunning-engine --data {data} --limit 20
    the facts behind it
  {program} projections verify --data {data}
    every view against its events"
    );
}

/// A path as somebody in the working directory would type it.
fn shown_path(path: &Path) -> String {
    let here = std::env::current_dir().unwrap_or_default();
    path.strip_prefix(here).unwrap_or(path).display().to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_directory_that_no_demo_made_is_left_alone() {
        let directory = tempfile::tempdir().unwrap();
        let (own, file) = (directory.path().join("own"), directory.path().join("own/portfolio.csv"));
        fs::create_dir(&own).unwrap();
        fs::write(&file, "mine").unwrap();
        assert!(clear(&own).unwrap_err().to_string().contains("no demo made"));
        assert_eq!(fs::read_to_string(&file).unwrap(), "mine");
        let made = directory.path().join("made");
        clear(&made).unwrap();
        fs::write(made.join("portfolio.csv"), "made up").unwrap();
        clear(&made).unwrap();
        assert!(!made.join("portfolio.csv").exists());
    }
}
