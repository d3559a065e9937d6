//! The bus: how the published copy of one service's log reaches the other services.
//!
//! A topic is a service's log, forwarded event by event through the service's [`Publish`]: public events verbatim, internal ones as
//! [`WITHHELD`], so that the versions of a stream stay contiguous for every consumer. In process the bus reads the producer's log
//! itself; with Kafka a relay copies the log to a topic of the same name.

pub mod in_process;
pub mod kafka;
pub mod partition;

use std::sync::Arc;

use tokio_util::sync::CancellationToken;

use crate::activity::Activity;
use crate::event::Recorded;
use crate::log::Log;
use crate::relay::Relay;

pub use in_process::InProcess;
pub use kafka::{Bare, Kafka, KafkaConfig, Loopback, PROTECTED, TopicState};

/// The event type under which an event that stays inside its service is forwarded. Its payload is empty.
pub const WITHHELD: &str = "withheld";

/// One event as a consumer sees it.
#[derive(Clone, Debug, PartialEq)]
pub struct Message {
    /// The logical topic, such as `regua.invoice.v1`.
    pub topic: String,
    /// The partition; always 0 in process and for a service's own log.
    pub partition: i32,
    /// The offset inside the partition, from 0; in process it is the producer's position minus one.
    pub offset: i64,
    /// The event with its envelope. `event_type` is [`WITHHELD`] where the producer kept it to itself.
    pub event: Recorded,
}

impl Message {
    /// Whether the producer kept the event to itself: only its place in the stream is known.
    pub fn is_withheld(&self) -> bool {
        self.event.event_type == WITHHELD
    }

    /// The partition that the message came from.
    pub fn place(&self) -> Place {
        Place { topic: self.topic.clone(), partition: self.partition }
    }
}

/// A partition of a topic.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Place {
    /// The logical topic.
    pub topic: String,
    /// The partition's number, from 0.
    pub partition: i32,
}

/// What the world outside a service sees of one of its events.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Published {
    /// A fact for everybody, under its public name.
    Public {
        /// The public event type.
        event_type: String,
        /// The public payload, protobuf bytes.
        payload: Vec<u8>,
    },
    /// Nobody else's business; the consumers learn only that a version of the stream went by.
    Withheld,
}

/// A service's translation of its own events into public ones (its `publish.rs`).
pub trait Publish: Send + Sync + 'static {
    /// The public form of an event. Total and pure: the same event always gives the same answer.
    fn publish(&self, event: &Recorded) -> Published;
}

/// Forwards every event as it is, for a log whose internal events are its public ones.
#[derive(Clone, Copy, Debug, Default)]
pub struct Verbatim;

impl Publish for Verbatim {
    fn publish(&self, event: &Recorded) -> Published {
        Published::Public { event_type: event.event_type.clone(), payload: event.payload.clone() }
    }
}

/// The event as it leaves its service: envelope kept, type and payload replaced by the public ones.
pub(crate) fn outward(publish: &dyn Publish, mut event: Recorded) -> Recorded {
    match publish.publish(&event) {
        Published::Public { event_type, payload } => {
            event.event_type = event_type;
            event.payload = payload;
        }
        Published::Withheld => {
            event.event_type = WITHHELD.to_string();
            event.payload = Vec::new();
        }
    }
    event
}

/// How the services of this process reach each other.
#[derive(Clone)]
pub enum Bus {
    /// All services live in this process: consumers read the producers' logs.
    InProcess(InProcess),
    /// Services talk through Apache Kafka.
    Kafka(Kafka),
}

impl Bus {
    /// Publishes a service's log under a topic: in process it is offered to the consumers, with Kafka a relay is started.
    ///
    /// # Errors
    /// [`BusError`] of Kafka.
    pub async fn offer(
        &self,
        topic: &str,
        log: Log,
        publish: Arc<dyn Publish>,
        activity: &Activity,
        shutdown: CancellationToken,
    ) -> Result<Option<Relay>, BusError> {
        match self {
            Bus::InProcess(bus) => {
                bus.offer(topic, log, publish);
                Ok(None)
            }
            Bus::Kafka(kafka) => Ok(Some(Relay::start(topic, log, publish, kafka, (activity, shutdown)).await?)),
        }
    }
}

/// Why the bus could not be used.
#[derive(Debug, thiserror::Error)]
pub enum BusError {
    /// Kafka refused or could not be reached.
    #[error("kafka: {0}")]
    Kafka(String),
    /// No broker answered: it may come later.
    #[error("no broker answers at {0}")]
    Away(String),
    /// The topic exists with another number of partitions than the configuration asks for; keys would move.
    #[error("topic {topic} has {actual} partitions, the configuration says {configured}")]
    Partitions {
        /// The topic.
        topic: String,
        /// What Kafka says.
        actual: i32,
        /// What the configuration says.
        configured: i32,
    },
}
