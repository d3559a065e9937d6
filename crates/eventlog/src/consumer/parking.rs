//! Parked streams: what a person sees of them and may ask for.
//!
//! A request is a note in the consumer's database. The consumer that owns the partition carries it out, in the service, where the
//! code that applies messages is; so the same call works from inside the process and from the command line.

use std::sync::Arc;

use chrono::{DateTime, Utc};
use sql::{Db, Row, SqlError, Tx, Value};
use tokio::sync::Notify;

use super::archive;
use super::page::{Parked, StreamKey};
use crate::bus::Message;
use crate::event::{Clock, Ids};

/// Waiting messages shown at most.
const SHOWN: u32 = 1000;

/// A stream that waits for a person.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ParkedStream {
    /// The consumer that could not go on.
    pub consumer: String,
    /// The topic and the stream.
    pub key: StreamKey,
    /// Its partition.
    pub partition: i32,
    /// The version that could not be applied.
    pub version: u64,
    /// The type of that event.
    pub event_type: String,
    /// Why.
    pub reason: String,
    /// How often it was tried.
    pub attempts: u64,
    /// Since when it waits.
    pub since: DateTime<Utc>,
    /// How many messages wait, the one that could not be applied included.
    pub waiting: u64,
    /// What a person asked for and the consumer has not carried out yet.
    pub request: Option<Request>,
}

/// What a person may ask for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Request {
    /// Try the waiting messages again, in order.
    Retry,
    /// Leave the first waiting message out for ever, then try the others.
    Skip,
}

impl Request {
    /// Its name in the database and on the command line.
    pub const fn slug(self) -> &'static str {
        match self {
            Request::Retry => "retry",
            Request::Skip => "skip",
        }
    }

    fn parse(slug: &str) -> Option<Self> {
        [Request::Retry, Request::Skip].into_iter().find(|request| request.slug() == slug)
    }
}

/// One line of the audit trail.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AuditEntry {
    /// The stream.
    pub key: StreamKey,
    /// The first waiting version at that time.
    pub version: u64,
    /// `retry` or `skip`.
    pub action: String,
    /// Who asked.
    pub actor: String,
    /// Why, in their words.
    pub reason: String,
    /// When.
    pub at: DateTime<Utc>,
}

/// Why a request was not noted.
#[derive(Clone, Debug, thiserror::Error)]
pub enum ParkingError {
    /// The stream is not parked at this consumer.
    #[error("stream {stream} of {topic} is not parked")]
    NotParked {
        /// The topic asked for.
        topic: String,
        /// The stream asked for.
        stream: String,
    },
    /// The database.
    #[error(transparent)]
    Sql(#[from] SqlError),
}

/// The parked streams of one consumer. Cheap to clone.
#[derive(Clone)]
pub struct Parking {
    db: Db,
    consumer: String,
    clock: Arc<dyn Clock>,
    ids: Arc<dyn Ids>,
    asked: Arc<Notify>,
}

impl Parking {
    /// The parked streams of a consumer, in its service's database.
    pub fn new(db: Db, consumer: impl Into<String>, clock: Arc<dyn Clock>, ids: Arc<dyn Ids>) -> Self {
        Self { db, consumer: consumer.into(), clock, ids, asked: Arc::new(Notify::new()) }
    }

    /// Wakes the consumer of this process when something is asked for.
    pub(crate) fn asked(&self) -> Arc<Notify> {
        Arc::clone(&self.asked)
    }

    /// All parked streams, the oldest first.
    ///
    /// # Errors
    /// The database.
    pub async fn list(&self) -> Result<Vec<ParkedStream>, SqlError> {
        let sql = format!("{PARKED} WHERE p.consumer = $1 ORDER BY p.since, p.topic, p.stream");
        self.db.query(&sql, &[self.consumer.as_str().into()]).await?.iter().map(parked_of).collect()
    }

    /// One parked stream with the messages that wait, the first 1000.
    ///
    /// # Errors
    /// [`ParkingError::NotParked`]; the database.
    pub async fn show(&self, key: &StreamKey) -> Result<(ParkedStream, Vec<Message>), ParkingError> {
        let sql = format!("{PARKED} WHERE p.consumer = $1 AND p.topic = $2 AND p.stream = $3");
        let rows = self.db.query(&sql, &self.args(key)).await?;
        let row = rows.first().ok_or_else(|| not_parked(key))?;
        Ok((parked_of(row)?, archive::queued(&self.db, &self.consumer, key, SHOWN).await?))
    }

    /// Asks for another try, for instance after a new version of the service was installed.
    ///
    /// # Errors
    /// [`ParkingError::NotParked`]; the database.
    pub async fn retry(&self, key: &StreamKey, actor: &str, reason: &str) -> Result<(), ParkingError> {
        self.ask(key, Request::Retry, actor, reason).await
    }

    /// Asks to leave the first waiting message out for ever. Its effects are then missing: that is a decision of a person.
    ///
    /// # Errors
    /// [`ParkingError::NotParked`]; the database.
    pub async fn skip(&self, key: &StreamKey, actor: &str, reason: &str) -> Result<(), ParkingError> {
        self.ask(key, Request::Skip, actor, reason).await
    }

