//! Wiring: from an environment to a running service.

use crate::{
    Ladders, Limits, NAME, TOPIC, VIEWS_CONSUMER,
    actions::{self, Executor, LastLook},
    aggregate::wake,
    catch_up::{CatchUps, Coordinator},
    grpc::Server,
    holidays::Holidays,
    inbound::{Facts, INVOICE_TOPIC, NOTIFICATION_TOPIC},
    listings::{self, Clerk, Listings, Providers, clerk, config::ProvidersConfig},
    migrations::MIGRATIONS,
    policies::{Policies, PolicyBooks},
    project::{LadderTables, ListingTable},
    publish::PublicFacts,
};
use anyhow::Context;
use contracts::dunning::v1::dunning_service_server::{DunningServiceServer, SERVICE_NAME};
use eventlog::{
    Log, Shards, TimerLoop, TimerOptions, Writer, WriterOptions,
    consumer::{Consumer, ConsumerSpec},
    projection::{OwnLog, Projection, Projections, Views},
};
use host::{
    Config, Entrance, Environment, Parts, Process, Service,
    collection::Collection,
    config::{Access, Listen, Storage},
    server::MAX_MESSAGE_BYTES,
    service, trace,
};
use kernel::Zone;
use std::sync::Arc;
use tonic::service::{Routes, interceptor::InterceptedService};

/// Name of the section that says where the owner of invoices is reached.
const OWNER: &str = "invoice";

/// What this service is told.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Where its log and tables are.
    pub storage: Storage,
    /// Where it listens.
    pub listen: Listen,
    /// Zone of the tenant's civil dates, for samples of a preview.
    pub zone: Zone,
    /// Steps that ask for approval need none: a replay, or a tenant that gave it once for all.
    pub approvals_given: bool,
    /// Where the owner of invoices is reached.
    pub owner: String,
    /// The creditor's limits.
    pub limits: Limits,
    /// Who carries entries at bureaus and protest offices out.
    pub providers: ProvidersConfig,
}

impl Settings {
    /// From a configuration. Errors: the faults of its sections.
    pub fn from_config(config: &Config) -> anyhow::Result<Self> {
        let (access, owner): (Access, Listen) = (config.section("access")?, config.section(OWNER)?);
        let scheme = if access.certificate.is_empty() { "http" } else { "https" };
        let owner = if owner.url.is_empty() { format!("{scheme}://{}", owner.grpc) } else { owner.url };
        let zone = Collection::of(config)?.zone;
        let (storage, listen, limits) = (config.section("storage")?, config.section(NAME)?, Limits::of(config)?);
        let providers = ProvidersConfig::of(config)?;
        Ok(Self { storage, listen, zone, approvals_given: false, owner, limits, providers })
    }
}

/// The views of this service, over its log. Errors: the log has no database.
pub fn projections(log: &Log) -> anyhow::Result<Projections> {
    let db = log.db().cloned().context("the log has no database")?;
    let own = OwnLog { topic: TOPIC.to_owned(), log: log.clone() };
    Ok(Projections::new(db, VIEWS_CONSUMER, Some(own), tables())?)
}

/// The read models of this service.
pub fn tables() -> Vec<Arc<dyn Projection>> {
    vec![Arc::new(LadderTables), Arc::new(ListingTable)]
}

/// Starts the service. Errors: storage, bus, owner or an address that cannot be had.
pub async fn start(process: &Process, settings: Settings) -> anyhow::Result<Service> {
    let providers = Providers::open(&settings.providers)?;
    let entrance = Entrance::open(&settings.listen, (SERVICE_NAME, contracts::DESCRIPTORS), &process.access).await?;
    let environment = Environment::open(NAME, &settings.storage, MIGRATIONS, process).await?;
    let mut parts = Parts::default();
    let look = actions::over_grpc(&settings.owner, &process.access)?;
    let rules = Rules { approvals_given: settings.approvals_given, zone: settings.zone, limits: settings.limits };
    let server = assemble(&environment, rules, Arc::clone(&look), &mut parts).await?;
    let clerk = clerk_of(&environment, &server, (look, clerk::debtors_over_grpc(&settings.owner, &process.access)?), providers);
    let callbacks = listings::callback::router(clerk.clone());
    parts.tasks.extend(clerk.spawn(&process.activity, environment.stop.clone()).await?);
    listings::show(&environment.metrics, &server.views, listings::today(Arc::clone(&process.clock), settings.zone));
    let api = DunningServiceServer::new(server).max_decoding_message_size(MAX_MESSAGE_BYTES);
    let routes = Routes::new(InterceptedService::new(api, environment.gatekeeper.clone()));
    service::serve(&environment, entrance, routes, callbacks, &mut parts).await;
    Ok(Service::new(NAME, environment, parts))
}

