//! Time and ids of the suite: no wall clock, nothing by chance.

use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::sync::{Arc, LazyLock};
use std::time::{Duration, SystemTime};

use anyhow::{Context, Result};
use chrono::{DateTime, Utc};
use eventlog::{Clock, Ids};
use uuid::Uuid;

/// How long anything may take before it counts as never.
pub(crate) const PATIENCE: Duration = Duration::from_secs(60);
/// Between two looks at a condition.
const LOOK: Duration = Duration::from_millis(3);

/// A clock that goes on by a microsecond with every look at it.
#[derive(Default)]
pub(crate) struct Ticks(AtomicI64);

#[async_trait::async_trait]
impl Clock for Ticks {
    fn now(&self) -> DateTime<Utc> {
        DateTime::UNIX_EPOCH + chrono::TimeDelta::microseconds(1_700_000_000_000_000 + self.0.fetch_add(1, Ordering::Relaxed))
    }

    async fn sleep_until(&self, _at: DateTime<Utc>) {
        std::future::pending().await
    }
}

/// Ids that count, unique over processes.
#[derive(Default)]
pub(crate) struct Counting;

impl Ids for Counting {
    fn event_id(&self) -> Uuid {
        static NEXT: AtomicU64 = AtomicU64::new(0);
        static STARTED: LazyLock<u128> = LazyLock::new(|| SystemTime::UNIX_EPOCH.elapsed().map_or(0, |since| since.as_nanos()));
        let process = u128::from(std::process::id()) << 32 ^ *STARTED << 64;
        Uuid::from_u128(process | u128::from(NEXT.fetch_add(1, Ordering::Relaxed)))
    }
}

pub(crate) fn clock() -> Arc<dyn Clock> {
    Arc::new(Ticks::default())
}

pub(crate) fn ids() -> Arc<dyn Ids> {
    Arc::new(Counting)
}

/// A name that nobody else has used on the servers of the tests.
pub(crate) fn unique(what: &str) -> String {
    static NEXT: AtomicU64 = AtomicU64::new(0);
    let started = SystemTime::UNIX_EPOCH.elapsed().map_or(0, |since| since.as_micros());
    format!("{what}_{started}_{}_{}", std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed))
}

/// Waits for a condition.
///
/// # Errors
/// It did not come true in [`PATIENCE`], or looking at it failed.
pub(crate) async fn until(what: &str, mut condition: impl AsyncFnMut() -> Result<bool>) -> Result<()> {
    within(what, async {
        while !condition().await? {
            tokio::time::sleep(LOOK).await;
        }
        Ok(())
    })
    .await
}

/// Waits for a result.
///
/// # Errors
/// It did not come in [`PATIENCE`], or is an error itself.
pub(crate) async fn within<T>(what: &str, result: impl Future<Output = Result<T>>) -> Result<T> {
    tokio::time::timeout(PATIENCE, result).await.with_context(|| format!("never happened: {what}"))?.with_context(|| what.to_string())
}

/// The short wait of somebody who will ask again.
pub(crate) async fn wait_a_little() {
    tokio::time::sleep(Duration::from_millis(20)).await;
}
