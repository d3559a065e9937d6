//! The log in SQL, the same text for both databases.

use std::sync::Arc;

use chrono::{DateTime, Utc};
use sql::{Column, Db, Dialect, Keys, Kind, Rows, SqlError, Step, Tx, Value};

use crate::event::{Recorded, Told};
use crate::log::lookup::{Ask, Lookup, StoredCommand};
use crate::log::plan::Staged;
use crate::log::record::{COLUMNS, SELECT, SELECT_TOLD, from_row, int, told_from_row, unsigned};
use crate::log::rows::Made;
use crate::log::{LogError, StoreError};
use crate::timers;

const STREAM: &[Column] = &[Column::new("stream", Kind::Text)];
const STREAM_AFTER: &[Column] = &[Column::new("stream", Kind::Text), Column::new("after_version", Kind::Int)];
const COMMAND_NAME: &[Column] = &[Column::new("tenant", Kind::Text), Column::new("command_id", Kind::Text)];
const CLAIM_NAME: &[Column] = &[Column::new("tenant", Kind::Text), Column::new("kind", Kind::Text), Column::new("claim_key", Kind::Text)];
/// The columns of `commands`, in the order in which a command's id and answer are stored.
pub const COMMANDS: &[Column] = &[
    Column::new("tenant", Kind::Text),
    Column::new("command_id", Kind::Text),
    Column::new("body_hash", Kind::Bytes),
    Column::new("stream", Kind::Text),
    Column::new("first_version", Kind::Int),
    Column::new("last_version", Kind::Int),
    Column::new("last_position", Kind::Int),
    Column::new("answer", Kind::Bytes),
];
/// The columns of `claims`, in the order in which a name is stored.
pub const CLAIMS: &[Column] = &[
    Column::new("tenant", Kind::Text),
    Column::new("kind", Kind::Text),
    Column::new("claim_key", Kind::Text),
    Column::new("stream", Kind::Text),
];

/// All questions of a batch in one table: which one, and up to three names.
const ASKED: &[Column] =
    &[Column::new("part", Kind::Int), Column::new("a", Kind::Text), Column::new("b", Kind::Text), Column::new("c", Kind::Text)];
const VERSION: i64 = 1;
const COMMAND: i64 = 2;
const CLAIM: i64 = 3;

/// Locks the head and looks up what a batch needs, in statements of their own: the snapshot of a statement on PostgreSQL is older than the
/// wait for its lock.
pub(crate) async fn lock_and_look_up(tx: &mut Tx, dialect: Option<Dialect>, ask: &Ask) -> Result<(u64, Lookup), LogError> {
    let mut steps = vec![ask_head(dialect)];
    match dialect {
        // Each statement is a way to the server and back.
        Some(Dialect::Postgres) => steps.push(ask_all(ask)),
        Some(Dialect::Sqlite) | None => {
            steps.extend((!ask.streams.is_empty()).then(|| ask_versions(ask)));
            steps.extend((!ask.commands.is_empty()).then(|| ask_commands(ask)));
            steps.extend((!ask.claims.is_empty()).then(|| ask_claims(ask)));
        }
    }
    let mut answers = tx.in_turn(steps).await?.into_iter().map(|(_, rows)| rows);
    let heads = answers.next().unwrap_or_default();
    let head = heads.first().ok_or_else(|| LogError::Corrupt("log_head has no row".into()))?;
    let head = unsigned(head.int("position")?);
    let mut found = Lookup::default();
    for row in answers.flatten() {
        take_in(&mut found, &row)?;
    }
    Ok((head, found))
}

/// Takes in one answer.
fn take_in(found: &mut Lookup, row: &sql::Row) -> Result<(), LogError> {
    match row.int("part")? {
        VERSION => {
            if let Some(version) = row.opt_int("version")? {
                found.versions.insert(row.text("stream")?, unsigned(version));
            }
        }
        COMMAND => {
            let stored = StoredCommand {
                body_hash: row.bytes("body_hash")?,
                stream: row.text("stream")?,
                first_version: unsigned(row.int("first_version")?),
                last_version: unsigned(row.int("last_version")?),
                last_position: unsigned(row.int("last_position")?),
                answer: row.bytes("answer")?,
            };
            found.commands.insert(&row.text("tenant")?, row.text("name")?, Arc::new(stored));
        }
        _ => {
            let name = (row.text("tenant")?, row.text("kind")?.into(), row.text("name")?);
            found.claims.insert(Arc::new(name), row.text("stream")?.into());
        }
    }
    Ok(())
}

