//! All four services in one process, on whatever storage and bus the settings say.

use crate::{
    replay::report::Projection,
    settings::{Mode, Settings},
};
use anyhow::Context;
use eventlog::{Activity, Clock};
use host::{
    Process, Service,
    config::{Access, Listen},
    ids::TimeOrdered,
    launch,
};
use sql::Durability;
use std::{collections::BTreeMap, sync::Arc};
use tokio_util::sync::CancellationToken;

/// The running services, by name.
pub struct System {
    services: BTreeMap<&'static str, Service>,
    access: Access,
    stop: CancellationToken,
}

/// What is kept only until the end of the process needs no disk that turns.
fn durability(settings: &Settings, mode: Mode) -> Durability {
    match mode {
        Mode::Replay if settings.throwaway => Durability::Throwaway,
        Mode::Replay | Mode::Live => Durability::Full,
    }
}

/// What the services of one process share.
pub fn process(settings: &Settings, mode: Mode, clock: Arc<dyn Clock>, activity: Activity) -> Process {
    Process {
        clock,
        ids: Arc::new(TimeOrdered),
        activity,
        partitions: launch::partitions(&settings.bus),
        bus: launch::bus_of(&settings.bus),
        access: settings.access.clone(),
        durability: durability(settings, mode),
        stop: CancellationToken::new(),
    }
}

/// Where a service is reached: what the configuration says, else where it listens.
fn url_of(listen: &Listen, service: Option<&Service>, access: &Access) -> String {
    let scheme = if access.certificate.is_empty() { "http" } else { "https" };
    match service.and_then(Service::grpc) {
        _ if !listen.url.is_empty() => listen.url.clone(),
        Some(address) => format!("{scheme}://{address}"),
        None => format!("{scheme}://{}", listen.grpc),
    }
}

/// Where the invoice service is reached by services of other processes.
pub fn owner_url(settings: &Settings) -> String {
    url_of(&settings.invoice, None, &settings.access)
}

/// Starts one service. `owner` is where the invoice service is reached.
pub async fn start_service(name: &str, settings: &Settings, mode: Mode, process: &Process, owner: String) -> anyhow::Result<Service> {
    let storage = settings.storage.clone();
    match name {
        invoice::NAME => {
            let (tolerance_minor, payment_feed_max_age_hours) = match mode {
                Mode::Replay => (0, 0),
                Mode::Live => (settings.tolerance_minor, settings.payment_feed_max_age_hours),
            };
            let (listen, zone, pix) = (settings.invoice.clone(), settings.zone, settings.pix.clone());
            invoice::start(process, invoice::Settings { storage, listen, zone, tolerance_minor, payment_feed_max_age_hours, pix }).await
        }
        dunning_engine::NAME => {
            let listen = settings.dunning_engine.clone();
            let (zone, limits, approvals_given) = (settings.zone, settings.limits, mode == Mode::Replay);
            // A replay hands nothing over: who pays late in it must not be listed.
            let providers = match mode {
                Mode::Replay => dunning_engine::ProvidersConfig::default(),
                Mode::Live => settings.providers.clone(),
            };
            let told = dunning_engine::Settings { storage, listen, zone, approvals_given, owner, limits, providers };
            dunning_engine::start(process, told).await
        }
        notification::NAME => {
            let channels = match (mode, settings.keep_mail_in.clone()) {
                (Mode::Replay, Some(directory)) => notification::ChannelsConfig::recording_mail_in(directory),
                (Mode::Replay, None) => notification::ChannelsConfig::recording(),
                (Mode::Live, _) => settings.channels.clone(),
            };
            let listen = settings.notification.clone();
            let told =
                notification::Settings { storage, listen, zone: settings.zone, creditor: settings.creditor.clone(), channels, owner };
            notification::start(process, told).await
        }
        reporting::NAME => {
            reporting::start(process, reporting::Settings { storage, listen: settings.reporting.clone(), zone: settings.zone }).await
        }
        other => anyhow::bail!("there is no service {other}"),
    }
    .with_context(|| format!("{name} cannot start"))
}

