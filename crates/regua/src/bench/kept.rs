//! The reporting service with a portfolio in its tables, on storage that waits for the disk.

use super::books::{self, EACH};
use crate::{
    progress,
    settings::{Mode, Settings},
    system,
};
use anyhow::{Context, ensure};
use contracts::reporting::v1::{self as proto, reporting_service_client::ReportingServiceClient};
use eventlog::{
    Activity, Log,
    bus::Place,
    projection::{Projections, Views},
};
use host::{Process, Service, clock::SystemClock, config::Access};
use invoice::publish::PublicFacts;
use kernel::{NaiveDate, calendar::days_between};
use sql::{Db, Durability, Value};
use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};
use tonic::transport::Channel;

/// How often somebody who waits looks again.
pub const LOOK: Duration = Duration::from_millis(1);
/// Whoever has waited for long looks again after such a part of it: looking costs too, and a five hundredth is not told apart.
const PART: u32 = 500;
/// Whoever reads nothing for so long never will.
const PATIENCE: Duration = Duration::from_secs(120);

/// The running service, and the log that it follows.
pub struct Kept {
    service: Service,
    process: Process,
    client: ReportingServiceClient<Channel>,
    log: Log,
    /// Where the log is.
    facts: PathBuf,
    views: Views,
    /// Payers whose facts are in the log.
    payers: AtomicU64,
    /// Events that it took in at first.
    pub events: u64,
    /// How long that took.
    pub took: Duration,
}

impl Kept {
    /// Starts it and lets it take in so many invoices, with their payers and payments. Errors: storage, or it stops reading.
    pub async fn filled(invoices: u64, place: &Path) -> anyhow::Result<Self> {
        let mut settings = Settings::load(None)?.on_free_ports();
        settings.storage.directory = place.join("data");
        let process = system::process(&settings, Mode::Live, Arc::new(SystemClock), Activity::new());
        // The log is where load comes from, and no part of what is measured.
        let facts = place.join("facts.sqlite");
        let db = Db::open_sqlite(&facts, Durability::Throwaway).await?;
        let log = Log::open(db, Arc::clone(&process.clock), Arc::clone(&process.ids)).await?;
        let payers = (invoices / EACH).max(1);
        books::append(&log, 0..payers, books::quarter).await?;
        let service = system::start_service(reporting::NAME, &settings, Mode::Live, &process, system::owner_url(&settings)).await?;
        let url = format!("http://{}", service.grpc().context("the service does not listen")?);
        let client = ReportingServiceClient::new(host::client::channel(&url, &Access::default())?);
        let watch = progress::stopwatch();
        offer(&process, &log).await?;
        wait_until_read(&service, invoice::TOPIC, &log).await?;
        let took = watch();
        let views = Views::of(service.projections().to_vec());
        let (payers, events) = (AtomicU64::new(payers), log.known_head());
        let kept = Self { service, process, client, log, facts, views, payers, events, took };
        kept.verify().await?;
        Ok(kept)
    }

    /// Invoices in the log.
    pub fn invoices(&self) -> u64 {
        self.payers() * EACH
    }

    /// Payers in the log.
    pub fn payers(&self) -> u64 {
        self.payers.load(Ordering::Relaxed)
    }

    /// The log that it follows.
    pub fn log(&self) -> &Log {
        &self.log
    }

    /// The same log through a handle that keeps nothing in memory yet. Errors: the database.
    pub async fn log_anew(&self) -> anyhow::Result<Log> {
        let db = Db::open_sqlite(&self.facts, Durability::Throwaway).await?;
        Ok(Log::look(db, Arc::clone(&self.process.clock), Arc::clone(&self.process.ids)).await?)
    }

    /// Its read models. Errors: it has none.
    pub fn projections(&self) -> anyhow::Result<&Projections> {
        self.service.projections().first().context("the service keeps no views")
    }

    /// Events of the log that its tables hold by now.
    pub fn read(&self) -> i64 {
        read_of_topic(&self.service, invoice::TOPIC)
    }

    /// Appends the facts of one payer more. Errors: the log.
    pub async fn one_more(&self) -> anyhow::Result<()> {
        let payer = self.payers();
        books::append(&self.log, payer..payer + 1, books::quarter).await?;
        self.payers.store(payer + 1, Ordering::Relaxed);
        Ok(())
    }

    /// Waits until it has read the whole log, and looks whether everything is there. Errors: it is not.
    pub async fn verify(&self) -> anyhow::Result<()> {
        wait_until_read(&self.service, invoice::TOPIC, &self.log).await?;
        let told = self.client.clone().get_portfolio(proto::GetPortfolioRequest::default()).await?.into_inner();
        let (payers, invoices) = (i64::try_from(self.payers())?, i64::try_from(self.invoices())?);
        ensure!((told.customers, told.invoices, told.payments) == (payers, invoices, invoices / 2), "{invoices} invoices became {told:?}");
        Ok(())
    }

