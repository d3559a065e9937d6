//! Commands that are decided while the batch before them commits.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use chrono::TimeDelta;
use eventlog::consumer::handler::InboundCommand;
use eventlog::log::{CrashPoint, Faults};
use eventlog::timers::Shards;
use eventlog::{CommandKey, Intake, Log, Submission, WriteError, Writer, WriterOptions, Written};
use tokio::sync::{Notify, mpsc};
use tokio::task::JoinHandle;

use crate::counter::{BelowZero, Command, Counter, Nothing, Sum, added, moment, on, stream_meta};
use crate::logs::{Site, durable, eventually, transcript};

type Answer = Result<Written<Sum>, WriteError<BelowZero>>;

/// Holds the first append that comes to a point until the test lets it go on, or break off.
struct Gate {
    at: CrashPoint,
    breaks: bool,
    is_over: AtomicBool,
    reached: Notify,
    go: Notify,
}

impl Gate {
    fn at(at: CrashPoint, breaks: bool) -> Arc<Self> {
        Arc::new(Gate { at, breaks, is_over: AtomicBool::new(false), reached: Notify::new(), go: Notify::new() })
    }
}

#[async_trait::async_trait]
impl Faults for Gate {
    async fn reach(&self, point: CrashPoint) -> Result<(), String> {
        if point != self.at || self.is_over.swap(true, Ordering::SeqCst) {
            return Ok(());
        }
        self.reached.notify_one();
        self.go.notified().await;
        if self.breaks { Err(format!("{point:?}")) } else { Ok(()) }
    }
}

/// Holds the first append that comes to a point, and breaks the second one off.
struct Relapse {
    gate: Arc<Gate>,
    is_over: AtomicBool,
}

#[async_trait::async_trait]
impl Faults for Relapse {
    async fn reach(&self, point: CrashPoint) -> Result<(), String> {
        let is_second = point == self.gate.at && self.gate.is_over.load(Ordering::SeqCst) && !self.is_over.swap(true, Ordering::SeqCst);
        if is_second { Err(format!("{point:?}")) } else { self.gate.reach(point).await }
    }
}

/// A writer whose first batch, of one command, is held at a point while others come.
struct Held {
    gate: Arc<Gate>,
    writer: Writer<Counter>,
    first: JoinHandle<Answer>,
    tell: mpsc::UnboundedSender<String>,
    told: mpsc::UnboundedReceiver<String>,
}

impl Held {
    async fn at(site: &Site, at: CrashPoint, first: Submission<Counter>) -> Self {
        Self::by(site, Gate::at(at, false), first).await
    }

    async fn by(site: &Site, gate: Arc<Gate>, first: Submission<Counter>) -> Self {
        Self::beginning_with(1, site, gate, first).await
    }

    /// In use a batch is begun when more of it is there.
    async fn beginning_with(part_commands: usize, site: &Site, gate: Arc<Gate>, first: Submission<Counter>) -> Self {
        let writer = spawn(site.faulty(gate.clone()).await.unwrap(), part_commands);
        Self::holding(writer, gate, first).await
    }

    async fn holding(writer: Writer<Counter>, gate: Arc<Gate>, first: Submission<Counter>) -> Self {
        let (tell, told) = mpsc::unbounded_channel();
        let first = send(&writer, first);
        gate.reached.notified().await;
        Held { gate, writer, first, tell, told }
    }

    fn send(&self, submission: Submission<Counter>) -> JoinHandle<Answer> {
        send(&self.writer, submission)
    }

    /// Sends a command and waits until it is decided: `stream total`.
    async fn decided(&mut self, stream: &str, command: Command) -> (JoinHandle<Answer>, String) {
        let answer = self.send(self.telling(stream, command));
        (answer, self.told.recv().await.unwrap())
    }

    fn telling(&self, stream: &str, command: Command) -> Submission<Counter> {
        let (tell, name) = (self.tell.clone(), stream.to_owned());
        on(stream, command).with_answer(move |state, _| {
            // A test that has seen enough may have ended.
            let _ = tell.send(format!("{name} {}", state.total));
            Vec::new()
        })
    }
}

fn spawn(log: Log, part_commands: usize) -> Writer<Counter> {
    Writer::spawn(Arc::new(Counter), log, WriterOptions { part_commands, ..WriterOptions::default() })
}

