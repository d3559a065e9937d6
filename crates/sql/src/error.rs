//! What can go wrong in a database, in the words a caller needs.

/// An error of the database or of the conversation with it.
#[derive(Debug, Clone, thiserror::Error)]
pub enum SqlError {
    /// A unique constraint refused a row. PostgreSQL names the constraint; SQLite names `table.column, table.column`.
    #[error("unique constraint {constraint}")]
    Unique {
        /// Name of the constraint or of its columns.
        constraint: String,
    },
    /// The disk, or the allowed size of the database, is used up. Nothing of the transaction is stored.
    #[error("the disk of the database is full")]
    DiskFull,
    /// Somebody else holds a lock, or the database chose this transaction as the victim of a deadlock. Repeat it.
    #[error("database busy: {0}")]
    Busy(String),
    /// The database cannot be reached, or the connection broke: the outcome of a commit under way is unknown.
    #[error("database unavailable: {0}")]
    Unavailable(String),
    /// A column is missing, NULL where a value was asked, or of another type.
    #[error("column {name}: {reason}")]
    Column {
        /// The column asked for.
        name: String,
        /// What is wrong with it.
        reason: String,
    },
    /// The database refused the statement: wrong SQL, or a constraint other than uniqueness.
    #[error("statement refused: {0}")]
    Refused(String),
}

impl SqlError {
    /// True when repeating the whole transaction later may succeed. A full disk is transient: an operator frees space.
    pub fn is_transient(&self) -> bool {
        match self {
            SqlError::DiskFull | SqlError::Busy(_) | SqlError::Unavailable(_) => true,
            SqlError::Unique { .. } | SqlError::Column { .. } | SqlError::Refused(_) => false,
        }
    }

    /// Stable name for logs and metrics.
    pub fn slug(&self) -> &'static str {
        match self {
            SqlError::Unique { .. } => "unique_violation",
            SqlError::DiskFull => "disk_full",
            SqlError::Busy(_) => "database_busy",
            SqlError::Unavailable(_) => "database_unavailable",
            SqlError::Column { .. } => "column_mismatch",
            SqlError::Refused(_) => "statement_refused",
        }
    }
}

impl From<sqlx::Error> for SqlError {
    fn from(error: sqlx::Error) -> Self {
        match error {
            sqlx::Error::Database(inner) => from_database(inner.as_ref()),
            sqlx::Error::ColumnNotFound(name) => SqlError::Column { name, reason: "not in the result".into() },
            sqlx::Error::ColumnDecode { index, source } => SqlError::Column { name: index, reason: source.to_string() },
            sqlx::Error::Io(_)
            | sqlx::Error::Tls(_)
            | sqlx::Error::PoolTimedOut
            | sqlx::Error::PoolClosed
            | sqlx::Error::WorkerCrashed
            | sqlx::Error::Protocol(_) => SqlError::Unavailable(error.to_string()),
            other => SqlError::Refused(other.to_string()),
        }
    }
}

fn from_database(error: &dyn sqlx::error::DatabaseError) -> SqlError {
    let text = error.message().to_string();
    if error.is_unique_violation() {
        let columns = text.strip_prefix("UNIQUE constraint failed: ").map(str::to_string);
        return SqlError::Unique { constraint: error.constraint().map(str::to_string).or(columns).unwrap_or(text) };
    }
    if error.try_downcast_ref::<sqlx::sqlite::SqliteError>().is_some() {
        return from_sqlite_code(error.code().as_deref(), text);
    }
    match error.code().as_deref() {
        Some("53100") => SqlError::DiskFull,
        Some("40001" | "40P01" | "55P03") => SqlError::Busy(text),
        Some(code) if code.starts_with("08") || code.starts_with("57P") || code.starts_with("53") => SqlError::Unavailable(text),
        Some(_) | None => SqlError::Refused(text),
    }
}

/// SQLite gives extended result codes: the primary code is the low byte.
fn from_sqlite_code(code: Option<&str>, text: String) -> SqlError {
    const BUSY: i64 = 5;
    const LOCKED: i64 = 6;
    const IO_ERROR: i64 = 10;
    const FULL: i64 = 13;
    const CANNOT_OPEN: i64 = 14;
    match code.and_then(|code| code.parse::<i64>().ok()).map(|code| code & 0xff) {
        Some(BUSY | LOCKED) => SqlError::Busy(text),
        Some(FULL) => SqlError::DiskFull,
        Some(IO_ERROR | CANNOT_OPEN) => SqlError::Unavailable(text),
        Some(_) | None => SqlError::Refused(text),
    }
}
