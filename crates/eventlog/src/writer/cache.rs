//! States of the streams that were used lately, as many as fit.

use std::sync::{Arc, Mutex, PoisonError};

use quick_cache::DefaultHashBuilder;
use quick_cache::sync::DefaultLifecycle;

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

/// A stream's place with what it counted for when it was put: the cache must find the same weight for as long as it holds it.
struct Place<S> {
    slot: Slot<S>,
    weight: u64,
}

impl<S> Clone for Place<S> {
    fn clone(&self) -> Self {
        Place { slot: self.slot.clone(), weight: self.weight }
    }
}

#[derive(Clone)]
struct ByEvents;

impl<S> quick_cache::Weighter<String, Place<S>> for ByEvents {
    fn weight(&self, _: &String, place: &Place<S>) -> u64 {
        place.weight
    }
}

/// Bounded by the events that made the states, because a state grows with them: a limit on streams would be none on memory.
pub(crate) struct Cache<S> {
    streams: quick_cache::sync::Cache<String, Place<S>, ByEvents>,
    /// What a stream counts for at most.
    most: u64,
}

impl<S: Send + Sync + 'static> Cache<S> {
    pub(crate) fn new(events: u64) -> Self {
        let most = (events / LARGEST).max(OF_EACH + 1);
        let streams = usize::try_from(events / (2 * OF_EACH)).unwrap_or(usize::MAX);
        let mut options = quick_cache::OptionsBuilder::new();
        // One shard: a stream must fit into one, and nobody but the writer's task puts anything in.
        options.shards(1).estimated_items_capacity(streams).weight_capacity(events);
        let options = options.build().expect("both capacities are set");
        Cache {
            streams: quick_cache::sync::Cache::with_options(options, ByEvents, DefaultHashBuilder::default(), DefaultLifecycle::default()),
            most,
        }
    }

    pub(crate) fn slot(&self, stream: &str) -> Option<Slot<S>> {
        self.streams.get(stream).map(|place| place.slot)
    }

    /// Whether a stream is remembered, for who does not use it now.
    pub(crate) fn holds(&self, stream: &str) -> bool {
        self.streams.contains_key(stream)
    }

    /// Puts a state where its stream was, or where it was not.
    pub(crate) fn put(&self, stream: String, slot: Option<Slot<S>>, cached: Cached<S>) {
        let weight = self.weight(cached.version);
        let Some(slot) = slot else {
            self.streams.insert(stream, Place { slot: Slot(Arc::new(Mutex::new(cached))), weight });
            return;
        };
        let before = self.weight(slot.put(cached).version);
        // The cache weighs what it is given; one that has gone meanwhile comes back.
        if weight != before {
            self.streams.insert(stream, Place { slot, weight });
        }
    }

    /// In events, rounded up so that a stream that grows is weighed anew now and then and not each time.
    fn weight(&self, version: u64) -> u64 {
        (OF_EACH + version.max(1).checked_next_power_of_two().unwrap_or(version)).min(self.most)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cached(version: u64) -> Cached<u64> {
        Cached { state: Arc::new(version), version, ..Cached::default() }
    }

    fn weighs(cache: &Cache<u64>) -> u64 {
        cache.streams.weight()
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
        assert!(cache.streams.len() as u64 <= LARGEST, "{}", cache.streams.len());
    }

    #[test]
    fn a_state_keeps_its_place_and_the_newest_is_found() {
        let cache = Cache::new(1_000);
        for version in 1..=20 {
            cache.put("a".to_owned(), cache.slot("a"), cached(version));
            assert_eq!(cache.slot("a").map(|slot| slot.read().version), Some(version));
        }
        assert_eq!(weighs(&cache), cache.weight(20));
    }

    #[test]
    fn the_largest_stream_of_all_is_remembered() {
        let cache = Cache::new(1_000);
        cache.put("a".to_owned(), None, cached(1_000_000));
        assert_eq!(weighs(&cache), 1_000 / LARGEST);
    }
}
