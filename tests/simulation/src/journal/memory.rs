//! The model of a log: everything in plain maps, one thing after the other.

use super::{Journal, Order, PARTITIONS, Page, Places, Refusal};
use chrono::{DateTime, Utc};
use eventlog::bus::partition::partition_of;
use eventlog::consumer::InboundCommand;
use eventlog::timers::StoredTimer;
use eventlog::{Aggregate, Meta, NewEvent, Recorded};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use uuid::Uuid;

/// How commands are decided: by the aggregate, or by a spoilt one.
pub type Rules<A> = Box<
    dyn FnMut(
        &A,
        &<A as Aggregate>::State,
        &<A as Aggregate>::Command,
    ) -> Result<Vec<<A as Aggregate>::Event>, <A as Aggregate>::Rejection>,
>;

/// A log in memory.
pub struct Memory<A: Aggregate> {
    aggregate: Arc<A>,
    rules: Rules<A>,
    /// Taken out by a planted bug: a command is carried out again although its id is known.
    pub knows_commands: bool,
    events: Vec<Recorded>,
    streams: BTreeMap<String, Vec<usize>>,
    commands: BTreeSet<String>,
    timers: BTreeMap<(String, String), StoredTimer>,
    places: BTreeMap<&'static str, Places>,
    /// Only in the memory of the process.
    cache: BTreeMap<String, (A::State, u64)>,
}

/// Streams whose timers are to be computed anew: their envelope, and the moment of the wake where they were woken.
type Touched = BTreeMap<String, (Meta, Option<DateTime<Utc>>)>;

impl<A: Aggregate> Memory<A> {
    /// An empty log.
    pub fn new(aggregate: Arc<A>, rules: Rules<A>) -> Self {
        Memory {
            aggregate,
            rules,
            knows_commands: true,
            events: Vec::new(),
            streams: BTreeMap::new(),
            commands: BTreeSet::new(),
            timers: BTreeMap::new(),
            places: BTreeMap::new(),
            cache: BTreeMap::new(),
        }
    }

    fn carry_out(&mut self, order: &Order<A::Command>, now: DateTime<Utc>, touched: &mut Touched) -> Result<Vec<A::Event>, Refusal> {
        let known = order.key.as_ref().is_some_and(|key| self.commands.contains(key));
        if known && self.knows_commands {
            return Ok(Vec::new());
        }
        if order.wake.is_some() {
            touched.insert(order.stream.clone(), (order.meta.clone(), order.wake));
        }
        self.load(&order.stream);
        let (state, version) = self.cache.remove(&order.stream).unwrap_or_default();
        let decided = (self.rules)(&self.aggregate, &state, &order.command);
        let Ok(events) = decided else {
            self.cache.insert(order.stream.clone(), (state, version));
            return Err(Refusal::Rejected(decided.err().map_or_else(String::new, |rejection| format!("{rejection:?}"))));
        };
        let (mut state, mut version) = (state, version);
        for event in &events {
            version += 1;
            let recorded = self.record(self.aggregate.encode(event), (order, version), now);
            self.streams.entry(order.stream.clone()).or_default().push(self.events.len());
            self.events.push(recorded);
            state = self.aggregate.evolve(state, event);
        }
        self.cache.insert(order.stream.clone(), (state, version));
        self.commands.extend(order.key.clone());
        if !events.is_empty() {
            touched.entry(order.stream.clone()).or_insert_with(|| (order.meta.clone(), None));
        }
        Ok(events)
    }

    fn record(&self, event: NewEvent, (order, version): (&Order<A::Command>, u64), now: DateTime<Utc>) -> Recorded {
        let position = self.events.len() as u64 + 1;
        Recorded {
            position,
            event_id: Uuid::from_u128(u128::from(position)),
            stream: order.stream.clone(),
            version,
            event_type: event.event_type.to_owned(),
            schema_version: event.schema_version,
            tenant: order.meta.tenant.clone(),
            key: order.meta.key.clone(),
            recorded_at: now,
            occurred_at: event.occurred_at,
            effective_on: event.effective_on,
            command_id: order.key.clone(),
            correlation_id: None,
            causation_id: None,
            traceparent: None,
            payload: event.payload,
        }
    }

