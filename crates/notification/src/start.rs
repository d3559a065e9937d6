//! Wiring: from an environment to a running service.

use crate::{
    HOLIDAYS_CONSUMER, INBOUND_CONSUMER, NAME, TOPIC, VIEWS_CONSUMER,
    aggregate::AllContacts,
    callback,
    channel::{Channels, ChannelsConfig, CreditorConfig},
    effects::{self, Effects, OwnerClient, Wiring},
    grpc::Server,
    holidays::{HolidayBook, HolidayFacts, Holidays},
    inbound::{DUNNING_TOPIC, Facts, INVOICE_TOPIC},
    migrations::MIGRATIONS,
    project::ContactTables,
    publish::PublicFacts,
    template::Templates,
};
use anyhow::Context;
use contracts::notification::v1::notification_service_server::{NotificationServiceServer, SERVICE_NAME};
use eventlog::{
    Log, Shards, TimerLoop, TimerOptions, Writer, WriterOptions,
    consumer::{Consumer, ConsumerSpec},
    projection::{OwnLog, Projections, Views},
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
    /// Zone of the creditor's civil dates, for samples of a template.
    pub zone: Zone,
    /// Who is owed.
    pub creditor: CreditorConfig,
    /// How messages leave.
    pub channels: ChannelsConfig,
    /// Where the owner of invoices is reached.
    pub owner: String,
}

impl Settings {
    /// From a configuration. Errors: the faults of its sections.
    pub fn from_config(config: &Config) -> anyhow::Result<Self> {
        let (access, owner): (Access, Listen) = (config.section("access")?, config.section(OWNER)?);
        let scheme = if access.certificate.is_empty() { "http" } else { "https" };
        Ok(Self {
            storage: config.section("storage")?,
            listen: config.section(NAME)?,
            zone: Collection::of(config)?.zone,
            creditor: config.section("creditor")?,
            channels: config.section("channels")?,
            owner: if owner.url.is_empty() { format!("{scheme}://{}", owner.grpc) } else { owner.url },
        })
    }
}

/// The views of this service, over its log. Errors: the log has no database.
pub fn projections(log: &Log) -> anyhow::Result<Projections> {
    let db = log.db().cloned().context("the log has no database")?;
    let own = OwnLog { topic: TOPIC.to_owned(), log: log.clone() };
    Ok(Projections::new(db, VIEWS_CONSUMER, Some(own), vec![Arc::new(ContactTables)])?)
}

/// Starts the service. Errors: storage, bus, owner, a way out or an address that cannot be had.
pub async fn start(process: &Process, settings: Settings) -> anyhow::Result<Service> {
    let channels = Channels::open(&settings.channels, &settings.creditor).map_err(|faults| {
        let lines: Vec<String> = faults.iter().map(ToString::to_string).collect();
        anyhow::anyhow!("the configuration has faults:\n  {}", lines.join("\n  "))
    })?;
    let (channels, templates) = (Arc::new(channels), Arc::new(Templates::bundled()));
    let owner = effects::owner(&settings.owner, &process.access)?;
    let entrance = Entrance::open(&settings.listen, (SERVICE_NAME, contracts::DESCRIPTORS), &process.access).await?;
    let environment = Environment::open(NAME, &settings.storage, MIGRATIONS, process).await?;
    let options = WriterOptions { partitions: process.partitions, activity: process.activity.clone(), ..WriterOptions::default() };
    let writer = Writer::spawn(Arc::new(AllContacts), environment.log.clone(), options.clone());
    let holidays = Writer::spawn(Arc::new(Holidays), environment.log.clone(), options);
    let mut parts = Parts::default();

    start_effects(&environment, &writer, (&channels, &templates), (&settings, owner), &mut parts).await?;
    let views = start_consumers(&environment, (&writer, holidays), &mut parts).await?;
    service::publish(&environment, TOPIC, Arc::new(PublicFacts), &mut parts).await?;

    let clock = Arc::clone(&process.clock);
    let callbacks = callback::router(writer.clone(), channels, Arc::clone(&clock), &environment.metrics);
    let server = Server { writer, views, templates, creditor: settings.creditor.creditor(), clock, zone: settings.zone };
    let api = NotificationServiceServer::new(server).max_decoding_message_size(MAX_MESSAGE_BYTES);
    let routes = Routes::new(InterceptedService::new(api, environment.gatekeeper.clone()));
    service::serve(&environment, entrance, routes, callbacks, &mut parts).await;
    Ok(Service::new(NAME, environment, parts))
}

/// Contacts are carried out; timers wake them.
async fn start_effects(
    environment: &Environment,
    writer: &Writer<AllContacts>,
    (channels, templates): (&Arc<Channels>, &Arc<Templates>),
    (settings, owner): (&Settings, OwnerClient),
    parts: &mut Parts,
) -> anyhow::Result<()> {
    let process = &environment.process;
    let wiring = Wiring {
        writer: writer.clone(),
        holidays: HolidayBook::new(environment.log.clone()),
        channels: Arc::clone(channels),
        templates: Arc::clone(templates),
        creditor: settings.creditor.creditor(),
        owner,
        clock: Arc::clone(&process.clock),
        shards: Shards::All,
        partitions: process.partitions,
        stop: environment.stop.clone(),
    };
    let effects = Effects::new(wiring, &process.activity, &environment.metrics);
    parts.tasks.push(effects.clone().start().await.context("the log cannot be read")?);
    let timers = TimerOptions::for_log(&environment.log, process.activity.clone());
    parts.timers.push(TimerLoop::spawn(writer.clone(), Arc::new(move |due, now| effects.wake(due, now)), timers));
    Ok(())
}

/// Facts of others become commands; own events become tables.
async fn start_consumers(
    environment: &Environment,
    (writer, holidays): (&Writer<AllContacts>, Writer<Holidays>),
    parts: &mut Parts,
) -> anyhow::Result<Views> {
    let process = &environment.process;
    let spec = |name| ConsumerSpec::new(name, environment.db.clone(), Arc::clone(&process.clock), Arc::clone(&process.ids));
    let projections = projections(&environment.log)?;
    let own = spec(VIEWS_CONSUMER).projections(projections.clone()).spans(trace::projected);
    parts.consumers.push(Consumer::start(own, &process.bus, &process.activity, environment.stop.clone()).await?);
    let inbound = spec(INBOUND_CONSUMER).topics(&[DUNNING_TOPIC, INVOICE_TOPIC]);
    let wiring = (&process.activity, environment.stop.clone());
    let consumer = Consumer::start_with_inbound(inbound, writer.clone(), Arc::new(Facts), &process.bus, wiring).await?;
    parts.consumers.push(consumer);
    let (spec, wiring) = (spec(HOLIDAYS_CONSUMER).topics(&[DUNNING_TOPIC]), (&process.activity, environment.stop.clone()));
    parts.consumers.push(Consumer::start_with_inbound(spec, holidays, Arc::new(HolidayFacts), &process.bus, wiring).await?);
    parts.projections.push(projections.clone());
    Ok(Views::of(vec![projections]))
}
