//! Is anything still going on? The barrier that a virtual clock waits for before it moves.
//!
//! Every part that can have work in hand registers a check that says whether it is idle, and calls [`Activity::touch`] whenever its
//! answer may have changed; where it can only have become busy nobody need be woken for it. The system is settled when all are idle in one
//! pass and nothing has happened meanwhile.
//!
//! Consumers take what others did, and every page that they take costs a transaction. Where [`Activity::hold_consumers`] was called they
//! have their turn when all before them are idle, and take what happened meanwhile in few large pages: those that decide by it whenever
//! all others are at rest, and those that only write it down, by which nobody decides, now and then and at the end. For virtual time,
//! in which nobody is kept waiting.

use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::{Notify, watch};

/// A second look in case somebody forgot to touch; the way forward is the notification.
const FALLBACK: Duration = Duration::from_millis(100);
/// A held consumer goes on after this. It is the pace of who only writes down, and for others a way out where somebody waits for them
/// without saying so.
const LONGEST_HOLD: Duration = Duration::from_secs(1);

/// Whether one part is idle, asked often and from any thread: it must be cheap and must not wait.
pub type IdleCheck = Box<dyn Fn() -> bool + Send + Sync>;

/// The barrier of one process; clones share it.
#[derive(Clone, Default)]
pub struct Activity {
    inner: Arc<Inner>,
}

#[derive(Default)]
struct Inner {
    epoch: AtomicU64,
    changed: Notify,
    next_id: AtomicU64,
    checks: Mutex<Vec<Check>>,
    held: AtomicBool,
    /// Turns given so far, by rank.
    turns: [watch::Sender<u64>; 2],
}

struct Check {
    id: u64,
    name: String,
    idle: IdleCheck,
    /// None for who never waits for a turn.
    rank: Option<Rank>,
}

/// When a held consumer has its turn.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Rank {
    /// It decides by what it takes: when nobody but consumers is busy.
    Decides,
    /// It only writes down: when nobody but others of its rank is busy.
    Follows,
}

impl Rank {
    const ALL: [Rank; 2] = [Rank::Decides, Rank::Follows];
}

/// Keeps a check registered; dropping it takes the check away.
#[must_use = "the check is taken away when this is dropped"]
pub struct Registration {
    activity: Activity,
    id: u64,
}

/// Counts work in hand, and is idle when there is none. Clones share the count.
#[derive(Clone)]
pub struct InFlight {
    activity: Activity,
    count: Arc<AtomicUsize>,
    _registration: Arc<Registration>,
}

/// One piece of work in hand; dropping it ends it.
pub struct Busy {
    activity: Activity,
    count: Arc<AtomicUsize>,
}

impl Activity {
    /// A barrier that nobody has registered with.
    pub fn new() -> Activity {
        Activity::default()
    }

    /// Adds a check under a name that [`Activity::busy`] shows.
    pub fn register(&self, name: impl Into<String>, idle: IdleCheck) -> Registration {
        self.add(name.into(), idle, None)
    }

    /// Adds the check of a consumer, which calls [`Activity::turn`] before it takes up work.
    pub fn register_consumer(&self, name: impl Into<String>, rank: Rank, idle: IdleCheck) -> Registration {
        self.add(name.into(), idle, Some(rank))
    }

    fn add(&self, name: String, idle: IdleCheck, rank: Option<Rank>) -> Registration {
        let id = self.inner.next_id.fetch_add(1, Ordering::Relaxed);
        self.checks().push(Check { id, name, idle, rank });
        self.touch();
        Registration { activity: self.clone(), id }
    }

    /// From now on consumers wait for their turn. [`Activity::settled`] gives it to those that decide and waits for no others;
    /// [`Activity::at_rest`] waits for all. For whoever asks nothing of a consumer before that.
    pub fn hold_consumers(&self) {
        self.inner.held.store(true, Ordering::SeqCst);
    }

    /// Whether consumers wait for their turn.
    pub(crate) fn holds_consumers(&self) -> bool {
        self.inner.held.load(Ordering::SeqCst)
    }

    /// Waits for the next turn of a rank; at once where consumers are not held.
    pub async fn turn(&self, rank: Rank) {
        if !self.holds_consumers() {
            return;
        }
        let mut turn = self.inner.turns[rank as usize].subscribe();
        turn.borrow_and_update();
        // Whoever gives turns looks whether it is the time for one.
        self.touch();
        let _ = tokio::time::timeout(LONGEST_HOLD, turn.changed()).await;
    }

