//! Rows read by column name.

use std::sync::atomic::{AtomicUsize, Ordering};

use chrono::{DateTime, NaiveDate, Utc};
use sqlx::postgres::types::Oid;
use sqlx::postgres::{PgRow, Postgres};
use sqlx::{Column as _, Decode, Row as _, Type};
use uuid::Uuid;

use crate::SqlError;
use crate::sqlite::SqliteRow;

/// One row of a result. Every getter fails with [`SqlError::Column`] when the column is not there, is of another
/// kind, or is NULL where the getter is not an `opt_` one.
pub struct Row {
    cells: Cells,
    /// Where the column after the one that was asked for last is: most rows are read from left to right, and need no search.
    next: AtomicUsize,
}

enum Cells {
    Sqlite(SqliteRow),
    Postgres(PgRow),
}

macro_rules! getters {
    ($($(#[$doc:meta])* $name:ident, $optional:ident: $type:ty;)*) => {
        $(
            $(#[$doc])*
            pub fn $name(&self, column: &str) -> Result<$type, SqlError> {
                self.$optional(column)?.ok_or_else(|| is_null(column))
            }
        )*
    };
}

#[allow(missing_docs)]
impl Row {
    getters! {
        /// An integer of any width.
        int, opt_int: i64;
        /// A text.
        text, opt_text: String;
        /// Bytes.
        bytes, opt_bytes: Vec<u8>;
        /// A boolean.
        bool, opt_bool: bool;
        /// A UUID.
        uuid, opt_uuid: Uuid;
        /// A civil date.
        date, opt_date: NaiveDate;
        /// A moment, to the microsecond.
        instant, opt_instant: DateTime<Utc>;
    }

    pub fn opt_int(&self, column: &str) -> Result<Option<i64>, SqlError> {
        let at = (self.place(column)?, column);
        match &self.cells {
            Cells::Sqlite(row) => row.int(at),
            Cells::Postgres(row) => postgres_int(row, at),
        }
    }

    pub fn opt_text(&self, column: &str) -> Result<Option<String>, SqlError> {
        let at = (self.place(column)?, column);
        match &self.cells {
            Cells::Sqlite(row) => Ok(row.text(at)?.map(str::to_owned)),
            Cells::Postgres(row) => postgres(row, at),
        }
    }

    pub fn opt_bytes(&self, column: &str) -> Result<Option<Vec<u8>>, SqlError> {
        let at = (self.place(column)?, column);
        match &self.cells {
            Cells::Sqlite(row) => Ok(row.bytes(at)?.map(<[u8]>::to_vec)),
            Cells::Postgres(row) => postgres(row, at),
        }
    }

    pub fn opt_bool(&self, column: &str) -> Result<Option<bool>, SqlError> {
        let at = (self.place(column)?, column);
        match &self.cells {
            Cells::Sqlite(row) => Ok(row.int(at)?.map(|value| value != 0)),
            Cells::Postgres(row) => postgres(row, at),
        }
    }

    pub fn opt_uuid(&self, column: &str) -> Result<Option<Uuid>, SqlError> {
        let at = (self.place(column)?, column);
        match &self.cells {
            Cells::Sqlite(row) => row.bytes(at)?.map(|bytes| uuid(column, bytes)).transpose(),
            Cells::Postgres(row) => postgres(row, at),
        }
    }

    pub fn opt_date(&self, column: &str) -> Result<Option<NaiveDate>, SqlError> {
        let at = (self.place(column)?, column);
        match &self.cells {
            Cells::Sqlite(row) => row.text(at)?.map(|text| parse_date(column, text)).transpose(),
            Cells::Postgres(row) => postgres(row, at),
        }
    }

    pub fn opt_instant(&self, column: &str) -> Result<Option<DateTime<Utc>>, SqlError> {
        let at = (self.place(column)?, column);
        match &self.cells {
            Cells::Sqlite(row) => match row.int(at)? {
                Some(micros) => DateTime::from_timestamp_micros(micros)
                    .map(Some)
                    .ok_or_else(|| SqlError::Column { name: column.into(), reason: "instant out of range".into() }),
                None => Ok(None),
            },
            Cells::Postgres(row) => postgres(row, at),
        }
    }
}

/// For who reads a cell once and keeps it: it is not copied where the row owns it (SQLite), and who asks for it
/// once more is refused there.
#[allow(missing_docs)]
impl Row {
    pub fn take_text(&mut self, column: &str) -> Result<String, SqlError> {
        self.take_opt_text(column)?.ok_or_else(|| is_null(column))
    }

    pub fn take_opt_text(&mut self, column: &str) -> Result<Option<String>, SqlError> {
        let at = (self.place(column)?, column);
        match &mut self.cells {
            Cells::Sqlite(row) => row.take_text(at),
            Cells::Postgres(row) => postgres(row, at),
        }
    }

    pub fn take_bytes(&mut self, column: &str) -> Result<Vec<u8>, SqlError> {
        let at = (self.place(column)?, column);
        let taken = match &mut self.cells {
            Cells::Sqlite(row) => row.take_bytes(at)?,
            Cells::Postgres(row) => postgres(row, at)?,
        };
        taken.ok_or_else(|| is_null(column))
    }
}

fn is_null(column: &str) -> SqlError {
    SqlError::Column { name: column.into(), reason: "is null".into() }
}

impl Row {
    pub(crate) fn sqlite(row: SqliteRow) -> Self {
        Self { cells: Cells::Sqlite(row), next: AtomicUsize::new(0) }
    }

    pub(crate) fn postgres(row: PgRow) -> Self {
        Self { cells: Cells::Postgres(row), next: AtomicUsize::new(0) }
    }

    /// Where a column is. Of two with one name, which no statement of ours has, it may be either.
    fn place(&self, column: &str) -> Result<usize, SqlError> {
        let next = self.next.load(Ordering::Relaxed);
        let found = match &self.cells {
            Cells::Sqlite(row) => place(row.names(), next, |name| name == column),
            Cells::Postgres(row) => place(row.columns(), next, |one| one.name() == column),
        };
        let place = found.ok_or_else(|| SqlError::Column { name: column.into(), reason: "not in the result".into() })?;
        self.next.store(place + 1, Ordering::Relaxed);
        Ok(place)
    }
}

/// The next one where it is the one that is looked for, else the first that is.
fn place<T>(all: &[T], next: usize, is_it: impl Fn(&T) -> bool) -> Option<usize> {
    if all.get(next).is_some_and(&is_it) { Some(next) } else { all.iter().position(is_it) }
}

/// The type that a column of its kind has, by PostgreSQL's number for it (`pg_type.dat`).
trait Usual {
    const OID: Oid;
}

macro_rules! usual {
    ($($type:ty: $oid:literal),*) => {
        $(impl Usual for $type {
            const OID: Oid = Oid($oid);
        })*
    };
}

usual! { bool: 16, Vec<u8>: 17, i64: 20, String: 25, NaiveDate: 1082, DateTime<Utc>: 1184, Uuid: 2950 }

/// Asked of each cell, the library's own look for a type that would do as well takes a fifth of reading: only another type than the usual
/// one is looked at so.
fn postgres<'r, T>(row: &'r PgRow, (place, column): (usize, &str)) -> Result<Option<T>, SqlError>
where
    T: Decode<'r, Postgres> + Type<Postgres> + Usual,
{
    let is_usual = row.columns().get(place).is_some_and(|found| found.type_info().oid() == Some(T::OID));
    let read = if is_usual { row.try_get_unchecked(place) } else { row.try_get(place) };
    read.map_err(|error| match error {
        sqlx::Error::ColumnDecode { source, .. } => SqlError::Column { name: column.into(), reason: source.to_string() },
        other => other.into(),
    })
}

/// `COUNT(*)` is a BIGINT but literals and small columns are not: every integer width is accepted.
fn postgres_int(row: &PgRow, at: (usize, &str)) -> Result<Option<i64>, SqlError> {
    postgres::<i64>(row, at).or_else(|wide| match row.try_get::<Option<i32>, _>(at.0) {
        Ok(value) => Ok(value.map(i64::from)),
        Err(_) => match row.try_get::<Option<i16>, _>(at.0) {
            Ok(value) => Ok(value.map(i64::from)),
            Err(_) => Err(wide),
        },
    })
}

fn uuid(column: &str, bytes: &[u8]) -> Result<Uuid, SqlError> {
    Uuid::from_slice(bytes).map_err(|error| SqlError::Column { name: column.into(), reason: error.to_string() })
}

fn parse_date(column: &str, text: &str) -> Result<NaiveDate, SqlError> {
    text.parse().map_err(|_| SqlError::Column { name: column.into(), reason: format!("{text:?} is not a date") })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_found_wherever_the_one_before_it_was() {
        let names = ["a", "b", "c"];
        for (next, name, found) in
            [(0, "a", Some(0)), (1, "b", Some(1)), (3, "c", Some(2)), (2, "a", Some(0)), (1, "c", Some(2)), (1, "d", None), (9, "d", None)]
        {
            assert_eq!(place(&names, next, |one| *one == name), found, "{name} after {next}");
        }
    }
}
