//! The SQLite adapter: one writer connection and a small pool of readers, in WAL mode.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use sqlx::sqlite::{
    SqliteArguments, SqliteConnectOptions, SqliteConnection, SqliteJournalMode, SqlitePool, SqlitePoolOptions, SqliteSynchronous,
};
use sqlx::{Arguments, AssertSqlSafe, ConnectOptions, Executor};
use tokio::sync::{Mutex, OwnedMutexGuard};

use crate::{Durability, SqlError, Value};

/// A checkpoint runs inside the commit that crosses this many WAL pages (4 KiB each, 16 MiB in all). Measured with batches of 512 events
/// of 300 bytes over 20,000 streams, fsync on: 1,000 to 50,000 pages make no difference to the rate (25,000-33,000 events/s), but
/// the worst batch takes 40 ms at 4,000 pages and 150 ms at 50,000. Recovery after a kill takes milliseconds in all of them.
const WAL_AUTOCHECKPOINT_PAGES: &str = "4000";
const READERS: u32 = 4;

/// One database file, opened.
pub(crate) struct Store {
    writer: Arc<Mutex<Writer>>,
    pub(crate) readers: SqlitePool,
}

/// The only connection that writes.
pub(crate) struct Writer {
    options: SqliteConnectOptions,
    connection: Option<SqliteConnection>,
    /// A transaction may be open on the connection: its owner was dropped before it could end it.
    pub(crate) dirty: bool,
}

impl Store {
    pub(crate) async fn open(path: &Path, durability: Durability) -> Result<Store, SqlError> {
        let path = prepare(path)?;
        let mut writer = Writer { options: writer_options(&path, durability), connection: None, dirty: false };
        writer.connection().await?;
        let readers = SqlitePoolOptions::new()
            .max_connections(READERS)
            .min_connections(0)
            .test_before_acquire(false)
            .idle_timeout(None)
            .max_lifetime(None)
            .acquire_timeout(Duration::from_secs(30))
            .connect_lazy_with(reader_options(&path));
        Ok(Store { writer: Arc::new(Mutex::new(writer)), readers })
    }

    /// Waits for the writer connection. A transaction that an earlier owner left open is rolled back first.
    pub(crate) async fn acquire(&self) -> Result<OwnedMutexGuard<Writer>, SqlError> {
        let mut guard = Arc::clone(&self.writer).lock_owned().await;
        if guard.dirty {
            guard.rollback().await;
        }
        guard.connection().await?;
        Ok(guard)
    }
}

impl Writer {
    /// The connection, opened again when it was given up.
    pub(crate) async fn connection(&mut self) -> Result<&mut SqliteConnection, SqlError> {
        if self.connection.is_none() {
            self.connection = Some(self.options.connect().await?);
        }
        self.connection.as_mut().ok_or_else(|| SqlError::Unavailable("no connection".into()))
    }

    /// Ends whatever is open. A full disk may have rolled back already, which SQLite reports as an error: then the
    /// connection is given up, because an unknown state is worth less than a new connection.
    pub(crate) async fn rollback(&mut self) {
        let Some(connection) = self.connection.as_mut() else {
            self.dirty = false;
            return;
        };
        if connection.execute("ROLLBACK").await.is_err() {
            self.connection = None;
        }
        self.dirty = false;
    }
}

fn prepare(path: &Path) -> Result<PathBuf, SqlError> {
    if let Some(parent) = path.parent().filter(|parent| !parent.as_os_str().is_empty()) {
        std::fs::create_dir_all(parent).map_err(|error| SqlError::Unavailable(format!("{}: {error}", parent.display())))?;
    }
    Ok(path.to_path_buf())
}

fn writer_options(path: &Path, durability: Durability) -> SqliteConnectOptions {
    let synchronous = match durability {
        Durability::Full => SqliteSynchronous::Full,
        Durability::Throwaway => SqliteSynchronous::Off,
    };
    shared_options(path)
        .create_if_missing(true)
        .journal_mode(SqliteJournalMode::Wal)
        .synchronous(synchronous)
        .pragma("wal_autocheckpoint", WAL_AUTOCHECKPOINT_PAGES)
        .pragma("cache_size", "-32768")
}

fn reader_options(path: &Path) -> SqliteConnectOptions {
    shared_options(path).pragma("query_only", "ON")
}

fn shared_options(path: &Path) -> SqliteConnectOptions {
    SqliteConnectOptions::new()
        .filename(path)
        .busy_timeout(Duration::from_secs(10))
        .foreign_keys(false)
        .statement_cache_capacity(1024)
        .row_buffer_size(256)
        .pragma("temp_store", "MEMORY")
        .disable_statement_logging()
}

/// Prepared once per connection: the text is the key of the statement cache.
pub(crate) fn statement(sql: &str) -> AssertSqlSafe<&str> {
    // The audited place: texts come from the source code of this project, values travel as arguments only.
    AssertSqlSafe(sql)
}

/// Binds values in order.
pub(crate) fn arguments(values: impl IntoIterator<Item = Value>) -> Result<SqliteArguments, SqlError> {
    let mut arguments = SqliteArguments::default();
    for value in values {
        add(&mut arguments, value).map_err(|error| SqlError::Refused(error.to_string()))?;
    }
    Ok(arguments)
}

fn add(arguments: &mut SqliteArguments, value: Value) -> Result<(), sqlx::error::BoxDynError> {
    match value {
        Value::Int(value) => arguments.add(value),
        Value::OptInt(value) => arguments.add(value),
        Value::Text(value) => arguments.add(value),
        Value::OptText(value) => arguments.add(value),
        Value::Bytes(value) => arguments.add(value),
        Value::OptBytes(value) => arguments.add(value),
        Value::Bool(value) => arguments.add(i64::from(value)),
        Value::OptBool(value) => arguments.add(value.map(i64::from)),
        Value::Uuid(value) => arguments.add(value),
        Value::OptUuid(value) => arguments.add(value),
        Value::Date(value) => arguments.add(value.format("%Y-%m-%d").to_string()),
        Value::OptDate(value) => arguments.add(value.map(|date| date.format("%Y-%m-%d").to_string())),
        Value::Instant(value) => arguments.add(value.timestamp_micros()),
        Value::OptInstant(value) => arguments.add(value.map(|instant| instant.timestamp_micros())),
    }
}
