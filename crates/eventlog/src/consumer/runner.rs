//! The loop of a consumer.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use futures::FutureExt;
use tokio::sync::{Notify, watch};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::ConsumerSpec;
use super::attempt::Ended;
use super::page::{Gap, Mark, StreamKey};
use super::sink::Sink;
use super::source::Sources;
use super::status::Shared;
use crate::activity::{Activity, Rank};
use crate::bus::Place;

/// How often a consumer looks for requests that another process noted, and for events that another process appended.
const LOOK: Duration = Duration::from_secs(1);
/// How long a partition with a gap is held before it is read again; doubled up to [`LONGEST_HOLD`] while the gap stays.
const FIRST_HOLD: Duration = Duration::from_millis(500);
const LONGEST_HOLD: Duration = Duration::from_secs(30);
/// Whoever decides goes first: who only writes down what happened, in the database of the log that it follows, rests between two pages. While
/// somebody decides it rests [`RESTS`] times as long as the page took, and no less than this; while nobody does, so long, for the next page to grow,
/// and not at all where that is there already. SQLite has one writer, and PostgreSQL has to do less for fewer, larger pages.
const REST: Duration = Duration::from_millis(20);
const RESTS: u32 = 3;
/// But not longer: a page that had to wait for a database is no measure.
const LONGEST_REST: Duration = Duration::from_secs(1);
/// What it wrote down last is older than this: it hurries, unless somebody still decides.
const LATE: TimeDelta = TimeDelta::seconds(2);
/// And older than this: it must not fall behind for good, whoever decides.
const STALE: TimeDelta = TimeDelta::seconds(20);

/// A consumer's task.
pub(crate) struct Runner {
    pub spec: ConsumerSpec,
    pub sink: Box<dyn Sink>,
    pub sources: Sources,
    pub shared: Arc<Shared>,
    pub activity: Activity,
    /// When it has its turn.
    rank: Rank,
    has_turn: bool,
    rests_until: Option<Instant>,
    /// How far its own log was after the page before.
    head: Option<u64>,
    pub trusted: HashSet<String>,
    pub shutdown: CancellationToken,
    /// What is stored of streams, as far as it was read or written here since somebody else may have changed it.
    pub(super) marks: HashMap<StreamKey, Mark>,
    holds: HashMap<Place, Hold>,
}

/// A partition that waits for a missing version.
struct Hold {
    until: Instant,
    wait: Duration,
}

/// What woke the loop.
enum Woken {
    Messages,
    Requests,
    HoldOver,
    PauseChanged,
    Shutdown,
}

impl Runner {
    pub fn new(spec: ConsumerSpec, (sink, rank): (Box<dyn Sink>, Rank), sources: Sources, shared: Arc<Shared>, activity: Activity) -> Self {
        let trusted = spec.own.iter().map(|own| own.topic.clone()).collect();
        Self {
            spec,
            sink,
            sources,
            shared,
            activity,
            rank,
            has_turn: false,
            rests_until: None,
            head: None,
            trusted,
            shutdown: CancellationToken::new(),
            marks: HashMap::new(),
            holds: HashMap::new(),
        }
    }

    /// Runs until the token is cancelled, or until the consumer has to give up.
    pub async fn run(mut self, asked: Arc<Notify>, shutdown: CancellationToken) {
        self.shutdown = shutdown;
        let mut paused = self.shared.pause.subscribe();
        let mut look = tokio::time::interval(LOOK);
        look.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        let stopped = loop {
            match self.woken(&mut paused, &asked, &mut look).await {
                Woken::Shutdown => break None,
                Woken::PauseChanged => {}
                Woken::HoldOver => self.end_holds(),
                Woken::Requests => {
                    self.working(true);
                    self.carry_out_requests().await;
                    self.look_for_foreign_appends().await;
                    self.working(false);
                }
                Woken::Messages => {
                    self.has_turn = true;
                    self.working(true);
                    let ended = self.next_page().await;
                    self.working(false);
                    if let Ended::Stop(reason) = ended {
                        break Some(reason);
                    }
                }
            }
        };
        if let Some(reason) = &stopped {
            tracing::error!(consumer = self.spec.name, reason, "consumer gives up");
        }
        {
            let mut state = self.shared.lock();
            state.stopped = true;
            state.trouble = stopped.or(state.trouble.take());
        }
        self.activity.touch();
        self.sources.close().await;
    }

