//! Consumers: what a service does with the events of others, and of itself.
//!
//! A consumer has a permanent name, because its places hang on it. It reads pages, sorts them by what it knows of each stream, and
//! stores places, stream marks, archive and effects in **one** transaction of the service's database. One consumer serves a set of
//! topics: the commands on the service's aggregate and all projections over these topics share that transaction.

pub mod archive;
pub(crate) mod attempt;
pub mod checkpoint;
pub mod handler;
pub mod page;
pub mod parking;
pub(crate) mod retry;
mod runner;
pub mod schema;
pub(crate) mod settlement;
pub(crate) mod sink;
pub(crate) mod source;
pub mod status;

use std::collections::HashSet;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;

use chrono::{DateTime, Utc};
use futures::FutureExt;
use sql::{Db, SqlError, Tx};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use tracing::Span;

use crate::activity::{Activity, Rank, Registration};
use crate::alongside::{Alongside, AlongsideError};
use crate::bus::{Bus, BusError, Message, Place};
use crate::event::{Clock, Ids};
use crate::log::Faults;
use crate::projection::{OwnLog, ProjectionError, Projections};
use crate::timers::Shards;
use crate::writer::{Aggregate, Writer};

pub use handler::{Inbound, InboundCommand, Poison};
pub use page::{Gap, StreamKey};
pub use parking::{AuditEntry, ParkedStream, Parking, ParkingError, Request};
pub use status::{ConsumerStatus, Counts, PlaceStatus};

use sink::{Commands, Sink, ViewsOnly};
use source::{LogSource, Sources};
use status::{Ends, Shared};

/// Messages in one transaction at most, unless the specification says otherwise.
const PAGE_LIMIT: usize = 500;

