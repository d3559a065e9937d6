//! The words of the log: events before and after they are recorded, what an append asks for and what it gets.

use chrono::{DateTime, NaiveDate, Utc};
use sql::Value;
use uuid::Uuid;

/// An event that a decision made and nobody has recorded yet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewEvent {
    /// Permanent name of the type, like `InvoiceIssued`.
    pub event_type: &'static str,
    /// Version of the payload's schema, from 1.
    pub schema_version: u32,
    /// Protobuf bytes, stored and forwarded as they are.
    pub payload: Vec<u8>,
    /// When it happened in the world, where that is known apart from when it was recorded.
    pub occurred_at: Option<DateTime<Utc>>,
    /// The civil date on which it takes effect.
    pub effective_on: Option<NaiveDate>,
}

/// What every event of one append shares.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Meta {
    /// The tenant that owns the stream.
    pub tenant: String,
    /// Partition key, `<tenant>/<customer>`: all facts about one payer are in order on one partition.
    pub key: String,
    /// Shared by everything that follows from one request.
    pub correlation_id: Option<Uuid>,
    /// The event or command that caused this one.
    pub causation_id: Option<Uuid>,
    /// W3C trace context of the request.
    pub traceparent: Option<String>,
}

/// An event in the log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Recorded {
    /// Place in the log, from 1, without gaps, in the order of commits.
    pub position: u64,
    /// Unique for ever.
    pub event_id: Uuid,
    /// The stream (aggregate) it belongs to.
    pub stream: String,
    /// Place in the stream, from 1, without gaps.
    pub version: u64,
    /// Permanent name of the type.
    pub event_type: String,
    /// Version of the payload's schema, from 1.
    pub schema_version: u32,
    /// The tenant that owns the stream.
    pub tenant: String,
    /// Partition key.
    pub key: String,
    /// When the log took it; microseconds.
    pub recorded_at: DateTime<Utc>,
    /// When it happened in the world; microseconds.
    pub occurred_at: Option<DateTime<Utc>>,
    /// The civil date on which it takes effect.
    pub effective_on: Option<NaiveDate>,
    /// Id of the command that made it, when the caller gave one.
    pub command_id: Option<String>,
    /// Shared by everything that follows from one request.
    pub correlation_id: Option<Uuid>,
    /// The event or command that caused this one.
    pub causation_id: Option<Uuid>,
    /// W3C trace context of the request.
    pub traceparent: Option<String>,
    /// Protobuf bytes as the decision made them.
    pub payload: Vec<u8>,
}

/// What of a recorded event a state is made of: all of it but the envelope, which only histories and readers downstream ask for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Told {
    /// Place in the log.
    pub position: u64,
    /// The stream it belongs to.
    pub stream: String,
    /// Place in the stream.
    pub version: u64,
    /// Permanent name of the type.
    pub event_type: String,
    /// Version of the payload's schema.
    pub schema_version: u32,
    /// The tenant that owns the stream.
    pub tenant: String,
    /// Protobuf bytes.
    pub payload: Vec<u8>,
}

impl From<Recorded> for Told {
    fn from(event: Recorded) -> Told {
        let Recorded { position, stream, version, event_type, schema_version, tenant, payload, .. } = event;
        Told { position, stream, version, event_type, schema_version, tenant, payload }
    }
}

/// What an append believes about its stream.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Expected {
    /// Nothing: append after whatever is there.
    Any,
    /// The stream's last version is this one; 0 for a stream that does not exist.
    Exact(u64),
}

/// The caller's id of a command, for repeating it safely. Unique per tenant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CommandKey {
    /// Made by the caller.
    pub id: String,
    /// SHA-256 of what the command says: the same id with another body is an error of the caller.
    pub body_hash: [u8; 32],
}

/// Ownership of a name: unique in (tenant, kind, key), taken by a stream in the transaction of its append.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Claim {
    /// What kind of name, like `invoice`.
    pub kind: &'static str,
    /// The name, like an invoice id.
    pub key: String,
}

/// A row beside the events, in the same transaction: the personal data table, for instance. It runs only when its append is accepted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Statement {
    /// SQL that both databases understand.
    pub sql: String,
    /// Its arguments `$1..`.
    pub args: Vec<Value>,
}

/// Events for one stream, all or none of them.
#[derive(Debug, Clone)]
pub struct Append {
    /// The stream.
    pub stream: String,
    /// What the decision believed about the stream.
    pub expected: Expected,
    /// In order; may be empty (then command and side rows alone are stored: no claim without an event).
    pub events: Vec<NewEvent>,
    /// Shared by the events.
    pub meta: Meta,
    /// For repeating it safely.
    pub command: Option<CommandKey>,
    /// Names the stream takes with its events; without an event they are neither asked for nor stored. A name that the same stream
    /// already owns is no conflict.
    pub claims: Vec<Claim>,
    /// Rows beside the events.
    pub side: Vec<Statement>,
    /// Stored with the command id and given again to whoever repeats the command.
    pub answer: Vec<u8>,
}

/// What an accepted append got.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Appended {
    /// Version of its first event. `last_version + 1` when there was no event.
    pub first_version: u64,
    /// Version of its last event, or of the stream when there was no event.
    pub last_version: u64,
    /// Position of its last event, or the head of the log when there was no event.
    pub last_position: u64,
    /// The command had been carried out before; nothing was appended now.
    pub deduplicated: bool,
    /// The answer stored with the command: the first one's when deduplicated.
    pub answer: Vec<u8>,
}

/// Why one append of a batch was not accepted. The others are not affected.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    /// The stream is elsewhere than expected.
    #[error("the stream is at version {actual}")]
    VersionConflict {
        /// Its last version.
        actual: u64,
    },
    /// The command id was used with another body.
    #[error("the command id was used for another command")]
    CommandReused,
    /// Another stream owns the name.
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
}

/// The only source of time. Implemented by host, really or virtually.
#[async_trait::async_trait]
pub trait Clock: Send + Sync {
    /// The current moment.
    fn now(&self) -> DateTime<Utc>;
    /// Returns when `now() >= at`. A virtual clock counts the sleeper from the first poll on.
    async fn sleep_until(&self, at: DateTime<Utc>);
}

/// The only source of ids. Implemented by host.
pub trait Ids: Send + Sync {
    /// A new, never used UUID (version 7).
    fn event_id(&self) -> Uuid;
}

/// An event of a test; its position is its version.
#[cfg(test)]
pub(crate) fn sample(stream: &str, version: u64) -> Recorded {
    Recorded {
        position: version,
        event_id: Uuid::from_u128(u128::from(version)),
        stream: stream.into(),
        version,
        event_type: "E".into(),
        schema_version: 1,
        tenant: "default".into(),
        key: format!("default/{stream}"),
        recorded_at: DateTime::UNIX_EPOCH,
        occurred_at: None,
        effective_on: None,
        command_id: None,
        correlation_id: None,
        causation_id: None,
        traceparent: None,
        payload: Vec::new(),
    }
}
