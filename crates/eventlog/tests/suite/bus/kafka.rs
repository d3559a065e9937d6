//! What only Kafka can do to us.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::{Duration, Instant};

use eventlog::Log;
use eventlog::bus::partition::partition_of;
use eventlog::bus::{Bus, BusError, Kafka};
use eventlog::relay::Relay;
use eventlog::timers::Shards;
use rdkafka::consumer::{BaseConsumer, Consumer as _};
use rdkafka::message::{Headers as _, Message as _};
use rdkafka::producer::{BaseProducer, BaseRecord, Producer};
use rdkafka::{ClientConfig, Offset, TopicPartitionList};
use sql::Db;
use tokio_util::sync::CancellationToken;

use super::models::totals;
use super::world::{INBOUND, NUMBERS, Translated, World, kafka_config};
use crate::counter::{Command, on};
use crate::logs::{durable, eventually};

/// A world on Kafka, when there is one.
async fn world() -> Option<(World, Kafka)> {
    let kafka = Kafka::new(kafka_config()?);
    let sites = (durable().await.pop().unwrap(), durable().await.pop().unwrap());
    Some((World::new(Bus::Kafka(kafka.clone()), "kafka", sites.0, sites.1).await, kafka))
}

async fn run(db: &Db, sql: &str) {
    let mut tx = db.begin().await.unwrap();
    tx.execute(sql, &[]).await.unwrap();
    tx.commit().await.unwrap();
}

async fn another_relay(world: &World, kafka: &Kafka, log: Log) -> (Relay, CancellationToken) {
    let token = world.shutdown.child_token();
    let wiring = (&world.activity, token.clone());
    (Relay::start(NUMBERS, log, Arc::new(Translated), kafka, wiring).await.unwrap(), token)
}

#[tokio::test]
async fn a_log_that_is_published_twice_changes_nothing() {
    let Some((mut world, kafka)) = world().await else { return };
    let running = world.start().await;
    world.numbers.add(&["a 1", "b 2", "a 3"]).await;
    world.settled().await;
    // The relay dies and its cursor was never stored.
    let relay = world.relay.take().unwrap();
    let status = relay.status();
    assert_eq!((status.published, status.head, status.in_flight), (3, 3, 0));
    world.shutdown_relay(relay).await;
    run(world.numbers.db(), "DELETE FROM relay_cursor").await;
    let (relay, token) = another_relay(&world, &kafka, world.numbers.log.clone()).await;
    world.numbers.add(&["a 5"]).await;
    world.settled().await;
    assert_eq!(totals(&running.models).await, ["a=9/3", "b=2/1"]);
    assert_eq!(world.mirror.total("mirror-a").await, 9);
    assert_eq!((running.consumer.status().counts.duplicates, running.consumer.status().counts.applied), (3, 4));
    token.cancel();
    relay.stopped().await;
    world.end(vec![running]).await;
}

#[tokio::test]
async fn one_relay_is_active_and_the_next_one_goes_on() {
    let Some((mut world, kafka)) = world().await else { return };
    let running = world.start().await;
    world.numbers.add(&["a 1"]).await;
    world.settled().await;
    let (second, token) = another_relay(&world, &kafka, world.numbers.log.clone()).await;
    let first = world.relay.take().unwrap();
    assert!(first.status().active && !second.status().active);
    world.shutdown_relay(first).await;
    world.numbers.add(&["a 2", "a 3"]).await;
    eventually("the second relay is active", async || second.status().active).await;
    eventually("all is applied", async || totals(&running.models).await == ["a=6/3"]).await;
    token.cancel();
    second.stopped().await;
    world.end(vec![running]).await;
}

#[tokio::test]
async fn the_lease_of_a_dead_relay_expires_and_a_relay_without_lease_stops() {
    let Some((mut world, kafka)) = world().await else { return };
    let first = world.relay.take().unwrap();
    eventually("the first relay is active", async || first.status().active).await;
    // Somebody who never beats takes the lease: the holder finds out, and waits for the silence to last.
    run(world.numbers.db(), "UPDATE lease SET epoch = epoch + 1, holder = 'dead'").await;
    eventually("the first relay stops", async || !first.status().active).await;
    let running = world.start().await;
    world.numbers.add(&["a 1"]).await;
    let silence = Instant::now();
    eventually("the lease expires", async || first.status().active).await;
    assert!(silence.elapsed() > Duration::from_secs(3));
    eventually("all is applied", async || totals(&running.models).await == ["a=1/1"]).await;
    assert_eq!(kafka.known_ends(NUMBERS).iter().map(|(_, end)| end).sum::<i64>(), 1);
    world.shutdown_relay(first).await;
    world.end(vec![running]).await;
}