    /// Registers a counter of work in hand.
    pub fn in_flight(&self, name: impl Into<String>) -> InFlight {
        let count = Arc::new(AtomicUsize::new(0));
        let counted = Arc::clone(&count);
        let registration = self.register(name, Box::new(move || counted.load(Ordering::SeqCst) == 0));
        InFlight { activity: self.clone(), count, _registration: Arc::new(registration) }
    }

    /// Something happened: whoever waits looks again.
    pub fn touch(&self) {
        self.stir();
        self.inner.changed.notify_waiters();
    }

    /// Something began, or went on, that leaves its part busy: nothing settles by it, so nobody who waits is woken. Whoever has just found
    /// all parts idle finds out.
    pub(crate) fn stir(&self) {
        self.inner.epoch.fetch_add(1, Ordering::SeqCst);
    }

    /// Names of the parts that are not idle now.
    pub fn busy(&self) -> Vec<String> {
        self.checks().iter().filter(|check| !(check.idle)()).map(|check| check.name.clone()).collect()
    }

    /// Returns when all parts are idle and nothing happened while they were asked. Held followers are not waited for.
    pub async fn settled(&self) {
        self.settled_with(|| ()).await;
    }

    /// Waits like [`Activity::settled`] and returns what `read` said while nothing was going on. What is read after `settled` has
    /// returned may be of another moment: a loop that looks at its work now and then is idle before and after, and not between.
    /// `read` must be cheap and may be asked more than once.
    pub async fn settled_with<T>(&self, read: impl Fn() -> T) -> T {
        let last = if self.inner.held.load(Ordering::SeqCst) { Rank::Decides } else { Rank::Follows };
        self.wait_for(last, read).await
    }

    /// Returns when all parts are idle, held followers as well.
    pub async fn at_rest(&self) {
        self.wait_for(Rank::Follows, || ()).await;
    }

    /// Waits for all that have no rank, and for the ranks up to `last`.
    async fn wait_for<T>(&self, last: Rank, read: impl Fn() -> T) -> T {
        loop {
            let changed = self.inner.changed.notified();
            tokio::pin!(changed);
            changed.as_mut().enable();
            let epoch = self.inner.epoch.load(Ordering::SeqCst);
            if self.all_idle(last) {
                // Whoever was woken by the last step gets to run, and to say that it is busy again.
                tokio::task::yield_now().await;
                let said = read();
                if self.all_idle(last) && self.inner.epoch.load(Ordering::SeqCst) == epoch {
                    return said;
                }
                continue;
            }
            if let Some(rank) = self.whose_turn().filter(|rank| *rank <= last) {
                self.inner.turns[rank as usize].send_modify(|turn| *turn += 1);
            }
            let _ = tokio::time::timeout(FALLBACK, changed).await;
        }
    }

    fn all_idle(&self, last: Rank) -> bool {
        self.checks().iter().all(|check| check.rank.is_some_and(|rank| rank > last) || (check.idle)())
    }

    /// The first rank of which somebody is busy, where nobody is that waits for no turn.
    fn whose_turn(&self) -> Option<Rank> {
        let checks = self.checks();
        let is_busy = |rank: Option<Rank>| checks.iter().any(|check| check.rank == rank && !(check.idle)());
        if is_busy(None) { None } else { Rank::ALL.into_iter().find(|rank| is_busy(Some(*rank))) }
    }

    fn checks(&self) -> MutexGuard<'_, Vec<Check>> {
        self.inner.checks.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Registration {
    fn drop(&mut self) {
        self.activity.checks().retain(|check| check.id != self.id);
        self.activity.touch();
    }
}

impl InFlight {
    /// Takes a piece of work in hand.
    pub fn start(&self) -> Busy {
        self.count.fetch_add(1, Ordering::SeqCst);
        self.activity.stir();
        Busy { activity: self.activity.clone(), count: Arc::clone(&self.count) }
    }

    /// How many pieces are in hand.
    pub fn count(&self) -> usize {
        self.count.load(Ordering::SeqCst)
    }
}

impl Drop for Busy {
    fn drop(&mut self) {
        match self.count.fetch_sub(1, Ordering::SeqCst) {
            1 => self.activity.touch(),
            _ => self.activity.stir(),
        }
    }
}
