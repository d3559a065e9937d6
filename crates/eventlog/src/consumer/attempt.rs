//! Storing one page, however often that takes.

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::sync::Arc;
use std::time::Duration;

use backon::{BackoffBuilder, ExponentialBuilder};
use tracing::Span;

use super::checkpoint;
use super::page::{Sorted, StreamKey, sort};
use super::runner::Runner;
use super::settlement::PageSettlement;
use super::sink::{Culprit, TakeError};
use crate::bus::Message;
use crate::log::{CrashPoint, Protection};

/// How long a consumer stays back after another one was faster.
const AFTER_FENCE: Duration = Duration::from_millis(100);

/// Streams of which a consumer remembers how far it saw them.
const MARKS_REMEMBERED: usize = 100_000;

/// How a page ended.
pub(crate) enum Ended {
    /// Everything that could be taken is stored.
    Stored,
    /// The consumer must not go on.
    Stop(String),
}

/// Waits between attempts: 20 ms to 10 s with jitter, for ever.
pub(crate) fn waits() -> impl Iterator<Item = Duration> {
    let policy = ExponentialBuilder::default()
        .with_min_delay(Duration::from_millis(20))
        .with_max_delay(Duration::from_secs(10))
        .with_jitter()
        .without_max_times();
    policy.build()
}

/// Streams that a page must park, each from its first bad version on.
#[derive(Default)]
struct Poisoned(BTreeMap<StreamKey, (u64, String)>);

impl Poisoned {
    fn add(&mut self, culprit: Culprit) {
        let entry = self.0.entry(culprit.key).or_insert((culprit.version, culprit.reason.clone()));
        if culprit.version < entry.0 {
            *entry = (culprit.version, culprit.reason);
        }
    }
}

impl Runner {
    /// Stores a page. Transient errors are waited out; messages that cannot be applied park their streams; an error that nobody can
    /// pin on a message makes the page smaller until it is pinned.
    pub(super) async fn store(&mut self, page: Vec<Message>) -> Ended {
        let mut rest = page;
        let mut size = rest.len();
        let mut waits = waits();
        while !rest.is_empty() {
            size = size.clamp(1, rest.len());
            match self.store_part(&rest[..size]).await {
                Ok(()) => {
                    rest.drain(..size);
                    size = rest.len();
                    waits = self::waits();
                    self.note_trouble(None);
                }
                Err(TakeError::Fenced) => {
                    self.shared.lock().counts.fenced += 1;
                    // Whoever was first goes on; two that race for every page would do everything twice.
                    self.sleep(AFTER_FENCE).await;
                    if let Err(error) = self.reload_offsets().await {
                        self.pause_after(&error.to_string(), &mut waits).await;
                    }
                }
                Err(TakeError::Permanent(reason)) if size > 1 => {
                    tracing::warn!(consumer = self.spec.name, messages = size, reason, "page refused, trying half of it");
                    size /= 2;
                }
                Err(TakeError::Permanent(reason) | TakeError::Transient(reason)) => self.pause_after(&reason, &mut waits).await,
                Err(TakeError::Superseded(reason)) => return Ended::Stop(reason),
                // store_part parks and tries again itself.
                Err(TakeError::Poison(_)) => {}
            }
            if self.shutdown.is_cancelled() {
                break;
            }
        }
        Ended::Stored
    }

    /// One transaction, tried again for every stream that has to be parked first.
    async fn store_part(&mut self, part: &[Message]) -> Result<(), TakeError> {
        let mut poisoned = Poisoned::default();
        loop {
            let remembered = self.learn_marks(part).await?;
            let next = self.shared.lock().next.clone();
            let page = part.iter().filter(|message| !self.is_held(&message.place())).cloned().collect();
            let mut sorted = sort(page, &next, &self.marks, &self.unchecked());
            if remembered && !sorted.gaps.is_empty() {
                // An alarm is raised on what is stored, not on what is remembered.
                self.marks.clear();
                continue;
            }
            for (key, (version, reason)) in &poisoned.0 {
                sorted.park(key, *version, reason.clone());
            }
            let gaps = sorted.gaps.clone();
            if sorted.is_empty() {
                self.hold(gaps);
                return Ok(());
            }
            let stored = self.commit(sorted).await;
            if stored.is_err() {
                self.marks.clear();
            }
            match stored {
                Err(TakeError::Poison(culprits)) if culprits.iter().any(|culprit| !poisoned.0.contains_key(&culprit.key)) => {
                    culprits.into_iter().for_each(|culprit| poisoned.add(culprit));
                }
                Err(TakeError::Poison(culprits)) => {
                    let reason = culprits.first().map_or_else(String::new, |culprit| culprit.reason.clone());
                    return Err(TakeError::Permanent(reason));
                }
                Err(TakeError::Permanent(reason)) if part.len() == 1 && !sorted_was_parked(&poisoned, part) => {
                    let message = &part[0];
                    poisoned.add(Culprit { key: StreamKey::of(message), version: message.event.version, reason });
                }
                Err(error) => return Err(error),
                Ok(()) => {
                    self.hold(gaps);
                    return Ok(());
                }
            }
        }
    }

