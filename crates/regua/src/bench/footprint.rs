//! What an installation takes: the time until it is ready, memory at rest and under load, disk.

use super::{Figure, Plan, append::Ground, grpc, load, machine, streamed, tell};
use crate::{progress, settings::Settings, system::SERVICES};
use anyhow::{Context, ensure};
use host::config::Access;
use std::{
    fs,
    io::{BufRead, BufReader},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    time::Duration,
};

const MEGABYTE: f64 = 1_000_000.0;
/// All services in one process, embedded, until they listen.
const START_MS: f64 = 300.0;
/// Memory of all services in one process, at rest.
const IDLE_MB: f64 = 120.0;
/// Memory of one service in a process of its own, at rest.
const SERVICE_MB: f64 = 40.0;
/// How long a process is left alone before its memory counts as at rest.
const REST: Duration = Duration::from_millis(500);
/// Names in the report, in the order of [`SERVICES`].
const OF_SERVICE: [&str; 4] =
    ["footprint/idle/invoice", "footprint/idle/dunning-engine", "footprint/idle/notification", "footprint/idle/reporting"];

/// Ends with its owner: what it wrote is thrown away.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Start-up, memory, size of the program, disk bytes per event; of each service alone where there is a Kafka.
pub async fn measure(plan: &Plan, settings: &Settings, place: &Path) -> anyhow::Result<Vec<Figure>> {
    let (mut starts, mut memory, mut loaded) = (Vec::new(), Vec::new(), Vec::new());
    for round in 0..plan.rounds {
        tell("footprint, start", round, plan);
        let data = place.join(format!("up{round}"));
        let up = Up::start(&["--data", &data.display().to_string()], None).await?;
        starts.push(up.took.as_secs_f64() * 1000.0);
        memory.push(up.megabytes("VmRSS")?);
        up.issue(plan.invoices).await?;
        loaded.push(up.megabytes("VmHWM")?);
    }
    let program = std::env::current_exe().context("this program has no file")?;
    let size = fs::metadata(&program)?.len() as f64 / MEGABYTE;
    let mut figures = vec![
        Figure::cost("footprint/start", "ms", load::median(&starts), Some(START_MS)),
        Figure::cost("footprint/idle", "MB", load::median(&memory), Some(IDLE_MB)),
        Figure::cost("footprint/load", "MB", load::median(&loaded), None),
    ];
    if settings.bus.kind == "kafka" && settings.storage.kind == "postgres" {
        figures.extend(of_services(plan, settings, place).await?);
    }
    figures.push(Figure::cost("footprint/binary", "MB", size, None));
    figures.push(Figure::cost("footprint/disk", "bytes/event", bytes_per_event(plan, place).await?, None));
    Ok(figures)
}

/// Memory at rest of each service in a process of its own, on PostgreSQL and Kafka.
async fn of_services(plan: &Plan, settings: &Settings, place: &Path) -> anyhow::Result<Vec<Figure>> {
    streamed::clear(settings).await?;
    let apart = streamed::apart(settings);
    let (storage, bus) = (&apart.storage, &apart.bus);
    let text = format!(
        "[storage]\nkind = \"postgres\"\nurl = {:?}\nprefix = {:?}\n\n[bus]\nkind = \"kafka\"\nbrokers = {:?}\npartitions = {}\nprefix = {:?}\n",
        storage.url, storage.prefix, bus.brokers, bus.partitions, bus.prefix
    );
    let file = place.join("regua.toml");
    fs::write(&file, text)?;
    let mut figures = Vec::new();
    for (service, name) in SERVICES.into_iter().zip(OF_SERVICE) {
        let mut memory = Vec::new();
        for round in 0..plan.rounds {
            tell(name, round, plan);
            memory.push(Up::start(&["--only", service], Some(&file)).await?.megabytes("VmRSS")?);
        }
        figures.push(Figure::cost(name, "MB", load::median(&memory), Some(SERVICE_MB)));
    }
    streamed::clear(settings).await?;
    Ok(figures)
}

/// `regua up`, listening and at rest; ends with its owner.
struct Up {
    running: Running,
    listens: serde_json::Value,
    took: Duration,
}

impl Up {
    async fn start(arguments: &[&str], config: Option<&PathBuf>) -> anyhow::Result<Self> {
        let mut command = Command::new(std::env::current_exe().context("this program has no file")?);
        command.args(["up", "--free-ports", "--format", "json"]).args(arguments).stdout(Stdio::piped()).stderr(Stdio::null());
        // Embedded where nothing else is said, whatever configuration this run has.
        command.env_remove("REGUA_CONFIG");
        if let Some(config) = config {
            command.arg("--config").arg(config);
        }
        let watch = progress::stopwatch();
        let mut running = Running(command.spawn().context("regua up cannot be started")?);
        let out = running.0.stdout.take().context("no output")?;
        let mut line = String::new();
        BufReader::new(out).read_line(&mut line)?;
        ensure!(!line.is_empty(), "regua up ended before it was ready");
        let took = watch();
        tokio::time::sleep(REST).await;
        Ok(Self { running, listens: serde_json::from_str(&line)?, took })
    }

    fn megabytes(&self, of: &str) -> anyhow::Result<f64> {
        machine::megabytes(&self.running.0.id().to_string(), of)
    }

    /// Issues so many invoices of as many payers, which its engine then follows. Errors: one is refused.
    async fn issue(&self, invoices: u64) -> anyhow::Result<()> {
        let all = self.listens.as_array().context("no listeners")?;
        let of_owner = all.iter().find(|one| one["service"] == invoice::NAME && one["protocol"] == "grpc");
        let address = of_owner.and_then(|one| one["address"].as_str()).context("the invoice service does not listen")?;
        let mut client = grpc::Client::new(host::client::channel(&format!("http://{address}"), &Access::default())?);
        grpc::one_each(&mut client, invoices).await
    }
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