#[tokio::test]
async fn consumers_share_the_partitions_and_take_over_from_each_other() {
    let Some((world, _)) = world().await else { return };
    let first = world.start().await;
    let streams: Vec<String> = (10..22).map(|n| format!("s{n}")).collect();
    let everywhere = async || {
        for stream in &streams {
            world.numbers.add(&[format!("{stream} 2").as_str()]).await;
        }
    };
    everywhere().await;
    let second = world.start().await;
    eventually("both read", async || {
        everywhere().await;
        first.consumer.status().counts.applied > 0 && second.consumer.status().counts.applied > 0
    })
    .await;
    let owned = [&first, &second].map(|running| match running.consumer.shards() {
        Shards::Owned(owned) => owned,
        Shards::All => panic!("with Kafka no process has all shards for good"),
    });
    eventually("timers are shared out as the partitions are", async || {
        let (mut both, second) = (owned[0].borrow().clone(), owned[1].borrow().clone());
        let shared = !both.is_empty() && !second.is_empty();
        both.extend(second);
        both.sort_unstable();
        shared && both == [0, 1, 2]
    })
    .await;
    first.stop().await;
    eventually("the shards of one that went are taken over", async || *owned[1].borrow() == [0, 1, 2]).await;
    everywhere().await;
    let head = world.numbers.log.head().await.unwrap();
    eventually("nothing is lost", async || world.mirror.log.head().await.unwrap() == head).await;
    let rounds = head as i64 / 12;
    let expected: Vec<String> = streams.iter().map(|stream| format!("{stream}={}/{rounds}", rounds * 2)).collect();
    assert_eq!(totals(&second.models).await, expected);
    assert!(second.models.verify("totals").await.unwrap().agrees());
    world.end(vec![second]).await;
}

#[tokio::test]
async fn a_service_that_lost_its_database_reads_from_the_beginning() {
    let Some((mut world, _)) = world().await else { return };
    let first = world.start().await;
    world.numbers.add(&["a 1", "b 2"]).await;
    world.settled().await;
    first.stop().await;
    // The group is the same, the database is new: Kafka keeps no place of ours.
    world.renew_mirror().await;
    let second = world.start().await;
    world.settled().await;
    assert_eq!(totals(&second.models).await, ["a=1/1", "b=2/1"]);
    assert_eq!(world.mirror.total("mirror-b").await, 2);
    world.end(vec![second]).await;
}

#[tokio::test]
async fn keys_and_envelopes_survive_and_strange_messages_block_nobody() {
    let Some((world, kafka)) = world().await else { return };
    let running = world.start().await;
    world.numbers.add(&["a 1"]).await;
    world.settled().await;
    let partition = partition_of("default/a", 3);
    assert!(kafka.known_ends(NUMBERS).iter().any(|(place, end)| (place.partition, *end) == (partition, 1)));
    let topic = format!("{}{NUMBERS}", kafka.config().prefix);
    let stranger: BaseProducer = ClientConfig::new().set("bootstrap.servers", &kafka.config().bootstrap).create().unwrap();
    stranger.send(BaseRecord::<str, str>::to(&topic).partition(partition).key("k").payload("hello")).unwrap();
    stranger.flush(Duration::from_secs(10)).unwrap();
    world.numbers.add(&["a 2"]).await;
    world.settled().await;
    assert_eq!(totals(&running.models).await, ["a=3/2"]);
    assert_eq!(running.consumer.status().counts.unknown, 1);
    let sql = "SELECT event_type, stream, payload FROM consumer_archive WHERE consumer = $1 AND event_type = 'malformed'";
    let kept = world.mirror.db().query(sql, &[INBOUND.into()]).await.unwrap();
    assert_eq!(kept[0].bytes("payload").unwrap(), b"hello");
    // The envelope is the one of the producer's log, the rest of it public.
    let sql = "SELECT * FROM consumer_archive WHERE consumer = $1 AND stream = 'a' AND version = 2";
    let row = world.mirror.db().query(sql, &[INBOUND.into()]).await.unwrap().remove(0);
    let event = world.numbers.log.read(1, 1).await.unwrap().remove(0);
    assert_eq!((row.uuid("event_id").unwrap(), row.instant("recorded_at").unwrap()), (event.event_id, event.recorded_at));
    assert_eq!((row.text("routing_key").unwrap(), row.int("position").unwrap()), (event.key, 2));
    world.end(vec![running]).await;
}

#[tokio::test]
async fn a_topic_with_another_number_of_partitions_is_refused() {
    let Some((world, kafka)) = world().await else { return };
    let mut config = kafka.config().clone();
    config.partitions = 4;
    let refused = Kafka::new(config).ensure_topic(NUMBERS).await.unwrap_err();
    assert!(matches!(refused, BusError::Partitions { actual: 3, configured: 4, .. }), "{refused}");
    world.end(vec![]).await;
}

#[tokio::test]
async fn a_thousand_events_at_once_arrive_in_order() {
    let Some((world, _)) = world().await else { return };
    let running = world.start().await;
    let commands = (0..1000).map(|n| {
        let stream = format!("s{}", n % 10);
        world.numbers.writer.submit(on(&stream, Command::Add(n)))
    });
    assert!(futures::future::join_all(commands).await.iter().all(Result::is_ok));
    world.settled().await;
    let expected: Vec<String> = (0..10).map(|stream| format!("s{stream}={}/100", 49_500 + 100 * stream)).collect();
    // 13 parks one stream, as ever; the others are whole.
    let mut found = totals(&running.models).await;
    found.retain(|line| !line.starts_with("s3="));
    assert_eq!(found, expected.into_iter().filter(|line| !line.starts_with("s3=")).collect::<Vec<_>>());
    world.end(vec![running]).await;
}

