use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Instant;

use eventlog::log::{CrashPoint, Faults};
use eventlog::{Writer, WriterOptions};
use sql::Db;

use super::models::{OwnTotals, Totals, own_totals, totals};
use super::world::{INBOUND, Mirror, World, worlds};
use crate::counter::{Command, Counter, on};
use crate::logs::eventually;

async fn archived(db: &Db) -> Vec<String> {
    let sql = "SELECT stream, version, event_type FROM consumer_archive WHERE consumer = $1 ORDER BY stream, version";
    let rows = db.query(sql, &[INBOUND.into()]).await.unwrap();
    let line =
        |row: &sql::Row| format!("{}@{} {}", row.text("stream").unwrap(), row.int("version").unwrap(), row.text("event_type").unwrap());
    rows.iter().map(line).collect()
}

#[tokio::test]
async fn facts_of_one_service_become_commands_and_rows_of_another() {
    for world in worlds().await {
        let running = world.start().await;
        world.numbers.add(&["a 1", "b 2", "a 3"]).await;
        world.settled().await;
        assert_eq!((world.mirror.total("mirror-a").await, world.mirror.total("mirror-b").await), (4, 2), "{}", world.name);
        assert_eq!(totals(&running.models).await, ["a=4/2", "b=2/1"]);
        assert_eq!(archived(world.mirror.db()).await, ["a@1 NumberAdded", "a@2 NumberAdded", "b@1 NumberAdded"]);
        // The cause of a mirrored event is the fact, and tenant and key are carried on.
        let mirrored = world.mirror.log.read(0, 10).await.unwrap().into_iter().find(|event| event.stream == "mirror-b").unwrap();
        let fact = world.numbers.log.read(0, 10).await.unwrap().remove(1);
        assert_eq!((mirrored.causation_id, mirrored.key.as_str()), (Some(fact.event_id), fact.key.as_str()));
        let status = running.consumer.status();
        assert_eq!((status.counts.applied, status.parked, status.places.values().map(|place| place.lag).sum::<i64>()), (3, 0, 0));
        world.end(vec![running]).await;
    }
}

#[tokio::test]
async fn internal_events_are_withheld_and_unknown_ones_are_kept_skipped_and_counted() {
    for world in worlds().await {
        let running = world.start().await;
        world.numbers.add(&["a 1"]).await;
        let wake = crate::counter::moment(5);
        for command in [Command::Plan("soon", 5), Command::Wake(wake), Command::Add(2)] {
            world.numbers.writer.submit(on("a", command)).await.unwrap();
        }
        world.settled().await;
        assert_eq!(archived(world.mirror.db()).await, ["a@1 NumberAdded", "a@2 withheld", "a@3 Unheard", "a@4 NumberAdded"]);
        assert_eq!(world.mirror.total("mirror-a").await, 3, "{}", world.name);
        let counts = running.consumer.status().counts;
        assert_eq!((counts.applied, counts.unknown), (3, 1));
        world.end(vec![running]).await;
    }
}

#[tokio::test]
async fn a_consumer_goes_on_where_it_stopped() {
    for world in worlds().await {
        let first = world.start().await;
        world.numbers.add(&["a 1", "b 1"]).await;
        world.settled().await;
        first.stop().await;
        world.numbers.add(&["a 10", "c 5"]).await;
        let second = world.start().await;
        world.settled().await;
        assert_eq!(totals(&second.models).await, ["a=11/2", "b=1/1", "c=5/1"], "{}", world.name);
        assert_eq!(world.mirror.total("mirror-a").await, 11);
        assert_eq!(second.consumer.status().counts.applied, 2);
        world.end(vec![second]).await;
    }
}

