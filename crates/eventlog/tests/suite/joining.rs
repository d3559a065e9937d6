//! Commands that come while a batch is decided and join it.

use std::sync::{Arc, Mutex};

use eventlog::consumer::handler::InboundCommand;
use eventlog::log::CrashPoint;
use eventlog::writer::{IngestError, Ingested};
use eventlog::{Intake, Submission, WriteError, Writer, WriterOptions, Written};
use futures::FutureExt;
use futures::future::BoxFuture;

use crate::counter::{BelowZero, Command, Counter, Nothing, Sum, added, moment, on, stream_meta};
use crate::hard::Break;
use crate::logs::{durable, transcript};

type Submitted = BoxFuture<'static, Result<Written<Sum>, WriteError<BelowZero>>>;
type Page = BoxFuture<'static, Result<Ingested, IngestError<BelowZero>>>;

/// What was sent from within a decision.
#[derive(Clone, Default)]
struct Sent {
    submitted: Arc<Mutex<Vec<Submitted>>>,
    pages: Arc<Mutex<Vec<Page>>>,
}

impl Sent {
    fn submit(&self, writer: &Writer<Counter>, submission: Submission<Counter>) {
        let writer = writer.clone();
        self.submitted.lock().unwrap().push(begun(async move { writer.submit(submission).await }));
    }

    fn ingest(&self, writer: &Writer<Counter>, intake: Intake<Command>) {
        let writer = writer.clone();
        self.pages.lock().unwrap().push(begun(async move { writer.ingest(intake).await }));
    }

    async fn answers(&self) -> Vec<Result<Written<Sum>, WriteError<BelowZero>>> {
        let submitted = std::mem::take(&mut *self.submitted.lock().unwrap());
        futures::future::join_all(submitted).await
    }

    async fn totals(&self) -> Vec<i64> {
        self.answers().await.into_iter().map(|answer| answer.unwrap().state.total).collect()
    }
}

