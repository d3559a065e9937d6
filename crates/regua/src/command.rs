//! The commands. Each has its file; here is what they share and how they are called.

mod agreements;
mod bank_file;
mod bench;
mod bureau;
mod check;
mod data;
mod demo;
mod events;
mod explain;
mod holidays;
mod invoices;
mod parked;
mod pix;
mod policy;
mod projections;
mod rates;
mod replay;
mod report;
mod tasks;
mod unapplied;
mod up;

use crate::{output::Format, settings::Settings};
use chrono::NaiveDate;
use clap::{Args, Parser, Subcommand};
use std::path::PathBuf;

/// Exit code: done.
pub const DONE: u8 = 0;
/// Exit code: it could not be done.
pub const FAILED: u8 = 1;
/// Exit code: it was done and found something wrong (a policy with faults, a view that differs, a system that is not fit).
pub const FOUND: u8 = 3;

/// Collects receivables properly.
#[derive(Parser)]
#[command(name = "regua", version, about = "Collects receivables properly: reminders that reach the right payer once, and never after the payment is known", after_help = EXAMPLES)]
pub struct Cli {
    #[command(flatten)]
    shared: Shared,
    #[command(subcommand)]
    command: Command,
}

const EXAMPLES: &str = "Examples:
  regua demo                                   a year and a half of collections in a minute
  regua up                                     all services on this machine, data in ./regua-data
  regua report aging --as-of 2026-10-31        open amounts by days late, as of any day
  regua policy preview policies/simples.toml   what the offsets of a ladder mean, in dates

Exit codes: 0 done, 1 could not be done, 2 wrong usage, 3 done and found something wrong.";

/// A civil date of the command line, as the services take it.
fn day(text: &str) -> Result<NaiveDate, String> {
    host::request::date("", text).map_err(|refusal| refusal.message)
}

/// What every command takes.
#[derive(Args, Clone)]
pub struct Shared {
    /// Configuration file, laid over the defaults (`regua check --defaults` prints them)
    #[arg(long, global = true, env = "REGUA_CONFIG")]
    config: Option<PathBuf>,
    /// How results are printed
    #[arg(long, global = true, value_enum, default_value_t = Format::Table)]
    format: Format,
}

impl Shared {
    /// The settings; `data` replaces the directory of the SQLite files.
    fn settings(&self, data: Option<&PathBuf>) -> anyhow::Result<Settings> {
        let mut settings = Settings::load(self.config.as_deref())?;
        if let Some(directory) = data {
            anyhow::ensure!(
                settings.storage.kind == "sqlite",
                "--data is for embedded storage; the configuration says {}",
                settings.storage.kind
            );
            settings.storage.directory.clone_from(directory);
        }
        Ok(settings)
    }
}

#[derive(Subcommand)]
enum Command {
    /// Run the services until Ctrl-C
    Up(up::Up),
    /// Make a plausible Brazilian portfolio, play it, and show what happened
    Demo(demo::Demo),
    /// Play a portfolio through the whole system on a virtual clock
    Replay(replay::ReplayArgs),
    /// Receivables, delinquency, aging, settlement, results: as of any day
    Report(report::Report),
    /// Look into a service's log
    Events(events::Events),
    /// List, rebuild and verify views
    Projections(projections::ProjectionsArgs),
    /// Streams that wait for a person
    Parked(parked::ParkedArgs),
    /// Check a ladder, see its dates, move running receivables to another version
    Policy(policy::PolicyArgs),
    /// Why was a payer contacted, or not, on a day?
    Explain(explain::Explain),
    /// Files of banks, and what payers paste
    BankFile(bank_file::BankFileArgs),
    /// What a person has to do: approvals, reviews, what could not be delivered
    Tasks(tasks::TasksArgs),
    /// Debts that are owed anew, in instalments
    Agreements(agreements::AgreementsArgs),
    /// Entries at credit bureaus and protest offices
    Bureau(bureau::BureauArgs),
    /// Payments that are on no receivable
    Unapplied(unapplied::UnappliedArgs),
    /// Legal rates by month, for charges that bear them
    Rates(rates::RatesArgs),
    /// Days on which payers of a place are not contacted
    Holidays(holidays::HolidaysArgs),
    /// Look into a Pix code
    Pix(pix::PixArgs),
    /// How fast is it here, beside what this machine can do at all?
    Bench(bench::Bench),
    /// Are database, broker, topics, clock and configuration fit?
    Check(check::Check),
}

/// Runs a command; the value is the exit code.
pub async fn run(cli: Cli) -> anyhow::Result<u8> {
    let shared = cli.shared;
    match cli.command {
        Command::Up(args) => up::run(args, &shared).await,
        Command::Demo(args) => demo::run(args, &shared).await,
        Command::Replay(args) => replay::run(args, &shared).await,
        Command::Report(args) => report::run(args, &shared).await,
        Command::Events(args) => events::run(args, &shared).await,
        Command::Projections(args) => projections::run(args, &shared).await,
        Command::Parked(args) => parked::run(args, &shared).await,
        Command::Policy(args) => policy::run(args, &shared).await,
        Command::Explain(args) => explain::run(args, &shared).await,
        Command::BankFile(args) => bank_file::run(args, &shared).await,
        Command::Tasks(args) => tasks::run(args, &shared).await,
        Command::Agreements(args) => agreements::run(args, &shared).await,
        Command::Bureau(args) => bureau::run(args, &shared).await,
        Command::Unapplied(args) => unapplied::run(args, &shared).await,
        Command::Rates(args) => rates::run(args, &shared).await,
        Command::Holidays(args) => holidays::run(args, &shared).await,
        Command::Pix(args) => pix::run(args, &shared),
        Command::Bench(args) => bench::run(args, &shared).await,
        Command::Check(args) => check::run(args, &shared).await,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_of_the_command_line_are_those_that_the_services_take() {
        let read = |line: &str| Cli::try_parse_from(line.split(' ')).map(drop).map_err(|error| error.to_string());
        let takes = [
            "policy preview x.toml --due",
            "report aging --as-of",
            "report channels --from",
            "explain C1",
            "holidays list --from",
            "holidays remove tenant --by ana --reason x --day",
            "bank-file line 1 --today",
            "tasks snooze t --by ana --reason x --until",
        ];
        for command in takes {
            assert_eq!(read(&format!("regua {command} 2026-12-24")), Ok(()), "{command}");
            for day in ["9999-12-31", "2200-01-01", "1899-12-31", "2026-02-30", "+10000-01-01"] {
                let told = read(&format!("regua {command} {day}")).unwrap_err();
                assert!(told.contains("1900 to 2199"), "{command} {day}: {told}");
            }
        }
    }
}
