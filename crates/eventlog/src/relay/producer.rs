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
use crate::bus::kafka::{envelope, identify};
use crate::bus::partition::partition_of;
use crate::bus::{BusError, Kafka};
use crate::event::Recorded;

/// How long one poll of the thread lasts; reports are served as they come.
const POLL: Duration = Duration::from_millis(50);
/// Events under way at most.
pub(super) const IN_FLIGHT: usize = 24_000;
/// A relay that has so many under way is told when it has only so few: enough to go on with while it wakes.
const ROOM: usize = IN_FLIGHT / 2;
/// How long to wait when librdkafka's queue is full, and after how many times the producer is given up: an operator may have made the queue
/// smaller than what may be under way, and while no broker answers nothing leaves it.
const FULL: Duration = Duration::from_millis(1);
const FULL_TIMES: usize = 2_000;
/// Events that are handed over before others of this runtime have their turn.
const TURN: usize = 500;

/// What the producer's callbacks and the relay share.
pub(crate) struct Progress {
    pub topic: String,
    kafka: Kafka,
    activity: Activity,
    window: Mutex<Window>,
    trouble: Mutex<Option<String>>,
    /// Told when there is room again, when nothing is under way any more, and when the producer must be given up.
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
        let (before, after) = match result {
            Ok(message) => {
                // The end first: nobody may see the log published and the consumers at the old end.
                progress.kafka.note_end(&progress.topic, message.partition(), message.offset() + 1);
                progress.note_trouble(None);
                let mut window = progress.window();
                let before = window.in_flight();
                window.acknowledge(position as u64);
                (before, window.in_flight())
            }
            Err((error, _)) => {
                progress.window().fail(error.to_string());
                (0, 0)
            }
        };
        // Whoever is told for every message does nothing else.
        if after == 0 || (before > ROOM && after <= ROOM) {
            progress.changed.notify_one();
            progress.activity.touch();
        }
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
                let (producer, stop, topic) = (Arc::clone(&producer), stop.clone(), config.physical(&progress.topic));
                move || {
                    // Messages wait for it in their queue.
                    identify(producer.client(), &topic);
                    while !stop.is_cancelled() {
                        producer.poll(POLL);
                    }
                }
            })
            .map_err(|error| BusError::Kafka(error.to_string()))?;
        let name = config.physical(&progress.topic);
        Ok(Self { producer, progress, name, partitions: config.partitions, stop, thread: Some(thread) })
    }

    /// Puts events on their way, which follow each other in the log. Waits while librdkafka's queue is full.
    ///
    /// # Errors
    /// The producer is dead, its queue stays full, or a message can never be sent.
    pub async fn send(&self, events: impl ExactSizeIterator<Item = Recorded>) -> Result<(), BusError> {
        // Counted before they are sent: a report may come at once. Where one cannot be sent the window is given up with the producer.
        self.progress.window().send(events.len());
        for (index, event) in events.enumerate() {
            if index % TURN == TURN - 1 {
                tokio::task::yield_now().await;
            }
            self.send_one(&event).await?;
        }
        Ok(())
    }

    async fn send_one(&self, event: &Recorded) -> Result<(), BusError> {
        let record = BaseRecord::with_opaque_to(&self.name, event.position as usize)
            .partition(partition_of(&event.key, self.partitions))
            .key(event.key.as_bytes())
            .payload(event.payload.as_slice())
            .headers(envelope::headers(event));
        let (mut next, mut waited) = (self.producer.send(record), 0);
        while let Err((KafkaError::MessageProduction(RDKafkaErrorCode::QueueFull), record)) = next {
            waited += 1;
            if waited > FULL_TIMES {
                return Err(BusError::Kafka("the queue of the producer stays full".to_string()));
            }
            self.producer.poll(Duration::ZERO);
            tokio::time::sleep(FULL).await;
            next = self.producer.send(record);
        }
        next.map_err(|(error, _)| BusError::Kafka(error.to_string()))
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bus::KafkaConfig;
    use crate::event::sample;

    fn event(position: u32) -> Recorded {
        sample("s", u64::from(position))
    }

    /// Nobody listens where the producer sends: its queue fills, and whoever waits for room must come back to its lease.
    #[tokio::test]
    async fn a_producer_whose_queue_stays_full_is_given_up() {
        let mut config = KafkaConfig::new("127.0.0.1:1");
        config.settings.push(("queue.buffering.max.messages".into(), "100".into()));
        let kafka = Kafka::new(config);
        let progress = Arc::new(Progress::new("numbers".into(), kafka.clone(), Activity::default()));
        let pipe = Pipe::open(&kafka, Arc::clone(&progress)).unwrap();
        pipe.send((1..101_u32).map(event)).await.unwrap();
        let given_up = pipe.send((101..103_u32).map(event)).await.unwrap_err();
        assert!(given_up.to_string().contains("stays full"), "{given_up}");
        let (published, in_flight) = {
            let window = progress.window();
            (window.published(), window.in_flight())
        };
        assert_eq!((published, in_flight), (0, 102), "nothing counts as published");
        pipe.close().await;
    }
}
