//! Timers in SQL.

use std::collections::HashSet;

use chrono::{DateTime, Utc};
use sql::{Column, Db, Keys, Kind, SqlError, Tx, Value};

use super::{Next, StoredTimer, TimerChange};
use crate::log::LogError;
use crate::log::record::{int, unsigned};

const STREAM: &[Column] = &[Column::new("stream", Kind::Text)];
const COLUMNS: &[Column] = &[
    Column::new("stream", Kind::Text),
    Column::new("track", Kind::Text),
    Column::new("shard", Kind::Int),
    Column::new("due_at", Kind::Instant),
    Column::new("generation", Kind::Int),
    Column::new("tenant", Kind::Text),
    Column::new("routing_key", Kind::Text),
];

/// Replaces the timers of the changed streams. A timer that is due by `now` stays, unless its stream was woken: the fact that came
/// first must not make a due step disappear. Changes of one stream are written one after the other, as several batches would.
pub(crate) async fn write(tx: &mut Tx, changes: &[TimerChange], now: DateTime<Utc>) -> Result<(), LogError> {
    for run in runs(changes) {
        write_run(tx, run, now).await?;
    }
    Ok(())
}

/// Changes in their order, cut before one whose stream has been there since the last cut.
fn runs(changes: &[TimerChange]) -> Vec<&[TimerChange]> {
    let (mut runs, mut begin, mut streams) = (Vec::new(), 0, HashSet::with_capacity(changes.len()));
    for (place, change) in changes.iter().enumerate() {
        if !streams.insert(change.stream.as_str()) {
            runs.extend(changes.get(begin..place));
            begin = place;
            streams = HashSet::from([change.stream.as_str()]);
        }
    }
    runs.extend(changes.get(begin..).filter(|run| !run.is_empty()));
    runs
}

/// Of each stream one change.
async fn write_run(tx: &mut Tx, changes: &[TimerChange], now: DateTime<Utc>) -> Result<(), LogError> {
    let streams = |woken: bool| {
        let of = changes.iter().filter(|change| change.woken == woken);
        Keys { columns: STREAM, rows: of.map(|change| vec![change.stream.as_str().into()]).collect() }
    };
    tx.bulk_delete("timers", streams(true), None).await?;
    tx.bulk_delete("timers", streams(false), Some(("due_at > $1", &[now.into()]))).await?;
    let rows: Vec<Vec<Value>> = changes.iter().flat_map(|change| change.next.iter().map(|next| row(change, next))).collect();
    if !rows.is_empty() {
        tx.bulk_insert_missing("timers", COLUMNS, rows).await?;
    }
    Ok(())
}

fn row(change: &TimerChange, next: &Next) -> Vec<Value> {
    vec![
        change.stream.as_str().into(),
        next.track.as_str().into(),
        change.shard.into(),
        next.due_at.into(),
        int(change.generation),
        change.tenant.as_str().into(),
        change.key.as_str().into(),
    ]
}

/// The first timers of `shards` (None = all), those of the streams `but` left out.
pub(crate) async fn first(db: &Db, shards: Option<Vec<i32>>, but: &HashSet<String>, limit: usize) -> Result<Vec<StoredTimer>, LogError> {
    let mut args: Vec<Value> = vec![int(limit as u64)];
    let mut conditions = Vec::new();
    if let Some(shards) = shards {
        // They are few: the partitions of a topic.
        let places: Vec<String> = (0..shards.len()).map(|index| format!("${}", index + 2)).collect();
        conditions.push(if places.is_empty() { "1 = 0".to_string() } else { format!("shard IN ({})", places.join(", ")) });
        args.extend(shards.into_iter().map(Value::from));
    }
    if !but.is_empty() {
        conditions.push("stream NOT IN (SELECT k.stream FROM {keys} k)".to_string());
    }
    let filter = if conditions.is_empty() { String::new() } else { format!("WHERE {}", conditions.join(" AND ")) };
    let sql = format!("SELECT stream, track, shard, due_at, generation, tenant, routing_key FROM timers {filter} ORDER BY due_at LIMIT $1");
    let rows = if but.is_empty() {
        db.query(&sql, &args).await?
    } else {
        let rows = but.iter().map(|stream| vec![stream.as_str().into()]).collect();
        db.query_keyed(&sql, Keys { columns: STREAM, rows }, &args).await?
    };
    Ok(rows.into_iter().map(from_row).collect::<Result<_, SqlError>>()?)
}

fn from_row(mut row: sql::Row) -> Result<StoredTimer, SqlError> {
    Ok(StoredTimer {
        stream: row.take_text("stream")?,
        track: row.take_text("track")?,
        shard: i32::try_from(row.int("shard")?).unwrap_or(0),
        due_at: row.instant("due_at")?,
        generation: unsigned(row.int("generation")?),
        tenant: row.take_text("tenant")?,
        key: row.take_text("routing_key")?,
    })
}

pub(crate) async fn due_count(db: &Db, now: DateTime<Utc>) -> Result<u64, LogError> {
    let rows = db.query("SELECT COUNT(*) AS due FROM timers WHERE due_at <= $1", &[now.into()]).await?;
    Ok(rows.first().map(|row| row.int("due")).transpose()?.map_or(0, unsigned))
}
