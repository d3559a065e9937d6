//! Turns of long work among others who write.
//!
//! In one process whoever waits for SQLite's writer comes next. Another process is not told when the file is free: it looks now and then, and
//! finds it taken by whoever takes it again at once. So a process beside the service rests after each turn for as long as the turn took.

use std::time::{Duration, Instant};

use sql::Dialect;

use super::registry::Projections;

/// A turn under way.
pub(crate) struct Turn {
    rests: bool,
    since: Instant,
}

impl Projections {
    /// A turn that begins now.
    pub(crate) fn turn(&self) -> Turn {
        Turn { rests: self.is_beside() && self.db().dialect() == Dialect::Sqlite, since: Instant::now() }
    }
}

impl Turn {
    /// Ends the turn and waits until others have had theirs. Returns how long it took.
    pub async fn ends(self) -> Duration {
        let took = self.since.elapsed();
        if self.rests {
            tokio::time::sleep(took).await;
        }
        took
    }
}
