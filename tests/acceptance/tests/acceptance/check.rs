//! `regua check` on servers: it looks, tells what is missing or wrong, and makes nothing.

use crate::{
    processes::{free_ports, listeners},
    program::{self, Running},
};
use eventlog::bus::{Kafka, KafkaConfig};
use serde_json::Value;
use sql::Server;
use std::{fs, path::Path};

const TOPICS: [&str; 3] = ["regua.invoice.v1", "regua.dunning.v1", "regua.notification.v1"];

/// An installation of this test alone on the servers of the stack.
struct Installation {
    directory: tempfile::TempDir,
    text: String,
    prefix: String,
    url: String,
    brokers: String,
}

impl Installation {
    fn new(stack: &Path) -> Self {
        let prefix = format!("check{}_", std::process::id());
        let text = fs::read_to_string(stack.join("regua.toml")).unwrap();
        let value = |key: &str| text.lines().find_map(|line| line.strip_prefix(key)).unwrap().trim_matches('"').to_owned();
        let (url, brokers) = (value("url = "), value("brokers = "));
        let named = |section: &str| format!("{section}\nprefix = \"{prefix}\"");
        let text = text.replace("[storage]", &named("[storage]")).replace("[bus]", &named("[bus]")) + &listeners(&free_ports(8));
        Self { directory: tempfile::tempdir().unwrap(), text, prefix, url, brokers }
    }

    fn config(&self, text: &str) -> String {
        let path = self.directory.path().join("regua.toml");
        fs::write(&path, text).unwrap();
        path.to_str().unwrap().to_owned()
    }

    /// Exit code, and each finding's fitness and note by its name.
    fn check(&self, text: &str) -> (i32, impl Fn(&str) -> (bool, String) + use<>) {
        let output = program::run(&["check", "--format", "json", "--config", &self.config(text)]);
        let findings: Vec<Value> = serde_json::from_slice(&output.stdout).unwrap();
        let of = move |what: &str| {
            let found = findings.iter().find(|finding| finding["what"] == what).unwrap_or_else(|| panic!("{what}: {findings:?}"));
            (found["fit"].as_bool().unwrap(), found["note"].as_str().unwrap().to_owned())
        };
        (output.status.code().unwrap(), of)
    }

    fn kafka(&self, copies: i32) -> Kafka {
        let mut config = KafkaConfig::new(self.brokers.clone());
        (config.prefix, config.replication) = (self.prefix.clone(), copies);
        Kafka::new(config)
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn check_looks_and_makes_nothing_and_tells_what_is_missing_or_wrong() {
    let Some(stack) = program::stack() else { return };
    let site = Installation::new(&stack);
    let mut server = Server::connect(&site.url).await.unwrap();

    let (code, found) = site.check(&site.text);
    assert_eq!(code, 0, "nothing is wrong with an installation that is not made yet");
    for topic in TOPICS {
        let (fit, note) = found(&format!("topic {topic}"));
        assert!(fit && note.contains("made when the service starts"), "{note}");
        assert_eq!(site.kafka(1).look_at_topic(topic).await.unwrap(), None, "a look makes no topic");
    }
    assert!(found("database invoice").1.contains("not made yet"));
    assert_eq!(server.schemas(&site.prefix).await.unwrap(), [""; 0], "a look makes no schema");
    let (fit, note) = found("clock");
    assert!(fit && note.contains("PostgreSQL's clock is") && note.contains("brokers are not asked"), "{note}");

    let up = ["up", "--config", &site.config(&site.text)];
    assert!(Running::start(&up, "ready").terminate().success());
    let (code, found) = site.check(&site.text);
    assert_eq!(code, 0);
    assert!(found("topic regua.invoice.v1").1.contains("partitions, 1 copies") && found("database invoice").1.contains("0 events"));

    let more = site.text.replace("[bus]", "[bus]\nreplication = 3");
    let (code, found) = site.check(&more.lines().filter(|line| *line != "replication = 1").collect::<Vec<_>>().join("\n"));
    assert_eq!(code, 3);
    assert!(!found("topic regua.invoice.v1").0 && found("topic regua.invoice.v1").1.contains("bus.replication says 3"));
    let partitions = site.text.lines().find(|line| line.starts_with("partitions = ")).unwrap();
    let (code, found) = site.check(&site.text.replace(partitions, "partitions = 77"));
    assert_eq!(code, 3);
    assert!(!found("topic regua.dunning.v1").0 && found("topic regua.dunning.v1").1.contains("bus.partitions says 77"));

    // A topic that is gone though its log was published.
    let db = sql::Db::connect_postgres(&site.url, &format!("{}invoice", site.prefix), 1).await.unwrap();
    let mut tx = db.begin().await.unwrap();
    let cursor = "INSERT INTO relay_cursor (topic, position) VALUES ($1, 7) ON CONFLICT (topic) DO UPDATE SET position = 7";
    tx.execute(cursor, &[TOPICS[0].into()]).await.unwrap();
    tx.commit().await.unwrap();
    let ours = site.prefix.clone();
    site.kafka(1).delete_topics(move |name| name.starts_with(&ours)).await.unwrap();
    let (code, found) = site.check(&site.text);
    assert_eq!(code, 3);
    assert!(!found("topic regua.invoice.v1").0 && found("topic regua.invoice.v1").1.contains("7 events"));
    for schema in server.schemas(&site.prefix).await.unwrap() {
        server.drop_schema(&schema).await.unwrap();
    }
}
