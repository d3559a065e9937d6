//! The loop that wakes streams when their timers are due.

use std::collections::{BTreeSet, HashMap, HashSet, VecDeque};
use std::sync::atomic::{AtomicBool, AtomicI64, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use chrono::{DateTime, Utc};
use futures::stream::{self, StreamExt};
use sql::Dialect;
use tokio::task::JoinHandle;
use tokio_util::task::AbortOnDropHandle;

use super::{DueStream, Shards, StoredTimer};
use crate::activity::{Activity, Registration};
use crate::log::{Log, LogError};
use crate::writer::{Aggregate, Sent, Submission, WriteError, Writer, guarded};

/// Timers that are looked at together: their wakes fill some transactions of the writer, and few enough that what waits is bounded. The
/// next page is read and handed over while one is decided, so two of them wait at most.
const PAGE: usize = 2048;
/// Pages that are read at once where one was not enough: the one in hand is still stored, and each reading passes over it.
const PAGES_READ: usize = 4;
/// Streams that are read together, and how many of such parts at a time: the database reads one while the one before is decoded.
const PART: usize = 128;
const PARTS_READ: usize = 2;

/// How a timer loop works.
#[derive(Clone)]
pub struct TimerOptions {
    /// Timers that are looked at together.
    pub page: usize,
    /// Whose timers.
    pub shards: Shards,
    /// How often to look for timers that other processes stored. None where this process is the only one.
    pub poll: Option<Duration>,
    /// How long to wait after the database failed.
    pub back_off: Duration,
    /// The barrier to register with, under the name `timers`.
    pub activity: Activity,
    /// Reads what wakes need to know and their streams do not hold; none where streams hold everything.
    pub briefing: Option<Arc<dyn Briefing>>,
}

/// Reads what wakes need to know beyond their streams, before a page of them is fired. A process that has just started knows nothing yet.
#[async_trait::async_trait]
pub trait Briefing: Send + Sync {
    /// Reads it for these tenants.
    ///
    /// # Errors
    /// It cannot be read: nothing of the page is fired, and the loop tries again.
    async fn brief(&self, tenants: &BTreeSet<String>, now: DateTime<Utc>) -> Result<(), LogError>;
}

impl TimerOptions {
    /// Options that fit the log's database: PostgreSQL may have other writers, SQLite has none.
    pub fn for_log(log: &Log, activity: Activity) -> TimerOptions {
        let shared = log.db().is_some_and(|db| db.dialect() == Dialect::Postgres);
        TimerOptions {
            page: PAGE,
            shards: Shards::All,
            poll: shared.then_some(Duration::from_secs(1)),
            back_off: Duration::from_millis(200),
            activity,
            briefing: None,
        }
    }
}

/// What a timer loop has done.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct TimerStats {
    /// Wakes that were decided.
    pub wakes: u64,
    /// Streams that cannot be woken because they cannot be read; they are left alone until the process starts anew.
    pub stuck: u64,
}

/// Makes the command that wakes a stream.
pub type Wake<A> = Arc<dyn Fn(&DueStream, DateTime<Utc>) -> Submission<A> + Send + Sync>;

/// Fires the timers of one log through one writer.
pub struct TimerLoop<A: Aggregate> {
    writer: Writer<A>,
    wake: Wake<A>,
    options: TimerOptions,
    state: Arc<State>,
    stuck: HashSet<String>,
    /// Read, due, and not handed over yet.
    ahead: VecDeque<DueStream>,
    /// Whether more may be due than were read.
    more: bool,
    /// What the writer has and has not answered yet, as far as is known here.
    in_hand: Option<Fired<A>>,
}

/// The wakes of a page of timers.
type Fired<A> = Vec<(DueStream, Sent<A>)>;

/// A running loop; dropping it stops the loop, and the writer still decides what it was handed.
pub struct TimerHandle {
    task: JoinHandle<()>,
    state: Arc<State>,
    _registration: Registration,
}

struct State {
    /// The moment that the loop sleeps to, in microseconds; [`LOOKING`] while it does not sleep.
    armed_micros: AtomicI64,
    /// A paused loop fires nothing and is idle.
    paused: AtomicBool,
    resumed: tokio::sync::Notify,
    /// The shards that were ours when the loop last looked.
    looked_at: Mutex<Vec<i32>>,
    wakes: AtomicU64,
    stuck: AtomicU64,
}