/// More than may be under way at a time, so that the relay stops and goes on; pages are read while others are sent.
#[tokio::test]
async fn a_log_longer_than_the_window_is_published_whole_and_in_its_order() {
    is_published_whole(26_000, &[]).await;
}

/// The operator's queue holds less than may be under way, so that events wait for room in it.
#[tokio::test]
async fn a_small_queue_of_the_producer_loses_and_doubles_nothing() {
    is_published_whole(3_000, &[("queue.buffering.max.messages", "100")]).await;
}

async fn is_published_whole(events: usize, settings: &[(&str, &str)]) {
    let Some((mut world, kafka)) = world().await else { return };
    fill(&mut world, events).await;
    let mut config = kafka.config().clone();
    config.settings.extend(settings.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())));
    let kafka = Kafka::new(config);
    let (relay, token) = another_relay(&world, &kafka, world.numbers.log.clone()).await;
    eventually("all is published", async || relay.status().published == events as u64).await;
    token.cancel();
    relay.stopped().await;
    assert_eq!(kafka.known_ends(NUMBERS).iter().map(|(_, end)| end).sum::<i64>(), events as i64);
    // Whoever reads the topic sees each position once, in every partition in the order of the log.
    for (partition, positions) in positions(&kafka, events).iter().enumerate() {
        assert!(positions.is_sorted_by(|before, after| before < after), "partition {partition}");
    }
    world.end(vec![]).await;
}

/// While a page is sent the next one is read. Whoever loses the lease in between may repeat what the next holder sends, and never leave
/// out an event before one that it sends.
#[tokio::test]
async fn a_relay_that_loses_its_lease_with_pages_in_hand_leaves_nothing_out() {
    const EVENTS: usize = 30_000;
    let Some((mut world, kafka)) = world().await else { return };
    fill(&mut world, EVENTS).await;
    let (first, first_ends) = another_relay(&world, &kafka, world.numbers.log.clone()).await;
    eventually("it sends", async || first.status().published > 0).await;
    run(world.numbers.db(), "UPDATE lease SET epoch = epoch + 1, holder = ''").await;
    // What the cursor says is what the next one begins with, however far the first one is by then.
    let (second, second_ends) = another_relay(&world, &kafka, world.numbers.log.clone()).await;
    eventually("all is published", async || [&first, &second].iter().any(|relay| relay.status().published == EVENTS as u64)).await;
    first_ends.cancel();
    first.stopped().await;
    second_ends.cancel();
    second.stopped().await;
    let sent = kafka.known_ends(NUMBERS).iter().map(|(_, end)| end).sum::<i64>();
    let sent = usize::try_from(sent).unwrap();
    assert!(sent >= EVENTS, "{sent}");
    let mut all = BTreeSet::new();
    for positions in positions(&kafka, sent) {
        // Nothing new after something newer: a repeated event was there before.
        let mut newest = 0;
        for position in positions {
            assert!(position > newest || all.contains(&position), "{position} comes first after {newest}");
            all.insert(position);
            newest = newest.max(position);
        }
    }
    assert_eq!(all.len(), EVENTS);
    world.end(vec![]).await;
}

/// So many events of forty streams in a log that nobody publishes.
async fn fill(world: &mut World, events: usize) {
    let first = world.relay.take().unwrap();
    world.shutdown_relay(first).await;
    let commands = (0..events).map(|n| world.numbers.writer.submit(on(&format!("s{}", n % 40), Command::Add(1))));
    assert!(futures::future::join_all(commands).await.iter().all(Result::is_ok));
}

/// Positions in the log of so many messages, by partition in the order of the topic.
fn positions(kafka: &Kafka, messages: usize) -> [Vec<u64>; 3] {
    let reader: BaseConsumer = kafka_settings(kafka).create().unwrap();
    let mut places = TopicPartitionList::new();
    let topic = format!("{}{NUMBERS}", kafka.config().prefix);
    (0..3).for_each(|partition| places.add_partition_offset(&topic, partition, Offset::Beginning).unwrap());
    reader.assign(&places).unwrap();
    let mut positions = [Vec::new(), Vec::new(), Vec::new()];
    for _ in 0..messages {
        let message = reader.poll(Duration::from_secs(10)).unwrap().unwrap();
        let header = message.headers().unwrap().iter().find(|header| header.key == "position").unwrap();
        let position = std::str::from_utf8(header.value.unwrap()).unwrap().parse().unwrap();
        positions[message.partition() as usize].push(position);
    }
    positions
}

fn kafka_settings(kafka: &Kafka) -> ClientConfig {
    let mut settings = ClientConfig::new();
    settings.set("bootstrap.servers", &kafka.config().bootstrap).set("group.id", "reader").set("enable.auto.commit", "false");
    settings
}
