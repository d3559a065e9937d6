//! A service as a process of its own: configuration from the command line, telemetry, bus, and the signals that end it.

use crate::{
    Config, Process, Service,
    clock::SystemClock,
    config::{Access, BusConfig, Reading, Storage, TelemetryConfig},
    ids::TimeOrdered,
    telemetry::{self, Telemetry},
};
use anyhow::Context;
use eventlog::{
    Activity,
    bus::{Bus, InProcess, Kafka, KafkaConfig},
};
use sql::Durability;
use std::{path::PathBuf, sync::Arc};
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio_util::sync::CancellationToken;

/// What a service of its own is launched with.
pub struct Launch {
    /// The whole configuration, for the sections of the service.
    pub config: Config,
    /// Where its log and tables are.
    pub storage: Storage,
    /// What it shares with nobody else here.
    pub process: Process,
    _telemetry: Telemetry,
}

impl Launch {
    /// From `--config FILE` laid over `default`. Errors: unknown arguments, an unreadable file, its faults.
    pub fn from_arguments(service: &'static str, default: &str) -> anyhow::Result<Self> {
        let user = match config_path(std::env::args().skip(1))? {
            None => String::new(),
            Some(path) => std::fs::read_to_string(&path).with_context(|| format!("{} cannot be read", path.display()))?,
        };
        use_small_pages();
        // One TLS implementation for everything in the process; it is chosen once, here.
        rustls::crypto::ring::default_provider().install_default().map_err(|_| anyhow::anyhow!("TLS was set up twice"))?;
        let (config, faults) = Config::read(default, &user)?;
        let mut reading = Reading::new(&config, faults);
        let shared = shared(&mut reading);
        let (telemetry_config, access, bus, storage) = match shared {
            Some(shared) if reading.is_good() => shared,
            _ => return Err(reading.into_faults().into()),
        };
        let process = Process {
            clock: Arc::new(SystemClock),
            ids: Arc::new(TimeOrdered),
            activity: Activity::new(),
            partitions: partitions(&bus),
            bus: bus_of(&bus),
            access,
            durability: Durability::Full,
            stop: CancellationToken::new(),
        };
        let telemetry = telemetry::start(service, &telemetry_config)?;
        if let Some(risk) = bus.too_few_copies() {
            tracing::warn!("{risk}");
        }
        Ok(Self { storage, config, process, _telemetry: telemetry })
    }

    /// Starts a service, prints where it listens and runs it until Ctrl-C or SIGTERM, which also end a start that waits for a
    /// database or a broker. Errors: signals cannot be heard; the service cannot start.
    pub async fn run(&self, start: impl Future<Output = anyhow::Result<Service>>) -> anyhow::Result<()> {
        let mut ending = Ending::listen()?;
        let Some(service) = ending.or(start).await? else { return Ok(()) };
        for (protocol, address) in service.addresses() {
            println!("{:15} {protocol}  {address}", service.name());
        }
        ending.comes().await;
        tracing::info!("stopping");
        service.stop().await;
        Ok(())
    }
}

/// The sections that every service has, checked.
fn shared(reading: &mut Reading<'_>) -> Option<(TelemetryConfig, Access, BusConfig, Storage)> {
    let (telemetry, access) = (reading.section("telemetry"), reading.section("access"));
    let (bus, storage) = (reading.section::<BusConfig>("bus"), reading.section::<Storage>("storage"));
    if let Some(told) = &telemetry {
        reading.add(telemetry::faults(told));
    }
    bus.as_ref().and_then(|bus| reading.take(bus.check()));
    storage.as_ref().and_then(|storage| reading.take(storage.check()));
    Some((telemetry?, access?, bus?, storage?))
}

/// Hears Ctrl-C and SIGTERM, from its making on.
pub struct Ending {
    interrupt: Signal,
    terminate: Signal,
}

impl Ending {
    /// Errors: signals cannot be heard.
    pub fn listen() -> anyhow::Result<Self> {
        let hear = |kind| signal(kind).context("signals cannot be heard");
        Ok(Self { interrupt: hear(SignalKind::interrupt())?, terminate: hear(SignalKind::terminate())? })
    }

    /// Returns when the process is asked to end.
    pub async fn comes(&mut self) {
        tokio::select! {
            _ = self.interrupt.recv() => {}
            _ = self.terminate.recv() => {}
        }
    }

    /// The outcome of `work`, or `None` where the process is asked to end before it is there. Errors: those of `work`.
    pub async fn or<T>(&mut self, work: impl Future<Output = anyhow::Result<T>>) -> anyhow::Result<Option<T>> {
        tokio::select! {
            biased;
            () = self.comes() => {
                tracing::info!("asked to end");
                Ok(None)
            }
            outcome = work => outcome.map(Some),
        }
    }
}

/// A token that Ctrl-C or SIGTERM cancels; the second one ends the process. Errors: signals cannot be heard.
pub fn stopped_by_signal() -> anyhow::Result<CancellationToken> {
    let mut ending = Ending::listen()?;
    let stop = CancellationToken::new();
    let token = stop.clone();
    tokio::spawn(async move {
        ending.comes().await;
        token.cancel();
        ending.comes().await;
        std::process::exit(130);
    });
    Ok(stop)
}

/// The bus that a configuration says.
pub fn bus_of(config: &BusConfig) -> Bus {
    if config.kind != "kafka" {
        return Bus::InProcess(InProcess::new());
    }
    let mut kafka = KafkaConfig::new(config.brokers.clone());
    kafka.partitions = config.partitions;
    kafka.replication = config.replication;
    kafka.prefix = config.prefix.clone();
    // Faults are told by `BusConfig::check`, before anything is done with a configuration.
    kafka.settings = config.client_settings().unwrap_or_default();
    Bus::Kafka(Kafka::new(kafka))
}

/// Asks the kernel to back this process with pages of the usual size, before it has allocated much. With huge ones a dozen threads that
/// keep a few kilobytes each hold two megabytes each: an installation at rest took four times the memory, and was no faster.
pub fn use_small_pages() {
    // A kernel that does not know the question gives no huge pages either.
    let _ = rustix::thread::disable_transparent_huge_pages(true);
}

/// Partitions of every topic; 1 in process.
pub fn partitions(config: &BusConfig) -> i32 {
    if config.kind == "kafka" { config.partitions } else { 1 }
}

fn config_path(arguments: impl Iterator<Item = String>) -> anyhow::Result<Option<PathBuf>> {
    let arguments: Vec<String> = arguments.collect();
    match arguments.as_slice() {
        [] => Ok(None),
        [flag, path] if flag == "--config" => Ok(Some(PathBuf::from(path))),
        _ => anyhow::bail!("usage: --config FILE"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_service_takes_a_configuration_file_and_nothing_else() {
        let parse = |line: &str| config_path(line.split_whitespace().map(str::to_owned));
        assert_eq!(parse("").unwrap(), None);
        assert_eq!(parse("--config x.toml").unwrap(), Some(PathBuf::from("x.toml")));
        assert!(parse("--confg x.toml").is_err());
    }
}