const LOOKING: i64 = i64::MIN;

impl TimerHandle {
    /// Stops firing, as if the process were down; timers stay stored.
    pub fn pause(&self) {
        self.state.paused.store(true, Ordering::SeqCst);
        self.state.resumed.notify_one();
    }

    /// Fires again, beginning with what fell due meanwhile.
    pub fn resume(&self) {
        self.state.paused.store(false, Ordering::SeqCst);
        self.state.resumed.notify_one();
    }

    /// What the loop has done.
    pub fn stats(&self) -> TimerStats {
        TimerStats { wakes: self.state.wakes.load(Ordering::Relaxed), stuck: self.state.stuck.load(Ordering::Relaxed) }
    }
}

impl Drop for TimerHandle {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl<A: Aggregate> TimerLoop<A> {
    /// Starts the loop. `wake` makes the command for a stream whose timers are due; the loop marks it as a wake, so that the stream's
    /// timers are rewritten whatever it decides.
    pub fn spawn(writer: Writer<A>, wake: Wake<A>, options: TimerOptions) -> TimerHandle {
        let state = Arc::new(State {
            armed_micros: AtomicI64::new(LOOKING),
            paused: AtomicBool::new(false),
            resumed: tokio::sync::Notify::new(),
            looked_at: Mutex::default(),
            wakes: AtomicU64::new(0),
            stuck: AtomicU64::new(0),
        });
        let (checked, log, shards) = (Arc::clone(&state), writer.log().clone(), options.shards.clone());
        let idle =
            move || checked.paused.load(Ordering::SeqCst) && checked.is_asleep() || checked.knows(&shards) && is_idle(&checked, &log);
        let registration = options.activity.register("timers", Box::new(idle));
        let running = TimerLoop {
            writer,
            wake,
            options,
            state: Arc::clone(&state),
            stuck: HashSet::new(),
            ahead: VecDeque::new(),
            more: false,
            in_hand: None,
        };
        TimerHandle { task: tokio::spawn(running.run()), state, _registration: registration }
    }

    async fn run(mut self) {
        loop {
            self.state.armed_micros.store(LOOKING, Ordering::SeqCst);
            if self.state.paused.load(Ordering::SeqCst) {
                self.ahead.clear();
                if let Err(reason) = self.take_in_hand(None).await {
                    tracing::warn!(reason, "timers pause with wakes that failed");
                }
                self.sleep_while_paused().await;
                continue;
            }
            match self.look().await {
                Ok(true) => {}
                Ok(false) => self.sleep().await,
                Err(reason) => {
                    self.ahead.clear();
                    tracing::warn!(reason, "timers wait for the database");
                    tokio::time::sleep(self.options.back_off).await;
                }
            }
        }
    }

    /// Fires one page of due timers, and waits for what came of the one before it; true when there were any of either.
    async fn look(&mut self) -> Result<bool, String> {
        let log = self.writer.log().clone();
        if let Shards::Owned(owned) = &mut self.options.shards {
            let moved = owned.has_changed().unwrap_or_default();
            self.state.note_look(owned.borrow_and_update().clone());
            if moved {
                // Others fire what is theirs now, and may have fired what came back.
                self.ahead.clear();
            }
        }
        if self.ahead.is_empty() {
            let next = self.read_ahead(&log).await?;
            if self.ahead.is_empty() {
                let had_fired = self.take_in_hand(None).await?;
                if let Some(next) = next.filter(|_| !had_fired) {
                    log.shared.timers.offer(next);
                }
                return Ok(had_fired);
            }
        }
        let (page, now) = (self.next_page(), log.now());
        if let Some(briefing) = &self.options.briefing {
            let tenants = page.iter().map(|due| due.tenant.clone()).collect();
            briefing.brief(&tenants, now).await.map_err(|error| error.to_string())?;
        }
        let fired = self.fire(page, now).await;
        self.take_in_hand(Some(fired)).await?;
        if self.ahead.is_empty() && !self.more {
            self.take_in_hand(None).await?;
        }
        Ok(true)
    }

