//! Places where a test may stop an append.

/// A place inside the transaction of an append, or around the page of a consumer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum CrashPoint {
    /// A consumer has read and sorted a page; nothing is written.
    Sorted,
    /// The head row is locked, or will be by what SQLite is told next; of a large batch a part may be written.
    Locked,
    /// Everything is written; nothing is committed.
    Stored,
    /// Committed; nobody has been told.
    Committed,
    /// The page of a consumer is committed; the consumer does not know it yet.
    Settled,
}

/// What keeps wrong things from being stored. Nothing but the negative controls of the conformance suite takes one out, to show that the
/// suite would notice.
#[doc(hidden)]
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Protection {
    /// An append that expects another version than the stream has is refused.
    VersionCheck,
    /// A command whose id is stored is not carried out again.
    CommandIds,
    /// A consumer's place moves only from where this consumer left it.
    OffsetCompareAndSet,
    /// A message is applied only when its version follows the last one of its stream.
    StreamVersions,
}

/// What a test does when an append comes by: wait, kill the process, or fail.
#[async_trait::async_trait]
pub trait Faults: Send + Sync {
    /// Called at each point.
    ///
    /// # Errors
    /// An error breaks the append off there, as if the process had died; at [`CrashPoint::Committed`] the events are stored.
    async fn reach(&self, point: CrashPoint) -> Result<(), String>;

    /// Whether a protection is taken out.
    #[doc(hidden)]
    fn lacks(&self, _protection: Protection) -> bool {
        false
    }
}