#[tokio::test]
async fn a_consumer_may_start_before_its_topic_is_offered() {
    let world = in_process().await;
    let bus = eventlog::bus::Bus::InProcess(eventlog::bus::InProcess::new());
    let world = World { bus, ..world };
    let running = world.start().await;
    world.numbers.add(&["a 1"]).await;
    world.settled().await;
    assert_eq!(totals(&running.models).await, Vec::<String>::new());
    let publish = Arc::new(super::world::Translated);
    world.bus.offer(super::world::NUMBERS, world.numbers.log.clone(), publish, &world.activity, world.shutdown.clone()).await.unwrap();
    world.settled().await;
    assert_eq!(totals(&running.models).await, ["a=1/1"]);
    world.end(vec![running]).await;
}

async fn in_process() -> World {
    worlds().await.remove(0)
}

#[tokio::test]
async fn transient_errors_are_waited_out_and_leave_nothing_half_done() {
    for world in worlds().await {
        let failing = Totals { failures: Arc::new(AtomicU32::new(3)), ..Totals::default() };
        let running = world.start_with(Arc::new(Mirror::default()), world.models(vec![Arc::new(failing)])).await;
        world.numbers.add(&["a 1", "a 2", "b 3"]).await;
        world.settled().await;
        assert_eq!(totals(&running.models).await, ["a=3/2", "b=3/1"], "{}", world.name);
        assert_eq!((world.mirror.total("mirror-a").await, world.mirror.log.head().await.unwrap()), (3, 3));
        let status = running.consumer.status();
        assert_eq!((status.counts.retries, status.trouble), (3, None));
        world.end(vec![running]).await;
    }
}

#[tokio::test]
async fn two_consumers_of_one_name_never_apply_a_message_twice() {
    for world in worlds().await {
        let (one, other) = tokio::join!(world.start(), world.start());
        for round in 0..20 {
            world.numbers.add(&[format!("a {}", round * 2).as_str(), "b 1"]).await;
        }
        eventually("all applied", async || totals(&one.models).await == ["a=380/20", "b=20/20"]).await;
        assert_eq!((world.mirror.total("mirror-a").await, world.mirror.total("mirror-b").await), (380, 20), "{}", world.name);
        assert_eq!(world.mirror.log.head().await.unwrap(), 40);
        world.end(vec![one, other]).await;
    }
}

#[tokio::test]
async fn a_gap_holds_its_partition_until_it_is_closed() {
    for world in worlds().await {
        let running = world.start().await;
        world.numbers.add(&["a 1"]).await;
        world.settled().await;
        forget_version(world.mirror.db(), 0).await;
        world.numbers.add(&["a 2", "a 3"]).await;
        eventually("a gap is reported", async || !running.consumer.status().gaps.is_empty()).await;
        let gap = running.consumer.status().gaps.remove(0);
        assert_eq!((gap.stream.as_str(), gap.expected, gap.found), ("a", 1, 2), "{}", world.name);
        // A held partition is an alarm, not work in hand.
        world.settled().await;
        assert_eq!(totals(&running.models).await, ["a=1/1"]);
        forget_version(world.mirror.db(), 1).await;
        eventually("the partition goes on", async || totals(&running.models).await == ["a=6/3"]).await;
        eventually("the alarm ends", async || running.consumer.status().gaps.is_empty()).await;
        assert_eq!(world.mirror.total("mirror-a").await, 6);
        world.end(vec![running]).await;
    }
}

async fn forget_version(db: &Db, version: i64) {
    let mut tx = db.begin().await.unwrap();
    tx.execute("UPDATE consumer_stream SET version = $1 WHERE stream = 'a'", &[version.into()]).await.unwrap();
    tx.commit().await.unwrap();
}

#[tokio::test]
async fn models_over_the_own_log_follow_it() {
    for world in worlds().await {
        let inbound = world.start().await;
        let own = world.start_models(world.own_models("mirror.views", vec![Arc::new(OwnTotals)])).await;
        world.numbers.add(&["a 1", "b 2", "a 3"]).await;
        world.mirror.add(&["c 9"]).await;
        world.settled().await;
        assert_eq!(own_totals(&own.models).await, ["c=9/1", "mirror-a=4/2", "mirror-b=2/1"], "{}", world.name);
        let status = own.models.status().await.unwrap().remove(0);
        assert_eq!((status.name.as_str(), status.live_version, status.own_lag, status.rows), ("own_totals", 1, 0, 3));
        world.end(vec![inbound, own]).await;
    }
}

