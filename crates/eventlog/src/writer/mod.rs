//! The writer: one task that decides every command of a service, in batches, each batch one transaction and one fsync.
//!
//! Handlers submit and wait. The task takes what is there (up to 512 commands), loads the streams it does not have with one query,
//! begins to append, and decides each command on the newest state; the second command on a stream sees the result of the first. What comes
//! meanwhile joins the batch, and what comes while it commits is decided for the next one (`draft`). A command that is rejected never fails
//! the others. States are cached only after the commit, and answers are given only then.
//!
//! While nobody else appends, the answers of the log to a batch of new commands are known beforehand, and it is decided without asking
//! (`engine::Caution`): the head is moved only from where it was presumed to be, and the unique keys of events, commands and claims refuse
//! whatever does not hold. Then, and where a command is rejected or causes nothing, the batch is done again with care.

mod aggregate;
mod batch;
mod cache;
mod draft;
mod engine;
mod page;
mod queue;
mod repeat;
mod submission;
mod work;

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use tokio::sync::{mpsc, oneshot};

use crate::activity::{Activity, InFlight};
use crate::log::{Log, LogError};

use cache::Cached;
use queue::{Job, Pending};

pub(crate) use queue::Sent;

pub use aggregate::{Aggregate, DecodeError, NextTimer};
pub(crate) use batch::guarded;
pub use submission::{Answer, IngestError, Ingested, Intake, PoisonedCommand, Submission, WriteError, Written};

/// How a writer works.
#[derive(Clone)]
pub struct WriterOptions {
    /// Commands in one transaction at most.
    pub batch_commands: usize,
    /// Commands whose events go to the database together, where it works while the next ones are decided; and as many must wait for the
    /// next batch to be begun while one commits.
    pub part_commands: usize,
    /// Commands that may wait; more make `submit` wait.
    pub queue_commands: usize,
    /// Events whose states are kept in memory: the limit on what it takes, some hundred bytes for each.
    pub cached_events: u64,
    /// Partitions of the service's keys: the shard of a timer.
    pub partitions: i32,
    /// The barrier to register with, under the name `writer`.
    pub activity: Activity,
}

impl Default for WriterOptions {
    fn default() -> Self {
        WriterOptions {
            batch_commands: 512,
            part_commands: 32,
            queue_commands: 4096,
            cached_events: 2_000_000,
            partitions: 12,
            activity: Activity::new(),
        }
    }
}

/// What a writer has done since it started.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct WriterStats {
    /// Transactions committed.
    pub batches: u64,
    /// Those of them that asked nothing of the log before they were written.
    pub presumed: u64,
    /// Batches that were on their way to the database before the callers of the one before were answered.
    pub begun_at_once: u64,
    /// Commands that went through.
    pub commands: u64,
    /// Events appended.
    pub events: u64,
    /// Events of unknown types that were skipped while a stream was loaded.
    pub unknown_events: u64,
    /// Commands in hand now.
    pub in_flight: u64,
}

/// A handle on the writer of one aggregate; clones share it. The task ends when the last handle is dropped and the queue is empty.
pub struct Writer<A: Aggregate> {
    shared: Arc<Shared<A>>,
    jobs: mpsc::Sender<Job<A>>,
}

impl<A: Aggregate> Clone for Writer<A> {
    fn clone(&self) -> Self {
        Writer { shared: Arc::clone(&self.shared), jobs: self.jobs.clone() }
    }
}

pub(crate) struct Shared<A: Aggregate> {
    pub(crate) aggregate: Arc<A>,
    pub(crate) log: Log,
    pub(crate) cache: cache::Cache<A::State>,
    pub(crate) options: WriterOptions,
    pub(crate) counts: Counts,
    in_flight: InFlight,
}

impl<A: Aggregate> Shared<A> {
    /// Commands of a transaction at most.
    fn most(&self) -> usize {
        self.options.batch_commands.max(1)
    }

    /// Commands that are worth a way to the database, or a beginning before the commit.
    fn part(&self) -> usize {
        self.options.part_commands.max(1)
    }
}

#[derive(Default)]
pub(crate) struct Counts {
    pub(crate) batches: AtomicU64,
    pub(crate) presumed: AtomicU64,
    pub(crate) begun_at_once: AtomicU64,
    pub(crate) commands: AtomicU64,
    pub(crate) events: AtomicU64,
    pub(crate) unknown_events: AtomicU64,
}

pub(crate) type SubmitReply<A> = Result<Written<<A as Aggregate>::State>, WriteError<<A as Aggregate>::Rejection>>;
pub(crate) type IngestReply<A> = Result<Ingested, IngestError<<A as Aggregate>::Rejection>>;

impl<A: Aggregate> Writer<A> {
    /// Starts the writer's task.
    pub fn spawn(aggregate: Arc<A>, log: Log, options: WriterOptions) -> Writer<A> {
        let (jobs, queue) = mpsc::channel(options.queue_commands.max(1));
        let in_flight = options.activity.in_flight("writer");
        let cache = cache::Cache::new(options.cached_events);
        let shared = Arc::new(Shared { aggregate, log, cache, options, counts: Counts::default(), in_flight });
        tokio::spawn(engine::run(Arc::clone(&shared), queue));
        Writer { shared, jobs }
    }

