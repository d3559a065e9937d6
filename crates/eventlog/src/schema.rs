//! Tables of the log itself.

use sql::Migration;

/// All migrations of the log.
pub const MIGRATIONS: &[Migration] = &[
    Migration { version: 1, name: "log_0001_events", sqlite: EVENTS_SQLITE, postgres: EVENTS_POSTGRES },
    Migration { version: 2, name: "log_0002_commands", sqlite: COMMANDS_SQLITE, postgres: COMMANDS_POSTGRES },
    Migration { version: 3, name: "log_0003_timers", sqlite: TIMERS_SQLITE, postgres: TIMERS_POSTGRES },
];

// log_head has one row. Whoever appends locks it, or moves it from where it was presumed, and holds it until the commit: that makes positions
// gapless and equal to the order of commits. The unique constraint on (stream, version) is the last guard; it speaks to whoever presumed
// and was wrong.
const EVENTS_SQLITE: &str = "
CREATE TABLE log_head (id INTEGER NOT NULL PRIMARY KEY CHECK (id = 1), position BIGINT NOT NULL);
INSERT INTO log_head (id, position) VALUES (1, 0);
CREATE TABLE events (
    position INTEGER NOT NULL PRIMARY KEY, event_id BLOB NOT NULL, stream TEXT NOT NULL, version BIGINT NOT NULL,
    event_type TEXT NOT NULL, schema_version BIGINT NOT NULL, tenant TEXT NOT NULL, routing_key TEXT NOT NULL,
    recorded_at INTEGER NOT NULL, occurred_at INTEGER, effective_on TEXT, command_id TEXT,
    correlation_id BLOB, causation_id BLOB, traceparent TEXT, payload BLOB NOT NULL,
    CONSTRAINT events_stream_version UNIQUE (stream, version)
);
";

const EVENTS_POSTGRES: &str = "
CREATE TABLE log_head (id BIGINT NOT NULL PRIMARY KEY CHECK (id = 1), position BIGINT NOT NULL) WITH (fillfactor = 10);
INSERT INTO log_head (id, position) VALUES (1, 0);
CREATE TABLE events (
    position BIGINT NOT NULL PRIMARY KEY, event_id UUID NOT NULL, stream TEXT NOT NULL, version BIGINT NOT NULL,
    event_type TEXT NOT NULL, schema_version BIGINT NOT NULL, tenant TEXT NOT NULL, routing_key TEXT NOT NULL,
    recorded_at TIMESTAMPTZ NOT NULL, occurred_at TIMESTAMPTZ, effective_on DATE, command_id TEXT,
    correlation_id UUID, causation_id UUID, traceparent TEXT, payload BYTEA NOT NULL,
    CONSTRAINT events_stream_version UNIQUE (stream, version)
);
";

// commands: what a repeated command gets again. claims: which stream owns a name.
const COMMANDS_SQLITE: &str = "
CREATE TABLE commands (
    tenant TEXT NOT NULL, command_id TEXT NOT NULL, body_hash BLOB NOT NULL, stream TEXT NOT NULL,
    first_version BIGINT NOT NULL, last_version BIGINT NOT NULL, last_position BIGINT NOT NULL, answer BLOB NOT NULL,
    PRIMARY KEY (tenant, command_id)
) WITHOUT ROWID;
CREATE TABLE claims (
    tenant TEXT NOT NULL, kind TEXT NOT NULL, claim_key TEXT NOT NULL, stream TEXT NOT NULL,
    PRIMARY KEY (tenant, kind, claim_key)
) WITHOUT ROWID;
";

const COMMANDS_POSTGRES: &str = "
CREATE TABLE commands (
    tenant TEXT NOT NULL, command_id TEXT NOT NULL, body_hash BYTEA NOT NULL, stream TEXT NOT NULL,
    first_version BIGINT NOT NULL, last_version BIGINT NOT NULL, last_position BIGINT NOT NULL, answer BYTEA NOT NULL,
    PRIMARY KEY (tenant, command_id)
);
CREATE TABLE claims (
    tenant TEXT NOT NULL, kind TEXT NOT NULL, claim_key TEXT NOT NULL, stream TEXT NOT NULL,
    PRIMARY KEY (tenant, kind, claim_key)
);
";

// One next timer per open track. generation is the version of the stream for which the timer was computed.
const TIMERS_SQLITE: &str = "
CREATE TABLE timers (
    stream TEXT NOT NULL, track TEXT NOT NULL, shard BIGINT NOT NULL, due_at INTEGER NOT NULL, generation BIGINT NOT NULL,
    tenant TEXT NOT NULL, routing_key TEXT NOT NULL, PRIMARY KEY (stream, track)
) WITHOUT ROWID;
CREATE INDEX timers_due ON timers (due_at, shard);
";

const TIMERS_POSTGRES: &str = "
CREATE TABLE timers (
    stream TEXT NOT NULL, track TEXT NOT NULL, shard BIGINT NOT NULL, due_at TIMESTAMPTZ NOT NULL, generation BIGINT NOT NULL,
    tenant TEXT NOT NULL, routing_key TEXT NOT NULL, PRIMARY KEY (stream, track)
);
CREATE INDEX timers_due ON timers (due_at, shard);
";