/// Who carries entries out. It does nothing before it is spawned.
pub(crate) fn clerk_of(
    environment: &Environment,
    server: &Server,
    (look, debtors): (LastLook, clerk::FindDebtor),
    providers: Providers,
) -> Clerk {
    let process = &environment.process;
    let options = WriterOptions { partitions: process.partitions, activity: process.activity.clone(), ..WriterOptions::default() };
    Clerk {
        listings: Writer::spawn(Arc::new(Listings), environment.log.clone(), options),
        ladders: server.writer.clone(),
        rules: Arc::clone(&server.ladders),
        log: environment.log.clone(),
        views: server.views.clone(),
        clock: Arc::clone(&process.clock),
        zone: server.zone,
        look,
        debtors,
        providers,
        pauses: clerk::Pauses::default(),
    }
}

/// What the service decides by, apart from policies.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Rules {
    pub(crate) approvals_given: bool,
    pub(crate) zone: Zone,
    pub(crate) limits: Limits,
}

/// Everything but the listeners.
pub(crate) async fn assemble(environment: &Environment, rules: Rules, look: LastLook, parts: &mut Parts) -> anyhow::Result<Server> {
    let (process, log) = (&environment.process, environment.log.clone());
    let books = PolicyBooks::load(log.clone()).await.context("the policies cannot be read")?;
    parts.tasks.push(tokio::spawn(Arc::clone(&books).follow(environment.stop.clone())));
    let ladders = Arc::new(Ladders::new(books, rules.approvals_given, rules.limits.terms));
    let options = WriterOptions { partitions: process.partitions, activity: process.activity.clone(), ..WriterOptions::default() };
    let writer = Writer::spawn(Arc::clone(&ladders), log.clone(), options.clone());
    let policies = Writer::spawn(Arc::new(Policies), log.clone(), options.clone());
    let holidays = Writer::spawn(Arc::new(Holidays), log.clone(), options.clone());
    let catch_ups = Writer::spawn(Arc::new(CatchUps), log.clone(), options);

    let (views, shards) = start_consumers(environment, &writer, parts).await?;
    let clock = Arc::clone(&process.clock);
    let executor = Executor { writer: writer.clone(), ladders: Arc::clone(&ladders), log: log.clone(), clock: Arc::clone(&clock), look };
    parts.tasks.push(executor.spawn(&process.activity, environment.stop.clone()).await?);
    let coordinator = Coordinator {
        ladders: writer.clone(),
        catch_ups: catch_ups.clone(),
        log: log.clone(),
        clock: Arc::clone(&clock),
        zone: rules.zone,
        approval_above: rules.limits.catch_up_approval_above,
        contacts_per_minute: rules.limits.catch_up_contacts_per_minute,
        approvals_given: rules.approvals_given,
    };
    parts.tasks.push(coordinator.spawn(&process.activity, environment.stop.clone()).await?);
    // A replica wakes the payers whose facts come to it. When their partition moves, its next owner finds their timers in the database.
    let timers = TimerOptions { shards, ..TimerOptions::for_log(&log, process.activity.clone()) };
    parts.timers.push(TimerLoop::spawn(writer.clone(), Arc::new(wake), timers));
    service::publish(environment, TOPIC, Arc::new(PublicFacts), parts).await?;
    Ok(Server { writer, ladders, policies, catch_ups, holidays, log, views, clock, zone: rules.zone })
}

/// Facts of others become commands; own events become tables. The shards are those whose facts come to this process.
async fn start_consumers(environment: &Environment, writer: &Writer<Ladders>, parts: &mut Parts) -> anyhow::Result<(Views, Shards)> {
    let process = &environment.process;
    let spec = |name| ConsumerSpec::new(name, environment.db.clone(), Arc::clone(&process.clock), Arc::clone(&process.ids));
    let projections = projections(&environment.log)?;
    let own = spec(VIEWS_CONSUMER).projections(projections.clone()).spans(trace::projected);
    parts.consumers.push(Consumer::start(own, &process.bus, &process.activity, environment.stop.clone()).await?);
    let inbound = spec(crate::INBOUND_CONSUMER).topics(&[INVOICE_TOPIC, NOTIFICATION_TOPIC]);
    let wiring = (&process.activity, environment.stop.clone());
    let consumer = Consumer::start_with_inbound(inbound, writer.clone(), Arc::new(Facts), &process.bus, wiring).await?;
    let shards = consumer.shards();
    parts.consumers.push(consumer);
    parts.projections.push(projections.clone());
    Ok((Views::of(vec![projections]), shards))
}
