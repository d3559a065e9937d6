//! `regua check`: looks, and makes nothing.

mod bus;
mod clock;
mod storage;

use super::{DONE, FOUND, Shared};
use crate::{
    output::Table,
    settings::{DEFAULT, Settings},
};
use clap::Args;
use host::access;
use std::path::PathBuf;

/// Are database, broker, topics, clock and configuration fit? Exit code 3 where something is not
#[derive(Args)]
#[command(
    after_help = "Examples:\n  regua check\n  regua check --config regua.toml --format json\n  regua check --defaults > regua.toml\nIt only looks: what is missing is made when the services start."
)]
pub struct Check {
    /// Print the default configuration with its comments and end
    #[arg(long)]
    defaults: bool,
    /// Directory of the SQLite files (embedded storage)
    #[arg(long)]
    data: Option<PathBuf>,
}

/// One thing that was looked at.
struct Finding {
    what: String,
    fit: bool,
    note: String,
}

/// `Ok` is fit. What is only not made yet is fit too.
fn finding(what: impl Into<String>, outcome: Result<String, String>) -> Finding {
    let (fit, note) = match outcome {
        Ok(note) => (true, note),
        Err(note) => (false, note),
    };
    Finding { what: what.into(), fit, note }
}

pub async fn run(args: Check, shared: &Shared) -> anyhow::Result<u8> {
    if args.defaults {
        print!("{DEFAULT}");
        return Ok(DONE);
    }
    let mut findings = Vec::new();
    match shared.settings(args.data.as_ref()) {
        Err(error) => findings.push(finding("configuration", Err(format!("{error:#}")))),
        Ok(settings) => {
            findings.push(finding("configuration", Ok(settings.mode_name().to_owned())));
            findings.extend(listeners(&settings));
            findings.extend(storage::databases(&settings).await);
            findings.push(clock::clock(&settings).await);
            findings.extend(bus::bus(&settings).await);
            findings.extend(storage::payment_feeds(&settings).await);
        }
    }
    let mut table = Table::new("", &["what", "fit", "note"]);
    let all_fit = findings.iter().all(|finding| finding.fit);
    for finding in findings {
        table.row(vec![finding.what.into(), finding.fit.into(), finding.note.into()]);
    }
    table.print(shared.format)?;
    Ok(if all_fit { DONE } else { FOUND })
}

fn listeners(settings: &Settings) -> Vec<Finding> {
    let all = [
        (invoice::NAME, &settings.invoice),
        (dunning_engine::NAME, &settings.dunning_engine),
        (notification::NAME, &settings.notification),
        (reporting::NAME, &settings.reporting),
    ];
    let one = |(name, listen): (&str, &host::config::Listen)| {
        let both = [listen.grpc, listen.http].map(|address| access::check_listener(address, &settings.access));
        let outcome = both.into_iter().collect::<anyhow::Result<Vec<()>>>().map_err(|error| error.to_string());
        finding(format!("listener {name}"), outcome.map(|_| format!("{}, HTTP {}", listen.grpc, listen.http)))
    };
    all.into_iter().map(one).collect()
}
