//! Kafka with nothing around it: what a measurement compares the relay and the consumers with. No service uses it.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use rdkafka::message::{DeliveryResult, Message as _, OwnedHeaders};
use rdkafka::producer::{BaseProducer, BaseRecord, DefaultProducerContext, Producer, ProducerContext};
use rdkafka::{ClientConfig, ClientContext, Offset, TopicPartitionList};
use tokio::sync::oneshot;
use tokio_util::sync::CancellationToken;

use super::topics::{failed, on_thread};
use super::{Kafka, envelope, identify};
use crate::bus::partition::partition_of;
use crate::bus::{BusError, Publish, outward};
use crate::event::Recorded;

/// How long the threads wait for something before they look whether they shall end.
const POLL: Duration = Duration::from_millis(10);
/// How long all that was sent may take to be acknowledged.
const FLUSH: Duration = Duration::from_secs(120);

/// Messages that are ready to be sent: nothing is left to do but to open a producer and to hand them to librdkafka.
pub struct Bare {
    config: ClientConfig,
    topic: String,
    partitions: i32,
    messages: Vec<(String, Vec<u8>, OwnedHeaders)>,
}

/// Notes the first message that was given up.
struct Refusals(Arc<Mutex<Option<String>>>);

impl ClientContext for Refusals {}

impl ProducerContext for Refusals {
    type DeliveryOpaque = ();

    fn delivery(&self, result: &DeliveryResult<'_>, (): ()) {
        if let Err((error, _)) = result {
            locked(&self.0).get_or_insert(error.to_string());
        }
    }
}

impl Kafka {
    /// Prepares events for a topic with the bytes that a relay would send, under a relay's settings. The topic is created where it does
    /// not exist.
    ///
    /// # Errors
    /// [`BusError`] when the cluster cannot be reached or the topic does not fit.
    pub async fn bare(&self, topic: &str, events: Vec<Recorded>, publish: &dyn Publish) -> Result<Bare, BusError> {
        self.ensure_topic(topic).await?;
        let messages = events.into_iter().map(|event| {
            let event = outward(publish, event);
            let headers = envelope::headers(&event);
            (event.key, event.payload, headers)
        });
        let (topic, partitions) = (self.config().physical(topic), self.config().partitions);
        Ok(Bare { config: self.config().producer(), topic, partitions, messages: messages.collect() })
    }

    /// Opens a producer and a consumer of a topic that is created where it does not exist; what is in it is passed over.
    ///
    /// # Errors
    /// [`BusError`] when the cluster cannot be reached or the topic does not fit.
    pub async fn loopback(&self, topic: &str) -> Result<Loopback, BusError> {
        self.ensure_topic(topic).await?;
        let mut places = TopicPartitionList::new();
        let name = self.config().physical(topic);
        for (place, end) in self.known_ends(topic) {
            places.add_partition_offset(&name, place.partition, Offset::Offset(end)).map_err(failed)?;
        }
        let consumer: BaseConsumer = self.config().consumer("bare").create().map_err(failed)?;
        consumer.assign(&places).map_err(failed)?;
        let producer: BaseProducer = self.config().producer().create().map_err(failed)?;
        let (producer, waiting, stop) = (Arc::new(producer), Arc::<Mutex<Waiting>>::default(), CancellationToken::new());
        let polls = spawn("bare producer", {
            let (producer, stop) = (Arc::clone(&producer), stop.clone());
            move || while_not(&stop, || producer.poll(POLL))
        })?;
        let reads = spawn("bare consumer", {
            let (waiting, stop) = (Arc::clone(&waiting), stop.clone());
            move || while_not(&stop, || arrive(&consumer, &waiting))
        })?;
        let partitions = self.config().partitions;
        Ok(Loopback { producer, topic: name, partitions, waiting, stop, threads: vec![polls, reads] })
    }
}

impl Bare {
    /// How many messages are ready.
    pub fn len(&self) -> usize {
        self.messages.len()
    }

