//! Messages that cannot be applied, and messages that nobody knows.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use anyhow::{Context, Result, ensure};
use eventlog::consumer::Parking;

use crate::Outcome;
use crate::account::{Command, Ear, UNLUCKY};
use crate::moment::{clock, ids, until};
use crate::storage::Durable;
use crate::wire::Wire;
use crate::world::{INBOUND, Reader, World, of_the_bank};

/// `"a=3/2"`: account, balance and entries of the read model.
async fn told(reader: &Reader) -> Result<Vec<String>> {
    Ok(reader.lines().await?.into_iter().map(|(account, line)| format!("{account}={}/{}", line.balance, line.entries)).collect())
}

async fn expect(reader: &Reader, expected: &[&str]) -> Outcome {
    let found = told(reader).await?;
    ensure!(found == expected, "the read model holds {found:?}, should hold {expected:?}");
    Ok(())
}

async fn released(parking: &Parking) -> Outcome {
    until("the stream flows again", async || Ok(parking.list().await?.is_empty())).await
}

/// A message that cannot be understood parks its stream: what comes later on it waits, everybody else goes on. A retry that changes nothing
/// leaves it there, one after a repair lets all of it through in order; a skip, asked for from outside, leaves one message out for ever.
/// Who asked and why is written down.
///
/// # Errors
/// What is wrong.
pub async fn a_parked_stream_blocks_only_itself<W: Wire>(wire: &W) -> Outcome {
    let world = World::new(wire).await?;
    let ear = Arc::new(Ear::default());
    let reader = world.listen_with(&ear).await?;
    let parking = reader.consumer.parking();
    world.bank.pay(&[("a", 1), ("a", UNLUCKY), ("b", 2), ("a", 4), ("b", 3)]).await?;
    world.settled().await?;
    world.bank.pay(&[("a", 5), ("b", 5)]).await?;
    world.settled().await?;
    expect(&reader, &["a=1/1", "b=10/3"]).await?;
    let parked = parking.list().await?.pop().context("nothing is parked")?;
    ensure!((parked.key.stream.as_str(), parked.version, parked.waiting, parked.attempts) == ("a", 2, 3, 1), "{parked:?}");

    parking.retry(&of_the_bank("a"), "ana", "just try").await?;
    until("it was tried again", async || Ok(parking.list().await?.first().is_some_and(|parked| parked.attempts == 2))).await?;
    expect(&reader, &["a=1/1", "b=10/3"]).await?;
    ear.repaired.store(true, Ordering::SeqCst);
    parking.retry(&of_the_bank("a"), "ana", "repaired").await?;
    released(parking).await?;
    world.mirrored_exactly(&reader).await?;

    ear.repaired.store(false, Ordering::SeqCst);
    world.bank.pay(&[("c", UNLUCKY), ("c", 8), ("a", 1)]).await?;
    world.settled().await?;
    expect(&reader, &["a=24/5", "b=10/3"]).await?;
    // From another process, which has no consumer.
    let outside = Parking::new(wire.mirror().database().await?, INBOUND, clock(), ids());
    outside.skip(&of_the_bank("c"), "bruno", "test data").await?;
    released(&outside).await?;
    expect(&reader, &["a=24/5", "b=10/3", "c=8/1"]).await?;
    reader.verify().await?;
    let audit = outside.audit().await?;
    let mut lines: Vec<_> = audit
        .iter()
        .map(|entry| format!("{} {} {}@{} {}", entry.actor, entry.action, entry.key.stream, entry.version, entry.reason))
        .collect();
    lines.sort();
    ensure!(lines == ["ana retry a@2 just try", "ana retry a@2 repaired", "bruno skip c@1 test data"], "{lines:?}");
    world.end(vec![reader]).await;
    Ok(())
}

/// Types that the mirror does not know, and facts that the bank keeps to itself, pass by: kept in the archive, without effect, and the
/// unknown ones counted.
///
/// # Errors
/// What is wrong.
pub async fn unknown_types_are_kept_skipped_and_counted<W: Wire>(wire: &W) -> Outcome {
    let world = World::new(wire).await?;
    let reader = world.listen().await?;
    for command in [Command::Pay(vec![1]), Command::Rumour, Command::Remark, Command::Rumour, Command::Pay(vec![2])] {
        world.bank.submit("a", command).await?;
    }
    world.mirrored_exactly(&reader).await?;
    let counts = reader.consumer.status().counts;
    ensure!((counts.unknown, counts.applied) == (2, 3), "{counts:?}");
    let sql = "SELECT event_type FROM consumer_archive WHERE stream = 'a' ORDER BY version";
    let rows = wire.mirror().database().await?.query(sql, &[]).await?;
    let kept = rows.iter().map(|row| row.text("event_type")).collect::<Result<Vec<_>, _>>()?;
    ensure!(kept == ["AmountBooked", "Rumoured", "withheld", "Rumoured", "AmountBooked"], "{kept:?}");
    world.end(vec![reader]).await;
    Ok(())
}
