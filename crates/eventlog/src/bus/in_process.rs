//! The bus of one process: a topic is the producer's log, read through its [`Publish`].

use std::collections::HashMap;
use std::sync::Arc;

use tokio::sync::watch;

use super::Publish;
use crate::log::Log;

/// The logs that the services of this process publish, by topic. Cheap to clone.
#[derive(Clone)]
pub struct InProcess {
    topics: Arc<watch::Sender<HashMap<String, Feed>>>,
}

/// A published log.
#[derive(Clone)]
pub(crate) struct Feed {
    pub log: Log,
    pub publish: Arc<dyn Publish>,
}

impl Default for InProcess {
    fn default() -> Self {
        Self { topics: Arc::new(watch::Sender::new(HashMap::new())) }
    }
}

impl InProcess {
    /// A bus without topics.
    pub fn new() -> Self {
        Self::default()
    }

    /// Publishes a log under a topic. Consumers that wait for it start.
    pub fn offer(&self, topic: impl Into<String>, log: Log, publish: Arc<dyn Publish>) {
        self.topics.send_modify(|topics| {
            topics.insert(topic.into(), Feed { log, publish });
        });
    }

    /// The published log of a topic, if it was offered by now.
    pub(crate) fn feed(&self, topic: &str) -> Option<Feed> {
        self.topics.borrow().get(topic).cloned()
    }

    /// Waits until somebody offers the topic.
    pub(crate) async fn wait_for(&self, topic: &str) -> Feed {
        let mut topics = self.topics.subscribe();
        loop {
            if let Some(feed) = topics.borrow_and_update().get(topic) {
                return feed.clone();
            }
            // The sender lives in `self`, so this fails only while everything is being dropped.
            if topics.changed().await.is_err() {
                std::future::pending::<()>().await;
            }
        }
    }
}
