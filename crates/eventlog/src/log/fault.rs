//! Places where a test may stop an append.

/// A place inside the transaction of an append.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum CrashPoint {
    /// The head row is locked; nothing is written.
    Locked,
    /// Everything is written; nothing is committed.
    Stored,
    /// Committed; nobody has been told.
    Committed,
}

/// What a test does when an append comes by: wait, kill the process, or fail.
#[async_trait::async_trait]
pub trait Faults: Send + Sync {
    /// Called at each point.
    ///
    /// # Errors
    /// An error breaks the append off there, as if the process had died; at [`CrashPoint::Committed`] the events are stored.
    async fn reach(&self, point: CrashPoint) -> Result<(), String>;
}
