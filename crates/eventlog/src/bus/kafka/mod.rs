//! Apache Kafka as the bus: topics, subscriptions, and what this process knows of their ends.
//!
//! The database of the producer is the truth; a topic is its published copy. Delivery is at least once and in order per partition;
//! consumers drop duplicates by stream version.

mod assignment;
mod bare;
mod config;
pub(crate) mod envelope;
mod subscription;
mod topics;

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::bus::Place;

pub use bare::{Bare, Loopback};
pub use config::{KafkaConfig, PROTECTED};
pub use envelope::MALFORMED;
pub(crate) use subscription::Subscription;
pub use topics::TopicState;

/// A Kafka cluster. Cheap to clone.
#[derive(Clone)]
pub struct Kafka {
    inner: Arc<Inner>,
}

struct Inner {
    config: KafkaConfig,
    /// The offset after the last message that this process knows to be acknowledged.
    ends: Mutex<BTreeMap<Place, i64>>,
}

impl Kafka {
    /// A cluster that is not asked anything yet.
    pub fn new(config: KafkaConfig) -> Self {
        Self { inner: Arc::new(Inner { config, ends: Mutex::default() }) }
    }

    /// How it is reached.
    pub fn config(&self) -> &KafkaConfig {
        &self.inner.config
    }

    /// The offsets after the last messages of a topic that this process knows of: what its relays had acknowledged, and what was there
    /// when the topic was opened.
    pub fn known_ends(&self, topic: &str) -> Vec<(Place, i64)> {
        self.ends().iter().filter(|(place, _)| place.topic == topic).map(|(place, end)| (place.clone(), *end)).collect()
    }

    /// Notes that a message is there.
    pub(crate) fn note_end(&self, topic: &str, partition: i32, end: i64) {
        let mut ends = self.ends();
        let known = ends.entry(Place { topic: topic.to_string(), partition }).or_insert(0);
        *known = (*known).max(end);
    }

    fn ends(&self) -> MutexGuard<'_, BTreeMap<Place, i64>> {
        self.inner.ends.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
