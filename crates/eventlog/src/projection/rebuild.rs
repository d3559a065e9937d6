//! Building a projection from zero beside the live one, and putting it in its place.
//!
//! A build reads what the consumer has consumed: the archive for other services' topics, the log itself for the service's own. It
//! follows in small transactions while the consumer goes on, and takes the last step in one transaction that locks the consumer's
//! pages out: it reads what is left, and the names that readers use point to it.
//!
//! While a page is written the next one is read, by a task of its own and outside of the transaction: what the consumer has consumed does
//! not change any more, but by the retry of a parked stream, and that spoils the build.

use std::collections::{HashMap, HashSet};
use std::ops::Range;
use std::sync::Arc;
use std::time::Duration;

use sql::{Db, Row, SqlError, Tx, Value};
use tokio_util::task::AbortOnDropHandle;

use super::places::{self, Build, Live, Unwanted};
use super::registry::{OwnLog, Projections};
use super::{Change, Projection, ProjectionError, live};
use crate::bus::{Message, Place};
use crate::consumer::{archive, checkpoint};

/// Messages in one transaction of a build: more make fewer pages of indexes, and others wait longer for their turn.
const MOST: u32 = 2_000;
const LEAST: u32 = 250;
/// A transaction that took longer than this is followed by smaller ones: in a large database the same messages touch more pages.
const LONG_TURN: Duration = Duration::from_millis(25);
/// With fewer messages than this left, the rest is applied in the closing transaction: well under a second.
const NEARLY_THERE: i64 = 500;
/// How often a build starts again because a parked stream was retried meanwhile.
const ATTEMPTS: u32 = 5;

/// What a rebuild did.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rebuilt {
    /// What the names of the new live tables end in.
    pub suffix: String,
    /// How many messages were looked at.
    pub messages: u64,
}

impl Projections {
    /// Builds the projection from zero and puts the build in place of the live one, which is kept until the next rebuild; what was kept until
    /// then is there until [`Projections::remove_replaced`]. Emits nothing and sends nothing. Pages go on meanwhile.
    ///
    /// # Errors
    /// [`ProjectionError::UnknownProjection`]; whatever reading and writing fail with, a message that is poison for the new version included: the
    /// live build then stays.
    pub async fn rebuild(&self, name: &str) -> Result<Rebuilt, ProjectionError> {
        let projection = self.find(name)?;
        let _alone = self.one_build_at_a_time().await;
        for _ in 0..ATTEMPTS {
            let mut building = Building::start(self, Arc::clone(&projection), "").await?;
            let result = async { Ok(building.follow().await? && building.flip().await?) };
            match result.await {
                Ok(true) => {
                    self.forget_live_tables();
                    return Ok(Rebuilt { suffix: building.build.suffix.clone(), messages: building.messages });
                }
                Ok(false) => building.discard().await?,
                Err(error) => {
                    building.discard().await?;
                    return Err(error);
                }
            }
        }
        Err(ProjectionError::Declaration(format!("projection {name}: parked streams were retried during every attempt")))
    }
}

/// A build under way.
pub(crate) struct Building<'a> {
    set: &'a Projections,
    pub projection: Arc<dyn Projection>,
    pub build: Build,
    next: HashMap<Place, i64>,
    /// Messages of the next page.
    size: u32,
    messages: u64,
}

impl<'a> Building<'a> {
    /// Creates the tables.
    pub async fn start(set: &'a Projections, projection: Arc<dyn Projection>, label: &str) -> Result<Self, ProjectionError> {
        let mut tx = set.db().begin().await?;
        let build = places::create(&mut tx, set.db().dialect(), set.consumer(), projection.as_ref(), label).await?;
        tx.commit().await?;
        Ok(Self { set, projection, build, next: HashMap::new(), size: MOST, messages: 0 })
    }

    /// Reads until little is left; false when the build went stale and must start again.
    pub async fn follow(&mut self) -> Result<bool, ProjectionError> {
        loop {
            let targets = checkpoint::offsets(self.set.db(), self.set.consumer()).await?;
            let behind = self.behind(targets);
            if behind.iter().map(|(_, from, until)| until - from).sum::<i64>() <= NEARLY_THERE {
                return Ok(true);
            }
            for (place, _, until) in behind {
                if !self.follow_to(&place, until).await? {
                    return Ok(false);
                }
            }
        }
    }