/// All services, in the order in which they start.
pub const SERVICES: [&str; 4] = [invoice::NAME, dunning_engine::NAME, notification::NAME, reporting::NAME];

impl System {
    /// Starts all four. Errors: storage, bus or an address that cannot be had; then nothing runs on.
    pub async fn start(settings: &Settings, mode: Mode, clock: Arc<dyn Clock>, activity: Activity) -> anyhow::Result<Self> {
        let process = process(settings, mode, clock, activity);
        let mut system = Self { services: BTreeMap::new(), access: settings.access.clone(), stop: process.stop.clone() };
        for name in SERVICES {
            let owner = url_of(&settings.invoice, system.services.get(invoice::NAME), &settings.access);
            match start_service(name, settings, mode, &process, owner).await {
                Ok(service) => system.services.insert(service.name(), service),
                Err(error) => {
                    system.stop().await;
                    return Err(error);
                }
            };
        }
        Ok(system)
    }

    /// The services.
    pub fn services(&self) -> impl Iterator<Item = &Service> {
        SERVICES.iter().filter_map(|name| self.services.get(name))
    }

    /// Where a service is reached. Errors: it does not run.
    pub fn url(&self, name: &str) -> anyhow::Result<String> {
        let address = self.services.get(name).and_then(Service::grpc).with_context(|| format!("{name} does not run"))?;
        Ok(format!("http{}://{address}", if self.access.certificate.is_empty() { "" } else { "s" }))
    }

    /// Who may call.
    pub fn access(&self) -> &Access {
        &self.access
    }

    fn engine(&self) -> impl Iterator<Item = &Service> {
        [dunning_engine::NAME, notification::NAME].into_iter().filter_map(|name| self.services.get(name))
    }

    /// The engine and notification do nothing until [`System::resume_engine`] and, for their timers, [`System::release_timers`].
    pub fn pause_engine(&self) {
        self.engine().for_each(Service::pause);
    }

    /// They come back and learn what happened; their timers are still held.
    pub fn resume_engine(&self) {
        self.engine().for_each(Service::resume_consumers);
    }

    /// No timer fires until [`System::release_timers`]; facts still flow.
    pub fn hold_timers(&self) {
        self.engine().for_each(Service::pause_timers);
    }

    /// Timers fire again.
    pub fn release_timers(&self) {
        self.engine().for_each(Service::resume_timers);
    }

    /// Parked streams and held partitions.
    pub fn alarms(&self) -> Vec<String> {
        let of = |service: &Service| {
            let mut alarms = Vec::new();
            for status in service.consumers() {
                if status.parked > 0 {
                    alarms.push(format!("parked_streams: {} of {}", status.parked, status.consumer));
                }
                alarms.extend(status.gaps.iter().map(|gap| format!("missing_event: {} version {}", gap.stream, gap.expected)));
            }
            alarms
        };
        self.services().flat_map(of).collect()
    }

    /// Builds every view again from its events and compares.
    pub async fn verify_projections(&self) -> anyhow::Result<Vec<Projection>> {
        // Each service has a database of its own.
        let all = self.services().map(|service| async move {
            let mut verified = Vec::new();
            for set in service.projections() {
                for status in set.status().await? {
                    let proof = set.verify(&status.name).await?;
                    verified.push(Projection {
                        name: proof.name,
                        rows: proof.rows,
                        live_hash: proof.live_hash,
                        rebuilt_hash: proof.rebuilt_hash,
                    });
                }
            }
            anyhow::Ok(verified)
        });
        let mut verified = futures::future::try_join_all(all).await?.concat();
        verified.sort_by(|a, b| a.name.cmp(&b.name));
        Ok(verified)
    }

    /// Ends all services: listeners first, then what is in hand.
    pub async fn stop(mut self) {
        self.stop.cancel();
        for name in SERVICES {
            if let Some(service) = self.services.remove(name) {
                service.stop().await;
            }
        }
    }
}