    /// Submits a command and waits until it is durable. Dropping the future never loses or doubles an append: a command that was taken
    /// is carried out to its end.
    ///
    /// # Errors
    /// [`WriteError`]; nothing of the command is stored, except that after [`WriteError::Unavailable`] it is unknown.
    pub async fn submit(&self, submission: Submission<A>) -> SubmitReply<A> {
        self.send(submission).await.wait().await
    }

    /// Puts a command among those that wait, as soon as there is a place.
    pub(crate) async fn send(&self, submission: Submission<A>) -> Sent<A> {
        let (reply, answer) = oneshot::channel();
        // Without a place the reply goes, which is the answer.
        if let Ok(place) = self.jobs.reserve().await {
            let busy = self.shared.in_flight.start();
            place.send(Job::Submit(Box::new(Pending { work: submission, reply, busy })));
        }
        Sent(answer)
    }

    /// Carries out a page of facts: everything that belongs to it and its commands, in one transaction of its own.
    ///
    /// # Errors
    /// [`IngestError`]; nothing of the page is stored, except that after [`IngestError::Unavailable`] it is unknown.
    pub async fn ingest(&self, intake: Intake<A::Command>) -> IngestReply<A> {
        let stopped = || IngestError::Unavailable("the writer has stopped".into());
        let place = self.jobs.reserve().await.map_err(|_| stopped())?;
        let (reply, answer) = oneshot::channel();
        let busy = self.shared.in_flight.start();
        place.send(Job::Ingest(Pending { work: intake, reply, busy }));
        answer.await.map_err(|_| stopped())?
    }

    /// The newest committed state of a stream, and its version; the default state and 0 for a stream that does not exist.
    ///
    /// # Errors
    /// [`LogError`] of the database, [`LogError::Corrupt`] when an event cannot be read.
    pub async fn state(&self, stream: &str) -> Result<(Arc<A::State>, u64), LogError> {
        let cached = self.shared.cache.slot(stream).map(|slot| slot.read()).unwrap_or_default();
        // In memory of its own: every future that may come to this would else have room for a query.
        let events = Box::pin(self.shared.log.told(&[(stream.to_string(), cached.version)])).await?;
        let mut loaded = batch::Loaded::from(cached);
        for event in &events {
            loaded.absorb(&self.shared, event);
        }
        self.shared.counts.unknown_events.fetch_add(loaded.unknown, Ordering::Relaxed);
        match loaded.corrupt {
            Some(reason) => Err(LogError::Corrupt(reason)),
            None => Ok((loaded.state, loaded.version)),
        }
    }

    /// How many events may have made the states that a page of commands brings: a small part of those that are remembered.
    pub(crate) fn room_for_seen(&self) -> u64 {
        self.shared.options.cached_events / 16
    }

    /// Reads streams that are not remembered, for commands that are to be sent on them. What cannot be read is left out: the writer meets it
    /// again, and tells.
    pub(crate) async fn look_up(&self, streams: Vec<String>) -> HashMap<String, Cached<A::State>> {
        // Before they are read: what others append meanwhile must be found out.
        let others = self.shared.log.others();
        let unknown: Vec<(String, u64)> =
            streams.into_iter().filter(|stream| !self.shared.cache.holds(stream)).map(|stream| (stream, 0)).collect();
        let events = self.shared.log.told(&unknown).await.unwrap_or_default();
        let mut found: HashMap<&str, batch::Loaded<A::State>> = HashMap::new();
        for event in &events {
            let begun = || batch::Loaded::from(Cached { others, ..Cached::default() });
            found.entry(event.stream.as_str()).or_insert_with(begun).absorb(&self.shared, event);
        }
        let read = found.into_iter().filter(|(_, loaded)| loaded.corrupt.is_none());
        read.map(|(stream, loaded)| {
            self.shared.counts.unknown_events.fetch_add(loaded.unknown, Ordering::Relaxed);
            (stream.to_owned(), loaded.into())
        })
        .collect()
    }

    /// A state that a stream had once, without asking the log; `None` where none is remembered. Others may have appended since: only for
    /// what never changes once it is there.
    pub fn remembered(&self, stream: &str) -> Option<Arc<A::State>> {
        self.shared.cache.slot(stream).map(|slot| slot.read().state)
    }

    /// The log that this writer appends to.
    pub fn log(&self) -> &Log {
        &self.shared.log
    }

    /// What it has done.
    pub fn stats(&self) -> WriterStats {
        let counts = &self.shared.counts;
        WriterStats {
            batches: counts.batches.load(Ordering::Relaxed),
            presumed: counts.presumed.load(Ordering::Relaxed),
            begun_at_once: counts.begun_at_once.load(Ordering::Relaxed),
            commands: counts.commands.load(Ordering::Relaxed),
            events: counts.events.load(Ordering::Relaxed),
            unknown_events: counts.unknown_events.load(Ordering::Relaxed),
            in_flight: self.shared.in_flight.count() as u64,
        }
    }
}
