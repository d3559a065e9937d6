//! Is anything still going on? The barrier that a virtual clock waits for before it moves.
//!
//! Every part that can have work in hand registers a check that says whether it is idle, and calls [`Activity::touch`] whenever its
//! answer may have changed. The system is settled when all are idle in one pass and nothing was touched meanwhile.
//!
//! Followers only write down what others decided, and nobody decides by what they wrote. Where [`Activity::hold_followers`] was called they
//! have their turn when everybody else is idle: what happened meanwhile they take in few large pages, and nobody waits for them.

use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::{Notify, watch};

/// A second look in case somebody forgot to touch; the way forward is the notification.
const FALLBACK: Duration = Duration::from_millis(100);
/// A follower goes on after this, in case that somebody waits for it without saying so.
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
    turn: watch::Sender<u64>,
}

struct Check {
    id: u64,
    name: String,
    idle: IdleCheck,
    follows: bool,
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
        self.add(name.into(), idle, false)
    }

    /// Adds the check of a follower, which calls [`Activity::turn`] before it takes up work.
    pub fn register_follower(&self, name: impl Into<String>, idle: IdleCheck) -> Registration {
        self.add(name.into(), idle, true)
    }

    fn add(&self, name: String, idle: IdleCheck, follows: bool) -> Registration {
        let id = self.inner.next_id.fetch_add(1, Ordering::Relaxed);
        self.checks().push(Check { id, name, idle, follows });
        self.touch();
        Registration { activity: self.clone(), id }
    }

    /// From now on followers wait for their turn, which comes whenever somebody waits for [`Activity::settled`] and all others are idle.
    /// For whoever asks followers for nothing before the system is settled.
    pub fn hold_followers(&self) {
        self.inner.held.store(true, Ordering::SeqCst);
    }

    /// Waits for a follower's turn; at once where followers are not held.
    pub async fn turn(&self) {
        if !self.inner.held.load(Ordering::SeqCst) {
            return;
        }
        let mut turn = self.inner.turn.subscribe();
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
        self.inner.epoch.fetch_add(1, Ordering::SeqCst);
        self.inner.changed.notify_waiters();
    }

    /// Names of the parts that are not idle now.
    pub fn busy(&self) -> Vec<String> {
        self.checks().iter().filter(|check| !(check.idle)()).map(|check| check.name.clone()).collect()
    }

    /// Returns when all parts are idle and nothing was touched while they were asked.
    pub async fn settled(&self) {
        self.settled_with(|| ()).await;
    }

    /// Waits like [`Activity::settled`] and returns what `read` said while nothing was going on. What is read after `settled` has
    /// returned may be of another moment: a loop that looks at its work now and then is idle before and after, and not between.
    /// `read` must be cheap and may be asked more than once.
    pub async fn settled_with<T>(&self, read: impl Fn() -> T) -> T {
        loop {
            let changed = self.inner.changed.notified();
            tokio::pin!(changed);
            changed.as_mut().enable();
            let epoch = self.inner.epoch.load(Ordering::SeqCst);
            if self.all_idle() {
                // Whoever was woken by the last step gets to run, and to say that it is busy again.
                tokio::task::yield_now().await;
                let said = read();
                if self.all_idle() && self.inner.epoch.load(Ordering::SeqCst) == epoch {
                    return said;
                }
                continue;
            }
            if self.only_followers_are_busy() {
                self.inner.turn.send_modify(|turn| *turn += 1);
            }
            let _ = tokio::time::timeout(FALLBACK, changed).await;
        }
    }

    fn all_idle(&self) -> bool {
        self.checks().iter().all(|check| (check.idle)())
    }

    fn only_followers_are_busy(&self) -> bool {
        self.checks().iter().all(|check| check.follows || (check.idle)())
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
        self.activity.touch();
        Busy { activity: self.activity.clone(), count: Arc::clone(&self.count) }
    }

    /// How many pieces are in hand.
    pub fn count(&self) -> usize {
        self.count.load(Ordering::SeqCst)
    }
}

impl Drop for Busy {
    fn drop(&mut self) {
        self.count.fetch_sub(1, Ordering::SeqCst);
        self.activity.touch();
    }
}