fn send(writer: &Writer<Counter>, submission: Submission<Counter>) -> JoinHandle<Answer> {
    let writer = writer.clone();
    tokio::spawn(async move { writer.submit(submission).await })
}

/// Of this runtime, which has one thread.
async fn others_have_their_turn() {
    for _ in 0..100 {
        tokio::task::yield_now().await;
    }
}

async fn total(answer: JoinHandle<Answer>) -> i64 {
    answer.await.unwrap().unwrap().state.total
}

#[tokio::test]
async fn what_comes_while_a_batch_commits_is_decided_on_what_that_leaves() {
    for site in durable().await {
        let mut held = Held::at(&site, CrashPoint::Stored, on("a", Command::Add(1))).await;
        let (second, decided) = held.decided("a", Command::Add(2)).await;
        assert_eq!(decided, "a 3", "{}", site.name);
        let (third, decided) = held.decided("b", Command::Add(5)).await;
        assert_eq!(decided, "b 5", "{}: read while the other one commits", site.name);
        let (fourth, _) = held.decided("a", Command::Add(4)).await;
        assert!(transcript(&site.log()).await.is_empty(), "{}: nothing is committed yet", site.name);
        held.gate.go.notify_one();
        assert_eq!([total(held.first).await, total(second).await, total(third).await, total(fourth).await], [1, 3, 5, 7], "{}", site.name);
        assert_eq!((held.writer.stats().batches, held.writer.stats().presumed), (2, 2), "{}", site.name);
        assert_eq!(transcript(&site.log()).await, ["1 a@1 1", "2 a@2 2", "3 b@1 5", "4 a@3 4"], "{}", site.name);
        assert_eq!(held.writer.submit(on("a", Command::Add(1))).await.unwrap().state.total, 8, "{}", site.name);
    }
}

/// A draft of a few commands would be committed alone, and those whom the commit answers after it.
#[tokio::test]
async fn few_commands_wait_and_many_are_decided() {
    for site in durable().await {
        let gate = Gate::at(CrashPoint::Stored, false);
        let mut held = Held::beginning_with(3, &site, gate, on("a", Command::Add(1))).await;
        let mut answers: Vec<_> = (0..2).map(|_| held.send(held.telling("a", Command::Add(1)))).collect();
        others_have_their_turn().await;
        assert!(held.told.try_recv().is_err(), "{}: two are few", site.name);
        answers.push(held.send(held.telling("a", Command::Add(1))));
        for decided in ["a 2", "a 3", "a 4"] {
            assert_eq!(held.told.recv().await.unwrap(), decided, "{}", site.name);
        }
        held.gate.go.notify_one();
        for (answer, expected) in answers.into_iter().zip(2..) {
            assert_eq!(total(answer).await, expected, "{}", site.name);
        }
        assert_eq!(held.writer.stats().batches, 2, "{}", site.name);
    }
}

#[tokio::test]
async fn a_stream_of_the_log_is_read_while_a_batch_commits() {
    for site in durable().await {
        site.log().append(vec![added("old@0: 7")]).await.unwrap().remove(0).unwrap();
        let mut held = Held::at(&site, CrashPoint::Stored, on("a", Command::Add(1))).await;
        let (old, decided) = held.decided("old", Command::Add(-7)).await;
        assert_eq!(decided, "old 0", "{}", site.name);
        held.gate.go.notify_one();
        assert_eq!((total(held.first).await, total(old).await), (1, 0), "{}", site.name);
        assert_eq!((held.writer.stats().batches, held.writer.stats().presumed), (2, 2), "{}", site.name);
    }
}