/// All questions in one statement, for PostgreSQL.
fn ask_all(ask: &Ask) -> Step<'static> {
    let sql = "WITH k AS MATERIALIZED (SELECT * FROM {keys} asked) \
               SELECT k.part, k.a AS stream, (SELECT MAX(e.version) FROM events e WHERE e.stream = k.a) AS version, NULL::TEXT AS tenant, \
               NULL::TEXT AS kind, NULL::TEXT AS name, NULL::BYTEA AS body_hash, NULL::BIGINT AS first_version, NULL::BIGINT AS last_version, \
               NULL::BIGINT AS last_position, NULL::BYTEA AS answer FROM k WHERE k.part = 1 \
               UNION ALL SELECT k.part, c.stream, NULL, c.tenant, NULL, c.command_id, c.body_hash, c.first_version, c.last_version, \
               c.last_position, c.answer FROM k CROSS JOIN LATERAL \
               (SELECT * FROM commands c WHERE c.tenant = k.a AND c.command_id = k.b OFFSET 0) c WHERE k.part = 2 \
               UNION ALL SELECT k.part, c.stream, NULL, c.tenant, c.kind, c.claim_key, NULL, NULL, NULL, NULL, NULL FROM k CROSS JOIN LATERAL \
               (SELECT * FROM claims c WHERE c.tenant = k.a AND c.kind = k.b AND c.claim_key = k.c OFFSET 0) c WHERE k.part = 3";
    let row = |part: i64, a: &str, b: &str, c: &str| vec![part.into(), a.into(), b.into(), c.into()];
    let versions = ask.streams.iter().map(|stream| row(VERSION, stream, "", ""));
    let commands = ask.commands.iter().map(|(tenant, id)| row(COMMAND, tenant, id, ""));
    let claims = ask.claims.iter().map(|(tenant, kind, key)| row(CLAIM, tenant, kind, key));
    Step { sql, args: Vec::new(), keys: Some(Keys { columns: ASKED, rows: versions.chain(commands).chain(claims).collect() }) }
}

fn ask_head(dialect: Option<Dialect>) -> Step<'static> {
    // A SQLite transaction that began IMMEDIATE has the whole file; its dialect has no FOR UPDATE.
    let sql = match dialect {
        Some(Dialect::Postgres) => "SELECT position FROM log_head WHERE id = 1 FOR UPDATE",
        Some(Dialect::Sqlite) | None => "SELECT position FROM log_head WHERE id = 1",
    };
    Step { sql, args: Vec::new(), keys: None }
}

fn ask_versions(ask: &Ask) -> Step<'static> {
    let sql =
        "SELECT 1 AS part, k.stream AS stream, (SELECT MAX(e.version) FROM events e WHERE e.stream = k.stream) AS version FROM {keys} k";
    let rows = ask.streams.iter().map(|stream| vec![stream.as_str().into()]).collect();
    Step { sql, args: Vec::new(), keys: Some(Keys { columns: STREAM, rows }) }
}

fn ask_commands(ask: &Ask) -> Step<'static> {
    let sql = "SELECT 2 AS part, c.tenant, c.command_id AS name, c.body_hash, c.stream, c.first_version, c.last_version, c.last_position, c.answer \
               FROM {keys} k CROSS JOIN commands c WHERE c.tenant = k.tenant AND c.command_id = k.command_id";
    let rows = ask.commands.iter().map(|(tenant, id)| vec![tenant.as_str().into(), id.as_str().into()]).collect();
    Step { sql, args: Vec::new(), keys: Some(Keys { columns: COMMAND_NAME, rows }) }
}

fn ask_claims(ask: &Ask) -> Step<'static> {
    let sql = "SELECT 3 AS part, c.tenant, c.kind, c.claim_key AS name, c.stream FROM {keys} k CROSS JOIN claims c \
               WHERE c.tenant = k.tenant AND c.kind = k.kind AND c.claim_key = k.claim_key";
    let rows = ask.claims.iter().map(|(tenant, kind, key)| vec![tenant.as_str().into(), kind.as_ref().into(), key.as_str().into()]);
    Step { sql, args: Vec::new(), keys: Some(Keys { columns: CLAIM_NAME, rows: rows.collect() }) }
}

/// Locks the head where it was presumed to be, and moves it behind the events of the batch, in a statement of its own: on PostgreSQL it
/// waits for whoever has the head and then looks again, and what follows sees all that is committed.
pub(crate) async fn take_head(tx: &mut Tx, presumed: u64, staged: &Staged) -> Result<(), LogError> {
    let Some(last) = staged.events.last() else { return Ok(()) };
    let sql = "UPDATE log_head SET position = $1 WHERE id = 1 AND position = $2";
    Ok(tx.require(sql, &[int(last.position), int(presumed)]).await?)
}

/// Locks the head where it was presumed to be. It waits for whoever has it, and then looks again.
pub(crate) async fn hold_head(tx: &mut Tx, presumed: u64) -> Result<(), LogError> {
    let sql = "SELECT position FROM log_head WHERE id = 1 AND position = $1 FOR UPDATE";
    let held = tx.query(sql, &[int(presumed)]).await?;
    if held.is_empty() { Err(SqlError::Busy("the head of the log is elsewhere".into()).into()) } else { Ok(()) }
}

