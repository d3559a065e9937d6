//! A service as a process of its own: configuration from the command line, telemetry, bus, and the signals that end it.

use crate::{
    Config, Process, Service,
    clock::SystemClock,
    config::{Access, BusConfig, Storage, TelemetryConfig},
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
        // One TLS implementation for everything in the process; it is chosen once, here.
        rustls::crypto::ring::default_provider().install_default().map_err(|_| anyhow::anyhow!("TLS was set up twice"))?;
        let config = Config::load(default, &user)?;
        let telemetry_config: TelemetryConfig = config.section("telemetry")?;
        let access: Access = config.section("access")?;
        let bus: BusConfig = config.section("bus")?;
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
        Ok(Self { storage: config.section("storage")?, config, process, _telemetry: telemetry })
    }

    /// Prints where the service listens and runs it until Ctrl-C or SIGTERM. Errors: signals cannot be heard.
    pub async fn run(self, service: Service) -> anyhow::Result<()> {
        for (protocol, address) in service.addresses() {
            println!("{:15} {protocol}  {address}", service.name());
        }
        until_stopped().await?;
        tracing::info!("stopping");
        service.stop().await;
        Ok(())
    }
}

/// The bus that a configuration says.
pub fn bus_of(config: &BusConfig) -> Bus {
    if config.kind != "kafka" {
        return Bus::InProcess(InProcess::new());
    }
    let mut kafka = KafkaConfig::new(config.brokers.clone());
    kafka.partitions = config.partitions;
    kafka.prefix = config.prefix.clone();
    Bus::Kafka(Kafka::new(kafka))
}

/// Partitions of every topic; 1 in process.
pub fn partitions(config: &BusConfig) -> i32 {
    if config.kind == "kafka" { config.partitions } else { 1 }
}

/// Returns on Ctrl-C or SIGTERM. Errors: signals cannot be heard.
pub async fn until_stopped() -> anyhow::Result<()> {
    let mut terminate = tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate()).context("signals cannot be heard")?;
    tokio::select! {
        ended = tokio::signal::ctrl_c() => ended.context("signals cannot be heard"),
        _ = terminate.recv() => Ok(()),
    }
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
