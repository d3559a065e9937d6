//! The only clocks: the system's, and a virtual one that runs a portfolio through years in seconds.

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use eventlog::{Activity, Clock};
use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};
use tokio::sync::Notify;

/// Long sleeps look at the wall clock again this often, because it can be set.
const LONGEST_NAP: Duration = Duration::from_secs(30);

/// The system's clock.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemClock;

#[async_trait]
impl Clock for SystemClock {
    fn now(&self) -> DateTime<Utc> {
        Utc::now()
    }

    async fn sleep_until(&self, at: DateTime<Utc>) {
        while let Ok(left) = (at - Utc::now()).to_std() {
            if left.is_zero() {
                return;
            }
            tokio::time::sleep(left.min(LONGEST_NAP)).await;
        }
    }
}

/// A clock that stands still until it is moved. Who sleeps on it is known, so the next instant at which anything can
/// happen is known too.
pub struct VirtualClock {
    state: Mutex<State>,
    activity: Activity,
}

struct State {
    now: DateTime<Utc>,
    next_id: u64,
    sleepers: BTreeMap<(DateTime<Utc>, u64), Arc<Notify>>,
}

impl VirtualClock {
    /// A clock at `start`; whoever waits for `activity` to settle also waits for sleepers that are due.
    pub fn new(start: DateTime<Utc>, activity: Activity) -> Arc<Self> {
        Arc::new(Self { state: Mutex::new(State { now: start, next_id: 0, sleepers: BTreeMap::new() }), activity })
    }

    /// The earliest instant somebody sleeps until.
    pub fn next_deadline(&self) -> Option<DateTime<Utc>> {
        self.lock().sleepers.keys().next().map(|(at, _)| *at)
    }

    /// No sleeper whose time has come still has to run.
    pub fn is_idle(&self) -> bool {
        let state = self.lock();
        state.sleepers.keys().next().is_none_or(|(at, _)| *at > state.now)
    }

    /// Moves to `at`, never back, and wakes who is due.
    pub fn advance_to(&self, at: DateTime<Utc>) {
        let mut state = self.lock();
        state.now = state.now.max(at);
        let now = state.now;
        for (_, sleeper) in state.sleepers.range(..=(now, u64::MAX)) {
            sleeper.notify_one();
        }
        drop(state);
        self.activity.touch();
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Takes its sleeper out when the sleep ends or is dropped.
struct Sleep<'a> {
    clock: &'a VirtualClock,
    key: (DateTime<Utc>, u64),
}

impl Drop for Sleep<'_> {
    fn drop(&mut self) {
        self.clock.lock().sleepers.remove(&self.key);
        self.clock.activity.touch();
    }
}

#[async_trait]
impl Clock for VirtualClock {
    fn now(&self) -> DateTime<Utc> {
        self.lock().now
    }

    async fn sleep_until(&self, at: DateTime<Utc>) {
        let (sleep, wake) = {
            let mut state = self.lock();
            if at <= state.now {
                return;
            }
            let key = (at, state.next_id);
            state.next_id += 1;
            let wake = Arc::new(Notify::new());
            state.sleepers.insert(key, Arc::clone(&wake));
            (Sleep { clock: self, key }, wake)
        };
        self.activity.touch();
        while self.lock().now < at {
            wake.notified().await;
        }
        drop(sleep);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> DateTime<Utc> {
        text.parse().unwrap()
    }

    #[tokio::test]
    async fn a_virtual_sleeper_wakes_when_the_clock_is_moved_and_not_before() {
        let activity = Activity::new();
        let clock = VirtualClock::new(at("2026-01-01T00:00:00Z"), activity);
        let sleeper = Arc::clone(&clock);
        let task = tokio::spawn(async move { sleeper.sleep_until(at("2026-01-02T00:00:00Z")).await });
        while clock.next_deadline().is_none() {
            tokio::task::yield_now().await;
        }
        clock.advance_to(at("2026-01-01T12:00:00Z"));
        assert_eq!(clock.next_deadline(), Some(at("2026-01-02T00:00:00Z")));
        assert!(clock.is_idle() && !task.is_finished());
        clock.advance_to(at("2026-01-02T00:00:00Z"));
        task.await.unwrap();
        assert_eq!(clock.next_deadline(), None);
    }

    #[tokio::test]
    async fn a_virtual_clock_never_runs_backwards() {
        let clock = VirtualClock::new(at("2026-01-02T00:00:00Z"), Activity::new());
        clock.advance_to(at("2026-01-01T00:00:00Z"));
        assert_eq!(clock.now(), at("2026-01-02T00:00:00Z"));
    }
}
