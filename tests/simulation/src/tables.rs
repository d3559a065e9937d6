//! The product's own SQL read models, fed with what a played history has told: page by page, with messages that come twice, pages that
//! are lost before or after they were stored, and consumers that were taken for dead. What is live then must be what a build from zero
//! gives, and what a database gives that has read everything once, in order.

use crate::chance::Chance;
use crate::history::history;
use crate::journal::stored_places;
use crate::reader::{Mishap, Reader};
use crate::service::Partitions;
use crate::world::{Play, World};
use eventlog::alongside::AlongsideError;
use eventlog::bus::{Message, Place};
use eventlog::consumer::{schema, settle};
use eventlog::projection::Projections;
use sql::{Db, Durability};
use std::path::Path;

/// More pages than any history needs.
const MOST_PAGES: u32 = 20_000;

/// Makes the read models of a service over a database.
type Make = fn(&Db) -> Result<Projections, String>;

/// Plays the history of a seed and feeds the read models of reporting and of the engine with it. Gives how many rows they have.
/// `forgetful`: planted, a message is passed over.
///
/// # Errors
/// What differs, or could not be stored.
pub fn compare(seed: u64, forgetful: bool) -> Result<u64, String> {
    let mut world = World::new(history(seed), Play::default());
    world.run();
    if let Some(violation) = world.witness.violations.first() {
        return Err(violation.to_string());
    }
    let mut chance = Chance::new(seed, 4);
    let published = vec![world.invoice.topic.clone(), world.engine.topic.clone(), world.notification.topic.clone()];
    let own = vec![own_log(&mut world, &mut chance)];
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(|error| error.to_string())?;
    let folder = tempfile::tempdir().map_err(|error| error.to_string())?;
    let services: [(&str, Make, Vec<Partitions>); 2] = [("reporting", reporting, published), ("engine", engine, own)];
    let mut rows = 0;
    for (name, make, topics) in services {
        let file = |kind: &str| folder.path().join(format!("{name}-{kind}.sqlite"));
        let compared = async {
            let mut fed = Fed::open(&file("fed"), make).await?;
            fed.live_through(&topics, &mut chance, forgetful).await?;
            let mut clean = Fed::open(&file("clean"), make).await?;
            clean.read_whole(&topics).await?;
            fed.equals(&clean).await
        };
        rows += runtime.block_on(compared).map_err(|what| format!("{name}: {what}"))?;
    }
    Ok(rows)
}

fn reporting(db: &Db) -> Result<Projections, String> {
    ::reporting::projections(db).map_err(|error| error.to_string())
}

fn engine(db: &Db) -> Result<Projections, String> {
    Projections::new(db.clone(), dunning_engine::VIEWS_CONSUMER, None, dunning_engine::tables()).map_err(|error| error.to_string())
}

/// The engine's log as its own views read it, with pieces that come once more.
fn own_log(world: &mut World, chance: &mut Chance) -> Partitions {
    let events = world.engine.journal.read(0, usize::MAX >> 1);
    let (mut lane, mut next): (Vec<Message>, usize) = (Vec::new(), 0);
    while let Some(event) = events.get(next) {
        let offset = i64::try_from(lane.len()).unwrap_or(i64::MAX);
        lane.push(Message { topic: dunning_engine::TOPIC.to_owned(), partition: 0, offset, event: event.clone() });
        next = if chance.permille(30) { next.saturating_sub(chance.place(6)) } else { next + 1 };
    }
    vec![lane]
}

/// Read models on a database, and the consumer that fills them.
struct Fed {
    db: Db,
    projections: Projections,
    reader: Reader,
}

impl Fed {
    async fn open(path: &Path, make: Make) -> Result<Fed, String> {
        let db = Db::open_sqlite(path, Durability::Throwaway).await.map_err(|error| error.to_string())?;
        db.migrate(schema::MIGRATIONS).await.map_err(|error| error.to_string())?;
        let projections = make(&db)?;
        projections.prepare().await.map_err(|error| error.to_string())?;
        let reader = Reader::new(projections.consumer());
        Ok(Fed { db, projections, reader })
    }