    async fn woken(&mut self, paused: &mut watch::Receiver<bool>, asked: &Notify, look: &mut tokio::time::Interval) -> Woken {
        let is_paused = *paused.borrow_and_update();
        let next = self.shared.lock().next.clone();
        let next_hold = self.holds.values().map(|hold| hold.until).min();
        let holds = &self.holds;
        if self.has_turn && !is_paused {
            // A turn lasts until nothing more is there.
            self.has_turn = self.sources.wait(&next, |place| holds.contains_key(place)).now_or_never().is_some();
        }
        let (waits, rank, activity, rests_until) = (!self.has_turn, self.rank, self.activity.clone(), self.rests_until);
        let messages = async {
            self.sources.wait(&next, |place| holds.contains_key(place)).await;
            if waits {
                activity.turn(rank).await;
            }
            if rests_until.is_some() {
                sleep_until(rests_until).await;
            }
        };
        tokio::select! {
            biased;
            () = self.shutdown.cancelled() => Woken::Shutdown,
            // The sender lives in what this task shares, so it is never closed.
            _ = paused.changed() => Woken::PauseChanged,
            () = asked.notified(), if !is_paused => Woken::Requests,
            _ = look.tick(), if !is_paused => Woken::Requests,
            () = sleep_until(next_hold), if !is_paused => Woken::HoldOver,
            () = messages, if !is_paused => Woken::Messages,
        }
    }

    async fn next_page(&mut self) -> Ended {
        let next = self.shared.lock().next.clone();
        let holds = &self.holds;
        let taken = self.sources.take(&next, |place| holds.contains_key(place), self.spec.page_limit).await;
        if let Some(trouble) = self.sources.take_trouble() {
            tracing::error!(consumer = self.spec.name, trouble, "the bus cannot be read");
            self.note_trouble(Some(trouble));
        }
        match taken {
            Ok(page) if page.is_empty() => Ended::Stored,
            Ok(page) => {
                let (began, recorded_at) = (Instant::now(), page.iter().map(|message| message.event.recorded_at).max());
                let is_full = page.len() >= self.spec.page_limit;
                let ended = self.store(page).await;
                self.rests_until = self.rest_after(began, recorded_at, is_full);
                ended
            }
            Err(error) => {
                self.pause_after(&error.to_string(), &mut super::attempt::waits()).await;
                Ended::Stored
            }
        }
    }

    /// Until when it leaves the database to others, after a page that began at a moment and ended with an event of another.
    fn rest_after(&mut self, began: Instant, recorded_at: Option<DateTime<Utc>>, is_full: bool) -> Option<Instant> {
        let follows = self.rank == Rank::Follows && !self.activity.holds_consumers();
        let age = recorded_at.map(|at| self.spec.clock.now() - at);
        let head = self.own_head();
        // Since the page before, because on SQLite nobody can append while its own transaction is open.
        let busy = std::mem::replace(&mut self.head, head) != head;
        (follows && head.is_some())
            .then(|| rest(began.elapsed(), age, Others::of(busy, is_full)))
            .flatten()
            .map(|long| Instant::now() + long)
    }

    /// How far the log in the consumer's own database is, where it follows one.
    fn own_head(&self) -> Option<u64> {
        self.spec.own.as_ref().map(|own| own.log.known_head())
    }

    /// Tells the barrier that work was taken in hand or ended.
    fn working(&self, working: bool) {
        self.shared.lock().working = working;
        if working { self.activity.stir() } else { self.activity.touch() }
    }

    /// Holds partitions whose next message came too early.
    pub(super) fn hold(&mut self, gaps: Vec<Gap>) {
        for gap in gaps {
            let (place, stream) = (gap.place.clone(), gap.stream.as_str());
            tracing::error!(
                consumer = self.spec.name,
                topic = place.topic,
                partition = place.partition,
                offset = gap.offset,
                next = gap.next,
                stream,
                expected = gap.expected,
                found = gap.found,
                "gap in a stream, partition held"
            );
            let wait = match self.shared.lock().held.insert(place.clone(), gap) {
                Some(_) => self.holds.get(&place).map_or(FIRST_HOLD, |hold| (hold.wait * 2).min(LONGEST_HOLD)),
                None => FIRST_HOLD,
            };
            self.holds.insert(place, Hold { until: Instant::now() + wait, wait });
        }
    }

