//! Two services: one that adds numbers and publishes them, and one that mirrors them and keeps read models.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::time::Duration;

use eventlog::bus::{Bus, InProcess, Kafka, KafkaConfig, Publish, Published};
use eventlog::consumer::{Consumer, ConsumerSpec, Inbound, InboundCommand, Poison, StreamKey};
use eventlog::projection::{OwnLog, Projection, Projections};
use eventlog::relay::Relay;
use eventlog::{Activity, Ids, Log, Recorded, Writer, WriterOptions};
use sql::Db;
use tokio_util::sync::CancellationToken;

use super::models::Totals;
use crate::counter::{Command, Counter, on};
use crate::logs::{CountingIds, ManualClock, Site, durable};

/// The producer's topic.
pub const NUMBERS: &str = "numbers.v1";
/// The topic of the mirror's own log.
pub const MIRROR: &str = "mirror.v1";
/// The consumer of the mirror.
pub const INBOUND: &str = "mirror.inbound";

/// Additions are public under another name, plans are nobody's business, the rest has names that nobody knows.
pub struct Translated;

impl Publish for Translated {
    fn publish(&self, event: &Recorded) -> Published {
        match event.event_type.as_str() {
            "Added" => Published::Public { event_type: "NumberAdded".into(), payload: event.payload.clone() },
            "Planned" => Published::Withheld,
            _ => Published::Public { event_type: "Unheard".into(), payload: event.payload.clone() },
        }
    }
}

/// Every number is added to the mirror of its stream. 13 cannot be understood until somebody repairs the program.
#[derive(Default)]
pub struct Mirror {
    pub repaired: AtomicBool,
}

impl Inbound<Command> for Mirror {
    fn commands(&self, message: &eventlog::bus::Message) -> Result<Vec<InboundCommand<Command>>, Poison> {
        if message.event.event_type != "NumberAdded" {
            return Ok(Vec::new());
        }
        let number = number_of(message);
        if number == 13 && !self.repaired.load(Ordering::SeqCst) {
            return Err(Poison::new("13 is not understood"));
        }
        let stream = format!("mirror-{}", message.event.stream);
        Ok(vec![InboundCommand::caused_by(message, stream, Command::Add(number))])
    }

    fn knows(&self, _topic: &str, event_type: &str) -> bool {
        event_type == "NumberAdded"
    }
}

pub fn number_of(message: &eventlog::bus::Message) -> i64 {
    String::from_utf8_lossy(&message.event.payload).parse().unwrap()
}

pub struct World {
    pub name: String,
    pub bus: Bus,
    pub activity: Activity,
    pub clock: Arc<ManualClock>,
    pub ids: Arc<dyn Ids>,
    pub numbers: Service,
    pub mirror: Service,
    pub relay: Option<Relay>,
    pub shutdown: CancellationToken,
    pub relaying: CancellationToken,
}

/// A service: its log and its writer.
pub struct Service {
    pub log: Log,
    pub writer: Writer<Counter>,
    /// Where the log is; keeps the folder of the database.
    pub site: Site,
}

impl Service {
    async fn new(site: Site, activity: &Activity) -> Service {
        let options = WriterOptions { activity: activity.clone(), ..WriterOptions::default() };
        let writer = Writer::spawn(Arc::new(Counter), site.log(), options);
        Service { log: site.log(), writer, site }
    }

    pub fn db(&self) -> &Db {
        self.log.db().unwrap()
    }

    /// `"a 1"`: adds to a stream.
    pub async fn add(&self, lines: &[&str]) {
        for line in lines {
            let (stream, number) = line.split_once(' ').unwrap();
            self.writer.submit(on(stream, Command::Add(number.parse().unwrap()))).await.unwrap();
        }
    }

    pub async fn total(&self, stream: &str) -> i64 {
        self.writer.state(stream).await.unwrap().0.total
    }
}

/// Every bus with every database that is there.
pub async fn worlds() -> Vec<World> {
    let mut all = Vec::new();
    for (numbers, mirror) in durable().await.into_iter().zip(durable().await) {
        all.push(World::new(Bus::InProcess(InProcess::new()), "in process", numbers, mirror).await);
    }
    if let Some(config) = kafka_config() {
        let sites = (durable().await.pop().unwrap(), durable().await.pop().unwrap());
        all.push(World::new(Bus::Kafka(Kafka::new(config)), "kafka", sites.0, sites.1).await);
    }
    all
}

