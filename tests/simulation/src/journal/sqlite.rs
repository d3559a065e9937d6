//! The product's own log and writer, on a file that nobody keeps. Every call is awaited to its end on one thread, so that nothing
//! depends on how long it takes.

use super::{Journal, Order, PARTITIONS, Page, Places, Refusal};
use chrono::{DateTime, TimeDelta, Utc};
use eventlog::alongside::{Alongside, AlongsideError};
use eventlog::consumer::{checkpoint, page::Sorted, schema};
use eventlog::timers::StoredTimer;
use eventlog::writer::IngestError;
use eventlog::{Aggregate, Clock, CommandKey, Ids, Intake, Log, Recorded, Shards, Submission, Told, WriteError, Writer, WriterOptions};
use sha2::{Digest, Sha256};
use sql::{Db, Durability, Tx};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use tokio::runtime::Runtime;
use uuid::Uuid;

/// The clock of a simulated machine: it stands where it was put.
#[derive(Default)]
struct Put(AtomicI64);

#[async_trait::async_trait]
impl Clock for Put {
    fn now(&self) -> DateTime<Utc> {
        DateTime::UNIX_EPOCH + TimeDelta::microseconds(self.0.load(Ordering::SeqCst))
    }

    async fn sleep_until(&self, _at: DateTime<Utc>) {
        std::future::pending().await
    }
}

#[derive(Default)]
struct Counted(AtomicU64);

impl Ids for Counted {
    fn event_id(&self) -> Uuid {
        Uuid::from_u128(u128::from(self.0.fetch_add(1, Ordering::SeqCst) + 1))
    }
}

/// A folder for the files of a simulation, and the thread that works on them.
pub struct Disk {
    folder: tempfile::TempDir,
    runtime: Arc<Runtime>,
}

impl Disk {
    /// A new folder; it goes with the value.
    ///
    /// # Errors
    /// The folder or the runtime cannot be had.
    pub fn new() -> std::io::Result<Disk> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        Ok(Disk { folder: tempfile::tempdir()?, runtime: Arc::new(runtime) })
    }

    /// The folder.
    pub fn path(&self) -> &Path {
        self.folder.path()
    }
}

/// A log in a file.
pub struct Sqlite<A: Aggregate> {
    aggregate: Arc<A>,
    runtime: Arc<Runtime>,
    db: Db,
    clock: Arc<Put>,
    ids: Arc<Counted>,
    writer: Writer<A>,
}

impl<A: Aggregate> Sqlite<A> {
    /// An empty log.
    pub fn new(aggregate: Arc<A>, disk: &Disk, name: &str) -> Self {
        let (clock, ids) = (Arc::new(Put::default()), Arc::new(Counted::default()));
        let path = disk.path().join(format!("{name}.sqlite"));
        let runtime = Arc::clone(&disk.runtime);
        let (db, writer) = runtime.block_on(async {
            let db = Db::open_sqlite(&path, Durability::Throwaway).await.expect("a new file can be opened");
            db.migrate(schema::MIGRATIONS).await.expect("a new database takes the tables of consumers");
            let writer = writer(&aggregate, &db, (&clock, &ids)).await;
            (db, writer)
        });
        Sqlite { aggregate, runtime, db, clock, ids, writer }
    }

    fn at(&self, now: DateTime<Utc>) {
        self.clock.0.store(now.timestamp_micros(), Ordering::SeqCst);
    }

    fn events_after(&self, stream: &str, version: u64) -> Vec<A::Event> {
        let after = [(stream.to_owned(), version)];
        let told = self.runtime.block_on(self.writer.log().told(&after)).expect("a log that was written can be read");
        let event = |told: &Told| self.aggregate.decode(told).expect("what was encoded can be decoded");
        told.iter().filter_map(event).collect()
    }
}

async fn writer<A: Aggregate>(aggregate: &Arc<A>, db: &Db, (clock, ids): (&Arc<Put>, &Arc<Counted>)) -> Writer<A> {
    let log = Log::open(db.clone(), Arc::clone(clock) as Arc<dyn Clock>, Arc::clone(ids) as Arc<dyn Ids>).await;
    let log = log.expect("a database that was written can be opened");
    Writer::spawn(Arc::clone(aggregate), log, WriterOptions { partitions: PARTITIONS, ..WriterOptions::default() })
}

impl<A: Aggregate> Journal<A> for Sqlite<A> {
    fn submit(&mut self, order: Order<A::Command>, now: DateTime<Utc>) -> Result<Vec<A::Event>, Refusal> {
        self.at(now);
        let Order { stream, meta, command, key, wake } = order;
        let mut submission = Submission::new(stream.clone(), meta, command);
        submission.key = key.map(|id| CommandKey { body_hash: Sha256::digest(id.as_bytes()).into(), id });
        submission.wake = wake;
        let written = self.runtime.block_on(self.writer.submit(submission)).map_err(refusal)?;
        let appended = written.appended;
        if appended.deduplicated || appended.last_version < appended.first_version {
            return Ok(Vec::new());
        }
        Ok(self.events_after(&stream, appended.first_version - 1))
    }

