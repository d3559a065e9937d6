//! Places and stream marks of a consumer, in its own database.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use sql::{Column, Db, Dialect, Keys, Kind, SqlError, Step, Tx, Value};

use super::page::{Mark, Move, StreamKey};
use crate::alongside::AlongsideError;
use crate::bus::Place;

const STREAM_COLUMNS: &[Column] = &[
    Column::new("consumer", Kind::Text),
    Column::new("topic", Kind::Text),
    Column::new("stream", Kind::Text),
    Column::new("version", Kind::Int),
    Column::new("parked", Kind::Int),
];
const STREAM_KEY: &[&str] = &["consumer", "topic", "stream"];
const STREAM_KEYS: &[Column] = &[Column::new("topic", Kind::Text), Column::new("stream", Kind::Text)];

/// The next offset of every partition that the consumer has read; a partition that is absent starts at 0.
///
/// # Errors
/// Any [`SqlError`].
pub async fn offsets(db: &Db, consumer: &str) -> Result<HashMap<Place, i64>, SqlError> {
    places_of(db.query("SELECT topic, part, next_offset FROM consumer_offset WHERE consumer = $1", &[consumer.into()]).await?)
}

/// The same inside a transaction.
pub(crate) async fn offsets_in(tx: &mut Tx, consumer: &str) -> Result<HashMap<Place, i64>, SqlError> {
    places_of(tx.query("SELECT topic, part, next_offset FROM consumer_offset WHERE consumer = $1", &[consumer.into()]).await?)
}

fn places_of(rows: Vec<sql::Row>) -> Result<HashMap<Place, i64>, SqlError> {
    rows.iter()
        .map(|row| {
            // Partition numbers are written from i32 values by this module.
            let place = Place { topic: row.text("topic")?, partition: row.int("part")? as i32 };
            Ok((place, row.int("next_offset")?))
        })
        .collect()
}

/// Locks a place until the transaction ends: no page of its partition is stored meanwhile, and a page that was sorted before is
/// stored after. Does nothing for a partition that was never read.
pub(crate) async fn lock(tx: &mut Tx, consumer: &str, place: &Place) -> Result<(), SqlError> {
    let sql = "UPDATE consumer_offset SET next_offset = next_offset WHERE consumer = $1 AND topic = $2 AND part = $3";
    tx.execute(sql, &[consumer.into(), place.topic.as_str().into(), place.partition.into()]).await?;
    Ok(())
}

const MARKS: &str = "SELECT s.topic AS topic, s.stream AS stream, s.version AS version, s.parked AS parked FROM {keys} k \
                     CROSS JOIN consumer_stream s WHERE s.consumer = $1 AND s.topic = k.topic AND s.stream = k.stream";

/// What is stored of streams; a stream of which nothing is stored is absent.
///
/// # Errors
/// Any [`SqlError`].
pub async fn marks(db: &Db, consumer: &str, streams: BTreeSet<StreamKey>) -> Result<HashMap<StreamKey, Mark>, SqlError> {
    marks_of(db.query_keyed(MARKS, keys_of(streams), &[consumer.into()]).await?)
}

/// Asks for what is stored of streams, inside a transaction and after its places were moved: nobody changes it any more before the
/// transaction ends.
pub(crate) fn ask_marks<'a>(consumer: &str, streams: impl IntoIterator<Item = &'a StreamKey>) -> Step<'static> {
    Step { sql: MARKS, args: vec![consumer.into()], keys: Some(keys_of(streams.into_iter().cloned().collect())) }
}

/// Whether the streams are as the page was told when it was sorted. Of streams of `trusted` topics only the parking is kept.
pub(crate) fn are_as_known(found: Vec<sql::Row>, known: &BTreeMap<StreamKey, Mark>, trusted: &HashSet<String>) -> Result<bool, SqlError> {
    let now = marks_of(found)?;
    Ok(known.iter().all(|(key, mark)| {
        let now = now.get(key).copied().unwrap_or_default();
        now.parked == mark.parked && (trusted.contains(&key.topic) || now.version == mark.version)
    }))
}

fn keys_of(streams: BTreeSet<StreamKey>) -> Keys<'static> {
    let rows = streams.into_iter().map(|key| vec![Value::Text(key.topic), Value::Text(key.stream)]).collect();
    Keys { columns: STREAM_KEYS, rows }
}

