//! Crash points and taken-out protections, switched while a log runs.

use std::collections::HashSet;
use std::fmt;
use std::str::FromStr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use eventlog::log::{CrashPoint, Faults, Protection};
use tokio::sync::Notify;

/// Where a process may die.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Spot {
    /// A consumer has sorted a page; no transaction is open.
    Sorted,
    /// The place has moved and the read model is written, in the transaction of the page.
    Applied,
    /// The head of the log is locked.
    Locked,
    /// Everything is written; nothing is committed.
    Stored,
    /// Committed; the writer does not know it yet.
    Committed,
    /// Committed; the consumer does not know it yet.
    Settled,
}

impl Spot {
    /// All spots that a page of a consumer passes, in that order.
    pub const PAGE: [Spot; 6] = [Spot::Sorted, Spot::Applied, Spot::Locked, Spot::Stored, Spot::Committed, Spot::Settled];

    /// Whether a process that dies there has committed.
    pub(crate) fn is_committed(self) -> bool {
        match self {
            Spot::Committed | Spot::Settled => true,
            Spot::Sorted | Spot::Applied | Spot::Locked | Spot::Stored => false,
        }
    }
}

impl fmt::Display for Spot {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{self:?}")
    }
}

impl FromStr for Spot {
    type Err = anyhow::Error;

    fn from_str(text: &str) -> anyhow::Result<Spot> {
        let found = Spot::PAGE.into_iter().find(|spot| spot.to_string() == text);
        found.ok_or_else(|| anyhow::anyhow!("no spot {text}"))
    }
}

/// The faults of one log and its consumers. Nothing is wrong until somebody says so.
#[derive(Default)]
pub struct Switchboard {
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    armed: Vec<Armed>,
    lacking: HashSet<Protection>,
}

struct Armed {
    at: Spot,
    /// So many go by before it happens.
    after: u64,
    what: Act,
}

#[derive(Clone)]
enum Act {
    Fail,
    Stall(Arc<Stall>),
}

/// Somebody who stands still at a spot.
#[derive(Default)]
pub struct Stall {
    reached: Notify,
    go: Notify,
}

impl Stall {
    /// Waits until somebody stands there.
    pub async fn reached(&self) {
        self.reached.notified().await;
    }

    /// Lets them go on.
    pub fn release(&self) {
        self.go.notify_one();
    }
}

impl Switchboard {
    /// The next one at the spot, after `after` others, stands still there.
    pub fn stall(&self, at: Spot, after: u64) -> Arc<Stall> {
        let stall = Arc::new(Stall::default());
        self.state().armed.push(Armed { at, after, what: Act::Stall(Arc::clone(&stall)) });
        stall
    }

    /// The next one at the spot fails there.
    pub fn fail(&self, at: Spot) {
        self.state().armed.push(Armed { at, after: 0, what: Act::Fail });
    }

    /// Takes a protection out, for good.
    pub fn take_out(&self, protection: Protection) {
        self.state().lacking.insert(protection);
    }

    /// What happens to whoever comes by.
    ///
    /// # Errors
    /// The failure that was asked for.
    pub async fn pass(&self, spot: Spot) -> Result<(), String> {
        match self.due(spot) {
            None => Ok(()),
            Some(Act::Fail) => Err(format!("a fault at {spot}")),
            Some(Act::Stall(stall)) => {
                stall.reached.notify_one();
                stall.go.notified().await;
                Ok(())
            }
        }
    }

    fn due(&self, spot: Spot) -> Option<Act> {
        let mut state = self.state();
        let place = state.armed.iter().position(|armed| armed.at == spot)?;
        if state.armed[place].after > 0 {
            state.armed[place].after -= 1;
            return None;
        }
        Some(state.armed.remove(place).what)
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[async_trait::async_trait]
impl Faults for Switchboard {
    async fn reach(&self, point: CrashPoint) -> Result<(), String> {
        let spot = match point {
            CrashPoint::Sorted => Spot::Sorted,
            CrashPoint::Locked => Spot::Locked,
            CrashPoint::Stored => Spot::Stored,
            CrashPoint::Committed => Spot::Committed,
            CrashPoint::Settled => Spot::Settled,
        };
        self.pass(spot).await
    }

    fn lacks(&self, protection: Protection) -> bool {
        self.state().lacking.contains(&protection)
    }
}
