//! Transactions over SQLite or PostgreSQL, with one SQL text for both.
//!
//! The only crate that knows sqlx and rusqlite, and the only place that opens transactions. Callers write SQL with `$1`
//! placeholders and typed [`Value`]s, read [`Row`]s by column name, and write many rows at once with
//! [`Tx::bulk_insert`] and [`Tx::bulk_upsert`] (a statement for some rows each on SQLite, `UNNEST` on PostgreSQL).
//!
//! How a [`Kind`] is stored:
//!
//! | kind | SQLite | PostgreSQL |
//! |---|---|---|
//! | `Int` | `INTEGER` | `BIGINT` |
//! | `Text` | `TEXT` | `TEXT` |
//! | `Bytes` | `BLOB` | `BYTEA` |
//! | `Bool` | `INTEGER` 0 or 1 | `BOOLEAN` |
//! | `Uuid` | `BLOB`, 16 bytes | `UUID` |
//! | `Date` | `TEXT`, `YYYY-MM-DD` | `DATE` |
//! | `Instant` | `INTEGER`, microseconds since 1970 UTC | `TIMESTAMPTZ` |
//!
//! Aggregates: PostgreSQL's `SUM(bigint)` is `NUMERIC`; write `CAST(SUM(x) AS BIGINT)`, which both accept.

mod bulk;
mod db;
mod error;
mod keys;
mod migrate;
mod postgres;
mod row;
mod server;
mod sqlite;
mod tx;
mod unsent;
mod value;

pub use bulk::Rows;
pub use db::{Db, Dialect, Durability, STATEMENT_DEADLINE};
pub use error::SqlError;
pub use keys::Keys;
pub use migrate::Migration;
pub use row::Row;
pub use server::Server;
pub use tx::{Step, Tx};
pub use value::{Column, Kind, Value};
