//! States of the streams that were used lately.

use std::sync::{Arc, Mutex, PoisonError};

use crate::timers::Next;

/// A committed state. Only the writer's task puts states in, in the order of commits, so what is here never goes backwards.
pub(crate) struct Cached<S> {
    pub(crate) state: Arc<S>,
    pub(crate) version: u64,
    /// [`crate::log::Log::others`] when it was compared with the log, or read from it.
    pub(crate) others: u64,
    /// The timers stored for this state, when this process knows them.
    pub(crate) timers: Option<Arc<Vec<Next>>>,
}

impl<S> Clone for Cached<S> {
    fn clone(&self) -> Self {
        Cached { state: Arc::clone(&self.state), version: self.version, others: self.others, timers: self.timers.clone() }
    }
}

impl<S: Default> Default for Cached<S> {
    fn default() -> Self {
        Cached { state: Arc::default(), version: 0, others: 0, timers: None }
    }
}

/// The place of a stream in the cache. A new state is put where the old one was: the cache itself is asked once for a stream of a batch,
/// and its own order changes only when a stream comes or goes. Where the stream has gone meanwhile nobody finds what is put here.
pub(crate) struct Slot<S>(Arc<Mutex<Cached<S>>>);

impl<S> Clone for Slot<S> {
    fn clone(&self) -> Self {
        Slot(Arc::clone(&self.0))
    }
}

impl<S> Slot<S> {
    pub(crate) fn read(&self) -> Cached<S> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    pub(crate) fn put(&self, cached: Cached<S>) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = cached;
    }
}

pub(crate) struct Cache<S> {
    streams: moka::sync::Cache<String, Slot<S>>,
}

impl<S: Send + Sync + 'static> Cache<S> {
    pub(crate) fn new(streams: u64) -> Self {
        Cache { streams: moka::sync::Cache::new(streams) }
    }

    pub(crate) fn slot(&self, stream: &str) -> Option<Slot<S>> {
        self.streams.get(stream)
    }

    pub(crate) fn put(&self, stream: String, cached: Cached<S>) {
        self.streams.insert(stream, Slot(Arc::new(Mutex::new(cached))));
    }
}
