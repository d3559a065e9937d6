use std::sync::Arc;
use std::sync::atomic::Ordering;

use eventlog::consumer::{Consumer, ConsumerError};
use eventlog::projection::{Change, Projection, ProjectionError, TableDef, Views};
use sql::{Column, Kind};

use super::models::{Fault, OwnTotals, Totals, own_totals, totals};
use super::world::{INBOUND, Mirror, NUMBERS, key, worlds};
use crate::counter::{Command, on};
use crate::logs::eventually;

#[tokio::test]
async fn a_model_built_from_zero_is_the_live_one_while_messages_keep_coming() {
    for world in worlds().await {
        let running = world.start().await;
        let own = world.start_models(world.own_models("mirror.views", vec![Arc::new(OwnTotals)])).await;
        for round in 0..30 {
            world.numbers.add(&[format!("a {}", round * 2).as_str(), "b 1"]).await;
        }
        let traffic = async {
            for round in 0..60 {
                world.numbers.add(&[format!("c {}", round * 2).as_str(), "a 1"]).await;
            }
        };
        let rebuilds = async {
            for _ in 0..3 {
                running.models.rebuild("totals").await.unwrap();
                own.models.rebuild("own_totals").await.unwrap();
                let verified = running.models.verify("totals").await.unwrap();
                assert!(verified.agrees() && verified.rows == verified.rebuilt_rows, "{}: {verified:?}", world.name);
            }
        };
        tokio::join!(traffic, rebuilds);
        world.settled().await;
        assert_eq!(totals(&running.models).await, ["a=930/90", "b=30/30", "c=3540/60"], "{}", world.name);
        assert_eq!(own_totals(&own.models).await, ["mirror-a=930/90", "mirror-b=30/30", "mirror-c=3540/60"]);
        for (models, name) in [(&running.models, "totals"), (&own.models, "own_totals")] {
            let verified = models.verify(name).await.unwrap();
            assert!(verified.agrees() && verified.rows == 3, "{verified:?}");
        }
        world.end(vec![running, own]).await;
    }
}

/// More than two pages of a build, so that one is read while another is applied; meanwhile a stream is released, whose messages are not in
/// what was read before.
#[tokio::test]
async fn pages_read_ahead_are_not_taken_for_what_a_retry_made_of_them() {
    for world in worlds().await {
        let mirror = Arc::new(Mirror::default());
        let models = world.models(vec![Arc::new(Totals::default())]);
        let spec = world.spec(INBOUND).topics(&[NUMBERS]).projections(models.clone());
        let wiring = (&world.activity, world.shutdown.child_token());
        let consumer = Consumer::start_with_inbound(spec, world.mirror.writer.clone(), mirror.clone(), &world.bus, wiring).await.unwrap();
        world.numbers.add(&["p 1", "p 13"]).await;
        let stream = |n: usize| if n % 1000 == 999 { "p".to_owned() } else { format!("s{}", n % 7) };
        let commands = (0..5000).map(|n| world.numbers.writer.submit(on(&stream(n), Command::Add(1))));
        assert!(futures::future::join_all(commands).await.iter().all(Result::is_ok));
        world.settled().await;
        assert_eq!(totals(&models).await[0], "p=1/1", "{}", world.name);
        mirror.repaired.store(true, Ordering::SeqCst);
        let released = async {
            consumer.parking().retry(&key("p"), "ana", "new version").await.unwrap();
            eventually("the stream flows again", async || consumer.parking().list().await.unwrap().is_empty()).await;
        };
        let rebuilds = async {
            for _ in 0..3 {
                let rebuilt = models.rebuild("totals").await.unwrap();
                assert!(rebuilt.messages >= 4996, "{}: {rebuilt:?}", world.name);
            }
        };
        tokio::join!(rebuilds, released);
        world.settled().await;
        assert_eq!(totals(&models).await[0], "p=19/7", "{}", world.name);
        let verified = models.verify("totals").await.unwrap();
        assert!(verified.agrees() && verified.rows == 8, "{}: {verified:?}", world.name);
        world.shutdown.cancel();
        consumer.stopped().await;
        world.end(vec![]).await;
    }
}

#[tokio::test]
async fn a_tampered_model_does_not_verify_and_a_rebuild_heals_it() {
    for world in worlds().await {
        let running = world.start().await;
        world.numbers.add(&["a 1", "b 2"]).await;
        world.settled().await;
        let mut tx = world.mirror.db().begin().await.unwrap();
        tx.execute("UPDATE totals_v1 SET total = total + 1 WHERE stream = 'a'", &[]).await.unwrap();
        tx.commit().await.unwrap();
        assert!(!running.models.verify("totals").await.unwrap().agrees(), "{}", world.name);
        running.models.rebuild("totals").await.unwrap();
        assert!(running.models.verify("totals").await.unwrap().agrees());
        assert_eq!(totals(&running.models).await, ["a=1/1", "b=2/1"]);
        world.end(vec![running]).await;
    }
}

