//! A service that runs: its listeners, consumers, timers and background tasks, and how to stop it or let it rest.

use crate::{entrance::Entrance, environment::Environment, observe, pages, trace};
use axum::{
    Router,
    extract::Request,
    middleware::{self, Next},
    response::Response,
};
use eventlog::{
    TimerHandle,
    bus::{Bus, Publish},
    consumer::{Consumer, ConsumerStatus},
    projection::Projections,
    relay::Relay,
};
use std::{net::SocketAddr, sync::Arc, time::Duration};
use tokio::task::JoinHandle;
use tonic::service::Routes;
use tracing::Instrument;

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
    timers: Arc<Vec<TimerHandle>>,
    relays: Arc<Vec<Relay>>,
    tasks: Vec<JoinHandle<()>>,
    addresses: Vec<(&'static str, SocketAddr)>,
}

impl Service {
    /// Puts the parts together and shows them to Prometheus.
    pub fn new(name: &'static str, environment: Environment, parts: Parts) -> Self {
        let consumers = Arc::new(parts.consumers);
        let relays = Arc::new(parts.relays);
        let timers = Arc::new(parts.timers);
        observe::consumers(&environment, &consumers);
        observe::relays(&environment, &relays);
        observe::timers(&environment, &timers);
        Self {
            name,
            environment,
            consumers,
            projections: parts.projections,
            timers,
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

/// Lets calls in: from now on the service is ready. `http` is what it serves over HTTP beside `/metrics` and `/health`.
pub async fn serve(environment: &Environment, entrance: Entrance, routes: Routes, http: Router, parts: &mut Parts) {
    let http = http.layer(middleware::from_fn(traced));
    let own = pages::router(environment, entrance.is_on_loopback());
    entrance.serve(environment, routes, own.merge(http), parts).await;
}

async fn traced(request: Request, next: Next) -> Response {
    let span = trace::request_span(&request);
    next.run(request).instrument(span).await
}