    /// Applies a partition up to an offset that the consumer has passed; false when the build went stale.
    async fn follow_to(&mut self, place: &Place, until: i64) -> Result<bool, ProjectionError> {
        let mut ahead = self.read_ahead(place, self.at(place)..until);
        while let Some(reading) = ahead {
            let page = reading.await.map_err(|panic| SqlError::Data(format!("reading ahead: {panic}")))??;
            ahead = self.read_ahead(place, page.next..until);
            let turn = self.set.turn();
            if !self.page(place, page).await? {
                return Ok(false);
            }
            self.size = size_after(self.size, turn.ends().await);
        }
        Ok(true)
    }

    /// Begins to read the page at the start of a range; none where nothing is left of it.
    fn read_ahead(&self, place: &Place, range: Range<i64>) -> Option<AbortOnDropHandle<Result<Page, ProjectionError>>> {
        if range.is_empty() {
            return None;
        }
        let (set, projection, place, size) = (self.set.clone(), Arc::clone(&self.projection), place.clone(), self.size);
        let read = async move { Page::read(&set, &mut Reader::Aside(set.db()), projection.as_ref(), (&place, range), size).await };
        Some(AbortOnDropHandle::new(tokio::spawn(read)))
    }

    /// Where this build is behind the consumer: partition, from, until.
    fn behind(&self, targets: HashMap<Place, i64>) -> Vec<(Place, i64, i64)> {
        let mine = |place: &Place| self.projection.sources().contains(&place.topic.as_str());
        let mut behind: Vec<_> = targets
            .into_iter()
            .filter(|(place, until)| mine(place) && self.at(place) < *until)
            .map(|(place, until)| (place.clone(), self.at(&place), until))
            .collect();
        behind.sort();
        behind
    }

    fn at(&self, place: &Place) -> i64 {
        self.next.get(place).copied().unwrap_or(0)
    }

    /// Writes one page of a partition in its own transaction; false when somebody has given the build up, whose rows may go meanwhile.
    async fn page(&mut self, place: &Place, page: Page) -> Result<bool, ProjectionError> {
        // A build ends with its process, and what puts it in place waits for the disk.
        let mut tx = self.set.db().begin_relaxed().await?;
        if !places::is_building(&mut tx, self.set.consumer(), self.projection.name(), self.build.number).await? {
            return Ok(false);
        }
        let next = page.next;
        self.write(&mut tx, page).await?;
        places::note_place(&mut tx, self.set.consumer(), self.projection.name(), self.build.number, (place, next)).await?;
        tx.commit().await?;
        self.next.insert(place.clone(), next);
        Ok(true)
    }

    async fn write(&mut self, tx: &mut Tx, page: Page) -> Result<(), ProjectionError> {
        self.messages += page.messages.len() as u64;
        match page.change {
            Some(change) => live::write(tx, (self.projection.as_ref(), &self.build.suffix), change, &page.messages).await,
            None => Ok(()),
        }
    }

    /// Applies what is left inside a transaction that nobody else can write the consumer's pages in.
    pub async fn finish_in(&mut self, tx: &mut Tx) -> Result<(), ProjectionError> {
        let targets = checkpoint::offsets_in(tx, self.set.consumer()).await?;
        for (place, mut from, until) in self.behind(targets) {
            while from < until {
                let (projection, size) = (Arc::clone(&self.projection), self.size);
                let page = Page::read(self.set, &mut Reader::Inside(tx), projection.as_ref(), (&place, from..until), size).await?;
                from = page.next;
                self.write(tx, page).await?;
            }
        }
        Ok(())
    }

    /// Puts the build in place; false when it went stale and must start again.
    async fn flip(&mut self) -> Result<bool, ProjectionError> {
        let (consumer, name) = (self.set.consumer(), self.projection.name());
        let mut tx = self.set.db().begin().await?;
        let before = self.lock_out_pages(&mut tx).await?;
        if !places::is_building(&mut tx, consumer, name, self.build.number).await? {
            return Ok(false);
        }
        self.finish_in(&mut tx).await?;
        let live = Live { build: self.build.number, version: self.build.version, suffix: self.build.suffix.clone() };
        places::set_live(&mut tx, consumer, name, &live).await?;
        places::keep_only(&mut tx, consumer, name, [self.build.number, before.build]).await?;
        tx.commit().await?;
        Ok(true)
    }

    /// Writes the live row as it is, which waits for open pages and holds new ones back until the transaction ends.
    pub async fn lock_out_pages(&self, tx: &mut Tx) -> Result<Live, ProjectionError> {
        let (consumer, name) = (self.set.consumer(), self.projection.name());
        tx.execute("UPDATE projection_live SET build = build WHERE consumer = $1 AND name = $2", &[consumer.into(), name.into()]).await?;
        let live = places::live_builds(tx, self.set.db().dialect(), consumer).await?;
        live.get(name).cloned().ok_or_else(|| ProjectionError::UnknownProjection(name.to_string()))
    }

