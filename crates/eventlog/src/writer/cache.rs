//! States of the streams that were used lately, as many as fit.

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
/// and its own order changes only when a stream comes, goes or has grown a lot. Where the stream has gone meanwhile nobody finds what is put
/// here.
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

    /// What was there before.
    fn put(&self, cached: Cached<S>) -> Cached<S> {
        std::mem::replace(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner), cached)
    }
}

/// What a stream counts for besides its events: its name, its place and an empty state.
const OF_EACH: u64 = 8;
/// A stream counts for at most such a part of the whole cache: of a stream that is larger than all others nothing would be remembered.
const LARGEST: u64 = 8;

/// Bounded by the events that made the states, because a state grows with them: a limit on streams would be none on memory.
pub(crate) struct Cache<S> {
    streams: moka::sync::Cache<String, Slot<S>>,
}

impl<S: Send + Sync + 'static> Cache<S> {
    pub(crate) fn new(events: u64) -> Self {
        let most = (events / LARGEST).max(OF_EACH + 1);
        let weight = move |_: &String, slot: &Slot<S>| u32::try_from(weight(slot.read().version).min(most)).unwrap_or(u32::MAX);
        Cache { streams: moka::sync::Cache::builder().max_capacity(events).weigher(weight).build() }
    }

    pub(crate) fn slot(&self, stream: &str) -> Option<Slot<S>> {
        self.streams.get(stream)
    }

    /// Whether a stream is remembered, for who does not use it now.
    pub(crate) fn holds(&self, stream: &str) -> bool {
        self.streams.contains_key(stream)
    }

    /// Puts a state where its stream was, or where it was not.
    pub(crate) fn put(&self, stream: String, slot: Option<Slot<S>>, cached: Cached<S>) {
        let Some(slot) = slot else {
            self.streams.insert(stream, Slot(Arc::new(Mutex::new(cached))));
            return;
        };
        let after = weight(cached.version);
        let before = weight(slot.put(cached).version);
        // The cache weighs what it is given; one that has gone meanwhile comes back.
        if after != before {
            self.streams.insert(stream, slot);
        }
    }
}

/// In events, rounded up so that a stream that grows is weighed anew now and then and not each time.
fn weight(version: u64) -> u64 {
    OF_EACH + version.max(1).checked_next_power_of_two().unwrap_or(version)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cached(version: u64) -> Cached<u64> {
        Cached { state: Arc::new(version), version, ..Cached::default() }
    }

    fn weighs(cache: &Cache<u64>) -> u64 {
        cache.streams.run_pending_tasks();
        cache.streams.weighted_size()
    }

    #[test]
    fn states_that_grow_make_room_for_fewer() {
        let cache = Cache::new(1_000);
        for version in [1, 90] {
            for number in 0..100 {
                let stream = format!("s{number}");
                cache.put(stream.clone(), cache.slot(&stream), cached(version));
            }
            assert!(weighs(&cache) <= 1_000, "{} at version {version}", weighs(&cache));
        }
        assert!(cache.streams.entry_count() <= LARGEST, "{}", cache.streams.entry_count());
    }

    #[test]
    fn a_state_keeps_its_place_and_the_newest_is_found() {
        let cache = Cache::new(1_000);
        for version in 1..=20 {
            cache.put("a".to_owned(), cache.slot("a"), cached(version));
            assert_eq!(cache.slot("a").map(|slot| slot.read().version), Some(version));
        }
        assert_eq!(weighs(&cache), weight(20));
    }

    #[test]
    fn the_largest_stream_of_all_is_remembered() {
        let cache = Cache::new(1_000);
        cache.put("a".to_owned(), None, cached(1_000_000));
        assert_eq!(weighs(&cache), 1_000 / LARGEST);
    }
}
