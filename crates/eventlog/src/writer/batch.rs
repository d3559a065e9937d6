//! Deciding a batch on the newest states. Streams are read here; what must be written is staged in the plan.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use chrono::{DateTime, TimeDelta, Utc};

use crate::bus::partition::partition_of;
use crate::event::{Appended, Claim, CommandKey, Expected, Meta, NewEvent, Statement, Told};
use crate::log::LogError;
use crate::log::lookup::Map;
use crate::log::plan::{Plan, Proposal};
use crate::timers::{Next, TimerChange};
use crate::writer::cache::{Cached, Slot};
use crate::writer::queue::Commands;
use crate::writer::{Aggregate, Answer, Shared, Submission, WriteError};

/// A stream in the hands of a batch.
pub(crate) struct Loaded<S> {
    pub(crate) state: Arc<S>,
    pub(crate) version: u64,
    others: u64,
    /// Why no command on this stream can be decided.
    pub(crate) corrupt: Option<String>,
    /// Events of unknown types that were skipped on the way here.
    pub(crate) unknown: u64,
    timers: Option<Arc<Vec<Next>>>,
    touched: Option<Touched>,
    /// Its place in the cache, where it has one.
    slot: Option<Slot<S>>,
    /// As the sender of a command has seen it, and neither the log nor an append has confirmed it yet.
    only_seen: bool,
}

/// What the batch did with a stream, as far as its timers go.
struct Touched {
    tenant: String,
    key: String,
    woken: Option<DateTime<Utc>>,
}

impl<S> From<Cached<S>> for Loaded<S> {
    fn from(cached: Cached<S>) -> Self {
        Loaded {
            state: cached.state,
            version: cached.version,
            others: cached.others,
            corrupt: None,
            unknown: 0,
            timers: cached.timers,
            touched: None,
            slot: None,
            only_seen: false,
        }
    }
}

/// As it is, for whoever remembers it.
impl<S> From<Loaded<S>> for Cached<S> {
    fn from(loaded: Loaded<S>) -> Self {
        let Loaded { state, version, others, timers, .. } = loaded;
        Cached { state, version, others, timers }
    }
}

impl<S: Default + Clone + Send + Sync + 'static> Loaded<S> {
    /// As the cache has it, else as the sender of the command has seen it; at its beginning where neither knows it, for its events to be read
    /// now.
    fn remembered<A: Aggregate<State = S>>(shared: &Shared<A>, stream: &str, seen: Option<&Cached<S>>) -> Self {
        let others = shared.log.others();
        let slot = shared.cache.slot(stream);
        let only_seen = slot.is_none() && seen.is_some();
        let cached = slot.as_ref().map(Slot::read).or_else(|| seen.cloned()).unwrap_or_default();
        let others = if cached.version == 0 { others } else { cached.others };
        Loaded { slot, others, only_seen, ..cached.into() }
    }

    /// As a batch leaves it that goes well.
    fn left(&self) -> Self {
        let Loaded { version, others, .. } = *self;
        let cached = Cached { state: Arc::clone(&self.state), version, others, timers: self.timers.clone() };
        Loaded { corrupt: self.corrupt.clone(), slot: self.slot.clone(), only_seen: self.only_seen, ..cached.into() }
    }

    /// Whether nobody else has appended since it was compared with the log, as far as is known.
    fn is_of<A: Aggregate<State = S>>(&self, shared: &Shared<A>) -> bool {
        self.others == shared.log.others()
    }

    /// Takes in a stored event.
    pub(crate) fn absorb<A: Aggregate<State = S>>(&mut self, shared: &Shared<A>, event: &Told) {
        if self.corrupt.is_some() {
            return;
        }
        if event.version != self.version + 1 {
            self.corrupt = Some(format!("{} goes from version {} to {}", event.stream, self.version, event.version));
            return;
        }
        let (before, unknown) = (std::mem::take(&mut self.state), &mut self.unknown);
        let absorbed = guarded(|| match shared.aggregate.decode(event) {
            Ok(Some(decoded)) => Ok(Arc::new(shared.aggregate.evolve(Arc::unwrap_or_clone(before), &decoded))),
            Ok(None) => {
                *unknown += 1;
                Ok(before)
            }
            Err(error) => Err(error.to_string()),
        });
        match absorbed.unwrap_or_else(Err) {
            Ok(state) => self.state = state,
            Err(reason) => self.corrupt = Some(reason),
        }
        self.version = event.version;
        self.timers = None;
    }
}

