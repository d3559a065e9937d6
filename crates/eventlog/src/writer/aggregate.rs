//! What a service gives the writer: its aggregate's rules, and how its events look in the log.

use std::fmt::Debug;

use chrono::{DateTime, Utc};

use crate::event::{NewEvent, Told};

/// An aggregate of one service. All functions are pure.
pub trait Aggregate: Send + Sync + 'static {
    /// Everything a decision needs to know; the default is the state before the first event.
    type State: Default + Clone + Send + Sync + 'static;
    /// What somebody asks for.
    type Command: Send + Sync + 'static;
    /// What happened.
    type Event: Send + Sync + 'static;
    /// Why nothing happened.
    type Rejection: Send + Debug + 'static;

    /// The events that a command causes; none when it asks for what is already so.
    ///
    /// # Errors
    /// The rejection, when the rules forbid it.
    fn decide(&self, state: &Self::State, command: &Self::Command) -> Result<Vec<Self::Event>, Self::Rejection>;

    /// The state after an event. Total.
    fn evolve(&self, state: Self::State, event: &Self::Event) -> Self::State;

    /// An event as the log keeps it.
    fn encode(&self, event: &Self::Event) -> NewEvent;

    /// An event from the log; None for a type this version does not know, which is skipped and counted.
    ///
    /// # Errors
    /// [`DecodeError`] for a known type whose payload cannot be read: the stream is then refused as corrupt.
    fn decode(&self, told: &Told) -> Result<Option<Self::Event>, DecodeError>;

    /// The full set of the stream's timers after `after`, one per open track; a track without an entry, or with `due_at: None`,
    /// has no timer. Every `due_at` must be later than `after`. A timer that is already due stays until its wake was decided, whatever this says.
    fn timers(&self, _state: &Self::State, _after: DateTime<Utc>) -> Vec<NextTimer> {
        Vec::new()
    }
}

/// The next moment at which a track wants to be woken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NextTimer {
    /// Name of the track, unique in its stream.
    pub track: String,
    /// The moment; None when there is none.
    pub due_at: Option<DateTime<Utc>>,
}

/// A stored event that cannot be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{event_type} v{schema_version} at position {position}: {reason}")]
pub struct DecodeError {
    /// Type of the event.
    pub event_type: String,
    /// Version of its schema.
    pub schema_version: u32,
    /// Where it is.
    pub position: u64,
    /// What is wrong, without personal data.
    pub reason: String,
}

impl DecodeError {
    /// An error about `told`.
    pub fn new(told: &Told, reason: impl Into<String>) -> DecodeError {
        DecodeError {
            event_type: told.event_type.clone(),
            schema_version: told.schema_version,
            position: told.position,
            reason: reason.into(),
        }
    }
}
