//! Databases of the services, opened beside whatever runs.

use crate::settings::Settings;
use anyhow::Context;
use eventlog::{Log, consumer::Parking, projection::Projections};
use host::{clock::SystemClock, environment::look_at_database, ids::TimeOrdered};
use sql::Db;
use std::{fs, path::Path, sync::Arc};

/// Longest table that a person has written, in bytes.
const MAX_TABLE: u64 = 1 << 20;

/// Services that have a log.
pub const WITH_LOG: [&str; 3] = [invoice::NAME, dunning_engine::NAME, notification::NAME];

/// The database of a service. Errors: there is none, or it cannot be reached.
pub async fn database(settings: &Settings, service: &str) -> anyhow::Result<Db> {
    look_at_database(service, &settings.storage).await?.with_context(|| {
        let directory = &settings.storage.directory;
        match settings.storage.kind.as_str() {
            "sqlite" => {
                let file = directory.join(format!("{service}.sqlite"));
                format!("{} is not there: run `regua up` or `regua demo` first, or name the directory with --data", file.display())
            }
            _ => format!("{service} has no schema in the database of storage.url: run `regua up` first"),
        }
    })
}

/// The log of a service.
pub async fn log(settings: &Settings, service: &str) -> anyhow::Result<Log> {
    anyhow::ensure!(WITH_LOG.contains(&service), "{service} has no log; there are {}", WITH_LOG.join(", "));
    let db = database(settings, service).await?;
    Log::look(db, Arc::new(SystemClock), Arc::new(TimeOrdered)).await.with_context(|| format!("the log of {service} cannot be read"))
}

/// The views of every service.
pub async fn projections(settings: &Settings) -> anyhow::Result<Vec<Projections>> {
    Ok(vec![
        invoice::projections(&log(settings, invoice::NAME).await?)?,
        dunning_engine::projections(&log(settings, dunning_engine::NAME).await?)?,
        notification::projections(&log(settings, notification::NAME).await?)?,
        reporting::projections(&database(settings, reporting::NAME).await?)?,
    ])
}

/// The parked streams of every consumer, with the consumer's name.
pub async fn parkings(settings: &Settings) -> anyhow::Result<Vec<(&'static str, Parking)>> {
    let consumers = [
        (invoice::NAME, invoice::CONSUMERS),
        (dunning_engine::NAME, dunning_engine::CONSUMERS),
        (notification::NAME, notification::CONSUMERS),
        (reporting::NAME, reporting::CONSUMERS),
    ];
    let mut parkings = Vec::new();
    for (service, names) in consumers {
        let db = database(settings, service).await?;
        for name in names {
            parkings.push((*name, Parking::new(db.clone(), *name, Arc::new(SystemClock), Arc::new(TimeOrdered))));
        }
    }
    Ok(parkings)
}

/// What the lines of a file say that a person has written, a table of `what` with at most so many of a unit. Errors: the file cannot be
/// read or is no such table, it has none or more, or every line that is wrong.
pub fn table<T>(file: &Path, what: &str, most: (usize, &str), rows: fn(&str) -> Result<Vec<T>, Vec<String>>) -> anyhow::Result<Vec<T>> {
    let unreadable = || format!("{} cannot be read", file.display());
    anyhow::ensure!(fs::metadata(file).with_context(unreadable)?.len() <= MAX_TABLE, "{} is no table of {what}", file.display());
    let text = fs::read_to_string(file).with_context(unreadable)?;
    let found = rows(&text).map_err(|faults| anyhow::anyhow!("{} has faults:\n  {}", file.display(), faults.join("\n  ")))?;
    let (most, unit) = most;
    anyhow::ensure!((1..=most).contains(&found.len()), "{} should have 1 to {most} {unit}", file.display());
    Ok(found)
}