    /// Aging at the end of a day. Errors: it is not what was appended.
    pub async fn aging(&self, day: NaiveDate, expected: (i64, i64)) -> anyhow::Result<()> {
        let asked = proto::GetAgingRequest { as_of: vec![day.to_string()], ..Default::default() };
        let told = self.client.clone().get_aging(asked).await?.into_inner();
        let line = told.lines.first().context("no line")?;
        ensure!((line.open_count, line.open_minor) == expected, "aging of {day} is {line:?}, should be {expected:?}");
        Ok(())
    }

    /// The hundred payers who are longest late. Errors: there are fewer, or one owes nothing.
    pub async fn delinquency(&self, day: NaiveDate) -> anyhow::Result<()> {
        let asked = proto::ListDelinquencyRequest { as_of: day.to_string(), page_size: 100, ..Default::default() };
        let told = self.client.clone().list_delinquency(asked).await?.into_inner();
        let expected = usize::try_from(self.payers().min(100))?;
        ensure!(told.lines.len() == expected && told.lines.iter().all(|line| line.overdue_minor > 0), "{} lines", told.lines.len());
        Ok(())
    }

    /// One payer's receivables. Errors: they are not those that were appended.
    pub async fn receivables(&self, payer: u64, day: NaiveDate) -> anyhow::Result<()> {
        let customer_id = super::facts::customer(payer % self.payers());
        let asked = proto::ListReceivablesRequest { as_of: day.to_string(), customer_id, ..Default::default() };
        let told = self.client.clone().list_receivables(asked).await?.into_inner();
        ensure!(told.receivables.len() as u64 == EACH, "a payer has {} receivables", told.receivables.len());
        Ok(())
    }

    /// The plain scan: every row of the table that aging and delinquency come from, added up as of a day. The sum keeps the planner from
    /// leaving rows out by an index. Errors: the sum is wrong.
    pub async fn scan(&self, day: NaiveDate, expected: (i64, i64)) -> anyhow::Result<()> {
        let text = "SELECT CAST(COALESCE(SUM(clear_minor + contested_minor), 0) AS BIGINT) AS open_minor FROM {standing} \
                    WHERE tenant = $1 AND from_day <= $2 AND until_day + 0 > $2";
        let number = days_between(NaiveDate::default(), day);
        let rows = self.views.query(text, &[host::access::DEFAULT_TENANT.into(), Value::Int(number)]).await?;
        let open_minor = rows.first().context("no sum")?.int("open_minor")?;
        ensure!(open_minor == expected.1, "what stood on {day} sums up to {open_minor}, should be {}", expected.1);
        Ok(())
    }

    /// Ends it.
    pub async fn stop(self) {
        self.process.stop.cancel();
        self.service.stop().await;
    }
}

/// How many rows a table has, or so much of it as a condition names. Errors: the database.
pub async fn count(db: &Db, what: &str) -> anyhow::Result<u64> {
    let rows = db.query(&format!("SELECT COUNT(*) AS stored FROM {what}"), &[]).await?;
    Ok(u64::try_from(rows.first().context("no count")?.int("stored")?)?)
}

/// Publishes a log as the invoice service's. Errors: the bus.
pub async fn offer(process: &Process, log: &Log) -> anyhow::Result<()> {
    process.bus.offer(invoice::TOPIC, log.clone(), Arc::new(PublicFacts), &process.activity, process.stop.clone()).await?;
    Ok(())
}

/// Waits until it is time to look again, after so long.
pub async fn look_again(waited: Duration) {
    tokio::time::sleep(LOOK.max(waited / PART)).await;
}

/// How many messages of a topic, of all its partitions, a service has read: in each as many as the slowest of its consumers.
fn read_of_topic(service: &Service, topic: &str) -> i64 {
    let mut places: BTreeMap<Place, i64> = BTreeMap::new();
    for consumer in service.consumers() {
        for (place, read) in consumer.places.into_iter().filter(|(place, _)| place.topic == topic) {
            places.entry(place).and_modify(|next| *next = (*next).min(read.next)).or_insert(read.next);
        }
    }
    places.values().sum()
}

/// Waits until a service has read all that the log of a topic had when it began. Errors: it has stopped, or parked a stream.
pub async fn wait_until_read(service: &Service, topic: &str, log: &Log) -> anyhow::Result<()> {
    wait_for(service, topic, i64::try_from(log.known_head())?, |_| ()).await
}

/// Waits until a service has read so many messages of a topic, and tells how many it has each time that it has more. Errors: it has stopped,
/// or parked a stream.
pub async fn wait_for(service: &Service, topic: &str, whole: i64, mut moved_to: impl FnMut(i64)) -> anyhow::Result<()> {
    let watch = progress::stopwatch();
    let (mut furthest, mut moved) = (0, Duration::ZERO);
    loop {
        let next = read_of_topic(service, topic);
        if next > furthest {
            (furthest, moved) = (next, watch());
            moved_to(next);
        }
        if next >= whole {
            return Ok(());
        }
        let consumers = service.consumers();
        let ended = consumers.iter().find(|consumer| consumer.stopped || consumer.parked > 0);
        ensure!(ended.is_none(), "a consumer does not go on at {next} of {whole}: {ended:?}");
        ensure!(watch().saturating_sub(moved) < PATIENCE, "nothing was read for long at {next} of {whole}");
        look_again(watch()).await;
    }
}
