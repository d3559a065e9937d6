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
use std::time::Duration;

use rdkafka::ClientContext;
use rdkafka::client::Client;

use crate::bus::Place;

pub use bare::{Bare, Loopback};
pub use config::{KafkaConfig, PROTECTED};
pub use envelope::MALFORMED;
pub(crate) use subscription::Subscription;
pub use topics::TopicState;

/// How long a producer that is opened waits for a broker to answer before it leaves the rest to librdkafka.
const ANSWERS: Duration = Duration::from_millis(250);

/// A Kafka cluster. Cheap to clone.
#[derive(Clone)]
pub struct Kafka {
    inner: Arc<Inner>,
}

struct Inner {
    config: KafkaConfig,
    /// The offset after the last message that this process knows to be acknowledged, by topic and partition.
    ends: Mutex<BTreeMap<String, BTreeMap<i32, i64>>>,
}

impl Kafka {
    /// A cluster that is not asked anything yet.
    pub fn new(config: KafkaConfig) -> Self {
        Self { inner: Arc::new(Inner { config, ends: Mutex::default() }) }
    }

    /// The version of the client library that reaches it.
    pub fn client_version() -> String {
        rdkafka::util::get_rdkafka_version().1
    }

    /// How it is reached.
    pub fn config(&self) -> &KafkaConfig {
        &self.inner.config
    }

    /// The offsets after the last messages of a topic that this process knows of: what its relays had acknowledged, and what was there
    /// when the topic was opened.
    pub fn known_ends(&self, topic: &str) -> Vec<(Place, i64)> {
        let place = |(partition, end): (&i32, &i64)| (Place { topic: topic.to_string(), partition: *partition }, *end);
        self.ends().get(topic).map(|ends| ends.iter().map(place).collect()).unwrap_or_default()
    }

    /// Notes that a message is there.
    pub(crate) fn note_end(&self, topic: &str, partition: i32, end: i64) {
        let mut ends = self.ends();
        // For each message: the name is copied only once.
        if !ends.contains_key(topic) {
            ends.insert(topic.to_string(), BTreeMap::new());
        }
        if let Some(ends) = ends.get_mut(topic) {
            let known = ends.entry(partition).or_insert(0);
            *known = (*known).max(end);
        }
    }

    fn ends(&self) -> MutexGuard<'_, BTreeMap<String, BTreeMap<i32, i64>>> {
        self.inner.ends.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Lets a producer that was just opened have its id in some milliseconds. librdkafka asks for the id when metadata come in while a broker
/// is connected, and else looks every half second; the first answer still comes over the connection by which it found the cluster.
pub(crate) fn identify<C: ClientContext>(client: &Client<C>, topic: &str) {
    for _ in 0..2 {
        if client.fetch_metadata(Some(topic), ANSWERS).is_err() {
            return;
        }
    }
}
