use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use eventlog::bus::Message;
use eventlog::consumer::{Consumer, Inbound, InboundCommand, Parking, ParkingError, Poison, Request};
use eventlog::log::{CrashPoint, Faults};
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

use super::models::{Fault, Totals, totals};
use super::world::{INBOUND, Mirror, NUMBERS, Running, World, key, worlds};
use crate::counter::Command;
use crate::logs::eventually;

async fn released(running: &Running) {
    eventually("the stream flows again", async || running.consumer.parking().list().await.unwrap().is_empty()).await;
}

#[tokio::test]
async fn a_poisoned_stream_waits_and_blocks_only_itself() {
    for world in worlds().await {
        let mirror = Arc::new(Mirror::default());
        let running = world.start_with(mirror.clone(), world.models(vec![Arc::new(Totals::default())])).await;
        world.numbers.add(&["a 1", "a 13", "b 2", "a 4", "b 3"]).await;
        world.settled().await;
        world.numbers.add(&["a 5", "b 5"]).await;
        world.settled().await;
        assert_eq!(totals(&running.models).await, ["a=1/1", "b=10/3"], "{}", world.name);
        assert_eq!((world.mirror.total("mirror-a").await, world.mirror.total("mirror-b").await), (1, 10));

        let parking = running.consumer.parking();
        let parked = parking.list().await.unwrap().remove(0);
        assert_eq!((parked.key.stream.as_str(), parked.version, parked.event_type.as_str()), ("a", 2, "NumberAdded"));
        assert_eq!((parked.reason.as_str(), parked.attempts, parked.waiting), ("13 is not understood", 1, 3));
        let (_, waiting) = parking.show(&key("a")).await.unwrap();
        assert_eq!(waiting.iter().map(super::world::number_of).collect::<Vec<_>>(), [13, 4, 5]);
        assert_eq!(running.consumer.status().parked, 1);

        // Nothing has changed: it stays, and says so.
        parking.retry(&key("a"), "ana", "just try").await.unwrap();
        eventually("a second attempt", async || parking.list().await.unwrap()[0].attempts == 2).await;
        assert_eq!(parking.list().await.unwrap()[0].request, None);

        // The program was repaired.
        mirror.repaired.store(true, Ordering::SeqCst);
        parking.retry(&key("a"), "ana", "new version").await.unwrap();
        released(&running).await;
        assert_eq!(totals(&running.models).await, ["a=23/4", "b=10/3"]);
        world.numbers.add(&["a 6"]).await;
        world.settled().await;
        assert_eq!(world.mirror.total("mirror-a").await, 29);
        let audit = parking.audit().await.unwrap();
        assert_eq!(audit.iter().map(|entry| entry.action.as_str()).collect::<Vec<_>>(), ["retry", "retry"]);
        world.end(vec![running]).await;
    }
}

/// Stops one sorted page, once it is told to, until it is let go.
#[derive(Default)]
struct StallSorted {
    armed: AtomicBool,
    reached: Notify,
    go: Notify,
}

#[async_trait::async_trait]
impl Faults for StallSorted {
    async fn reach(&self, point: CrashPoint) -> Result<(), String> {
        if point == CrashPoint::Sorted && self.armed.swap(false, Ordering::SeqCst) {
            self.reached.notify_one();
            self.go.notified().await;
        }
        Ok(())
    }
}

#[tokio::test]
async fn a_page_that_was_sorted_before_its_stream_was_released_is_sorted_again() {
    for world in worlds().await {
        let stall = Arc::new(StallSorted::default());
        let models = world.models(vec![Arc::new(Totals::default())]);
        let spec = world.spec(INBOUND).topics(&[NUMBERS]).projections(models.clone()).with_faults(stall.clone());
        let wiring = (&world.activity, world.shutdown.child_token());
        let writer = world.mirror.writer.clone();
        let consumer = Consumer::start_with_inbound(spec, writer, Arc::new(Mirror::default()), &world.bus, wiring).await.unwrap();
        world.numbers.add(&["a 1", "a 13"]).await;
        world.settled().await;
        assert_eq!(consumer.parking().list().await.unwrap().len(), 1, "{}", world.name);
        stall.armed.store(true, Ordering::SeqCst);
        world.numbers.add(&["a 4"]).await;
        stall.reached.notified().await;
        // What another replica writes that leaves 13 out and releases the stream meanwhile.
        let mut tx = world.mirror.db().begin().await.unwrap();
        tx.execute("UPDATE consumer_archive SET state = 2 WHERE state = 1", &[]).await.unwrap();
        tx.execute("DELETE FROM parked_stream", &[]).await.unwrap();
        tx.execute("UPDATE consumer_stream SET parked = 0", &[]).await.unwrap();
        tx.commit().await.unwrap();
        stall.go.notify_one();
        eventually("the message is applied, not queued behind nothing", async || totals(&models).await == ["a=5/2"]).await;
        world.settled().await;
        assert_eq!(world.mirror.total("mirror-a").await, 5);
        let waiting = world.mirror.db().query("SELECT 1 FROM consumer_archive WHERE state = 1", &[]).await.unwrap();
        assert_eq!((waiting.len(), consumer.status().counts.fenced), (0, 1), "{}", world.name);
        world.end(vec![Running { consumer, models, token: CancellationToken::new() }]).await;
    }
}