/// A rule that panics fails its own command, not the writer and with it every other payer.
pub(crate) fn guarded<T>(rule: impl FnOnce() -> T) -> Result<T, String> {
    // What the rule might leave half done is its own local state, which goes with it.
    std::panic::catch_unwind(std::panic::AssertUnwindSafe(rule)).map_err(|panic| {
        let text = panic.downcast_ref::<&str>().map(ToString::to_string).or_else(|| panic.downcast_ref::<String>().cloned());
        format!("a rule panicked: {}", text.unwrap_or_default())
    })
}

/// One command, whoever brought it.
pub(crate) struct Request<'a, A: Aggregate> {
    pub(crate) stream: &'a str,
    pub(crate) command: &'a A::Command,
    pub(crate) meta: &'a Meta,
    pub(crate) key: Option<&'a CommandKey>,
    pub(crate) claims: &'a [Claim],
    pub(crate) side: &'a [Statement],
    pub(crate) answer: Option<&'a Answer<A>>,
    pub(crate) wake: Option<DateTime<Utc>>,
    pub(crate) seen: Option<&'a Cached<A::State>>,
}

/// Where a command stands in the log, and the state after it.
type Done<A> = (Appended, Arc<<A as Aggregate>::State>);
type Refusal<A> = WriteError<<A as Aggregate>::Rejection>;

/// What one command got, before it is durable.
pub(crate) type Decided<A> = Result<Done<A>, Refusal<A>>;

/// The streams of a batch.
pub(crate) struct Streams<A: Aggregate> {
    loaded: Map<String, Loaded<A::State>>,
    /// Those of which nothing is known until their events are read.
    unread: Vec<String>,
}

impl<A: Aggregate> Default for Streams<A> {
    fn default() -> Self {
        Streams { loaded: Map::default(), unread: Vec::new() }
    }
}

impl<A: Aggregate> Streams<A> {
    /// Brings in the streams of all commands, as they are remembered, and reads those that are not: before the log is locked.
    ///
    /// # Errors
    /// The log cannot be read.
    pub(crate) async fn load(&mut self, shared: &Shared<A>, commands: &impl Commands<A>) -> Result<(), LogError> {
        for place in 0..commands.count() {
            let Request { stream, seen, .. } = commands.request(place);
            if !self.loaded.contains_key(stream) {
                self.insert(stream, Loaded::remembered(shared, stream, seen));
            }
        }
        self.read(shared).await
    }

    /// Takes in a stream, where it is remembered as it is in the log as far as is known; false where it is not, and not here yet.
    pub(crate) fn take_in_known(&mut self, shared: &Shared<A>, submission: &Submission<A>) -> bool {
        let remembered = || Loaded::remembered(shared, &submission.stream, submission.seen.as_ref());
        self.take_in(&submission.stream, || Some(remembered()).filter(|loaded| loaded.version > 0 && loaded.is_of(shared)))
    }

    /// Takes in a stream as a transaction that is on its way leaves it, or else as it is remembered, also one that must be read; false where
    /// others have appended since it was compared with the log.
    pub(crate) fn take_in_after(&mut self, shared: &Shared<A>, before: &Self, submission: &Submission<A>) -> bool {
        let Submission { stream, seen, .. } = submission;
        let left = || before.loaded.get(stream).map(Loaded::left);
        let found = || left().unwrap_or_else(|| Loaded::remembered(shared, stream, seen.as_ref()));
        self.take_in(stream, || Some(found()).filter(|loaded| loaded.is_of(shared)))
    }

    fn take_in(&mut self, stream: &str, find: impl FnOnce() -> Option<Loaded<A::State>>) -> bool {
        if self.loaded.contains_key(stream) {
            return true;
        }
        find().map(|loaded| self.insert(stream, loaded)).is_some()
    }

    fn insert(&mut self, stream: &str, loaded: Loaded<A::State>) {
        if loaded.version == 0 {
            self.unread.push(stream.to_owned());
        }
        self.loaded.insert(stream.to_owned(), loaded);
    }

    /// Whether there are streams of which nothing is known yet.
    pub(crate) fn has_unread(&self) -> bool {
        !self.unread.is_empty()
    }

