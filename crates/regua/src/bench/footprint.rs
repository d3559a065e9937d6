//! What an installation takes: the time until it is ready, memory at rest and under load, disk.

use super::{
    Figure, Plan,
    append::Ground,
    lacks, load, streamed, tell,
    up::{self, Up},
};
use crate::{settings::Settings, system::SERVICES};
use anyhow::Context;
use std::{fs, net::TcpListener, path::Path};

const MEGABYTE: f64 = 1_000_000.0;
/// All services in one process, embedded, until they listen.
const START_MS: f64 = 300.0;
/// Memory of all services in one process, at rest.
const IDLE_MB: f64 = 120.0;
/// Memory of one service in a process of its own, at rest.
const SERVICE_MB: f64 = 40.0;

/// Start-up, memory, size of the program, disk bytes per event; of each service alone where there is a Kafka.
pub async fn measure(plan: &Plan, settings: &Settings, place: &Path) -> anyhow::Result<Vec<Figure>> {
    let program = up::program_on_disk(place)?;
    let (mut starts, mut memory, mut loaded) = (Vec::new(), Vec::new(), 0.0);
    for round in 0..plan.rounds {
        tell("footprint, start", round, plan);
        let data = place.join(format!("up{round}"));
        let up = Up::start(&program, &["--free-ports", "--data", &data.display().to_string()], None).await?;
        starts.push(up.took.as_secs_f64() * 1000.0);
        memory.push(up.megabytes("VmRSS")?);
        if round == 0 {
            tell("footprint, under load", round, &plan.once());
            up::load(&[&up], plan.invoices).await?;
            loaded = up.megabytes("VmHWM")?;
        }
    }
    let size = fs::metadata(&program)?.len() as f64 / MEGABYTE;
    let mut figures = vec![
        Figure::cost("footprint/start", "ms", load::median(&starts), Some(START_MS)),
        Figure::cost("footprint/idle", "MB", load::median(&memory), Some(IDLE_MB)),
        Figure::cost("footprint/load", "MB", loaded, None),
    ];
    if lacks(settings, true).is_none() {
        figures.extend(of_services(plan, settings, &program).await?);
    }
    figures.push(Figure::cost("footprint/binary", "MB", size, None));
    figures.push(Figure::cost("footprint/disk", "bytes/event", bytes_per_event(plan, place).await?, None));
    Ok(figures)
}

/// Memory of each service in a process of its own, on PostgreSQL and Kafka: at rest, and at most while all four work together.
async fn of_services(plan: &Plan, settings: &Settings, program: &Path) -> anyhow::Result<Vec<Figure>> {
    streamed::clear(settings).await?;
    let file = program.with_extension("toml");
    fs::write(&file, configuration(settings)?)?;
    let start = async |service| Up::start(program, &["--only", service], Some(&file)).await;
    let mut figures = Vec::new();
    for service in SERVICES {
        let (name, mut memory) = (format!("footprint/idle/{service}"), Vec::new());
        for round in 0..plan.rounds {
            tell(&name, round, plan);
            memory.push(start(service).await?.megabytes("VmRSS")?);
        }
        figures.push(Figure::cost(&name, "MB", load::median(&memory), Some(SERVICE_MB)));
    }
    tell("footprint, all four under load", 0, &plan.once());
    let mut all = Vec::new();
    for service in SERVICES {
        all.push(start(service).await?);
    }
    up::load(&all.iter().collect::<Vec<_>>(), plan.invoices).await?;
    for (service, up) in SERVICES.into_iter().zip(&all) {
        figures.push(Figure::cost(&format!("footprint/load/{service}"), "MB", up.megabytes("VmHWM")?, None));
    }
    drop(all);
    streamed::clear(settings).await?;
    Ok(figures)
}

/// A configuration for processes that find each other, with schemas, topics and ports of their own.
fn configuration(settings: &Settings) -> anyhow::Result<String> {
    let apart = streamed::apart(settings);
    let (storage, bus) = (&apart.storage, &apart.bus);
    let servers = format!(
        "[storage]\nkind = \"postgres\"\nurl = {:?}\nprefix = {:?}\n\n[bus]\nkind = \"kafka\"\nbrokers = {:?}\npartitions = {}\nprefix = {:?}\n",
        storage.url, storage.prefix, bus.brokers, bus.partitions, bus.prefix
    );
    // All are held until the last one is known, so no two are the same.
    let held = SERVICES.map(|_| (TcpListener::bind("127.0.0.1:0"), TcpListener::bind("127.0.0.1:0")));
    let mut text = servers;
    for (service, (grpc, http)) in SERVICES.into_iter().zip(held) {
        text += &format!("\n[{service}]\ngrpc = \"{}\"\nhttp = \"{}\"\n", grpc?.local_addr()?, http?.local_addr()?);
    }
    Ok(text)
}

/// Bytes of the store of a log for each event in it, its write-ahead log aside: with keys, names and answers.
async fn bytes_per_event(plan: &Plan, place: &Path) -> anyhow::Result<f64> {
    let ground = Ground::on_sqlite(plan, place).await?;
    let events = ground.path(1024, plan).await?.done + plan.payers;
    let db = sql::Db::open_sqlite(&place.join("append.sqlite"), sql::Durability::Full).await?;
    let pages = db.query("SELECT page_count * page_size AS bytes FROM pragma_page_count(), pragma_page_size()", &[]).await?;
    let bytes = pages.first().context("no size")?.int("bytes")?;
    Ok(bytes as f64 / events as f64)
}
