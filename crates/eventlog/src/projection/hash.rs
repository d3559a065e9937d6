//! The canonical hash of a table: the same rows give the same hash on either database.
//!
//! SHA-256 over the rows in key order. A row is its columns in declared order; a column is one tag byte (0 = null, else its kind) and
//! its value: integers and instants (microseconds since 1970) as 8 bytes big-endian, booleans as one byte, dates as days since year 1
//! in 4 bytes, uuids as 16 bytes, text and bytes with a length of 4 bytes in front.

use chrono::Datelike;
use sha2::{Digest, Sha256};
use sql::{Column, Kind, Row, SqlError, Value};

use super::table::TableDef;

/// What `verify` compares: how many rows, and the hash over all of them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fingerprint {
    /// Rows over all tables of the projection.
    pub rows: u64,
    /// Hexadecimal SHA-256 over all tables in declared order.
    pub hash: String,
}

/// Collects rows, in key order, table after table.
#[derive(Default)]
pub struct Hasher {
    rows: u64,
    digest: Sha256,
    buffer: Vec<u8>,
}

impl Hasher {
    /// Starts a table: its name and columns are part of the hash.
    pub fn table(&mut self, table: &TableDef) {
        self.digest.update(table.name.as_bytes());
        for column in table.columns {
            self.digest.update([0, tag(column.kind), u8::from(column.nullable)]);
            self.digest.update(column.name.as_bytes());
        }
    }

    /// Adds a row whose values stand in the declared order of columns.
    pub fn row(&mut self, values: &[Value]) {
        self.buffer.clear();
        for value in values {
            encode(value, &mut self.buffer);
        }
        self.digest.update(&self.buffer);
        self.rows += 1;
    }

    /// The fingerprint of everything added.
    pub fn finish(self) -> Fingerprint {
        Fingerprint { rows: self.rows, hash: hex::encode(self.digest.finalize()) }
    }
}

/// Reads one row as values in declared order.
///
/// # Errors
/// A column that is missing or holds another kind.
pub fn values_of(row: &Row, columns: &[Column]) -> Result<Vec<Value>, SqlError> {
    columns.iter().map(|column| value_of(row, column)).collect()
}

fn value_of(row: &Row, column: &Column) -> Result<Value, SqlError> {
    let name = column.name;
    Ok(match (column.kind, column.nullable) {
        (Kind::Int, false) => Value::Int(row.int(name)?),
        (Kind::Int, true) => Value::OptInt(row.opt_int(name)?),
        (Kind::Text, false) => Value::Text(row.text(name)?),
        (Kind::Text, true) => Value::OptText(row.opt_text(name)?),
        (Kind::Bytes, false) => Value::Bytes(row.bytes(name)?),
        (Kind::Bytes, true) => Value::OptBytes(row.opt_bytes(name)?),
        (Kind::Bool, false) => Value::Bool(row.bool(name)?),
        (Kind::Bool, true) => Value::OptBool(row.opt_bool(name)?),
        (Kind::Uuid, false) => Value::Uuid(row.uuid(name)?),
        (Kind::Uuid, true) => Value::OptUuid(row.opt_uuid(name)?),
        (Kind::Date, false) => Value::Date(row.date(name)?),
        (Kind::Date, true) => Value::OptDate(row.opt_date(name)?),
        (Kind::Instant, false) => Value::Instant(row.instant(name)?),
        (Kind::Instant, true) => Value::OptInstant(row.opt_instant(name)?),
    })
}

fn tag(kind: Kind) -> u8 {
    match kind {
        Kind::Int => 1,
        Kind::Text => 2,
        Kind::Bytes => 3,
        Kind::Bool => 4,
        Kind::Uuid => 5,
        Kind::Date => 6,
        Kind::Instant => 7,
    }
}

fn encode(value: &Value, out: &mut Vec<u8>) {
    match value {
        Value::Int(n) | Value::OptInt(Some(n)) => fixed(out, Kind::Int, &n.to_be_bytes()),
        Value::Text(text) | Value::OptText(Some(text)) => variable(out, Kind::Text, text.as_bytes()),
        Value::Bytes(bytes) | Value::OptBytes(Some(bytes)) => variable(out, Kind::Bytes, bytes),
        Value::Bool(flag) | Value::OptBool(Some(flag)) => fixed(out, Kind::Bool, &[u8::from(*flag)]),
        Value::Uuid(id) | Value::OptUuid(Some(id)) => fixed(out, Kind::Uuid, id.as_bytes()),
        Value::Date(date) | Value::OptDate(Some(date)) => fixed(out, Kind::Date, &date.num_days_from_ce().to_be_bytes()),
        Value::Instant(at) | Value::OptInstant(Some(at)) => fixed(out, Kind::Instant, &at.timestamp_micros().to_be_bytes()),
        Value::OptInt(None)
        | Value::OptText(None)
        | Value::OptBytes(None)
        | Value::OptBool(None)
        | Value::OptUuid(None)
        | Value::OptDate(None)
        | Value::OptInstant(None) => out.push(0),
    }
}

fn fixed(out: &mut Vec<u8>, kind: Kind, bytes: &[u8]) {
    out.push(tag(kind));
    out.extend_from_slice(bytes);
}

fn variable(out: &mut Vec<u8>, kind: Kind, bytes: &[u8]) {
    out.push(tag(kind));
    // A value of four gigabytes does not fit into either database.
    out.extend_from_slice(&(bytes.len() as u32).to_be_bytes());
    out.extend_from_slice(bytes);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn encoded(value: Value) -> String {
        let mut out = Vec::new();
        encode(&value, &mut out);
        hex::encode(out)
    }

    #[test]
    fn values_have_one_encoding_for_ever() {
        let date = chrono::NaiveDate::from_ymd_opt(2026, 3, 10).unwrap();
        let cases = [
            (Value::Int(-2), "01fffffffffffffffe"),
            (Value::OptInt(None), "00"),
            (Value::OptInt(Some(5)), "010000000000000005"),
            (Value::Text("né".into()), "02000000036ec3a9"),
            (Value::Bool(true), "0401"),
            (Value::Date(date), "06000b4965"),
            (Value::OptDate(None), "00"),
        ];
        for (value, expected) in cases {
            assert_eq!(encoded(value), expected);
        }
    }

    #[test]
    fn text_that_moves_between_columns_changes_the_hash() {
        let hash = |a: &str, b: &str| {
            let mut hasher = Hasher::default();
            hasher.row(&[Value::Text(a.into()), Value::Text(b.into())]);
            hasher.finish().hash
        };
        assert_ne!(hash("ab", "c"), hash("a", "bc"));
    }
}