#[tokio::test]
async fn a_skipped_message_is_left_out_for_ever_and_audited() {
    for world in worlds().await {
        let running = world.start().await;
        world.numbers.add(&["a 1", "a 13", "a 13", "a 4"]).await;
        world.settled().await;
        // From another process, which has no consumer: a note that the consumer carries out.
        let cli = Parking::new(world.mirror.db().clone(), INBOUND, world.clock.clone(), world.ids.clone());
        cli.skip(&key("a"), "bruno", "test data").await.unwrap();
        eventually("the next one is in front", async || cli.list().await.unwrap()[0].version == 3).await;
        assert_eq!(cli.list().await.unwrap()[0].waiting, 2, "{}", world.name);
        cli.skip(&key("a"), "bruno", "test data too").await.unwrap();
        released(&running).await;
        assert_eq!((world.mirror.total("mirror-a").await, totals(&running.models).await), (5, vec!["a=5/2".to_string()]));
        let audit = cli.audit().await.unwrap();
        let lines: Vec<_> = audit.iter().map(|one| format!("{} {}@{} {}", one.actor, one.action, one.version, one.reason)).collect();
        assert_eq!(lines, ["bruno skip@2 test data", "bruno skip@3 test data too"]);
        // A model that is built again leaves it out as well.
        assert!(running.models.verify("totals").await.unwrap().agrees());
        world.end(vec![running]).await;
    }
}

#[tokio::test]
async fn a_read_model_and_a_refusing_aggregate_can_park_a_stream_too() {
    for world in worlds().await {
        let unlucky = Totals { unlucky: Some((7, Fault::Unwritable)), ..Totals::default() };
        let running = world.start_with(Arc::new(Mirror::default()), world.models(vec![Arc::new(unlucky)])).await;
        world.numbers.add(&["a 7", "a 1", "b 5", "c 2", "b -4"]).await;
        world.settled().await;
        assert_eq!(totals(&running.models).await, ["b=1/2", "c=2/1"], "{}", world.name);
        let parked = running.consumer.parking().list().await.unwrap();
        assert_eq!(parked.iter().map(|one| (one.key.stream.as_str(), one.reason.as_str())).collect::<Vec<_>>(), [("a", "unlucky")]);
        // The mirror's c is at 0 by now and refuses to go below.
        world.mirror.add(&["mirror-c -2"]).await;
        world.numbers.add(&["c -1", "d 1"]).await;
        world.settled().await;
        let parked = running.consumer.parking().list().await.unwrap();
        let refused = parked.iter().find(|one| one.key.stream == "c").unwrap();
        assert_eq!(refused.reason, "rejected: BelowZero");
        assert_eq!(totals(&running.models).await, ["b=1/2", "c=2/1", "d=1/1"]);
        world.end(vec![running]).await;
    }
}

#[tokio::test]
async fn a_stream_that_is_not_parked_cannot_be_retried() {
    let world: World = worlds().await.remove(0);
    let running = world.start().await;
    let refused = running.consumer.parking().retry(&key("a"), "ana", "").await.unwrap_err();
    assert!(matches!(refused, ParkingError::NotParked { .. }));
    assert!(matches!(running.consumer.parking().show(&key("a")).await, Err(ParkingError::NotParked { .. })));
    assert_eq!(Request::Retry.slug(), "retry");
    world.end(vec![running]).await;
}

/// However it shows that a message can never be applied: its stream waits, nobody else does, and what was made of its page before is gone.
#[tokio::test]
async fn a_read_model_that_cannot_read_or_write_a_message_parks_its_stream() {
    for fault in [Fault::Unreadable, Fault::PanicsWhenRead, Fault::Unwritable, Fault::PanicsWhenWritten] {
        for world in worlds().await {
            let unlucky = Totals { unlucky: Some((7, fault)), ..Totals::default() };
            let running = world.start_with(Arc::new(Mirror::default()), world.models(vec![Arc::new(unlucky)])).await;
            world.numbers.add(&["a 1", "a 7", "a 2", "b 5"]).await;
            world.settled().await;
            assert_eq!(totals(&running.models).await, ["a=1/1", "b=5/1"], "{} {fault:?}", world.name);
            assert_eq!((world.mirror.total("mirror-a").await, world.mirror.total("mirror-b").await), (1, 5), "{} {fault:?}", world.name);
            let parked = running.consumer.parking().list().await.unwrap();
            assert_eq!(parked.iter().map(|one| (one.key.stream.as_str(), one.version)).collect::<Vec<_>>(), [("a", 2)], "{fault:?}");
            assert!(!running.consumer.status().stopped);
            world.end(vec![running]).await;
        }
    }
}

/// Panics where [`Mirror`] says no.
struct Panicking;

impl Inbound<Command> for Panicking {
    fn commands(&self, message: &Message) -> Result<Vec<InboundCommand<Command>>, Poison> {
        Ok(Mirror::default().commands(message).expect("a rule with a fault"))
    }
}

#[tokio::test]
async fn a_rule_that_panics_parks_its_stream_and_the_consumer_goes_on() {
    for world in worlds().await {
        let running = world.start_with(Arc::new(Panicking), world.models(vec![Arc::new(Totals::default())])).await;
        world.numbers.add(&["a 1", "a 13", "b 2"]).await;
        world.settled().await;
        assert_eq!(totals(&running.models).await, ["a=1/1", "b=2/1"], "{}", world.name);
        let parked = running.consumer.parking().list().await.unwrap().remove(0);
        assert!(parked.version == 2 && parked.reason.contains("panicked"), "{parked:?}");
        assert!(!running.consumer.status().stopped);
        world.end(vec![running]).await;
    }
}
