//! A consumer of Kafka: an operating system thread of its own polls and feeds a bounded channel.

use std::collections::VecDeque;
use std::sync::{Arc, mpsc as std_mpsc};
use std::thread::JoinHandle;
use std::time::Duration;

use rdkafka::Offset;
use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use rdkafka::message::Message as _;
use sql::Db;
use tokio::runtime::Handle;
use tokio::sync::{mpsc, watch};
use tokio_util::sync::CancellationToken;

use super::assignment::{Assignment, Context};
use super::topics::failed;
use super::{Kafka, envelope};
use crate::bus::{BusError, Message, Place};

/// Batches that wait for the consumer at most; the thread then waits too, and librdkafka stops fetching at its own limit.
const BATCHES: usize = 4;
/// Messages of a batch at most.
const BATCH: usize = 500;
/// How long the thread waits for a message before it looks for commands.
const POLL: Duration = Duration::from_millis(50);
const SEEK: Duration = Duration::from_secs(5);

/// A message with the generation of its partition when it was read.
type Stamped = (u64, Message);
/// What the thread read: messages, or an error that will not go away by itself.
type Read = Result<Vec<Stamped>, String>;

/// Takes part in a consumer group and hands out messages of the partitions that are ours.
pub(crate) struct Subscription {
    batches: mpsc::Receiver<Read>,
    waiting: VecDeque<Stamped>,
    trouble: Option<String>,
    commands: std_mpsc::Sender<Rewind>,
    assignment: Arc<Assignment>,
    stop: CancellationToken,
    thread: Option<JoinHandle<()>>,
}

/// Read a partition again from an offset.
struct Rewind {
    place: Place,
    next: i64,
}

impl Kafka {
    /// Subscribes a consumer to topics, which are created where they do not exist.
    ///
    /// # Errors
    /// [`BusError`] when the cluster cannot be reached or a topic does not fit.
    pub(crate) async fn subscribe(&self, consumer: &'static str, topics: &[String], db: Db) -> Result<Subscription, BusError> {
        for topic in topics {
            self.ensure_topic(topic).await?;
        }
        let assignment = Arc::new(Assignment::default());
        let stop = CancellationToken::new();
        let context = Context {
            consumer,
            db,
            config: self.config().clone(),
            topics: topics.to_vec(),
            assignment: Arc::clone(&assignment),
            runtime: Handle::current(),
            stop: stop.clone(),
        };
        let client: BaseConsumer<Context> = self.config().consumer(consumer).create_with_context(context).map_err(failed)?;
        let names: Vec<String> = topics.iter().map(|topic| self.config().physical(topic)).collect();
        client.subscribe(&names.iter().map(String::as_str).collect::<Vec<_>>()).map_err(failed)?;
        let (batches_in, batches) = mpsc::channel(BATCHES);
        let (commands, commands_out) = std_mpsc::channel();
        let poller = Poller {
            client,
            batches: batches_in,
            commands: commands_out,
            assignment: Arc::clone(&assignment),
            stop: stop.clone(),
            unread: Vec::new(),
        };
        let thread = std::thread::Builder::new()
            .name(format!("kafka {consumer}"))
            .spawn(move || poller.run())
            .map_err(|error| BusError::Kafka(error.to_string()))?;
        Ok(Subscription { batches, waiting: VecDeque::new(), trouble: None, commands, assignment, stop, thread: Some(thread) })
    }
}

impl Subscription {
    /// Whether [`Subscription::take`] has something now.
    pub fn has_messages(&self) -> bool {
        !self.waiting.is_empty()
    }

    /// Waits for messages. Dropping the future loses nothing.
    pub async fn wait(&mut self) {
        if !self.waiting.is_empty() {
            return;
        }
        match self.batches.recv().await {
            Some(read) => self.keep(read),
            // The thread has ended; only the shutdown does that.
            None => std::future::pending().await,
        }
    }

    /// At most `limit` messages, in order of their partitions; those of assignments that are over are dropped.
    pub fn take(&mut self, limit: usize) -> Vec<Message> {
        while let Ok(read) = self.batches.try_recv() {
            self.keep(read);
            if self.waiting.len() >= limit {
                break;
            }
        }
        let mut page = Vec::new();
        while page.len() < limit {
            let Some((generation, message)) = self.waiting.pop_front() else { break };
            if self.assignment.generation(&message.place()) == Some(generation) {
                page.push(message);
            }
        }
        page
    }

    fn keep(&mut self, read: Read) {
        match read {
            Ok(batch) => self.waiting.extend(batch),
            Err(trouble) => self.trouble = Some(trouble),
        }
    }

    /// What has gone wrong for good since the last call.
    pub fn take_trouble(&mut self) -> Option<String> {
        self.trouble.take()
    }

