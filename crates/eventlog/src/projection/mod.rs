//! Read models: declared tables, filled from events in the transaction that moves the consumer's place.
//!
//! A projection reads topics (its service's own log is the topic of that log) and owns its tables. Its rules:
//!
//! - messages of one stream arrive in order; messages of different streams, partitions and topics may arrive in **any** order, and a
//!   rebuild reads partition after partition. What is written must therefore be commutative across streams: rows that belong to the
//!   message's stream, keep a row per fact and join when reading, never "the last message seen".
//! - what is written is a function of its tables and the page: no clock, no randomness, no look at other tables of the service.
//! - a change of what is written or of the tables raises `version`; the new version is built side by side and then put in place of the old.
//!
//! A page is read before its transaction and written inside of it: whoever writes next waits for what the database has to do, and not for
//! what the messages have to be decoded, and a build reads one page while it writes the page before it.

mod hash;
mod live;
mod places;
mod rebuild;
mod registry;
mod remove;
mod table;
mod turn;
mod verify;
mod view;
mod views;

use sql::SqlError;

use crate::alongside::AlongsideError;
use crate::bus::Message;

pub use hash::{Fingerprint, Hasher};
pub(crate) use live::PageRead;
pub use registry::{OwnLog, ProjectionStatus, Projections};
pub use table::TableDef;
pub use verify::Verified;
pub use view::View;
pub use views::Views;

/// A read model of a service (a file of its `project/`).
pub trait Projection: Send + Sync + 'static {
    /// Permanent name, unique in the service.
    fn name(&self) -> &'static str;

    /// Raised with every change of the tables or of what is written; from 1.
    fn version(&self) -> u32;

    /// The topics it reads.
    fn sources(&self) -> &'static [&'static str];

    /// Its tables.
    fn tables(&self) -> &'static [TableDef];

    /// What messages of its sources, in order, change in its tables, as far as that can be told without looking at them. Withheld messages
    /// are not handed in. It may be asked again for the same page, and what it answers may never be written.
    ///
    /// # Errors
    /// [`ProjectionError::Poison`] for a message that can never be applied.
    fn read(&self, page: &[&Message]) -> Result<Box<dyn Change>, ProjectionError>;

    /// Whether it knows the event type. A type that nobody of the consumer knows is counted.
    fn knows(&self, _topic: &str, _event_type: &str) -> bool {
        true
    }
}

/// What a page changes in the tables of a projection.
#[async_trait::async_trait]
pub trait Change: Send {
    /// Writes it, after the changes of all pages before it.
    ///
    /// # Errors
    /// [`ProjectionError::Poison`] for a message that can never be applied to what is stored; errors of the view are passed on with `?`.
    async fn write(self: Box<Self>, view: &mut View<'_>) -> Result<(), ProjectionError>;
}

/// Why a read model could not be written, read, built or compared.
#[derive(Clone, Debug, thiserror::Error)]
pub enum ProjectionError {
    /// A message that can never be applied.
    #[error("{topic} {stream}@{version}: {reason}")]
    Poison {
        /// Topic of the message.
        topic: String,
        /// Its stream.
        stream: String,
        /// Its version in the stream.
        version: u64,
        /// Why, without personal data.
        reason: String,
    },
    /// The SQL text names a table in braces that no projection here has, or `upsert` was given one.
    #[error("no projection here has a table {0}")]
    UnknownTable(String),
    /// No projection of that name.
    #[error("no projection {0}")]
    UnknownProjection(String),
    /// The declaration of the projection is wrong.
    #[error("{0}")]
    Declaration(String),
    /// Another version is live: this program is too old for it, or the model is not built yet.
    #[error("projection {name}: version {live} is live, this program has version {ours}")]
    Superseded {
        /// The projection.
        name: String,
        /// The version that readers see; 0 when none is built yet.
        live: u32,
        /// The version of this program.
        ours: u32,
    },
    /// The log of the service could not be read.
    #[error("log: {0}")]
    Log(String),
    /// The database.
    #[error(transparent)]
    Sql(#[from] SqlError),
}

impl ProjectionError {
    /// A message that can never be applied, with the reason.
    pub fn poison(message: &Message, reason: impl Into<String>) -> Self {
        ProjectionError::Poison {
            topic: message.topic.clone(),
            stream: message.event.stream.clone(),
            version: message.event.version,
            reason: reason.into(),
        }
    }
}

impl From<ProjectionError> for AlongsideError {
    fn from(error: ProjectionError) -> Self {
        match error {
            ProjectionError::Poison { topic, stream, version, reason } => AlongsideError::Poison { topic, stream, version, reason },
            ProjectionError::Sql(error) => AlongsideError::Sql(error),
            ProjectionError::Superseded { .. } => AlongsideError::Superseded(error.to_string()),
            ProjectionError::UnknownTable(_)
            | ProjectionError::UnknownProjection(_)
            | ProjectionError::Declaration(_)
            | ProjectionError::Log(_) => AlongsideError::Sql(SqlError::Refused(error.to_string())),
        }
    }
}
