//! Where the effects of a page go: into the service's aggregate, or only into read models. One transaction either way.

use std::sync::Arc;

use sql::{Db, SqlError};

use super::handler::{Inbound, Poison};
use super::page::StreamKey;
use crate::alongside::{Alongside, AlongsideError};
use crate::bus::Message;
use crate::writer::{Aggregate, IngestError, Intake, Writer, guarded};

/// A message that can never be applied.
#[derive(Clone, Debug)]
pub(crate) struct Culprit {
    pub key: StreamKey,
    pub version: u64,
    pub reason: String,
}

impl Culprit {
    fn of(message: &Message, reason: String) -> Self {
        Self { key: StreamKey::of(message), version: message.event.version, reason }
    }
}

/// Why a page was not taken. Nothing of it is stored.
#[derive(Debug)]
pub(crate) enum TakeError {
    /// The place has moved without us.
    Fenced,
    /// These messages must be parked first.
    Poison(Vec<Culprit>),
    /// Try again later.
    Transient(String),
    /// Will not get better, and nobody says which message it is.
    Permanent(String),
    /// A newer program does this now.
    Superseded(String),
}

impl From<AlongsideError> for TakeError {
    fn from(error: AlongsideError) -> Self {
        match error {
            AlongsideError::Fenced => TakeError::Fenced,
            AlongsideError::Poison { topic, stream, version, reason } => {
                TakeError::Poison(vec![Culprit { key: StreamKey { topic, stream }, version, reason }])
            }
            AlongsideError::Superseded(reason) => TakeError::Superseded(reason),
            AlongsideError::Sql(error) => error.into(),
        }
    }
}

impl From<SqlError> for TakeError {
    fn from(error: SqlError) -> Self {
        // A table that is missing or a right that was taken says nothing about the message: it waits, and the consumer tells why.
        if error.is_about_data() { TakeError::Permanent(error.to_string()) } else { TakeError::Transient(error.to_string()) }
    }
}

/// Takes a page in one transaction.
#[async_trait::async_trait]
pub(crate) trait Sink: Send + Sync {
    /// Stores the effects of the fresh messages together with what `alongside` writes.
    async fn take(&self, fresh: &[Message], alongside: Arc<dyn Alongside>) -> Result<(), TakeError>;

    /// Whether it knows the message's type.
    fn knows(&self, message: &Message) -> bool;
}

/// Only read models, and they are written alongside.
pub(crate) struct ViewsOnly {
    pub db: Db,
}

#[async_trait::async_trait]
impl Sink for ViewsOnly {
    async fn take(&self, _fresh: &[Message], alongside: Arc<dyn Alongside>) -> Result<(), TakeError> {
        let mut tx = self.db.begin().await?;
        alongside.write(&mut tx).await?;
        Ok(tx.commit().await?)
    }

    fn knows(&self, _message: &Message) -> bool {
        false
    }
}

/// Commands on the service's aggregate, decided and appended by its writer.
pub(crate) struct Commands<A: Aggregate> {
    pub writer: Writer<A>,
    pub inbound: Arc<dyn Inbound<A::Command>>,
}

#[async_trait::async_trait]
impl<A: Aggregate> Sink for Commands<A> {
    async fn take(&self, fresh: &[Message], alongside: Arc<dyn Alongside>) -> Result<(), TakeError> {
        let mut commands = Vec::new();
        // Which message each command came from.
        let mut origin: Vec<&Message> = Vec::new();
        let mut culprits: Vec<Culprit> = Vec::new();
        for message in fresh.iter().filter(|message| !message.is_withheld()) {
            // A rule that panics parks its stream, as one that says no; the consumer and everybody else go on.
            match guarded(|| self.inbound.commands(message)).unwrap_or_else(|panic| Err(Poison::new(panic))) {
                Ok(caused) => {
                    origin.extend(std::iter::repeat_n(message, caused.len()));
                    commands.extend(caused);
                }
                Err(poison) => culprits.push(Culprit::of(message, poison.reason)),
            }
        }
        if !culprits.is_empty() {
            return Err(TakeError::Poison(culprits));
        }
        match self.writer.ingest(Intake { commands, alongside }).await {
            Ok(_) => Ok(()),
            Err(IngestError::Alongside(error)) => Err(error.into()),
            Err(IngestError::Unavailable(reason)) => Err(TakeError::Transient(reason)),
            Err(IngestError::Poisoned(poisoned)) => {
                let named = poisoned.iter().filter_map(|command| {
                    let message = origin.get(command.index)?;
                    Some(Culprit::of(message, command.error.to_string()))
                });
                Err(TakeError::Poison(named.collect()))
            }
        }
    }

    fn knows(&self, message: &Message) -> bool {
        self.inbound.knows(&message.topic, &message.event.event_type)
    }
}
