//! Carrying out what a person asked for a parked stream.

use std::sync::Arc;

use sql::SqlError;

use super::archive::{self, State};
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
        if let Err(error) = self.try_requests().await {
            // The next look tries again.
            self.note_trouble(Some(error.to_string()));
            tracing::warn!(consumer = self.spec.name, %error, "requests for parked streams not carried out");
        }
    }

    async fn try_requests(&mut self) -> Result<(), SqlError> {
        let requests = parking::requested(&self.spec.db, self.spec.name).await?;
        let any = !requests.is_empty();
        for parked in requests {
            let place = Place { topic: parked.key.topic.clone(), partition: parked.partition };
            if self.sources.owns(&place) {
                self.carry_out(parked).await?;
            }
        }
        if any {
            self.shared.lock().parked = parking::count(&self.spec.db, self.spec.name).await?;
        }
        Ok(())
    }

    async fn carry_out(&mut self, parked: ParkedStream) -> Result<(), SqlError> {
        if parked.request == Some(Request::Skip) {
            self.skip_first(&parked.key).await?;
        }
        loop {
            let waiting = archive::queued(&self.spec.db, self.spec.name, &parked.key, PAGE).await?;
            if waiting.is_empty() || !self.retry(&parked.key, waiting).await? {
                return Ok(());
            }
        }
    }

    /// Leaves the first waiting message out; what is left becomes a plain retry.
    async fn skip_first(&self, key: &StreamKey) -> Result<(), SqlError> {
        let Some(first) = archive::queued(&self.spec.db, self.spec.name, key, 1).await?.into_iter().next() else {
            return Ok(());
        };
        let mut tx = self.spec.db.begin().await?;
        archive::settle(&mut tx, self.spec.name, &first, State::Skipped).await?;
        let args = [self.spec.name.into(), key.topic.as_str().into(), key.stream.as_str().into()];
        let sql = "UPDATE parked_stream SET request = 'retry' WHERE consumer = $1 AND topic = $2 AND stream = $3";
        tx.execute(sql, &args).await?;
        release_if_empty(&mut tx, self.spec.name, key).await?;
        tx.commit().await?;
        tracing::warn!(consumer = self.spec.name, topic = key.topic, stream = key.stream, version = first.event.version, "message skipped");
        Ok(())
    }

    /// Tries waiting messages in one transaction, fewer of them where one cannot be applied: those before it are. False when the first
    /// one cannot, so that the stream stays parked, or when somebody else has settled it.
    async fn retry(&mut self, key: &StreamKey, waiting: Vec<Message>) -> Result<bool, SqlError> {
        let mut batch = waiting;
        loop {
            let settlement = Arc::new(RetrySettlement {
                consumer: self.spec.name,
                key: key.clone(),
                messages: batch.clone(),
                projections: self.spec.projections.clone(),
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
