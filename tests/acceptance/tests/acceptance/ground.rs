//! What a distributed replay makes on shared servers goes with it.

use crate::{
    processes::until,
    program::{self, Running},
    replays::{made_up, write},
};
use eventlog::bus::{Kafka, KafkaConfig};
use sql::Server;
use std::{
    fs,
    path::{Path, PathBuf},
    sync::{Arc, Mutex},
    time::{Duration, Instant},
};
use tempfile::TempDir;

/// The running stack under a prefix of one test's own.
struct Ground {
    directory: TempDir,
    config: PathBuf,
    url: String,
    kafka: Kafka,
    prefix: String,
}

impl Ground {
    fn new(stack: &Path, letter: char) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let prefix = format!("{letter}{}_", std::process::id());
        let text = fs::read_to_string(stack.join("regua.toml")).unwrap();
        let named = |section: &str| format!("{section}\nprefix = \"{prefix}\"");
        let text = text.replace("[storage]", &named("[storage]")).replace("[bus]", &named("[bus]"));
        let value = |key: &str| text.lines().find_map(|line| line.strip_prefix(key)).unwrap().trim_matches('"').to_owned();
        let config = directory.path().join("regua.toml");
        fs::write(&config, &text).unwrap();
        write(&made_up(1500), &directory.path().join("long.csv"));
        write(&made_up(3), &directory.path().join("short.csv"));
        Self { config, url: value("url = "), kafka: Kafka::new(KafkaConfig::new(value("brokers = "))), prefix, directory }
    }

    fn arguments(&self, portfolio: &str) -> Vec<String> {
        let path = |name: &str| self.directory.path().join(name).to_str().unwrap().to_owned();
        let portfolio = path(portfolio);
        let until = if portfolio.ends_with("short.csv") { "2024-03-31" } else { "2024-09-30" };
        let policy = "policies/simples.toml";
        let words = ["replay", "--portfolio", &portfolio, "--policy", policy, "--until", until, "--report", &path("report.json")];
        words.into_iter().chain(["--config", self.config.to_str().unwrap()]).map(str::to_owned).collect()
    }

    /// Starts a long replay and waits until it has everything that it makes.
    async fn start(&self, name: &str) -> (Running, String) {
        let before = self.schemas().await;
        let arguments = self.arguments("long.csv");
        let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
        let running = Running::spawn("regua", &words, &self.directory.path().join(name));
        let id = until(in_two_minutes(), "a replay has its schemas and topics", async || {
            let schemas = self.schemas().await;
            let new = schemas.iter().find(|schema| schema.ends_with("_reporting") && !before.contains(schema))?;
            let id = new.strip_suffix("_reporting")?.to_owned();
            let topics = self.topics().await;
            (topics.iter().filter(|topic| topic.starts_with(&id)).count() == 3).then_some(id)
        })
        .await;
        (running, id)
    }

    async fn schemas(&self) -> Vec<String> {
        Server::connect(&self.url).await.unwrap().schemas(&self.prefix).await.unwrap()
    }

    /// Topics under the prefix: looked at by whoever deletes, and spared.
    async fn topics(&self) -> Vec<String> {
        let seen = Arc::new(Mutex::new(Vec::new()));
        let (list, prefix) = (Arc::clone(&seen), self.prefix.clone());
        let spare = move |name: &str| {
            if name.starts_with(&prefix) {
                list.lock().unwrap().push(name.to_owned());
            }
            false
        };
        assert!(self.kafka.delete_topics(spare).await.unwrap().is_empty());
        seen.lock().unwrap().clone()
    }

    async fn holds(&self, id: &str) -> bool {
        let all = self.schemas().await.into_iter().chain(self.topics().await);
        all.into_iter().any(|name| name.starts_with(id))
    }
}

fn in_two_minutes() -> Instant {
    Instant::now() + Duration::from_secs(120)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_replay_takes_its_schemas_and_topics_with_it_and_those_of_one_that_was_killed() {
    let Some(stack) = program::stack() else { return };
    let ground = Ground::new(&stack, 'k');
    let (killed, left) = ground.start("killed").await;
    drop(killed);
    assert!(ground.holds(&left).await, "SIGKILL leaves it no time");

    let (mut asked, own) = ground.start("asked").await;
    assert!(!ground.holds(&left).await, "what the killed one left is gone");
    assert!(ground.holds(&own).await);
    assert_eq!(asked.terminate().code(), Some(1), "it did not come to its end");
    assert_eq!((ground.schemas().await, ground.topics().await), (vec![], vec![]));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_replay_that_runs_is_left_alone_and_a_kept_one_stays() {
    let Some(stack) = program::stack() else { return };
    let ground = Ground::new(&stack, 'r');
    let (mut running, own) = ground.start("running").await;
    let mut arguments = ground.arguments("short.csv");
    arguments.push("--keep".to_owned());
    program::succeed(&arguments.iter().map(String::as_str).collect::<Vec<_>>());
    assert_eq!(ground.schemas().await.iter().filter(|schema| schema.starts_with(&own)).count(), 4);
    running.terminate();

    let kept = format!("{}kept_", ground.prefix);
    let (schemas, topics) = (ground.schemas().await, ground.topics().await);
    assert_eq!((schemas.len(), topics.len()), (4, 3));
    assert!(schemas.iter().chain(&topics).all(|name| name.starts_with(&kept)), "{schemas:?} {topics:?}");
    program::succeed(&ground.arguments("short.csv").iter().map(String::as_str).collect::<Vec<_>>());
    assert_eq!((ground.schemas().await, ground.topics().await.len()), (schemas.clone(), topics.len()));
    let mut server = Server::connect(&ground.url).await.unwrap();
    for schema in schemas {
        server.drop_schema(&schema).await.unwrap();
    }
    ground.kafka.delete_topics(move |name| name.starts_with(&kept)).await.unwrap();
}