#[tokio::test]
async fn a_paused_consumer_is_idle_and_catches_up_afterwards() {
    for world in worlds().await {
        let running = world.start().await;
        running.consumer.pause();
        world.numbers.add(&["a 1", "b 2"]).await;
        world.settled().await;
        assert_eq!(totals(&running.models).await, Vec::<String>::new(), "{}", world.name);
        running.consumer.resume();
        world.settled().await;
        assert_eq!(totals(&running.models).await, ["a=1/1", "b=2/1"]);
        world.end(vec![running]).await;
    }
}

#[tokio::test]
async fn settled_means_that_every_hop_has_ended() {
    for world in worlds().await {
        let inbound = world.start().await;
        let own = world.start_models(world.own_models("mirror.views", vec![Arc::new(OwnTotals)])).await;
        for round in 1..=50 {
            world.numbers.add(&["a 1"]).await;
            world.settled().await;
            assert_eq!(own_totals(&own.models).await, [format!("mirror-a={round}/{round}")], "{}", world.name);
        }
        world.end(vec![inbound, own]).await;
    }
}

/// Not a test of time: it prints what a virtual clock pays per hop.
#[tokio::test]
async fn one_hop_after_the_other() {
    for world in worlds().await {
        let running = world.start().await;
        world.numbers.add(&["a 1"]).await;
        world.settled().await;
        let mut hops = Vec::new();
        for _ in 0..100 {
            let started = Instant::now();
            world.numbers.add(&["a 1"]).await;
            world.settled().await;
            hops.push(started.elapsed());
        }
        hops.sort();
        println!("{}: hop p50 {:?}, p90 {:?}, max {:?}", world.name, hops[50], hops[90], hops[99]);
        assert_eq!(totals(&running.models).await, ["a=101/101"]);
        world.end(vec![running]).await;
    }
}

/// Breaks the n-th append at one point, as if the process had died there.
struct BreakOnce {
    point: CrashPoint,
    left: AtomicU32,
}

#[async_trait::async_trait]
impl Faults for BreakOnce {
    async fn reach(&self, point: CrashPoint) -> Result<(), String> {
        if point == self.point && self.left.fetch_sub(1, Ordering::SeqCst) == 1 {
            return Err(format!("broken at {point:?}"));
        }
        Ok(())
    }
}

#[tokio::test]
async fn effects_and_place_move_together_wherever_a_page_breaks() {
    for point in [CrashPoint::Locked, CrashPoint::Stored, CrashPoint::Committed] {
        for mut world in worlds().await {
            let faults = Arc::new(BreakOnce { point, left: AtomicU32::new(2) });
            let broken = world.mirror.site.faulty(faults).await.unwrap();
            let options = WriterOptions { activity: world.activity.clone(), ..WriterOptions::default() };
            world.mirror.writer = Writer::spawn(Arc::new(Counter), broken, options);
            let running = world.start().await;
            for number in 1..=4 {
                world.numbers.add(&[format!("a {number}").as_str(), "b 2"]).await;
            }
            world.settled().await;
            assert_eq!(totals(&running.models).await, ["a=10/4", "b=8/4"], "{point:?} {}", world.name);
            assert_eq!((world.mirror.total("mirror-a").await, world.mirror.total("mirror-b").await), (10, 8));
            assert_eq!(world.mirror.log.head().await.unwrap(), 8, "{point:?} {}", world.name);
            let counts = running.consumer.status().counts;
            assert_eq!((counts.retries, counts.fenced), (1, u64::from(point == CrashPoint::Committed)), "{point:?} {}", world.name);
            world.end(vec![running]).await;
        }
    }
}
