//! Carrying out what a person asked for a parked stream.

use std::sync::Arc;

use sql::{Db, SqlError, Value};

use super::archive::{self, State};
use super::checkpoint;
use super::page::StreamKey;
use super::parking::{self, ParkedStream, Request};
use super::runner::Runner;
use super::settlement::{RetrySettlement, release_if_empty};
use super::sink::TakeError;
use crate::bus::{Message, Place};

/// Waiting messages tried in one transaction.
const PAGE: u32 = 200;

impl Runner {
    /// Looks for requests and carries out those of partitions that are ours.
    pub(super) async fn carry_out_requests(&mut self) {
        let tried = self.try_requests().await;
        if let Err(error) = &tried {
            // The next look tries again.
            tracing::warn!(consumer = self.spec.name, %error, "requests for parked streams not carried out");
        }
        self.shared.lock().requests_trouble = tried.err().map(|error| error.to_string());
    }

    async fn try_requests(&mut self) -> Result<(), SqlError> {
        let requests = parking::requested(&self.spec.db, self.spec.name).await?;
        let any = !requests.is_empty();
        if any {
            self.marks.clear();
        }
        for parked in requests {
            let place = Place { topic: parked.key.topic.clone(), partition: parked.partition };
            if self.sources.owns(&place) {
                self.carry_out(parked, place).await?;
            }
        }
        if any {
            self.shared.lock().parked = parking::count(&self.spec.db, self.spec.name).await?;
        }
        Ok(())
    }

    async fn carry_out(&mut self, parked: ParkedStream, place: Place) -> Result<(), SqlError> {
        if parked.request == Some(Request::Skip) {
            let skipped = skip_first(&self.spec.db, self.spec.name, (&parked.key, &place)).await?;
            if let Some(version) = skipped {
                let (consumer, topic, stream) = (self.spec.name, parked.key.topic.as_str(), parked.key.stream.as_str());
                tracing::warn!(consumer, topic, stream, version, "message skipped");
            }
        }
        loop {
            let waiting = archive::queued(&self.spec.db, self.spec.name, &parked.key, PAGE).await?;
            if waiting.is_empty() || !self.retry((&parked.key, &place), waiting).await? {
                return Ok(());
            }
        }
    }

    /// Tries waiting messages in one transaction, fewer of them where one cannot be applied: those before it are. False when the first
    /// one cannot, so that the stream stays parked, or when somebody else has settled it.
    async fn retry(&mut self, at: (&StreamKey, &Place), waiting: Vec<Message>) -> Result<bool, SqlError> {
        let mut batch = waiting;
        loop {
            let settlement = Arc::new(RetrySettlement {
                consumer: self.spec.name,
                key: at.0.clone(),
                place: at.1.clone(),
                messages: batch.clone(),
                models: self.spec.projections.as_ref().map(|projections| projections.read(&batch)),
            });
            let (applicable, reason) = match self.sink.take(&batch, settlement).await {
                Ok(()) => {
                    self.shared.lock().counts.applied += batch.len() as u64;
                    return Ok(true);
                }
                Err(TakeError::Poison(culprits)) => {
                    let first = culprits.into_iter().min_by_key(|culprit| culprit.version);
                    let (version, reason) = first.map_or((0, String::new()), |culprit| (culprit.version, culprit.reason));
                    (batch.iter().take_while(|message| message.event.version < version).count(), reason)
                }
                Err(TakeError::Permanent(reason)) => (batch.len() / 2, reason),
                Err(TakeError::Transient(reason) | TakeError::Superseded(reason)) => return Err(SqlError::Unavailable(reason)),
                Err(TakeError::Fenced) => return Ok(false),
            };
            let Some(first) = batch.first().filter(|_| applicable == 0) else {
                batch.truncate(applicable);
                continue;
            };
            parking::note_failure(&self.spec.db, self.spec.name, first, &reason).await?;
            return Ok(false);
        }
    }
}

/// Leaves the first waiting message out; what is left becomes a plain retry. Returns the version left out; none when the wish is not
/// there any more, or was noted for another message: somebody else has carried it out.
async fn skip_first(db: &Db, consumer: &str, (key, place): (&StreamKey, &Place)) -> Result<Option<u64>, SqlError> {
    let Some(first) = archive::queued(db, consumer, key, 1).await?.into_iter().next() else {
        return Ok(None);
    };
    let mut tx = db.begin().await?;
    checkpoint::lock(&mut tx, consumer, place).await?;
    let sql = "UPDATE parked_stream SET request = 'retry' WHERE consumer = $1 AND topic = $2 AND stream = $3 \
               AND request = 'skip' AND version = $4";
    let version = Value::Int(first.event.version as i64);
    let ours = tx.execute(sql, &[consumer.into(), key.topic.as_str().into(), key.stream.as_str().into(), version]).await? == 1;
    if !ours || !archive::settle(&mut tx, consumer, &first, State::Skipped).await? {
        tx.rollback().await?;
        return Ok(None);
    }
    release_if_empty(&mut tx, consumer, key).await?;
    tx.commit().await?;
    Ok(Some(first.event.version))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::consumer::schema;
    use crate::event::sample;

    fn waiting(version: u64) -> Message {
        let event = sample("a", version);
        Message { topic: "t".into(), partition: 0, offset: version as i64, event }
    }

    #[tokio::test]
    async fn a_skip_that_was_carried_out_elsewhere_leaves_nothing_more_out() {
        let folder = tempfile::tempdir().unwrap();
        let db = Db::open_sqlite(&folder.path().join("parked.sqlite"), sql::Durability::Throwaway).await.unwrap();
        db.migrate(schema::MIGRATIONS).await.unwrap();
        let (key, place) = (StreamKey { topic: "t".into(), stream: "a".into() }, Place { topic: "t".into(), partition: 0 });
        let parked = crate::consumer::page::Parked { partition: 0, version: 2, event_type: "E".into(), reason: "no".into() };
        let mut tx = db.begin().await.unwrap();
        archive::keep(&mut tx, "c", &[waiting(2), waiting(3)], State::Queued).await.unwrap();
        parking::note(&mut tx, "c", &key, &parked, chrono::DateTime::UNIX_EPOCH).await.unwrap();
        tx.execute("UPDATE parked_stream SET request = 'skip'", &[]).await.unwrap();
        tx.commit().await.unwrap();
        assert_eq!(skip_first(&db, "c", (&key, &place)).await.unwrap(), Some(2));
        // Two replicas saw the wish before one of them carried it out.
        assert_eq!(skip_first(&db, "c", (&key, &place)).await.unwrap(), None);
        let left = archive::queued(&db, "c", &key, 9).await.unwrap();
        assert_eq!(left.iter().map(|message| message.event.version).collect::<Vec<_>>(), [3]);
    }
}
