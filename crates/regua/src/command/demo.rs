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
use clap::Args;
use host::launch;
use std::{fs, path::PathBuf};

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
    /// Remove the data at the end
    #[arg(long)]
    discard: bool,
}

pub async fn run(args: Demo, shared: &Shared) -> anyhow::Result<u8> {
    let elapsed = progress::stopwatch();
    let work = tempfile::tempdir().context("no temporary directory")?;
    if !args.discard && args.data.join("portfolio.csv").exists() {
        // A demo owns its directory: the one before it gives way, anything else stays.
        fs::remove_dir_all(&args.data).with_context(|| format!("{} cannot be removed", args.data.display()))?;
    }
    let directory = if args.discard { work.path().to_owned() } else { args.data.clone() };
    fs::create_dir_all(&directory).with_context(|| format!("{} cannot be made", directory.display()))?;
    let portfolio = Portfolio { customers: args.customers, invoices: args.invoices, months: args.months, seed: args.seed };
    let file = directory.join("portfolio.csv");
    portfolio.write(&file)?;
    let mut settings = replay::settings(shared, (!args.discard).then_some(&directory), &work)?;
    settings.keep_mail_in = (!args.discard).then(|| directory.join("mail"));
    let replay = Replay {
        portfolio: file,
        columns: Columns::default(),
        policy: dunning_engine::DEFAULT_POLICY.to_owned(),
        until: portfolio.until(),
        outage: None,
        strict: true,
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
    show(&report, shared.format)?;
    if !args.discard {
        next_steps(&args.data);
    }
    Ok(DONE)
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
    let differs = report.projections.iter().filter(|projection| projection.live_hash != projection.rebuilt_hash).count();
    println!("\n{} views built again from their events, {} of them differ.", report.projections.len(), differs);
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

fn next_steps(data: &std::path::Path) {
    let data = data.display();
    println!(
        "\nWhat to look at next:
  regua report delinquency --data {data} --as-of 2026-06-30      who owed how much on a past day
  regua report receivables --data {data} --status overdue        receivable by receivable
  {data}/mail                                                    the first e-mails, with boleto and Pix; any mail reader opens them
  regua events show dunning-engine --data {data} --limit 20      the facts behind it
  regua projections verify --data {data}                         every view against its events
  regua policy preview policies/regua-padrao.toml --due 2026-12-24   what the ladder means in dates"
    );
}
