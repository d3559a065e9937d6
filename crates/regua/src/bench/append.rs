//! Command, decision, durable append, in process: what everything else stands on.

use super::{
    Figure, Plan, disk,
    facts::{self, Facts},
    group_commit::GroupCommit,
    load::{self, Load},
    postgres, tell,
};
use crate::progress;
use anyhow::{Context, ensure};
use eventlog::{Log, Writer, WriterOptions};
use futures::{StreamExt, TryStreamExt, stream};
use host::{clock::SystemClock, config::Storage, ids::TimeOrdered};
use invoice::Accounts;
use sql::{Db, Durability};
use std::{
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

/// Commands that wait for their answer at a time.
const IN_FLIGHT: [usize; 5] = [1, 16, 64, 256, 1024];
/// Latency is told at this share of what the path can take: at the brink it would tell of nothing but the queue.
const USUAL_LOAD: f64 = 0.7;

/// A store with the writer over it, and beside it one with the reference.
pub struct Ground {
    writer: Writer<Accounts>,
    facts: Facts,
    reference: GroupCommit,
    reference_facts: Facts,
    at: At,
}

/// Where the store is: it is opened once more to look whether everything is there.
enum At {
    File(PathBuf),
    Schema { url: String, name: String },
}

impl Ground {
    /// In files of a directory, durable.
    pub async fn on_sqlite(plan: &Plan, place: &Path) -> anyhow::Result<Self> {
        let file = place.join("append.sqlite");
        let db = Db::open_sqlite(&file, Durability::Full).await?;
        let reference = Db::open_sqlite(&place.join("reference.sqlite"), Durability::Full).await?;
        Self::over(plan, db, reference, At::File(file)).await
    }

    /// In schemas of a bench, which [`postgres::clear`] removes.
    pub async fn on_postgres(plan: &Plan, storage: &Storage) -> anyhow::Result<Self> {
        let (url, name) = (storage.url.clone(), postgres::schema(storage, "path"));
        let db = Db::connect_postgres(&url, &name, storage.max_connections).await?;
        let reference = Db::connect_postgres(&storage.url, &postgres::schema(storage, "reference"), storage.max_connections).await?;
        Self::over(plan, db, reference, At::Schema { url, name }).await
    }

    async fn over(plan: &Plan, db: Db, reference: Db, at: At) -> anyhow::Result<Self> {
        let log = Log::open(db, Arc::new(SystemClock), Arc::new(TimeOrdered)).await?;
        let options = WriterOptions::default();
        let ground = Self {
            writer: Writer::spawn(Arc::new(Accounts::default()), log, options),
            facts: Facts::new(plan.payers),
            reference: GroupCommit::start(reference, facts::payload()?).await?,
            reference_facts: Facts::new(plan.payers),
            at,
        };
        let all = (0..plan.payers).map(|payer| ground.submit(ground.facts.register(payer)));
        stream::iter(all).buffer_unordered(512).try_collect::<Vec<()>>().await?;
        Ok(ground)
    }

    async fn submit(&self, submission: anyhow::Result<eventlog::Submission<Accounts>>) -> anyhow::Result<()> {
        let written = self.writer.submit(submission?).await.map_err(|error| anyhow::anyhow!("{error}"))?;
        ensure!(!written.appended.deduplicated, "a command was taken for another one");
        Ok(())
    }

    /// A round of the path. Errors: the store, or something acknowledged is not there.
    pub async fn path(&self, in_flight: usize, plan: &Plan) -> anyhow::Result<Load> {
        let before = self.writer.log().head().await?;
        let load = load::closed(in_flight, plan.round, || self.submit(self.facts.issue())).await?;
        self.verify(before, load.done).await?;
        Ok(load)
    }

    /// So many invoices, and how long they took. Errors: as a round.
    pub async fn put(&self, invoices: u64, in_flight: usize) -> anyhow::Result<Duration> {
        let before = self.writer.log().head().await?;
        let watch = progress::stopwatch();
        let all = (0..invoices).map(|_| self.submit(self.facts.issue()));
        stream::iter(all).buffer_unordered(in_flight).try_collect::<Vec<()>>().await?;
        let took = watch();
        self.verify(before, invoices).await?;
        Ok(took)
    }

    /// How long commands wait at a rate that is less than it can take.
    async fn latency(&self, rate: f64, plan: &Plan) -> anyhow::Result<Load> {
        let before = self.writer.log().head().await?;
        let load = load::open(rate * USUAL_LOAD, plan.latency_round(), || self.submit(self.facts.issue())).await?;
        self.verify(before, load.done).await?;
        Ok(load)
    }

    /// A round of the reference.
    async fn reference(&self, in_flight: usize, plan: &Plan) -> anyhow::Result<Load> {
        let before = self.reference.stored().await?;
        let load = load::closed(in_flight, plan.round, || self.reference.store(self.reference_facts.next())).await?;
        let there = self.reference.stored().await? - before;
        ensure!(there == load.done, "the reference acknowledged {} rows and has {there}", load.done);
        Ok(load)
    }

    async fn verify(&self, before: u64, acknowledged: u64) -> anyhow::Result<()> {
        let anew = match &self.at {
            At::File(file) => Db::open_sqlite(file, Durability::Full).await?,
            At::Schema { url, name } => Db::connect_postgres(url, name, 1).await?,
        };
        verify(&anew, before, acknowledged).await
    }
}

/// Looks for what was acknowledged after a position: as many invoices, on positions without a gap. Errors: some are not there.
pub async fn verify(db: &Db, before: u64, acknowledged: u64) -> anyhow::Result<()> {
    let sql = "SELECT COUNT(*) AS stored, CAST(COALESCE(MAX(position), 0) AS BIGINT) AS newest FROM events \
               WHERE position > $1 AND event_type = 'InvoiceIssued'";
    let rows = db.query(sql, &[sql::Value::Int(i64::try_from(before)?)]).await?;
    let row = rows.first().context("no count")?;
    let (stored, newest) = (u64::try_from(row.int("stored")?)?, u64::try_from(row.int("newest")?)?);
    ensure!(stored == acknowledged, "{acknowledged} invoices were acknowledged and {stored} are there");
    ensure!(stored == 0 || newest - before == stored, "{stored} invoices end at position {newest}, begun after {before}");
    Ok(())
}

/// Measures it on SQLite.
pub async fn on_sqlite(plan: &Plan, place: &Path) -> anyhow::Result<Vec<Figure>> {
    let ground = Ground::on_sqlite(plan, place).await?;
    let mut figures = Vec::new();
    for in_flight in IN_FLIGHT {
        let goal = (in_flight == 256).then_some(0.8);
        figures.push(level(&ground, plan, ("append_sqlite", in_flight), goal).await?);
    }
    figures.push(beside_the_disk(&ground, plan, place).await?);
    Ok(figures)
}

/// Measures it in schemas of its own on PostgreSQL, which are removed.
pub async fn on_postgres(plan: &Plan, storage: &Storage) -> anyhow::Result<Vec<Figure>> {
    postgres::clear(storage).await?;
    let ground = Ground::on_postgres(plan, storage).await?;
    let mut figures = Vec::new();
    for in_flight in IN_FLIGHT {
        let goal = (in_flight == 256).then_some(0.8);
        figures.push(level(&ground, plan, ("append_postgres", in_flight), goal).await?);
    }
    drop(ground);
    postgres::clear(storage).await?;
    Ok(figures)
}

/// Measures it on PostgreSQL beside the server's own tool.
pub async fn beside_pgbench(plan: &Plan, storage: &Storage, place: &Path) -> anyhow::Result<Vec<Figure>> {
    postgres::clear(storage).await?;
    let ground = Ground::on_postgres(plan, storage).await?;
    let inserts = postgres::Inserts::prepare(storage, place).await?;
    let (mut path, mut reference) = (Vec::new(), Vec::new());
    for round in 0..plan.rounds {
        tell("append_pgbench", round, plan);
        path.push(ground.path(256, plan).await?.rate());
        reference.push(inserts.round(storage, place, plan.round).await?);
    }
    drop((ground, inserts));
    postgres::clear(storage).await?;
    let reference = ("pgbench, single inserts of 64 clients", reference.as_slice());
    Ok(vec![Figure::rate("append_pgbench".to_owned(), "commands/s", &path, reference).with_goal(Some(4.0))])
}

async fn level(ground: &Ground, plan: &Plan, variant: (&str, usize), goal: Option<f64>) -> anyhow::Result<Figure> {
    let (name, in_flight) = variant;
    let (mut path, mut reference, mut waits) = (Vec::new(), Vec::new(), load::Rounds::default());
    for round in 0..plan.rounds {
        tell(&format!("{name}, {in_flight} in flight"), round, plan);
        let rate = ground.path(in_flight, plan).await?.rate();
        path.push(rate);
        reference.push(ground.reference(in_flight, plan).await?.rate());
        waits.push(&ground.latency(rate, plan).await?.latency);
    }
    let figure = Figure::rate(format!("{name}/{in_flight}"), "commands/s", &path, ("a group commit of the same rows", &reference));
    Ok(figure.with_goal(goal).with_latency(waits.medians()))
}

/// One at a time nothing is shared: each command waits for one sync of the disk.
async fn beside_the_disk(ground: &Ground, plan: &Plan, place: &Path) -> anyhow::Result<Figure> {
    let (mut path, mut reference) = (Vec::new(), Vec::new());
    for round in 0..plan.rounds {
        tell("append_sqlite beside the disk", round, plan);
        path.push(ground.path(1, plan).await?.rate());
        reference.push(disk::sync_rate(place, plan.round).await?);
    }
    let reference = ("a write of 4 KiB and a sync, over and over", reference.as_slice());
    Ok(Figure::rate("append_sqlite/disk".to_owned(), "commands/s", &path, reference).with_goal(Some(0.9)))
}
