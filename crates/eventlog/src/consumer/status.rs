//! What is known of a running consumer: for the barrier, for metrics, for people.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Mutex, MutexGuard, PoisonError};

use tokio::sync::watch;

use super::page::Gap;
use crate::bus::{Bus, Place};
use crate::projection::OwnLog;

/// A consumer as its operator sees it. Plain data; host turns it into metrics.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ConsumerStatus {
    /// The consumer's permanent name.
    pub consumer: String,
    /// The next offset, and how many messages are known to be behind it, for every partition that was read or is known.
    pub places: BTreeMap<Place, PlaceStatus>,
    /// Streams that wait for a person.
    pub parked: u64,
    /// Partitions that are held because a version is missing.
    pub gaps: Vec<Gap>,
    /// Counters since the start.
    pub counts: Counts,
    /// Why the consumer cannot go on now; None while it can.
    pub trouble: Option<String>,
    /// Whether it was stopped or has given up.
    pub stopped: bool,
    /// Whether somebody paused it.
    pub paused: bool,
}

/// How far one partition is read.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct PlaceStatus {
    /// The next offset to read.
    pub next: i64,
    /// Messages known to be there and not read.
    pub lag: i64,
}

/// Counters since the start of the process.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Transactions that moved the place.
    pub pages: u64,
    /// Messages whose effects were stored.
    pub applied: u64,
    /// Messages whose version was seen before.
    pub duplicates: u64,
    /// Messages that queued behind a parked stream.
    pub queued: u64,
    /// Messages of a type that nobody here knows: kept and skipped.
    pub unknown: u64,
    /// Attempts that failed and were repeated.
    pub retries: u64,
    /// Pages that another consumer had moved past.
    pub fenced: u64,
}

/// State that the consumer's task writes and others read.
#[derive(Default)]
pub(crate) struct Shared {
    state: Mutex<State>,
    /// Whether the consumer is paused. It lives here, so that the task never sees it closed.
    pub pause: watch::Sender<bool>,
}

#[derive(Default)]
pub(crate) struct State {
    pub next: HashMap<Place, i64>,
    pub held: HashMap<Place, Gap>,
    pub working: bool,
    pub stopped: bool,
    pub parked: u64,
    pub counts: Counts,
    pub trouble: Option<String>,
    /// Why requests for parked streams could not be looked up; known anew a second later.
    pub requests_trouble: Option<String>,
}

impl Shared {
    pub fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Nothing in hand and nothing known to come. A held partition, a pause and a stop are idle: waiting for them would be for ever.
    pub fn is_idle(&self, ends: &Ends) -> bool {
        let paused = *self.pause.borrow();
        let state = self.lock();
        state.stopped || (!state.working && (paused || state.is_at(ends)))
    }

    pub fn status(&self, consumer: &str, ends: &Ends) -> ConsumerStatus {
        let paused = *self.pause.borrow();
        let state = self.lock();
        ConsumerStatus {
            consumer: consumer.to_string(),
            places: state.places(ends),
            parked: state.parked,
            gaps: state.held.values().cloned().collect(),
            counts: state.counts,
            trouble: state.trouble.clone().or_else(|| state.requests_trouble.clone()),
            stopped: state.stopped,
            paused,
        }
    }
}

/// Where messages can be known to be: the bus and the service's own log.
#[derive(Clone)]
pub(crate) struct Ends {
    pub bus: Bus,
    pub topics: Vec<String>,
    pub own: Option<OwnLog>,
}

impl Ends {
    /// The offset after the last known message of every partition.
    pub fn known(&self) -> Vec<(Place, i64)> {
        let mut ends = Vec::new();
        if let Some(own) = &self.own {
            ends.push((Place { topic: own.topic.clone(), partition: 0 }, own.log.known_head() as i64));
        }
        for topic in &self.topics {
            match &self.bus {
                Bus::InProcess(bus) => {
                    let head = bus.feed(topic).map_or(0, |feed| feed.log.known_head());
                    ends.push((Place { topic: topic.clone(), partition: 0 }, head as i64));
                }
                Bus::Kafka(kafka) => ends.extend(kafka.known_ends(topic)),
            }
        }
        ends
    }
}

impl State {
    /// Whether everything that is known to be there was read, held partitions apart.
    fn is_at(&self, ends: &Ends) -> bool {
        let at = |(place, end): &(Place, i64)| self.held.contains_key(place) || self.next.get(place).copied().unwrap_or(0) >= *end;
        ends.known().iter().all(at)
    }

    fn places(&self, ends: &Ends) -> BTreeMap<Place, PlaceStatus> {
        let mut places: BTreeMap<Place, PlaceStatus> =
            self.next.iter().map(|(place, next)| (place.clone(), PlaceStatus { next: *next, lag: 0 })).collect();
        for (place, end) in ends.known() {
            let entry = places.entry(place).or_default();
            entry.lag = (end - entry.next).max(0);
        }
        places
    }
}
