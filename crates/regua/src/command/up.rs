//! `regua up`

use super::{DONE, Shared};
use crate::{
    output::Format,
    settings::{Mode, Settings},
    system::{self, SERVICES, System},
};
use anyhow::Context;
use clap::Args;
use eventlog::Activity;
use host::{Service, clock::SystemClock, config::Faults, launch, telemetry};
use std::{path::PathBuf, sync::Arc};

/// Run the services until Ctrl-C or SIGTERM
#[derive(Args)]
#[command(after_help = "Examples:\n  regua up\n  regua up --data /tmp/regua\n  regua up --config regua.toml --only invoice")]
pub struct Up {
    /// Directory of the SQLite files (embedded storage)
    #[arg(long)]
    data: Option<PathBuf>,
    /// Run this service alone: invoice, dunning-engine, notification or reporting
    #[arg(long)]
    only: Option<String>,
    /// Take any free ports instead of the configured ones
    #[arg(long)]
    free_ports: bool,
}

pub async fn run(args: Up, shared: &Shared) -> anyhow::Result<u8> {
    let mut settings = shared.settings(args.data.as_ref())?;
    if args.free_ports {
        settings = settings.on_free_ports();
    }
    let refused: Vec<_> = settings.refused_at_start().into_iter().chain(settings.exposed()).collect();
    if !refused.is_empty() {
        return Err(Faults(refused).into());
    }
    let only = args.only.map(|name| named(&name, &settings)).transpose()?;
    let _telemetry = telemetry::start(only.unwrap_or("regua"), &settings.telemetry)?;
    if let Some(risk) = settings.bus.too_few_copies() {
        tracing::warn!("{risk}");
    }
    let mut ending = launch::Ending::listen()?;
    let activity = Activity::new();
    if let Some(name) = only {
        let process = system::process(&settings, Mode::Live, Arc::new(SystemClock), activity);
        let owner = system::owner_url(&settings);
        let start = system::start_service(name, &settings, Mode::Live, &process, owner);
        let Some(service) = ending.or(start).await? else { return Ok(DONE) };
        announce(std::iter::once(&service), shared.format)?;
        ending.comes().await;
        process.stop.cancel();
        service.stop().await;
        return Ok(DONE);
    }
    let start = System::start(&settings, Mode::Live, Arc::new(SystemClock), activity);
    let Some(system) = ending.or(start).await? else { return Ok(DONE) };
    announce(system.services(), shared.format)?;
    ending.comes().await;
    tracing::info!("stopping");
    system.stop().await;
    Ok(DONE)
}

/// The service that is to run alone. Errors: there is none of that name, or a bus on which it would hear nothing.
fn named(name: &str, settings: &Settings) -> anyhow::Result<&'static str> {
    let found = SERVICES.into_iter().find(|service| *service == name);
    let service = found.with_context(|| format!("there is no service {name}; there are {}", SERVICES.join(", ")))?;
    anyhow::ensure!(settings.bus.kind == "kafka", "--only needs bus.kind = \"kafka\": in process, services read each other's logs");
    Ok(service)
}

fn announce<'a>(services: impl Iterator<Item = &'a Service>, format: Format) -> anyhow::Result<()> {
    let lines: Vec<(String, &str, String)> = services
        .flat_map(|service| {
            service.addresses().iter().map(|(protocol, address)| (service.name().to_owned(), *protocol, address.to_string()))
        })
        .collect();
    match format {
        Format::Json => {
            let objects: Vec<_> = lines.iter().map(|(s, p, a)| serde_json::json!({"service": s, "protocol": p, "address": a})).collect();
            println!("{}", serde_json::Value::Array(objects));
        }
        Format::Table | Format::Csv => {
            for (service, protocol, address) in lines {
                println!("{service:15} {protocol}  {address}");
            }
            println!("ready; stop with Ctrl-C");
        }
    }
    Ok(())
}