    /// Reads the first timers that nobody has in hand, and keeps those that are due; when the first of the others is.
    async fn read_ahead(&mut self, log: &Log) -> Result<Option<DateTime<Utc>>, String> {
        log.shared.timers.reset();
        let in_hand = self.in_hand.iter().flatten().map(|(due, _)| &due.stream);
        let but = in_hand.chain(&self.stuck).cloned().collect();
        // Most looks find little that is due, and what they read besides is read in vain.
        let most = if self.more { self.options.page * PAGES_READ } else { self.options.page };
        let timers = log.timers_but(&self.options.shards, &but, most).await.map_err(|error: LogError| error.to_string())?;
        let now = log.now();
        let is_full = timers.len() >= most;
        let (due, later): (Vec<StoredTimer>, Vec<StoredTimer>) = timers.into_iter().partition(|timer| timer.due_at <= now);
        self.more = is_full && later.is_empty();
        self.ahead = by_stream(due).into();
        Ok(later.first().map(|timer| timer.due_at))
    }

    /// The next streams of those that were read, with about as many timers as make a page.
    fn next_page(&mut self) -> Vec<DueStream> {
        let (mut page, mut timers) = (Vec::new(), 0);
        while timers < self.options.page
            && let Some(due) = self.ahead.pop_front()
        {
            timers += due.tracks.len();
            page.push(due);
        }
        page
    }

    /// Hands the wakes of a page to the writer, in order. Streams that it does not remember are read here, while it decides what came before.
    async fn fire(&mut self, page: Vec<DueStream>, now: DateTime<Utc>) -> Fired<A> {
        let mut fired = Vec::new();
        let (writer, mut room) = (self.writer.clone(), self.writer.room_for_seen());
        let parts = in_parts(page).into_iter().map(|part| async {
            let (writer, streams) = (writer.clone(), part.iter().map(|due| due.stream.clone()).collect::<Vec<_>>());
            // By a task of its own, which goes on while this one waits for a place in the queue. What it fails to read the writer reads.
            let seen = AbortOnDropHandle::new(tokio::spawn(async move { writer.look_up(streams).await })).await;
            (part, seen.unwrap_or_default())
        });
        let mut parts = stream::iter(parts).buffered(PARTS_READ);
        while let Some((part, mut seen)) = parts.next().await {
            for due in part {
                match guarded(|| (self.wake)(&due, now)) {
                    Ok(submission) => {
                        let seen = seen.remove(&due.stream).filter(|seen| seen.version <= room);
                        room -= seen.as_ref().map_or(0, |seen| seen.version);
                        fired.push((due, writer.send(submission.for_wake(now).having_seen(seen)).await));
                    }
                    Err(reason) => self.leave_alone(due.stream, &reason),
                }
            }
        }
        fired
    }

    /// Takes a page in hand, and waits for what came of the one that was; false where there was none. Where that failed, nothing is in hand
    /// afterwards: whatever of the next page was decided all the same is not due any more when it is looked at again.
    async fn take_in_hand(&mut self, next: Option<Fired<A>>) -> Result<bool, String> {
        let Some(fired) = std::mem::replace(&mut self.in_hand, next) else { return Ok(false) };
        let mut failed = self.outcome(fired).await;
        if failed.is_some()
            && let Some(next) = self.in_hand.take()
        {
            failed = self.outcome(next).await.or(failed);
        }
        failed.map_or(Ok(true), Err)
    }

    /// Waits for the answers to all wakes of a page; some reason to wait longer, where one failed.
    async fn outcome(&mut self, fired: Fired<A>) -> Option<String> {
        let mut failed = None;
        for (due, sent) in fired {
            match sent.wait().await {
                Ok(_) => _ = self.state.wakes.fetch_add(1, Ordering::Relaxed),
                Err(error) => failed = self.after_failure(due, error).or(failed),
            }
        }
        failed
    }

    /// Some reason to wait, or nothing when the loop can go on without this stream.
    fn after_failure(&mut self, due: DueStream, error: WriteError<A::Rejection>) -> Option<String> {
        let stream = due.stream.as_str();
        match error {
            WriteError::Unavailable(_) | WriteError::DiskFull => return Some(error.to_string()),
            WriteError::Rejected(_) => {
                // The writer has rewritten its timers all the same.
                tracing::error!(stream, %error, "wake rejected");
            }
            WriteError::CommandReused | WriteError::ClaimTaken { .. } | WriteError::SideRefused(_) | WriteError::Corrupt(_) => {
                self.leave_alone(due.stream, &error.to_string());
            }
        }
        None
    }

    fn leave_alone(&mut self, stream: String, reason: &str) {
        tracing::error!(stream, reason, "stream cannot be woken");
        self.stuck.insert(stream);
        self.state.stuck.store(self.stuck.len() as u64, Ordering::Relaxed);
    }

