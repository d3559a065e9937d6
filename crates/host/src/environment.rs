//! What one service of a process works with: its database and log, and what all services of the process share.

use crate::{
    access::Gatekeeper,
    away,
    config::{Access, Storage},
    health::Health,
    metrics::Metrics,
};
use anyhow::Context;
use eventlog::{Activity, Clock, Ids, Log, bus::Bus};
use sql::{Db, Durability, Migration};
use std::sync::Arc;
use tokio_util::sync::CancellationToken;

/// What all services of a process share.
#[derive(Clone)]
pub struct Process {
    /// The only source of time.
    pub clock: Arc<dyn Clock>,
    /// The only source of ids.
    pub ids: Arc<dyn Ids>,
    /// Tells when everything is at rest.
    pub activity: Activity,
    /// How services reach each other's events.
    pub bus: Bus,
    /// Who may call.
    pub access: Access,
    /// Partitions of every topic; 1 in process.
    pub partitions: i32,
    /// Whether this process is the only one on its databases.
    pub durability: Durability,
    /// Cancelled when the process is to end.
    pub stop: CancellationToken,
}

/// What one service works with.
#[derive(Clone)]
pub struct Environment {
    /// The process.
    pub process: Process,
    /// The service's database.
    pub db: Db,
    /// The service's log.
    pub log: Log,
    /// The service's instruments.
    pub metrics: Metrics,
    /// Who knows what is not well.
    pub health: Health,
    /// Lets callers in.
    pub gatekeeper: Gatekeeper,
    /// Cancelled when this service is to end.
    pub stop: CancellationToken,
}

impl Environment {
    /// Opens a service's database and log, creating what is missing. A server or broker that does not answer is waited for: it may
    /// start after us. Errors: the storage cannot be opened, or settings of the bus cannot be used.
    pub async fn open(name: &'static str, storage: &Storage, migrations: &[Migration], process: &Process) -> anyhow::Result<Self> {
        let open = async || open_storage(name, storage, migrations, process).await;
        let (db, log) = match storage.kind.as_str() {
            "postgres" => away::wait_for(&format!("PostgreSQL ({name})"), open).await?,
            // A file that cannot be opened does not mend itself.
            _ => open().await?,
        };
        away::wait_for_broker(&process.bus).await?;
        Ok(Self {
            db,
            log,
            metrics: Metrics::new(name)?,
            health: Health::default(),
            gatekeeper: Gatekeeper::new(&process.access)?,
            stop: process.stop.child_token(),
            process: process.clone(),
        })
    }
}

async fn open_storage(name: &str, storage: &Storage, migrations: &[Migration], process: &Process) -> anyhow::Result<(Db, Log)> {
    let db = open_database(name, storage, process.durability).await?;
    let log = Log::open(db.clone(), Arc::clone(&process.clock), Arc::clone(&process.ids)).await;
    let log = log.with_context(|| format!("the log of {name} cannot be opened"))?;
    db.migrate(migrations).await.with_context(|| format!("the tables of {name} cannot be created"))?;
    Ok((db, log))
}

/// Opens the database of a service: `<directory>/<name>.sqlite`, or the schema `<prefix><name>`.
pub async fn open_database(name: &str, storage: &Storage, durability: Durability) -> anyhow::Result<Db> {
    match storage.kind.as_str() {
        "sqlite" => {
            let directory = &storage.directory;
            std::fs::create_dir_all(directory).with_context(|| format!("storage.directory {} cannot be made", directory.display()))?;
            let file = directory.join(format!("{name}.sqlite"));
            Db::open_sqlite(&file, durability).await.with_context(|| format!("{} cannot be opened", file.display()))
        }
        "postgres" => {
            let (schema, deadline) = (schema_of(name, storage), storage.statement_deadline());
            let opened = Db::connect_postgres_within(&storage.url, &schema, storage.max_connections, deadline).await;
            opened.with_context(|| format!("storage.url: the database of {name} cannot be reached"))
        }
        other => anyhow::bail!("storage.kind is {other}, should be sqlite or postgres"),
    }
}

/// Opens the database of a service for a look, and makes nothing: `None` where it is not there yet. Errors: it cannot be reached.
pub async fn look_at_database(name: &str, storage: &Storage) -> anyhow::Result<Option<Db>> {
    if storage.kind != "postgres" {
        let is_there = storage.directory.join(format!("{name}.sqlite")).exists();
        return Ok(if is_there { Some(open_database(name, storage, Durability::Full).await?) } else { None });
    }
    let looked = Db::look_at_postgres(&storage.url, &schema_of(name, storage), storage.statement_deadline()).await;
    looked.with_context(|| format!("storage.url: the database of {name} cannot be reached"))
}

fn schema_of(name: &str, storage: &Storage) -> String {
    format!("{}{}", storage.prefix, name.replace('-', "_"))
}
