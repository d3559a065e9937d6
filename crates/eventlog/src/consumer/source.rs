//! Where a consumer's messages come from: logs of this process, Kafka, or both.

use std::collections::HashMap;
use std::sync::Arc;

use futures::FutureExt;
use futures::future::{BoxFuture, select_all};
use tokio::sync::watch;
use tokio_util::task::AbortOnDropHandle;

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
    ahead: Option<Ahead>,
}

/// The page after one that was full: read while that one is stored. What is in a log stays as it is.
struct Ahead {
    from: i64,
    limit: usize,
    page: AbortOnDropHandle<Result<Vec<Message>, LogError>>,
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
        Self { place: Place { topic: topic.to_string(), partition: 0 }, origin: open(log, Arc::new(Verbatim)), ahead: None }
    }

    /// A topic of the in-process bus.
    pub fn subscribed(topic: &str, bus: InProcess) -> Self {
        Self { place: Place { topic: topic.to_string(), partition: 0 }, origin: Origin::Awaited(bus), ahead: None }
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

    /// Reads a page. Dropping the future loses nothing.
    async fn read(&mut self, next: i64, limit: usize) -> Result<Vec<Message>, LogError> {
        let mut longest = limit;
        let mut read = None;
        if let Some(ahead) = self.ahead_of(next).filter(|ahead| ahead.limit <= limit) {
            longest = ahead.limit;
            // A task that ended badly has read nothing.
            read = (&mut ahead.page).await.ok();
        }
        self.ahead = None;
        let page = match read {
            Some(page) => page?,
            None => match self.reading(next, longest) {
                Some(reading) => reading.await?,
                None => Vec::new(),
            },
        };
        let after = next + page.len() as i64;
        let is_more = matches!(&self.origin, Origin::Open { log, .. } if log.known_head() > after.unsigned_abs());
        let reading = if page.len() == longest && is_more { self.reading(after, limit) } else { None };
        self.ahead = reading.map(|page| Ahead { from: after, limit, page: AbortOnDropHandle::new(tokio::spawn(page)) });
        Ok(page)
    }

    /// What is read ahead from an offset.
    fn ahead_of(&mut self, next: i64) -> Option<&mut Ahead> {
        self.ahead.as_mut().filter(|ahead| ahead.from == next)
    }

    fn reading(&self, next: i64, limit: usize) -> Option<impl Future<Output = Result<Vec<Message>, LogError>> + Send + 'static> {
        let Origin::Open { log, publish, .. } = &self.origin else { return None };
        let (log, publish, topic) = (log.clone(), Arc::clone(publish), self.place.topic.clone());
        Some(async move {
            let events = log.read(next.unsigned_abs(), limit).await?;
            let message = |event: crate::event::Recorded| Message {
                topic: topic.clone(),
                partition: 0,
                offset: event.position as i64 - 1,
                event: outward(publish.as_ref(), event),
            };
            Ok(events.into_iter().map(message).collect())
        })
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
            // What is read already goes first in the next page.
            let has_room = room > 0 && (page.is_empty() || log.ahead_of(at).is_none_or(|ahead| ahead.limit <= room));
            if has_room && !held(&log.place) && log.is_ready(at) {
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

#[cfg(test)]
mod tests {
    use chrono::{DateTime, Utc};
    use uuid::Uuid;

    use super::*;
    use crate::{Append, Clock, Expected, Ids, Meta, NewEvent};

    struct Still;

    #[async_trait::async_trait]
    impl Clock for Still {
        fn now(&self) -> DateTime<Utc> {
            DateTime::UNIX_EPOCH
        }

        async fn sleep_until(&self, _at: DateTime<Utc>) {}
    }

    impl Ids for Still {
        fn event_id(&self) -> Uuid {
            Uuid::nil()
        }
    }

    const TOPIC: &str = "t";

    async fn append(log: &Log, count: u64) {
        let event = |_| NewEvent { event_type: "E", schema_version: 1, payload: Vec::new(), occurred_at: None, effective_on: None };
        let append = Append {
            stream: "s".to_owned(),
            expected: Expected::Any,
            events: (0..count).map(event).collect(),
            meta: Meta::default(),
            command: None,
            claims: Vec::new(),
            side: Vec::new(),
            answer: Vec::new(),
        };
        log.append(vec![append]).await.unwrap().remove(0).unwrap();
    }

    async fn of(count: u64) -> (Log, Sources) {
        let log = Log::memory(Arc::new(Still), Arc::new(Still));
        append(&log, count).await;
        let sources = Sources { logs: vec![LogSource::own(TOPIC, log.clone())], kafka: None };
        (log, sources)
    }

    async fn take(sources: &mut Sources, next: i64, limit: usize) -> Vec<i64> {
        let next = HashMap::from([(Place { topic: TOPIC.to_owned(), partition: 0 }, next)]);
        let page = sources.take(&next, |_| false, limit).await.unwrap();
        page.iter().map(|message| message.offset).collect()
    }

    fn ahead(sources: &Sources) -> Option<i64> {
        sources.logs[0].ahead.as_ref().map(|ahead| ahead.from)
    }

    #[tokio::test]
    async fn the_page_after_a_full_one_is_read_ahead_and_comes_once() {
        let (log, mut sources) = of(7).await;
        assert_eq!((take(&mut sources, 0, 3).await, ahead(&sources)), (vec![0, 1, 2], Some(3)));
        assert_eq!((take(&mut sources, 3, 3).await, ahead(&sources)), (vec![3, 4, 5], Some(6)));
        // Read while there was one message; the others follow.
        append(&log, 3).await;
        assert_eq!((take(&mut sources, 6, 3).await.first(), ahead(&sources).is_none_or(|from| from == 9)), (Some(&6), true));
        let (mut seen, mut next) = (vec![6], 7);
        while next < 10 {
            seen.extend(take(&mut sources, next, 3).await);
            next = seen.last().unwrap() + 1;
        }
        assert_eq!((seen, ahead(&sources)), (vec![6, 7, 8, 9], None));
    }

    #[tokio::test]
    async fn a_page_that_was_not_stored_is_taken_again() {
        let (_log, mut sources) = of(9).await;
        assert_eq!(take(&mut sources, 0, 3).await, [0, 1, 2]);
        assert_eq!(take(&mut sources, 0, 3).await, [0, 1, 2], "what was read ahead comes too early");
        assert_eq!(take(&mut sources, 5, 3).await, [5, 6, 7], "or too late");
        assert_eq!(take(&mut sources, 3, 2).await, [3, 4], "or is more than is asked for");
        assert_eq!(take(&mut sources, 5, 4).await, [5, 6], "of less than is asked for it is the beginning");
        assert_eq!(take(&mut sources, 7, 4).await, [7, 8]);
        assert_eq!(take(&mut sources, 9, 4).await, [0_i64; 0]);
    }

    #[tokio::test]
    async fn who_stops_waiting_for_a_page_loses_nothing() {
        let (_log, mut sources) = of(9).await;
        assert_eq!(take(&mut sources, 0, 3).await, [0, 1, 2]);
        // The task that reads ahead has not run yet: this future is dropped while it waits for it.
        assert!(take(&mut sources, 3, 3).now_or_never().is_none());
        assert_eq!(take(&mut sources, 3, 3).await, [3, 4, 5]);
        assert_eq!(take(&mut sources, 6, 3).await, [6, 7, 8]);
    }
}
