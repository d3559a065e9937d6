//! What goes into the writer and what comes out.

use std::sync::Arc;

use chrono::{DateTime, Utc};

use crate::alongside::{Alongside, AlongsideError};
use crate::consumer::handler::InboundCommand;
use crate::event::{Appended, Claim, CommandKey, Meta, Refused, Statement};
use crate::log::LogError;
use crate::writer::Aggregate;
use crate::writer::cache::Cached;

/// Makes the stored answer from the state after the command and the events it caused. Pure: it may be asked again when the batch is
/// repeated.
pub type Answer<A> = Box<dyn Fn(&<A as Aggregate>::State, &[<A as Aggregate>::Event]) -> Vec<u8> + Send + Sync>;

/// A command for one stream.
pub struct Submission<A: Aggregate> {
    /// The stream that decides.
    pub stream: String,
    /// What is asked.
    pub command: A::Command,
    /// Tenant, partition key, cause.
    pub meta: Meta,
    /// For repeating it safely.
    pub key: Option<CommandKey>,
    /// Names that the stream takes with this command.
    pub claims: Vec<Claim>,
    /// Rows in the same transaction.
    pub side: Vec<Statement>,
    /// Stored with the command id; empty without.
    pub answer: Option<Answer<A>>,
    /// Set when a timer caused the command: all timers of the stream that are due are done with, and the next ones are
    /// asked of the aggregate after this moment, whether or not the command causes an event.
    pub wake: Option<DateTime<Utc>>,
    /// The stream as whoever sends this has read it, for the writer that does not remember it.
    pub(crate) seen: Option<Cached<A::State>>,
}

impl<A: Aggregate> Submission<A> {
    /// A plain command.
    pub fn new(stream: impl Into<String>, meta: Meta, command: A::Command) -> Self {
        let (stream, claims, side) = (stream.into(), Vec::new(), Vec::new());
        Submission { stream, command, meta, key: None, claims, side, answer: None, wake: None, seen: None }
    }

    /// With an id, for repeating it safely.
    #[must_use]
    pub fn with_key(mut self, key: CommandKey) -> Self {
        self.key = Some(key);
        self
    }

    /// Taking a name.
    #[must_use]
    pub fn with_claim(mut self, kind: &'static str, key: impl Into<String>) -> Self {
        self.claims.push(Claim { kind, key: key.into() });
        self
    }

    /// With a row in the same transaction.
    #[must_use]
    pub fn with_side(mut self, statement: Statement) -> Self {
        self.side.push(statement);
        self
    }

    /// With an answer that whoever repeats the command gets again.
    #[must_use]
    pub fn with_answer(mut self, answer: impl Fn(&A::State, &[A::Event]) -> Vec<u8> + Send + Sync + 'static) -> Self {
        self.answer = Some(Box::new(answer));
        self
    }

    /// Caused by a timer that was due at or before `now`.
    #[must_use]
    pub fn for_wake(mut self, now: DateTime<Utc>) -> Self {
        self.wake = Some(now);
        self
    }

    /// With the stream as it was read a moment ago. Where it has moved on since, the log refuses what was decided on it, and it is decided anew.
    #[must_use]
    pub(crate) fn having_seen(mut self, seen: Option<Cached<A::State>>) -> Self {
        self.seen = seen;
        self
    }
}

/// What a command that went through got.
#[derive(Debug)]
pub struct Written<S> {
    /// Where its events are.
    pub appended: Appended,
    /// The state right after it (or, when it was deduplicated, the newest).
    pub state: Arc<S>,
}

/// Why a command did not go through. Nothing of it is stored.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum WriteError<R> {
    /// The rules forbid it.
    #[error("rejected: {0:?}")]
    Rejected(R),
    /// The command id was used for another command.
    #[error("the command id was used for another command")]
    CommandReused,
    /// A name belongs to another stream.
    #[error("{kind} {key} belongs to {stream}")]
    ClaimTaken {
        /// Kind of the name.
        kind: String,
        /// The name.
        key: String,
        /// Who owns it.
        stream: String,
    },
    /// The database refused a row beside the events.
    #[error("side row refused: {0}")]
    SideRefused(String),
    /// The database does not answer, or this process is shutting down. Repeat with the same command id: whether it was stored is unknown.
    #[error("unavailable: {0}")]
    Unavailable(String),
    /// The disk is full; nothing is stored.
    #[error("the disk is full")]
    DiskFull,
    /// The stream holds an event that cannot be read.
    #[error("corrupt: {0}")]
    Corrupt(String),
}

impl<R> WriteError<R> {
    /// Stable name for callers, logs and metrics.
    pub fn slug(&self) -> &'static str {
        match self {
            WriteError::Rejected(_) => "rejected",
            WriteError::CommandReused => "command_reused",
            WriteError::ClaimTaken { .. } => "claim_taken",
            WriteError::SideRefused(_) => "side_refused",
            WriteError::Unavailable(_) => "unavailable",
            WriteError::DiskFull => "disk_full",
            WriteError::Corrupt(_) => "corrupt",
        }
    }

    pub(crate) fn from_log(error: &LogError) -> Self {
        match error {
            LogError::DiskFull => WriteError::DiskFull,
            LogError::Corrupt(reason) => WriteError::Corrupt(reason.clone()),
            LogError::Sql(_) | LogError::Fault(_) | LogError::NoSql => WriteError::Unavailable(error.to_string()),
        }
    }

    pub(crate) fn from_refused(refused: Refused) -> Self {
        match refused {
            Refused::CommandReused => WriteError::CommandReused,
            Refused::ClaimTaken { kind, key, stream } => WriteError::ClaimTaken { kind, key, stream },
            Refused::SideRefused(reason) => WriteError::SideRefused(reason),
            Refused::VersionConflict { actual } => WriteError::Unavailable(format!("the stream moved to version {actual}")),
        }
    }
}

/// A page of facts from other services: commands plus everything that must commit with them.
pub struct Intake<C> {
    /// In order.
    pub commands: Vec<InboundCommand<C>>,
    /// Offsets, stream marks, archive, parked streams, read models: written first, in the same transaction.
    pub alongside: Arc<dyn Alongside>,
}

/// What a page that went through got.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ingested {
    /// One entry a command.
    pub appended: Vec<Appended>,
}

/// Why a page was rolled back. Nothing of it is stored.
#[derive(Debug, thiserror::Error)]
pub enum IngestError<R> {
    /// These commands can never go through; the rest of the page could.
    #[error("{} commands of the page cannot go through", .0.len())]
    Poisoned(Vec<PoisonedCommand<R>>),
    /// The consumer's own part failed.
    #[error(transparent)]
    Alongside(#[from] AlongsideError),
    /// The database does not answer, or the disk is full. Repeat.
    #[error("unavailable: {0}")]
    Unavailable(String),
}

/// A command of a page that can never go through.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PoisonedCommand<R> {
    /// Its place in [`Intake::commands`].
    pub index: usize,
    /// Why.
    pub error: WriteError<R>,
}
