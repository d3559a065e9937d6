//! Where a consumer's messages come from: logs of this process, Kafka, or both.

use std::collections::HashMap;
use std::sync::Arc;

use futures::FutureExt;
use futures::future::{BoxFuture, select_all};
use tokio::sync::watch;

use crate::bus::in_process::{Feed, InProcess};
use crate::bus::kafka::Subscription;
use crate::bus::{Message, Place, Publish, Verbatim, outward};
use crate::log::{Log, LogError};

/// All sources of one consumer.
pub(crate) struct Sources {
    pub logs: Vec<LogSource>,
    pub kafka: Option<Subscription>,
}

/// A log of this process: the service's own, or another one's through its publish.
pub(crate) struct LogSource {
    pub place: Place,
    origin: Origin,
}

enum Origin {
    /// Nobody has offered the topic yet.
    Awaited(InProcess),
    Open {
        log: Log,
        publish: Arc<dyn Publish>,
        heads: watch::Receiver<u64>,
    },
}

impl LogSource {
    /// The service's own log, events as they are.
    pub fn own(topic: &str, log: Log) -> Self {
        Self { place: Place { topic: topic.to_string(), partition: 0 }, origin: open(log, Arc::new(Verbatim)) }
    }

    /// A topic of the in-process bus.
    pub fn subscribed(topic: &str, bus: InProcess) -> Self {
        Self { place: Place { topic: topic.to_string(), partition: 0 }, origin: Origin::Awaited(bus) }
    }

    /// Whether there is a message at or after `next`.
    fn is_ready(&mut self, next: i64) -> bool {
        if let Origin::Awaited(bus) = &self.origin
            && let Some(Feed { log, publish }) = bus.feed(&self.place.topic)
        {
            self.origin = open(log, publish);
        }
        match &mut self.origin {
            Origin::Awaited(_) => false,
            Origin::Open { heads, .. } => *heads.borrow_and_update() > next.unsigned_abs(),
        }
    }

    /// Waits until [`LogSource::is_ready`] may have changed.
    async fn changed(&mut self) {
        match &mut self.origin {
            Origin::Awaited(bus) => drop(bus.wait_for(&self.place.topic).await),
            Origin::Open { heads, .. } => {
                // The log is dropped only with the whole process.
                if heads.changed().await.is_err() {
                    std::future::pending::<()>().await;
                }
            }
        }
    }

    async fn read(&self, next: i64, limit: usize) -> Result<Vec<Message>, LogError> {
        let Origin::Open { log, publish, .. } = &self.origin else { return Ok(Vec::new()) };
        let events = log.read(next.unsigned_abs(), limit).await?;
        let message = |event: crate::event::Recorded| Message {
            topic: self.place.topic.clone(),
            partition: 0,
            offset: event.position as i64 - 1,
            event: outward(publish.as_ref(), event),
        };
        Ok(events.into_iter().map(message).collect())
    }
}

fn open(log: Log, publish: Arc<dyn Publish>) -> Origin {
    let heads = log.watch();
    Origin::Open { log, publish, heads }
}

impl Sources {
    /// Waits until some source has messages after `next` that are not `held`. Dropping the future loses nothing.
    pub async fn wait(&mut self, next: &HashMap<Place, i64>, held: impl Fn(&Place) -> bool) {
        let mut ready = self.kafka.as_ref().is_some_and(Subscription::has_messages);
        for log in &mut self.logs {
            // Every log is looked at, so that its watch counts as seen.
            ready |= log.is_ready(next.get(&log.place).copied().unwrap_or(0)) && !held(&log.place);
        }
        if ready {
            return;
        }
        let mut waits: Vec<BoxFuture<'_, ()>> = self.logs.iter_mut().map(|log| log.changed().boxed()).collect();
        if let Some(kafka) = &mut self.kafka {
            waits.push(kafka.wait().boxed());
        }
        if waits.is_empty() {
            std::future::pending::<()>().await;
        }
        select_all(waits).await;
    }

    /// Takes what is there, at most `limit` messages, in the order of each partition.
    ///
    /// # Errors
    /// A log that cannot be read now.
    pub async fn take(
        &mut self,
        next: &HashMap<Place, i64>,
        held: impl Fn(&Place) -> bool,
        limit: usize,
    ) -> Result<Vec<Message>, LogError> {
        let mut page = Vec::new();
        for log in &mut self.logs {
            let at = next.get(&log.place).copied().unwrap_or(0);
            let room = limit.saturating_sub(page.len());
            if room > 0 && !held(&log.place) && log.is_ready(at) {
                page.extend(log.read(at, room).await?);
            }
        }
        if let Some(kafka) = &mut self.kafka {
            let room = limit.saturating_sub(page.len());
            page.extend(kafka.take(room).into_iter().filter(|message| !held(&message.place())));
        }
        // The first log must not starve the others.
        if self.logs.len() > 1 {
            self.logs.rotate_left(1);
        }
        Ok(page)
    }

    /// What has gone wrong for good with the bus since the last call.
    pub fn take_trouble(&mut self) -> Option<String> {
        self.kafka.as_mut().and_then(Subscription::take_trouble)
    }

    /// Reads a partition again from an offset. Logs are always read from the stored place.
    pub fn rewind(&self, place: &Place, next: i64) {
        if let Some(kafka) = self.kafka.as_ref().filter(|_| !self.is_log(place)) {
            kafka.rewind(place, next);
        }
    }

    /// Whether this process is the one that reads the partition.
    pub fn owns(&self, place: &Place) -> bool {
        self.is_log(place) || self.kafka.as_ref().is_some_and(|kafka| kafka.is_assigned(place))
    }

    fn is_log(&self, place: &Place) -> bool {
        self.logs.iter().any(|log| log.place == *place)
    }

    /// Leaves the Kafka group.
    pub async fn close(self) {
        if let Some(kafka) = self.kafka {
            kafka.close().await;
        }
    }
}