    /// Brings a stream into the memory of the process: from its bytes, as after a start.
    fn load(&mut self, stream: &str) {
        if self.cache.contains_key(stream) {
            return;
        }
        let (mut state, mut version) = (A::State::default(), 0);
        for place in self.streams.get(stream).into_iter().flatten() {
            let recorded = &self.events[*place];
            let event = self.aggregate.decode(&recorded.clone().into()).expect("what was encoded can be decoded");
            state = event.iter().fold(state, |state, event| self.aggregate.evolve(state, event));
            version = recorded.version;
        }
        self.cache.insert(stream.to_owned(), (state, version));
    }

    fn rewrite_timers(&mut self, touched: Touched, now: DateTime<Utc>) {
        for (stream, (meta, woken)) in touched {
            let (state, generation) = &self.cache[&stream];
            let next = self.aggregate.timers(state, woken.unwrap_or(now));
            self.timers.retain(|(of, _), timer| *of != stream || (woken.is_none() && timer.due_at <= now));
            for timer in next {
                let Some(due_at) = timer.due_at else { continue };
                let stored = StoredTimer {
                    stream: stream.clone(),
                    track: timer.track.clone(),
                    shard: partition_of(&meta.key, PARTITIONS),
                    due_at,
                    generation: *generation,
                    tenant: meta.tenant.clone(),
                    key: meta.key.clone(),
                };
                self.timers.entry((stream.clone(), timer.track)).or_insert(stored);
            }
        }
    }
}

impl<A: Aggregate> Journal<A> for Memory<A> {
    fn submit(&mut self, order: Order<A::Command>, now: DateTime<Utc>) -> Result<Vec<A::Event>, Refusal> {
        let mut touched = Touched::new();
        let events = self.carry_out(&order, now, &mut touched);
        self.rewrite_timers(touched, now);
        events
    }

    fn take(&mut self, page: Page<'_, A::Command>, now: DateTime<Utc>) -> Result<(), Refusal> {
        let places = self.places.entry(page.consumer).or_default();
        let moved = page.sorted.moves.iter().any(|(place, moved)| places.next.get(place).copied().unwrap_or(0) != moved.from);
        if moved {
            return Err(Refusal::Fenced);
        }
        let mut touched = Touched::new();
        for InboundCommand { stream, meta, command } in page.commands {
            let order = Order { stream, meta, command, key: None, wake: None };
            // A command that is refused would park its stream: whoever plays the history ends there.
            self.carry_out(&order, now, &mut touched)?;
        }
        self.rewrite_timers(touched, now);
        let places = self.places.entry(page.consumer).or_default();
        places.next.extend(page.sorted.moves.iter().map(|(place, moved)| (place.clone(), moved.to)));
        places.marks.extend(page.sorted.marks.iter().map(|(key, mark)| (key.clone(), *mark)));
        Ok(())
    }

    fn state(&mut self, stream: &str) -> (A::State, u64) {
        self.load(stream);
        self.cache[stream].clone()
    }

    fn look(&mut self, stream: &str, look: &mut dyn FnMut(&A::State)) {
        self.load(stream);
        look(&self.cache[stream].0);
    }

    fn version(&mut self, stream: &str) -> u64 {
        self.streams.get(stream).map_or(0, |places| places.len() as u64)
    }

    fn read(&mut self, after: u64, limit: usize) -> Vec<Recorded> {
        let skip = usize::try_from(after).unwrap_or(usize::MAX);
        self.events.iter().skip(skip).take(limit).cloned().collect()
    }

    fn head(&mut self) -> u64 {
        self.events.len() as u64
    }

    fn next_timer(&mut self) -> Option<StoredTimer> {
        self.timers.values().min_by_key(|timer| (timer.due_at, &timer.stream, &timer.track)).cloned()
    }

    fn next_due(&mut self) -> Option<DateTime<Utc>> {
        self.timers.values().map(|timer| timer.due_at).min()
    }

    fn places(&mut self, consumer: &'static str) -> Places {
        self.places.get(consumer).cloned().unwrap_or_default()
    }

    fn restart(&mut self) {
        self.cache.clear();
    }
}
