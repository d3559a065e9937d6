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
use std::{collections::BTreeMap, net::SocketAddr, path::PathBuf};

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
        Err(error) => findings.extend(faults(&error)),
        Ok(settings) => {
            findings.push(finding("configuration", Ok(settings.mode_name().to_owned())));
            findings.extend(refused_by_up(&settings));
            findings.extend(listeners(&settings));
            findings.extend(shared_addresses(&settings));
            findings.extend(storage::databases(&settings).await);
            findings.push(clock::clock(&settings).await);
            findings.extend(bus::bus(&settings).await);
            findings.extend(storage::payment_feeds(&settings).await);
            findings.extend(storage::legal_rates(&settings).await);
            findings.push(storage::removals(&settings).await);
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

/// A finding for each fault of a configuration.
fn faults(error: &anyhow::Error) -> Vec<Finding> {
    let whole = || vec![finding("configuration", Err(format!("{error:#}")))];
    let one = |fault: &host::config::Fault| finding(fault.path.clone(), Err(fault.message.clone()));
    error.downcast_ref::<host::config::Faults>().map_or_else(whole, |faults| faults.0.iter().map(one).collect())
}

/// Keys that the services refuse when they start.
fn refused_by_up(settings: &Settings) -> Vec<Finding> {
    settings.refused_at_start().into_iter().map(|fault| finding(fault.path, Err(fault.message))).collect()
}

fn of_services(settings: &Settings) -> [(&'static str, &host::config::Listen); 4] {
    [
        (invoice::NAME, &settings.invoice),
        (dunning_engine::NAME, &settings.dunning_engine),
        (notification::NAME, &settings.notification),
        (reporting::NAME, &settings.reporting),
    ]
}

/// Addresses that two listeners name; port 0 is any free one.
fn shared_addresses(settings: &Settings) -> Vec<Finding> {
    let mut by_address: BTreeMap<SocketAddr, Vec<String>> = BTreeMap::new();
    for (name, listen) in of_services(settings) {
        for (key, address) in [("grpc", listen.grpc), ("http", listen.http)] {
            by_address.entry(address).or_default().push(format!("{name}.{key}"));
        }
    }
    let shared = by_address.into_iter().filter(|(address, keys)| address.port() != 0 && keys.len() > 1);
    shared.map(|(address, keys)| finding(keys.join(", "), Err(format!("all name {address}")))).collect()
}

fn listeners(settings: &Settings) -> Vec<Finding> {
    let all = of_services(settings);
    let one = |(name, listen): (&str, &host::config::Listen)| {
        let both = [listen.grpc, listen.http].map(|address| access::check_listener(address, &settings.access));
        let outcome = both.into_iter().collect::<anyhow::Result<Vec<()>>>().map_err(|error| error.to_string());
        finding(format!("listener {name}"), outcome.map(|_| format!("{}, HTTP {}", listen.grpc, listen.http)))
    };
    all.into_iter().map(one).collect()
}
