//! A service that runs: its listeners, consumers, timers and background tasks, and how to stop it or let it rest.

use crate::{
    config::Listen,
    environment::Environment,
    metrics::Reading,
    server::{self, GrpcServer},
};
use axum::{Router, extract::State, http::StatusCode, routing::get};
use eventlog::{
    TimerHandle,
    bus::{Bus, Publish},
    consumer::{Consumer, ConsumerStatus},
    projection::Projections,
    relay::Relay,
};
use std::{
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};
use tokio::task::JoinHandle;
use tonic::service::Routes;

/// How long running calls may take to end once a service is to stop.
pub const GRACE: Duration = Duration::from_secs(10);

/// The parts that a service has started.
#[derive(Default)]
pub struct Parts {
    /// Consumers of topics and of its own log.
    pub consumers: Vec<Consumer>,
    /// Read models.
    pub projections: Vec<Projections>,
    /// Timer loops.
    pub timers: Vec<TimerHandle>,
    /// Relays of its log.
    pub relays: Vec<Relay>,
    /// Tasks that end by the stop token.
    pub tasks: Vec<JoinHandle<()>>,
    /// Addresses that it listens on, by protocol.
    pub addresses: Vec<(&'static str, SocketAddr)>,
}

/// A running service.
pub struct Service {
    name: &'static str,
    environment: Environment,
    consumers: Arc<Vec<Consumer>>,
    projections: Vec<Projections>,
    timers: Vec<TimerHandle>,
    relays: Arc<Vec<Relay>>,
    tasks: Vec<JoinHandle<()>>,
    addresses: Vec<(&'static str, SocketAddr)>,
}

impl Service {
    /// Puts the parts together and shows them to Prometheus.
    pub fn new(name: &'static str, environment: Environment, parts: Parts) -> Self {
        let consumers = Arc::new(parts.consumers);
        let relays = Arc::new(parts.relays);
        observe(&environment, &consumers, &relays);
        Self {
            name,
            environment,
            consumers,
            projections: parts.projections,
            timers: parts.timers,
            relays,
            tasks: parts.tasks,
            addresses: parts.addresses,
        }
    }

    /// Its name.
    pub fn name(&self) -> &'static str {
        self.name
    }

    /// Its database, log and instruments.
    pub fn environment(&self) -> &Environment {
        &self.environment
    }

