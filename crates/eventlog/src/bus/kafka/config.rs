//! How to reach Kafka, and the settings that the rest of this module relies on.

use rdkafka::ClientConfig;

/// How to reach Kafka. Parsed by host; nothing here reads the environment.
#[derive(Clone, Debug)]
pub struct KafkaConfig {
    /// `host:port`, several separated by commas.
    pub bootstrap: String,
    /// Partitions of every topic. Never changed once events were published: keys would move.
    pub partitions: i32,
    /// Copies of every partition.
    pub replication: i32,
    /// Stands in front of topic and group names, so that several systems share a cluster; may be empty.
    pub prefix: String,
    /// How long a producer waits for more before it sends, in milliseconds.
    pub linger_ms: u32,
    /// How long a broker keeps a fetch open when there is nothing new, in milliseconds.
    pub fetch_wait_ms: u32,
    /// Prefetched messages per consumer and partition at most, in kilobytes.
    pub prefetch_kb: u32,
    /// Further librdkafka settings, such as those of TLS and SASL. They win over all others: whoever
    /// reads them from a configuration refuses the [`PROTECTED`] ones.
    pub settings: Vec<(String, String)>,
}

/// Settings of librdkafka that are not the operator's, under all their names: with other values events would be lost, doubled, read out
/// of order or passed over, or two processes would not agree on who reads what.
pub const PROTECTED: &[&str] = &[
    "acks",
    "allow.auto.create.topics",
    "auto.commit.enable",
    "auto.commit.interval.ms",
    "auto.offset.reset",
    "bootstrap.servers",
    "delivery.timeout.ms",
    "enable.auto.commit",
    "enable.auto.offset.store",
    "enable.gapless.guarantee",
    "enable.idempotence",
    "enable.partition.eof",
    "group.id",
    "group.instance.id",
    "group.protocol",
    "group.remote.assignor",
    "isolation.level",
    "max.in.flight",
    "max.in.flight.requests.per.connection",
    "message.send.max.retries",
    "message.timeout.ms",
    "metadata.broker.list",
    "partition.assignment.strategy",
    "partitioner",
    "queuing.strategy",
    "request.required.acks",
    "retries",
    "transaction.timeout.ms",
    "transactional.id",
];

impl KafkaConfig {
    /// The defaults for a cluster: 12 partitions, one copy, low latency.
    pub fn new(bootstrap: impl Into<String>) -> Self {
        Self {
            bootstrap: bootstrap.into(),
            partitions: 12,
            replication: 1,
            prefix: String::new(),
            linger_ms: 1,
            fetch_wait_ms: 10,
            prefetch_kb: 4096,
            settings: Vec::new(),
        }
    }

    /// The name of a topic or group in the cluster.
    pub(crate) fn physical(&self, name: &str) -> String {
        format!("{}{name}", self.prefix)
    }

    pub(super) fn client(&self) -> ClientConfig {
        let mut config = ClientConfig::new();
        config.set("bootstrap.servers", &self.bootstrap);
        config.set("client.id", "regua");
        config.set("socket.nagle.disable", "true");
        config.set("allow.auto.create.topics", "false");
        // A broker that comes back is noticed within a second, not after ten.
        config.set("reconnect.backoff.max.ms", "1000");
        config.set("coordinator.query.interval.ms", "5000");
        config
    }

    /// An idempotent producer. Messages never time out and never overtake each other: a producer that could leave a gap dies instead,
    /// and the relay starts again from its cursor.
    pub(crate) fn producer(&self) -> ClientConfig {
        let mut config = self.client();
        config.set("enable.idempotence", "true");
        config.set("enable.gapless.guarantee", "true");
        config.set("acks", "all");
        config.set("message.timeout.ms", "0");
        config.set("compression.type", "lz4");
        config.set("linger.ms", self.linger_ms.to_string());
        // Whether a broker is there, for the operator.
        config.set("statistics.interval.ms", "5000");
        self.finish(config)
    }

    /// A consumer whose offsets live elsewhere: nothing is committed to Kafka, and an offset that is gone is an error, never a jump.
    pub(super) fn consumer(&self, group: &str) -> ClientConfig {
        let mut config = self.client();
        config.set("group.id", self.physical(group));
        config.set("enable.auto.commit", "false");
        config.set("enable.auto.offset.store", "false");
        config.set("auto.offset.reset", "error");
        config.set("isolation.level", "read_uncommitted");
        // The same partition of all topics goes to the same process: one payer's facts meet in one place.
        config.set("partition.assignment.strategy", "range");
        config.set("session.timeout.ms", "10000");
        config.set("heartbeat.interval.ms", "1000");
        config.set("max.poll.interval.ms", "120000");
        config.set("fetch.min.bytes", "1");
        config.set("fetch.wait.max.ms", self.fetch_wait_ms.to_string());
        // The defaults wait for a second when a queue is full or a fetch failed.
        config.set("fetch.queue.backoff.ms", "5");
        config.set("fetch.error.backoff.ms", "50");
        config.set("queued.max.messages.kbytes", self.prefetch_kb.to_string());
        self.finish(config)
    }

    pub(super) fn finish(&self, mut config: ClientConfig) -> ClientConfig {
        for (key, value) in &self.settings {
            config.set(key, value);
        }
        config
    }
}
