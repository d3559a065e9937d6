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
    /// A value does not fit: out of range, not text of the database, or a constraint other than uniqueness. It will not fit later either.
    #[error("value refused: {0}")]
    Data(String),
    /// The database refused the statement: wrong SQL, a table or a right that is missing.
    #[error("statement refused: {0}")]
    Refused(String),
}

/// What [`crate::Tx::require`] says on both databases.
pub(crate) const NOT_AS_EXPECTED: &str = "a row is not as the statement wants it";

impl SqlError {
    /// True when repeating the whole transaction later may succeed. A full disk is transient: an operator frees space.
    pub fn is_transient(&self) -> bool {
        match self {
            SqlError::DiskFull | SqlError::Busy(_) | SqlError::Unavailable(_) => true,
            SqlError::Unique { .. } | SqlError::Column { .. } | SqlError::Data(_) | SqlError::Refused(_) => false,
        }
    }

    /// True when what was to be stored, or was stored before, is at fault. False for everything that has to do with the database, the
    /// connection or the statement's text: that says nothing about the data.
    pub fn is_about_data(&self) -> bool {
        match self {
            SqlError::Unique { .. } | SqlError::Column { .. } | SqlError::Data(_) => true,
            SqlError::DiskFull | SqlError::Busy(_) | SqlError::Unavailable(_) | SqlError::Refused(_) => false,
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
            SqlError::Data(_) => "value_refused",
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

impl From<rusqlite::Error> for SqlError {
    fn from(error: rusqlite::Error) -> Self {
        match error {
            rusqlite::Error::SqliteFailure(failure, text) => {
                let text = text.unwrap_or_else(|| failure.to_string());
                from_sqlite_code(failure.extended_code, text)
            }
            other => SqlError::Refused(other.to_string()),
        }
    }
}

fn from_database(error: &dyn sqlx::error::DatabaseError) -> SqlError {
    let text = error.message().to_string();
    if error.is_unique_violation() {
        return SqlError::Unique { constraint: error.constraint().map(str::to_string).unwrap_or(text) };
    }
    from_postgres_code(error.code().as_deref(), text)
}

/// SQLSTATE, see the appendix "PostgreSQL Error Codes" of its manual.
fn from_postgres_code(code: Option<&str>, text: String) -> SqlError {
    match code {
        Some("53100") => SqlError::DiskFull,
        Some("40001" | "40P01" | "55P03") => SqlError::Busy(text),
        // Ended for idling in a transaction, cancelled by an operator or a timeout, a standby not yet promoted, outcome unknown.
        Some("25P03" | "57014" | "25006" | "40003") => SqlError::Unavailable(text),
        // Connections, resources, operators, the server's own system.
        Some(code) if ["08", "53", "57P", "58"].iter().any(|class| code.starts_with(class)) => SqlError::Unavailable(text),
        // Data exceptions and integrity constraints.
        Some(code) if code.starts_with("22") || code.starts_with("23") => SqlError::Data(text),
        Some(_) | None => SqlError::Refused(text),
    }
}

/// SQLite gives extended result codes: the primary code is the low byte.
fn from_sqlite_code(code: i32, text: String) -> SqlError {
    const BUSY: i32 = 5;
    const LOCKED: i32 = 6;
    const IO_ERROR: i32 = 10;
    const FULL: i32 = 13;
    const CANNOT_OPEN: i32 = 14;
    const TOO_BIG: i32 = 18;
    const CONSTRAINT: i32 = 19;
    const MISMATCH: i32 = 20;
    const PRIMARY_KEY: i32 = 1555;
    const UNIQUE: i32 = 2067;
    match (code, code & 0xff) {
        (PRIMARY_KEY | UNIQUE, _) => {
            let columns = text.strip_prefix("UNIQUE constraint failed: ").map(str::to_owned);
            SqlError::Unique { constraint: columns.unwrap_or(text) }
        }
        (_, BUSY | LOCKED) => SqlError::Busy(text),
        (_, FULL) => SqlError::DiskFull,
        (_, IO_ERROR | CANNOT_OPEN) => SqlError::Unavailable(text),
        (_, TOO_BIG | CONSTRAINT | MISMATCH) => SqlError::Data(text),
        (_, _) => SqlError::Refused(text),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_passes_is_told_from_what_is_about_the_data() {
        // code, may succeed later, about the data
        let cases = [
            ("25P03", true, false),
            ("57014", true, false),
            ("57P01", true, false),
            ("25006", true, false),
            ("40003", true, false),
            ("58030", true, false),
            ("08006", true, false),
            ("53300", true, false),
            ("53100", true, false),
            ("40001", true, false),
            ("22021", false, true),
            ("22003", false, true),
            ("23514", false, true),
            ("42P01", false, false),
            ("42501", false, false),
        ];
        for (code, transient, data) in cases {
            let error = from_postgres_code(Some(code), String::new());
            assert_eq!((error.is_transient(), error.is_about_data()), (transient, data), "{code}");
        }
        let constraint = from_sqlite_code(275, String::new());
        assert_eq!((constraint.is_transient(), constraint.is_about_data()), (false, true));
        assert!(matches!(from_sqlite_code(1555, String::new()), SqlError::Unique { .. }));
        assert!(!from_sqlite_code(1, String::new()).is_about_data());
    }
}
