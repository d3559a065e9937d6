//! The log: one order of everything that happened in a service.
//!
//! Positions are gapless and equal the order of commits, because every append locks the one head row, looks where it is, or moves it only
//! from where it was presumed to be, and keeps it until it has committed. One batch is one transaction and one fsync.

pub(crate) mod fault;
pub(crate) mod lookup;
pub(crate) mod memory;
pub(crate) mod plan;
pub(crate) mod record;
pub(crate) mod rows;
pub(crate) mod session;
pub(crate) mod store;
pub(crate) mod tail;

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use chrono::{DateTime, SubsecRound, Utc};
use sql::{Db, Dialect, SqlError};
use tokio::sync::watch;

use crate::event::{Append, Appended, Clock, Ids, Recorded, Refused, Told};
use crate::timers::TimerSignal;

pub use fault::{CrashPoint, Faults, Protection};
pub use record::COLUMNS as EVENT_COLUMNS;
pub(crate) use session::{Session, StoreError};
pub use store::{CLAIMS as CLAIM_COLUMNS, COMMANDS as COMMAND_COLUMNS};

/// A handle on one service's log; clones share it.
#[derive(Clone)]
pub struct Log {
    pub(crate) shared: Arc<Shared>,
}

pub(crate) struct Shared {
    pub(crate) backend: Backend,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) ids: Arc<dyn Ids>,
    pub(crate) timers: TimerSignal,
    pub(crate) faults: Option<Arc<dyn Faults>>,
    head: watch::Sender<u64>,
    /// How often it turned out that somebody else had appended, or that the log had lost its end.
    others: AtomicU64,
    tail: Mutex<tail::Tail>,
}

pub(crate) enum Backend {
    Sql(Db),
    Memory(memory::Memory),
}

/// Why the log could not answer. No append of the batch is stored, but after [`LogError::Sql`] with a broken connection during the
/// commit it is unknown: repeat with the same command ids.
#[derive(Debug, Clone, thiserror::Error)]
pub enum LogError {
    /// The database.
    #[error(transparent)]
    Sql(SqlError),
    /// The disk is full; nothing is stored.
    #[error("the disk of the log is full")]
    DiskFull,
    /// What is stored cannot be a log: a gap, or a stream shorter than it was.
    #[error("corrupt log: {0}")]
    Corrupt(String),
    /// A crash point of a test said so, or the task of the append died.
    #[error("interrupted: {0}")]
    Fault(String),
    /// A memory log has no database for what was asked.
    #[error("the memory log has no database")]
    NoSql,
}

impl From<SqlError> for LogError {
    fn from(error: SqlError) -> Self {
        match error {
            SqlError::DiskFull => LogError::DiskFull,
            SqlError::Unique { .. }
            | SqlError::Busy(_)
            | SqlError::Unavailable(_)
            | SqlError::Column { .. }
            | SqlError::Data(_)
            | SqlError::Refused(_) => LogError::Sql(error),
        }
    }
}

impl LogError {
    /// True when repeating it later may succeed.
    pub fn is_transient(&self) -> bool {
        match self {
            LogError::Sql(error) => error.is_transient(),
            LogError::DiskFull => true,
            LogError::Corrupt(_) | LogError::Fault(_) | LogError::NoSql => false,
        }
    }
}

impl Log {
    /// Opens the log in a database, creating its tables when they are missing.
    ///
    /// # Errors
    /// [`LogError`] of the database.
    pub async fn open(db: Db, clock: Arc<dyn Clock>, ids: Arc<dyn Ids>) -> Result<Log, LogError> {
        db.migrate(crate::schema::MIGRATIONS).await?;
        let log = Log::with(Backend::Sql(db), clock, ids);
        log.head().await?;
        Ok(log)
    }

    /// Opens the log in a database as it is and creates nothing: for whoever only looks.
    ///
    /// # Errors
    /// [`LogError`] of the database, also where the tables of the log are not there.
    pub async fn look(db: Db, clock: Arc<dyn Clock>, ids: Arc<dyn Ids>) -> Result<Log, LogError> {
        let log = Log::with(Backend::Sql(db), clock, ids);
        log.head().await?;
        Ok(log)
    }