    /// Reads what is not remembered of the streams of a page; true where something was. The transaction of the page checks all of it.
    async fn learn_marks(&mut self, part: &[Message]) -> Result<bool, TakeError> {
        if self.marks.len() > MARKS_REMEMBERED {
            self.marks.clear();
        }
        let streams: BTreeSet<StreamKey> = part.iter().map(StreamKey::of).collect();
        let all = streams.len();
        let unknown: BTreeSet<StreamKey> = streams.into_iter().filter(|key| !self.marks.contains_key(key)).collect();
        let remembered = unknown.len() < all;
        if !unknown.is_empty() {
            let mut stored = checkpoint::marks(&self.spec.db, self.spec.name, unknown.clone()).await?;
            self.marks.extend(unknown.into_iter().map(|key| {
                let mark = stored.remove(&key).unwrap_or_default();
                (key, mark)
            }));
        }
        Ok(remembered)
    }

    async fn commit(&mut self, sorted: Sorted) -> Result<(), TakeError> {
        let projections = self.spec.projections.as_ref().filter(|_| !sorted.fresh.iter().all(Message::is_withheld));
        let settlement = Arc::new(PageSettlement {
            consumer: self.spec.name,
            models: projections.map(|projections| projections.read(&sorted.fresh)),
            sorted,
            trusted: self.trusted.clone(),
            now: self.spec.clock.now(),
            fenced: !self.lacks(Protection::OffsetCompareAndSet),
        });
        let _spans = self.spans(&settlement.sorted.fresh);
        self.reach(CrashPoint::Sorted).await?;
        self.sink.take(&settlement.sorted.fresh, settlement.clone()).await?;
        self.reach(CrashPoint::Settled).await?;
        self.stored(&settlement.sorted);
        Ok(())
    }

    /// One span for every message that somebody traces and this consumer knows.
    fn spans(&self, fresh: &[Message]) -> Vec<Span> {
        let Some(span) = self.spec.spans else { return Vec::new() };
        let traced = fresh.iter().filter(|message| message.event.traceparent.is_some() && !message.is_withheld() && self.knows(message));
        traced.filter_map(|message| span(self.spec.name, message)).collect()
    }

    /// Topics whose versions are not looked at: the service's own log, and in a negative control all.
    fn unchecked(&self) -> HashSet<String> {
        let all = self.lacks(Protection::StreamVersions).then_some(&self.spec.topics);
        self.trusted.iter().cloned().chain(all.into_iter().flatten().map(|topic| (*topic).to_string())).collect()
    }

    async fn reach(&self, point: CrashPoint) -> Result<(), TakeError> {
        match &self.spec.faults {
            Some(faults) => faults.reach(point).await.map_err(TakeError::Transient),
            None => Ok(()),
        }
    }

    fn lacks(&self, protection: Protection) -> bool {
        self.spec.faults.as_ref().is_some_and(|faults| faults.lacks(protection))
    }

    /// Counts what was stored and remembers places and streams.
    fn stored(&mut self, sorted: &Sorted) {
        self.marks.extend(sorted.marks.iter().map(|(key, mark)| (key.clone(), *mark)));
        let unknown = sorted.fresh.iter().filter(|message| !message.is_withheld() && !self.knows(message)).count() as u64;
        let mut state = self.shared.lock();
        for (place, moved) in &sorted.moves {
            state.next.insert(place.clone(), moved.to);
            if state.held.get(place).is_some_and(|gap| gap.offset < moved.to) {
                state.held.remove(place);
            }
        }
        state.counts.pages += 1;
        state.counts.applied += sorted.fresh.len() as u64 - unknown;
        state.counts.unknown += unknown;
        state.counts.queued += sorted.queued.len() as u64;
        state.counts.duplicates += sorted.duplicates;
        state.parked += sorted.parked.len() as u64;
        drop(state);
        for (key, parked) in &sorted.parked {
            let (stream, version, reason) = (&key.stream, parked.version, &parked.reason);
            tracing::error!(consumer = self.spec.name, topic = key.topic, stream, version, reason, "stream parked");
        }
    }

    fn knows(&self, message: &Message) -> bool {
        self.sink.knows(message) || self.spec.projections.as_ref().is_some_and(|projections| projections.knows(message))
    }

    pub(super) async fn reload_offsets(&self) -> Result<(), sql::SqlError> {
        let offsets = checkpoint::offsets(&self.spec.db, self.spec.name).await?;
        self.shared.lock().next = offsets;
        Ok(())
    }

    /// Waits before another attempt, or until the shutdown.
    pub(super) async fn pause_after(&mut self, reason: &str, waits: &mut impl Iterator<Item = Duration>) {
        tracing::warn!(consumer = self.spec.name, reason, "attempt failed, trying again");
        self.note_trouble(Some(reason.to_string()));
        self.shared.lock().counts.retries += 1;
        // Without a limit on attempts the iterator never ends.
        let wait = waits.next().unwrap_or(Duration::from_secs(10));
        self.sleep(wait).await;
    }

    async fn sleep(&self, time: Duration) {
        tokio::select! {
            () = self.shutdown.cancelled() => {}
            () = tokio::time::sleep(time) => {}
        }
    }

    pub(super) fn note_trouble(&self, trouble: Option<String>) {
        self.shared.lock().trouble = trouble;
    }
}

fn sorted_was_parked(poisoned: &Poisoned, part: &[Message]) -> bool {
    part.iter().any(|message| poisoned.0.contains_key(&StreamKey::of(message)))
}
