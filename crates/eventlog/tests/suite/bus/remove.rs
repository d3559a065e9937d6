//! What builds leave goes in pieces, and others have their turn in between.

use std::collections::BTreeSet;
use std::sync::Arc;

use eventlog::consumer::Consumer;
use eventlog::projection::Projections;
use sql::{Db, Dialect};
use tokio_util::sync::CancellationToken;

use super::models::{Fault, Totals, totals};
use super::world::{INBOUND, NUMBERS, Running, World, worlds};
use crate::counter::{Command, on};
use crate::logs::eventually;

/// Rows of the model: eleven pieces.
const STREAMS: usize = 5203;

/// The model, kept by a consumer that does nothing else.
async fn started(world: &World) -> Running {
    let models = world.models(vec![Arc::new(Totals::default())]);
    let spec = world.spec(INBOUND).topics(&[NUMBERS]).projections(models.clone());
    let token = world.shutdown.child_token();
    let consumer = Consumer::start(spec, &world.bus, &world.activity, token.clone()).await.unwrap();
    Running { consumer, models, token }
}

/// The model with all rows.
async fn filled(world: &World) -> Running {
    let running = started(world).await;
    let commands = (0..STREAMS).map(|n| world.numbers.writer.submit(on(&format!("s{n:04}"), Command::Add(1))));
    assert!(futures::future::join_all(commands).await.iter().all(Result::is_ok));
    world.settled().await;
    running
}

/// The same, built three times: the first of its tables is what nobody needs any more.
async fn built_thrice(world: &World) -> Running {
    let running = filled(world).await;
    for _ in 0..2 {
        running.models.rebuild("totals").await.unwrap();
    }
    assert_eq!(tables(world.mirror.db()).await, ["totals_v1", "totals_v1_2", "totals_v1_3"], "{}", world.name);
    running
}

/// Tables of the model that are in the database.
async fn tables(db: &Db) -> Vec<String> {
    let sql = match db.dialect() {
        Dialect::Sqlite => "SELECT name FROM sqlite_master WHERE type = 'table' AND name LIKE 'totals%' ORDER BY name",
        Dialect::Postgres => {
            "SELECT CAST(tablename AS TEXT) AS name FROM pg_tables WHERE schemaname = current_schema() AND tablename LIKE 'totals%' ORDER BY 1"
        }
    };
    db.query(sql, &[]).await.unwrap().iter().map(|row| row.text("name").unwrap()).collect()
}

/// Removes, and says when it is over.
async fn remove(models: &Projections, over: &CancellationToken) {
    models.remove_replaced("totals").await.unwrap();
    over.cancel();
}

#[tokio::test]
async fn what_rebuilds_replaced_goes_in_pieces_while_others_write() {
    for world in worlds().await {
        let running = built_thrice(&world).await;
        let (db, over) = (world.mirror.db(), CancellationToken::new());
        let others = async {
            let mut seen = BTreeSet::new();
            while !over.is_cancelled() && tables(db).await.len() == 3 {
                // A turn of the writer, as a page of a consumer has it.
                let mut tx = db.begin().await.unwrap();
                let Ok(rows) = tx.query("SELECT COUNT(*) AS n FROM totals_v1", &[]).await else { break };
                seen.insert(rows[0].int("n").unwrap());
                tx.commit().await.unwrap();
            }
            seen
        };
        let ((), seen) = tokio::join!(remove(&running.models, &over), others);
        if db.dialect() == Dialect::Sqlite {
            assert!(seen.len() > 2, "others saw the table with {seen:?} rows");
        }
        assert_eq!(tables(db).await, ["totals_v1_2", "totals_v1_3"], "{}", world.name);
        assert_eq!(totals(&running.models).await.len(), STREAMS);
        assert!(running.models.verify("totals").await.unwrap().agrees());
        assert_eq!(tables(db).await, ["totals_v1_2", "totals_v1_3"], "what was built for a comparison goes too");
        world.end(vec![running]).await;
    }
}