    /// A log that lives as long as its handles: for tests and as the reference of the others. It has no database, so side rows are
    /// refused and consumers cannot keep their place in it.
    pub fn memory(clock: Arc<dyn Clock>, ids: Arc<dyn Ids>) -> Log {
        Log::with(Backend::Memory(memory::Memory::default()), clock, ids)
    }

    fn with(backend: Backend, clock: Arc<dyn Clock>, ids: Arc<dyn Ids>) -> Log {
        let shared = Shared {
            backend,
            clock,
            ids,
            timers: TimerSignal::default(),
            faults: None,
            head: watch::Sender::new(0),
            others: AtomicU64::new(0),
            tail: Mutex::default(),
        };
        Log { shared: Arc::new(shared) }
    }

    /// The same log with crash points: for tests. Only right after opening, before the handle is cloned.
    #[must_use]
    pub fn with_faults(mut self, faults: Arc<dyn Faults>) -> Log {
        if let Some(shared) = Arc::get_mut(&mut self.shared) {
            shared.faults = Some(faults);
        }
        self
    }

    /// The database that holds the log; None for a memory log.
    pub fn db(&self) -> Option<&Db> {
        match &self.shared.backend {
            Backend::Sql(db) => Some(db),
            Backend::Memory(_) => None,
        }
    }

    /// The clock of this log.
    pub fn clock(&self) -> &Arc<dyn Clock> {
        &self.shared.clock
    }

    /// Appends a batch in one transaction, in the given order. An append that is refused does not touch the others. Once started it
    /// runs to its end, whether or not somebody still waits for it.
    ///
    /// # Errors
    /// [`LogError`] when nothing of the batch could be stored.
    pub async fn append(&self, appends: Vec<Append>) -> Result<Vec<Result<Appended, Refused>>, LogError> {
        let log = self.clone();
        let task = tokio::spawn(async move { log.append_now(appends).await });
        task.await.map_err(|error| LogError::Fault(error.to_string()))?
    }

    async fn append_now(&self, appends: Vec<Append>) -> Result<Vec<Result<Appended, Refused>>, LogError> {
        let ask = lookup::Ask::of(&appends);
        let mut barred: HashMap<usize, Refused> = HashMap::new();
        loop {
            let mut session = Session::begin(self).await?;
            let mut plan = session.plan(&ask).await?;
            let decide = |(ticket, append): (usize, &Append)| match (barred.get(&ticket), &append.command) {
                (Some(refused), _) => Err(refused.clone()),
                (None, Some(key)) => match plan.replayed(&append.meta.tenant, key)? {
                    Some(appended) => Ok(appended),
                    None => plan.accept(ticket, append.into()),
                },
                (None, None) => plan.accept(ticket, append.into()),
            };
            let results: Vec<_> = appends.iter().enumerate().map(decide).collect();
            match session.finish(plan).await {
                Ok(()) => return Ok(results),
                Err(StoreError::Side { ticket, reason }) => barred.insert(ticket, Refused::SideRefused(reason)),
                Err(StoreError::Log(error)) => return Err(error),
            };
        }
    }

    /// Events after a position, in order, at most `limit`. Fewer than `limit` means that [`Log::known_head`] is reached; another
    /// process may have appended more.
    ///
    /// # Errors
    /// [`LogError`] of the database.
    pub async fn read(&self, after_position: u64, limit: usize) -> Result<Vec<Recorded>, LogError> {
        let known = self.known_head();
        let near = self.tail().after(after_position, limit);
        if let Some(events) = near
            && (events.len() == limit || events.last().is_some_and(|event| event.position >= known))
        {
            return Ok(events);
        }
        let events = match &self.shared.backend {
            Backend::Sql(db) => store::read(db, after_position, limit).await?,
            Backend::Memory(memory) => memory.read(after_position, limit),
        };
        if let Some(last) = events.last() {
            self.saw(last.position);
        }
        Ok(events)
    }

    /// Events of several streams, each after a version; in the order of the log.
    ///
    /// # Errors
    /// [`LogError`] of the database.
    pub async fn read_streams(&self, streams: &[(String, u64)]) -> Result<Vec<Recorded>, LogError> {
        if streams.is_empty() {
            return Ok(Vec::new());
        }
        match &self.shared.backend {
            Backend::Sql(db) => store::read_streams(db, streams).await,
            Backend::Memory(memory) => Ok(memory.read_streams(streams)),
        }
    }