    /// Reads a partition again from an offset; what was read of it and not taken is dropped.
    pub fn rewind(&self, place: &Place, next: i64) {
        // A thread that has ended reads nothing again.
        let _ = self.commands.send(Rewind { place: place.clone(), next });
    }

    /// Follows the numbers of the partitions that this process reads.
    pub fn owned(&self) -> watch::Receiver<Vec<i32>> {
        self.assignment.owned()
    }

    /// Whether this process reads the partition now.
    pub fn is_assigned(&self, place: &Place) -> bool {
        self.assignment.generation(place).is_some()
    }

    /// Leaves the group and ends the thread.
    pub async fn close(mut self) {
        self.stop.cancel();
        // A thread that waits for room in the channel wakes up.
        self.batches.close();
        if let Some(thread) = self.thread.take() {
            let joined = tokio::task::spawn_blocking(move || thread.join()).await;
            if !matches!(joined, Ok(Ok(()))) {
                tracing::error!("kafka consumer thread ended badly");
            }
        }
    }
}

impl Drop for Subscription {
    fn drop(&mut self) {
        self.stop.cancel();
    }
}

/// What runs on the thread.
struct Poller {
    client: BaseConsumer<Context>,
    batches: mpsc::Sender<Read>,
    commands: std_mpsc::Receiver<Rewind>,
    assignment: Arc<Assignment>,
    stop: CancellationToken,
    /// Partitions that could not be read again yet: what comes of them meanwhile is not what was asked for.
    unread: Vec<Rewind>,
}

impl Poller {
    fn run(mut self) {
        while !self.stop.is_cancelled() {
            while let Ok(rewind) = self.commands.try_recv() {
                self.unread.retain(|earlier| earlier.place != rewind.place);
                self.unread.push(rewind);
            }
            let asked = std::mem::take(&mut self.unread);
            self.unread = asked.into_iter().filter(|rewind| !self.rewind(rewind)).collect();
            let read = self.read();
            if read.as_ref().is_ok_and(Vec::is_empty) {
                continue;
            }
            if self.batches.blocking_send(read).is_err() {
                break;
            }
        }
        // Dropping the client leaves the group, which may wait for the broker.
    }

    /// Waits for a message and takes what else is there.
    fn read(&self) -> Read {
        let mut batch = Vec::new();
        let mut wait = POLL;
        while batch.len() < BATCH {
            match self.client.poll(wait) {
                Some(Ok(raw)) => batch.extend(self.stamped(&raw)),
                Some(Err(error)) => {
                    tracing::debug!(consumer = self.client.context().consumer, %error, "kafka");
                    // Everything else librdkafka logs, and repairs by itself once the cluster is back.
                    if is_lasting(&error) && batch.is_empty() {
                        return Err(error.to_string());
                    }
                    break;
                }
                None => break,
            }
            wait = Duration::ZERO;
        }
        Ok(batch)
    }

    fn stamped(&self, raw: &rdkafka::message::BorrowedMessage<'_>) -> Option<Stamped> {
        let topic = self.client.context().logical(raw.topic())?;
        let place = Place { topic: topic.to_string(), partition: raw.partition() };
        let generation = self.assignment.generation(&place).filter(|_| self.unread.iter().all(|rewind| rewind.place != place))?;
        Some((generation, envelope::message(topic, raw)))
    }

    /// False when it must be tried again.
    fn rewind(&self, rewind: &Rewind) -> bool {
        let Rewind { place, next } = rewind;
        if self.assignment.generation(place).is_none() {
            return true;
        }
        self.assignment.renew(place.clone());
        let name = self.client.context().config.physical(&place.topic);
        let sought = self.client.seek(&name, place.partition, Offset::Offset(*next), SEEK);
        if let Err(error) = &sought {
            tracing::warn!(topic = place.topic, partition = place.partition, next, %error, "partition not read again yet");
        }
        sought.is_ok()
    }
}

/// An offset that Kafka does not have any more, a topic that was deleted, rights that are missing: a person must decide.
fn is_lasting(error: &KafkaError) -> bool {
    let code = match error {
        KafkaError::MessageConsumption(code) | KafkaError::MessageConsumptionFatal(code) => *code,
        _ => return false,
    };
    matches!(
        code,
        RDKafkaErrorCode::AutoOffsetReset
            | RDKafkaErrorCode::OffsetOutOfRange
            | RDKafkaErrorCode::UnknownTopicOrPartition
            | RDKafkaErrorCode::TopicAuthorizationFailed
            | RDKafkaErrorCode::GroupAuthorizationFailed
            | RDKafkaErrorCode::Fatal
    )
}
