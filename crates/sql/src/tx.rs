//! Transactions: opened here and nowhere else.

use std::borrow::Cow;

use sqlx::pool::PoolConnection;
use sqlx::postgres::{PgArguments, Postgres};
use sqlx::sqlite::SqliteArguments;
use sqlx::{Connection, Executor};
use tokio::sync::OwnedMutexGuard;

use crate::db::Backend;
use crate::keys::Keys;
use crate::row::{Inner, Row};
use crate::{Db, Dialect, SqlError, Value, postgres, sqlite};

/// An open transaction that may write. Dropping it rolls back.
///
/// After an error of the database the transaction is good for nothing but being dropped: PostgreSQL refuses further statements, and
/// would answer a COMMIT by rolling back without saying so. [`Tx::commit`] then fails on both databases.
pub struct Tx {
    /// None once the transaction has ended.
    connection: Option<Connected>,
    /// A statement has failed.
    failed: bool,
}

enum Connected {
    Sqlite(OwnedMutexGuard<sqlite::Writer>),
    Postgres(PoolConnection<Postgres>),
}

impl Tx {
    pub(crate) async fn begin(db: &Db) -> Result<Tx, SqlError> {
        // The Tx exists before BEGIN is sent: a future dropped in between rolls back like any other.
        match &db.backend {
            Backend::Sqlite(store) => {
                let mut guard = store.acquire().await?;
                guard.dirty = true;
                let mut tx = Tx { connection: Some(Connected::Sqlite(guard)), failed: false };
                tx.control("BEGIN IMMEDIATE").await?;
                Ok(tx)
            }
            Backend::Postgres(pool) => {
                let mut tx = Tx { connection: Some(Connected::Postgres(pool.acquire().await?)), failed: false };
                tx.control("BEGIN").await?;
                Ok(tx)
            }
        }
    }

    /// Runs a statement; returns the number of rows it changed.
    ///
    /// # Errors
    /// Any [`SqlError`].
    pub async fn execute(&mut self, sql: &str, args: &[Value]) -> Result<u64, SqlError> {
        let statement = Bound::new(self, sql, args)?;
        self.change(statement).await
    }

    /// Runs a query inside the transaction.
    ///
    /// # Errors
    /// Any [`SqlError`].
    pub async fn query(&mut self, sql: &str, args: &[Value]) -> Result<Vec<Row>, SqlError> {
        let statement = Bound::new(self, sql, args)?;
        self.rows(statement).await
    }

    /// Runs a query whose text names `{keys}` (see [`Keys`]).
    ///
    /// # Errors
    /// Any [`SqlError`].
    pub async fn query_keyed(&mut self, sql: &str, keys: Keys<'_>, args: &[Value]) -> Result<Vec<Row>, SqlError> {
        let statement = Bound::keyed(self, sql, keys, args)?;
        self.rows(statement).await
    }

    /// Runs a statement whose text names `{keys}` (see [`Keys`]); returns the number of rows it changed.
    ///
    /// # Errors
    /// Any [`SqlError`].
    pub async fn execute_keyed(&mut self, sql: &str, keys: Keys<'_>, args: &[Value]) -> Result<u64, SqlError> {
        let statement = Bound::keyed(self, sql, keys, args)?;
        self.change(statement).await
    }

    /// Runs several statements separated by `;`, without arguments: definitions of tables and indexes.
    ///
    /// # Errors
    /// Any [`SqlError`].
    pub async fn execute_script(&mut self, sql: &str) -> Result<(), SqlError> {
        let script = sqlx::raw_sql(sqlite::statement(sql));
        let done = match self.connected()? {
            Connected::Sqlite(guard) => script.execute(guard.connection().await?).await.map(|_| ()),
            Connected::Postgres(connection) => script.execute(&mut **connection).await.map(|_| ()),
        };
        self.note(done)
    }

    /// Makes everything durable. When it fails nothing is stored, except that after [`SqlError::Unavailable`] the
    /// outcome is unknown: read before you repeat.
    ///
    /// # Errors
    /// [`SqlError::DiskFull`], [`SqlError::Unavailable`], [`SqlError::Busy`]; [`SqlError::Refused`] when a statement had failed.
    pub async fn commit(mut self) -> Result<(), SqlError> {
        if self.failed {
            return Err(SqlError::Refused("a statement of the transaction has failed".into()));
        }
        self.control("COMMIT").await?;
        self.end();
        Ok(())
    }

    /// Undoes everything now. Dropping does the same in the background.
    ///
    /// # Errors
    /// [`SqlError::Unavailable`]; also then nothing is stored.
    pub async fn rollback(mut self) -> Result<(), SqlError> {
        self.control("ROLLBACK").await?;
        self.end();
        Ok(())
    }

