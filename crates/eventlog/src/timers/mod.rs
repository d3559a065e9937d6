//! Timers: one next moment per open track, kept in the transaction of the append that decided it.

pub(crate) mod store;
mod wake;

use std::collections::HashSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use chrono::{DateTime, Utc};
use tokio::sync::{Notify, watch};

use crate::log::{Backend, Log, LogError};

pub use wake::{Briefing, TimerHandle, TimerLoop, TimerOptions, TimerStats, Wake};

/// A timer as it is stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredTimer {
    /// The stream to wake.
    pub stream: String,
    /// Which of its tracks.
    pub track: String,
    /// Partition of the key: the owner of the partition fires it.
    pub shard: i32,
    /// When.
    pub due_at: DateTime<Utc>,
    /// Version of the stream for which it was computed.
    pub generation: u64,
    /// Tenant of the stream.
    pub tenant: String,
    /// Partition key of the stream.
    pub key: String,
}

/// A stream with timers that are due.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DueStream {
    /// The stream to wake.
    pub stream: String,
    /// Its tracks that are due, as far as they were on the page.
    pub tracks: Vec<String>,
    /// The earliest of them.
    pub due_at: DateTime<Utc>,
    /// Tenant of the stream.
    pub tenant: String,
    /// Partition key of the stream.
    pub key: String,
}

/// Whose timers a loop fires.
#[derive(Debug, Clone)]
pub enum Shards {
    /// Everybody's: there is one process.
    All,
    /// Those of the partitions that this process owns now.
    Owned(watch::Receiver<Vec<i32>>),
}

impl Shards {
    /// The shards that are ours now; None where all are.
    pub(crate) fn owned(&self) -> Option<Vec<i32>> {
        match self {
            Shards::All => None,
            Shards::Owned(owned) => Some(owned.borrow().clone()),
        }
    }
}

/// The new timers of one stream.
#[derive(Debug, Clone)]
pub(crate) struct TimerChange {
    pub(crate) stream: String,
    pub(crate) tenant: String,
    pub(crate) key: String,
    pub(crate) shard: i32,
    pub(crate) generation: u64,
    /// The stream was woken: also timers that are due are done with. Otherwise they stay until the stream is woken.
    pub(crate) woken: bool,
    pub(crate) next: Arc<Vec<Next>>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Next {
    pub(crate) track: String,
    pub(crate) due_at: DateTime<Utc>,
}

impl TimerChange {
    pub(crate) fn stored(&self, next: &Next) -> StoredTimer {
        StoredTimer {
            stream: self.stream.clone(),
            track: next.track.clone(),
            shard: self.shard,
            due_at: next.due_at,
            generation: self.generation,
            tenant: self.tenant.clone(),
            key: self.key.clone(),
        }
    }
}

/// The earliest timer that this process knows of. Appends lower it; the loop starts it anew when it looks.
pub(crate) struct TimerSignal {
    earliest_micros: AtomicI64,
    pub(crate) lowered: Notify,
}

impl Default for TimerSignal {
    fn default() -> Self {
        TimerSignal { earliest_micros: AtomicI64::new(i64::MAX), lowered: Notify::new() }
    }
}

impl TimerSignal {
    pub(crate) fn offer(&self, due_at: DateTime<Utc>) {
        let micros = due_at.timestamp_micros();
        if self.earliest_micros.fetch_min(micros, Ordering::SeqCst) > micros {
            self.lowered.notify_one();
        }
    }

    pub(crate) fn earliest_micros(&self) -> i64 {
        self.earliest_micros.load(Ordering::SeqCst)
    }

    pub(crate) fn reset(&self) {
        self.earliest_micros.store(i64::MAX, Ordering::SeqCst);
    }
}

impl Log {
    /// The first timers in the order of their moments, due or not.
    ///
    /// # Errors
    /// [`LogError`] of the database.
    pub async fn timers(&self, shards: &Shards, limit: usize) -> Result<Vec<StoredTimer>, LogError> {
        self.timers_but(shards, &HashSet::new(), limit).await
    }

    /// The same without the streams `but`, however many tracks they have.
    pub(crate) async fn timers_but(&self, shards: &Shards, but: &HashSet<String>, limit: usize) -> Result<Vec<StoredTimer>, LogError> {
        let owned = shards.owned();
        match &self.shared.backend {
            Backend::Sql(db) => store::first(db, owned, but, limit).await,
            Backend::Memory(memory) => {
                let mut timers = memory.timers();
                timers.retain(|timer| owned.as_ref().is_none_or(|owned| owned.contains(&timer.shard)) && !but.contains(&timer.stream));
                timers.sort_by(|a, b| (a.due_at, &a.stream, &a.track).cmp(&(b.due_at, &b.stream, &b.track)));
                timers.truncate(limit);
                Ok(timers)
            }
        }
    }

    /// How many timers are due and have not fired: for a gauge.
    ///
    /// # Errors
    /// [`LogError`] of the database.
    pub async fn timers_due(&self) -> Result<u64, LogError> {
        let now = self.now();
        match &self.shared.backend {
            Backend::Sql(db) => store::due_count(db, now).await,
            Backend::Memory(memory) => Ok(memory.timers().iter().filter(|timer| timer.due_at <= now).count() as u64),
        }
    }
}
