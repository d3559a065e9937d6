//! Topics: created with the configured number of partitions, and checked when they exist.

use std::time::Duration;

use rdkafka::admin::{AdminClient, AdminOptions, NewTopic, TopicReplication};
use rdkafka::client::DefaultClientContext;
use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use rdkafka::metadata::{MetadataPartition, MetadataTopic};
use rdkafka::topic_partition_list::TopicPartitionListElem;
use rdkafka::{Offset, TopicPartitionList};

use super::Kafka;
use crate::bus::BusError;

/// How long a cluster may take to answer one request.
const REQUEST: Duration = Duration::from_secs(10);
/// How long a broker may take to say that it is there.
const GREETING: Duration = Duration::from_secs(3);
const AGAIN: Duration = Duration::from_millis(500);
const AGAIN_SOON: Duration = Duration::from_millis(20);
/// How long a new topic may take to be known everywhere.
const VISIBLE: Duration = Duration::from_secs(30);

/// A topic as the cluster has it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TopicState {
    /// How many partitions it has.
    pub partitions: i32,
    /// Copies of the partition that has the fewest.
    pub replication: i32,
    /// Copies that are up to date, of the partition that has the fewest.
    pub in_sync: i32,
}

impl TopicState {
    fn of(topic: &MetadataTopic) -> TopicState {
        let partitions = topic.partitions();
        let fewest = |copies: fn(&MetadataPartition) -> usize| partitions.iter().map(copies).min().unwrap_or(0) as i32;
        TopicState {
            partitions: partitions.len() as i32,
            replication: fewest(|partition| partition.replicas().len()),
            in_sync: fewest(|partition| partition.isr().len()),
        }
    }
}

impl Kafka {
    /// Asks whether anybody is there, and waits for it at most three seconds.
    ///
    /// # Errors
    /// [`BusError::Away`] when no broker answers, [`BusError::Kafka`] for settings that librdkafka refuses.
    pub async fn reach(&self) -> Result<(), BusError> {
        let kafka = self.clone();
        on_thread(move || {
            let config = kafka.config();
            let client: BaseConsumer = config.finish(config.client()).create().map_err(failed)?;
            let cluster = client.client().fetch_cluster_id(GREETING);
            cluster.map(drop).ok_or_else(|| BusError::Away(config.bootstrap.clone()))
        })
        .await
    }

    /// Creates a topic where it does not exist, and learns where its partitions end.
    ///
    /// # Errors
    /// [`BusError::Kafka`] when the cluster does not answer or refuses, [`BusError::Partitions`] when the topic exists with another
    /// number of partitions.
    pub async fn ensure_topic(&self, topic: &str) -> Result<(), BusError> {
        // Mostly it is there, and a look costs less than to ask for it: the client that may create topics takes a tenth of a second to end.
        let (kafka, known) = (self.clone(), topic.to_string());
        if on_thread(move || kafka.inspect_at_once(&known)).await? {
            return Ok(());
        }
        self.create_patiently(topic).await?;
        let (kafka, topic) = (self.clone(), topic.to_string());
        on_thread(move || kafka.inspect(&topic)).await
    }

    /// Looks at a topic and creates nothing; `None` where it does not exist.
    ///
    /// # Errors
    /// [`BusError::Kafka`] when the cluster does not answer or refuses.
    pub async fn look_at_topic(&self, topic: &str) -> Result<Option<TopicState>, BusError> {
        let (kafka, topic) = (self.clone(), topic.to_string());
        on_thread(move || {
            let config = kafka.config();
            let client: BaseConsumer = config.finish(config.client()).create().map_err(failed)?;
            let name = config.physical(&topic);
            let metadata = client.fetch_metadata(Some(&name), REQUEST).map_err(failed)?;
            let Some(found) = metadata.topics().iter().find(|found| found.name() == name) else { return Ok(None) };
            match found.error().map(RDKafkaErrorCode::from) {
                None => Ok(Some(TopicState::of(found))),
                Some(RDKafkaErrorCode::UnknownTopicOrPartition) => Ok(None),
                Some(code) => Err(BusError::Kafka(format!("topic {name}: {code}"))),
            }
        })
        .await
    }

