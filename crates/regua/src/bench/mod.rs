//! What the system costs, each figure beside a reference that is measured in the same run on the same disk and cores: an absolute
//! figure drifts with the machine, a ratio tells what is left to gain.
//!
//! Everything is durable as it is in use (SQLite: WAL, synchronous=FULL), rounds of path and reference take turns, medians count, and
//! after each round what was acknowledged is looked for in the store.

mod append;
mod books;
mod codecs;
mod disk;
mod echo;
mod facts;
mod figure;
mod footprint;
mod freshness;
mod group_commit;
mod growth;
mod grpc;
mod kept;
mod load;
mod machine;
mod played;
mod postgres;
mod rebuild;
mod reports;
mod streamed;
mod timers;
mod up;
pub mod work;

pub use figure::{Figure, Left, Report};

use crate::settings::Settings;
use anyhow::Context;
use std::{collections::BTreeMap, path::Path, time::Duration};

/// How much is measured.
#[derive(Debug, Clone)]
pub struct Plan {
    /// Rounds of path and reference, in turn; fewer than three make no median.
    pub rounds: usize,
    /// How long a round of a load lasts.
    pub round: Duration,
    /// Payers whose accounts the load is spread over.
    pub payers: u64,
    /// Invoices of the portfolio that is played.
    pub portfolio: u32,
    /// Months that it is played: each has its days, however few invoices fall due on them.
    pub months: u32,
    /// Invoices behind reports, views that are built again, and timers.
    pub invoices: u64,
    /// Invoices behind views that are built again a second time, once; none = they are not.
    pub large_rebuild: Option<u64>,
    /// Invoices of the portfolios that `growth` compares, the smallest first.
    pub growth: Vec<u64>,
}

impl Plan {
    /// Three minutes for everything.
    pub fn quick() -> Self {
        Self {
            rounds: 3,
            round: Duration::from_millis(300),
            payers: 10_000,
            portfolio: 500,
            months: 3,
            invoices: 4_000,
            large_rebuild: None,
            growth: vec![400, 4_000],
        }
    }

    /// A quarter of an hour for everything.
    pub fn usual() -> Self {
        let growth = vec![10_000, 100_000, 1_000_000];
        Self {
            rounds: 3,
            round: Duration::from_secs(1),
            payers: 10_000,
            portfolio: 1_500,
            months: 18,
            invoices: 50_000,
            large_rebuild: None,
            growth,
        }
    }

    /// As long as it takes.
    pub fn full() -> Self {
        let growth = vec![10_000, 100_000, 1_000_000, 10_000_000];
        // With their payers and payments ten million events.
        let large_rebuild = Some(6_250_000);
        let round = Duration::from_secs(10);
        Self { rounds: 5, round, payers: 10_000, portfolio: 100_000, months: 18, invoices: 1_000_000, large_rebuild, growth }
    }

    /// The same in one round.
    fn once(&self) -> Self {
        Self { rounds: 1, ..self.clone() }
    }

    /// As a report tells it.
    fn told(&self) -> BTreeMap<&'static str, u64> {
        let round_ms = u64::try_from(self.round.as_millis()).unwrap_or(u64::MAX);
        BTreeMap::from([("rounds", self.rounds as u64), ("round_ms", round_ms), ("payers", self.payers), ("invoices", self.invoices)])
    }

    /// How long a loop for latencies lasts: one in each round, together as long as a round.
    fn latency_round(&self) -> Duration {
        self.round / u32::try_from(self.rounds.max(1)).unwrap_or(1)
    }
}

/// What can be measured, in the order in which it is.
pub const NAMES: [&str; 17] = [
    "append_sqlite",
    "append_postgres",
    "append_pgbench",
    "grpc_unary",
    "grpc_bulk",
    "grpc_bulk_postgres",
    "relay",
    "project",
    "freshness",
    "replay",
    "report",
    "rebuild",
    "timers",
    "timers_postgres",
    "growth",
    "codecs",
    "footprint",
];

/// Those that need a PostgreSQL.
const ON_POSTGRES: [&str; 7] =
    ["append_postgres", "append_pgbench", "grpc_bulk_postgres", "relay", "project", "freshness", "timers_postgres"];
/// Those of them that need a Kafka too.
const ON_KAFKA: [&str; 3] = ["relay", "project", "freshness"];

