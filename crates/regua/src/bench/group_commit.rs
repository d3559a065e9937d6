//! The reference of an append: whoever waits shares one transaction and one fsync, and nothing is decided. It stores the same rows
//! with the same columns and indexes over the same connection, so what a path loses against it is the price of deciding.

use super::facts::{ANSWER, TENANT};
use anyhow::{Context, ensure};
use eventlog::{
    Clock, Ids,
    log::{CLAIM_COLUMNS, COMMAND_COLUMNS, EVENT_COLUMNS},
};
use host::{clock::SystemClock, ids::TimeOrdered};
use sql::{Column, Db, Dialect, Value};
use tokio::sync::{mpsc, oneshot};

/// As many as the writer takes into one transaction.
const BATCH: usize = 512;

/// A row that waits for its commit.
type Waiting = ((u64, u64), oneshot::Sender<()>);

/// A handle on the loop; clones share it.
#[derive(Clone)]
pub struct GroupCommit {
    queue: mpsc::Sender<Waiting>,
    db: Db,
}

impl GroupCommit {
    /// Makes its tables and starts. Errors: the database.
    pub async fn start(db: Db, payload: Vec<u8>) -> anyhow::Result<Self> {
        let dialect = db.dialect();
        let table = |name: &str, columns: &[Column], keys: &str| {
            // As the log's own tables: keyed by an id, the row lies in the index of its key.
            let clustered = dialect == Dialect::Sqlite && name != "rows_stored";
            let columns: Vec<String> = columns.iter().map(|column| column.definition(dialect)).collect();
            format!("CREATE TABLE {name} ({}, {keys}){};", columns.join(", "), if clustered { " WITHOUT ROWID" } else { "" })
        };
        let script = [
            table("rows_stored", EVENT_COLUMNS, "PRIMARY KEY (position), UNIQUE (stream, version)"),
            table("commands_stored", COMMAND_COLUMNS, "PRIMARY KEY (tenant, command_id)"),
            table("names_stored", CLAIM_COLUMNS, "PRIMARY KEY (tenant, kind, claim_key)"),
        ];
        let mut tx = db.begin().await?;
        tx.execute_script(&script.concat()).await?;
        tx.commit().await?;
        let (queue, waiting) = mpsc::channel(4096);
        tokio::spawn(run(db.clone(), waiting, payload));
        Ok(Self { queue, db })
    }

    /// Stores a row and waits until it is durable. Errors: the loop has ended.
    pub async fn store(&self, (number, payer): (u64, u64)) -> anyhow::Result<()> {
        let (done, stored) = oneshot::channel();
        self.queue.send(((number, payer), done)).await.ok().context("the group commit has ended")?;
        stored.await.context("the group commit has failed")
    }

    /// Rows that are there.
    pub async fn stored(&self) -> anyhow::Result<u64> {
        super::kept::count(&self.db, "rows_stored").await
    }
}

async fn run(db: Db, mut waiting: mpsc::Receiver<Waiting>, payload: Vec<u8>) {
    let (mut batch, mut position) = (Vec::new(), 0);
    while waiting.recv_many(&mut batch, BATCH).await > 0 {
        if let Err(error) = commit(&db, &batch, &mut position, &payload).await {
            // Whoever waits is told by the closed channel.
            eprintln!("bench: the group commit of the reference: {error:#}");
            return;
        }
        for (_, done) in batch.drain(..) {
            let _ = done.send(());
        }
    }
}

async fn commit(db: &Db, batch: &[Waiting], position: &mut i64, payload: &[u8]) -> anyhow::Result<()> {
    let (mut rows, mut commands, mut names) = (Vec::new(), Vec::new(), Vec::new());
    let (now, day) = (SystemClock.now(), super::facts::mid_month(1)?);
    for ((number, payer), _) in batch {
        *position += 1;
        let (payer, version) = (super::facts::customer(*payer), i64::try_from(*number)?);
        let (stream, command) = (format!("account/{TENANT}/{payer}"), format!("i{number}"));
        rows.push(vec![
            Value::Int(*position),
            Value::Uuid(TimeOrdered.event_id()),
            stream.as_str().into(),
            Value::Int(version),
            "InvoiceIssued".into(),
            Value::Int(1),
            TENANT.into(),
            format!("{TENANT}/{payer}").as_str().into(),
            Value::Instant(now),
            Value::OptInstant(None),
            Value::OptDate(Some(day)),
            Some(command.clone()).into(),
            Value::OptUuid(None),
            Value::OptUuid(None),
            Value::OptText(None),
            payload.into(),
        ]);
        commands.push(vec![
            TENANT.into(),
            command.as_str().into(),
            [3_u8; 32].as_slice().into(),
            stream.as_str().into(),
            Value::Int(version),
            Value::Int(version),
            Value::Int(*position),
            [7_u8; ANSWER].as_slice().into(),
        ]);
        names.push(vec![TENANT.into(), "invoice".into(), super::facts::invoice(*number).as_str().into(), stream.as_str().into()]);
    }
    ensure!(!rows.is_empty(), "an empty batch");
    let mut tx = db.begin().await?;
    tx.bulk_insert("rows_stored", EVENT_COLUMNS, rows).await?;
    tx.bulk_insert("commands_stored", COMMAND_COLUMNS, commands).await?;
    tx.bulk_insert("names_stored", CLAIM_COLUMNS, names).await?;
    tx.commit().await?;
    Ok(())
}