    /// Asks where the partitions of topics end now; other processes write to them too.
    ///
    /// # Errors
    /// [`BusError::Kafka`] as soon as one is not answered for.
    pub(crate) async fn learn_ends(&self, topics: &[String]) -> Result<(), BusError> {
        if topics.is_empty() {
            return Ok(());
        }
        let (kafka, topics) = (self.clone(), topics.to_vec());
        on_thread(move || {
            let config = kafka.config();
            let client: BaseConsumer = config.finish(config.client()).create().map_err(failed)?;
            for topic in &topics {
                for (partition, end) in ends(&client, &config.physical(topic), config.partitions, GREETING).map_err(failed)? {
                    kafka.note_end(topic, partition, end);
                }
            }
            Ok(())
        })
        .await
    }

    /// Deletes every topic whose name in the cluster, prefix and all, satisfies `doomed`. Returns their names.
    ///
    /// # Errors
    /// [`BusError`] when the cluster does not answer or refuses; what was deleted until then is gone.
    pub async fn delete_topics(&self, doomed: impl Fn(&str) -> bool + Send + 'static) -> Result<Vec<String>, BusError> {
        let kafka = self.clone();
        let names = on_thread(move || {
            let client: BaseConsumer = kafka.config().finish(kafka.config().client()).create().map_err(failed)?;
            let metadata = client.fetch_metadata(None, REQUEST).map_err(failed)?;
            Ok(metadata.topics().iter().map(|topic| topic.name().to_string()).filter(|name| doomed(name)).collect::<Vec<_>>())
        })
        .await?;
        if names.is_empty() {
            return Ok(names);
        }
        let config = self.config();
        let admin: AdminClient<DefaultClientContext> = config.finish(config.client()).create().map_err(failed)?;
        let options = AdminOptions::new().request_timeout(Some(REQUEST)).operation_timeout(Some(REQUEST));
        let results = admin.delete_topics(&names.iter().map(String::as_str).collect::<Vec<_>>(), &options).await.map_err(failed)?;
        for result in results {
            match result {
                Ok(_) | Err((_, RDKafkaErrorCode::UnknownTopicOrPartition)) => {}
                Err((name, code)) => return Err(BusError::Kafka(format!("topic {name} not deleted: {code}"))),
            }
        }
        Ok(names)
    }

    /// A cluster that is starting, or changing its controller, does not answer at once.
    async fn create_patiently(&self, topic: &str) -> Result<(), BusError> {
        let deadline = std::time::Instant::now() + VISIBLE;
        loop {
            match self.create(topic).await {
                Ok(()) => return Ok(()),
                Err(error) if std::time::Instant::now() > deadline => return Err(error),
                Err(error) => tracing::warn!(topic, %error, "topic not created, trying again"),
            }
            tokio::time::sleep(AGAIN).await;
        }
    }

    async fn create(&self, topic: &str) -> Result<(), BusError> {
        let config = self.config();
        let admin: AdminClient<DefaultClientContext> = config.finish(config.client()).create().map_err(failed)?;
        let name = config.physical(topic);
        let in_sync = if config.replication >= 3 { "2" } else { "1" };
        let new = NewTopic::new(&name, config.partitions, TopicReplication::Fixed(config.replication))
            .set("cleanup.policy", "delete")
            // Whoever loses its database reads from offset 0 again.
            .set("retention.ms", "-1")
            .set("min.insync.replicas", in_sync);
        let options = AdminOptions::new().request_timeout(Some(REQUEST)).operation_timeout(Some(REQUEST));
        for result in admin.create_topics([&new], &options).await.map_err(failed)? {
            match result {
                Ok(_) | Err((_, RDKafkaErrorCode::TopicAlreadyExists)) => {}
                Err((name, code)) => return Err(BusError::Kafka(format!("topic {name} not created: {code}"))),
            }
        }
        Ok(())
    }

    /// Learns where the partitions of a topic end if it is there; false where it is not, or nobody answers now.
    fn inspect_at_once(&self, topic: &str) -> Result<bool, BusError> {
        let (client, name) = self.asker(topic)?;
        let Ok(partitions @ 1..) = partitions_of(&client, &name, GREETING) else { return Ok(false) };
        self.learn(&client, topic, partitions, std::time::Instant::now() + VISIBLE)?;
        Ok(true)
    }