/// Sends what a future sends, and keeps the future for its answer.
fn begun<T>(future: impl Future<Output = T> + Send + 'static) -> BoxFuture<'static, T> {
    let mut future = future.boxed();
    assert!((&mut future).now_or_never().is_none(), "it waits for its answer");
    future
}

/// A command in the middle of whose decision something happens, once.
fn while_decided(stream: &str, then: impl FnOnce() + Send + 'static) -> Submission<Counter> {
    let once = Mutex::new(Some(then));
    on(stream, Command::Add(1)).with_answer(move |_, _| {
        if let Some(then) = once.lock().unwrap().take() {
            then();
        }
        Vec::new()
    })
}

fn writer(log: eventlog::Log, batch_commands: usize) -> Writer<Counter> {
    Writer::spawn(Arc::new(Counter), log, WriterOptions { batch_commands, ..WriterOptions::default() })
}

#[tokio::test]
async fn what_comes_while_a_batch_is_decided_is_stored_with_it() {
    for site in durable().await {
        let (writer, sent) = (writer(site.log(), 512), Sent::default());
        writer.submit(on("b", Command::Add(5))).await.unwrap();
        let (inner, answers) = (writer.clone(), sent.clone());
        let first = while_decided("a", move || {
            for stream in ["a", "b", "a"] {
                answers.submit(&inner, on(stream, Command::Add(1)));
            }
        });
        assert_eq!(writer.submit(first).await.unwrap().state.total, 1, "{}", site.name);
        assert_eq!(sent.totals().await, [2, 6, 3], "{}", site.name);
        assert_eq!((writer.stats().batches, writer.stats().presumed), (2, 2), "{}", site.name);
        let all = ["1 b@1 5", "2 a@1 1", "3 a@2 1", "4 b@2 1", "5 a@3 1"];
        assert_eq!(transcript(&site.log()).await, all, "{}", site.name);
    }
}

/// The transaction is open by then: nothing is read for whoever comes late.
#[tokio::test]
async fn whose_stream_must_be_read_is_for_the_next_batch_and_all_behind_it() {
    for site in durable().await {
        let (writer, sent) = (writer(site.log(), 512), Sent::default());
        writer.submit(on("a", Command::Add(1))).await.unwrap();
        let other = site.another().await.unwrap();
        other.append(vec![added("old@0: 5")]).await.unwrap().remove(0).unwrap();
        // From here on it is known that somebody else appends: what is remembered of `a` is not known to be new.
        site.log().head().await.unwrap();
        let (inner, answers) = (writer.clone(), sent.clone());
        let first = while_decided("b", move || {
            for stream in ["b", "a", "old", "b", "new"] {
                answers.submit(&inner, on(stream, Command::Add(1)));
            }
        });
        assert_eq!(writer.submit(first).await.unwrap().state.total, 1, "{}", site.name);
        assert_eq!(sent.totals().await, [2, 2, 6, 3, 1], "{}", site.name);
        assert_eq!((writer.stats().batches, writer.stats().presumed), (3, 2), "{}", site.name);
    }
}

#[tokio::test]
async fn a_refused_command_that_joins_ends_the_batch_before_it() {
    for site in durable().await {
        let (writer, sent) = (writer(site.log(), 512), Sent::default());
        let (inner, answers) = (writer.clone(), sent.clone());
        let first = while_decided("a", move || {
            for by in [1, -9, 1] {
                answers.submit(&inner, on("a", Command::Add(by)));
            }
        });
        assert_eq!(writer.submit(first).await.unwrap().state.total, 1, "{}", site.name);
        let answered = sent.answers().await;
        assert_eq!(answered[0].as_ref().unwrap().state.total, 2, "{}", site.name);
        assert_eq!(answered[1].as_ref().unwrap_err(), &WriteError::Rejected(BelowZero), "{}", site.name);
        assert_eq!(answered[2].as_ref().unwrap().state.total, 3, "{}", site.name);
        assert_eq!((writer.stats().batches, writer.stats().presumed), (2, 1), "{}", site.name);
        // One refusal makes its own batch ask, and the one after it.
        for total in [4, 5] {
            assert_eq!(writer.submit(on("a", Command::Add(1))).await.unwrap().state.total, total, "{}", site.name);
        }
        assert_eq!((writer.stats().batches, writer.stats().presumed), (4, 2), "{}", site.name);
    }
}

/// A day may have begun while the batch was decided.
#[tokio::test]
async fn what_joins_is_recorded_when_it_came_and_not_before() {
    for site in durable().await {
        let (writer, sent) = (writer(site.log(), 512), Sent::default());
        let (inner, answers, clock) = (writer.clone(), sent.clone(), site.clock.clone());
        let first = while_decided("a", move || {
            clock.advance(chrono::TimeDelta::seconds(3));
            answers.submit(&inner, on("a", Command::Add(1)));
        });
        writer.submit(first).await.unwrap();
        assert_eq!(sent.totals().await, [2], "{}", site.name);
        assert_eq!(writer.stats().batches, 1, "{}", site.name);
        let recorded: Vec<_> = site.log().read(0, 9).await.unwrap().into_iter().map(|event| event.recorded_at).collect();
        assert_eq!(recorded, [moment(0), moment(3)], "{}", site.name);
    }
}

#[tokio::test]
async fn a_batch_has_an_end_however_much_comes() {
    for site in durable().await {
        let (writer, sent) = (writer(site.log(), 3), Sent::default());
        let (inner, answers) = (writer.clone(), sent.clone());
        let first = while_decided("a", move || (0..7).for_each(|_| answers.submit(&inner, on("a", Command::Add(1)))));
        writer.submit(first).await.unwrap();
        assert_eq!(sent.totals().await, (2..=8).collect::<Vec<_>>(), "{}", site.name);
        assert_eq!(writer.stats().batches, 3, "{}: 3, 3 and 2", site.name);
    }
}

/// Somebody who dropped the future of a command has sent it all the same.
#[tokio::test]
async fn a_cancelled_caller_joins_too() {
    for site in durable().await {
        let writer = writer(site.log(), 512);
        let inner = writer.clone();
        let first = while_decided("a", move || assert!(inner.submit(on("a", Command::Add(7))).now_or_never().is_none()));
        writer.submit(first).await.unwrap();
        assert_eq!((writer.stats().batches, writer.stats().commands), (1, 2), "{}", site.name);
        assert_eq!(writer.submit(on("a", Command::Add(1))).await.unwrap().state.total, 9, "{}", site.name);
    }
}

/// A page has a transaction of its own, and nothing overtakes it.
#[tokio::test]
async fn a_page_that_comes_meanwhile_keeps_its_turn() {
    for site in durable().await {
        let (writer, sent) = (writer(site.log(), 512), Sent::default());
        let (inner, answers) = (writer.clone(), sent.clone());
        let first = while_decided("a", move || {
            answers.submit(&inner, on("a", Command::Add(2)));
            let command = InboundCommand { stream: "a".into(), meta: stream_meta("a"), command: Command::Add(4) };
            answers.ingest(&inner, Intake { commands: vec![command], alongside: Arc::new(Nothing) });
            answers.submit(&inner, on("a", Command::Add(8)));
        });
        writer.submit(first).await.unwrap();
        assert_eq!(sent.totals().await, [3, 15], "{}", site.name);
        let page = sent.pages.lock().unwrap().pop().unwrap();
        assert_eq!(page.await.unwrap().appended[0].last_version, 3, "{}", site.name);
        assert_eq!(transcript(&site.log()).await, ["1 a@1 1", "2 a@2 2", "3 a@3 4", "4 a@4 8"], "{}", site.name);
        assert_eq!(writer.stats().batches, 3, "{}", site.name);
    }
}

/// The batch presumed that nobody else appends: all of it is done again with care, also what joined.
#[tokio::test]
async fn what_joined_a_batch_that_presumed_wrongly_is_decided_anew() {
    for site in durable().await {
        let (writer, sent) = (writer(site.log(), 512), Sent::default());
        writer.submit(on("a", Command::Add(10))).await.unwrap();
        // Nobody has told the writer.
        site.another().await.unwrap().append(vec![added("a@1: -5")]).await.unwrap().remove(0).unwrap();
        let (inner, answers) = (writer.clone(), sent.clone());
        // As presumed there are ten, in truth five.
        let first = while_decided("b", move || answers.submit(&inner, on("a", Command::Add(-10))));
        assert_eq!(writer.submit(first).await.unwrap().state.total, 1, "{}", site.name);
        assert_eq!(sent.answers().await.remove(0).unwrap_err(), WriteError::Rejected(BelowZero), "{}", site.name);
        assert_eq!(transcript(&site.log()).await, ["1 a@1 10", "2 a@2 -5", "3 b@1 1"], "{}", site.name);
        assert_eq!((writer.stats().batches, writer.stats().presumed), (2, 1), "{}", site.name);
    }
}

#[tokio::test]
async fn what_joined_a_batch_that_was_broken_off_is_not_stored_and_told_so() {
    for site in durable().await {
        let log = site.faulty(Arc::new(Break { at: CrashPoint::Stored, times: 1.into() })).await.unwrap();
        let (writer, sent) = (writer(log, 512), Sent::default());
        let (inner, answers) = (writer.clone(), sent.clone());
        let first = while_decided("a", move || answers.submit(&inner, on("a", Command::Add(2))));
        assert_eq!(writer.submit(first).await.unwrap_err().slug(), "unavailable", "{}", site.name);
        assert_eq!(sent.answers().await.remove(0).unwrap_err().slug(), "unavailable", "{}", site.name);
        assert!(transcript(&site.log()).await.is_empty(), "{}", site.name);
        assert_eq!(writer.submit(on("a", Command::Add(4))).await.unwrap().state.total, 4, "{}", site.name);
    }
}
