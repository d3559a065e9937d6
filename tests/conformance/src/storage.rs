//! The adapters that keep a log: memory, SQLite, PostgreSQL.

use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;
use std::sync::Arc;

use anyhow::{Context, Result};
use eventlog::Log;
use sql::{Db, Durability};
use tempfile::TempDir;

use crate::faults::Switchboard;
use crate::moment::{clock, ids, unique};

/// Connections of one handle on PostgreSQL.
const CONNECTIONS: u32 = 8;

/// A place where a log lives.
#[allow(async_fn_in_trait)]
pub trait Storage: Sized + Send + Sync + 'static {
    /// For messages.
    const NAME: &'static str;

    /// A new, empty place; None, with a line that says so, where the server it needs is not there.
    async fn fresh() -> Result<Option<Self>>;

    /// The crash points of every handle that [`Storage::open`] gives.
    fn faults(&self) -> &Arc<Switchboard>;

    /// A handle of its own, as another process would have it. All handles on a memory log are one.
    async fn open(&self) -> Result<Log>;
}

/// A place that outlives the process.
#[allow(async_fn_in_trait)]
pub trait Durable: Storage {
    /// Where it is, for another process.
    fn place(&self) -> Place;

    /// A connection of its own to the database.
    async fn database(&self) -> Result<Db> {
        self.place().database().await
    }
}

/// A log that lives as long as its handles.
pub struct Memory {
    log: Log,
    faults: Arc<Switchboard>,
}

impl Storage for Memory {
    const NAME: &'static str = "memory";

    async fn fresh() -> Result<Option<Self>> {
        let faults = Arc::new(Switchboard::default());
        Ok(Some(Memory { log: Log::memory(clock(), ids()).with_faults(faults.clone()), faults }))
    }

    fn faults(&self) -> &Arc<Switchboard> {
        &self.faults
    }

    async fn open(&self) -> Result<Log> {
        Ok(self.log.clone())
    }
}

/// A log in a file.
pub struct Sqlite {
    folder: TempDir,
    faults: Arc<Switchboard>,
}

impl Storage for Sqlite {
    const NAME: &'static str = "SQLite";

    async fn fresh() -> Result<Option<Self>> {
        Ok(Some(Sqlite { folder: tempfile::tempdir()?, faults: Arc::default() }))
    }

    fn faults(&self) -> &Arc<Switchboard> {
        &self.faults
    }

    async fn open(&self) -> Result<Log> {
        self.place().log(&self.faults).await
    }
}

impl Durable for Sqlite {
    fn place(&self) -> Place {
        Place::Sqlite(self.folder.path().join("log.sqlite"))
    }
}

/// A log in a schema of its own on a server.
pub struct Postgres {
    url: String,
    schema: String,
    faults: Arc<Switchboard>,
}

impl Postgres {
    /// A new schema on a server that is not the one of [`Storage::fresh`].
    pub(crate) fn at(url: &str) -> Postgres {
        Postgres { url: url.into(), schema: unique("conformance"), faults: Arc::default() }
    }
}

impl Storage for Postgres {
    const NAME: &'static str = "PostgreSQL";

    async fn fresh() -> Result<Option<Self>> {
        match std::env::var("REGUA_TEST_POSTGRES") {
            Ok(url) => Ok(Some(Postgres::at(&url))),
            Err(_) => {
                println!("skipped on PostgreSQL: REGUA_TEST_POSTGRES is not set");
                Ok(None)
            }
        }
    }

    fn faults(&self) -> &Arc<Switchboard> {
        &self.faults
    }

    async fn open(&self) -> Result<Log> {
        self.place().log(&self.faults).await
    }
}

impl Durable for Postgres {
    fn place(&self) -> Place {
        Place::Postgres { schema: self.schema.clone(), url: self.url.clone() }
    }
}

/// Where a durable log is; as text it is an argument of a process.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Place {
    /// The file.
    Sqlite(PathBuf),
    /// The server and the schema.
    Postgres {
        /// The schema.
        schema: String,
        /// The server and the database.
        url: String,
    },
}

impl Place {
    /// Opens the database.
    ///
    /// # Errors
    /// It cannot be reached.
    pub async fn database(&self) -> Result<Db> {
        let opened = match self {
            Place::Sqlite(path) => Db::open_sqlite(path, Durability::Full).await,
            Place::Postgres { schema, url } => Db::connect_postgres(url, schema, CONNECTIONS).await,
        };
        opened.with_context(|| format!("opening {self}"))
    }

    /// Opens the log.
    ///
    /// # Errors
    /// It cannot be reached, or is no log.
    pub async fn log(&self, faults: &Arc<Switchboard>) -> Result<Log> {
        Ok(Log::open(self.database().await?, clock(), ids()).await?.with_faults(faults.clone()))
    }
}

impl fmt::Display for Place {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Place::Sqlite(path) => write!(out, "sqlite {}", path.display()),
            Place::Postgres { schema, url } => write!(out, "postgres {schema} {url}"),
        }
    }
}

impl FromStr for Place {
    type Err = anyhow::Error;

    fn from_str(text: &str) -> Result<Place> {
        let (kind, rest) = text.split_once(' ').context("no kind of place")?;
        match kind {
            "sqlite" => Ok(Place::Sqlite(rest.into())),
            "postgres" => {
                let (schema, url) = rest.split_once(' ').context("no schema")?;
                Ok(Place::Postgres { schema: schema.into(), url: url.into() })
            }
            _ => anyhow::bail!("no place {text}"),
        }
    }
}