    pub(crate) async fn change(&mut self, statement: Bound<'_>) -> Result<u64, SqlError> {
        let done = match (self.connected()?, statement) {
            (Connected::Sqlite(guard), Bound::Sqlite(text, arguments)) => {
                let query = sqlx::query_with(sqlite::statement(&text), arguments);
                query.execute(guard.connection().await?).await.map(|done| done.rows_affected())
            }
            (Connected::Postgres(connection), Bound::Postgres(text, arguments)) => {
                let query = sqlx::query_with(sqlite::statement(&text), arguments);
                query.execute(&mut **connection).await.map(|done| done.rows_affected())
            }
            (Connected::Sqlite(_), Bound::Postgres(..)) | (Connected::Postgres(_), Bound::Sqlite(..)) => return Err(mismatch()),
        };
        self.note(done)
    }

    async fn rows(&mut self, statement: Bound<'_>) -> Result<Vec<Row>, SqlError> {
        let found = match (self.connected()?, statement) {
            (Connected::Sqlite(guard), Bound::Sqlite(text, arguments)) => {
                let query = sqlx::query_with(sqlite::statement(&text), arguments);
                let rows = query.fetch_all(guard.connection().await?).await;
                rows.map(|rows| rows.into_iter().map(|row| Row(Inner::Sqlite(row))).collect())
            }
            (Connected::Postgres(connection), Bound::Postgres(text, arguments)) => {
                let rows = sqlx::query_with(sqlite::statement(&text), arguments).fetch_all(&mut **connection).await;
                rows.map(|rows| rows.into_iter().map(|row| Row(Inner::Postgres(row))).collect())
            }
            (Connected::Sqlite(_), Bound::Postgres(..)) | (Connected::Postgres(_), Bound::Sqlite(..)) => return Err(mismatch()),
        };
        self.note(found)
    }

    /// Remembers a failure, so that nobody commits what is left.
    fn note<T>(&mut self, done: Result<T, sqlx::Error>) -> Result<T, SqlError> {
        self.failed |= done.is_err();
        done.map_err(SqlError::from)
    }

    pub(crate) fn dialect(&self) -> Dialect {
        match &self.connection {
            Some(Connected::Postgres(_)) => Dialect::Postgres,
            Some(Connected::Sqlite(_)) | None => Dialect::Sqlite,
        }
    }

    fn connected(&mut self) -> Result<&mut Connected, SqlError> {
        self.connection.as_mut().ok_or_else(|| SqlError::Refused("the transaction has ended".into()))
    }

    /// BEGIN, COMMIT and ROLLBACK. SQLite keeps them prepared; PostgreSQL takes them in the simple protocol, one
    /// round trip each.
    async fn control(&mut self, sql: &'static str) -> Result<(), SqlError> {
        match self.connected()? {
            Connected::Sqlite(guard) => sqlx::query(sql).execute(guard.connection().await?).await.map(|_| ())?,
            Connected::Postgres(connection) => connection.execute(sql).await.map(|_| ())?,
        }
        Ok(())
    }

    fn end(&mut self) {
        if let Some(Connected::Sqlite(mut guard)) = self.connection.take() {
            guard.dirty = false;
        }
    }
}

/// A statement with its arguments, for one of the two databases.
pub(crate) enum Bound<'a> {
    Sqlite(Cow<'a, str>, SqliteArguments),
    Postgres(Cow<'a, str>, PgArguments),
}

impl<'a> Bound<'a> {
    fn new(tx: &Tx, sql: &'a str, args: &[Value]) -> Result<Self, SqlError> {
        match tx.dialect() {
            Dialect::Sqlite => Ok(Bound::Sqlite(sql.into(), sqlite::arguments(args.iter().cloned())?)),
            Dialect::Postgres => Ok(Bound::Postgres(sql.into(), postgres::arguments(args.iter().cloned())?)),
        }
    }

    fn keyed(tx: &Tx, sql: &str, keys: Keys<'_>, args: &[Value]) -> Result<Self, SqlError> {
        match tx.dialect() {
            Dialect::Sqlite => keys.for_sqlite(sql, args).map(|(text, arguments)| Bound::Sqlite(text.into(), arguments)),
            Dialect::Postgres => keys.for_postgres(sql, args).map(|(text, arguments)| Bound::Postgres(text.into(), arguments)),
        }
    }
}

fn mismatch() -> SqlError {
    SqlError::Refused("the statement was made for the other database".into())
}

impl Drop for Tx {
    /// Rolls back in a task of its own. Where no runtime is left, the next owner of the writer connection rolls back
    /// (SQLite), or the connection is closed (PostgreSQL).
    fn drop(&mut self) {
        let Some(connected) = self.connection.take() else { return };
        let runtime = tokio::runtime::Handle::try_current();
        match (connected, runtime) {
            (Connected::Sqlite(mut guard), Ok(runtime)) => {
                runtime.spawn(async move { guard.rollback().await });
            }
            (Connected::Sqlite(guard), Err(_)) => drop(guard),
            (Connected::Postgres(mut connection), Ok(runtime)) => {
                runtime.spawn(async move {
                    if connection.execute("ROLLBACK").await.is_err() {
                        let _ = connection.detach().close_hard().await;
                    }
                });
            }
            (Connected::Postgres(mut connection), Err(_)) => connection.close_on_drop(),
        }
    }
}
