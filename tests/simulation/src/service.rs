//! A service of the simulation: its rules, its journal, and the topic to which its events are copied.

use crate::journal::{Journal, Order, PARTITIONS, Refusal};
use chrono::{DateTime, Utc};
use eventlog::bus::partition::partition_of;
use eventlog::bus::{Message, Place, Publish, Published, WITHHELD};
use eventlog::{Aggregate, Recorded};
use std::sync::Arc;

/// A topic: each partition in order.
pub type Partitions = Vec<Vec<Message>>;

/// One of the three services.
pub struct Service<A: Aggregate> {
    /// Its rules.
    pub aggregate: Arc<A>,
    /// What it keeps.
    pub journal: Box<dyn Journal<A>>,
    /// What it has told the others.
    pub topic: Partitions,
    name: &'static str,
    places: Vec<Place>,
    publish: Box<dyn Publish>,
    /// Position up to which its log was copied to the topic.
    copied: u64,
}

impl<A: Aggregate> Service<A> {
    /// A service that has seen nothing. `name` is that of its topic.
    pub fn new(name: &'static str, aggregate: Arc<A>, journal: Box<dyn Journal<A>>, publish: Box<dyn Publish>) -> Self {
        let topic = (0..PARTITIONS).map(|_| Vec::new()).collect();
        let places = (0..PARTITIONS).map(|partition| Place { topic: name.to_owned(), partition }).collect();
        Service { aggregate, journal, topic, name, places, publish, copied: 0 }
    }

    /// Carries a command out.
    ///
    /// # Errors
    /// [`Refusal`].
    pub fn submit(&mut self, order: Order<A::Command>, now: DateTime<Utc>) -> Result<Vec<A::Event>, Refusal> {
        self.journal.submit(order, now)
    }

    /// Events that are in the log and not on the topic.
    pub fn lag(&mut self) -> u64 {
        self.journal.head().saturating_sub(self.copied)
    }

    /// Copies so many events to the topic.
    pub fn relay(&mut self, limit: usize) {
        for event in self.journal.read(self.copied, limit) {
            self.copied = event.position;
            let partition = partition_of(&event.key, PARTITIONS);
            let lane = &mut self.topic[usize::try_from(partition).unwrap_or(0)];
            let offset = i64::try_from(lane.len()).unwrap_or(i64::MAX);
            lane.push(Message { topic: self.name.to_owned(), partition, offset, event: outward(&*self.publish, event) });
        }
    }

    /// The relay has forgotten its last steps and copies the same events once more, behind what is there.
    pub fn relapse(&mut self, events: u64) {
        self.copied = self.copied.saturating_sub(events);
    }

    /// The places of the topic.
    pub fn places(&self) -> &[Place] {
        &self.places
    }

    /// An event as the rules know it.
    pub fn decoded(&self, recorded: &Recorded) -> Option<A::Event> {
        self.aggregate.decode(&recorded.clone().into()).expect("what was encoded can be decoded")
    }
}

/// As it leaves its service: envelope kept, type and payload replaced by the public ones.
fn outward(publish: &dyn Publish, mut event: Recorded) -> Recorded {
    match publish.publish(&event) {
        Published::Public { event_type, payload } => (event.event_type, event.payload) = (event_type, payload),
        Published::Withheld => (event.event_type, event.payload) = (WITHHELD.to_owned(), Vec::new()),
    }
    event
}