    /// Whether there is nothing to send.
    pub fn is_empty(&self) -> bool {
        self.messages.is_empty()
    }

    /// Opens a producer as a relay does, sends all of them, and waits until the cluster has acknowledged each.
    ///
    /// # Errors
    /// [`BusError::Kafka`] when a message was given up, or the cluster does not answer for two minutes.
    pub async fn send(self) -> Result<(), BusError> {
        let refusals = Arc::new(Mutex::new(None));
        let producer: BaseProducer<Refusals> = self.config.create_with_context(Refusals(Arc::clone(&refusals))).map_err(failed)?;
        on_thread(move || {
            std::thread::scope(|threads| {
                threads.spawn(|| identify(producer.client(), &self.topic));
                for (key, payload, headers) in self.messages {
                    let partition = partition_of(&key, self.partitions);
                    let record = BaseRecord::to(&self.topic).partition(partition).key(key.as_str()).payload(&payload).headers(headers);
                    let mut next = producer.send(record);
                    while let Err((KafkaError::MessageProduction(RDKafkaErrorCode::QueueFull), record)) = next {
                        producer.poll(POLL);
                        next = producer.send(record);
                    }
                    next.map_err(|(error, _)| failed(error))?;
                    producer.poll(Duration::ZERO);
                }
                producer.flush(FLUSH).map_err(failed)
            })?;
            locked(&refusals).take().map_or(Ok(()), |reason| Err(BusError::Kafka(reason)))
        })
        .await
    }
}

type Waiting = HashMap<u64, oneshot::Sender<()>>;

/// A message there and back again.
pub struct Loopback {
    producer: Arc<BaseProducer<DefaultProducerContext>>,
    topic: String,
    partitions: i32,
    waiting: Arc<Mutex<Waiting>>,
    stop: CancellationToken,
    threads: Vec<JoinHandle<()>>,
}

impl Loopback {
    /// Sends a message under a number that no other one has, and waits until the consumer has it.
    ///
    /// # Errors
    /// [`BusError::Kafka`] when it cannot be sent, or the loopback is closed meanwhile.
    pub async fn there_and_back(&self, number: u64, payload: &[u8]) -> Result<(), BusError> {
        let (arrived, waits) = oneshot::channel();
        locked(&self.waiting).insert(number, arrived);
        let key = number.to_string();
        let record = BaseRecord::to(&self.topic).partition(partition_of(&key, self.partitions)).key(&key).payload(payload);
        self.producer.send(record).map_err(|(error, _)| failed(error))?;
        waits.await.map_err(|_| BusError::Kafka("the loopback was closed".to_string()))
    }

    /// Ends its threads.
    ///
    /// # Errors
    /// [`BusError::Kafka`] when one of them died.
    pub async fn close(self) -> Result<(), BusError> {
        self.stop.cancel();
        on_thread(move || {
            locked(&self.waiting).clear();
            let ended = self.threads.into_iter().map(JoinHandle::join).filter(Result::is_err).count();
            if ended == 0 { Ok(()) } else { Err(BusError::Kafka("a thread of the loopback died".to_string())) }
        })
        .await
    }
}

fn arrive(consumer: &BaseConsumer, waiting: &Mutex<Waiting>) {
    let Some(Ok(message)) = consumer.poll(POLL) else { return };
    let number = message.key().and_then(|key| std::str::from_utf8(key).ok()).and_then(|key| key.parse::<u64>().ok());
    if let Some(arrived) = number.and_then(|number| locked(waiting).remove(&number)) {
        // Whoever waited may have gone.
        let _ = arrived.send(());
    }
}

fn spawn(name: &str, work: impl FnOnce() + Send + 'static) -> Result<JoinHandle<()>, BusError> {
    std::thread::Builder::new().name(name.to_string()).spawn(work).map_err(|error| BusError::Kafka(error.to_string()))
}

fn while_not(stop: &CancellationToken, mut step: impl FnMut()) {
    while !stop.is_cancelled() {
        step();
    }
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