/// Sends the rows that are made, and timers; nobody waits for their end.
pub(crate) async fn send_ahead(tx: &mut Tx, staged: &mut Staged, now: DateTime<Utc>) -> Result<(), LogError> {
    tx.insert_ahead(rows(staged)).await?;
    // The database works by now; these go with what comes next. On PostgreSQL, where they would be waited for, there are none.
    timers::store::write(tx, staged.timers_to_send(), now).await?;
    staged.timers_sent = staged.timers.len();
    Ok(())
}

/// The rows that are made.
fn rows(staged: &mut Staged) -> Vec<Rows<'static>> {
    let Made { events, commands, claims } = staged.take_rows();
    vec![
        Rows { table: "events", columns: COLUMNS, rows: events },
        Rows { table: "commands", columns: COMMANDS, rows: commands },
        Rows { table: "claims", columns: CLAIMS, rows: claims },
    ]
}

/// Writes everything that a batch staged; the head too, unless it has been moved.
pub(crate) async fn write(tx: &mut Tx, staged: &mut Staged, now: DateTime<Utc>, head_moved: bool) -> Result<(), StoreError> {
    write_events(tx, staged, head_moved).await?;
    timers::store::write(tx, staged.timers_to_send(), now).await?;
    if !staged.side.is_empty() {
        // Whatever fails from here on is a side row's own fault.
        tx.flush().await.map_err(LogError::from)?;
    }
    for (ticket, statement) in &staged.side {
        match tx.execute(&statement.sql, &statement.args).await {
            Ok(_) => {}
            Err(error) if error.is_transient() => return Err(LogError::from(error).into()),
            Err(error) => return Err(StoreError::Side { ticket: *ticket, reason: error.to_string() }),
        }
    }
    Ok(())
}

/// Events, the names of their commands and their claims, and the head.
async fn write_events(tx: &mut Tx, staged: &mut Staged, head_moved: bool) -> Result<(), LogError> {
    staged.make_rows();
    let Some(last) = staged.events.last() else { return Ok(tx.bulk_insert_all(rows(staged), None).await?) };
    // Its one row is locked.
    let position = [int(last.position)];
    let head = (!head_moved).then_some(("UPDATE log_head SET position = $1 WHERE id = 1", position.as_slice()));
    Ok(tx.bulk_insert_all(rows(staged), head).await?)
}

pub(crate) async fn read(db: &Db, after_position: u64, limit: usize) -> Result<Vec<Recorded>, LogError> {
    let sql = format!("SELECT {SELECT} FROM events e WHERE e.position > $1 ORDER BY e.position LIMIT $2");
    let rows = db.query(&sql, &[int(after_position), int(limit as u64)]).await?;
    Ok(rows.into_iter().map(from_row).collect::<Result<_, _>>()?)
}

/// Events of streams after versions: these columns of them.
fn streams_query(streams: &[(String, u64)], select: &str) -> (String, Keys<'static>) {
    // The stream's own columns come first in the index, so each key is one range of it.
    let sql = format!(
        "SELECT {select} FROM {{keys}} k CROSS JOIN events e WHERE e.stream = k.stream AND e.version > k.after_version ORDER BY e.position"
    );
    let rows: Vec<Vec<Value>> = streams.iter().map(|(stream, after)| vec![stream.as_str().into(), int(*after)]).collect();
    (sql, Keys { columns: STREAM_AFTER, rows })
}

pub(crate) async fn read_streams(db: &Db, streams: &[(String, u64)]) -> Result<Vec<Recorded>, LogError> {
    let (sql, keys) = streams_query(streams, SELECT);
    let rows = db.query_keyed(&sql, keys, &[]).await?;
    Ok(rows.into_iter().map(from_row).collect::<Result<_, _>>()?)
}

pub(crate) async fn told(db: &Db, streams: &[(String, u64)]) -> Result<Vec<Told>, LogError> {
    let (sql, keys) = streams_query(streams, SELECT_TOLD);
    let rows = db.query_keyed(&sql, keys, &[]).await?;
    Ok(rows.into_iter().map(told_from_row).collect::<Result<_, _>>()?)
}

pub(crate) async fn told_in(tx: &mut Tx, streams: &[(String, u64)]) -> Result<Vec<Told>, LogError> {
    let (sql, keys) = streams_query(streams, SELECT_TOLD);
    let rows = tx.query_keyed(&sql, keys, &[]).await?;
    Ok(rows.into_iter().map(told_from_row).collect::<Result<_, _>>()?)
}

pub(crate) async fn head(db: &Db) -> Result<u64, LogError> {
    let rows = db.query("SELECT position FROM log_head WHERE id = 1", &[]).await?;
    let row = rows.first().ok_or_else(|| LogError::Corrupt("log_head has no row".into()))?;
    Ok(unsigned(row.int("position")?))
}

pub(crate) async fn claimed(db: &Db, tenant: &str, kind: &str, key: &str) -> Result<Option<String>, LogError> {
    let sql = "SELECT stream FROM claims WHERE tenant = $1 AND kind = $2 AND claim_key = $3";
    let rows = db.query(sql, &[tenant.into(), kind.into(), key.into()]).await?;
    Ok(rows.first().map(|row| row.text("stream")).transpose()?)
}