/// Measures the named figures; all where none is named. `directory` is on the disk that is measured, `told` are versions that this program
/// cannot find out: of what built it, of the broker.
///
/// # Errors
/// Something that cannot be measured: a store that fails, an acknowledged fact that is not there.
pub async fn run(
    plan: &Plan,
    only: &[String],
    (settings, told): (&Settings, &[(String, String)]),
    directory: &Path,
) -> anyhow::Result<Report> {
    // What this program knows of itself nobody tells it otherwise.
    let mut versions: BTreeMap<String, String> = told.iter().cloned().collect();
    versions.extend(machine::versions(directory).await?);
    let mut report = Report { machine: machine::machine(directory), versions, plan: plan.told(), ..Report::default() };
    let wanted = |name: &str| only.is_empty() || only.iter().any(|wanted| wanted == name);
    if settings.storage.kind == "postgres" {
        let server = postgres::durable_server(&settings.storage).await.context("the PostgreSQL of storage.url cannot be measured")?;
        report.versions.insert("postgres".to_owned(), server);
    }
    for name in NAMES {
        if !wanted(name) {
            continue;
        }
        eprintln!("bench: {name}");
        if name == "footprint"
            && let Some(reason) = lacks(settings, true)
        {
            report.skipped.push(Left { name: "footprint/services".to_owned(), reason: reason.to_owned() });
        }
        let place = directory.join(name);
        std::fs::create_dir_all(&place).with_context(|| format!("{} cannot be made", place.display()))?;
        machine::settle(&place).await?;
        match measure(name, plan, settings, &place).await.with_context(|| format!("{name} could not be measured"))? {
            Outcome::Measured(figures) => report.figures.extend(figures),
            Outcome::Skipped(reason) => report.skipped.push(Left { name: name.to_owned(), reason }),
        }
    }
    Ok(report)
}

/// What a figure needs, a PostgreSQL and perhaps a Kafka, and the configuration does not name.
fn lacks(settings: &Settings, kafka: bool) -> Option<&'static str> {
    if settings.storage.kind != "postgres" {
        return Some("--config names no PostgreSQL (make stack writes one)");
    }
    (kafka && settings.bus.kind != "kafka").then_some("--config names no Kafka (make stack writes one)")
}

/// What came of a figure.
enum Outcome {
    Measured(Vec<Figure>),
    Skipped(String),
}

async fn measure(name: &str, plan: &Plan, settings: &Settings, place: &Path) -> anyhow::Result<Outcome> {
    let storage = &settings.storage;
    if ON_POSTGRES.contains(&name)
        && let Some(reason) = lacks(settings, ON_KAFKA.contains(&name))
    {
        return Ok(Outcome::Skipped(reason.to_owned()));
    }
    let figures = match name {
        "append_sqlite" => append::on_sqlite(plan, place).await?,
        "append_postgres" => append::on_postgres(plan, storage).await?,
        "append_pgbench" if !postgres::has_pgbench().await => return Ok(Outcome::Skipped("there is no pgbench on the path".to_owned())),
        "append_pgbench" => append::beside_pgbench(plan, storage, place).await?,
        "grpc_unary" => grpc::unary(plan, place).await?,
        "grpc_bulk" => grpc::bulk(plan, place).await?,
        "grpc_bulk_postgres" => grpc::bulk_on_postgres(plan, storage).await?,
        "relay" => streamed::relay(plan, settings).await?,
        "project" => streamed::project(plan, settings).await?,
        "freshness" => freshness::measure(plan, settings).await?,
        "replay" => played::measure(plan, place).await?,
        "report" => reports::measure(plan, place).await?,
        "rebuild" => rebuild::measure(plan, place).await?,
        "timers" => timers::on_sqlite(plan, place).await?,
        "timers_postgres" => timers::on_postgres(plan, storage, place).await?,
        "growth" => growth::measure(plan, place).await?,
        "codecs" => codecs::measure(plan),
        "footprint" => footprint::measure(plan, settings, place).await?,
        other => anyhow::bail!("there is no figure {other}"),
    };
    Ok(Outcome::Measured(figures))
}

/// Tells what is being measured.
fn tell(what: &str, round: usize, plan: &Plan) {
    eprintln!("bench:   {what}, round {} of {}", round + 1, plan.rounds);
}
