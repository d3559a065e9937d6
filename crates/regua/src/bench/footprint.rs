//! What an idle installation takes: the time until it is ready, memory, disk.

use super::{Figure, Plan, append::Ground, load, machine, tell};
use crate::progress;
use anyhow::Context;
use std::{
    fs,
    io::{BufRead, BufReader},
    path::Path,
    process::{Child, Command, Stdio},
};

const MEGABYTE: f64 = 1_000_000.0;
/// All services in one process, embedded, until they listen.
const START_MS: f64 = 300.0;
/// Memory of all services in one process, at rest.
const IDLE_MB: f64 = 120.0;

/// Ends with its owner: what it wrote is thrown away.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Start-up, memory, size of the program, disk bytes per event.
pub async fn measure(plan: &Plan, place: &Path) -> anyhow::Result<Vec<Figure>> {
    let (mut starts, mut memory) = (Vec::new(), Vec::new());
    for round in 0..plan.rounds {
        tell("footprint, start", round, plan);
        let (took_ms, megabytes) = start(&place.join(format!("up{round}"))).await?;
        starts.push(took_ms);
        memory.push(megabytes);
    }
    let program = std::env::current_exe().context("this program has no file")?;
    let size = fs::metadata(&program)?.len() as f64 / MEGABYTE;
    Ok(vec![
        Figure::cost("footprint/start", "ms", load::median(&starts), Some(START_MS)),
        Figure::cost("footprint/idle", "MB", load::median(&memory), Some(IDLE_MB)),
        Figure::cost("footprint/binary", "MB", size, None),
        Figure::cost("footprint/disk", "bytes/event", bytes_per_event(plan, place).await?, None),
    ])
}

/// Milliseconds until all services listen, and megabytes that they hold a moment later.
async fn start(data: &Path) -> anyhow::Result<(f64, f64)> {
    let mut command = Command::new(std::env::current_exe().context("this program has no file")?);
    command.args(["up", "--free-ports", "--format", "json", "--data"]).arg(data).stdout(Stdio::piped()).stderr(Stdio::null());
    // Embedded, whatever configuration this run has.
    command.env_remove("REGUA_CONFIG");
    let watch = progress::stopwatch();
    let mut running = Running(command.spawn().context("regua up cannot be started")?);
    let out = running.0.stdout.take().context("no output")?;
    let mut line = String::new();
    BufReader::new(out).read_line(&mut line)?;
    anyhow::ensure!(!line.is_empty(), "regua up ended before it was ready");
    let took = watch();
    tokio::time::sleep(std::time::Duration::from_millis(500)).await;
    let megabytes = machine::megabytes(&running.0.id().to_string(), "VmRSS")?;
    Ok((took.as_secs_f64() * 1000.0, megabytes))
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
