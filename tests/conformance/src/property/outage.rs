//! SIGKILL of the servers, and servers that are not there yet.

use anyhow::{Context, Result, ensure};
use eventlog::{Activity, Log};
use tokio_util::sync::CancellationToken;

use super::commands::carry_out;
use crate::Outcome;
use crate::account::events_of;
use crate::chance::Chance;
use crate::history::{carries, folded, whole};
use crate::moment::{until, within};
use crate::servers::{Kind, Server};
use crate::storage::{Postgres, Sqlite, Storage};
use crate::stream::Stream;
use crate::wire::{Broker, Wire};
use crate::world::{Reader, Service, World};

const KILLS: u64 = 3;
/// Commands that are let through before a kill; a quarter of them once more during the outage.
const COMMANDS: usize = 600;

/// PostgreSQL and all its processes are killed in the middle of a stream of commands, several times, and started again; then one of its
/// processes alone, after which it restarts the others itself. The writer and the read model of a process that was never restarted go on
/// by themselves. Every acknowledged command is there, nothing is doubled.
///
/// # Errors
/// What is wrong.
pub async fn a_killed_postgres_loses_nothing_acknowledged() -> Outcome {
    let Some(server) = Server::start(Kind::Postgres).await? else { return Ok(()) };
    let mut chance = Chance::new("killed PostgreSQL");
    let storage = Postgres::at(&server.address()?);
    let (activity, stop) = (Activity::new(), CancellationToken::new());
    let service = Service::open(&storage, &activity).await?;
    let reader = service.start_own(&activity, &stop).await?;
    let stream = Stream::start(&service);
    for _ in 0..KILLS {
        stream.allow(COMMANDS);
        stream.until_answered(stream.answered() + 1 + chance.below(COMMANDS as u64 / 2)).await?;
        server.kill().await?;
        let answered = stream.answered();
        stream.allow(COMMANDS / 4);
        server.up().await?;
        // The same process goes on.
        stream.until_answered(answered + 1).await?;
    }
    stream.allow(COMMANDS);
    stream.until_answered(stream.answered() + 1 + chance.below(COMMANDS as u64 / 2)).await?;
    server.kill_a_child(&mut chance).await?;
    let commands = (KILLS as usize * (COMMANDS + COMMANDS / 4) + COMMANDS) as u64;
    stream.until_answered(commands).await?;
    println!("{commands} commands answered, {} times there was no answer", stream.unanswered());
    let told = stream.finish().await?;
    let events = whole(&storage.open().await?).await?;
    carries(&events, &told)?;
    let expected: u64 = (0..commands).map(events_of).sum();
    ensure!(events.len() as u64 == expected, "{} events, should be {expected}", events.len());
    for one in &told {
        let n = one.command[1..].parse()?;
        let (again, anew) = carry_out(&service, n).await?;
        ensure!(!anew && again == *one, "was told {one:?}, later {again:?}");
    }
    reader.until_lines(&folded(&events, "Paid")?).await?;
    reader.verify().await?;
    stop.cancel();
    reader.stop().await;
    Ok(())
}

/// The broker is killed in the middle of publishing and consuming, several times, and started again. Relay and consumer go on by themselves;
/// every fact has its effect once.
///
/// # Errors
/// What is wrong.
pub async fn a_killed_broker_loses_and_doubles_nothing() -> Outcome {
    let Some(server) = Server::start(Kind::Kafka).await? else { return Ok(()) };
    let Some(wire) = Broker::<Sqlite>::at(&server.address()?).await? else { return Ok(()) };
    let mut chance = Chance::new("killed broker");
    let world = World::new(&wire).await?;
    let reader = world.listen().await?;
    let stream = Stream::start(&world.bank);
    for _ in 0..KILLS {
        let applied = reader.consumer.status().counts.applied;
        stream.allow(COMMANDS);
        until_applied(&reader, applied + 1 + chance.below(COMMANDS as u64)).await?;
        server.kill().await?;
        // Commands are answered while there is no broker.
        let applied = reader.consumer.status().counts.applied;
        let answered = stream.answered();
        stream.allow(COMMANDS / 4);
        stream.until_answered(answered + COMMANDS as u64 / 4).await?;
        server.up().await?;
        until_applied(&reader, applied + COMMANDS as u64 / 4).await?;
    }
    stream.until_answered(KILLS * (COMMANDS + COMMANDS / 4) as u64).await?;
    let told = stream.finish().await?;
    let events = whole(&world.bank.log).await?;
    carries(&events, &told)?;
    reader.until_lines(&folded(&events, "Paid")?).await?;
    world.mirrored_exactly(&reader).await?;
    let duplicates = reader.consumer.status().counts.duplicates;
    println!("{} facts, {duplicates} came more than once", events.len());
    world.end(vec![reader]).await;
    Ok(())
}

