//! What one page, or one retry of a parked stream, writes in its transaction.

use std::collections::HashSet;

use chrono::{DateTime, Utc};
use sql::{Row, SqlError, Tx};

use super::archive::{self, State};
use super::page::{Sorted, StreamKey};
use super::{checkpoint, parking};
use crate::alongside::{Alongside, AlongsideError};
use crate::bus::{Message, Place};
use crate::projection::PageRead;

/// A sorted page, ready to be stored.
pub(crate) struct PageSettlement {
    pub consumer: &'static str,
    pub sorted: Sorted,
    /// Topics whose log we hold ourselves: not archived, unless parked.
    pub trusted: HashSet<String>,
    /// The fresh messages as the read models read them; none where there is nothing for them.
    pub models: Option<PageRead>,
    pub now: DateTime<Utc>,
    /// Whether places move by compare-and-set: always, but in a negative control.
    pub fenced: bool,
}

#[async_trait::async_trait]
impl Alongside for PageSettlement {
    /// Places first: a fenced page does no further work, and a build that is put in place either saw this page or waits for it.
    async fn write(&self, tx: &mut Tx) -> Result<(), AlongsideError> {
        let live = if self.fenced { self.move_on(tx).await? } else { self.move_blindly(tx).await? };
        if let Some((models, live)) = self.models.as_ref().zip(live) {
            models.write(tx, live, &self.sorted.fresh).await?;
        }
        checkpoint::write_marks(tx, self.consumer, &self.sorted.marks).await?;
        let foreign: Vec<&Message> = self.sorted.fresh.iter().filter(|message| !self.trusted.contains(&message.topic)).collect();
        archive::keep(tx, self.consumer, foreign, State::Applied).await?;
        archive::keep(tx, self.consumer, self.sorted.queued.iter(), State::Queued).await?;
        for (key, parked) in &self.sorted.parked {
            parking::note(tx, self.consumer, key, parked, self.now).await?;
        }
        Ok(())
    }
}

impl PageSettlement {
    /// Moves the places, looks whether the streams are as the page was told (it was sorted before the transaction, and a stream that was
    /// released since must not queue behind nothing), and reads which builds are live.
    async fn move_on(&self, tx: &mut Tx) -> Result<Option<Vec<Row>>, AlongsideError> {
        let moves = checkpoint::ask_moves(tx.dialect(), self.consumer, &self.sorted.moves);
        let mut steps = vec![moves, checkpoint::ask_marks(self.consumer, self.sorted.known.keys())];
        steps.extend(self.models.as_ref().map(PageRead::ask_live));
        let mut answers = tx.in_turn(steps).await?;
        let live = self.models.as_ref().and_then(|_| answers.pop()).map(|(_, rows)| rows);
        let (_, marks) = answers.pop().unwrap_or_default();
        let moved = answers.pop().map_or(0, |(changed, _)| changed);
        checkpoint::were_moved(tx, self.consumer, &self.sorted.moves, moved).await?;
        match checkpoint::are_as_known(marks, &self.sorted.known, &self.trusted)? {
            true => Ok(live),
            false => Err(AlongsideError::Fenced),
        }
    }

    async fn move_blindly(&self, tx: &mut Tx) -> Result<Option<Vec<Row>>, AlongsideError> {
        checkpoint::advance_blindly(tx, self.consumer, &self.sorted.moves).await?;
        let asked = tx.in_turn(self.models.as_ref().map(PageRead::ask_live).into_iter().collect()).await?;
        Ok(asked.into_iter().next().map(|(_, rows)| rows))
    }
}

/// Messages that waited behind a parked stream and are tried again.
pub(crate) struct RetrySettlement {
    pub consumer: &'static str,
    pub key: StreamKey,
    /// Where the stream is read: pages wait while its queue is emptied.
    pub place: Place,
    pub messages: Vec<Message>,
    /// The messages as the read models read them.
    pub models: Option<PageRead>,
}

#[async_trait::async_trait]
impl Alongside for RetrySettlement {
    async fn write(&self, tx: &mut Tx) -> Result<(), AlongsideError> {
        checkpoint::lock(tx, self.consumer, &self.place).await?;
        for message in &self.messages {
            if !archive::settle(tx, self.consumer, message, State::Applied).await? {
                return Err(AlongsideError::Fenced);
            }
        }
        if let Some(models) = &self.models {
            let asked = tx.in_turn(vec![models.ask_live()]).await?;
            let live = asked.into_iter().flat_map(|(_, rows)| rows).collect();
            models.write(tx, live, &self.messages).await?;
            models.spoil_builds(tx).await?;
        }
        release_if_empty(tx, self.consumer, &self.key).await?;
        Ok(())
    }
}

/// Lets a stream flow again once nothing waits behind it.
pub(crate) async fn release_if_empty(tx: &mut Tx, consumer: &str, key: &StreamKey) -> Result<(), SqlError> {
    if archive::count_queued(tx, consumer, key).await? > 0 {
        return Ok(());
    }
    let args = [consumer.into(), key.topic.as_str().into(), key.stream.as_str().into()];
    tx.execute("DELETE FROM parked_stream WHERE consumer = $1 AND topic = $2 AND stream = $3", &args).await?;
    tx.execute("UPDATE consumer_stream SET parked = 0 WHERE consumer = $1 AND topic = $2 AND stream = $3", &args).await?;
    Ok(())
}
