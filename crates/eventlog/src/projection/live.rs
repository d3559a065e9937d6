//! A page for the live builds: read before the consumer's transaction, written inside of it.

use std::collections::HashMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Mutex, PoisonError};

use futures::FutureExt;
use sql::{Row, SqlError, Step, Tx};

use super::places::{self, Live};
use super::registry::Projections;
use super::{Change, Projection, ProjectionError, View};
use crate::bus::Message;

/// What a page changes in the tables of one projection, where it has anything for it.
pub(crate) type Read = Result<Option<Box<dyn Change>>, ProjectionError>;

/// A page as all projections of a consumer read it.
pub(crate) struct PageRead {
    set: Projections,
    /// By projection, until it is written.
    read: Mutex<HashMap<&'static str, Read>>,
}

impl Projections {
    /// Reads a page for [`PageRead::write`]. What cannot be read is told there, and only of projections that are live.
    pub(crate) fn read(&self, messages: &[Message]) -> PageRead {
        let read = self.list().iter().map(|projection| (projection.name(), read(projection.as_ref(), messages)));
        PageRead { set: self.clone(), read: Mutex::new(read.collect()) }
    }

    /// Whether some projection here knows the type of a message.
    pub(crate) fn knows(&self, message: &Message) -> bool {
        self.list().iter().any(|projection| {
            projection.sources().contains(&message.topic.as_str()) && projection.knows(&message.topic, &message.event.event_type)
        })
    }
}

impl PageRead {
    /// Asks which builds are live, for [`PageRead::write`]. Asked after the place was moved, so that a flip either saw the page or waits for
    /// it.
    pub(crate) fn ask_live(&self) -> Step<'static> {
        places::ask_live(self.set.db().dialect(), self.set.consumer())
    }

    /// Writes what the messages, those that were read, change in all live builds.
    pub(crate) async fn write(&self, tx: &mut Tx, live: Vec<Row>, messages: &[Message]) -> Result<(), ProjectionError> {
        let live = places::live_of(&live)?;
        self.set.believe_no_other(&live);
        for projection in self.set.list() {
            let Some(build) = live.get(projection.name()).filter(|live| live.build > 0) else {
                continue;
            };
            check_version(projection.as_ref(), build)?;
            if let Some(change) = self.take(projection.as_ref(), messages)? {
                write(tx, (projection.as_ref(), &build.suffix), change, messages).await?;
            }
        }
        Ok(())
    }

    /// Messages are applied out of the order of offsets: builds under way must start again.
    pub(crate) async fn spoil_builds(&self, tx: &mut Tx) -> Result<(), ProjectionError> {
        Ok(places::spoil(tx, self.set.consumer()).await?)
    }

    /// What was read, once; read again where the page is written again because its transaction came to nothing.
    fn take(&self, projection: &dyn Projection, messages: &[Message]) -> Read {
        let taken = self.read.lock().unwrap_or_else(PoisonError::into_inner).remove(projection.name());
        taken.unwrap_or_else(|| read(projection, messages))
    }
}

fn check_version(projection: &dyn Projection, live: &Live) -> Result<(), ProjectionError> {
    if live.version == projection.version() {
        return Ok(());
    }
    Err(ProjectionError::Superseded { name: projection.name().to_string(), live: live.version, ours: projection.version() })
}

/// What a page changes in the tables of a projection; nothing where it has no message for it.
pub(crate) fn read(projection: &dyn Projection, messages: &[Message]) -> Read {
    let page = wanted(projection, messages);
    if page.is_empty() {
        return Ok(None);
    }
    // What it leaves half done is its own and goes with it.
    let read = catch_unwind(AssertUnwindSafe(|| projection.read(&page)));
    read.unwrap_or_else(|_| Err(panicked(projection, &page))).map(Some)
}

/// Writes a change of messages to one build.
pub(crate) async fn write(
    tx: &mut Tx,
    (projection, suffix): (&dyn Projection, &str),
    change: Box<dyn Change>,
    messages: &[Message],
) -> Result<(), ProjectionError> {
    let mut view = View::new(tx, projection, suffix);
    // What it leaves half done is in the transaction, which is not committed.
    let written = AssertUnwindSafe(change.write(&mut view)).catch_unwind().await;
    written.unwrap_or_else(|_| Err(panicked(projection, &wanted(projection, messages))))
}

fn wanted<'m>(projection: &dyn Projection, messages: &'m [Message]) -> Vec<&'m Message> {
    let wanted = |message: &&Message| !message.is_withheld() && projection.sources().contains(&message.topic.as_str());
    messages.iter().filter(wanted).collect()
}

