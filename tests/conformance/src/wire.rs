//! The adapters that carry events from one service to another: in process, and Kafka.

use std::fmt;
use std::str::FromStr;
use std::sync::atomic::{AtomicU32, Ordering};

use anyhow::{Context, Result};
use eventlog::bus::{Bus, InProcess, Kafka, KafkaConfig};

use crate::moment::unique;
use crate::storage::{Durable, Postgres, Sqlite};

/// Partitions of the topics on Kafka.
pub(crate) const PARTITIONS: i32 = 3;

/// Two services and what is between them.
#[allow(async_fn_in_trait)]
pub trait Wire: Sized + Send + Sync + 'static {
    /// For messages.
    const NAME: &'static str;
    /// What keeps the logs of both services.
    type Store: Durable;

    /// Two new, empty services; None, with a line that says so, where a server is not there.
    async fn fresh() -> Result<Option<Self>>;

    /// The service that publishes.
    fn bank(&self) -> &Self::Store;

    /// The service that listens.
    fn mirror(&self) -> &Self::Store;

    /// How to get at the bus.
    fn route(&self) -> &Route;
}

/// Both services in one process, on one kind of database.
pub struct Inside<S> {
    bank: S,
    mirror: S,
    route: Route,
}

/// One process, a file per service.
pub type SqliteInside = Inside<Sqlite>;
/// One process, a schema per service.
pub type PostgresInside = Inside<Postgres>;

impl<S: Durable> Wire for Inside<S> {
    const NAME: &'static str = "in process";
    type Store = S;

    async fn fresh() -> Result<Option<Self>> {
        let both = S::fresh().await?.zip(S::fresh().await?);
        Ok(both.map(|(bank, mirror)| Inside { bank, mirror, route: Route::InProcess }))
    }

    fn bank(&self) -> &S {
        &self.bank
    }

    fn mirror(&self) -> &S {
        &self.mirror
    }

    fn route(&self) -> &Route {
        &self.route
    }
}

/// Two services that talk through Kafka, with topics of their own.
pub struct Broker<S> {
    bank: S,
    mirror: S,
    route: Route,
}

/// Kafka between two files.
pub type SqliteKafka = Broker<Sqlite>;
/// Kafka between two schemas.
pub type PostgresKafka = Broker<Postgres>;

impl<S: Durable> Broker<S> {
    /// On a broker that is not the one of [`Wire::fresh`].
    pub(crate) async fn at(bootstrap: &str) -> Result<Option<Self>> {
        let route = Route::Kafka { bootstrap: bootstrap.into(), prefix: unique("conformance") + "-" };
        let both = S::fresh().await?.zip(S::fresh().await?);
        Ok(both.map(|(bank, mirror)| Broker { bank, mirror, route }))
    }
}

impl<S: Durable> Wire for Broker<S> {
    const NAME: &'static str = "Kafka";
    type Store = S;

    async fn fresh() -> Result<Option<Self>> {
        match std::env::var("REGUA_TEST_KAFKA") {
            Ok(bootstrap) => Broker::at(&bootstrap).await,
            Err(_) => {
                println!("skipped on Kafka: REGUA_TEST_KAFKA is not set");
                Ok(None)
            }
        }
    }

    fn bank(&self) -> &S {
        &self.bank
    }

    fn mirror(&self) -> &S {
        &self.mirror
    }

    fn route(&self) -> &Route {
        &self.route
    }
}

/// How to get at a bus; as text it is an argument of a process.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Route {
    /// The services are in this process.
    InProcess,
    /// A cluster.
    Kafka {
        /// `host:port`.
        bootstrap: String,
        /// In front of the names of topics and groups.
        prefix: String,
    },
}

impl Route {
    /// A bus for a whole world, whose consumers are members of their usual group.
    pub fn bus(&self) -> Bus {
        match self {
            Route::InProcess => Bus::InProcess(InProcess::new()),
            Route::Kafka { bootstrap, prefix } => Bus::Kafka(Kafka::new(config(bootstrap, prefix))),
        }
    }

    /// The same bus for one consumer that is alone in a group of its own. It is given all partitions, whoever else reads them: what the
    /// group would have come to after it had waited in vain for a dead or hanging member.
    pub fn bus_of_a_successor(&self, bus: &Bus) -> Bus {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        match self {
            Route::InProcess => bus.clone(),
            Route::Kafka { bootstrap, prefix } => {
                let mut config = config(bootstrap, prefix);
                let group = format!("{prefix}successor-{}-{}", std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed));
                config.settings.push(("group.id".into(), group));
                Bus::Kafka(Kafka::new(config))
            }
        }
    }
}

fn config(bootstrap: &str, prefix: &str) -> KafkaConfig {
    let mut config = KafkaConfig::new(bootstrap);
    config.prefix = prefix.into();
    config.partitions = PARTITIONS;
    config
}

impl fmt::Display for Route {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Route::InProcess => write!(out, "inside"),
            Route::Kafka { bootstrap, prefix } => write!(out, "kafka {bootstrap} {prefix}"),
        }
    }
}

impl FromStr for Route {
    type Err = anyhow::Error;

    fn from_str(text: &str) -> Result<Route> {
        let mut words = text.split(' ');
        match words.next() {
            Some("inside") => Ok(Route::InProcess),
            Some("kafka") => {
                let mut word = || words.next().map(String::from).context("a route without its cluster");
                Ok(Route::Kafka { bootstrap: word()?, prefix: word()? })
            }
            _ => anyhow::bail!("no route {text}"),
        }
    }
}
