//! Places and stream marks of a consumer, in its own database.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use sql::{Column, Db, Keys, Kind, SqlError, Tx, Value};

use super::page::{Mark, Move, StreamKey};
use crate::alongside::AlongsideError;
use crate::bus::{Message, Place};

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

/// What is stored of the streams of a page.
///
/// # Errors
/// Any [`SqlError`].
pub async fn marks(db: &Db, consumer: &str, page: &[Message]) -> Result<HashMap<StreamKey, Mark>, SqlError> {
    let streams = page.iter().map(StreamKey::of).collect();
    marks_of(db.query_keyed(MARKS, keys_of(streams), &[consumer.into()]).await?)
}

/// Whether the streams are parked, or not, as the page was told when it was sorted. Asked after the places were moved, so that
/// nobody parks or releases one of them any more before the transaction ends.
pub(crate) async fn still_parked(tx: &mut Tx, consumer: &str, known: &BTreeMap<StreamKey, bool>) -> Result<bool, SqlError> {
    let keys = keys_of(known.keys().cloned().collect());
    let now = marks_of(tx.query_keyed(MARKS, keys, &[consumer.into()]).await?)?;
    Ok(known.iter().all(|(key, parked)| now.get(key).is_some_and(|mark| mark.parked) == *parked))
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

/// Moves the places by compare-and-set.
///
/// # Errors
/// [`AlongsideError::Fenced`] when a place is not where this consumer left it.
pub(crate) async fn advance(tx: &mut Tx, consumer: &str, moves: &BTreeMap<Place, Move>) -> Result<(), AlongsideError> {
    for (place, moved) in moves {
        let args: [Value; 5] =
            [consumer.into(), place.topic.as_str().into(), i64::from(place.partition).into(), moved.from.into(), moved.to.into()];
        let update = "UPDATE consumer_offset SET next_offset = $5 WHERE consumer = $1 AND topic = $2 AND part = $3 AND next_offset = $4";
        let mut changed = tx.execute(update, &args).await?;
        if changed == 0 && moved.from == 0 {
            let insert = "INSERT INTO consumer_offset (consumer, topic, part, next_offset) VALUES ($1, $2, $3, $4) ON CONFLICT DO NOTHING";
            changed = tx.execute(insert, &[args[0].clone(), args[1].clone(), args[2].clone(), moved.to.into()]).await?;
        }
        if changed != 1 {
            return Err(AlongsideError::Fenced);
        }
    }
    Ok(())
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