/// A cluster with topics and groups of its own.
pub fn kafka_config() -> Option<KafkaConfig> {
    static NEXT: AtomicU32 = AtomicU32::new(0);
    match std::env::var("REGUA_TEST_KAFKA") {
        Ok(bootstrap) => {
            let mut config = KafkaConfig::new(bootstrap);
            let started = std::time::SystemTime::UNIX_EPOCH.elapsed().unwrap().as_micros();
            config.prefix = format!("t{started}-{}-", NEXT.fetch_add(1, Ordering::Relaxed));
            config.partitions = 3;
            Some(config)
        }
        Err(_) => {
            println!("skipped on Kafka: REGUA_TEST_KAFKA is not set");
            None
        }
    }
}

impl World {
    pub async fn new(bus: Bus, bus_name: &str, numbers: Site, mirror: Site) -> World {
        let activity = Activity::new();
        let shutdown = CancellationToken::new();
        let name = format!("{bus_name}, {}", mirror.name);
        let clock = Arc::clone(&mirror.clock);
        let numbers = Service::new(numbers, &activity).await;
        let mirror = Service::new(mirror, &activity).await;
        let publish = Arc::new(Translated);
        let relaying = shutdown.child_token();
        let relay = bus.offer(NUMBERS, numbers.log.clone(), publish, &activity, relaying.clone()).await.unwrap();
        let ids: Arc<dyn Ids> = Arc::new(CountingIds::default());
        World { name, bus, activity, clock, ids, numbers, mirror, relay, shutdown, relaying }
    }

    /// Stops a relay and nothing else.
    pub async fn shutdown_relay(&self, relay: Relay) {
        self.relaying.cancel();
        relay.stopped().await;
    }

    /// The mirror loses its database.
    pub async fn renew_mirror(&mut self) {
        self.mirror = Service::new(durable().await.pop().unwrap(), &self.activity).await;
    }

    /// The specification of the mirror's consumer.
    pub fn spec(&self, name: &'static str) -> ConsumerSpec {
        ConsumerSpec::new(name, self.mirror.db().clone(), self.clock.clone(), self.ids.clone())
    }

    /// Projections of the mirror over the numbers.
    pub fn models(&self, list: Vec<Arc<dyn Projection>>) -> Projections {
        Projections::new(self.mirror.db().clone(), INBOUND, None, list).unwrap()
    }

    /// Projections of the mirror over its own log.
    pub fn own_models(&self, name: &'static str, list: Vec<Arc<dyn Projection>>) -> Projections {
        let own = OwnLog { topic: MIRROR.into(), log: self.mirror.log.clone() };
        Projections::new(self.mirror.db().clone(), name, Some(own), list).unwrap()
    }

    /// The mirror's consumer, with commands and with one read model.
    pub async fn start(&self) -> Running {
        self.start_with(Arc::new(Mirror::default()), self.models(vec![Arc::new(Totals::default())])).await
    }

    pub async fn start_with(&self, inbound: Arc<dyn Inbound<Command>>, models: Projections) -> Running {
        let token = self.shutdown.child_token();
        let spec = self.spec(INBOUND).topics(&[NUMBERS]).projections(models.clone()).page_limit(7);
        let wiring = (&self.activity, token.clone());
        let consumer = Consumer::start_with_inbound(spec, self.mirror.writer.clone(), inbound, &self.bus, wiring).await.unwrap();
        Running { consumer, models, token }
    }

    /// A consumer of the mirror that only keeps models.
    pub async fn start_models(&self, models: Projections) -> Running {
        let token = self.shutdown.child_token();
        let spec = self.spec(models.consumer()).topics(&[NUMBERS]).projections(models.clone()).page_limit(7);
        let consumer = Consumer::start(spec, &self.bus, &self.activity, token.clone()).await.unwrap();
        Running { consumer, models, token }
    }

    pub async fn settled(&self) {
        if tokio::time::timeout(Duration::from_secs(30), self.activity.settled()).await.is_err() {
            panic!("{}: never settled, busy: {:?}", self.name, self.activity.busy());
        }
    }

    /// Ends everything in order.
    pub async fn end(self, running: Vec<Running>) {
        self.shutdown.cancel();
        for one in running {
            one.consumer.stopped().await;
        }
        if let Some(relay) = self.relay {
            relay.stopped().await;
        }
    }
}

pub struct Running {
    pub consumer: Consumer,
    pub models: Projections,
    pub token: CancellationToken,
}

impl Running {
    pub async fn stop(self) {
        self.token.cancel();
        self.consumer.stopped().await;
    }
}

pub fn key(stream: &str) -> StreamKey {
    StreamKey { topic: NUMBERS.into(), stream: stream.into() }
}
