use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use eventlog::log::{CrashPoint, Faults};
use eventlog::{CommandKey, LogError, WriteError, Writer, WriterOptions};
use sql::Dialect;
use tokio::sync::Notify;

use crate::counter::{Command, Counter, on};
use crate::logs::{append, durable, eventually, every, transcript};

/// Stops one append at a point until it is let go.
struct Stall {
    at: CrashPoint,
    reached: Notify,
    go: Notify,
}

#[async_trait::async_trait]
impl Faults for Stall {
    async fn reach(&self, point: CrashPoint) -> Result<(), String> {
        if point == self.at {
            self.reached.notify_one();
            self.go.notified().await;
        }
        Ok(())
    }
}

/// Fails the first append at a point.
pub struct Break {
    pub at: CrashPoint,
    pub times: AtomicU32,
}

#[async_trait::async_trait]
impl Faults for Break {
    async fn reach(&self, point: CrashPoint) -> Result<(), String> {
        let hit = point == self.at && self.times.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |n| n.checked_sub(1)).is_ok();
        if hit { Err(format!("{point:?}")) } else { Ok(()) }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn while_a_writer_stalls_no_reader_sees_anything_after_it() {
    for site in durable().await {
        let stall = Arc::new(Stall { at: CrashPoint::Stored, reached: Notify::new(), go: Notify::new() });
        let stalled = site.faulty(stall.clone()).await.unwrap();
        let (log, reader) = (site.log(), site.another().await.unwrap());
        log.append(vec![append("a@0: before")]).await.unwrap();
        let first = tokio::spawn(async move { stalled.append(vec![append("a@1: stalled")]).await.unwrap().remove(0) });
        stall.reached.notified().await;
        let second = tokio::spawn({
            let log = log.clone();
            async move { log.append(vec![append("b@0: behind")]).await.unwrap().remove(0) }
        });
        for _ in 0..30 {
            assert_eq!(transcript(&reader).await, ["1 a@1 before"], "{}", site.name);
            assert!(!second.is_finished());
        }
        stall.go.notify_one();
        assert_eq!(first.await.unwrap().unwrap().last_position, 2);
        assert_eq!(second.await.unwrap().unwrap().last_position, 3);
        assert_eq!(transcript(&log).await, ["1 a@1 before", "2 a@2 stalled", "3 b@1 behind"]);
    }
}

/// Callers give up at every moment of their submission. Each command is either carried out once or not at all, repeating it tells which,
/// and the log goes on.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_storm_of_dropped_callers_loses_and_doubles_nothing() {
    for site in every().await {
        let options = WriterOptions { queue_commands: 4, batch_commands: 8, ..WriterOptions::default() };
        let writer = Writer::spawn(Arc::new(Counter), site.log(), options);
        let add = |n: u64| {
            let key = CommandKey { id: format!("c{n}"), body_hash: [0; 32] };
            on(&format!("s{}", n % 3), Command::Add(1)).with_key(key)
        };
        let mut answered = 0u64;
        for wave in 0..30u64 {
            let callers = (0..20u64).map(|caller| {
                let n = wave * 20 + caller;
                tokio::time::timeout(Duration::from_micros((n * 131) % 20_000), writer.submit(add(n)))
            });
            answered += futures::future::join_all(callers).await.into_iter().filter(|one| matches!(one, Ok(Ok(_)))).count() as u64;
        }
        assert!(answered > 0, "{}: nobody was answered", site.name);
        let repeats = futures::future::join_all((0..600).map(|n| writer.submit(add(n)))).await;
        let known = repeats.into_iter().filter(|one| one.as_ref().unwrap().appended.deduplicated).count() as u64;
        assert!(known >= answered, "{}: {answered} were answered, {known} are stored", site.name);
        assert_eq!(site.log().head().await.unwrap(), 600);
        for n in 0..3 {
            assert_eq!(writer.state(&format!("s{n}")).await.unwrap().0.total, 200);
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn dropped_appends_are_whole_or_nothing() {
    for site in every().await {
        let log = site.log();
        for n in 0..200u64 {
            let one = log.append(vec![append(&format!("s{n}@0: x y z"))]);
            let _ = tokio::time::timeout(Duration::from_micros((n * 53) % 2000), one).await;
        }
        log.append(vec![append("last@0: end")]).await.unwrap();
        // What was started goes on to its end, though nobody waits for it.
        eventually("all started appends end", || async {
            let events = log.read(0, 10_000).await.unwrap();
            let whole = events.chunk_by(|a, b| a.stream == b.stream).all(|run| run.len() == 3 || run[0].stream == "last");
            whole && events.len() as u64 == log.head().await.unwrap() && events.iter().any(|event| event.stream == "last")
        })
        .await;
    }
}

#[tokio::test]
async fn an_append_that_breaks_before_the_commit_leaves_nothing() {
    for site in durable().await {
        for at in [CrashPoint::Locked, CrashPoint::Stored] {
            let log = site.faulty(Arc::new(Break { at, times: AtomicU32::new(1) })).await.unwrap();
            let broken = log.append(vec![append("a@*: lost")]).await;
            assert!(matches!(broken, Err(LogError::Fault(_))), "{}", site.name);
            assert_eq!(log.head().await.unwrap(), 0);
        }
        let log = site.faulty(Arc::new(Break { at: CrashPoint::Committed, times: AtomicU32::new(1) })).await.unwrap();
        assert!(log.append(vec![append("a@0: kept")]).await.is_err());
        assert!(log.append(vec![append("a@1: next")]).await.unwrap()[0].is_ok());
        assert_eq!(transcript(&log).await, ["1 a@1 kept", "2 a@2 next"], "{}", site.name);
    }
}

#[tokio::test]
async fn a_writer_answers_a_full_disk_and_goes_on_when_there_is_space() {
    for site in durable().await {
        let log = site.log();
        let db = log.db().unwrap().clone();
        if db.dialect() != Dialect::Sqlite {
            continue;
        }
        let limit = async |pages: u32| {
            let mut tx = db.begin().await.unwrap();
            tx.query(&format!("PRAGMA max_page_count = {pages}"), &[]).await.unwrap();
            tx.commit().await.unwrap();
        };
        let writer = Writer::spawn(Arc::new(Counter), log.clone(), WriterOptions::default());
        limit(60).await;
        let mut stored = 0u64;
        let error = loop {
            match writer.submit(on(&format!("stream-with-a-long-name-{stored}"), Command::Add(1))).await {
                Ok(_) => stored += 1,
                Err(error) => break error,
            }
        };
        assert_eq!(error, WriteError::DiskFull);
        assert_eq!(log.head().await.unwrap(), stored);
        limit(100_000).await;
        let stream = format!("stream-with-a-long-name-{stored}");
        assert_eq!(writer.submit(on(&stream, Command::Add(1))).await.unwrap().appended.last_position, stored + 1);
    }
}