/// What was decided on a batch that then was not stored is decided anew, in its order, before any answer is given.
#[tokio::test]
async fn a_batch_that_breaks_off_takes_what_was_decided_on_it_along() {
    for site in durable().await {
        let gate = Gate::at(CrashPoint::Stored, true);
        let mut held = Held::by(&site, gate, on("a", Command::Plan("lost", 50))).await;
        let (planned, _) = held.decided("a", Command::Plan("kept", 60)).await;
        let (taken, decided) = held.decided("b", Command::Add(10)).await;
        assert_eq!(decided, "b 10", "{}", site.name);
        let (given, decided) = held.decided("b", Command::Add(-10)).await;
        assert_eq!(decided, "b 0", "{}", site.name);
        held.gate.go.notify_one();
        assert_eq!(held.first.await.unwrap().unwrap_err().slug(), "unavailable", "{}", site.name);
        assert_eq!(planned.await.unwrap().unwrap().state.planned, [("kept".to_owned(), 60)], "{}", site.name);
        assert_eq!((total(taken).await, total(given).await), (10, 0), "{}", site.name);
        assert_eq!(transcript(&site.log()).await, ["1 a@1 kept 60", "2 b@1 10", "3 b@2 -10"], "{}", site.name);
        let timers = site.log().timers(&Shards::All, 9).await.unwrap();
        assert_eq!(timers.iter().map(|timer| (timer.track.as_str(), timer.due_at)).collect::<Vec<_>>(), [("kept", moment(60))]);
    }
}

/// What was decided goes to SQLite before the callers of the commit are answered. Where that breaks off, they are answered as if it had not
/// begun, and nothing of it is left, timers neither.
#[tokio::test]
async fn a_draft_that_began_and_broke_off_leaves_what_was_committed() {
    for site in durable().await {
        let gate = Gate::at(CrashPoint::Stored, false);
        let relapse = Arc::new(Relapse { gate: gate.clone(), is_over: AtomicBool::new(false) });
        let mut held = Held::holding(spawn(site.faulty(relapse).await.unwrap(), 1), gate, on("a", Command::Add(1))).await;
        let (second, decided) = held.decided("a", Command::Add(2)).await;
        assert_eq!(decided, "a 3", "{}", site.name);
        let (planned, _) = held.decided("b", Command::Plan("lost", 60)).await;
        held.gate.go.notify_one();
        assert_eq!(total(held.first).await, 1, "{}", site.name);
        assert_eq!(held.writer.stats().begun_at_once, u64::from(site.name == "sqlite"), "{}", site.name);
        for lost in [second, planned] {
            assert_eq!(lost.await.unwrap().unwrap_err().slug(), "unavailable", "{}", site.name);
        }
        assert_eq!(transcript(&site.log()).await, ["1 a@1 1"], "{}", site.name);
        assert!(site.log().timers(&Shards::All, 9).await.unwrap().is_empty(), "{}", site.name);
        assert_eq!(held.writer.submit(on("a", Command::Add(5))).await.unwrap().state.total, 6, "{}", site.name);
        assert_eq!(transcript(&site.log()).await, ["1 a@1 1", "2 a@2 5"], "{}", site.name);
    }
}

#[tokio::test]
async fn what_a_lost_batch_would_have_allowed_is_refused() {
    for site in durable().await {
        let mut held = Held::by(&site, Gate::at(CrashPoint::Stored, true), on("a", Command::Add(10))).await;
        let (spent, decided) = held.decided("a", Command::Add(-10)).await;
        assert_eq!(decided, "a 0", "{}", site.name);
        held.gate.go.notify_one();
        assert_eq!(held.first.await.unwrap().unwrap_err().slug(), "unavailable", "{}", site.name);
        assert_eq!(spent.await.unwrap().unwrap_err(), WriteError::Rejected(BelowZero), "{}", site.name);
        assert!(transcript(&site.log()).await.is_empty(), "{}", site.name);
    }
}

/// Stored, and then its connection broke: what was decided on it was decided rightly, but nobody here knows that.
#[tokio::test]
async fn a_batch_whose_end_is_unknown_is_looked_at_again() {
    for site in durable().await {
        let mut held = Held::by(&site, Gate::at(CrashPoint::Committed, true), on("a", Command::Add(10))).await;
        let (spent, _) = held.decided("a", Command::Add(-4)).await;
        held.gate.go.notify_one();
        assert_eq!(held.first.await.unwrap().unwrap_err().slug(), "unavailable", "{}", site.name);
        assert_eq!(total(spent).await, 6, "{}", site.name);
        assert_eq!(transcript(&site.log()).await, ["1 a@1 10", "2 a@2 -4"], "{}", site.name);
    }
}

