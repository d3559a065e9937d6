//! What a bus may do to its messages, and what a consumer that was given up may still try.

use std::collections::{BTreeMap, HashSet, VecDeque};

use anyhow::{Context, Result, ensure};
use eventlog::bus::partition::partition_of;
use eventlog::{Activity, Recorded};
use tokio_util::sync::CancellationToken;

use crate::Outcome;
use crate::account::Command;
use crate::balances::Line;
use crate::chance::Chance;
use crate::faults::Spot;
use crate::history::{folded, whole};
use crate::moment::until;
use crate::storage::Durable;
use crate::wire::{PARTITIONS, Route, Wire};
use crate::world::{Reader, Service, World};

const ACCOUNTS: [&str; 5] = ["a", "b", "c", "d", "e"];

/// What the bank has to say, before it is put on the wire.
async fn facts(bank: &impl Durable) -> Result<Vec<Recorded>> {
    let service = Service::open(bank, &Activity::new()).await?;
    for n in 1..=60 {
        let account = ACCOUNTS[n as usize % ACCOUNTS.len()];
        let command = if n % 11 == 0 { Command::Remark } else { Command::Pay(vec![n * 100]) };
        service.submit(account, command).await?;
    }
    whole(&service.log).await
}

/// Puts the bank's facts on the wire in another order, some of them several times: its log, as its readers and its relay find it, becomes
/// what a relay could have made of it. `order` names facts by position.
async fn put_on_the_wire(bank: &impl Durable, order: &[u64]) -> Outcome {
    let columns = "event_id, stream, version, event_type, schema_version, tenant, routing_key, recorded_at, occurred_at, effective_on, \
                   command_id, correlation_id, causation_id, traceparent, payload";
    let db = bank.database().await?;
    let mut tx = db.begin().await?;
    tx.execute("ALTER TABLE events RENAME TO facts", &[]).await?;
    // Without the constraints of a log.
    tx.execute("CREATE TABLE events AS SELECT * FROM facts WHERE position < 0", &[]).await?;
    for (place, position) in (1i64..).zip(order) {
        let sql = format!("INSERT INTO events (position, {columns}) SELECT $1, {columns} FROM facts WHERE position = $2");
        tx.execute(&sql, &[place.into(), (*position as i64).into()]).await?;
    }
    tx.execute("UPDATE log_head SET position = $1", &[(order.len() as i64).into()]).await?;
    Ok(tx.commit().await?)
}

/// Facts of different accounts overtake each other; those of one account keep their order.
fn interleaved(facts: &[Recorded], chance: &mut Chance) -> Vec<u64> {
    let mut queues: BTreeMap<&str, VecDeque<u64>> = BTreeMap::new();
    for fact in facts {
        queues.entry(&fact.stream).or_default().push_back(fact.position);
    }
    let mut queues: Vec<VecDeque<u64>> = queues.into_values().collect();
    let mut order = Vec::new();
    while !queues.is_empty() {
        let place = chance.below(queues.len() as u64) as usize;
        order.extend(queues[place].pop_front());
        if queues[place].is_empty() {
            queues.swap_remove(place);
        }
    }
    order
}

/// A relay starts again from an older cursor now and then, and a single old message comes again long after.
fn repeated(order: &[u64], chance: &mut Chance) -> Vec<u64> {
    let mut sent = Vec::new();
    for (place, position) in order.iter().enumerate() {
        sent.push(*position);
        match chance.below(6) {
            0 => sent.extend(&order[place.saturating_sub(7)..=place]),
            1 => sent.push(order[chance.below(place as u64 + 1) as usize]),
            _ => {}
        }
    }
    sent
}

/// Facts arrive in another order between accounts, and many of them several times. The effects are the same.
///
/// # Errors
/// What is wrong.
pub async fn duplicates_and_reordering_change_nothing<W: Wire>(wire: &W) -> Outcome {
    let mut chance = Chance::new("duplicates and reordering");
    let facts = facts(wire.bank()).await?;
    let order = repeated(&interleaved(&facts, &mut chance), &mut chance);
    put_on_the_wire(wire.bank(), &order).await?;
    let world = World::new(wire).await?;
    let reader = world.listen().await?;
    world.mirrors(&facts, &reader).await?;
    let (duplicates, sent) = (reader.consumer.status().counts.duplicates, (order.len() - facts.len()) as u64);
    ensure!(duplicates == sent, "{sent} messages came again, {duplicates} were recognised");
    // The consumer starts again from the beginning, as after its places were restored from an old copy.
    reader.stop().await;
    forget_places(wire.mirror()).await?;
    let reader = world.listen().await?;
    world.mirrors(&facts, &reader).await?;
    world.end(vec![reader]).await;
    Ok(())
}

async fn forget_places(mirror: &impl Durable) -> Outcome {
    let mut tx = mirror.database().await?.begin().await?;
    tx.execute("UPDATE consumer_offset SET next_offset = 0", &[]).await?;
    Ok(tx.commit().await?)
}

