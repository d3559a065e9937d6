//! Through Kafka: a log on PostgreSQL to its topic, and the topic to views on PostgreSQL.

use super::{
    Figure, Plan,
    books::{self, EACH},
    kept,
    load::{median, per_second},
    postgres, tell,
};
use crate::{
    progress,
    settings::{Mode, Settings},
    system,
};
use anyhow::{Context, ensure};
use contracts::reporting::v1::{GetPortfolioRequest, reporting_service_client::ReportingServiceClient};
use eventlog::{
    Activity, Log,
    bus::{Bus, Kafka},
    relay::Relay,
};
use host::{
    Process, Service,
    clock::SystemClock,
    config::{Access, Storage},
};
use invoice::publish::PublicFacts;
use sql::{Db, Durability};
use std::{sync::Arc, time::Duration};
use tokio_util::sync::CancellationToken;

/// Events read at a time.
const PAGE: usize = 1000;
/// Rows of a statement and of a transaction of the reference: about as many as a page of the path writes.
const ROWS: usize = 1000;
/// How many times the invoices of other figures a relay carries: it is through with those of a short run before its producer is open.
const RELAYED: u64 = 4;
/// Where nothing moves for so long nothing will.
const PATIENCE: Duration = Duration::from_secs(120);

/// The settings of an installation of a bench: its own schemas and topics beside those that are there.
pub fn apart(settings: &Settings) -> Settings {
    let mut apart = settings.clone().on_free_ports();
    apart.storage.prefix = postgres::schema(&settings.storage, "");
    apart.bus.prefix = format!("{}bench-", settings.bus.prefix);
    apart
}

/// The cluster of a process. Errors: it has none.
pub fn kafka(process: &Process) -> anyhow::Result<&Kafka> {
    match &process.bus {
        Bus::Kafka(kafka) => Ok(kafka),
        Bus::InProcess(_) => anyhow::bail!("the bus is no Kafka"),
    }
}

/// Removes schemas and topics of every bench. Errors: PostgreSQL or Kafka.
pub async fn clear(settings: &Settings) -> anyhow::Result<()> {
    postgres::clear(&settings.storage).await?;
    let apart = apart(settings);
    if let Bus::Kafka(kafka) = host::launch::bus_of(&apart.bus) {
        let prefix = apart.bus.prefix;
        kafka.delete_topics(move |name| name.starts_with(&prefix)).await?;
    }
    Ok(())
}

/// A portfolio's facts in a log on PostgreSQL, and the process that publishes it.
struct Source {
    process: Process,
    log: Log,
    settings: Settings,
    payers: u64,
}

impl Source {
    async fn filled(invoices: u64, settings: &Settings) -> anyhow::Result<Self> {
        clear(settings).await?;
        let settings = apart(settings);
        let process = system::process(&settings, Mode::Live, Arc::new(SystemClock), Activity::new());
        let storage = &settings.storage;
        let db = Db::connect_postgres(&storage.url, &format!("{}facts", storage.prefix), storage.max_connections).await?;
        let log = Log::open(db, Arc::clone(&process.clock), Arc::clone(&process.ids)).await?;
        let payers = (invoices / EACH).max(1);
        books::append(&log, 0..payers, books::quarter).await?;
        Ok(Self { process, log, settings, payers })
    }

    /// Copies the log to a topic that is there and empty, and tells how long the relay took to begin, and from there to its end. Errors: it
    /// stands still, or events are missing.
    async fn relay(&self, topic: &str) -> anyhow::Result<(Duration, Duration)> {
        let kafka = kafka(&self.process)?;
        kafka.ensure_topic(topic).await?;
        let (stop, watch) = (CancellationToken::new(), progress::stopwatch());
        let relay = Relay::start(topic, self.log.clone(), Arc::new(PublicFacts), kafka, (&self.process.activity, stop.clone())).await?;
        let (mut begun, mut published, mut moved) = (None, 0, Duration::ZERO);
        while published < self.log.known_head() {
            tokio::time::sleep(kept::LOOK).await;
            let now = relay.status();
            if now.active {
                begun.get_or_insert_with(&watch);
            }
            if now.published > published {
                (published, moved) = (now.published, watch());
            }
            ensure!(watch().saturating_sub(moved) < PATIENCE, "the relay stands still: {:?}", now.trouble);
        }
        let (begun, ended) = (begun.unwrap_or_default(), watch());
        stop.cancel();
        relay.stopped().await;
        self.verify_topic(topic).await?;
        Ok((begun, ended.saturating_sub(begun)))
    }