/// Another process appends between the commit and the transaction of what was decided meanwhile.
#[tokio::test]
async fn who_comes_between_a_commit_and_the_next_batch_is_seen_by_it() {
    for site in durable().await {
        let mut held = Held::at(&site, CrashPoint::Committed, on("a", Command::Add(10))).await;
        let (spent, decided) = held.decided("a", Command::Add(-10)).await;
        assert_eq!(decided, "a 0", "{}", site.name);
        site.another().await.unwrap().append(vec![added("a@1: -5")]).await.unwrap().remove(0).unwrap();
        held.gate.go.notify_one();
        assert_eq!(total(held.first).await, 10, "{}", site.name);
        assert_eq!(spent.await.unwrap().unwrap_err(), WriteError::Rejected(BelowZero), "{}", site.name);
        assert_eq!(transcript(&site.log()).await, ["1 a@1 10", "2 a@2 -5"], "{}", site.name);
    }
}

/// What is refused, or causes nothing, would leave nothing in the log that proves it: it waits for the commit, and is then decided with care.
#[tokio::test]
async fn what_the_log_would_not_prove_waits_for_the_commit() {
    for site in durable().await {
        for unproven in [Command::Add(-9), Command::Nothing] {
            let stream = format!("{unproven:?}");
            let mut held = Held::at(&site, CrashPoint::Stored, on(&stream, Command::Add(1))).await;
            let (second, _) = held.decided(&stream, Command::Add(1)).await;
            let refused = held.send(on(&stream, unproven));
            let behind = held.send(held.telling(&stream, Command::Add(1)));
            held.gate.go.notify_one();
            assert_eq!((total(held.first).await, total(second).await), (1, 2), "{}", site.name);
            match refused.await.unwrap() {
                Ok(nothing) => assert_eq!((stream.as_str(), nothing.state.total), ("Nothing", 2), "{}", site.name),
                Err(error) => assert_eq!((stream.as_str(), error), ("Add(-9)", WriteError::Rejected(BelowZero)), "{}", site.name),
            }
            assert_eq!(total(behind).await, 3, "{}", site.name);
        }
    }
}

/// A wake that is refused is done with its timers all the same.
#[tokio::test]
async fn a_refused_wake_rewrites_its_timers_after_the_commit() {
    for site in durable().await {
        spawn(site.log(), 1).submit(on("a", Command::Plan("step", 10))).await.unwrap();
        site.clock.advance(TimeDelta::seconds(20));
        let mut held = Held::at(&site, CrashPoint::Stored, on("b", Command::Add(1))).await;
        let (second, _) = held.decided("b", Command::Add(1)).await;
        let wake = held.send(on("a", Command::Add(-1)).for_wake(moment(20)));
        held.gate.go.notify_one();
        assert_eq!((total(held.first).await, total(second).await), (1, 2), "{}", site.name);
        assert_eq!(wake.await.unwrap().unwrap_err(), WriteError::Rejected(BelowZero), "{}", site.name);
        assert!(site.log().timers(&Shards::All, 9).await.unwrap().is_empty(), "{}", site.name);
        assert_eq!((held.writer.stats().batches, held.writer.stats().presumed), (3, 2), "{}: it has a batch of its own", site.name);
    }
}

/// A page of a view has SQLite's writer when a batch wants it: what was decided of the batch waits, what comes is decided with it, and who is refused
/// meanwhile is refused on what is stored by then.
#[tokio::test]
async fn who_waits_for_the_database_decides_on() {
    for site in durable().await {
        let gate = Gate::at(CrashPoint::Stored, false);
        let log = site.faulty(gate.clone()).await.unwrap();
        let db = log.db().cloned().unwrap();
        let mut held = Held::holding(spawn(log, 1), gate, on("a", Command::Add(1))).await;
        let (second, _) = held.decided("a", Command::Add(2)).await;
        let more = held.telling("a", Command::Add(4));
        let (has_it, is_had) = tokio::sync::oneshot::channel();
        let (leave, left) = tokio::sync::oneshot::channel::<()>();
        let page = tokio::spawn(async move {
            let tx = db.begin().await.unwrap();
            has_it.send(()).unwrap();
            left.await.unwrap();
            tx.rollback().await.unwrap();
        });
        others_have_their_turn().await;
        held.gate.go.notify_one();
        assert_eq!(total(held.first).await, 1, "{}: answered while somebody has the database", site.name);
        is_had.await.unwrap();
        let third = send(&held.writer, more);
        assert_eq!(held.told.recv().await.unwrap(), "a 7", "{}: decided before its transaction", site.name);
        let refused = send(&held.writer, on("a", Command::Add(-8)));
        others_have_their_turn().await;
        leave.send(()).unwrap();
        page.await.unwrap();
        assert_eq!((total(second).await, total(third).await), (3, 7), "{}", site.name);
        assert_eq!(refused.await.unwrap().unwrap_err(), WriteError::Rejected(BelowZero), "{}", site.name);
        assert_eq!(transcript(&site.log()).await, ["1 a@1 1", "2 a@2 2", "3 a@3 4"], "{}", site.name);
        if site.name == "sqlite" {
            let stats = held.writer.stats();
            assert_eq!((stats.batches, stats.begun_at_once), (3, 0), "the second and the third go together, the refused one with care");
        }
    }
}

