//! Trying again what the database could not take because of others, and counting what it took.

use std::sync::atomic::Ordering;
use std::time::Duration;

use sql::SqlError;

use crate::event::Appended;
use crate::log::LogError;
use crate::writer::{Aggregate, Shared};

/// A transaction that the database could not take because of others is repeated this often before its callers hear of it.
const ATTEMPTS: u32 = 6;

/// Waits before a repetition; gives the error back when repeating is of no use, or has been tried often enough. After a broken
/// connection the outcome is unknown, and only the caller's command id can tell: it is never repeated here.
pub(crate) async fn pause_before_repeat(attempt: &mut u32, error: LogError) -> Result<(), LogError> {
    let repeatable = matches!(&error, LogError::Sql(SqlError::Busy(_) | SqlError::Unique { .. }));
    *attempt += 1;
    if !repeatable || *attempt >= ATTEMPTS {
        return Err(error);
    }
    tracing::debug!(%error, attempt, "batch repeated");
    tokio::time::sleep(Duration::from_millis(2 << *attempt)).await;
    Ok(())
}

/// Counts a transaction and what went through with it.
pub(crate) fn count<'a, A: Aggregate>(shared: &Shared<A>, appended: impl Iterator<Item = &'a Appended> + Clone) {
    let counts = &shared.counts;
    counts.batches.fetch_add(1, Ordering::Relaxed);
    counts.commands.fetch_add(appended.clone().count() as u64, Ordering::Relaxed);
    let events = appended.filter(|one| !one.deduplicated).map(|one| one.last_version + 1 - one.first_version).sum();
    counts.events.fetch_add(events, Ordering::Relaxed);
}