#[tokio::test]
async fn a_new_version_is_built_beside_the_old_one_and_takes_its_place() {
    for world in worlds().await {
        let old = world.start().await;
        world.numbers.add(&["a 1", "b 2"]).await;
        world.settled().await;
        let version_2 = || Totals { version: 2, factor: 100, ..Totals::default() };
        let new = world.start_with(Arc::new(Mirror::default()), world.models(vec![Arc::new(version_2())])).await;
        assert_eq!(totals(&new.models).await, ["a=100/1", "b=200/1"], "{}", world.name);
        world.numbers.add(&["a 1"]).await;
        eventually("the new version goes on", async || totals(&new.models).await == ["a=200/2", "b=200/1"]).await;
        // The old table is kept as it was.
        let kept = world.mirror.db().query("SELECT total FROM totals_v1 ORDER BY stream", &[]).await.unwrap();
        assert_eq!(kept.iter().map(|row| row.int("total").unwrap()).collect::<Vec<_>>(), [1, 2]);
        // A program of the old version must not write the new tables, and cannot start any more.
        let spec = world.spec(INBOUND).topics(&[NUMBERS]).projections(world.models(vec![Arc::new(Totals::default())]));
        let refused = Consumer::start(spec, &world.bus, &world.activity, world.shutdown.clone()).await.err().unwrap();
        assert!(matches!(refused, ConsumerError::Projection(ProjectionError::Superseded { live: 2, ours: 1, .. })), "{refused}");
        world.end(vec![old, new]).await;
    }
}

#[tokio::test]
async fn a_rebuild_by_another_process_is_what_readers_of_the_service_see() {
    for world in worlds().await {
        let running = world.start().await;
        world.numbers.add(&["a 1"]).await;
        world.settled().await;
        assert_eq!(totals(&running.models).await, ["a=1/1"]);
        // `projections rebuild` beside the service: projections of its own on the same database.
        world.models(vec![Arc::new(Totals::default())]).rebuild("totals").await.unwrap();
        world.numbers.add(&["a 2"]).await;
        world.settled().await;
        assert_eq!(totals(&running.models).await, ["a=3/2"], "{}", world.name);
        world.end(vec![running]).await;
    }
}

#[tokio::test]
async fn a_model_that_comes_later_is_filled_from_the_archive() {
    for world in worlds().await {
        let first = world.start_with(Arc::new(Mirror::default()), world.models(vec![])).await;
        world.numbers.add(&["a 1", "b 2", "a 3"]).await;
        world.settled().await;
        first.stop().await;
        let second = world.start().await;
        assert_eq!(totals(&second.models).await, ["a=4/2", "b=2/1"], "{}", world.name);
        assert_eq!(world.mirror.total("mirror-a").await, 4);
        world.end(vec![second]).await;
    }
}

#[tokio::test]
async fn a_build_that_meets_poison_leaves_the_live_one_in_place() {
    let world = worlds().await.remove(0);
    let running = world.start().await;
    world.numbers.add(&["a 7"]).await;
    world.settled().await;
    running.stop().await;
    let unlucky = world.models(vec![Arc::new(Totals { unlucky: Some((7, Fault::Unwritable)), version: 2, ..Totals::default() })]);
    let failed = unlucky.prepare().await.unwrap_err();
    assert!(matches!(failed, ProjectionError::Poison { .. }), "{failed}");
    let back = world.start().await;
    assert_eq!(totals(&back.models).await, ["a=7/1"]);
    world.end(vec![back]).await;
}

struct Faulty;

impl Projection for Faulty {
    fn name(&self) -> &'static str {
        "faulty"
    }

    fn version(&self) -> u32 {
        1
    }

    fn sources(&self) -> &'static [&'static str] {
        &["other.v1"]
    }

    fn tables(&self) -> &'static [TableDef] {
        const WRONG: TableDef = TableDef { name: "f", columns: &[Column::optional("a", Kind::Int)], key: &["a", "b"], indexes: &[&["c"]] };
        &[WRONG]
    }

    fn read(&self, _page: &[&eventlog::bus::Message]) -> Result<Box<dyn Change>, ProjectionError> {
        Err(ProjectionError::Declaration("nobody reads it".into()))
    }
}

#[tokio::test]
async fn wrong_declarations_are_refused_with_all_faults() {
    let world = worlds().await.remove(0);
    let db = world.mirror.db().clone();
    let refused = eventlog::projection::Projections::new(db, INBOUND, None, vec![Arc::new(Faulty)]).err().unwrap();
    let text = refused.to_string();
    for fault in ["key column a is nullable", "key column b is not declared", "indexed column c is not declared"] {
        assert!(text.contains(fault), "{text}");
    }
    let running = world.start().await;
    let views = Views::of(vec![running.models.clone()]);
    let unknown = views.query("SELECT 1 FROM {nobody}", &[]).await.err().unwrap();
    assert!(matches!(unknown, ProjectionError::UnknownTable(name) if name == "nobody"));
    assert!(matches!(running.models.rebuild("nobody").await, Err(ProjectionError::UnknownProjection(_))));
    world.end(vec![running]).await;
}
