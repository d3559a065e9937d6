//! One order: gapless positions, nothing seen out of turn, one winner.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use anyhow::{Context, Result, bail, ensure};
use eventlog::{Append, Expected, Log, Recorded, Refused};
use tokio::task::JoinSet;

use crate::Outcome;
use crate::account::{fact, meta};
use crate::chance::Chance;
use crate::faults::Spot;
use crate::history::{contiguous, whole};
use crate::storage::Storage;

/// Looks that a reader takes at a log whose writer stands still.
const LOOKS: usize = 25;

/// An append of so many events.
fn append(stream: &str, expected: Expected, events: u64) -> Append {
    Append {
        stream: stream.into(),
        expected,
        events: (0..events).map(|n| fact("Paid", &n.to_string())).collect(),
        meta: meta(stream),
        command: None,
        claims: Vec::new(),
        side: Vec::new(),
        answer: Vec::new(),
    }
}

/// An append that was stored: when it began and ended by the suite's own count, and where its events are.
struct Stored {
    began: u64,
    ended: u64,
    first: u64,
    last: u64,
}

/// Many write at once through two handles, some of it is refused. Positions are 1, 2, 3 … without a hole, and whoever began after another
/// had been acknowledged stands behind it.
///
/// # Errors
/// What is wrong.
pub async fn positions_are_gapless_and_in_the_order_of_commits<S: Storage>(storage: &S) -> Outcome {
    let logs = [storage.open().await?, storage.open().await?];
    let mut chance = Chance::new("gapless positions");
    let counter = Arc::new(AtomicU64::new(0));
    let mut writers = JoinSet::new();
    for writer in 0..12 {
        let seeds: Vec<u64> = (0..15).map(|_| chance.number()).collect();
        writers.spawn(write_batches(logs[writer % 2].clone(), seeds, Arc::clone(&counter)));
    }
    let mut stored = Vec::new();
    while let Some(done) = writers.join_next().await {
        stored.extend(done??);
    }
    let events = whole(&storage.open().await?).await?;
    let appended: u64 = stored.iter().map(|one| one.last + 1 - one.first).sum();
    ensure!(appended == events.len() as u64, "{appended} events acknowledged, {} stored", events.len());
    for one in &stored {
        let early = stored.iter().find(|other| other.began > one.ended && other.first < one.last);
        if let Some(early) = early {
            bail!("{}..{} began after {}..{} was acknowledged", early.first, early.last, one.first, one.last);
        }
    }
    Ok(())
}

async fn write_batches(log: Log, seeds: Vec<u64>, counter: Arc<AtomicU64>) -> Result<Vec<Stored>> {
    let mut stored = Vec::new();
    for seed in seeds {
        let (stream, events) = (format!("s{}", seed % 5), seed % 3 + 1);
        let batch = vec![append(&stream, Expected::Any, events), append(&stream, Expected::Exact(1_000_000), 1)];
        let began = counter.fetch_add(1, Ordering::SeqCst);
        let mut results = log.append(batch).await?;
        let ended = counter.fetch_add(1, Ordering::SeqCst);
        let refused = results.pop().context("an answer is missing")?;
        ensure!(matches!(refused, Err(Refused::VersionConflict { .. })), "{refused:?}");
        let last = results.pop().context("an answer is missing")??.last_position;
        stored.push(Stored { began, ended, first: last + 1 - events, last });
    }
    Ok(stored)
}

/// A writer stands still in the middle of its append while others want to append and readers look: nobody sees a later position without
/// the earlier ones, and nothing at all of what is not committed.
///
/// # Errors
/// What is wrong.
pub async fn no_reader_sees_past_a_writer_that_stands_still<S: Storage>(storage: &S) -> Outcome {
    let logs = [storage.open().await?, storage.open().await?];
    logs[0].append(vec![append("before", Expected::Exact(0), 2)]).await?;
    for spot in [Spot::Locked, Spot::Stored, Spot::Committed] {
        let before = logs[0].head().await?;
        let stall = storage.faults().stall(spot, 0);
        let mut writers = JoinSet::new();
        let first = logs[0].clone();
        writers.spawn(async move { first.append(vec![append("stalled", Expected::Any, 2)]).await });
        stall.reached().await;
        for writer in 0..6 {
            let log = logs[writer % 2].clone();
            writers.spawn(async move { log.append(vec![append(&format!("behind-{writer}"), Expected::Any, 1)]).await });
        }
        for look in 0..LOOKS {
            // A new handle has nothing in memory; the others have.
            let reader = if look == 0 { storage.open().await? } else { logs[look % 2].clone() };
            let seen = read_on(&reader).await?;
            contiguous(&seen).with_context(|| format!("a reader while a writer stands at {spot}"))?;
            let silent = spot.is_committed() || seen.len() as u64 == before;
            ensure!(silent, "at {spot} a reader sees {} events, {before} are committed", seen.len());
            tokio::task::yield_now().await;
        }
        stall.release();
        while let Some(done) = writers.join_next().await {
            for result in done?? {
                result?;
            }
        }
        let events = whole(&storage.open().await?).await?;
        ensure!(events.len() as u64 == before + 8, "{} events after a stall at {spot}", events.len());
    }
    Ok(())
}

/// Everything that a reader comes to: a page may be shorter than what is there, so it reads on until nothing comes.
async fn read_on(reader: &Log) -> Result<Vec<Recorded>> {
    let mut seen: Vec<Recorded> = Vec::new();
    loop {
        let page = reader.read(seen.len() as u64, 1000).await?;
        if page.is_empty() {
            return Ok(seen);
        }
        seen.extend(page);
    }
}

/// Many append on one version of a stream, through two handles. One of them wins, all others are told the version.
///
/// # Errors
/// What is wrong.
pub async fn of_racing_appends_on_one_version_one_wins<S: Storage>(storage: &S) -> Outcome {
    let logs = [storage.open().await?, storage.open().await?];
    for round in 0..20u64 {
        let mut racers = JoinSet::new();
        for racer in 0..10 {
            let log = logs[racer % 2].clone();
            racers.spawn(async move { log.append(vec![append("race", Expected::Exact(round), 1)]).await });
        }
        let (mut won, mut refused) = (Vec::new(), Vec::new());
        while let Some(done) = racers.join_next().await {
            match done??.pop().context("an answer is missing")? {
                Ok(appended) => won.push(appended.last_version),
                Err(error) => refused.push(error),
            }
        }
        ensure!(won.len() == 1, "round {round}: {} winners on one version: {won:?}", won.len());
        ensure!(won == [round + 1], "round {round}: won version {won:?}");
        let told = Refused::VersionConflict { actual: round + 1 };
        ensure!(refused.iter().all(|error| *error == told), "round {round}: {refused:?}");
    }
    ensure!(whole(&storage.open().await?).await?.len() == 20, "20 rounds, another number of events");
    Ok(())
}