    /// What the events of several streams tell, each after a version; in the order of the log. For states, which need less than
    /// [`Log::read_streams`] reads.
    ///
    /// # Errors
    /// [`LogError`] of the database.
    pub async fn told(&self, streams: &[(String, u64)]) -> Result<Vec<Told>, LogError> {
        if streams.is_empty() {
            return Ok(Vec::new());
        }
        match &self.shared.backend {
            Backend::Sql(db) => store::told(db, streams).await,
            Backend::Memory(memory) => Ok(memory.told(streams)),
        }
    }

    /// Position of the last event, 0 when there is none: a look into the database.
    ///
    /// # Errors
    /// [`LogError`] of the database.
    pub async fn head(&self) -> Result<u64, LogError> {
        let head = match &self.shared.backend {
            Backend::Sql(db) => store::head(db).await?,
            Backend::Memory(memory) => memory.head(),
        };
        self.saw(head);
        Ok(head)
    }

    /// The highest position that this handle knows to be committed. Its own appends are known before they are answered; those of other
    /// processes are learned by reading.
    pub fn known_head(&self) -> u64 {
        *self.shared.head.borrow()
    }

    /// Follows [`Log::known_head`].
    pub fn watch(&self) -> watch::Receiver<u64> {
        self.shared.head.subscribe()
    }

    /// Waits for a while and then looks for what other processes appended, so that [`Log::known_head`] says it; never ends where no other
    /// process appends. A database that does not answer is asked again by the next look.
    pub async fn look_for_others(&self, after: Duration) {
        if self.db().is_none_or(|db| db.dialect() != Dialect::Postgres) {
            std::future::pending().await
        }
        tokio::time::sleep(after).await;
        let _ = self.head().await;
    }

    /// The stream that owns a name.
    ///
    /// # Errors
    /// [`LogError`] of the database.
    pub async fn claimed(&self, tenant: &str, kind: &str, key: &str) -> Result<Option<String>, LogError> {
        match &self.shared.backend {
            Backend::Sql(db) => store::claimed(db, tenant, kind, key).await,
            Backend::Memory(memory) => Ok(memory.claimed(tenant, kind, key)),
        }
    }

    /// Now, as precise as every database keeps it.
    pub(crate) fn now(&self) -> DateTime<Utc> {
        self.shared.clock.now().trunc_subsecs(6)
    }

    /// A plan on a head that nobody has looked at.
    pub(crate) fn presume_after(&self, head: u64) -> plan::Plan {
        plan::Plan::presuming(head, self.now(), Arc::clone(&self.shared.ids))
    }

    /// Whether timers are staged for each part of a batch that goes ahead: to PostgreSQL they are two ways more.
    pub(crate) fn sends_timers_ahead(&self) -> bool {
        self.db().is_some_and(|db| db.dialect() == sql::Dialect::Sqlite)
    }

    pub(crate) async fn reach(&self, point: CrashPoint) -> Result<(), LogError> {
        match &self.shared.faults {
            Some(faults) => faults.reach(point).await.map_err(LogError::Fault),
            None => Ok(()),
        }
    }

    pub(crate) fn lacks(&self, protection: Protection) -> bool {
        self.shared.faults.as_ref().is_some_and(|faults| faults.lacks(protection))
    }

    /// Makes committed events known to the readers of this process.
    pub(crate) fn publish(&self, events: Vec<Recorded>) {
        let Some(last) = events.last().map(|event| event.position) else { return };
        self.tail().push(events);
        self.raise(last);
    }

    /// How often this process found out that the log was not where it had left it. While it says the same, nobody else has appended as far
    /// as is known here.
    pub(crate) fn others(&self) -> u64 {
        self.shared.others.load(Ordering::SeqCst)
    }

    /// The log was found at this position.
    fn saw(&self, position: u64) {
        if self.raise(position) {
            self.shared.others.fetch_add(1, Ordering::SeqCst);
        }
    }

    fn raise(&self, position: u64) -> bool {
        self.shared.head.send_if_modified(|head| {
            let newer = position > *head;
            *head = (*head).max(position);
            newer
        })
    }

    fn tail(&self) -> std::sync::MutexGuard<'_, tail::Tail> {
        self.shared.tail.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