    /// Who asked for what, the newest last.
    ///
    /// # Errors
    /// The database.
    pub async fn audit(&self) -> Result<Vec<AuditEntry>, SqlError> {
        let sql = "SELECT topic, stream, version, action, actor, reason, at FROM parking_audit WHERE consumer = $1 ORDER BY at, id";
        let rows = self.db.query(sql, &[self.consumer.as_str().into()]).await?;
        rows.iter()
            .map(|row| {
                Ok(AuditEntry {
                    key: StreamKey { topic: row.text("topic")?, stream: row.text("stream")? },
                    version: row.int("version")?.unsigned_abs(),
                    action: row.text("action")?,
                    actor: row.text("actor")?,
                    reason: row.text("reason")?,
                    at: row.instant("at")?,
                })
            })
            .collect()
    }

    async fn ask(&self, key: &StreamKey, request: Request, actor: &str, reason: &str) -> Result<(), ParkingError> {
        let mut tx = self.db.begin().await?;
        let sql = "UPDATE parked_stream SET request = $4 WHERE consumer = $1 AND topic = $2 AND stream = $3";
        let mut args = self.args(key).to_vec();
        args.push(request.slug().into());
        if tx.execute(sql, &args).await? == 0 {
            return Err(not_parked(key));
        }
        let sql = "INSERT INTO parking_audit (id, consumer, topic, stream, version, action, actor, reason, at) \
                   SELECT $5, consumer, topic, stream, version, $4, $6, $7, $8 FROM parked_stream \
                   WHERE consumer = $1 AND topic = $2 AND stream = $3";
        args.extend([self.ids.event_id().into(), actor.into(), reason.into(), self.clock.now().into()]);
        tx.execute(sql, &args).await?;
        tx.commit().await?;
        self.asked.notify_one();
        Ok(())
    }

    fn args(&self, key: &StreamKey) -> [Value; 3] {
        [self.consumer.as_str().into(), key.topic.as_str().into(), key.stream.as_str().into()]
    }
}

const PARKED: &str = "SELECT p.*, (SELECT COUNT(*) FROM consumer_archive a WHERE a.consumer = p.consumer AND a.topic = p.topic \
                      AND a.stream = p.stream AND a.state = 1) AS waiting FROM parked_stream p";

fn parked_of(row: &Row) -> Result<ParkedStream, SqlError> {
    Ok(ParkedStream {
        consumer: row.text("consumer")?,
        key: StreamKey { topic: row.text("topic")?, stream: row.text("stream")? },
        // Written from an i32.
        partition: row.int("part")? as i32,
        version: row.int("version")?.unsigned_abs(),
        event_type: row.text("event_type")?,
        reason: row.text("reason")?,
        attempts: row.int("attempts")?.unsigned_abs(),
        since: row.instant("since")?,
        waiting: row.int("waiting")?.unsigned_abs(),
        request: row.opt_text("request")?.as_deref().and_then(Request::parse),
    })
}

fn not_parked(key: &StreamKey) -> ParkingError {
    ParkingError::NotParked { topic: key.topic.clone(), stream: key.stream.clone() }
}

/// Parks a stream.
pub(crate) async fn note(tx: &mut Tx, consumer: &str, key: &StreamKey, parked: &Parked, now: DateTime<Utc>) -> Result<(), SqlError> {
    let sql = "INSERT INTO parked_stream (consumer, topic, part, stream, version, event_type, reason, attempts, since) \
               VALUES ($1, $2, $3, $4, $5, $6, $7, 1, $8) ON CONFLICT (consumer, topic, stream) DO NOTHING";
    let args: [Value; 8] = [
        consumer.into(),
        key.topic.as_str().into(),
        parked.partition.into(),
        key.stream.as_str().into(),
        Value::Int(parked.version as i64),
        parked.event_type.as_str().into(),
        parked.reason.as_str().into(),
        now.into(),
    ];
    tx.execute(sql, &args).await?;
    Ok(())
}

/// Notes that a retry failed, and that nobody asks for another one.
pub(crate) async fn note_failure(db: &Db, consumer: &str, message: &Message, reason: &str) -> Result<(), SqlError> {
    let mut tx = db.begin().await?;
    let sql = "UPDATE parked_stream SET version = $4, event_type = $5, reason = $6, attempts = attempts + 1, request = NULL \
               WHERE consumer = $1 AND topic = $2 AND stream = $3";
    let args: [Value; 6] = [
        consumer.into(),
        message.topic.as_str().into(),
        message.event.stream.as_str().into(),
        Value::Int(message.event.version as i64),
        message.event.event_type.as_str().into(),
        reason.into(),
    ];
    tx.execute(sql, &args).await?;
    tx.commit().await
}

/// The streams of a consumer that somebody asked something for.
pub(crate) async fn requested(db: &Db, consumer: &str) -> Result<Vec<ParkedStream>, SqlError> {
    let sql = format!("{PARKED} WHERE p.consumer = $1 AND p.request IS NOT NULL ORDER BY p.since, p.topic, p.stream");
    db.query(&sql, &[consumer.into()]).await?.iter().map(parked_of).collect()
}

/// How many streams of a consumer are parked.
pub(crate) async fn count(db: &Db, consumer: &str) -> Result<u64, SqlError> {
    let rows = db.query("SELECT COUNT(*) AS n FROM parked_stream WHERE consumer = $1", &[consumer.into()]).await?;
    rows.first().map_or(Ok(0), |row| row.int("n").map(i64::unsigned_abs))
}