/// A draft's parts wait with their timers. What a later one moves, wakes or plans anew is not undone by one before it, whether the draft begins at once
/// or after somebody who waits for the database.
#[tokio::test]
async fn timers_of_a_stream_in_several_parts_of_a_draft_are_its_last_ones() {
    for somebody_waits in [false, true] {
        for site in durable().await {
            spawn(site.log(), 1).submit(on("w", Command::Plan("due", 1))).await.unwrap();
            site.clock.advance(TimeDelta::seconds(2));
            let gate = Gate::at(CrashPoint::Stored, false);
            let log = site.faulty(gate.clone()).await.unwrap();
            let db = log.db().cloned().unwrap();
            let mut held = Held::holding(spawn(log, 1), gate, on("b", Command::Add(1))).await;
            let mut answers = Vec::new();
            for (stream, track, at) in [("a", "moved", 60), ("w", "later", 70), ("a", "moved", 40), ("a", "more", 50)] {
                answers.push(held.decided(stream, Command::Plan(track, at)).await.0);
            }
            answers.push(held.send(held.telling("w", Command::Wake(moment(2))).for_wake(moment(2))));
            held.told.recv().await.unwrap();
            answers.push(held.decided("w", Command::Plan("later", 30)).await.0);
            let waits = somebody_waits.then(|| tokio::spawn(async move { drop(db.begin().await) }));
            others_have_their_turn().await;
            held.gate.go.notify_one();
            for answer in answers {
                answer.await.unwrap().unwrap();
            }
            if let Some(waits) = waits {
                waits.await.unwrap();
            }
            let begun = u64::from(site.name == "sqlite" && !somebody_waits);
            assert_eq!(held.writer.stats().begun_at_once, begun, "{}", site.name);
            let timers = site.log().timers(&Shards::All, 9).await.unwrap();
            let timers: Vec<_> = timers.iter().map(|timer| (timer.stream.as_str(), timer.track.as_str(), timer.due_at)).collect();
            let expected = [("w", "later", 30), ("a", "moved", 40), ("a", "more", 50)];
            assert_eq!(timers, expected.map(|(stream, track, at)| (stream, track, moment(at))), "{}", site.name);
        }
    }
}

#[tokio::test]
async fn timers_of_a_stream_that_follows_itself_are_those_of_its_last_state() {
    for site in durable().await {
        let mut held = Held::at(&site, CrashPoint::Stored, on("a", Command::Plan("step", 10))).await;
        let (moved, _) = held.decided("a", Command::Plan("step", 30)).await;
        let (more, _) = held.decided("a", Command::Plan("other", 20)).await;
        held.gate.go.notify_one();
        for answer in [held.first, moved, more] {
            answer.await.unwrap().unwrap();
        }
        let timers = site.log().timers(&Shards::All, 9).await.unwrap();
        let timers: Vec<_> = timers.iter().map(|timer| (timer.track.as_str(), timer.due_at)).collect();
        assert_eq!(timers, [("other", moment(20)), ("step", moment(30))], "{}", site.name);
    }
}

#[tokio::test]
async fn what_is_decided_meanwhile_is_recorded_when_it_came() {
    for site in durable().await {
        let mut held = Held::at(&site, CrashPoint::Stored, on("a", Command::Add(1))).await;
        site.clock.advance(TimeDelta::seconds(3));
        let (second, _) = held.decided("a", Command::Add(1)).await;
        site.clock.advance(TimeDelta::seconds(4));
        held.gate.go.notify_one();
        assert_eq!((total(held.first).await, total(second).await), (1, 2), "{}", site.name);
        let recorded: Vec<_> = site.log().read(0, 9).await.unwrap().into_iter().map(|event| event.recorded_at).collect();
        assert_eq!(recorded, [moment(0), moment(3)], "{}", site.name);
    }
}

