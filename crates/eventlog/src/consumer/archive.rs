//! The archive: what a consumer consumed, so that a read model can be built again without asking the bus.

use std::sync::LazyLock;

use sql::{Column, Db, Kind, Row, SqlError, Tx, Value};

use super::page::StreamKey;
use crate::bus::{Message, Place};
use crate::log::record;

/// What became of an archived message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// Its effects are stored.
    Applied,
    /// It waits behind a parked stream.
    Queued,
    /// A person decided that it is left out.
    Skipped,
}

impl State {
    const fn code(self) -> i64 {
        match self {
            State::Applied => 0,
            State::Queued => 1,
            State::Skipped => 2,
        }
    }
}

const TABLE: &str = "consumer_archive";

/// Where a message came from and what became of it, then the event as the log keeps events.
static COLUMNS: LazyLock<Vec<Column>> = LazyLock::new(|| {
    let place = [
        Column::new("consumer", Kind::Text),
        Column::new("topic", Kind::Text),
        Column::new("part", Kind::Int),
        Column::new("at_offset", Kind::Int),
        Column::new("state", Kind::Int),
    ];
    place.iter().chain(record::COLUMNS).copied().collect()
});

/// Keeps messages.
pub(crate) async fn keep<'m>(
    tx: &mut Tx,
    consumer: &str,
    messages: impl IntoIterator<Item = &'m Message> + Send,
    state: State,
) -> Result<(), SqlError> {
    let rows = messages.into_iter().map(|message| row_of(consumer, message, state)).collect();
    tx.bulk_insert(TABLE, &COLUMNS, rows).await?;
    Ok(())
}

/// Asks for the applied messages of a partition inside a range of offsets, in order, for [`messages_of`].
pub(crate) fn ask_applied(consumer: &str, place: &Place, range: std::ops::Range<i64>, limit: u32) -> (&'static str, [Value; 6]) {
    let place = (place.topic.as_str().into(), place.partition.into());
    (APPLIED, [consumer.into(), place.0, place.1, range.start.into(), range.end.into(), limit.into()])
}

/// The answer to [`ask_applied`].
pub(crate) fn messages_of(rows: Vec<Row>) -> Result<Vec<Message>, SqlError> {
    rows.into_iter().map(message_of).collect()
}

const APPLIED: &str = "SELECT * FROM consumer_archive WHERE consumer = $1 AND topic = $2 AND part = $3 \
                       AND at_offset >= $4 AND at_offset < $5 AND state = 0 ORDER BY at_offset LIMIT $6";

/// The messages that wait behind a parked stream, in order of versions.
pub(crate) async fn queued(db: &Db, consumer: &str, key: &StreamKey, limit: u32) -> Result<Vec<Message>, SqlError> {
    let sql = "SELECT * FROM consumer_archive WHERE consumer = $1 AND topic = $2 AND stream = $3 AND state = 1 ORDER BY version LIMIT $4";
    let args = [consumer.into(), key.topic.as_str().into(), key.stream.as_str().into(), limit.into()];
    messages_of(db.query(sql, &args).await?)
}

/// How many messages wait behind a parked stream.
pub(crate) async fn count_queued(tx: &mut Tx, consumer: &str, key: &StreamKey) -> Result<i64, SqlError> {
    let sql = "SELECT COUNT(*) AS n FROM consumer_archive WHERE consumer = $1 AND topic = $2 AND stream = $3 AND state = 1";
    let rows = tx.query(sql, &[consumer.into(), key.topic.as_str().into(), key.stream.as_str().into()]).await?;
    rows.first().map_or(Ok(0), |row| row.int("n"))
}

/// Settles a queued message; false when it was settled before.
pub(crate) async fn settle(tx: &mut Tx, consumer: &str, message: &Message, state: State) -> Result<bool, SqlError> {
    let sql = "UPDATE consumer_archive SET state = $5 WHERE consumer = $1 AND topic = $2 AND part = $3 AND at_offset = $4 AND state = 1";
    let args = [consumer.into(), message.topic.as_str().into(), message.partition.into(), message.offset.into(), state.code().into()];
    Ok(tx.execute(sql, &args).await? == 1)
}

fn row_of(consumer: &str, message: &Message, state: State) -> Vec<Value> {
    let mut row =
        vec![consumer.into(), message.topic.as_str().into(), message.partition.into(), message.offset.into(), state.code().into()];
    row.extend(record::to_row(&message.event));
    row
}

fn message_of(mut row: Row) -> Result<Message, SqlError> {
    Ok(Message {
        topic: row.take_text("topic")?,
        // Written from an i32.
        partition: row.int("part")? as i32,
        offset: row.int("at_offset")?,
        event: record::from_row(row)?,
    })
}
