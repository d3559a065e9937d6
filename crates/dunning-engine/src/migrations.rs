//! Own tables beside those of the event log.

use sql::Migration;

/// Migrations of this service.
pub const MIGRATIONS: &[Migration] = &[
    Migration {
        version: 1101,
        name: "policy streams",
        // The log is read by stream name: this is where the names are.
        sqlite: "CREATE TABLE policy_stream (stream TEXT NOT NULL PRIMARY KEY) WITHOUT ROWID",
        postgres: "CREATE TABLE policy_stream (stream TEXT NOT NULL PRIMARY KEY)",
    },
    Migration {
        version: 1102,
        name: "place of the executor of actions",
        sqlite: "CREATE TABLE action_place (name TEXT NOT NULL PRIMARY KEY, position INTEGER NOT NULL) WITHOUT ROWID",
        postgres: "CREATE TABLE action_place (name TEXT NOT NULL PRIMARY KEY, position BIGINT NOT NULL)",
    },
];