#[tokio::test]
async fn a_process_beside_the_service_leaves_it_its_turns() {
    for world in worlds().await {
        let running = built_thrice(&world).await;
        let another = world.mirror.site.another().await.unwrap();
        let beside = Projections::new(another.db().cloned().unwrap(), INBOUND, None, vec![Arc::new(Totals::default())]).unwrap();
        beside.work_beside();
        let (db, over) = (world.mirror.db(), CancellationToken::new());
        let service = async {
            let mut turns = 0;
            while !over.is_cancelled() && tables(db).await.len() == 3 {
                let mut tx = db.begin().await.unwrap();
                tx.execute("UPDATE projection_live SET build = build", &[]).await.unwrap();
                let Ok(rows) = tx.query("SELECT COUNT(*) AS n FROM totals_v1", &[]).await else { break };
                tx.commit().await.unwrap();
                turns += u32::from(rows[0].int("n").unwrap() < STREAMS as i64);
            }
            turns
        };
        let ((), turns) = tokio::join!(remove(&beside, &over), service);
        // Where it does not rest, the service has no turn at all until everything is gone.
        assert!(turns >= 5 || db.dialect() == Dialect::Postgres, "the service had {turns} turns");
        assert_eq!(tables(db).await, ["totals_v1_2", "totals_v1_3"], "{}", world.name);
        world.end(vec![running]).await;
    }
}

#[tokio::test]
async fn what_a_process_that_died_was_removing_is_removed_later() {
    for world in worlds().await {
        let running = world.start().await;
        world.numbers.add(&["a 1", "b 2"]).await;
        world.settled().await;
        for _ in 0..2 {
            running.models.rebuild("totals").await.unwrap();
        }
        running.stop().await;
        let db = world.mirror.db();
        let mut tx = db.begin().await.unwrap();
        tx.execute("DELETE FROM totals_v1 WHERE stream = 'a'", &[]).await.unwrap();
        tx.commit().await.unwrap();
        let again = world.start().await;
        assert_eq!(tables(db).await, ["totals_v1_2", "totals_v1_3"], "{}", world.name);
        assert_eq!(totals(&again.models).await, ["a=1/1", "b=2/1"]);
        world.end(vec![again]).await;
    }
}

/// Pages of a build are committed without waiting for the disk on SQLite: nothing of one that did not come to its end is ever read, and on SQLite,
/// where nobody else can be at it, it is gone after the next start.
#[tokio::test]
async fn a_build_whose_process_died_is_never_read() {
    for world in worlds().await {
        let db = world.mirror.db();
        let running = filled(&world).await;
        world.numbers.add(&["z 7"]).await;
        world.settled().await;
        let before = totals(&running.models).await;
        assert_eq!((before.len(), before[STREAMS].as_str()), (STREAMS + 1, "z=7/1"), "{}", world.name);
        let dies = world.models(vec![Arc::new(Totals { unlucky: Some((7, Fault::HangsWhenWritten)), version: 2, ..Totals::default() })]);
        let build = tokio::spawn(async move { dies.rebuild("totals").await });
        let stored = async || match db.query("SELECT COUNT(*) AS stored FROM totals_v2", &[]).await {
            Ok(rows) => rows[0].int("stored").unwrap(),
            Err(_) => 0,
        };
        eventually("some of its pages are stored", async || stored().await > 0).await;
        build.abort();
        assert!(build.await.unwrap_err().is_cancelled(), "{}", world.name);
        assert!(stored().await < STREAMS as i64, "{}", world.name);
        assert_eq!(totals(&running.models).await, before, "{}", world.name);
        running.stop().await;
        let again = started(&world).await;
        if db.dialect() == Dialect::Sqlite {
            assert_eq!(tables(db).await, ["totals_v1"]);
        }
        again.models.rebuild("totals").await.unwrap();
        assert!(again.models.verify("totals").await.unwrap().agrees(), "{}", world.name);
        assert_eq!(totals(&again.models).await, before, "{}", world.name);
        world.end(vec![again]).await;
    }
}

#[tokio::test]
async fn a_build_that_failed_leaves_no_table() {
    for world in worlds().await {
        let running = world.start().await;
        world.numbers.add(&["a 7"]).await;
        world.settled().await;
        let unlucky = world.models(vec![Arc::new(Totals { unlucky: Some((7, Fault::Unwritable)), version: 2, ..Totals::default() })]);
        assert!(unlucky.rebuild("totals").await.is_err(), "{}", world.name);
        assert_eq!(tables(world.mirror.db()).await, ["totals_v1"]);
        world.end(vec![running]).await;
    }
}
