//! What operators see of a cluster, and what they may set.

use eventlog::Activity;
use eventlog::bus::{Bus, BusError, Kafka};
use eventlog::consumer::Consumer;

use super::world::{INBOUND, NUMBERS, World, kafka_config};
use crate::logs::{durable, eventually};

#[tokio::test]
async fn the_lag_is_what_the_broker_has_and_the_database_has_not_read_whoever_wrote_it() {
    let Some(config) = kafka_config() else { return };
    let sites = (durable().await.pop().unwrap(), durable().await.pop().unwrap());
    let world = World::new(Bus::Kafka(Kafka::new(config.clone())), "kafka", sites.0, sites.1).await;
    // As another process: of what is published it knows only what it asks the broker.
    let elsewhere = Bus::Kafka(Kafka::new(config));
    let token = world.shutdown.child_token();
    let consumer = Consumer::start(world.spec(INBOUND).topics(&[NUMBERS]), &elsewhere, &Activity::new(), token).await.unwrap();
    consumer.pause();
    assert_eq!(consumer.lag().await.unwrap(), 0);
    world.numbers.add(&["a 1", "b 2", "c 3"]).await;
    world.settled().await;
    assert_eq!(consumer.lag().await.unwrap(), 3);
    world.numbers.add(&["a 4"]).await;
    world.settled().await;
    assert_eq!(consumer.lag().await.unwrap(), 4);
    consumer.resume();
    eventually("all is read", || async { consumer.lag().await.unwrap() == 0 }).await;
    assert_eq!(world.relay.as_ref().unwrap().status().trouble, None);
    world.shutdown.cancel();
    consumer.stopped().await;
    world.end(Vec::new()).await;
}

#[tokio::test]
async fn settings_of_the_operator_reach_the_clients() {
    let Some(config) = kafka_config() else { return };
    let reach = |key: &str, value: &str| {
        let mut config = config.clone();
        config.settings.push((key.to_string(), value.to_string()));
        async move { Kafka::new(config).reach().await }
    };
    let unknown = reach("no.such.setting", "1").await.unwrap_err();
    assert!(matches!(&unknown, BusError::Kafka(text) if text.contains("no.such.setting")), "{unknown}");
    let encrypted = reach("security.protocol", "ssl").await.unwrap_err();
    assert!(matches!(encrypted, BusError::Away(_)), "a broker that speaks in the clear has no TLS: {encrypted}");
    reach("client.id", "another").await.unwrap();
}

#[tokio::test]
async fn a_look_at_a_topic_makes_none() {
    let Some(config) = kafka_config() else { return };
    let kafka = Kafka::new(config);
    assert_eq!(kafka.look_at_topic(NUMBERS).await.unwrap(), None);
    assert_eq!(kafka.look_at_topic(NUMBERS).await.unwrap(), None);
    kafka.ensure_topic(NUMBERS).await.unwrap();
    let found = kafka.look_at_topic(NUMBERS).await.unwrap().unwrap();
    assert_eq!((found.partitions, found.replication, found.in_sync), (3, 1, 1));
}
