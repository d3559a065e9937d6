//! A database, opened.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use crate::keys::Keys;
use crate::row::Row;
use crate::{SqlError, Tx, Value, postgres, sqlite};

/// Which database it is. SQL that both understand needs no look at it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(missing_docs)]
pub enum Dialect {
    Sqlite,
    Postgres,
}

/// What a commit promises.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Durability {
    /// A commit that returned survives a power cut.
    Full,
    /// No fsync: only for a directory that is deleted afterwards.
    Throwaway,
}

/// How long a statement on PostgreSQL may take unless said otherwise.
pub const STATEMENT_DEADLINE: Duration = Duration::from_secs(30);

/// A handle on one database; clones share it.
#[derive(Clone)]
pub struct Db {
    pub(crate) backend: Backend,
}

#[derive(Clone)]
pub(crate) enum Backend {
    Sqlite(Arc<sqlite::Store>),
    Postgres(postgres::Pool),
}

impl Db {
    /// Opens or creates a database file (and its folder) in WAL mode.
    ///
    /// # Errors
    /// [`SqlError::Unavailable`] when the file cannot be opened.
    pub async fn open_sqlite(path: &Path, durability: Durability) -> Result<Db, SqlError> {
        Ok(Db { backend: Backend::Sqlite(Arc::new(sqlite::Store::open(path, durability).await?)) })
    }

    /// Connects to PostgreSQL; every connection sees `schema`, which is created when missing. A statement may take
    /// [`STATEMENT_DEADLINE`].
    ///
    /// # Errors
    /// [`SqlError::Unavailable`] when the server does not answer, [`SqlError::Refused`] for a bad URL or schema name.
    pub async fn connect_postgres(url: &str, schema: &str, max_connections: u32) -> Result<Db, SqlError> {
        Self::connect_postgres_within(url, schema, max_connections, STATEMENT_DEADLINE).await
    }

    /// As [`Db::connect_postgres`], with another deadline for each statement and for each wait for a free connection. A statement that
    /// is not done by then, because somebody holds a lock or the server hangs, fails with [`SqlError::Unavailable`]. Only
    /// [`Tx::unhurried`] transactions, as those of migrations, take as long as they need.
    ///
    /// # Errors
    /// As [`Db::connect_postgres`].
    pub async fn connect_postgres_within(url: &str, schema: &str, max_connections: u32, deadline: Duration) -> Result<Db, SqlError> {
        Ok(Db { backend: Backend::Postgres(postgres::connect(url, schema, max_connections, deadline).await?) })
    }

    /// Connects to PostgreSQL for a look, and creates nothing; `None` where the schema is not there.
    ///
    /// # Errors
    /// As [`Db::connect_postgres`].
    pub async fn look_at_postgres(url: &str, schema: &str, deadline: Duration) -> Result<Option<Db>, SqlError> {
        Ok(postgres::look(url, schema, deadline).await?.map(|pool| Db { backend: Backend::Postgres(pool) }))
    }

    /// Which database this is.
    pub fn dialect(&self) -> Dialect {
        match &self.backend {
            Backend::Sqlite(_) => Dialect::Sqlite,
            Backend::Postgres(_) => Dialect::Postgres,
        }
    }

    /// Opens a transaction that may write. SQLite has one at a time: it waits for its turn and begins IMMEDIATE.
    /// Dropping this future, or the transaction, leaves nothing behind.
    ///
    /// # Errors
    /// [`SqlError::Unavailable`] or [`SqlError::Busy`].
    pub async fn begin(&self) -> Result<Tx, SqlError> {
        Tx::begin(self, false).await
    }

    /// The same where nothing must be waited for: where it is SQLite and nobody else has the writer or waits for it.
    pub fn begin_now(&self) -> Option<Tx> {
        Tx::begin_now(self)
    }

    /// As [`Db::begin`], for work that begins anew with its process. On SQLite the commit does not wait for the disk: a crash of the machine, which ends
    /// this process too, may take it back, until one of [`Db::begin`] that follows it has been committed. On PostgreSQL it is as any other: there
    /// the server may crash and lose it while this process goes on.
    ///
    /// # Errors
    /// As [`Db::begin`].
    pub async fn begin_relaxed(&self) -> Result<Tx, SqlError> {
        Tx::begin(self, true).await
    }

    /// Runs a query outside any transaction; it sees what is committed.
    ///
    /// # Errors
    /// Any [`SqlError`].
    pub async fn query(&self, sql: &str, args: &[Value]) -> Result<Vec<Row>, SqlError> {
        match &self.backend {
            Backend::Sqlite(store) => store.query(sql.to_owned(), args.to_vec()).await,
            Backend::Postgres(pool) => {
                let arguments = postgres::arguments(args.iter().cloned())?;
                let rows = pool.fetch(sql, arguments).await?;
                Ok(rows.into_iter().map(Row::postgres).collect())
            }
        }
    }

    /// Runs a query whose text names `{keys}`, a table of the given key rows (see [`Keys`]).
    ///
    /// # Errors
    /// Any [`SqlError`].
    pub async fn query_keyed(&self, sql: &str, keys: Keys<'_>, args: &[Value]) -> Result<Vec<Row>, SqlError> {
        match &self.backend {
            Backend::Sqlite(store) => {
                let (text, values) = keys.for_sqlite(sql, args)?;
                store.query(text, values).await
            }
            Backend::Postgres(pool) => {
                let (text, arguments) = keys.for_postgres(sql, args)?;
                let rows = pool.fetch(&text, arguments).await?;
                Ok(rows.into_iter().map(Row::postgres).collect())
            }
        }
    }
}