    /// Whether a partition is held now.
    pub(super) fn is_held(&self, place: &Place) -> bool {
        self.holds.contains_key(place)
    }

    /// Reads held partitions again from where they stopped.
    fn end_holds(&mut self) {
        let now = Instant::now();
        let over: Vec<Place> = self.holds.iter().filter(|(_, hold)| hold.until <= now).map(|(place, _)| place.clone()).collect();
        for place in over {
            self.holds.remove(&place);
            let next = self.shared.lock().next.get(&place).copied().unwrap_or(0);
            self.sources.rewind(&place, next);
        }
    }

    /// On a database that other processes append to, the head is looked up now and then.
    async fn look_for_foreign_appends(&self) {
        if self.spec.db.dialect() == sql::Dialect::Postgres
            && let Some(own) = &self.spec.own
            && let Err(error) = own.log.head().await
        {
            tracing::warn!(consumer = self.spec.name, %error, "head of the log cannot be read");
        }
    }
}

/// What others do while who follows writes.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Others {
    /// Somebody has appended since the page before.
    Decide,
    /// Nobody has, and the page was full: more is there, and nobody waits for the database who decides.
    LeftMuch,
    /// Nobody has, and the page was not full.
    AreQuiet,
}

impl Others {
    /// Of other processes on PostgreSQL it is known each second only: so long who follows may take them for quiet.
    fn of(busy: bool, is_full: bool) -> Self {
        match (busy, is_full) {
            (true, _) => Self::Decide,
            (false, true) => Self::LeftMuch,
            (false, false) => Self::AreQuiet,
        }
    }
}

/// How long who follows rests after a page that took so long and ended with an event of such an age.
fn rest(took: Duration, age: Option<TimeDelta>, others: Others) -> Option<Duration> {
    let (most, long) = match others {
        Others::Decide => (STALE, REST.max(took * RESTS).min(LONGEST_REST)),
        Others::LeftMuch => return None,
        Others::AreQuiet => (LATE, REST),
    };
    age.is_none_or(|age| age <= most).then_some(long)
}

async fn sleep_until(at: Option<Instant>) {
    match at {
        Some(at) => tokio::time::sleep_until(at).await,
        None => std::future::pending().await,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn ms(long: u64) -> Duration {
        Duration::from_millis(long)
    }

    #[test]
    fn who_follows_rests_longer_while_somebody_decides() {
        let fresh = TimeDelta::milliseconds(1_999);
        for age in [Some(fresh), None] {
            assert_eq!(rest(ms(1), age, Others::Decide), Some(ms(20)));
            assert_eq!(rest(ms(30), age, Others::Decide), Some(ms(90)));
            assert_eq!(rest(ms(30), age, Others::AreQuiet), Some(ms(20)));
        }
    }

    /// What was imported in a minute is shown as fast as it can be written once that is over.
    #[test]
    fn who_has_much_to_write_and_nobody_to_wait_for_does_not_rest() {
        assert_eq!(Others::of(false, true), Others::LeftMuch);
        assert_eq!(Others::of(false, false), Others::AreQuiet);
        assert_eq!(Others::of(true, true), Others::Decide, "a full page is no reason to hold up who decides");
        assert_eq!(rest(ms(30), Some(TimeDelta::milliseconds(1)), Others::LeftMuch), None);
        assert_eq!(rest(ms(30), Some(TimeDelta::milliseconds(2_001)), Others::AreQuiet), None);
    }

    /// A million timers of one moment are decided before they are shown; but not for ever.
    #[test]
    fn who_is_late_lets_those_who_decide_go_first_up_to_a_point() {
        assert_eq!(rest(ms(30), Some(TimeDelta::milliseconds(19_999)), Others::Decide), Some(ms(90)));
        assert_eq!(rest(ms(30), Some(TimeDelta::milliseconds(20_001)), Others::Decide), None);
        assert_eq!(rest(ms(9_000), Some(TimeDelta::milliseconds(9_001)), Others::Decide), Some(ms(1_000)), "it waited for the database");
    }
}