    /// Removes the tables of a build that is not wanted.
    pub async fn discard(&self) -> Result<(), ProjectionError> {
        let mut tx = self.set.db().begin().await?;
        places::give_up(&mut tx, self.set.consumer(), self.projection.name(), self.build.number).await?;
        tx.commit().await?;
        let tables = self.projection.tables().iter().map(|table| table.physical(&self.build.suffix)).collect();
        self.set.remove(self.projection.name(), &Unwanted { number: self.build.number, tables }).await
    }
}

/// Messages of the page after one of `size` that took so long.
fn size_after(size: u32, took: Duration) -> u32 {
    if took > LONG_TURN {
        (size / 2).max(LEAST)
    } else if took < LONG_TURN / 3 {
        (size * 2).min(MOST)
    } else {
        size
    }
}

/// Consumed messages of a partition.
struct Page {
    messages: Vec<Message>,
    /// The offset after them.
    next: i64,
    /// What they change, if anything.
    change: Option<Box<dyn Change>>,
}

impl Page {
    /// At most `size` of them, as a projection reads them.
    async fn read(
        set: &Projections,
        reader: &mut Reader<'_>,
        projection: &dyn Projection,
        (place, range): (&Place, Range<i64>),
        size: u32,
    ) -> Result<Page, ProjectionError> {
        let own = set.own().filter(|own| own.topic == place.topic);
        let (messages, next) = match own {
            Some(own) => own_messages(set, reader, own, range, size).await?,
            None => archived_messages(set, reader, (place, range), size).await?,
        };
        let change = live::read(projection, &messages)?;
        Ok(Page { messages, next, change })
    }
}

/// At most `size` messages, and the offset after them.
async fn archived_messages(
    set: &Projections,
    reader: &mut Reader<'_>,
    (place, range): (&Place, Range<i64>),
    size: u32,
) -> Result<(Vec<Message>, i64), ProjectionError> {
    let until = range.end;
    let (sql, args) = archive::ask_applied(set.consumer(), place, range, size);
    let messages = archive::messages_of(reader.query(sql, &args).await?)?;
    let is_full = messages.len() == size as usize;
    let next = messages.last().filter(|_| is_full).map_or(until, |last| last.offset + 1);
    Ok((messages, next))
}

/// The same of the service's own log, without what waits behind a parked stream or was skipped.
async fn own_messages(
    set: &Projections,
    reader: &mut Reader<'_>,
    own: &OwnLog,
    range: Range<i64>,
    size: u32,
) -> Result<(Vec<Message>, i64), ProjectionError> {
    let limit = size.min(u32::try_from(range.end - range.start).unwrap_or(size));
    let read = own.log.read(range.start.unsigned_abs(), limit as usize).await;
    let events = read.map_err(|error| ProjectionError::Log(error.to_string()))?;
    let args = [set.consumer().into(), own.topic.as_str().into(), range.start.into(), range.end.into()];
    let left_out = reader.query(LEFT_OUT, &args).await?;
    let left_out = left_out.iter().map(|row| row.int("at_offset")).collect::<Result<HashSet<i64>, _>>()?;
    let next = events.last().map_or(range.end, |last| last.position as i64);
    let messages = events
        .into_iter()
        .map(|event| Message { topic: own.topic.clone(), partition: 0, offset: event.position as i64 - 1, event })
        .filter(|message| !left_out.contains(&message.offset))
        .collect();
    Ok((messages, next))
}

const LEFT_OUT: &str = "SELECT at_offset FROM consumer_archive WHERE consumer = $1 AND topic = $2 AND part = 0 \
                        AND at_offset >= $3 AND at_offset < $4 AND state <> 0";

/// Where a page is read.
enum Reader<'r> {
    /// Beside the transaction that applies the page before it.
    Aside(&'r Db),
    /// Inside the transaction that keeps the consumer's pages out.
    Inside(&'r mut Tx),
}

impl Reader<'_> {
    async fn query(&mut self, sql: &str, args: &[Value]) -> Result<Vec<Row>, SqlError> {
        match self {
            Reader::Aside(db) => db.query(sql, args).await,
            Reader::Inside(tx) => tx.query(sql, args).await,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pages_shrink_while_turns_are_long_and_grow_again() {
        let after = |size, milliseconds| size_after(size, Duration::from_millis(milliseconds));
        assert_eq!([after(MOST, 26), after(MOST, 25), after(MOST, 1)], [MOST / 2, MOST, MOST]);
        assert_eq!([after(1000, 9), after(1000, 8), after(1500, 0)], [1000, MOST, MOST]);
        assert_eq!([after(LEAST, 900), after(300, 26)], [LEAST, LEAST]);
    }
}
