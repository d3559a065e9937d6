//! Typed arguments and column kinds.

use chrono::{DateTime, NaiveDate, Utc};
use uuid::Uuid;

use crate::Dialect;

/// One argument of a statement. An optional value keeps its type when it is absent, because PostgreSQL needs
/// the type of a NULL. Instants keep microseconds; finer parts are cut off when they are stored.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[allow(missing_docs)]
pub enum Value {
    Int(i64),
    OptInt(Option<i64>),
    Text(String),
    OptText(Option<String>),
    Bytes(Vec<u8>),
    OptBytes(Option<Vec<u8>>),
    Bool(bool),
    OptBool(Option<bool>),
    Uuid(Uuid),
    OptUuid(Option<Uuid>),
    Date(NaiveDate),
    OptDate(Option<NaiveDate>),
    Instant(DateTime<Utc>),
    OptInstant(Option<DateTime<Utc>>),
}

impl Value {
    /// The kind of column this value fits.
    pub fn kind(&self) -> Kind {
        match self {
            Value::Int(_) | Value::OptInt(_) => Kind::Int,
            Value::Text(_) | Value::OptText(_) => Kind::Text,
            Value::Bytes(_) | Value::OptBytes(_) => Kind::Bytes,
            Value::Bool(_) | Value::OptBool(_) => Kind::Bool,
            Value::Uuid(_) | Value::OptUuid(_) => Kind::Uuid,
            Value::Date(_) | Value::OptDate(_) => Kind::Date,
            Value::Instant(_) | Value::OptInstant(_) => Kind::Instant,
        }
    }
}

macro_rules! value_from {
    ($($from:ty => $variant:ident),* $(,)?) => {
        $(impl From<$from> for Value {
            fn from(value: $from) -> Self {
                Value::$variant(value.into())
            }
        })*
    };
}

value_from! {
    i64 => Int, i32 => Int, u32 => Int,
    String => Text, &str => Text, &String => Text,
    Vec<u8> => Bytes, &[u8] => Bytes, [u8; 32] => Bytes,
    bool => Bool, Uuid => Uuid, NaiveDate => Date, DateTime<Utc> => Instant,
    Option<i64> => OptInt, Option<String> => OptText, Option<Vec<u8>> => OptBytes, Option<bool> => OptBool,
    Option<Uuid> => OptUuid, Option<NaiveDate> => OptDate, Option<DateTime<Utc>> => OptInstant,
}

/// What a column holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[allow(missing_docs)]
pub enum Kind {
    Int,
    Text,
    Bytes,
    Bool,
    Uuid,
    Date,
    Instant,
}

impl Kind {
    /// The column type in `CREATE TABLE` and in casts.
    pub const fn sql_type(self, dialect: Dialect) -> &'static str {
        match (dialect, self) {
            (Dialect::Sqlite, Kind::Int | Kind::Bool | Kind::Instant) => "INTEGER",
            (Dialect::Sqlite, Kind::Text | Kind::Date) => "TEXT",
            (Dialect::Sqlite, Kind::Bytes | Kind::Uuid) => "BLOB",
            (Dialect::Postgres, Kind::Int) => "BIGINT",
            (Dialect::Postgres, Kind::Text) => "TEXT",
            (Dialect::Postgres, Kind::Bytes) => "BYTEA",
            (Dialect::Postgres, Kind::Bool) => "BOOLEAN",
            (Dialect::Postgres, Kind::Uuid) => "UUID",
            (Dialect::Postgres, Kind::Date) => "DATE",
            (Dialect::Postgres, Kind::Instant) => "TIMESTAMPTZ",
        }
    }
}

/// A column of a declared table.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Column {
    /// Lower snake case; valid unquoted in both databases.
    pub name: &'static str,
    /// What it holds.
    pub kind: Kind,
    /// Whether NULL is allowed.
    pub nullable: bool,
}

impl Column {
    /// A column that is never NULL.
    pub const fn new(name: &'static str, kind: Kind) -> Column {
        Column { name, kind, nullable: false }
    }

    /// A column that may be NULL.
    pub const fn optional(name: &'static str, kind: Kind) -> Column {
        Column { name, kind, nullable: true }
    }

    /// Its line in `CREATE TABLE`. Text is in the order of its bytes on both databases.
    pub fn definition(&self, dialect: Dialect) -> String {
        let null = if self.nullable { "" } else { " NOT NULL" };
        let order = if dialect == Dialect::Postgres && self.kind == Kind::Text { " COLLATE \"C\"" } else { "" };
        format!("{} {}{null}{order}", self.name, self.kind.sql_type(dialect))
    }
}