/// A fact comes before an earlier one of its account. Nothing of its partition is applied from there on and an alarm says why; other
/// partitions go on. When the missing version was dealt with the partition goes on by itself.
///
/// # Errors
/// What is wrong.
pub async fn a_gap_holds_its_partition<W: Wire>(wire: &W) -> Outcome {
    let mut chance = Chance::new("a gap");
    let facts = facts(wire.bank()).await?;
    let mut order = interleaved(&facts, &mut chance);
    let of_a: Vec<usize> = (0..order.len()).filter(|place| facts[order[*place] as usize - 1].stream == "a").collect();
    order.swap(of_a[3], of_a[4]);
    put_on_the_wire(wire.bank(), &order).await?;
    let world = World::new(wire).await?;
    let reader = world.listen().await?;
    world.settled().await?;
    let expected = until_gap(&facts, &order, wire.route())?;
    let found = reader.lines().await?;
    ensure!(found == expected, "behind a gap the read model holds {found:?}, should hold {expected:?}");
    let gaps = reader.consumer.status().gaps;
    let gap = gaps.first().context("no alarm")?;
    ensure!((gap.stream.as_str(), gap.expected, gap.found, gaps.len()) == ("a", 4, 5, 1), "{gaps:?}");
    let mut tx = wire.mirror().database().await?.begin().await?;
    tx.execute("UPDATE consumer_stream SET version = 4 WHERE stream = 'a'", &[]).await?;
    tx.commit().await?;
    let rest: Vec<Recorded> = facts.iter().filter(|fact| (fact.stream.as_str(), fact.version) != ("a", 4)).cloned().collect();
    reader.until_lines(&folded(&rest, "Paid")?).await?;
    until("the alarm ends", async || Ok(reader.consumer.status().gaps.is_empty())).await?;
    world.mirrors(&rest, &reader).await?;
    world.end(vec![reader]).await;
    Ok(())
}

/// The read model when every partition stops at its first gap.
fn until_gap(facts: &[Recorded], order: &[u64], route: &Route) -> Result<BTreeMap<String, Line>> {
    let (mut versions, mut held, mut applied) = (BTreeMap::new(), HashSet::new(), Vec::new());
    for position in order {
        let fact = &facts[*position as usize - 1];
        let partition = if *route == Route::InProcess { 0 } else { partition_of(&fact.key, PARTITIONS) };
        let version: &mut u64 = versions.entry(&fact.stream).or_default();
        if fact.version != *version + 1 {
            held.insert(partition);
        }
        if !held.contains(&partition) {
            *version = fact.version;
            applied.push(fact.clone());
        }
    }
    folded(&applied, "Paid")
}

/// A consumer stands still with a page in its hands. A successor under the same name takes its place and moves on. When the first one wakes
/// up it is fenced: what it held is not applied again, and it goes on from where the successor is.
///
/// # Errors
/// What is wrong.
pub async fn a_consumer_that_was_given_up_is_fenced<W: Wire>(wire: &W) -> Outcome {
    let world = World::new(wire).await?;
    world.bank.pay(&[("a", 1), ("b", 2), ("c", 3), ("a", 4)]).await?;
    world.settled().await?;
    let stall = world.mirror.faults.stall(Spot::Sorted, 0);
    let zombie = world.listen().await?;
    stall.reached().await;
    let (elsewhere, stop) = (Activity::new(), CancellationToken::new());
    let successor = Service::open(wire.mirror(), &elsewhere).await?;
    let successor = successor.listen(&wire.route().bus_of_a_successor(&world.bus), &elsewhere, &stop).await?;
    world.bank.pay(&[("b", 5), ("c", 6)]).await?;
    successor.until_lines(&folded(&whole(&world.bank.log).await?, "Paid")?).await?;
    stall.release();
    fenced(&zombie).await?;
    world.bank.pay(&[("a", 7), ("b", 8)]).await?;
    world.settled().await?;
    zombie.consumer.pause();
    world.bank.pay(&[("a", 9), ("c", 10)]).await?;
    successor.until_lines(&folded(&whole(&world.bank.log).await?, "Paid")?).await?;
    zombie.consumer.resume();
    world.mirrored_exactly(&successor).await?;
    stop.cancel();
    successor.stop().await;
    world.bank.pay(&[("d", 11)]).await?;
    world.mirrored_exactly(&zombie).await?;
    world.end(vec![zombie]).await;
    Ok(())
}

/// The same for a consumer of the service's own log, which keeps no versions and no archive: only the compare-and-set stands between it and
/// a second application.
///
/// # Errors
/// What is wrong.
pub async fn a_consumer_of_its_own_log_that_was_given_up_is_fenced<S: Durable>(storage: &S) -> Outcome {
    let (activity, stop) = (Activity::new(), CancellationToken::new());
    let first = Service::open(storage, &activity).await?;
    first.pay(&[("a", 1), ("b", 2), ("a", 3)]).await?;
    let stall = storage.faults().stall(Spot::Sorted, 0);
    let zombie = first.start_own(&activity, &stop).await?;
    stall.reached().await;
    let second = Service::open(storage, &activity).await?;
    let successor = second.start_own(&activity, &stop).await?;
    second.pay(&[("c", 4)]).await?;
    successor.until_lines(&folded(&whole(&first.log).await?, "Paid")?).await?;
    stall.release();
    let awake = async || {
        let counts = zombie.consumer.status().counts;
        Ok(counts.fenced + counts.pages > 0)
    };
    until("the first consumer wakes up", awake).await?;
    let (expected, found) = (folded(&whole(&first.log).await?, "Paid")?, successor.lines().await?);
    ensure!(found == expected, "after it woke up the read model holds {found:?}, should hold {expected:?}");
    fenced(&zombie).await?;
    second.pay(&[("a", 5)]).await?;
    successor.until_lines(&folded(&whole(&second.log).await?, "Paid")?).await?;
    successor.verify().await?;
    stop.cancel();
    zombie.stop().await;
    successor.stop().await;
    Ok(())
}

async fn fenced(zombie: &Reader) -> Outcome {
    let tried = async || {
        let status = zombie.consumer.status();
        Ok(status.counts.fenced + status.counts.pages > 0 || status.trouble.is_some())
    };
    until("the first consumer wakes up", tried).await?;
    let status = zombie.consumer.status();
    ensure!(status.counts.fenced > 0, "it was not fenced: {status:?}");
    Ok(())
}
