//! Wiring: from an environment to a running service.

use crate::{CONSUMER, ContactTables, LadderTables, NAME, PaymentTables, ReceivableTables, grpc::Server};
use contracts::reporting::v1::reporting_service_server::{ReportingServiceServer, SERVICE_NAME};
use eventlog::{
    consumer::{Consumer, ConsumerSpec},
    projection::{Projection, Projections, Views},
};
use host::{
    Config, Entrance, Environment, Parts, Process, Service,
    collection::Collection,
    config::{Listen, Storage},
    server::MAX_MESSAGE_BYTES,
    service, trace,
};
use kernel::Zone;
use sql::Db;
use std::sync::Arc;
use tonic::service::{Routes, interceptor::InterceptedService};

/// What this service is told.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Where its tables are.
    pub storage: Storage,
    /// Where it listens.
    pub listen: Listen,
    /// Zone of the tenant's civil dates.
    pub zone: Zone,
}

/// Topics that it reads.
const TOPICS: [&str; 3] = ["regua.invoice.v1", "regua.dunning.v1", "regua.notification.v1"];

impl Settings {
    /// From a configuration. Errors: the faults of its sections.
    pub fn from_config(config: &Config) -> anyhow::Result<Self> {
        let zone = Collection::of(config)?.zone;
        Ok(Self { storage: config.section("storage")?, listen: config.section(NAME)?, zone })
    }
}

/// Messages in one transaction. Nobody who decides something waits for this database, and the more of them there are the fewer pages of the
/// indexes by day are written over and over: more pages than messages in transactions of 500.
const PAGE: usize = 2000;

/// The views of this service, over the topics that it reads.
pub fn projections(db: &Db) -> anyhow::Result<Projections> {
    let tables: Vec<Arc<dyn Projection>> =
        vec![Arc::new(ReceivableTables), Arc::new(LadderTables), Arc::new(ContactTables), Arc::new(PaymentTables)];
    Ok(Projections::new(db.clone(), CONSUMER, None, tables)?)
}

/// Starts the service. Errors: storage, bus or an address that cannot be had.
pub async fn start(process: &Process, settings: Settings) -> anyhow::Result<Service> {
    let entrance = Entrance::open(&settings.listen, (SERVICE_NAME, contracts::DESCRIPTORS), &process.access).await?;
    let environment = Environment::open(NAME, &settings.storage, &[], process).await?;
    let mut parts = Parts::default();
    let projections = projections(&environment.db)?;
    let spec = ConsumerSpec::new(CONSUMER, environment.db.clone(), Arc::clone(&process.clock), Arc::clone(&process.ids));
    let spec = spec.topics(&TOPICS).projections(projections.clone()).spans(trace::projected).page_limit(PAGE);
    parts.consumers.push(Consumer::start(spec, &process.bus, &process.activity, environment.stop.clone()).await?);

    let server = Server { views: Views::of(vec![projections.clone()]), clock: Arc::clone(&process.clock), zone: settings.zone };
    parts.projections.push(projections);
    let api = ReportingServiceServer::new(server).max_decoding_message_size(MAX_MESSAGE_BYTES);
    let routes = Routes::new(InterceptedService::new(api, environment.gatekeeper.clone()));
    service::serve(&environment, entrance, routes, axum::Router::new(), &mut parts).await;
    Ok(Service::new(NAME, environment, parts))
}
