//! What a run ran on.

use anyhow::Context;
use eventlog::bus::Kafka;
use sql::{Db, Durability};
use std::{collections::BTreeMap, fs, path::Path};

/// The machine, as far as it tells: processor, cores, memory, kernel, file system.
pub fn machine(directory: &Path) -> BTreeMap<&'static str, String> {
    let cores = std::thread::available_parallelism().map_or(0, std::num::NonZero::get);
    BTreeMap::from([
        ("processor", of_file("/proc/cpuinfo", "model name")),
        ("cores", cores.to_string()),
        ("memory", of_file("/proc/meminfo", "MemTotal")),
        ("system", first_line("/proc/sys/kernel/osrelease")),
        ("file_system", file_system(directory)),
    ])
}

/// What was measured: this program, how it was built, and the libraries in it that store and send.
pub async fn versions(directory: &Path) -> anyhow::Result<BTreeMap<String, String>> {
    let db = Db::open_sqlite(&directory.join("version.sqlite"), Durability::Full).await?;
    let rows = db.query("SELECT sqlite_version() AS version", &[]).await?;
    let sqlite = rows.first().map(|row| row.text("version")).transpose()?.unwrap_or_default();
    let profile = if cfg!(debug_assertions) { "dev" } else { "release" };
    let all = [("regua", env!("CARGO_PKG_VERSION")), ("profile", profile), ("sqlite", &sqlite), ("librdkafka", &Kafka::client_version())];
    Ok(all.map(|(name, version)| (name.to_owned(), version.to_owned())).into())
}

/// The value of the first line that begins so, of a file of `name : value`; empty where there is none.
pub fn of_file(path: &str, name: &str) -> String {
    let text = fs::read_to_string(path).unwrap_or_default();
    let line = text.lines().find(|line| line.starts_with(name));
    line.and_then(|line| line.split_once(':')).map(|(_, value)| value.trim().to_owned()).unwrap_or_default()
}

/// Memory of a process, megabytes, by the name that the kernel has for it: `VmRSS` now, `VmHWM` at most. Errors: it does not tell.
pub fn megabytes(process: &str, name: &str) -> anyhow::Result<f64> {
    let told = of_file(&format!("/proc/{process}/status"), name);
    let kilobytes: f64 = told.split(' ').next().unwrap_or_default().parse().with_context(|| format!("no {name}"))?;
    Ok(kilobytes * 1024.0 / 1_000_000.0)
}

/// What this process held at most counts from now on. Where the kernel does not allow that, it counts from the start.
pub fn forget_peak() {
    let _ = fs::write("/proc/self/clear_refs", "5");
}

/// Waits until the file system of a directory has on its disk all that was written before. What another figure left to be written would
/// else go there while this one waits for a sync, which then takes some tenths of a second.
///
/// # Errors
/// The directory cannot be opened, or the disk fails.
pub async fn settle(directory: &Path) -> anyhow::Result<()> {
    let directory = directory.to_owned();
    let settled = tokio::task::spawn_blocking(move || rustix::fs::syncfs(fs::File::open(&directory)?).map_err(std::io::Error::from));
    settled.await?.context("what was written before cannot be brought to the disk")
}

fn first_line(path: &str) -> String {
    fs::read_to_string(path).unwrap_or_default().lines().next().unwrap_or_default().to_owned()
}

/// The kind of the file system that holds a directory: of all mounts over it the innermost.
fn file_system(directory: &Path) -> String {
    let directory = directory.canonicalize().unwrap_or_else(|_| directory.to_owned());
    let mounts = fs::read_to_string("/proc/mounts").unwrap_or_default();
    let over = mounts.lines().filter_map(|line| {
        let mut parts = line.split(' ').skip(1);
        let (at, kind) = (parts.next()?, parts.next()?);
        directory.starts_with(at).then(|| (at.len(), kind.to_owned()))
    });
    over.max_by_key(|(length, _)| *length).map(|(_, kind)| kind).unwrap_or_default()
}
