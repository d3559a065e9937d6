//! Callers who give up in the middle.

use std::pin::pin;
use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;

use anyhow::{Result, bail, ensure};
use eventlog::{Writer, WriterOptions};
use futures::future::join_all;
use sql::{Db, Dialect};

use crate::Outcome;
use crate::account::{Accounts, events_of, numbered};
use crate::chance::Chance;
use crate::history::{Acknowledged, carries, whole};
use crate::moment::until;
use crate::storage::{Durable, Storage};

const WAVES: u64 = 30;
const CALLERS: u64 = 20;

/// Polls a future and drops it when it was not ready so many times.
async fn dropped_after<T>(polls: u64, future: impl Future<Output = T>) -> Option<T> {
    let mut future = pin!(future);
    let mut left = polls;
    std::future::poll_fn(|context| match future.as_mut().poll(context) {
        Poll::Ready(done) => Poll::Ready(Some(done)),
        Poll::Pending if left == 0 => Poll::Ready(None),
        Poll::Pending => {
            left -= 1;
            Poll::Pending
        }
    })
    .await
}

/// Waves of callers drop their submissions at any moment. What was answered is stored as it was answered; every command was carried out
/// once or not at all, and repeating it tells which.
///
/// # Errors
/// What is wrong.
pub async fn dropped_submissions_lose_and_double_nothing<S: Storage>(storage: &S) -> Outcome {
    let mut chance = Chance::new("dropped submissions");
    let options = WriterOptions { queue_commands: 4, batch_commands: 8, ..WriterOptions::default() };
    let writer = Writer::spawn(Arc::new(Accounts), storage.open().await?, options);
    let mut acknowledged = Vec::new();
    for wave in 0..WAVES {
        let callers: Vec<_> = (wave * CALLERS..(wave + 1) * CALLERS)
            .map(|n| {
                let patience = Duration::from_micros(chance.below(15_000));
                let polls = if chance.below(2) == 0 { chance.below(4) } else { u64::MAX };
                let caller = dropped_after(polls, tokio::time::timeout(patience, writer.submit(numbered(n))));
                async move { (n, caller.await) }
            })
            .collect();
        for (n, answer) in join_all(callers).await {
            match answer {
                Some(Ok(Ok(written))) => acknowledged.push(Acknowledged::new(format!("c{n}"), &written.appended)),
                Some(Ok(Err(error))) => bail!("command {n}: {error}"),
                Some(Err(_)) | None => {}
            }
        }
    }
    ensure!(!acknowledged.is_empty(), "nobody was answered");
    let all = 0..WAVES * CALLERS;
    let repeated = join_all(all.clone().map(|n| writer.submit(numbered(n)))).await;
    let mut known = 0;
    for (n, again) in all.clone().zip(repeated) {
        let again = again?.appended;
        known += usize::from(again.deduplicated);
        let before = acknowledged.iter().find(|one| one.command == format!("c{n}"));
        ensure!(before.is_none_or(|one| *one == Acknowledged::new(format!("c{n}"), &again)), "{before:?}, later {again:?}");
    }
    ensure!(known >= acknowledged.len(), "{} were answered, {known} were stored", acknowledged.len());
    let events = whole(&storage.open().await?).await?;
    carries(&events, &acknowledged)?;
    let expected: u64 = all.map(events_of).sum();
    ensure!(events.len() as u64 == expected, "{} events, should be {expected}", events.len());
    Ok(())
}

/// Transactions on the database of a running writer are dropped between any two of their steps. None of them is half stored, nobody who was
/// acknowledged is undone by the transaction of another, and none stays open.
///
/// # Errors
/// What is wrong.
pub async fn dropped_transactions_leave_nothing_behind<S: Durable>(storage: &S) -> Outcome {
    let mut chance = Chance::new("dropped transactions");
    let log = storage.open().await?;
    let Some(db) = log.db().cloned() else { bail!("a durable log has a database") };
    let mut tx = db.begin().await?;
    tx.execute("CREATE TABLE pairs (id BIGINT NOT NULL, half BIGINT NOT NULL, PRIMARY KEY (id, half))", &[]).await?;
    tx.commit().await?;
    let writer = Writer::spawn(Arc::new(Accounts), log, WriterOptions::default());
    let (mut acknowledged, mut pairs) = (Vec::new(), Vec::new());
    for n in 0..200 {
        let droppers = (0..3).map(|lane| {
            let (id, polls) = (n * 3 + lane, chance.below(14));
            let pair = dropped_after(polls, write_pair(&db, id as i64));
            async move { pair.await.map(|stored| stored.map(|()| id as i64)) }
        });
        let droppers: Vec<_> = droppers.collect();
        let (written, dropped) = tokio::join!(writer.submit(numbered(n)), join_all(droppers));
        acknowledged.push(Acknowledged::new(format!("c{n}"), &written?.appended));
        for done in dropped.into_iter().flatten() {
            pairs.push(done?);
        }
    }
    carries(&whole(&storage.open().await?).await?, &acknowledged)?;
    let rows = storage.database().await?.query("SELECT id, COUNT(*) AS halves FROM pairs GROUP BY id", &[]).await?;
    let mut stored = Vec::new();
    for row in rows {
        ensure!(row.int("halves")? == 2, "half of transaction {} is stored", row.int("id")?);
        stored.push(row.int("id")?);
    }
    let lost: Vec<_> = pairs.iter().filter(|id| !stored.contains(id)).collect();
    ensure!(lost.is_empty(), "acknowledged and undone: {lost:?}");
    until("no transaction is open", async || Ok(open_transactions(&db).await? == 0)).await
}

async fn write_pair(db: &Db, id: i64) -> Result<()> {
    let mut tx = db.begin().await?;
    for half in 0..2i64 {
        tx.execute("INSERT INTO pairs VALUES ($1, $2)", &[id.into(), half.into()]).await?;
    }
    Ok(tx.commit().await?)
}

/// Transactions that hold a lock on our tables. On SQLite one that stayed open would let nobody begin another.
async fn open_transactions(db: &Db) -> Result<i64> {
    if db.dialect() == Dialect::Sqlite {
        db.begin().await?.rollback().await?;
        return Ok(0);
    }
    let sql = "SELECT COUNT(*) AS n FROM pg_locks l JOIN pg_class c ON c.oid = l.relation JOIN pg_namespace s ON s.oid = c.relnamespace \
               WHERE s.nspname = current_schema() AND c.relname IN ('pairs', 'events', 'log_head')";
    Ok(db.query(sql, &[]).await?.first().map_or(Ok(0), |row| row.int("n"))?)
}