    /// Asks the cluster through a client of its own how much a topic holds. Errors: not what the log does.
    async fn verify_topic(&self, topic: &str) -> anyhow::Result<()> {
        let asked = host::launch::bus_of(&self.settings.bus);
        let Bus::Kafka(kafka) = &asked else { anyhow::bail!("the bus is no Kafka") };
        kafka.ensure_topic(topic).await?;
        let there: i64 = kafka.known_ends(topic).iter().map(|(_, end)| end).sum();
        ensure!(u64::try_from(there)? == self.log.known_head(), "{} events are {there} in {topic}", self.log.known_head());
        Ok(())
    }

    async fn events(&self) -> anyhow::Result<Vec<eventlog::Recorded>> {
        let (mut events, mut after) = (Vec::new(), 0);
        loop {
            let page = self.log.read(after, PAGE).await?;
            let Some(last) = page.last() else { return Ok(events) };
            after = last.position;
            events.extend(page);
        }
    }
}

/// A log on PostgreSQL to its topic, beside librdkafka alone with the same bytes from memory. Both open a producer meanwhile; what a relay
/// does before that, once in its life, is a figure of its own.
pub async fn relay(plan: &Plan, settings: &Settings) -> anyhow::Result<Vec<Figure>> {
    let source = Source::filled(plan.invoices * RELAYED, settings).await?;
    let (mut path, mut reference, mut starts) = (Vec::new(), Vec::new(), Vec::new());
    for round in 0..plan.rounds {
        tell("relay", round, plan);
        let (start, took) = source.relay(&format!("relay.{round}")).await?;
        path.push(per_second(source.log.known_head(), took));
        starts.push(start.as_secs_f64() * 1000.0);
        let topic = format!("bare.{round}");
        let bare = kafka(&source.process)?.bare(&topic, source.events().await?, &PublicFacts).await?;
        let (messages, watch) = (bare.len() as u64, progress::stopwatch());
        bare.send().await?;
        reference.push(per_second(messages, watch()));
        source.verify_topic(&topic).await?;
    }
    drop(source);
    clear(settings).await?;
    let reference = ("librdkafka alone, the same bytes from memory", reference.as_slice());
    Ok(vec![
        Figure::rate("relay".to_owned(), "events/s", &path, reference).with_goal(Some(0.7)),
        Figure::cost("relay/start", "ms", median(&starts), None),
    ])
}

/// A topic to the views of reporting, beside multi-row upserts of the rows that it wrote.
pub async fn project(plan: &Plan, settings: &Settings) -> anyhow::Result<Vec<Figure>> {
    let source = Source::filled(plan.invoices, settings).await?;
    source.relay(invoice::TOPIC).await?;
    let (mut path, mut reference) = (Vec::new(), Vec::new());
    for round in 0..plan.rounds {
        tell("project", round, plan);
        let (rate, storage) = take_in(&source, round).await?;
        path.push(rate);
        let rows = Rows::of(&storage, round).await?;
        let watch = progress::stopwatch();
        rows.upsert().await?;
        reference.push(per_second(source.log.known_head(), watch()));
        rows.verify().await?;
    }
    drop(source);
    clear(settings).await?;
    let reference = ("multi-row upserts of the same rows", reference.as_slice());
    Ok(vec![Figure::rate("project".to_owned(), "events/s", &path, reference).with_goal(Some(0.6))])
}

/// Lets a new reporting service read the whole topic: events a second, and where its tables are. Errors: it stops reading, or its views
/// are not the portfolio's.
async fn take_in(source: &Source, round: usize) -> anyhow::Result<(f64, Storage)> {
    let mut settings = source.settings.clone();
    settings.storage.prefix = format!("{}round{round}_", settings.storage.prefix);
    let process = system::process(&settings, Mode::Live, Arc::new(SystemClock), Activity::new());
    let service = system::start_service(reporting::NAME, &settings, Mode::Live, &process, system::owner_url(&settings)).await?;
    let whole = kafka(&source.process)?.known_ends(invoice::TOPIC).iter().map(|(_, end)| *end).sum();
    let rate = reading(&service, whole).await?;
    let url = format!("http://{}", service.grpc().context("the service does not listen")?);
    let mut client = ReportingServiceClient::new(host::client::channel(&url, &Access::default())?);
    let told = client.get_portfolio(GetPortfolioRequest::default()).await?.into_inner();
    let (payers, invoices) = (i64::try_from(source.payers)?, i64::try_from(source.payers * EACH)?);
    ensure!((told.customers, told.invoices, told.payments) == (payers, invoices, invoices / 2), "{invoices} invoices became {told:?}");
    process.stop.cancel();
    service.stop().await;
    Ok((rate, settings.storage))
}

