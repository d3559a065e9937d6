//! Which partitions are ours, and since which rebalance.

use std::collections::{BTreeSet, HashMap};
use std::sync::mpsc;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use rdkafka::consumer::{BaseConsumer, Consumer, ConsumerContext};
use rdkafka::topic_partition_list::TopicPartitionList;
use rdkafka::types::RDKafkaRespErr;
use rdkafka::{ClientContext, Offset};
use sql::Db;
use tokio::runtime::Handle;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use super::KafkaConfig;
use crate::bus::Place;
use crate::consumer::checkpoint;

/// The partitions that this process reads, each with a generation: messages of an older one belong to an assignment that is over, or
/// to a place that was read again.
#[derive(Default)]
pub(crate) struct Assignment {
    state: Mutex<State>,
    /// The numbers of the partitions that are ours, sorted. Topics of one system have the same number of partitions and are assigned
    /// alike, so a number is ours in all of them or in none.
    owned: watch::Sender<Vec<i32>>,
}

#[derive(Default)]
struct State {
    generations: HashMap<Place, u64>,
    last: u64,
}

impl Assignment {
    /// The generation of a partition; None when it is not ours.
    pub fn generation(&self, place: &Place) -> Option<u64> {
        self.state().generations.get(place).copied()
    }

    /// Starts a new generation of a partition.
    pub fn renew(&self, place: Place) {
        let mut state = self.state();
        state.last += 1;
        let generation = state.last;
        state.generations.insert(place, generation);
        self.tell(&state);
    }

    fn give_up_all(&self) {
        let mut state = self.state();
        state.generations.clear();
        self.tell(&state);
    }

    /// Follows the numbers of the partitions that are ours.
    pub fn owned(&self) -> watch::Receiver<Vec<i32>> {
        self.owned.subscribe()
    }

    fn tell(&self, state: &State) {
        let owned: BTreeSet<i32> = state.generations.keys().map(|place| place.partition).collect();
        self.owned.send_if_modified(|known| {
            let now: Vec<i32> = owned.into_iter().collect();
            let moved = *known != now;
            *known = now;
            moved
        });
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Takes part in rebalances: offsets come from the consumer's own database.
pub(super) struct Context {
    pub consumer: &'static str,
    pub db: Db,
    pub config: KafkaConfig,
    pub topics: Vec<String>,
    pub assignment: Arc<Assignment>,
    pub runtime: Handle,
    pub stop: CancellationToken,
}

impl ClientContext for Context {}

impl ConsumerContext for Context {
    fn rebalance(&self, consumer: &BaseConsumer<Self>, event: RDKafkaRespErr, partitions: &mut TopicPartitionList) {
        let result = match event {
            RDKafkaRespErr::RD_KAFKA_RESP_ERR__ASSIGN_PARTITIONS => match self.offsets() {
                Some(offsets) => self.assign(consumer, partitions, &offsets),
                // Shutting down: an empty assignment leaves the group in order.
                None => consumer.unassign(),
            },
            _ => {
                tracing::info!(consumer = self.consumer, "partitions revoked");
                self.assignment.give_up_all();
                consumer.unassign()
            }
        };
        if let Err(error) = result {
            tracing::error!(consumer = self.consumer, %error, "rebalance failed");
        }
    }
}

impl Context {
    fn assign(
        &self,
        consumer: &BaseConsumer<Self>,
        partitions: &mut TopicPartitionList,
        offsets: &HashMap<Place, i64>,
    ) -> rdkafka::error::KafkaResult<()> {
        let mut places = Vec::new();
        for mut element in partitions.elements() {
            let Some(topic) = self.logical(element.topic()) else { continue };
            let place = Place { topic: topic.to_string(), partition: element.partition() };
            element.set_offset(Offset::Offset(offsets.get(&place).copied().unwrap_or(0)))?;
            places.push(place);
        }
        tracing::info!(consumer = self.consumer, partitions = places.len(), "partitions assigned");
        for place in places {
            self.assignment.renew(place);
        }
        consumer.assign(partitions)
    }

    /// The logical name of a topic of ours.
    pub fn logical(&self, physical: &str) -> Option<&str> {
        self.topics.iter().map(String::as_str).find(|topic| self.config.physical(topic) == physical)
    }

    /// The next offsets from the database, however long that takes; None when the consumer stops meanwhile. Runs on the consumer's own
    /// thread, which may wait: heartbeats are sent by another one.
    fn offsets(&self) -> Option<HashMap<Place, i64>> {
        let (reply, answer) = mpsc::sync_channel(1);
        let (db, consumer, stop) = (self.db.clone(), self.consumer, self.stop.clone());
        self.runtime.spawn(async move {
            loop {
                match checkpoint::offsets(&db, consumer).await {
                    Ok(offsets) => {
                        // The thread waits for it, or the process ends.
                        let _ = reply.send(offsets);
                        return;
                    }
                    Err(error) => tracing::warn!(consumer, %error, "offsets cannot be read, trying again"),
                }
                tokio::select! {
                    () = stop.cancelled() => return,
                    () = tokio::time::sleep(Duration::from_millis(200)) => {}
                }
            }
        });
        answer.recv().ok()
    }
}
