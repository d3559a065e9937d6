//! Wiring: from an environment to a running service.

use crate::{
    CONSUMER, NAME, TOPIC,
    aggregate::Accounts,
    allotment::Allotment,
    bank::pix::{self, PixConfig},
    breach::Breaches,
    collection::Collections,
    feed::{FeedWatch, PaymentFeeds},
    finding::Findings,
    grpc::Server,
    legal_rates::{LegalRateTables, RateBook},
    migrations::MIGRATIONS,
    project::{AccountTables, FindingTables, InstrumentTables, UnappliedTables},
    publish::PublicFacts,
    remittance::RemittanceFiles,
    unapplied::UnappliedPayments,
};
use anyhow::Context;
use contracts::invoice::v1::invoice_service_server::{InvoiceServiceServer, SERVICE_NAME};
use eventlog::{
    DueStream, Log, TimerLoop, TimerOptions, Writer, WriterOptions,
    consumer::{Consumer, ConsumerSpec},
    projection::{OwnLog, Projection, Projections, Views},
};
use host::{
    Config, Entrance, Environment, Parts, Process, Service,
    collection::Collection,
    config::{Listen, Storage},
    server::MAX_MESSAGE_BYTES,
    service, trace,
};
use kernel::Zone;
use quick_cache::sync::Cache;
use std::sync::Arc;
use tonic::service::{Routes, interceptor::InterceptedService};

/// Ids whose account is remembered; one takes about 200 bytes.
const REMEMBERED_IDS: usize = 200_000;

/// What this service is told.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Where its log and tables are.
    pub storage: Storage,
    /// Where it listens.
    pub listen: Listen,
    /// Zone of the tenant's civil dates.
    pub zone: Zone,
    /// A residue of at most this many minor units is not worth a reminder.
    pub tolerance_minor: i64,
    /// Hours after which overdue reminders wait for the payment feed; 0 = never.
    pub payment_feed_max_age_hours: u32,
    /// Who may notify of Pix received.
    pub pix: PixConfig,
}

impl Settings {
    /// From a configuration. Errors: the faults of its sections.
    pub fn from_config(config: &Config) -> anyhow::Result<Self> {
        let Collection { zone, tolerance_minor, payment_feed_max_age_hours } = Collection::of(config)?;
        let pix: PixConfig = config.section("pix")?;
        pix.check()?;
        let (storage, listen) = (config.section("storage")?, config.section(NAME)?);
        Ok(Self { storage, listen, zone, tolerance_minor, payment_feed_max_age_hours, pix })
    }
}

/// The views of this service, over its log. Errors: the log has no database.
pub fn projections(log: &Log) -> anyhow::Result<Projections> {
    let db = log.db().cloned().context("the log has no database")?;
    let own = OwnLog { topic: TOPIC.to_owned(), log: log.clone() };
    let tables: Vec<Arc<dyn Projection>> =
        vec![Arc::new(AccountTables), Arc::new(InstrumentTables), Arc::new(UnappliedTables), Arc::new(FindingTables)];
    Ok(Projections::new(db, CONSUMER, Some(own), tables)?)
}

/// Starts the service. Errors: storage, bus or an address that cannot be had.
pub async fn start(process: &Process, settings: Settings) -> anyhow::Result<Service> {
    let entrance = Entrance::open(&settings.listen, (SERVICE_NAME, contracts::DESCRIPTORS), &process.access).await?;
    let environment = Environment::open(NAME, &settings.storage, MIGRATIONS, process).await?;
    let options = WriterOptions { partitions: process.partitions, activity: process.activity.clone(), ..WriterOptions::default() };
    let zone = settings.zone;
    let writer = Writer::spawn(Arc::new(Accounts { zone }), environment.log.clone(), options.clone());
    let feeds = Writer::spawn(Arc::new(PaymentFeeds), environment.log.clone(), options.clone());
    let collections = Writer::spawn(Arc::new(Collections), environment.log.clone(), options.clone());
    let unapplied = Writer::spawn(Arc::new(UnappliedPayments), environment.log.clone(), options.clone());
    let remittances = Writer::spawn(Arc::new(RemittanceFiles), environment.log.clone(), options.clone());
    let findings = Writer::spawn(Arc::new(Findings), environment.log.clone(), options.clone());
    let rates = Writer::spawn(Arc::new(LegalRateTables), environment.log.clone(), options);
    let mut parts = Parts::default();

    let projections = projections(&environment.log)?;
    let spec = ConsumerSpec::new(CONSUMER, environment.db.clone(), Arc::clone(&process.clock), Arc::clone(&process.ids));
    let spec = spec.projections(projections.clone()).spans(trace::projected);
    parts.consumers.push(Consumer::start(spec, &process.bus, &process.activity, environment.stop.clone()).await?);

    service::publish(&environment, TOPIC, Arc::new(PublicFacts), &mut parts).await?;

    let rate_book = RateBook::new(rates, &environment.metrics);
    let feeds = FeedWatch::new(feeds, settings.payment_feed_max_age_hours, &environment.metrics);
    let breaches = Breaches { rates: rate_book.clone(), feeds: feeds.clone(), zone };
    let timers =
        TimerOptions { briefing: Some(Arc::new(breaches.clone())), ..TimerOptions::for_log(&environment.log, process.activity.clone()) };
    let wake = move |due: &DueStream, now| breaches.wake(due, now);
    parts.timers.push(TimerLoop::spawn(writer.clone(), Arc::new(wake), timers));

    let server = Server {
        writer,
        allotment: Allotment::new(collections),
        unapplied,
        findings,
        remittances,
        log: environment.log.clone(),
        views: Views::of(vec![projections.clone()]),
        db: environment.db.clone(),
        clock: Arc::clone(&process.clock),
        zone: settings.zone,
        tolerance_minor: settings.tolerance_minor,
        feeds,
        rate_book,
        streams: Arc::new(Cache::new(REMEMBERED_IDS)),
    };
    parts.projections.push(projections);
    parts.tasks.push(tokio::spawn(server.clone().carry_on_all(environment.stop.clone())));
    parts.tasks.push(tokio::spawn(server.clone().make_searchable(environment.stop.clone())));
    let notifications = pix::router(server.clone(), settings.pix, &environment.metrics);
    let api = InvoiceServiceServer::new(server).max_decoding_message_size(MAX_MESSAGE_BYTES);
    let routes = Routes::new(InterceptedService::new(api, environment.gatekeeper.clone()));
    service::serve(&environment, entrance, routes, notifications, &mut parts).await;
    Ok(Service::new(NAME, environment, parts))
}