async fn until_applied(reader: &Reader, messages: u64) -> Outcome {
    let applied = async || Ok(reader.consumer.status().counts.applied >= messages);
    until("the consumer goes on", applied).await.with_context(|| format!("{messages} messages, {:?}", reader.consumer.status()))
}

/// The database is not there when a service starts. It says so at once, may be asked again, and opens when the database has come.
///
/// # Errors
/// What is wrong.
pub async fn a_database_that_comes_late_is_waited_for() -> Outcome {
    let Some(server) = Server::start(Kind::Postgres).await? else { return Ok(()) };
    let storage = Postgres::at(&server.address()?);
    server.down().await?;
    let refused = within("an absent database is reported", async { Ok(storage.open().await.err()) }).await?;
    let refused = refused.context("a log was opened without a database")?;
    let transient = refused.chain().any(|cause| cause.downcast_ref::<sql::SqlError>().is_some_and(sql::SqlError::is_transient));
    ensure!(transient, "an absent database is reported as {refused:#}");
    let (service, up) = tokio::join!(until_open(&storage), server.up());
    up?;
    let service = service?;
    let (first, anew) = carry_out(&service, 1).await?;
    ensure!(anew && first.last_position == events_of(1), "{first:?}");
    // It goes away in order and comes back: the open log goes on.
    server.down().await?;
    let stream = Stream::start(&service);
    stream.allow(50);
    server.up().await?;
    stream.until_answered(50).await?;
    let told = stream.finish().await?;
    carries(&whole(&storage.open().await?).await?, &told)
}

async fn until_open(storage: &Postgres) -> Result<Service> {
    let mut opened: Option<Log> = None;
    until("the database has come", async || {
        opened = storage.open().await.ok();
        Ok(opened.is_some())
    })
    .await?;
    Ok(Service::over(opened.context("just opened")?, storage.faults(), &Activity::new()))
}

/// The broker is not there when the services start. Publishing and listening say so and may be asked again; commands are answered meanwhile,
/// and all of it arrives once the broker has come. When it goes away again the relay's operator sees it, and sees it come back though there
/// is nothing to send.
///
/// # Errors
/// What is wrong.
pub async fn a_broker_that_comes_late_is_waited_for() -> Outcome {
    let Some(server) = Server::start(Kind::Kafka).await? else { return Ok(()) };
    let Some(wire) = Broker::<Sqlite>::at(&server.address()?).await? else { return Ok(()) };
    server.down().await?;
    let mut world = World::silent(&wire).await?;
    world.bank.pay(&[("a", 1), ("b", 2)]).await?;
    let refused = within("an absent broker is reported", async {
        let (publish, listen) = tokio::join!(refused_to_publish(&wire), async { Ok::<_, anyhow::Error>(world.listen().await.err()) });
        Ok((publish?, listen?))
    });
    let refused = refused.await?;
    println!("publishing: {:#}; listening: {:#}", refused.0.context("published to nobody")?, refused.1.context("listens to nobody")?);
    server.up().await?;
    world.publish().await?;
    let reader = world.listen().await?;
    world.bank.pay(&[("a", 3)]).await?;
    world.mirrored_exactly(&reader).await?;
    ensure!(world.relay_trouble().is_none(), "{:?}", world.relay_trouble());
    server.down().await?;
    until("an absent broker is seen", async || Ok(world.relay_trouble().is_some())).await?;
    println!("the relay says: {:?}", world.relay_trouble());
    server.up().await?;
    until("the broker is seen again", async || Ok(world.relay_trouble().is_none())).await?;
    world.end(vec![reader]).await;
    Ok(())
}

async fn refused_to_publish(wire: &impl Wire) -> Result<Option<anyhow::Error>> {
    let mut world = World::silent(wire).await?;
    Ok(world.publish().await.err())
}
