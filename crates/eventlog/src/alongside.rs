//! What a consumer writes in the same transaction as the commands that its page caused.
//!
//! `Writer::ingest` takes an intake of commands and one [`Alongside`]; inside the log's transaction it calls [`Alongside::write`]
//! first (so that a fenced page stops before anything is numbered), then appends. Either all of it commits or nothing does. It may be
//! called again for the same page, when the writer decides again on a newer state or after a transient error.

use sql::{SqlError, Tx};

/// Statements that must commit together with the appends of an intake: offsets, stream marks, archive, parked streams, read models.
#[async_trait::async_trait]
pub trait Alongside: Send + Sync {
    /// Writes into the open transaction; must not end it.
    ///
    /// # Errors
    /// Any error rolls the transaction back, appends included, and is handed to the caller of the intake as it is.
    async fn write(&self, tx: &mut Tx) -> Result<(), AlongsideError>;
}

/// Why an intake was rolled back by the consumer's part of it.
#[derive(Clone, Debug, thiserror::Error)]
pub enum AlongsideError {
    /// Somebody else moved the place of this consumer: the page is not ours (any more).
    #[error("fenced: another consumer has moved the offset")]
    Fenced,
    /// A read model can never apply this message.
    #[error("{topic} {stream}@{version}: {reason}")]
    Poison {
        /// Topic of the message.
        topic: String,
        /// Stream of the message.
        stream: String,
        /// Version of the message in its stream.
        version: u64,
        /// Why, without personal data.
        reason: String,
    },
    /// This process is not the one to do it: a newer version of a read model is live.
    #[error("superseded: {0}")]
    Superseded(String),
    /// The database.
    #[error(transparent)]
    Sql(#[from] SqlError),
}
