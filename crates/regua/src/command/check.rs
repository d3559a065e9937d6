//! `regua check`

use super::{DONE, FOUND, Shared, data};
use crate::{
    output::Table,
    settings::{DEFAULT, Settings},
    system,
};
use chrono::TimeDelta;
use clap::Args;
use eventlog::{Log, bus::Bus};
use host::{access, clock::SystemClock, environment::open_database, ids::TimeOrdered, launch};
use sql::Durability;
use std::{collections::BTreeSet, path::PathBuf, sync::Arc};

/// Are database, broker, topics, clock and configuration fit? Exit code 3 where something is not
#[derive(Args)]
#[command(after_help = "Examples:\n  regua check\n  regua check --config regua.toml --format json\n  regua check --defaults > regua.toml")]
pub struct Check {
    /// Print the default configuration with its comments and end
    #[arg(long)]
    defaults: bool,
    /// Directory of the SQLite files (embedded storage)
    #[arg(long)]
    data: Option<PathBuf>,
}

struct Finding {
    what: String,
    fit: bool,
    note: String,
}

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
            findings.extend(databases(&settings).await);
            findings.push(broker(&settings).await);
            findings.extend(payment_feeds(&settings).await);
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
        let outcome = access::check_listener(listen.grpc, &settings.access).map_err(|error| error.to_string());
        finding(format!("listener {name}"), outcome.map(|()| listen.grpc.to_string()))
    };
    all.into_iter().map(one).collect()
}

async fn databases(settings: &Settings) -> Vec<Finding> {
    let mut findings = Vec::new();
    for name in system::SERVICES {
        if is_missing(settings, name) {
            findings.push(finding(format!("database {name}"), Ok("not made yet; `regua up` makes it".to_owned())));
            continue;
        }
        let db = match open_database(name, &settings.storage, Durability::Full).await {
            Ok(db) => db,
            Err(error) => {
                findings.push(finding(format!("database {name}"), Err(format!("{error:#}"))));
                continue;
            }
        };
        let outcome = if data::WITH_LOG.contains(&name) { log_health(db).await } else { Ok("reachable".to_owned()) };
        findings.push(finding(format!("database {name}"), outcome));
    }
    findings
}

/// The head of the log, and whether the clock is behind its last event.
async fn log_health(db: sql::Db) -> Result<String, String> {
    let log = Log::open(db, Arc::new(SystemClock), Arc::new(TimeOrdered)).await.map_err(|error| error.to_string())?;
    let head = log.head().await.map_err(|error| error.to_string())?;
    let last = log.read(head.saturating_sub(1), 1).await.map_err(|error| error.to_string())?;
    match last.first() {
        Some(event) if event.recorded_at > log.clock().now() + chrono::TimeDelta::minutes(1) => {
            Err(format!("the clock is behind the last event of {}", event.recorded_at))
        }
        _ => Ok(format!("{head} events")),
    }
}

/// Whether overdue reminders wait for payments that may be missing, for each tenant that the configuration names.
async fn payment_feeds(settings: &Settings) -> Vec<Finding> {
    let hours = settings.payment_feed_max_age_hours;
    if hours == 0 {
        return vec![finding("payment feed", Ok("no limit: always taken as fresh".to_owned()))];
    }
    if is_missing(settings, invoice::NAME) {
        return vec![finding("payment feed", Ok("not reported yet".to_owned()))];
    }
    let log = match open_log(settings, invoice::NAME).await {
        Ok(log) => log,
        Err(error) => return vec![finding("payment feed", Err(format!("{error:#}")))],
    };
    let mut findings = Vec::new();
    for tenant in tenants(settings) {
        let told = invoice::payment_feed(&log, &tenant).await.map_err(|error| error.to_string());
        let judged = told.and_then(|feed| {
            let known = feed.known_until.map_or("never reported".to_owned(), |until| format!("payments known until {until}"));
            let is_stale = feed.is_stale(log.clock().now(), TimeDelta::hours(i64::from(hours)));
            if is_stale { Err(format!("overdue reminders wait: {known}, limit {hours} h")) } else { Ok(known) }
        });
        findings.push(finding(format!("payment feed {tenant}"), judged));
    }
    findings
}

/// Tenants with a token of their own; without tokens the one of an installation without login.
fn tenants(settings: &Settings) -> BTreeSet<String> {
    let named = settings.access.tokens.values().filter_map(|tenant| tenant.as_str()).filter(|tenant| *tenant != access::ANY_TENANT);
    let named: BTreeSet<String> = named.map(str::to_owned).collect();
    if named.is_empty() { BTreeSet::from([access::DEFAULT_TENANT.to_owned()]) } else { named }
}

fn is_missing(settings: &Settings, name: &str) -> bool {
    settings.storage.kind == "sqlite" && !settings.storage.directory.join(format!("{name}.sqlite")).exists()
}

async fn open_log(settings: &Settings, name: &str) -> anyhow::Result<Log> {
    let db = open_database(name, &settings.storage, Durability::Full).await?;
    Ok(Log::open(db, Arc::new(SystemClock), Arc::new(TimeOrdered)).await?)
}

async fn broker(settings: &Settings) -> Finding {
    match launch::bus_of(&settings.bus) {
        Bus::InProcess(_) => finding("bus", Ok("in process".to_owned())),
        Bus::Kafka(kafka) => {
            if let Err(error) = kafka.reach().await {
                return finding("bus", Err(error.to_string()));
            }
            for topic in [invoice::TOPIC, dunning_engine::TOPIC, notification::TOPIC] {
                if let Err(error) = kafka.ensure_topic(topic).await {
                    return finding("bus", Err(format!("{topic}: {error}")));
                }
            }
            finding("bus", Ok(format!("{}, {} partitions", settings.bus.brokers, settings.bus.partitions)))
        }
    }
}