    fn inspect(&self, topic: &str) -> Result<(), BusError> {
        let (client, name) = self.asker(topic)?;
        let deadline = std::time::Instant::now() + VISIBLE;
        let partitions = loop {
            match partitions_of(&client, &name, REQUEST) {
                Ok(count) if count > 0 => break count,
                Ok(_) if std::time::Instant::now() > deadline => {
                    return Err(BusError::Kafka(format!("topic {name} does not become visible")));
                }
                Err(error) if std::time::Instant::now() > deadline => return Err(failed(error)),
                Ok(_) | Err(_) => std::thread::sleep(AGAIN_SOON),
            }
        };
        self.learn(&client, topic, partitions, deadline)
    }

    /// A client that asks about a topic, and the topic's name. Without a group a consumer is only a client that may ask for offsets.
    fn asker(&self, topic: &str) -> Result<(BaseConsumer, String), BusError> {
        let config = self.config();
        let client = config.finish(config.client()).create().map_err(failed)?;
        Ok((client, config.physical(topic)))
    }

    /// Checks how many partitions there are and learns where they end. A partition of a new topic has no leader for a moment.
    fn learn(&self, client: &BaseConsumer, topic: &str, partitions: i32, deadline: std::time::Instant) -> Result<(), BusError> {
        let (config, name) = (self.config(), self.config().physical(topic));
        if partitions != config.partitions {
            return Err(BusError::Partitions { topic: name, actual: partitions, configured: config.partitions });
        }
        loop {
            match ends(client, &name, partitions, REQUEST) {
                Ok(ends) => {
                    ends.into_iter().for_each(|(partition, end)| self.note_end(topic, partition, end));
                    return Ok(());
                }
                Err(error) if std::time::Instant::now() > deadline => return Err(failed(error)),
                Err(_) => std::thread::sleep(AGAIN_SOON),
            }
        }
    }
}

/// Where the partitions of a topic end: one question to each broker.
fn ends(client: &BaseConsumer, name: &str, partitions: i32, patience: Duration) -> Result<Vec<(i32, i64)>, KafkaError> {
    let mut places = TopicPartitionList::new();
    for partition in 0..partitions {
        // In the place of a time: the end.
        places.add_partition_offset(name, partition, Offset::End)?;
    }
    let found = client.offsets_for_times(places, patience)?;
    let end = |element: TopicPartitionListElem<'_>| match (element.error(), element.offset()) {
        (Ok(()), Offset::Offset(end)) => Ok((element.partition(), end)),
        (Err(error), _) => Err(error),
        (Ok(()), _) => Err(KafkaError::OffsetFetch(RDKafkaErrorCode::NoOffset)),
    };
    found.elements().into_iter().map(end).collect()
}

/// Runs a call of librdkafka that waits on its thread. The thread is one of its own: the end of the process does not wait for it.
pub(super) async fn on_thread<T: Send + 'static>(call: impl FnOnce() -> Result<T, BusError> + Send + 'static) -> Result<T, BusError> {
    let (reply, answer) = tokio::sync::oneshot::channel();
    let asked = std::thread::Builder::new().name("kafka question".to_string()).spawn(move || {
        // Nobody waits any more where the process is ending.
        let _ = reply.send(call());
    });
    asked.map_err(|error| BusError::Kafka(error.to_string()))?;
    answer.await.map_err(|error| BusError::Kafka(error.to_string()))?
}

/// How many partitions a topic has; 0 while it is not known.
fn partitions_of(client: &BaseConsumer, name: &str, patience: Duration) -> Result<i32, KafkaError> {
    let metadata = client.fetch_metadata(Some(name), patience)?;
    let known = metadata.topics().iter().find(|known| known.name() == name && known.error().is_none());
    Ok(known.map_or(0, |known| known.partitions().len() as i32))
}

pub(super) fn failed(error: KafkaError) -> BusError {
    BusError::Kafka(error.to_string())
}
