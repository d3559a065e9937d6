//! SIGKILL of the process that writes.

use std::path::Path;

use anyhow::{Context, ensure};
use eventlog::Activity;
use futures::future::try_join_all;
use tokio_util::sync::CancellationToken;

use super::commands::carry_out;
use crate::Outcome;
use crate::account::events_of;
use crate::chance::Chance;
use crate::history::{Acknowledged, carries, folded, whole};
use crate::process::{Victim, acknowledged};
use crate::storage::Durable;
use crate::world::Service;

const KILLS: u64 = 6;
/// Commands of a process, if it gets that far.
const COMMANDS: u64 = 300;

/// A process carries out a stream of commands, says each acknowledgement, and is killed at any moment, several times on the same data.
/// Every acknowledged command is there as it was acknowledged, exactly once; repeating all of them gives the same answers and no event
/// twice; positions have no hole; the read model that was killed along with it goes on and equals a rebuilt one.
///
/// # Errors
/// What is wrong.
pub async fn acknowledged_commands_survive_the_process<S: Durable>(storage: &S, victim: &Path) -> Outcome {
    acknowledged_commands_survive(storage, victim, "write").await
}

/// The same for a process that works in a way of its own.
///
/// # Errors
/// What is wrong.
pub async fn acknowledged_commands_survive<S: Durable>(storage: &S, victim: &Path, way: &str) -> Outcome {
    let mut chance = Chance::new("killed writers");
    let mut told: Vec<Acknowledged> = Vec::new();
    for round in 0..KILLS {
        let after = chance.below(COMMANDS);
        let (from, until) = (round * COMMANDS, (round + 1) * COMMANDS);
        let arguments = [way.into(), storage.place().to_string(), from.to_string(), until.to_string()];
        let mut process = Victim::spawn(victim, &arguments)?;
        let mut heard = 0;
        while heard < after {
            let line = process.says().await?;
            told.extend(acknowledged(&line));
            heard += u64::from(line.starts_with("ack"));
        }
        let late = process.kill().await?;
        told.extend(late.iter().filter_map(|line| acknowledged(line)));
        println!("{}: killed after {after} acknowledgements, {} in all", S::NAME, told.len());
        if round > 0 || !told.is_empty() {
            let events = whole(&storage.open().await?).await.with_context(|| format!("after kill {round}"))?;
            carries(&events, &told).with_context(|| format!("after kill {round}"))?;
        }
    }
    repeat_all(storage, &told).await
}

async fn repeat_all<S: Durable>(storage: &S, told: &[Acknowledged]) -> Outcome {
    let (activity, stop) = (Activity::new(), CancellationToken::new());
    let service = Service::open(storage, &activity).await?;
    let all = try_join_all((0..KILLS * COMMANDS).map(|n| carry_out(&service, n))).await?;
    let mut known = 0;
    for one in told {
        let again = all.iter().find(|(again, _)| again.command == one.command).context("an answer is missing")?;
        ensure!(!again.1 && again.0 == *one, "was told {one:?}, later {again:?}");
        known += 1;
    }
    let stored = all.iter().filter(|(_, anew)| !anew).count();
    println!("{}: {known} acknowledged, {} stored and never acknowledged", S::NAME, stored - known);
    let events = whole(&storage.open().await?).await?;
    carries(&events, &all.into_iter().map(|(one, _)| one).collect::<Vec<_>>())?;
    let expected: u64 = (0..KILLS * COMMANDS).map(events_of).sum();
    ensure!(events.len() as u64 == expected, "{} events, should be {expected}", events.len());
    let reader = service.start_own(&activity, &stop).await?;
    reader.until_lines(&folded(&events, "Paid")?).await?;
    reader.verify().await?;
    stop.cancel();
    reader.stop().await;
    Ok(())
}