    /// Everything once, each partition in one page.
    async fn read_whole(&mut self, topics: &[Partitions]) -> Result<(), String> {
        for (topic, place) in places(topics) {
            self.take((topic, &place), (usize::MAX >> 1, Mishap::None), &mut false).await?;
        }
        Ok(())
    }

    async fn live_through(&mut self, topics: &[Partitions], chance: &mut Chance, mut forgetful: bool) -> Result<(), String> {
        let all = places(topics);
        let mut zombie: Option<Reader> = None;
        for _ in 0..MOST_PAGES {
            let lagging: Vec<_> = all.iter().filter(|(topic, place)| self.reader.lag(topic, place) > 0).collect();
            let Some((topic, place)) = lagging.get(chance.place(lagging.len())) else { return Ok(()) };
            let of = (*topic, place);
            if chance.permille(40) {
                // A consumer that was taken for dead comes back with what it believed then.
                let before = zombie.replace(self.reader.clone());
                if let Some(dead) = before {
                    let alive = std::mem::replace(&mut self.reader, dead);
                    self.take(of, (chance.place(6) + 1, Mishap::None), &mut false).await?;
                    self.reader = alive;
                    // Who lives may be the slower one now, and finds out by being fenced off.
                }
            }
            let mishap = match chance.within(0, 20) {
                0 => Mishap::LostBefore,
                1 => Mishap::LostAfter,
                2 => Mishap::Reordered,
                _ => Mishap::None,
            };
            self.take(of, (chance.place(25) + 1, mishap), &mut forgetful).await?;
        }
        Err("the consumer does not come to the end".to_owned())
    }

    /// Takes a page as a running consumer does, in one transaction.
    async fn take(
        &mut self,
        (topic, place): (&Partitions, &Place),
        (limit, mishap): (usize, Mishap),
        forgetful: &mut bool,
    ) -> Result<(), String> {
        let mut sorted = self.reader.page(topic, place, limit, mishap)?;
        if sorted.is_empty() {
            return Ok(());
        }
        let told = |message: &Message| !message.is_withheld();
        if *forgetful && let Some(at) = sorted.fresh.iter().position(told) {
            sorted.fresh.remove(at);
            *forgetful = false;
        }
        let now = chrono::DateTime::UNIX_EPOCH;
        let mut tx = self.db.begin().await.map_err(|error| error.to_string())?;
        match settle(&mut tx, &self.projections, sorted.clone(), now).await {
            Ok(()) if mishap == Mishap::LostBefore => drop(tx),
            Ok(()) => {
                tx.commit().await.map_err(|error| error.to_string())?;
                if mishap != Mishap::LostAfter {
                    self.reader.stored(&sorted);
                    return Ok(());
                }
            }
            Err(AlongsideError::Fenced) => drop(tx),
            Err(error) => return Err(format!("{error:?}")),
        }
        self.reader.known = stored_places(&self.db, self.reader.name).await;
        Ok(())
    }

    async fn equals(&self, clean: &Fed) -> Result<u64, String> {
        let mut rows = 0;
        for status in self.projections.status().await.map_err(|error| error.to_string())? {
            let [fed, clean] = [self, clean].map(|one| one.projections.clone());
            let fed = fed.verify(&status.name).await.map_err(|error| error.to_string())?;
            let clean = clean.verify(&status.name).await.map_err(|error| error.to_string())?;
            if !fed.agrees() || !clean.agrees() || fed.live_hash != clean.live_hash {
                return Err(format!("fed {fed:?}, read once {clean:?}"));
            }
            rows += fed.rows;
        }
        Ok(rows)
    }
}

fn places(topics: &[Partitions]) -> Vec<(&Partitions, Place)> {
    let of = |topic: &Partitions| topic.iter().filter_map(|lane| lane.first()).map(Message::place).collect::<Vec<_>>();
    topics.iter().flat_map(|topic| of(topic).into_iter().map(move |place| (topic, place))).collect()
}
