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

/// Rows of the model: eleven pieces.
const STREAMS: usize = 5203;

/// A model with all of them, built three times: the first of its tables is what nobody needs any more.
async fn built_thrice(world: &World) -> Running {
    let models = world.models(vec![Arc::new(Totals::default())]);
    let spec = world.spec(INBOUND).topics(&[NUMBERS]).projections(models.clone());
    let token = world.shutdown.child_token();
    let consumer = Consumer::start(spec, &world.bus, &world.activity, token.clone()).await.unwrap();
    let commands = (0..STREAMS).map(|n| world.numbers.writer.submit(on(&format!("s{n:04}"), Command::Add(1))));
    assert!(futures::future::join_all(commands).await.iter().all(Result::is_ok));
    world.settled().await;
    for _ in 0..2 {
        models.rebuild("totals").await.unwrap();
    }
    assert_eq!(tables(world.mirror.db()).await, ["totals_v1", "totals_v1_2", "totals_v1_3"], "{}", world.name);
    Running { consumer, models, token }
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