/// The span of a message that the named consumer takes in; `None` where it is not traced.
pub type Spans = fn(&'static str, &Message) -> Option<Span>;

/// What a consumer reads and where it keeps its place.
#[derive(Clone)]
pub struct ConsumerSpec {
    /// Permanent, unique in the system: `dunning.inbound`. With Kafka it is also the consumer group.
    pub name: &'static str,
    /// The service's database.
    pub db: Db,
    /// For the moment at which a stream is parked.
    pub clock: Arc<dyn Clock>,
    /// For audit rows.
    pub ids: Arc<dyn Ids>,
    /// Topics of other services, through the bus.
    pub topics: Vec<&'static str>,
    /// The service's own log, read directly, for projections over it.
    pub own: Option<OwnLog>,
    /// Projections written in the consumer's transaction; they name this consumer.
    pub projections: Option<Projections>,
    /// Messages in one transaction at most.
    pub page_limit: usize,
    /// Makes the span of a message; it lasts until the message's effects are stored.
    pub spans: Option<Spans>,
    /// Crash points around its pages: for tests.
    #[doc(hidden)]
    pub faults: Option<Arc<dyn Faults>>,
}

impl ConsumerSpec {
    /// A consumer that reads nothing yet.
    pub fn new(name: &'static str, db: Db, clock: Arc<dyn Clock>, ids: Arc<dyn Ids>) -> Self {
        Self { name, db, clock, ids, topics: Vec::new(), own: None, projections: None, page_limit: PAGE_LIMIT, spans: None, faults: None }
    }

    /// Reads topics of other services.
    #[must_use]
    pub fn topics(mut self, topics: &[&'static str]) -> Self {
        self.topics.extend_from_slice(topics);
        self
    }

    /// Writes projections in its transaction, and reads the service's own log where they were declared with one.
    #[must_use]
    pub fn projections(mut self, projections: Projections) -> Self {
        self.own = projections.own().cloned().or(self.own);
        self.projections = Some(projections);
        self
    }

    /// Takes at most so many messages into one transaction.
    #[must_use]
    pub fn page_limit(mut self, messages: usize) -> Self {
        self.page_limit = messages.max(1);
        self
    }

    /// Opens a span for every message that it takes in.
    #[must_use]
    pub fn spans(mut self, spans: Spans) -> Self {
        self.spans = Some(spans);
        self
    }

    /// With crash points: for tests.
    #[doc(hidden)]
    #[must_use]
    pub fn with_faults(mut self, faults: Arc<dyn Faults>) -> Self {
        self.faults = Some(faults);
        self
    }
}

/// Why a consumer could not start.
#[derive(Debug, thiserror::Error)]
pub enum ConsumerError {
    /// The database.
    #[error(transparent)]
    Sql(#[from] SqlError),
    /// A projection could not be prepared.
    #[error(transparent)]
    Projection(#[from] ProjectionError),
    /// The bus.
    #[error(transparent)]
    Bus(#[from] BusError),
    /// The specification contradicts itself.
    #[error("consumer {0}: {1}")]
    Specification(&'static str, String),
}

/// A running consumer. Keep the handle: dropping it does not stop the consumer (the cancellation token does), but the barrier then
/// does not wait for it any more. A consumer that had to give up says so in its status.
pub struct Consumer {
    name: &'static str,
    shared: Arc<Shared>,
    ends: Ends,
    db: Db,
    parking: Parking,
    shards: Shards,
    activity: Activity,
    task: JoinHandle<()>,
    _registration: Registration,
}

impl Consumer {
    /// Starts a consumer that writes read models only.
    ///
    /// # Errors
    /// [`ConsumerError`].
    pub async fn start(spec: ConsumerSpec, bus: &Bus, activity: &Activity, shutdown: CancellationToken) -> Result<Consumer, ConsumerError> {
        let sink = Box::new(ViewsOnly { db: spec.db.clone() });
        Self::launch(spec, (sink, Rank::Follows), bus, activity, shutdown).await
    }

    /// Starts a consumer whose messages become commands on the service's aggregate, and fill read models where it has some.
    ///
    /// # Errors
    /// [`ConsumerError`].
    pub async fn start_with_inbound<A: Aggregate>(
        spec: ConsumerSpec,
        writer: Writer<A>,
        inbound: Arc<dyn Inbound<A::Command>>,
        bus: &Bus,
        wiring: (&Activity, CancellationToken),
    ) -> Result<Consumer, ConsumerError> {
        Self::launch(spec, (Box::new(Commands { writer, inbound }), Rank::Decides), bus, wiring.0, wiring.1).await
    }

    async fn launch(
        spec: ConsumerSpec,
        (sink, rank): (Box<dyn Sink>, Rank),
        bus: &Bus,
        activity: &Activity,
        shutdown: CancellationToken,
    ) -> Result<Consumer, ConsumerError> {
        spec.db.migrate(schema::MIGRATIONS).await?;
        if let Some(projections) = &spec.projections {
            check(&spec, projections)?;
            projections.prepare().await?;
        }
        let shared = Arc::new(Shared::default());
        shared.lock().next = checkpoint::offsets(&spec.db, spec.name).await?;
        shared.lock().parked = parking::count(&spec.db, spec.name).await?;
        let topics: Vec<String> = spec.topics.iter().map(|topic| (*topic).to_string()).collect();
        let sources = open_sources(&spec, bus, &topics).await?;
        let shards = sources.kafka.as_ref().map_or(Shards::All, |kafka| Shards::Owned(kafka.owned()));
        let ends = Ends { bus: bus.clone(), topics, own: spec.own.clone() };
        let (name, idle) = (format!("consumer {}", spec.name), {
            let (shared, ends) = (Arc::clone(&shared), ends.clone());
            Box::new(move || shared.is_idle(&ends))
        });
        let registration = activity.register_consumer(name, rank, idle);
        let parking = Parking::new(spec.db.clone(), spec.name, Arc::clone(&spec.clock), Arc::clone(&spec.ids));
        let (name, db) = (spec.name, spec.db.clone());
        let runner = runner::Runner::new(spec, (sink, rank), sources, Arc::clone(&shared), activity.clone());
        let task = tokio::spawn(watched(runner.run(parking.asked(), shutdown), name, Arc::clone(&shared), activity.clone()));
        Ok(Consumer { name, shared, ends, db, parking, shards, activity: activity.clone(), task, _registration: registration })
    }

    /// The consumer's permanent name.
    pub fn name(&self) -> &'static str {
        self.name
    }

    /// How it is doing.
    pub fn status(&self) -> ConsumerStatus {
        self.shared.status(self.name, &self.ends)
    }

    /// How many messages are there and not read, by this process or by those that share the consumer's partitions with it. Asks the
    /// brokers where topics end, and the database how far they are read.
    ///
    /// # Errors
    /// [`ConsumerError`] when one of them does not answer.
    pub async fn lag(&self) -> Result<u64, ConsumerError> {
        if let Bus::Kafka(kafka) = &self.ends.bus {
            kafka.learn_ends(&self.ends.topics).await?;
        }
        let read = checkpoint::offsets(&self.db, self.name).await?;
        let left = |(place, end): (Place, i64)| (end - read.get(&place).copied().unwrap_or(0)).max(0).unsigned_abs();
        Ok(self.ends.known().into_iter().map(left).sum())
    }

    /// Its parked streams.
    pub fn parking(&self) -> &Parking {
        &self.parking
    }

    /// The shards whose facts come to this process, as Kafka shares them out; all of them in process. A payer's timers belong where
    /// its facts go.
    pub fn shards(&self) -> Shards {
        self.shards.clone()
    }

    /// Takes no further page until [`Consumer::resume`]: the service is out while facts keep arriving. The page in hand ends first;
    /// a paused consumer counts as idle.
    pub fn pause(&self) {
        self.shared.pause.send_replace(true);
        self.activity.touch();
    }

    /// Goes on after [`Consumer::pause`].
    pub fn resume(&self) {
        self.shared.pause.send_replace(false);
        self.activity.touch();
    }

    /// Waits until it has stopped after its token was cancelled: the page in hand is stored or rolled back, the Kafka group is left.
    pub async fn stopped(self) {
        if let Err(error) = self.task.await {
            tracing::error!(consumer = self.name, %error, "consumer task ended badly");
        }
    }
}

/// Runs a consumer and tells when it panics: a consumer that is gone without a word looks like one that has nothing to do.
async fn watched(running: impl Future<Output = ()>, name: &'static str, shared: Arc<Shared>, activity: Activity) {
    if AssertUnwindSafe(running).catch_unwind().await.is_err() {
        tracing::error!(consumer = name, "consumer panicked");
        {
            let mut state = shared.lock();
            state.stopped = true;
            state.trouble = Some("the consumer panicked".to_string());
        }
        activity.touch();
    }
}

/// Writes a sorted page of read models into a transaction, as a running consumer does: for tests that take its steps one by one.
#[doc(hidden)]
pub async fn settle(tx: &mut Tx, projections: &Projections, sorted: page::Sorted, now: DateTime<Utc>) -> Result<(), AlongsideError> {
    let (consumer, models) = (projections.consumer(), Some(projections.read(&sorted.fresh)));
    let trusted = HashSet::new();
    settlement::PageSettlement { consumer, sorted, trusted, models, now, fenced: true }.write(tx).await
}

fn check(spec: &ConsumerSpec, projections: &Projections) -> Result<(), ConsumerError> {
    if projections.consumer() != spec.name {
        let reason = format!("its projections were declared for {}", projections.consumer());
        return Err(ConsumerError::Specification(spec.name, reason));
    }
    let own = spec.own.as_ref().map(|own| own.topic.as_str());
    for projection in projections.list() {
        for source in projection.sources() {
            if !spec.topics.contains(source) && own != Some(source) {
                let reason = format!("projection {} reads {source}, the consumer does not", projection.name());
                return Err(ConsumerError::Specification(spec.name, reason));
            }
        }
    }
    Ok(())
}

async fn open_sources(spec: &ConsumerSpec, bus: &Bus, topics: &[String]) -> Result<Sources, ConsumerError> {
    let mut logs: Vec<LogSource> = spec.own.iter().map(|own| LogSource::own(&own.topic, own.log.clone())).collect();
    let mut kafka = None;
    match bus {
        Bus::InProcess(bus) => logs.extend(topics.iter().map(|topic| LogSource::subscribed(topic, bus.clone()))),
        Bus::Kafka(cluster) if !topics.is_empty() => {
            kafka = Some(cluster.subscribe(spec.name, topics, spec.db.clone()).await?);
        }
        Bus::Kafka(_) => {}
    }
    Ok(Sources { logs, kafka })
}
