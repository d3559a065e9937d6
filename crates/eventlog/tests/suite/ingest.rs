use std::sync::Arc;

use eventlog::alongside::{Alongside, AlongsideError};
use eventlog::consumer::handler::InboundCommand;
use eventlog::writer::IngestError;
use eventlog::{Intake, WriteError, Writer, WriterOptions};

use crate::counter::{BelowZero, Command, Counter, on, stream_meta};
use crate::logs::{durable, transcript};

/// Moves one number by compare-and-set, as a consumer moves its offset.
struct Place {
    from: i64,
    to: i64,
}

#[async_trait::async_trait]
impl Alongside for Place {
    async fn write(&self, tx: &mut sql::Tx) -> Result<(), AlongsideError> {
        let moved = tx.execute("UPDATE place SET at = $1 WHERE at = $2", &[self.to.into(), self.from.into()]).await?;
        if moved == 1 { Ok(()) } else { Err(AlongsideError::Fenced) }
    }
}

fn page(from: i64, to: i64, commands: &[(&str, Command)]) -> Intake<Command> {
    let inbound = |(stream, command): &(&str, Command)| InboundCommand {
        stream: (*stream).into(),
        meta: stream_meta(stream),
        command: command.clone(),
    };
    Intake { commands: commands.iter().map(inbound).collect(), alongside: Arc::new(Place { from, to }) }
}

async fn prepare(db: &sql::Db) {
    let mut tx = db.begin().await.unwrap();
    tx.execute("CREATE TABLE place (at BIGINT NOT NULL)", &[]).await.unwrap();
    tx.execute("INSERT INTO place VALUES (0)", &[]).await.unwrap();
    tx.commit().await.unwrap();
}

async fn place(db: &sql::Db) -> i64 {
    db.query("SELECT at FROM place", &[]).await.unwrap()[0].int("at").unwrap()
}

#[tokio::test]
async fn a_page_and_its_place_move_together_or_not_at_all() {
    for site in durable().await {
        let log = site.log();
        let db = log.db().unwrap().clone();
        prepare(&db).await;
        let writer = Writer::spawn(Arc::new(Counter), log.clone(), WriterOptions::default());
        let done = writer.ingest(page(0, 2, &[("a", Command::Add(1)), ("b", Command::Add(2)), ("a", Command::Add(3))])).await.unwrap();
        assert_eq!(done.appended.iter().map(|one| one.last_position).collect::<Vec<_>>(), [1, 2, 3], "{}", site.name);
        assert_eq!(place(&db).await, 2);

        // A zombie comes with the place that it knew.
        let fenced = writer.ingest(page(0, 9, &[("a", Command::Add(100))])).await.unwrap_err();
        assert!(matches!(fenced, IngestError::Alongside(AlongsideError::Fenced)), "{fenced}");

        // Commands that can never go through: all of them are named, nothing is stored.
        let commands = [("a", Command::Add(-99)), ("b", Command::Add(1)), ("c", Command::Add(-1))];
        let Err(IngestError::Poisoned(poisoned)) = writer.ingest(page(2, 5, &commands)).await else { panic!() };
        let named: Vec<_> = poisoned.into_iter().map(|one| (one.index, one.error)).collect();
        assert_eq!(named, [(0, WriteError::Rejected(BelowZero)), (2, WriteError::Rejected(BelowZero))]);
        assert_eq!(place(&db).await, 2);
        assert_eq!(transcript(&log).await, ["1 a@1 1", "2 b@1 2", "3 a@2 3"]);

        // A page without commands moves the place alone.
        writer.ingest(page(2, 3, &[])).await.unwrap();
        // So does one whose commands cause nothing.
        writer.ingest(page(3, 4, &[("a", Command::Nothing)])).await.unwrap();
        assert_eq!(place(&db).await, 4);
        assert_eq!(writer.submit(on("a", Command::Add(1))).await.unwrap().state.total, 5);
    }
}

#[tokio::test]
async fn pages_and_commands_take_turns() {
    for site in durable().await {
        let log = site.log();
        prepare(log.db().unwrap()).await;
        let writer = Writer::spawn(Arc::new(Counter), log.clone(), WriterOptions::default());
        let commands = futures::future::join_all((0..300).map(|_| writer.submit(on("a", Command::Add(1)))));
        let pages = async {
            for at in 0..20 {
                writer.ingest(page(at, at + 1, &[("a", Command::Add(1)), ("b", Command::Add(1))])).await.unwrap();
            }
        };
        let (commands, ()) = tokio::join!(commands, pages);
        assert!(commands.iter().all(Result::is_ok));
        assert_eq!(writer.state("a").await.unwrap().0.total, 320, "{}", site.name);
        assert_eq!(log.head().await.unwrap(), 340);
    }
}