/// A command that was sent is carried out, whether or not somebody still waits for it.
#[tokio::test]
async fn a_cancelled_caller_loses_nothing() {
    for site in durable().await {
        for breaks in [false, true] {
            let stream = format!("{breaks}");
            let mut held = Held::by(&site, Gate::at(CrashPoint::Stored, breaks), on(&stream, Command::Add(1))).await;
            let (gone, _) = held.decided(&stream, Command::Add(7)).await;
            gone.abort();
            assert!(gone.await.unwrap_err().is_cancelled());
            held.gate.go.notify_one();
            assert_eq!(held.first.await.unwrap().is_err(), breaks, "{}", site.name);
            let expected = if breaks { 8 } else { 9 };
            assert_eq!(held.writer.submit(on(&stream, Command::Add(1))).await.unwrap().state.total, expected, "{}", site.name);
        }
    }
}

#[tokio::test]
async fn a_page_waits_for_what_came_before_it_and_nothing_overtakes_it() {
    for site in durable().await {
        let mut held = Held::at(&site, CrashPoint::Stored, on("a", Command::Add(1))).await;
        let (before, _) = held.decided("a", Command::Add(2)).await;
        let command = InboundCommand { stream: "a".into(), meta: stream_meta("a"), command: Command::Add(4) };
        let mut page = Box::pin(held.writer.ingest(Intake { commands: vec![command], alongside: Arc::new(Nothing) }));
        assert!(futures::poll!(page.as_mut()).is_pending());
        let behind = held.send(held.telling("a", Command::Add(8)));
        held.gate.go.notify_one();
        assert_eq!([total(held.first).await, total(before).await, total(behind).await], [1, 3, 15], "{}", site.name);
        assert_eq!(page.await.unwrap().appended[0].last_version, 3, "{}", site.name);
        assert_eq!(transcript(&site.log()).await, ["1 a@1 1", "2 a@2 2", "3 a@3 4", "4 a@4 8"], "{}", site.name);
    }
}

/// What one batch takes is taken for the next one too, though that one has not asked.
#[tokio::test]
async fn a_name_that_the_batch_before_takes_is_taken() {
    for site in durable().await {
        let mut held = Held::at(&site, CrashPoint::Stored, on("a", Command::Add(1)).with_claim("name", "x")).await;
        let (fits, _) = held.decided("b", Command::Add(1)).await;
        let late = held.send(held.telling("b", Command::Add(1)).with_claim("name", "x"));
        assert_eq!(held.told.recv().await.unwrap(), "b 2", "{}", site.name);
        held.gate.go.notify_one();
        assert_eq!((total(held.first).await, total(fits).await), (1, 1), "{}", site.name);
        let taken = late.await.unwrap().unwrap_err();
        assert_eq!(taken.slug(), "claim_taken", "{}", site.name);
        assert_eq!(transcript(&site.log()).await, ["1 a@1 1", "2 b@1 1"], "{}", site.name);
    }
}

/// Answers are given only for what is committed, and in no case for what is only decided.
#[tokio::test]
async fn nobody_is_answered_before_the_commit_of_his_own_batch() {
    for site in durable().await {
        let mut held = Held::at(&site, CrashPoint::Stored, on("a", Command::Add(1))).await;
        let (second, _) = held.decided("a", Command::Add(1)).await;
        others_have_their_turn().await;
        assert!(!held.first.is_finished() && !second.is_finished(), "{}", site.name);
        assert_eq!(held.writer.state("a").await.unwrap().1, 0, "{}: a state that is not committed is nobody's", site.name);
        held.gate.go.notify_one();
        assert_eq!((total(held.first).await, total(second).await), (1, 2), "{}", site.name);
    }
}

