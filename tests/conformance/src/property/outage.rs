//! SIGKILL of the servers, and servers that are not there yet.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use anyhow::{Context, Result, ensure};
use eventlog::{Activity, Log};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use super::commands::carry_out;
use crate::Outcome;
use crate::account::{events_of, numbered};
use crate::chance::Chance;
use crate::history::{Acknowledged, carries, folded, whole};
use crate::moment::{until, wait_a_little, within};
use crate::servers::{Kind, Server};
use crate::storage::{Postgres, Sqlite, Storage};
use crate::wire::{Broker, Wire};
use crate::world::{Service, World};

const CALLERS: usize = 8;
const KILLS: u64 = 3;

/// A stream of numbered commands that goes on through outages: a caller without an answer asks again with the same id.
struct Stream {
    callers: JoinSet<Vec<Acknowledged>>,
    answered: Arc<AtomicU64>,
    unanswered: Arc<AtomicU64>,
}

impl Stream {
    fn start(service: &Service, commands: u64) -> Stream {
        let (answered, unanswered): (Arc<AtomicU64>, Arc<AtomicU64>) = Default::default();
        let next = Arc::new(AtomicU64::new(0));
        let mut callers = JoinSet::new();
        for _ in 0..CALLERS {
            let (writer, next) = (service.writer.clone(), Arc::clone(&next));
            let (answered, unanswered) = (Arc::clone(&answered), Arc::clone(&unanswered));
            callers.spawn(async move {
                let mut told = Vec::new();
                loop {
                    let n = next.fetch_add(1, Ordering::SeqCst);
                    if n >= commands {
                        return told;
                    }
                    told.push(loop {
                        match writer.submit(numbered(n)).await {
                            Ok(written) => break Acknowledged::new(format!("c{n}"), &written.appended),
                            Err(_) => unanswered.fetch_add(1, Ordering::SeqCst),
                        };
                        wait_a_little().await;
                    });
                    answered.fetch_add(1, Ordering::SeqCst);
                }
            });
        }
        Stream { callers, answered, unanswered }
    }

    /// Waits until so many commands are answered.
    async fn until_answered(&self, commands: u64) -> Outcome {
        until("commands are answered", async || Ok(self.answered.load(Ordering::SeqCst) >= commands)).await
    }

    /// What all callers were told.
    async fn finish(mut self) -> Result<Vec<Acknowledged>> {
        within("all commands are answered", async {
            let mut told = Vec::new();
            while let Some(one) = self.callers.join_next().await {
                told.extend(one?);
            }
            Ok(told)
        })
        .await
    }
}

/// PostgreSQL and all its processes are killed in the middle of a stream of commands, several times, and started again. The writer and the
/// read model of a process that was never restarted go on by themselves. Every acknowledged command is there, nothing is doubled.
///
/// # Errors
/// What is wrong.
pub async fn a_killed_postgres_loses_nothing_acknowledged() -> Outcome {
    let Some(server) = Server::start(Kind::Postgres).await? else { return Ok(()) };
    let mut chance = Chance::new("killed PostgreSQL");
    let storage = Postgres::at(&server.address()?);
    let (activity, stop, commands) = (Activity::new(), CancellationToken::new(), 3000);
    let service = Service::open(&storage, &activity).await?;
    let reader = service.start_own(&activity, &stop).await?;
    let stream = Stream::start(&service, commands);
    for kill in 0..KILLS {
        stream.until_answered(kill * 900 + 1 + chance.below(800)).await?;
        server.kill().await?;
        let answered = stream.answered.load(Ordering::SeqCst);
        server.up().await?;
        // The same process goes on.
        stream.until_answered(answered + 1).await?;
    }
    let unanswered = stream.unanswered.load(Ordering::SeqCst);
    let told = stream.finish().await?;
    println!("{} commands acknowledged, {unanswered} times without an answer", told.len());
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
    let commands = 2400;
    let stream = Stream::start(&world.bank, commands);
    let applied =
        async |messages: u64| until("the consumer goes on", async || Ok(reader.consumer.status().counts.applied >= messages)).await;
    for kill in 0..KILLS {
        stream.until_answered(kill * 700 + 1 + chance.below(600)).await?;
        applied(reader.consumer.status().counts.applied + 1).await?;
        server.kill().await?;
        let before = reader.consumer.status().counts.applied;
        // Commands are answered while there is no broker.
        stream.until_answered(stream.answered.load(Ordering::SeqCst).saturating_add(20).min(commands)).await?;
        server.up().await?;
        applied(before + 1).await?;
    }
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
    let stream = Stream::start(&service, 50);
    server.up().await?;
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
/// and all of it arrives once the broker has come.
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
    world.end(vec![reader]).await;
    Ok(())
}

async fn refused_to_publish(wire: &impl Wire) -> Result<Option<anyhow::Error>> {
    let mut world = World::silent(wire).await?;
    Ok(world.publish().await.err())
}