    /// Where it listens, by protocol.
    pub fn addresses(&self) -> &[(&'static str, SocketAddr)] {
        &self.addresses
    }

    /// Its gRPC address.
    pub fn grpc(&self) -> Option<SocketAddr> {
        self.addresses.iter().find(|(protocol, _)| *protocol == "grpc").map(|(_, address)| *address)
    }

    /// Its read models.
    pub fn projections(&self) -> &[Projections] {
        &self.projections
    }

    /// How its consumers are doing.
    pub fn consumers(&self) -> Vec<ConsumerStatus> {
        self.consumers.iter().map(Consumer::status).collect()
    }

    /// Fires no timer until [`Service::resume`].
    pub fn pause_timers(&self) {
        self.timers.iter().for_each(TimerHandle::pause);
    }

    /// Fires timers again after [`Service::pause_timers`].
    pub fn resume_timers(&self) {
        self.timers.iter().for_each(TimerHandle::resume);
    }

    /// Lets it rest: it takes in nothing and fires nothing until [`Service::resume`]; listeners stay open.
    pub fn pause(&self) {
        self.consumers.iter().for_each(Consumer::pause);
        self.timers.iter().for_each(TimerHandle::pause);
    }

    /// Takes in again after [`Service::pause`]; timers wait for [`Service::resume_timers`].
    pub fn resume_consumers(&self) {
        self.consumers.iter().for_each(Consumer::resume);
    }

    /// Goes on after [`Service::pause`].
    pub fn resume(&self) {
        self.resume_consumers();
        self.resume_timers();
    }

    /// Stops listening, lets what is in hand end, and waits for it, at most [`GRACE`].
    pub async fn stop(self) {
        self.stop_within(GRACE).await;
    }

    /// As [`Service::stop`], but gives running calls this long: a stream that its caller keeps open would never end.
    pub async fn stop_within(self, grace: Duration) {
        self.environment.stop.cancel();
        let until = tokio::time::Instant::now() + grace;
        for mut task in self.tasks {
            match tokio::time::timeout_at(until, &mut task).await {
                Ok(Ok(())) => {}
                Ok(Err(error)) => tracing::warn!(service = self.name, %error, "a task ended badly"),
                Err(_) => {
                    tracing::warn!(service = self.name, "a task was cut off: calls were still running");
                    task.abort();
                }
            }
        }
        if let Some(consumers) = Arc::into_inner(self.consumers) {
            for consumer in consumers {
                consumer.stopped().await;
            }
        }
        if let Some(relays) = Arc::into_inner(self.relays) {
            for relay in relays {
                relay.stopped().await;
            }
        }
    }
}

fn observe(environment: &Environment, consumers: &Arc<Vec<Consumer>>, relays: &Arc<Vec<Relay>>) {
    let behind = Arc::downgrade(relays);
    environment.metrics.gauge("unpublished_events", "Events of the log that are not on the bus yet", move || {
        let Some(relays) = behind.upgrade() else { return Vec::new() };
        relays.iter().map(Relay::status).map(|status| ("topic", status.topic, status.head.saturating_sub(status.published))).collect()
    });
    let readings = |consumers: &Arc<Vec<Consumer>>, read: fn(&ConsumerStatus) -> u64| {
        let consumers = Arc::downgrade(consumers);
        move || -> Vec<Reading> {
            let Some(consumers) = consumers.upgrade() else { return Vec::new() };
            consumers.iter().map(|consumer| ("consumer", consumer.name().to_owned(), read(&consumer.status()))).collect()
        }
    };
    let lag = |status: &ConsumerStatus| status.places.values().map(|place| place.lag.unsigned_abs()).sum();
    environment.metrics.gauge("consumer_lag_events", "Events that a consumer has not read", readings(consumers, lag));
    environment.metrics.gauge("parked_streams", "Streams that wait for a person", readings(consumers, |status| status.parked));
    environment.metrics.gauge("duplicate_events", "Events seen before and skipped", readings(consumers, |status| status.counts.duplicates));
}

/// Publishes the service's log under a topic: offers it in process, or relays it to Kafka.
pub async fn publish(environment: &Environment, topic: &'static str, publish: Arc<dyn Publish>, parts: &mut Parts) -> anyhow::Result<()> {
    match &environment.process.bus {
        Bus::InProcess(bus) => bus.offer(topic, environment.log.clone(), publish),
        Bus::Kafka(kafka) => {
            let wiring = (&environment.process.activity, environment.stop.clone());
            parts.relays.push(Relay::start(topic, environment.log.clone(), publish, kafka, wiring).await?);
        }
    }
    Ok(())
}

/// Opens the gRPC and HTTP listeners of a service. `api` is its routes, their full name and the file descriptors.
pub async fn listen(
    environment: &Environment,
    listen: &Listen,
    api: (Routes, &'static str, &'static [u8]),
    http: Router,
    parts: &mut Parts,
) -> anyhow::Result<()> {
    let (routes, name, descriptors) = api;
    let grpc = GrpcServer { listen: listen.grpc, routes, names: &[name], descriptors };
    let grpc = server::serve_grpc(grpc, &environment.process.access, environment.stop.clone()).await?;
    let http = serve_http(listen.http, http, environment).await?;
    for (protocol, running) in [("grpc", grpc), ("http", http)] {
        parts.addresses.push((protocol, running.address));
        parts.tasks.push(running.task);
    }
    Ok(())
}

/// Starts the HTTP side of a service: `/metrics`, `/health` and what the service adds. Health is 503 once it is to stop.
async fn serve_http(listen: SocketAddr, router: Router, environment: &Environment) -> anyhow::Result<server::Running> {
    let due = Arc::new(AtomicU64::new(0));
    let shown = Arc::clone(&due);
    environment.metrics.gauge("timers_due", "Timers that are due and have not fired", move || {
        vec![("log", "own".to_owned(), shown.load(Ordering::Relaxed))]
    });
    let state = (environment.clone(), due);
    let own = Router::new().route("/metrics", get(metrics)).route("/health", get(health)).with_state(state);
    server::serve_http(listen, own.merge(router), &environment.process.access, environment.stop.clone()).await
}

type HttpState = (Environment, Arc<AtomicU64>);

async fn metrics(State((environment, due)): State<HttpState>) -> String {
    match environment.log.timers_due().await {
        Ok(count) => due.store(count, Ordering::Relaxed),
        Err(error) => tracing::warn!(%error, "timers cannot be counted"),
    }
    environment.metrics.text()
}

async fn health(State((environment, _)): State<HttpState>) -> StatusCode {
    if environment.stop.is_cancelled() { StatusCode::SERVICE_UNAVAILABLE } else { StatusCode::OK }
}