/// Events a second from the first page on: joining a group and starting are no part of it, where there is more than a page.
async fn reading(service: &Service, whole: i64) -> anyhow::Result<f64> {
    let (watch, mut begun) = (progress::stopwatch(), None);
    kept::wait_for(service, invoice::TOPIC, whole, |read| _ = begun.get_or_insert((read, watch()))).await?;
    let took = watch();
    let (first, from) = begun.context("the topic is empty")?;
    let (first, from) = if first < whole { (first, from) } else { (0, Duration::ZERO) };
    Ok(per_second(u64::try_from(whole - first)?, took.saturating_sub(from)))
}

/// Every row that a service's schema holds, as text that can be written again into a schema of the same tables.
struct Rows {
    db: Db,
    /// Names, how many rows, and the statements that write them.
    tables: Vec<(String, i64, Vec<String>)>,
}

impl Rows {
    async fn of(storage: &Storage, round: usize) -> anyhow::Result<Self> {
        let from = host::environment::open_database(reporting::NAME, storage, Durability::Full).await?;
        let schema = format!("{}rows{round}", storage.prefix);
        let db = Db::connect_postgres(&storage.url, &schema, 1).await?;
        let sql = "SELECT t.table_name::text AS name, t.table_schema::text AS schema, \
                   string_agg(quote_ident(c.column_name), ',' ORDER BY c.ordinal_position) AS columns, \
                   string_agg('quote_nullable(' || quote_ident(c.column_name) || ')', ',' ORDER BY c.ordinal_position) AS cells, \
                   string_agg(quote_ident(c.column_name) || '=excluded.' || quote_ident(c.column_name), ',') AS replaced \
                   FROM information_schema.tables t JOIN information_schema.columns c USING (table_schema, table_name) \
                   WHERE t.table_schema = current_schema() AND t.table_type = 'BASE TABLE' GROUP BY 1, 2";
        let mut tables = Vec::new();
        for table in from.query(sql, &[]).await? {
            let (name, columns) = (table.text("name")?, table.text("columns")?);
            let cells = format!("SELECT '(' || concat_ws(',', {}) || ')' AS cells FROM {name}", table.text("cells")?);
            let rows = from.query(&cells, &[]).await?.iter().map(|row| row.text("cells")).collect::<Result<Vec<_>, _>>()?;
            let sql = "SELECT string_agg(quote_ident(a.attname), ',') AS key FROM pg_index i \
                       JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = ANY(i.indkey) \
                       WHERE i.indisprimary AND i.indrelid = $1::text::regclass GROUP BY i.indrelid";
            let Some(key) = from.query(sql, &[name.as_str().into()]).await?.first().map(|row| row.text("key")).transpose()? else {
                continue;
            };
            let mut tx = db.begin().await?;
            tx.execute_script(&format!("CREATE TABLE {name} (LIKE {}.{name} INCLUDING ALL);", table.text("schema")?)).await?;
            tx.commit().await?;
            let statement = format!("INSERT INTO {name} ({columns}) VALUES ");
            let tail = format!(" ON CONFLICT ({key}) DO UPDATE SET {};", table.text("replaced")?);
            let texts = rows.chunks(ROWS).map(|rows| format!("{statement}{}{tail}", rows.join(",")));
            tables.push((name, i64::try_from(rows.len())?, texts.collect()));
        }
        Ok(Self { db, tables })
    }

    /// Writes them, a thousand in a transaction.
    async fn upsert(&self) -> anyhow::Result<()> {
        for text in self.tables.iter().flat_map(|(_, _, texts)| texts) {
            let mut tx = self.db.begin().await?;
            tx.execute_script(text).await?;
            tx.commit().await?;
        }
        Ok(())
    }

    async fn verify(&self) -> anyhow::Result<()> {
        for (name, expected, _) in &self.tables {
            let stored = kept::count(&self.db, name).await?;
            ensure!(i64::try_from(stored)? == *expected, "{name} has {stored} rows of {expected}");
        }
        Ok(())
    }
}