/// A service has several writers on its log, each with streams of its own. What was decided keeps its place behind whoever came between.
#[tokio::test]
async fn another_writer_of_the_same_log_moves_what_was_decided() {
    for site in durable().await {
        let gate = Gate::at(CrashPoint::Stored, false);
        gate.is_over.store(true, Ordering::SeqCst);
        let log = site.faulty(gate.clone()).await.unwrap();
        let (one, other) = (spawn(log.clone(), 1), spawn(log, 1));
        other.submit(on("b", Command::Add(1))).await.unwrap();
        gate.is_over.store(false, Ordering::SeqCst);
        let mut held = Held::holding(one, gate, on("a", Command::Add(1))).await;
        let key = CommandKey { id: "twice".into(), body_hash: [7; 32] };
        let second = held.send(held.telling("a", Command::Add(1)).with_key(key.clone()));
        assert_eq!(held.told.recv().await.unwrap(), "a 2", "{}", site.name);
        let between = send(&other, on("b", Command::Add(1)));
        others_have_their_turn().await;
        held.gate.go.notify_one();
        let (second, between) = (second.await.unwrap().unwrap().appended, between.await.unwrap().unwrap().appended);
        assert_eq!(total(held.first).await, 1, "{}", site.name);
        let again = held.writer.submit(on("a", Command::Add(1)).with_key(key)).await.unwrap().appended;
        assert_eq!((again.deduplicated, again.last_position), (true, second.last_position), "{}", site.name);
        let places = [format!("{} a@2 1", second.last_position), format!("{} b@2 1", between.last_position)];
        let all = transcript(&site.log()).await;
        assert!(all.len() == 4 && places.iter().all(|place| all.contains(place)), "{}: {all:?} and {places:?}", site.name);
        if site.name == "sqlite" {
            // Who waits for SQLite's one writer comes in turn.
            assert_eq!((between.last_position, second.last_position), (3, 4), "{}", site.name);
            let stats = held.writer.stats();
            assert_eq!((stats.batches, stats.presumed), (3, 2), "{}: only the repetition asked", site.name);
            assert_eq!(stats.begun_at_once, 0, "{}: who waits comes first", site.name);
        }
    }
}

/// One command that causes nothing does not spoil those before it.
#[tokio::test]
async fn what_was_decided_before_an_unproven_command_is_stored_without_asking() {
    for site in durable().await {
        for (unproven, stream) in [(Command::Add(-9), "refused"), (Command::Nothing, "nothing")] {
            let mut held = Held::at(&site, CrashPoint::Stored, on(stream, Command::Add(1))).await;
            let (second, _) = held.decided(stream, Command::Add(1)).await;
            let late = held.send(on(stream, unproven));
            held.gate.go.notify_one();
            assert_eq!((total(held.first).await, total(second).await), (1, 2), "{}", site.name);
            assert_eq!(late.await.unwrap().is_err(), stream == "refused", "{}", site.name);
            assert_eq!((held.writer.stats().batches, held.writer.stats().presumed), (3, 2), "{}: {stream}", site.name);
        }
    }
}

#[tokio::test]
async fn a_draft_has_an_end_too() {
    for site in durable().await {
        let gate = Gate::at(CrashPoint::Stored, false);
        let options = WriterOptions { batch_commands: 2, part_commands: 1, ..WriterOptions::default() };
        let writer = Writer::spawn(Arc::new(Counter), site.faulty(gate.clone()).await.unwrap(), options);
        let mut held = Held::holding(writer, gate, on("a", Command::Add(1))).await;
        let answers: Vec<_> = (0..3).map(|_| held.send(held.telling("a", Command::Add(1)))).collect();
        for decided in ["a 2", "a 3"] {
            assert_eq!(held.told.recv().await.unwrap(), decided, "{}", site.name);
        }
        others_have_their_turn().await;
        assert!(held.told.try_recv().is_err(), "{}: two fill a batch", site.name);
        held.gate.go.notify_one();
        for (answer, expected) in answers.into_iter().zip(2..) {
            assert_eq!(total(answer).await, expected, "{}", site.name);
        }
        assert_eq!(held.writer.stats().batches, 3, "{}", site.name);
    }
}

#[tokio::test]
async fn a_draft_is_stored_though_all_handles_are_gone() {
    for site in durable().await {
        let mut held = Held::at(&site, CrashPoint::Stored, on("a", Command::Add(1))).await;
        let (second, _) = held.decided("a", Command::Add(2)).await;
        for gone in [&held.first, &second] {
            gone.abort();
        }
        assert!(second.await.unwrap_err().is_cancelled());
        drop(held.writer);
        held.gate.go.notify_one();
        let log = site.log();
        eventually("both are stored", async || transcript(&log).await == ["1 a@1 1", "2 a@2 2"]).await;
    }
}