    /// Sleeps to the earliest timer, arming anew whenever an earlier one is stored.
    async fn sleep(&self) {
        let log = self.writer.log();
        let poll = async {
            match self.options.poll {
                Some(period) => tokio::time::sleep(period).await,
                None => std::future::pending().await,
            }
        };
        let moved = shards_moved(&self.options.shards);
        tokio::pin!(poll, moved);
        loop {
            let target = log.shared.timers.earliest_micros();
            let sleep = sleep_to(log, target);
            tokio::pin!(sleep);
            // A virtual clock counts the sleeper only once it was polled: idle is announced after that.
            if futures::poll!(sleep.as_mut()).is_ready() {
                return;
            }
            self.state.armed_micros.store(target, Ordering::SeqCst);
            self.options.activity.touch();
            let over = tokio::select! {
                () = &mut sleep => true,
                () = &mut poll => true,
                () = &mut moved => true,
                () = self.state.resumed.notified() => true,
                () = log.shared.timers.lowered.notified() => false,
            };
            // Before the sleeper is taken out: a virtual clock that sees no sleeper must not find the loop idle, nor the same epoch.
            self.state.armed_micros.store(LOOKING, Ordering::SeqCst);
            self.options.activity.stir();
            if over {
                return;
            }
        }
    }

    async fn sleep_while_paused(&self) {
        self.state.armed_micros.store(i64::MAX, Ordering::SeqCst);
        self.options.activity.touch();
        self.state.resumed.notified().await;
    }
}

impl State {
    fn note_look(&self, owned: Vec<i32>) {
        *self.looked_at.lock().unwrap_or_else(PoisonError::into_inner) = owned;
    }

    /// Whether the loop has looked at the shards that are ours now. Between two assignments a process owns none: a virtual clock must not
    /// pass over timers that will be its own in a moment.
    fn knows(&self, shards: &Shards) -> bool {
        match shards {
            Shards::All => true,
            Shards::Owned(owned) => {
                let owned = owned.borrow();
                !owned.is_empty() && *owned == *self.looked_at.lock().unwrap_or_else(PoisonError::into_inner)
            }
        }
    }

    fn is_asleep(&self) -> bool {
        self.armed_micros.load(Ordering::SeqCst) != LOOKING
    }
}

/// Asleep to the earliest timer there is, which is not due yet.
fn is_idle(state: &State, log: &Log) -> bool {
    let armed = state.armed_micros.load(Ordering::SeqCst);
    armed != LOOKING && armed == log.shared.timers.earliest_micros() && armed > log.now().timestamp_micros()
}

/// Returns when this process owns other shards than before.
async fn shards_moved(shards: &Shards) {
    match shards {
        Shards::All => std::future::pending().await,
        Shards::Owned(owned) => {
            if owned.clone().changed().await.is_err() {
                // Whoever assigned them has gone: they stay as they are.
                std::future::pending::<()>().await;
            }
        }
    }
}

async fn sleep_to(log: &Log, micros: i64) {
    match DateTime::from_timestamp_micros(micros) {
        Some(at) => log.clock().sleep_until(at).await,
        // No timer at all.
        None => std::future::pending().await,
    }
}

fn in_parts(mut streams: Vec<DueStream>) -> Vec<Vec<DueStream>> {
    let mut parts = Vec::new();
    while streams.len() > PART {
        let rest = streams.split_off(PART);
        parts.push(std::mem::replace(&mut streams, rest));
    }
    parts.push(streams);
    parts
}

/// The streams in the order of their first moments, each with all its tracks.
fn by_stream(timers: Vec<StoredTimer>) -> Vec<DueStream> {
    let mut places: HashMap<String, usize> = HashMap::with_capacity(timers.len());
    let mut streams: Vec<DueStream> = Vec::new();
    for StoredTimer { stream, track, due_at, tenant, key, .. } in timers {
        if let Some(due) = places.get(&stream).and_then(|place| streams.get_mut(*place)) {
            due.tracks.push(track);
            continue;
        }
        places.insert(stream.clone(), streams.len());
        // They come in the order of their moments: the first of a stream is its earliest.
        streams.push(DueStream { stream, tracks: vec![track], due_at, tenant, key });
    }
    streams.sort_by(|one, other| (one.due_at, &one.stream).cmp(&(other.due_at, &other.stream)));
    streams
}
