//! The books of all tenants, as this process knows them.

use super::Book;
use crate::wire;
use eventlog::{Log, LogError, Recorded};
use sql::Dialect;
use std::{
    collections::HashMap,
    sync::{Arc, LazyLock, Mutex, MutexGuard, PoisonError, RwLock},
    time::Duration,
};
use tokio::runtime::{Handle, RuntimeFlavor};
use tokio_util::sync::CancellationToken;

/// How often to look for what other processes published, where there may be any.
const LOOK_EVERY: Duration = Duration::from_secs(1);
/// Events of a memory log that are read at a time.
const PAGE: usize = 1000;

/// How the types of events begin that a book is made of.
const READ: [&str; 2] = ["Policy", "LocalHoliday"];

/// The book of a tenant that published, assigned and recorded nothing.
static UNCHANGED: LazyLock<Arc<Book>> = LazyLock::new(Arc::default);

/// Every tenant's book. Decisions take a snapshot; changes put a new one in its place.
pub struct PolicyBooks {
    log: Log,
    tenants: RwLock<HashMap<String, Arc<Book>>>,
    /// Version up to which each stream was taken in.
    versions: Mutex<HashMap<String, u64>>,
}

impl PolicyBooks {
    /// Reads what the log has. The migrations of the service have run.
    ///
    /// # Errors
    /// [`LogError`] of the database.
    pub async fn load(log: Log) -> Result<Arc<Self>, LogError> {
        let books = Self { log, tenants: RwLock::default(), versions: Mutex::default() };
        books.refresh().await?;
        Ok(Arc::new(books))
    }

    /// A tenant's book as it is now.
    pub fn of(&self, tenant: &str) -> Arc<Book> {
        let tenants = self.tenants.read().unwrap_or_else(PoisonError::into_inner);
        tenants.get(tenant).cloned().unwrap_or_else(|| Arc::clone(&UNCHANGED))
    }

    /// Takes in what was appended since, by whomever.
    ///
    /// # Errors
    /// [`LogError`] of the database.
    pub async fn refresh(&self) -> Result<(), LogError> {
        let streams = self.streams().await?;
        let behind: Vec<(String, u64)> = {
            let versions = self.versions();
            streams
                .into_iter()
                .map(|stream| (versions.get(&stream).copied().unwrap_or(0), stream))
                .map(|(at, stream)| (stream, at))
                .collect()
        };
        self.absorb(&self.log.read_streams(&behind).await?);
        Ok(())
    }

    /// As [`PolicyBooks::refresh`], for a decision that cannot wait and lacks a version that another process published: true when the
    /// log could be read. In a runtime of one thread there is no other process's log to read, and nothing is done.
    pub fn refresh_now(&self) -> bool {
        let Ok(handle) = Handle::try_current() else { return false };
        if handle.runtime_flavor() != RuntimeFlavor::MultiThread {
            return false;
        }
        let read = tokio::task::block_in_place(|| handle.block_on(self.refresh()));
        read.inspect_err(|error| tracing::warn!(%error, "policies could not be read")).is_ok()
    }

    /// Looks for what other processes publish, until the token is cancelled. On a database of one process it ends at once.
    pub async fn follow(self: Arc<Self>, shutdown: CancellationToken) {
        if self.log.db().is_none_or(|db| db.dialect() == Dialect::Sqlite) {
            return;
        }
        while shutdown.run_until_cancelled(tokio::time::sleep(LOOK_EVERY)).await.is_some() {
            if let Err(error) = self.refresh().await {
                tracing::warn!(%error, "policies could not be read");
            }
        }
    }

    /// The streams of policies that the log has.
    async fn streams(&self) -> Result<Vec<String>, LogError> {
        match self.log.db() {
            Some(db) => {
                let rows = db.query("SELECT stream FROM policy_stream ORDER BY stream", &[]).await?;
                Ok(rows.iter().map(|row| row.text("stream")).collect::<Result<_, _>>()?)
            }
            None => self.streams_of_memory().await,
        }
    }

    async fn streams_of_memory(&self) -> Result<Vec<String>, LogError> {
        let (mut streams, mut after) = (Vec::new(), 0);
        loop {
            let page = self.log.read(after, PAGE).await?;
            let Some(last) = page.last() else { break };
            after = last.position;
            streams.extend(page.iter().filter(|event| is_read(event)).map(|event| event.stream.clone()));
        }
        streams.sort();
        streams.dedup();
        Ok(streams)
    }

    fn absorb(&self, events: &[Recorded]) {
        let mut versions = self.versions();
        for event in events {
            let known = versions.entry(event.stream.clone()).or_default();
            if event.version <= *known {
                continue;
            }
            *known = event.version;
            if let Err(fault) = self.absorb_one(event) {
                tracing::error!(stream = event.stream, version = event.version, %fault, "an event of a book cannot be read");
            }
        }
    }

    fn absorb_one(&self, event: &Recorded) -> Result<(), wire::DecodeFault> {
        if let Some(decoded) = wire::decode_policy(&event.event_type, &event.payload)? {
            self.change(&event.tenant, |book| book.absorb(decoded));
        } else if let Some(decoded) = wire::decode_holiday(&event.event_type, &event.payload)? {
            self.change(&event.tenant, |book| book.absorb_holiday(decoded));
        }
        Ok(())
    }

    fn change(&self, tenant: &str, change: impl FnOnce(&mut Book)) {
        let mut tenants = self.tenants.write().unwrap_or_else(PoisonError::into_inner);
        change(Arc::make_mut(tenants.entry(tenant.to_owned()).or_default()));
    }

    fn versions(&self) -> MutexGuard<'_, HashMap<String, u64>> {
        self.versions.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn is_read(event: &Recorded) -> bool {
    READ.iter().any(|start| event.event_type.starts_with(start))
}