    fn take(&mut self, page: Page<'_, A::Command>, now: DateTime<Utc>) -> Result<(), Refusal> {
        self.at(now);
        let settled = Settled { consumer: page.consumer, sorted: page.sorted.clone() };
        let intake = Intake { commands: page.commands, alongside: Arc::new(settled) };
        match self.runtime.block_on(self.writer.ingest(intake)) {
            Ok(_) => Ok(()),
            Err(IngestError::Alongside(AlongsideError::Fenced)) => Err(Refusal::Fenced),
            Err(IngestError::Poisoned(poisoned)) => Err(Refusal::Rejected(format!("{:?}", poisoned.first().map(|first| &first.error)))),
            Err(error) => Err(Refusal::Fault(error.to_string())),
        }
    }

    fn state(&mut self, stream: &str) -> (A::State, u64) {
        let (state, version) = self.runtime.block_on(self.writer.state(stream)).expect("a log that was written can be read");
        (A::State::clone(&state), version)
    }

    fn look(&mut self, stream: &str, look: &mut dyn FnMut(&A::State)) {
        look(&self.state(stream).0);
    }

    fn version(&mut self, stream: &str) -> u64 {
        self.state(stream).1
    }

    fn read(&mut self, after: u64, limit: usize) -> Vec<Recorded> {
        self.runtime.block_on(self.writer.log().read(after, limit)).expect("a log that was written can be read")
    }

    fn head(&mut self) -> u64 {
        self.writer.log().known_head()
    }

    fn next_timer(&mut self) -> Option<StoredTimer> {
        let first = self.runtime.block_on(self.writer.log().timers(&Shards::All, 1));
        first.expect("a log that was written can be read").into_iter().next()
    }

    fn places(&mut self, consumer: &'static str) -> Places {
        self.runtime.block_on(stored_places(&self.db, consumer))
    }

    fn restart(&mut self) {
        self.writer = self.runtime.block_on(writer(&self.aggregate, &self.db, (&self.clock, &self.ids)));
    }
}

/// How far a consumer has read, by its tables.
pub async fn stored_places(db: &Db, consumer: &'static str) -> Places {
    let next = checkpoint::offsets(db, consumer).await.expect("places that were written can be read");
    let rows = db.query("SELECT topic, stream FROM consumer_stream WHERE consumer = $1", &[consumer.into()]).await;
    let key = |row: &sql::Row| eventlog::consumer::StreamKey {
        topic: row.text("topic").expect("a text"),
        stream: row.text("stream").expect("a text"),
    };
    let streams = rows.expect("marks that were written can be read").iter().map(key).collect();
    let marks = checkpoint::marks(db, consumer, streams).await.expect("marks that were written can be read");
    Places { next, marks }
}

fn refusal<R: std::fmt::Debug>(error: WriteError<R>) -> Refusal {
    match error {
        WriteError::Rejected(rejection) => Refusal::Rejected(format!("{rejection:?}")),
        WriteError::CommandReused
        | WriteError::ClaimTaken { .. }
        | WriteError::SideRefused(_)
        | WriteError::Unavailable(_)
        | WriteError::DiskFull
        | WriteError::Corrupt(_) => Refusal::Fault(format!("{error:?}")),
    }
}

/// Places by compare-and-set, and marks, in the transaction of the page.
struct Settled {
    consumer: &'static str,
    sorted: Sorted,
}

#[async_trait::async_trait]
impl Alongside for Settled {
    async fn write(&self, tx: &mut Tx) -> Result<(), AlongsideError> {
        for (place, moved) in &self.sorted.moves {
            let sql = "INSERT INTO consumer_offset (consumer, topic, part, next_offset) VALUES ($1, $2, $3, $5) \
                       ON CONFLICT (consumer, topic, part) DO UPDATE SET next_offset = excluded.next_offset \
                       WHERE consumer_offset.next_offset = $4";
            let part = i64::from(place.partition);
            let args = [self.consumer.into(), place.topic.as_str().into(), part.into(), moved.from.into(), moved.to.into()];
            if tx.execute(sql, &args).await? != 1 {
                return Err(AlongsideError::Fenced);
            }
        }
        for (key, mark) in &self.sorted.marks {
            let sql = "INSERT INTO consumer_stream (consumer, topic, stream, version, parked) VALUES ($1, $2, $3, $4, 0) \
                       ON CONFLICT (consumer, topic, stream) DO UPDATE SET version = excluded.version";
            let version = i64::try_from(mark.version).unwrap_or(i64::MAX);
            tx.execute(sql, &[self.consumer.into(), key.topic.as_str().into(), key.stream.as_str().into(), version.into()]).await?;
        }
        Ok(())
    }
}
