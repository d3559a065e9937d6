//! What a bench makes on a PostgreSQL server, and how fast the server is by its own tool.

use super::kept;
use anyhow::{Context, ensure};
use host::config::Storage;
use sql::{Db, Server};
use std::{
    fs,
    path::{Path, PathBuf},
    process::Stdio,
    time::Duration,
};
use tokio::process::Command;

/// Clients of pgbench, each with one insert after the other.
const CLIENTS: &str = "64";
const THREADS: &str = "2";
/// Bytes of a row's payload: about those of an event with its key and answer.
const PAYLOAD: usize = 200;

/// The name of a schema of a bench.
pub fn schema(storage: &Storage, name: &str) -> String {
    format!("{}bench_{name}", storage.prefix)
}

/// Removes the schemas of every bench. Errors: the server.
pub async fn clear(storage: &Storage) -> anyhow::Result<()> {
    let mut server = Server::connect(&storage.url).await?;
    for schema in server.schemas(&schema(storage, "")).await? {
        server.drop_schema(&schema).await?;
    }
    Ok(())
}

/// What server it is. Errors: it does not wait for its disk, so a figure of it would say nothing.
pub async fn durable_server(storage: &Storage) -> anyhow::Result<String> {
    let mut server = Server::connect(&storage.url).await?;
    let (fsync, commits) = (server.setting("fsync").await?, server.setting("synchronous_commit").await?);
    // `local` and more wait for this server's own disk; what they differ in are its replicas.
    ensure!(fsync == "on" && commits != "off", "fsync is {fsync} and synchronous_commit {commits} on the server");
    Ok(server.setting("server_version").await?)
}

/// Whether pgbench is on the path.
pub async fn has_pgbench() -> bool {
    let found = Command::new("pgbench").arg("--version").stdout(Stdio::null()).stderr(Stdio::null()).status().await;
    found.is_ok_and(|status| status.success())
}

/// A table for pgbench, and the text of what each of its clients does.
pub struct Inserts {
    db: Db,
    table: String,
}

impl Inserts {
    /// Makes the table in a schema of its own. Errors: the server.
    pub async fn prepare(storage: &Storage, place: &Path) -> anyhow::Result<Self> {
        let schema = schema(storage, "inserts");
        let db = Db::connect_postgres(&storage.url, &schema, 1).await?;
        let mut tx = db.begin().await?;
        let columns = "position BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY, payload TEXT NOT NULL";
        tx.execute_script(&format!("CREATE TABLE inserted ({columns});")).await?;
        tx.commit().await?;
        let table = format!("{schema}.inserted");
        let insert = format!("INSERT INTO {table} (payload) VALUES ('{}');\n", "7".repeat(PAYLOAD));
        fs::write(script(place), insert)?;
        Ok(Self { db, table })
    }

    /// Rows a second of a round, whole seconds at least. Errors: pgbench fails, or what it says it inserted is not there.
    pub async fn round(&self, storage: &Storage, place: &Path, long: Duration) -> anyhow::Result<f64> {
        let before = self.stored().await?;
        let seconds = long.as_secs().max(1).to_string();
        let mut command = Command::new("pgbench");
        command.args(["--no-vacuum", "--protocol", "prepared", "--client", CLIENTS, "--jobs", THREADS, "--time", &seconds, "--file"]);
        let said = command.arg(script(place)).arg(&storage.url).output().await.context("pgbench cannot be started")?;
        let (text, errors) = (String::from_utf8_lossy(&said.stdout), String::from_utf8_lossy(&said.stderr));
        ensure!(said.status.success(), "pgbench: {}", errors.lines().last().unwrap_or_default());
        let done: u64 = number_after(&text, "number of transactions actually processed: ")?;
        let there = self.stored().await? - before;
        ensure!(there >= done, "pgbench inserted {done} rows and {there} are there: {}", self.table);
        number_after(&text, "tps = ")
    }

    async fn stored(&self) -> anyhow::Result<u64> {
        kept::count(&self.db, "inserted").await
    }
}

fn script(place: &Path) -> PathBuf {
    place.join("insert.sql")
}

/// The number behind a word of pgbench's.
fn number_after<T: std::str::FromStr>(text: &str, word: &str) -> anyhow::Result<T> {
    let rest = text.split_once(word).map(|(_, rest)| rest).unwrap_or_default();
    let number = rest.split(|letter: char| !(letter.is_ascii_digit() || letter == '.')).next().unwrap_or_default();
    number.parse().ok().with_context(|| format!("pgbench does not say {word}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_pgbench_says_is_read() {
        let said = "number of transactions actually processed: 7210\nlatency average = 17.7 ms\ntps = 3605.123 (without initial connection time)\n";
        assert_eq!(number_after::<u64>(said, "number of transactions actually processed: ").unwrap(), 7210);
        assert!((number_after::<f64>(said, "tps = ").unwrap() - 3605.123).abs() < 1e-9);
        assert!(number_after::<f64>("", "tps = ").is_err());
    }
}
