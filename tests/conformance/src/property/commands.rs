//! Commands: repeated, reused, and decided on events that nobody here knows.

use anyhow::{Result, ensure};
use eventlog::{Activity, Append, Expected, WriteError};
use futures::future::{join_all, try_join_all};

use crate::Outcome;
use crate::account::{Command, events_of, fact, key, meta, numbered, on};
use crate::history::{Acknowledged, carries, whole};
use crate::storage::Storage;
use crate::world::Service;

/// Commands of the property.
const COMMANDS: u64 = 150;

/// Every command goes to two writers at once, as from an impatient caller, and later to a third. All get the same answer and the log holds
/// it once. The same id with another body is refused.
///
/// # Errors
/// What is wrong.
pub async fn the_same_command_id_gets_the_same_answer<S: Storage>(storage: &S) -> Outcome {
    let activity = Activity::new();
    let services = [Service::open(storage, &activity).await?, Service::open(storage, &activity).await?];
    let (one, other) = (&services[0], &services[1]);
    let both = |n| async move { tokio::join!(carry_out(one, n), carry_out(other, n)) };
    let mut acknowledged = Vec::new();
    for (n, (one, two)) in (0..).zip(join_all((0..COMMANDS).map(both)).await) {
        let ((one, first), (two, second)) = (one?, two?);
        ensure!(one == two, "command {n} was told {one:?} and {two:?}");
        ensure!(first != second, "command {n} was carried out {} times", u8::from(first) + u8::from(second));
        acknowledged.push(one);
    }
    let third = Service::open(storage, &activity).await?;
    let again = try_join_all((0..COMMANDS).map(|n| carry_out(&third, n))).await?;
    for ((again, anew), before) in again.into_iter().zip(&acknowledged) {
        ensure!(!anew && again == *before, "first {before:?}, later {again:?}");
    }
    for n in 0..COMMANDS {
        let mut other = key(n);
        other.body_hash[31] = 1;
        let refused = third.writer.submit(on("account-0", Command::Pay(vec![1])).with_key(other)).await;
        ensure!(matches!(refused, Err(WriteError::CommandReused)), "command {n} with another body: {refused:?}");
    }
    let events = whole(&storage.open().await?).await?;
    carries(&events, &acknowledged)?;
    let expected: u64 = (0..COMMANDS).map(events_of).sum();
    ensure!(events.len() as u64 == expected, "{} events, should be {expected}", events.len());
    Ok(())
}

/// What a numbered command was told, and whether it was carried out now.
pub(crate) async fn carry_out(service: &Service, n: u64) -> Result<(Acknowledged, bool)> {
    let written = service.writer.submit(numbered(n)).await?;
    Ok((Acknowledged::new(format!("c{n}"), &written.appended), !written.appended.deduplicated))
}

/// A newer version of the program has written events that this one does not know. They are kept as they are, count as versions of their
/// stream, are skipped by the state, and counted.
///
/// # Errors
/// What is wrong.
pub async fn unknown_event_types_are_kept_skipped_and_counted<S: Storage>(storage: &S) -> Outcome {
    let log = storage.open().await?;
    let from_the_future = |expected| Append {
        stream: "account".into(),
        expected: Expected::Exact(expected),
        events: vec![fact("FromTheFuture", "?"), fact("Paid", "5"), fact("FromTheFuture", "!")],
        meta: meta("account"),
        command: None,
        claims: Vec::new(),
        side: Vec::new(),
        answer: Vec::new(),
    };
    let activity = Activity::new();
    let service = Service::open(storage, &activity).await?;
    for round in 0..3u64 {
        for result in log.append(vec![from_the_future(round * 4)]).await? {
            result?;
        }
        // Another writer has appended: this one finds out under the lock.
        let written = service.writer.submit(on("account", Command::Pay(vec![1]))).await?;
        ensure!(written.appended.last_version == round * 4 + 4, "{:?}", written.appended);
        ensure!(written.state.balance == (round as i64 + 1) * 6, "round {round}: {:?}", written.state);
    }
    let unknown = service.writer.stats().unknown_events;
    ensure!(unknown == 6, "6 unknown events, {unknown} counted");
    let kept = whole(&storage.open().await?).await?;
    let kept: Vec<_> = kept.iter().filter(|event| event.event_type == "FromTheFuture").map(|event| event.payload.as_slice()).collect();
    ensure!(kept == [b"?", b"!"].repeat(3), "{kept:?}");
    Ok(())
}
