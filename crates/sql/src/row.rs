//! Rows read by column name.

use chrono::{DateTime, NaiveDate, Utc};
use sqlx::Row as _;
use sqlx::postgres::PgRow;
use uuid::Uuid;

use crate::SqlError;
use crate::sqlite::SqliteRow;

/// One row of a result. Every getter fails with [`SqlError::Column`] when the column is not there, is of another
/// kind, or is NULL where the getter is not an `opt_` one.
pub struct Row(pub(crate) Inner);

pub(crate) enum Inner {
    Sqlite(SqliteRow),
    Postgres(PgRow),
}

macro_rules! getters {
    ($($(#[$doc:meta])* $name:ident, $optional:ident: $type:ty;)*) => {
        $(
            $(#[$doc])*
            pub fn $name(&self, column: &str) -> Result<$type, SqlError> {
                self.$optional(column)?.ok_or_else(|| SqlError::Column { name: column.into(), reason: "is null".into() })
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
        match &self.0 {
            Inner::Sqlite(row) => row.int(column),
            Inner::Postgres(row) => postgres_int(row, column),
        }
    }

    pub fn opt_text(&self, column: &str) -> Result<Option<String>, SqlError> {
        match &self.0 {
            Inner::Sqlite(row) => Ok(row.text(column)?.map(str::to_owned)),
            Inner::Postgres(row) => Ok(row.try_get(column)?),
        }
    }

    pub fn opt_bytes(&self, column: &str) -> Result<Option<Vec<u8>>, SqlError> {
        match &self.0 {
            Inner::Sqlite(row) => Ok(row.bytes(column)?.map(<[u8]>::to_vec)),
            Inner::Postgres(row) => Ok(row.try_get(column)?),
        }
    }

    pub fn opt_bool(&self, column: &str) -> Result<Option<bool>, SqlError> {
        match &self.0 {
            Inner::Sqlite(row) => Ok(row.int(column)?.map(|value| value != 0)),
            Inner::Postgres(row) => Ok(row.try_get(column)?),
        }
    }

    pub fn opt_uuid(&self, column: &str) -> Result<Option<Uuid>, SqlError> {
        match &self.0 {
            Inner::Sqlite(row) => row.bytes(column)?.map(|bytes| uuid(column, bytes)).transpose(),
            Inner::Postgres(row) => Ok(row.try_get(column)?),
        }
    }

    pub fn opt_date(&self, column: &str) -> Result<Option<NaiveDate>, SqlError> {
        match &self.0 {
            Inner::Sqlite(row) => row.text(column)?.map(|text| parse_date(column, text)).transpose(),
            Inner::Postgres(row) => Ok(row.try_get(column)?),
        }
    }

    pub fn opt_instant(&self, column: &str) -> Result<Option<DateTime<Utc>>, SqlError> {
        match &self.0 {
            Inner::Sqlite(row) => match row.int(column)? {
                Some(micros) => DateTime::from_timestamp_micros(micros)
                    .map(Some)
                    .ok_or_else(|| SqlError::Column { name: column.into(), reason: "instant out of range".into() }),
                None => Ok(None),
            },
            Inner::Postgres(row) => Ok(row.try_get(column)?),
        }
    }
}

/// `COUNT(*)` is a BIGINT but literals and small columns are not: every integer width is accepted.
fn postgres_int(row: &PgRow, column: &str) -> Result<Option<i64>, SqlError> {
    match row.try_get::<Option<i64>, _>(column) {
        Ok(value) => Ok(value),
        Err(wide) => match row.try_get::<Option<i32>, _>(column) {
            Ok(value) => Ok(value.map(i64::from)),
            Err(_) => match row.try_get::<Option<i16>, _>(column) {
                Ok(value) => Ok(value.map(i64::from)),
                Err(_) => Err(wide.into()),
            },
        },
    }
}

fn uuid(column: &str, bytes: &[u8]) -> Result<Uuid, SqlError> {
    Uuid::from_slice(bytes).map_err(|error| SqlError::Column { name: column.into(), reason: error.to_string() })
}

fn parse_date(column: &str, text: &str) -> Result<NaiveDate, SqlError> {
    text.parse().map_err(|_| SqlError::Column { name: column.into(), reason: format!("{text:?} is not a date") })
}
