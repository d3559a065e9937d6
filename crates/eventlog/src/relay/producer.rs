//! The producer of a relay: pipelined, polled by a thread of its own, reporting to the window.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use rdkafka::message::{DeliveryResult, Message as _};
use rdkafka::producer::{BaseProducer, BaseRecord, Producer, ProducerContext};
use rdkafka::{ClientContext, Statistics};
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

use super::window::Window;
use crate::activity::Activity;
use crate::bus::kafka::envelope;
use crate::bus::partition::partition_of;
use crate::bus::{BusError, Kafka};
use crate::event::Recorded;

/// How long one poll of the thread lasts; reports are served as they come.
const POLL: Duration = Duration::from_millis(50);
/// How long to wait when librdkafka's queue is full.
const FULL: Duration = Duration::from_millis(1);

/// What the producer's callbacks and the relay share.
pub(crate) struct Progress {
    pub topic: String,
    kafka: Kafka,
    activity: Activity,
    window: Mutex<Window>,
    trouble: Mutex<Option<String>>,
    /// Told after every acknowledgement.
    pub changed: Notify,
}

impl Progress {
    pub fn new(topic: String, kafka: Kafka, activity: Activity) -> Self {
        Self { topic, kafka, activity, window: Mutex::default(), trouble: Mutex::default(), changed: Notify::new() }
    }

    pub fn window(&self) -> MutexGuard<'_, Window> {
        self.window.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Why the relay cannot go on now.
    pub fn trouble(&self) -> Option<String> {
        self.trouble.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// None: it goes on.
    pub fn note_trouble(&self, trouble: Option<String>) {
        *self.trouble.lock().unwrap_or_else(PoisonError::into_inner) = trouble;
    }
}

/// Serves delivery reports.
pub(super) struct Reports(Arc<Progress>);

impl ClientContext for Reports {
    fn error(&self, error: KafkaError, reason: &str) {
        let fatal = matches!(&error, KafkaError::Global(RDKafkaErrorCode::Fatal));
        // librdkafka logs and repairs all others by itself. While no broker answers, messages wait and nothing fails.
        if matches!(&error, KafkaError::Global(RDKafkaErrorCode::AllBrokersDown)) {
            self.0.note_trouble(Some(error.to_string()));
        }
        if fatal {
            tracing::warn!(topic = self.0.topic, %error, reason, "kafka producer is dead");
            self.0.window().fail(format!("{error}: {reason}"));
            self.0.changed.notify_one();
        }
    }

    /// A relay that has nothing to send learns in this way that a broker is back.
    fn stats(&self, statistics: Statistics) {
        if statistics.brokers.values().any(|broker| broker.state == "UP") {
            self.0.note_trouble(None);
        }
    }
}

impl ProducerContext for Reports {
    /// The position in the log.
    type DeliveryOpaque = usize;

    fn delivery(&self, result: &DeliveryResult<'_>, position: usize) {
        let progress = &self.0;
        match result {
            Ok(message) => {
                // The end first: nobody may see the log published and the consumers at the old end.
                progress.kafka.note_end(&progress.topic, message.partition(), message.offset() + 1);
                progress.window().acknowledge(position as u64);
                progress.note_trouble(None);
            }
            Err((error, _)) => progress.window().fail(error.to_string()),
        }
        progress.changed.notify_one();
        progress.activity.touch();
    }
}

/// A producer with its polling thread.
pub(super) struct Pipe {
    producer: Arc<BaseProducer<Reports>>,
    progress: Arc<Progress>,
    name: String,
    partitions: i32,
    stop: CancellationToken,
    thread: Option<JoinHandle<()>>,
}

impl Pipe {
    /// Opens a producer; nothing is sent yet.
    pub fn open(kafka: &Kafka, progress: Arc<Progress>) -> Result<Self, BusError> {
        let failed = |error: KafkaError| BusError::Kafka(error.to_string());
        let config = kafka.config();
        let producer: BaseProducer<Reports> = config.producer().create_with_context(Reports(Arc::clone(&progress))).map_err(failed)?;
        let producer = Arc::new(producer);
        let stop = CancellationToken::new();
        let thread = std::thread::Builder::new()
            .name(format!("relay {}", progress.topic))
            .spawn({
                let (producer, stop) = (Arc::clone(&producer), stop.clone());
                move || {
                    while !stop.is_cancelled() {
                        producer.poll(POLL);
                    }
                }
            })
            .map_err(|error| BusError::Kafka(error.to_string()))?;
        let name = config.physical(&progress.topic);
        Ok(Self { producer, progress, name, partitions: config.partitions, stop, thread: Some(thread) })
    }

    /// Puts an event on its way. Waits while librdkafka's queue is full.
    ///
    /// # Errors
    /// The producer is dead, or the message can never be sent.
    pub async fn send(&self, event: &Recorded) -> Result<(), BusError> {
        let partition = partition_of(&event.key, self.partitions);
        loop {
            // Counted before it is sent: the report may come at once.
            self.progress.window().send();
            let record = BaseRecord::with_opaque_to(&self.name, event.position as usize)
                .partition(partition)
                .key(event.key.as_bytes())
                .payload(event.payload.as_slice())
                .headers(envelope::headers(event));
            let error = match self.producer.send(record) {
                Ok(()) => return Ok(()),
                Err((error, _)) => error,
            };
            self.progress.window().unsend();
            if !matches!(error, KafkaError::MessageProduction(RDKafkaErrorCode::QueueFull)) {
                return Err(BusError::Kafka(error.to_string()));
            }
            self.producer.poll(Duration::ZERO);
            tokio::time::sleep(FULL).await;
        }
    }

    /// Ends the thread and drops what is not acknowledged.
    pub async fn close(mut self) {
        self.stop.cancel();
        let thread = self.thread.take();
        let in_flight = self.producer.in_flight_count();
        let producer = self.producer;
        let closed = tokio::task::spawn_blocking(move || {
            let joined = thread.map(JoinHandle::join);
            drop(producer);
            joined
        });
        if closed.await.is_err() || in_flight > 0 {
            tracing::warn!(topic = self.progress.topic, in_flight, "producer closed with messages under way");
        }
    }
}