    /// Reads the streams of which nothing is known. Whoever stops waiting has read none of them.
    ///
    /// # Errors
    /// The log cannot be read.
    pub(crate) async fn read(&mut self, shared: &Shared<A>) -> Result<(), LogError> {
        let unread: Vec<(String, u64)> = self.unread.iter().map(|stream| (stream.clone(), 0)).collect();
        let events = shared.log.told(&unread).await?;
        self.absorb(shared, &events);
        self.unread.clear();
        Ok(())
    }

    /// Whether nobody else has appended since the streams were compared with the log, or read: then they are as they are here, and a log
    /// that lost its end, as after a failover, has not gone on behind it.
    pub(crate) fn are_of(&self, others: u64) -> bool {
        self.loaded.values().all(|loaded| loaded.others == others)
    }

    /// They are compared with the log now.
    pub(crate) fn now_of(&mut self, others: u64) {
        for loaded in self.loaded.values_mut() {
            (loaded.others, loaded.only_seen) = (others, false);
        }
    }

    /// Streams that are further in the log than here, now that it is locked. One that is further here than in the log is corrupt.
    pub(crate) fn behind(&mut self, plan: &Plan) -> Vec<(String, u64)> {
        let mut behind = Vec::new();
        for (stream, loaded) in &mut self.loaded {
            let stored = plan.version(stream);
            if stored > loaded.version {
                behind.push((stream.clone(), loaded.version));
            } else if stored < loaded.version {
                loaded.corrupt = Some(format!("{stream} fell from version {} to {stored}", loaded.version));
            }
        }
        behind
    }

    pub(crate) fn absorb(&mut self, shared: &Shared<A>, events: &[Told]) {
        for event in events {
            if let Some(loaded) = self.loaded.get_mut(&event.stream) {
                loaded.absorb(shared, event);
            }
        }
    }

    /// Decides one command and stages what it causes. A refused command leaves no trace, but for a wake: its timers are done with. None where
    /// the plan presumes what the log would not prove for this answer ([`Plan::presuming`]); that leaves no trace at all.
    pub(crate) fn decide(&mut self, aggregate: &A, plan: &mut Plan, ticket: usize, request: &Request<'_, A>) -> Option<Decided<A>> {
        let presumes = plan.presumed.is_some();
        match self.decide_by(aggregate, plan, ticket, request) {
            Ok(caused) => caused.map(Ok),
            Err(_) if presumes => None,
            Err(error) => Some(Err(error)),
        }
    }

    /// None where the plan presumes and the command has no event of its own.
    fn decide_by(
        &mut self,
        aggregate: &A,
        plan: &mut Plan,
        ticket: usize,
        request: &Request<'_, A>,
    ) -> Result<Option<Done<A>>, Refusal<A>> {
        let presumes = plan.presumed.is_some();
        let loaded =
            self.loaded.get_mut(request.stream).ok_or_else(|| WriteError::Corrupt(format!("{} was not loaded", request.stream)))?;
        if let Some(key) = request.key
            && let Some(appended) = plan.replayed(&request.meta.tenant, key).map_err(WriteError::from_refused)?
        {
            return Ok((!presumes).then(|| (appended, Arc::clone(&loaded.state))));
        }
        if let Some(reason) = &loaded.corrupt {
            return Err(WriteError::Corrupt(reason.clone()));
        }
        let decided = guarded(|| request.decide(aggregate, &loaded.state)).map_err(WriteError::Corrupt)?;
        if request.wake.is_some() && !presumes {
            loaded.touch(request);
        }
        let Decision { events, after, answer } = decided.map_err(WriteError::Rejected)?;
        let caused = !events.is_empty();
        if presumes && !caused {
            return Ok(None);
        }
        let proposal = request.propose(loaded.version, events, answer);
        let appended = plan.accept(ticket, proposal).map_err(WriteError::from_refused)?;
        if caused {
            loaded.touch(request);
            // The log refuses it on any other version.
            loaded.only_seen = false;
        }
        loaded.version = appended.last_version;
        loaded.state = Arc::clone(&after);
        Ok(Some((appended, after)))
    }

