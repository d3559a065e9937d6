//! A fresh log of every kind, with a clock that a test moves and ids that count.

use std::future::Future;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use eventlog::log::Faults;
use eventlog::{Append, Clock, Expected, Ids, Log, Meta, NewEvent};
use sql::{Db, Durability};
use tempfile::TempDir;
use tokio::sync::watch;
use uuid::Uuid;

/// A clock that moves when a test says so.
pub struct ManualClock {
    now: watch::Sender<DateTime<Utc>>,
}

pub fn start() -> DateTime<Utc> {
    DateTime::from_timestamp(1_700_000_000, 0).unwrap()
}

impl ManualClock {
    pub fn new() -> Arc<ManualClock> {
        Arc::new(ManualClock { now: watch::Sender::new(start()) })
    }

    pub fn advance(&self, by: TimeDelta) {
        self.now.send_modify(|now| *now += by);
    }
}

#[async_trait::async_trait]
impl Clock for ManualClock {
    fn now(&self) -> DateTime<Utc> {
        *self.now.borrow()
    }

    async fn sleep_until(&self, at: DateTime<Utc>) {
        let mut now = self.now.subscribe();
        now.wait_for(|now| *now >= at).await.unwrap();
    }
}

#[derive(Default)]
pub struct CountingIds(AtomicU64);

impl Ids for CountingIds {
    fn event_id(&self) -> Uuid {
        let high = u128::from(std::process::id()) << 96 | (std::ptr::from_ref(self) as usize as u128) << 32;
        Uuid::from_u128(high | u128::from(self.0.fetch_add(1, Ordering::Relaxed)))
    }
}

/// A place where a log lives; several handles may be opened on it.
pub struct Site {
    pub name: &'static str,
    pub clock: Arc<ManualClock>,
    log: Log,
    place: Place,
}

enum Place {
    Memory,
    Sqlite(TempDir),
    Postgres { url: String, schema: String },
}

impl Site {
    /// The first handle.
    pub fn log(&self) -> Log {
        self.log.clone()
    }

    /// A second handle, as another process would have it; None for a memory log.
    pub async fn another(&self) -> Option<Log> {
        let log = Log::open(self.database().await?, self.clock.clone(), Arc::new(CountingIds::default())).await;
        Some(log.unwrap())
    }

    /// A second handle with crash points.
    pub async fn faulty(&self, faults: Arc<dyn Faults>) -> Option<Log> {
        Some(self.another().await?.with_faults(faults))
    }

    pub async fn database(&self) -> Option<Db> {
        match &self.place {
            Place::Memory => None,
            Place::Sqlite(folder) => Some(Db::open_sqlite(&folder.path().join("log.db"), Durability::Full).await.unwrap()),
            Place::Postgres { url, schema } => Some(Db::connect_postgres(url, schema, 8).await.unwrap()),
        }
    }

    async fn at(name: &'static str, place: Place) -> Site {
        let clock = ManualClock::new();
        let ids = Arc::new(CountingIds::default());
        let log = Log::memory(clock.clone(), ids.clone());
        let mut site = Site { name, clock: clock.clone(), log, place };
        if let Some(db) = site.database().await {
            site.log = Log::open(db, clock, ids).await.unwrap();
        }
        site
    }
}

/// A new log of every kind that is there.
pub async fn every() -> Vec<Site> {
    let mut all = vec![Site::at("memory", Place::Memory).await];
    all.extend(durable().await);
    all
}

/// A new log in every database that is there.
pub async fn durable() -> Vec<Site> {
    let mut all = vec![Site::at("sqlite", Place::Sqlite(tempfile::tempdir().unwrap())).await];
    match std::env::var("REGUA_TEST_POSTGRES") {
        Ok(url) => all.push(Site::at("postgres", Place::Postgres { url, schema: schema_name() }).await),
        Err(_) => println!("skipped on PostgreSQL: REGUA_TEST_POSTGRES is not set"),
    }
    all
}

fn schema_name() -> String {
    static NEXT: AtomicU32 = AtomicU32::new(0);
    let started = std::time::SystemTime::UNIX_EPOCH.elapsed().unwrap().as_micros();
    format!("log_{started}_{}_{}", std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed))
}

pub fn meta(key: &str) -> Meta {
    Meta { tenant: "default".into(), key: format!("default/{key}"), ..Meta::default() }
}

pub fn event(payload: &str) -> NewEvent {
    NewEvent { event_type: "Noted", schema_version: 1, payload: payload.into(), occurred_at: None, effective_on: None }
}

/// `"stream@expected: payload payload"`, with `*` for any version.
pub fn append(text: &str) -> Append {
    let (head, payloads) = text.split_once(':').unwrap();
    let (stream, expected) = head.split_once('@').unwrap();
    let expected = if expected == "*" { Expected::Any } else { Expected::Exact(expected.parse().unwrap()) };
    Append {
        stream: stream.into(),
        expected,
        events: payloads.split_whitespace().map(event).collect(),
        meta: meta(stream),
        command: None,
        claims: Vec::new(),
        side: Vec::new(),
        answer: Vec::new(),
    }
}

/// `"1 a@1 x"` a line: position, stream, version, payload.
pub async fn transcript(log: &Log) -> Vec<String> {
    let events = log.read(0, 10_000).await.unwrap();
    let line = |e: &eventlog::Recorded| format!("{} {}@{} {}", e.position, e.stream, e.version, String::from_utf8_lossy(&e.payload));
    events.iter().map(line).collect()
}

/// Waits for a condition; fails the test after ten seconds.
pub async fn eventually<F: Future<Output = bool>>(what: &str, mut condition: impl FnMut() -> F) {
    let deadline = tokio::time::Instant::now() + Duration::from_secs(10);
    while !condition().await {
        assert!(tokio::time::Instant::now() < deadline, "never happened: {what}");
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
}
