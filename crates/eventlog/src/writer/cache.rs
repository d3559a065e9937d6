//! States of the streams that were used lately.

use std::sync::Arc;

use crate::timers::Next;

/// A committed state. Only the writer's task puts states in, in the order of commits, so what is here never goes backwards.
pub(crate) struct Cached<S> {
    pub(crate) state: Arc<S>,
    pub(crate) version: u64,
    /// The timers stored for this state, when this process knows them.
    pub(crate) timers: Option<Arc<Vec<Next>>>,
}

impl<S> Clone for Cached<S> {
    fn clone(&self) -> Self {
        Cached { state: Arc::clone(&self.state), version: self.version, timers: self.timers.clone() }
    }
}

impl<S: Default> Default for Cached<S> {
    fn default() -> Self {
        Cached { state: Arc::default(), version: 0, timers: None }
    }
}

pub(crate) struct Cache<S> {
    streams: moka::sync::Cache<String, Cached<S>>,
}

impl<S: Send + Sync + 'static> Cache<S> {
    pub(crate) fn new(streams: u64) -> Self {
        Cache { streams: moka::sync::Cache::new(streams) }
    }

    pub(crate) fn get(&self, stream: &str) -> Option<Cached<S>> {
        self.streams.get(stream)
    }

    pub(crate) fn put(&self, stream: String, cached: Cached<S>) {
        self.streams.insert(stream, cached);
    }
}