    /// Stages the timers of every stream that the batch has touched since this was last done.
    pub(crate) fn stage_timers(&mut self, aggregate: &A, plan: &mut Plan, partitions: i32) {
        for (stream, loaded) in &mut self.loaded {
            let Some(touched) = loaded.touched.take() else { continue };
            let after = touched.woken.unwrap_or(plan.now);
            let next = match guarded(|| next_timers(aggregate, stream, &loaded.state, after, touched.woken.is_some())) {
                Ok(next) => Arc::new(next),
                Err(reason) => {
                    tracing::error!(stream, reason, "timers stay as they are");
                    continue;
                }
            };
            let unchanged = loaded.timers.as_ref().is_some_and(|timers| *timers == next);
            if unchanged && touched.woken.is_none() {
                continue;
            }
            loaded.timers = Some(Arc::clone(&next));
            plan.staged.timers.push(TimerChange {
                stream: stream.clone(),
                shard: partition_of(&touched.key, partitions),
                tenant: touched.tenant,
                key: touched.key,
                generation: loaded.version,
                woken: touched.woken.is_some(),
                next,
            });
        }
    }

    /// Keeps the states, now that they are committed.
    pub(crate) fn keep(self, shared: &Shared<A>) {
        for (stream, mut loaded) in self.loaded {
            shared.counts.unknown_events.fetch_add(loaded.unknown, Ordering::Relaxed);
            if loaded.corrupt.is_none() && loaded.version > 0 && !loaded.only_seen {
                let slot = loaded.slot.take();
                shared.cache.put(stream, slot, loaded.into());
            }
        }
    }
}

impl<S> Loaded<S> {
    fn touch<A: Aggregate<State = S>>(&mut self, request: &Request<'_, A>) {
        let Meta { tenant, key, .. } = request.meta;
        // A stream has one tenant and one key.
        let touched = self.touched.get_or_insert_with(|| Touched { tenant: tenant.clone(), key: key.clone(), woken: None });
        debug_assert!(touched.tenant == *tenant && touched.key == *key, "{} and {tenant}, {} and {key}", touched.tenant, touched.key);
        // Two wakes in a batch: the earlier moment, so that what lies between the two is not lost.
        touched.woken = match (touched.woken, request.wake) {
            (Some(before), Some(wake)) => Some(before.min(wake)),
            (before, wake) => before.or(wake),
        };
    }
}

/// What a command causes, before anybody has checked whether it may be stored.
struct Decision<S> {
    events: Vec<NewEvent>,
    after: Arc<S>,
    answer: Vec<u8>,
}

impl<'a, A: Aggregate> Request<'a, A> {
    fn decide(&self, aggregate: &A, state: &Arc<A::State>) -> Result<Decision<A::State>, A::Rejection> {
        let events = aggregate.decide(state, self.command)?;
        let mut after = Arc::clone(state);
        for event in &events {
            after = Arc::new(aggregate.evolve(Arc::unwrap_or_clone(after), event));
        }
        let answer = self.answer.map(|answer| answer(&after, &events)).unwrap_or_default();
        Ok(Decision { events: events.iter().map(|event| aggregate.encode(event)).collect(), after, answer })
    }

    pub(crate) fn of_submission(submission: &'a Submission<A>) -> Self {
        Request {
            stream: &submission.stream,
            command: &submission.command,
            meta: &submission.meta,
            key: submission.key.as_ref(),
            claims: &submission.claims,
            side: &submission.side,
            answer: submission.answer.as_ref(),
            wake: submission.wake,
            seen: submission.seen.as_ref(),
        }
    }

    /// A command that nobody waits for and nobody repeats by id.
    pub(crate) fn plain(stream: &'a str, meta: &'a Meta, command: &'a A::Command) -> Self {
        Request { stream, command, meta, key: None, claims: &[], side: &[], answer: None, wake: None, seen: None }
    }

    fn propose(&self, version: u64, events: Vec<NewEvent>, answer: Vec<u8>) -> Proposal<'a> {
        let Request { stream, meta, key: command, claims, side, .. } = *self;
        Proposal { stream, expected: Expected::Exact(version), events, meta, command, claims, side, answer }
    }
}

/// The timers that an aggregate wants. After a wake they must lie later than the wake, or the stream would be woken for ever.
fn next_timers<A: Aggregate>(aggregate: &A, stream: &str, state: &A::State, after: DateTime<Utc>, woken: bool) -> Vec<Next> {
    let wanted = aggregate.timers(state, after).into_iter();
    wanted
        .filter_map(|timer| Some(Next { track: timer.track, due_at: timer.due_at? }))
        .map(|next| {
            if woken && next.due_at <= after {
                tracing::error!(stream, track = next.track, "timer not later than its wake; put off by a minute");
                return Next { due_at: after + TimeDelta::minutes(1), ..next };
            }
            next
        })
        .collect()
}