/// A projection that panics is at odds with a message: with the only one of its page, or with one that smaller pages will tell.
fn panicked(projection: &dyn Projection, page: &[&Message]) -> ProjectionError {
    let reason = format!("projection {} panicked", projection.name());
    match page {
        [only] => ProjectionError::poison(only, reason),
        _ => SqlError::Data(reason).into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::consumer::schema;
    use crate::event::sample;
    use crate::projection::TableDef;
    use sql::{Column, Db, Durability, Kind, Value};
    use std::sync::Arc;

    /// A row for each message.
    struct Heard;

    const HEARD: TableDef = TableDef { name: "heard", columns: &[Column::new("version", Kind::Int)], key: &["version"], indexes: &[] };

    impl Projection for Heard {
        fn name(&self) -> &'static str {
            "heard"
        }

        fn version(&self) -> u32 {
            1
        }

        fn sources(&self) -> &'static [&'static str] {
            &["t"]
        }

        fn tables(&self) -> &'static [TableDef] {
            &[HEARD]
        }

        fn read(&self, page: &[&Message]) -> Result<Box<dyn Change>, ProjectionError> {
            let rows = page.iter().map(|message| vec![Value::Int(message.event.version as i64)]);
            Ok(Box::new(Rows(rows.collect())))
        }
    }

    struct Rows(Vec<Vec<Value>>);

    #[async_trait::async_trait]
    impl Change for Rows {
        async fn write(self: Box<Self>, view: &mut View<'_>) -> Result<(), ProjectionError> {
            view.upsert("heard", self.0).await
        }
    }

    async fn heard(folder: &tempfile::TempDir) -> Projections {
        let db = Db::open_sqlite(&folder.path().join("heard.sqlite"), Durability::Throwaway).await.unwrap();
        db.migrate(schema::MIGRATIONS).await.unwrap();
        let set = Projections::new(db, "c", None, vec![Arc::new(Heard)]).unwrap();
        set.prepare().await.unwrap();
        set
    }

    fn messages(versions: std::ops::Range<u64>) -> Vec<Message> {
        versions.map(|version| Message { topic: "t".into(), partition: 0, offset: version as i64, event: sample("a", version) }).collect()
    }

    async fn write_in(tx: &mut Tx, page: &PageRead, messages: &[Message]) {
        let live = tx.in_turn(vec![page.ask_live()]).await.unwrap().remove(0).1;
        page.write(tx, live, messages).await.unwrap();
    }

    #[tokio::test]
    async fn a_page_whose_transaction_came_to_nothing_is_written_whole_again() {
        let folder = tempfile::tempdir().unwrap();
        let (set, messages) = (heard(&folder).await, messages(1..4));
        let page = set.read(&messages);
        for is_kept in [false, true] {
            let mut tx = set.db().begin().await.unwrap();
            write_in(&mut tx, &page, &messages).await;
            match is_kept {
                true => tx.commit().await.unwrap(),
                false => tx.rollback().await.unwrap(),
            }
        }
        let rows = crate::projection::Views::of(vec![set]).query("SELECT version FROM {heard} ORDER BY version", &[]).await.unwrap();
        assert_eq!(rows.iter().map(|row| row.int("version").unwrap()).collect::<Vec<_>>(), [1, 2, 3]);
    }

    /// The table lies in its key and has no numbers of rows.
    #[tokio::test]
    async fn a_replaced_table_whose_rows_are_all_key_goes_in_pieces_too() {
        let folder = tempfile::tempdir().unwrap();
        let (set, messages) = (heard(&folder).await, messages(1..1_201));
        let page = set.read(&messages);
        let mut tx = set.db().begin().await.unwrap();
        write_in(&mut tx, &page, &messages).await;
        tx.commit().await.unwrap();
        let tables = "SELECT wr FROM pragma_table_list WHERE name LIKE 'heard%'";
        let kinds = async || {
            let rows = set.db().query(tables, &[]).await.unwrap();
            rows.iter().map(|row| row.int("wr").unwrap()).collect::<Vec<_>>()
        };
        assert_eq!(kinds().await, [1]);
        set.rebuild("heard").await.unwrap();
        set.rebuild("heard").await.unwrap();
        assert_eq!(kinds().await, [1, 1, 1], "the one before is kept, and the one before that not removed yet");
        set.remove_replaced("heard").await.unwrap();
        assert_eq!(kinds().await, [1, 1]);
    }
}
