//! Tables that a service keeps as a consumer: places, streams, archive, parked streams, read model builds, and the relay's lease.
//!
//! They live in the service's own database, because they move in the same transaction as the effects.

use sql::Migration;

/// All migrations of this module, in the order of their versions.
pub const MIGRATIONS: &[Migration] = &[
    Migration { version: 1, name: "consumer_0001_places", sqlite: PLACES_SQLITE, postgres: PLACES_POSTGRES },
    Migration { version: 2, name: "consumer_0002_archive", sqlite: ARCHIVE_SQLITE, postgres: ARCHIVE_POSTGRES },
    Migration { version: 3, name: "consumer_0003_parked", sqlite: PARKED_SQLITE, postgres: PARKED_POSTGRES },
    Migration { version: 4, name: "consumer_0004_projections", sqlite: PROJECTIONS, postgres: PROJECTIONS },
    Migration { version: 5, name: "consumer_0005_relay", sqlite: RELAY, postgres: RELAY },
];

const PLACES_SQLITE: &str = "
CREATE TABLE consumer_offset (
    consumer TEXT NOT NULL, topic TEXT NOT NULL, part BIGINT NOT NULL, next_offset BIGINT NOT NULL,
    PRIMARY KEY (consumer, topic, part)
);
CREATE TABLE consumer_stream (
    consumer TEXT NOT NULL, topic TEXT NOT NULL, stream TEXT NOT NULL, version BIGINT NOT NULL, parked BIGINT NOT NULL,
    PRIMARY KEY (consumer, topic, stream)
) WITHOUT ROWID;
";

const PLACES_POSTGRES: &str = "
CREATE TABLE consumer_offset (
    consumer TEXT NOT NULL, topic TEXT NOT NULL, part BIGINT NOT NULL, next_offset BIGINT NOT NULL,
    PRIMARY KEY (consumer, topic, part)
);
CREATE TABLE consumer_stream (
    consumer TEXT NOT NULL, topic TEXT NOT NULL, stream TEXT NOT NULL, version BIGINT NOT NULL, parked BIGINT NOT NULL,
    PRIMARY KEY (consumer, topic, stream)
);
";

// state: 0 applied, 1 queued behind a parked stream, 2 skipped by a person.
const ARCHIVE_SQLITE: &str = "
CREATE TABLE consumer_archive (
    consumer TEXT NOT NULL, topic TEXT NOT NULL, part BIGINT NOT NULL, at_offset BIGINT NOT NULL, state BIGINT NOT NULL,
    stream TEXT NOT NULL, version BIGINT NOT NULL, position BIGINT NOT NULL, event_id BLOB NOT NULL,
    event_type TEXT NOT NULL, schema_version BIGINT NOT NULL, tenant TEXT NOT NULL, routing_key TEXT NOT NULL,
    recorded_at INTEGER NOT NULL, occurred_at INTEGER, effective_on TEXT, command_id TEXT,
    correlation_id BLOB, causation_id BLOB, traceparent TEXT, payload BLOB NOT NULL,
    PRIMARY KEY (consumer, topic, part, at_offset)
);
CREATE INDEX consumer_archive_queued ON consumer_archive (consumer, topic, stream, version) WHERE state = 1;
";

const ARCHIVE_POSTGRES: &str = "
CREATE TABLE consumer_archive (
    consumer TEXT NOT NULL, topic TEXT NOT NULL, part BIGINT NOT NULL, at_offset BIGINT NOT NULL, state BIGINT NOT NULL,
    stream TEXT NOT NULL, version BIGINT NOT NULL, position BIGINT NOT NULL, event_id UUID NOT NULL,
    event_type TEXT NOT NULL, schema_version BIGINT NOT NULL, tenant TEXT NOT NULL, routing_key TEXT NOT NULL,
    recorded_at TIMESTAMPTZ NOT NULL, occurred_at TIMESTAMPTZ, effective_on DATE, command_id TEXT,
    correlation_id UUID, causation_id UUID, traceparent TEXT, payload BYTEA NOT NULL,
    PRIMARY KEY (consumer, topic, part, at_offset)
);
CREATE INDEX consumer_archive_queued ON consumer_archive (consumer, topic, stream, version) WHERE state = 1;
";

// request: what a person asked for ('retry', 'skip'); the consumer carries it out and clears it.
const PARKED_SQLITE: &str = "
CREATE TABLE parked_stream (
    consumer TEXT NOT NULL, topic TEXT NOT NULL, part BIGINT NOT NULL, stream TEXT NOT NULL,
    version BIGINT NOT NULL, event_type TEXT NOT NULL, reason TEXT NOT NULL, attempts BIGINT NOT NULL,
    since INTEGER NOT NULL, request TEXT, PRIMARY KEY (consumer, topic, stream)
);
CREATE TABLE parking_audit (
    id BLOB NOT NULL PRIMARY KEY, consumer TEXT NOT NULL, topic TEXT NOT NULL, stream TEXT NOT NULL, version BIGINT NOT NULL,
    action TEXT NOT NULL, actor TEXT NOT NULL, reason TEXT NOT NULL, at INTEGER NOT NULL
);
";

const PARKED_POSTGRES: &str = "
CREATE TABLE parked_stream (
    consumer TEXT NOT NULL, topic TEXT NOT NULL, part BIGINT NOT NULL, stream TEXT NOT NULL,
    version BIGINT NOT NULL, event_type TEXT NOT NULL, reason TEXT NOT NULL, attempts BIGINT NOT NULL,
    since TIMESTAMPTZ NOT NULL, request TEXT, PRIMARY KEY (consumer, topic, stream)
);
CREATE TABLE parking_audit (
    id UUID NOT NULL PRIMARY KEY, consumer TEXT NOT NULL, topic TEXT NOT NULL, stream TEXT NOT NULL, version BIGINT NOT NULL,
    action TEXT NOT NULL, actor TEXT NOT NULL, reason TEXT NOT NULL, at TIMESTAMPTZ NOT NULL
);
";

// projection_live says which build readers see; a build that is not live has its own places in projection_offset.
const PROJECTIONS: &str = "
CREATE TABLE projection_live (
    consumer TEXT NOT NULL, name TEXT NOT NULL, build BIGINT NOT NULL, version BIGINT NOT NULL, suffix TEXT NOT NULL,
    PRIMARY KEY (consumer, name)
);
CREATE TABLE projection_build (
    consumer TEXT NOT NULL, name TEXT NOT NULL, build BIGINT NOT NULL, version BIGINT NOT NULL, suffix TEXT NOT NULL,
    tables TEXT NOT NULL, state TEXT NOT NULL, PRIMARY KEY (consumer, name, build)
);
CREATE TABLE projection_offset (
    consumer TEXT NOT NULL, name TEXT NOT NULL, build BIGINT NOT NULL, topic TEXT NOT NULL, part BIGINT NOT NULL,
    next_offset BIGINT NOT NULL, PRIMARY KEY (consumer, name, build, topic, part)
);
";

const RELAY: &str = "
CREATE TABLE lease (
    name TEXT NOT NULL PRIMARY KEY, epoch BIGINT NOT NULL, beat BIGINT NOT NULL, holder TEXT NOT NULL
);
CREATE TABLE relay_cursor (
    topic TEXT NOT NULL PRIMARY KEY, position BIGINT NOT NULL
);
";