fn marks_of(rows: Vec<sql::Row>) -> Result<HashMap<StreamKey, Mark>, SqlError> {
    rows.iter()
        .map(|row| {
            let key = StreamKey { topic: row.text("topic")?, stream: row.text("stream")? };
            Ok((key, Mark { version: row.int("version")? as u64, parked: row.int("parked")? != 0 }))
        })
        .collect()
}

const MOVED_KEYS: &[Column] = &[
    Column::new("topic", Kind::Text),
    Column::new("part", Kind::Int),
    Column::new("came_from", Kind::Int),
    Column::new("goes_to", Kind::Int),
];

/// PostgreSQL locks the places in their order, so that two consumers that race for the same ones wait for each other and no more; a place
/// that has moved since is looked at again once it is locked.
const MOVE_LOCKED: &str = "UPDATE consumer_offset o SET next_offset = l.goes_to FROM \
                           (SELECT p.topic, p.part, k.came_from, k.goes_to FROM {keys} k JOIN consumer_offset p \
                           ON p.consumer = $1 AND p.topic = k.topic AND p.part = k.part AND p.next_offset = k.came_from \
                           ORDER BY p.topic, p.part FOR UPDATE OF p) l \
                           WHERE o.consumer = $1 AND o.topic = l.topic AND o.part = l.part AND o.next_offset = l.came_from";
/// SQLite has one writer.
const MOVE: &str = "UPDATE consumer_offset AS o SET next_offset = k.goes_to FROM {keys} k \
                    WHERE o.consumer = $1 AND o.topic = k.topic AND o.part = k.part AND o.next_offset = k.came_from";

/// Asks to move all places by compare-and-set.
pub(crate) fn ask_moves(dialect: Dialect, consumer: &str, moves: &BTreeMap<Place, Move>) -> Step<'static> {
    let row = |(place, moved): (&Place, &Move)| {
        vec![place.topic.as_str().into(), i64::from(place.partition).into(), moved.from.into(), moved.to.into()]
    };
    let keys = Keys { columns: MOVED_KEYS, rows: moves.iter().map(row).collect() };
    let sql = match dialect {
        Dialect::Sqlite => MOVE,
        Dialect::Postgres => MOVE_LOCKED,
    };
    Step { sql, args: vec![consumer.into()], keys: Some(keys) }
}

/// Takes the answer, how many were moved: places that were never stored are stored now.
///
/// # Errors
/// [`AlongsideError::Fenced`] when a place is not where this consumer left it.
pub(crate) async fn were_moved(tx: &mut Tx, consumer: &str, moves: &BTreeMap<Place, Move>, changed: u64) -> Result<(), AlongsideError> {
    let sql = "INSERT INTO consumer_offset (consumer, topic, part, next_offset) VALUES ($1, $2, $3, $4) ON CONFLICT DO NOTHING";
    let mut moved = changed;
    if moved < moves.len() as u64 {
        // A place that is stored, moved or not, stays as it is.
        for (place, new) in moves.iter().filter(|(_, new)| new.from == 0) {
            let args = [consumer.into(), place.topic.as_str().into(), i64::from(place.partition).into(), new.to.into()];
            moved += tx.execute(sql, &args).await?;
        }
    }
    if moved == moves.len() as u64 { Ok(()) } else { Err(AlongsideError::Fenced) }
}

/// Moves the places without looking where they are: what a negative control has in place of the compare-and-set.
pub(crate) async fn advance_blindly(tx: &mut Tx, consumer: &str, moves: &BTreeMap<Place, Move>) -> Result<(), AlongsideError> {
    let sql = "INSERT INTO consumer_offset (consumer, topic, part, next_offset) VALUES ($1, $2, $3, $4) \
               ON CONFLICT (consumer, topic, part) DO UPDATE SET next_offset = excluded.next_offset";
    for (place, moved) in moves {
        tx.execute(sql, &[consumer.into(), place.topic.as_str().into(), place.partition.into(), moved.to.into()]).await?;
    }
    Ok(())
}

/// Stores what is known of streams.
pub(crate) async fn write_marks(tx: &mut Tx, consumer: &str, marks: &BTreeMap<StreamKey, Mark>) -> Result<(), SqlError> {
    let rows = marks
        .iter()
        .map(|(key, mark)| {
            vec![
                consumer.into(),
                key.topic.as_str().into(),
                key.stream.as_str().into(),
                Value::Int(mark.version as i64),
                Value::Int(i64::from(mark.parked)),
            ]
        })
        .collect();
    tx.bulk_upsert("consumer_stream", STREAM_COLUMNS, STREAM_KEY, rows).await?;
    Ok(())
}
