//! The broker and its topics.

use super::{Finding, finding};
use crate::settings::Settings;
use eventlog::{
    bus::{Bus, Kafka, TopicState},
    relay,
};
use host::{config::BusConfig, environment::look_at_database, launch};

const TOPICS: [(&str, &str); 3] =
    [(invoice::NAME, invoice::TOPIC), (dunning_engine::NAME, dunning_engine::TOPIC), (notification::NAME, notification::TOPIC)];

pub(super) async fn bus(settings: &Settings) -> Vec<Finding> {
    let kafka = match launch::bus_of(&settings.bus) {
        Bus::InProcess(_) => return vec![finding("bus", Ok("in process".to_owned()))],
        Bus::Kafka(kafka) => kafka,
    };
    if let Err(error) = kafka.reach().await {
        return vec![finding("bus", Err(error.to_string()))];
    }
    let mut findings = vec![finding("bus", settings.bus.too_few_copies().map_or_else(|| Ok(settings.bus.brokers.clone()), Err))];
    for (service, topic) in TOPICS {
        findings.push(finding(format!("topic {topic}"), judged(settings, &kafka, service, topic).await));
    }
    findings
}

async fn judged(settings: &Settings, kafka: &Kafka, service: &str, topic: &str) -> Result<String, String> {
    match kafka.look_at_topic(topic).await.map_err(|error| error.to_string())? {
        Some(found) => fits(found, &settings.bus),
        None => missing(published(settings, service, topic).await, &settings.bus),
    }
}

fn fits(found: TopicState, wanted: &BusConfig) -> Result<String, String> {
    let TopicState { partitions, replication, in_sync } = found;
    let mut wrong = Vec::new();
    if partitions != wanted.partitions {
        wrong
            .push(format!("{partitions} partitions, bus.partitions says {}: the number is fixed once the topic exists", wanted.partitions));
    }
    if replication < wanted.replication {
        wrong.push(format!("{replication} copies, bus.replication says {}: give the topic more with Kafka's tools", wanted.replication));
    }
    if in_sync < replication {
        wrong.push(format!("{in_sync} of {replication} copies are up to date"));
    }
    if wrong.is_empty() { Ok(format!("{partitions} partitions, {replication} copies")) } else { Err(wrong.join("; ")) }
}

/// A topic that was never filled comes with its service. One that was, and is gone, took facts with it that only the log still has.
fn missing(published: u64, wanted: &BusConfig) -> Result<String, String> {
    let BusConfig { partitions, replication, .. } = wanted;
    if published > 0 {
        return Err(format!(
            "missing, though {published} events of the log were published to it: restore it before the services start and make an empty one"
        ));
    }
    Ok(format!("not made yet; it is made when the service starts, with {partitions} partitions and {replication} copies"))
}

/// How much of a log was published, as far as its database can tell.
async fn published(settings: &Settings, service: &str, topic: &str) -> u64 {
    let Ok(Some(db)) = look_at_database(service, &settings.storage).await else { return 0 };
    // No table of the relay: it never ran.
    relay::published(&db, topic).await.unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wanted() -> BusConfig {
        let text = "kind = \"kafka\"\nbrokers = \"k:1\"\npartitions = 4\nreplication = 3\nprefix = \"\"\n[settings]\n";
        toml::from_str(text).unwrap()
    }

    #[test]
    fn each_way_in_which_a_topic_does_not_fit_is_told() {
        let cases =
            [((4, 3, 3), ""), ((4, 5, 5), ""), ((3, 3, 3), "bus.partitions"), ((4, 1, 1), "bus.replication"), ((4, 3, 2), "2 of 3 copies")];
        for ((partitions, replication, in_sync), told) in cases {
            match fits(TopicState { partitions, replication, in_sync }, &wanted()) {
                Ok(_) => assert_eq!(told, ""),
                Err(wrong) => assert!(!told.is_empty() && wrong.contains(told), "{wrong}"),
            }
        }
    }

    #[test]
    fn a_missing_topic_is_made_at_the_start_unless_it_was_filled_before() {
        assert!(missing(0, &wanted()).unwrap().contains("4 partitions and 3 copies"));
        assert!(missing(7, &wanted()).unwrap_err().contains("7 events"));
    }
}
