use std::sync::Arc;

use eventlog::{CommandKey, WriteError, Writer, WriterOptions};

use crate::counter::{BelowZero, Command, Counter, added, on};
use crate::logs::{append, durable, every, transcript};

fn writer(log: eventlog::Log) -> Writer<Counter> {
    Writer::spawn(Arc::new(Counter), log, WriterOptions::default())
}

#[tokio::test]
async fn commands_on_one_stream_see_each_other_within_a_batch() {
    for site in every().await {
        let writer = writer(site.log());
        let adds = (0..200).map(|_| writer.submit(on("a", Command::Add(1))));
        let written = futures::future::join_all(adds).await;
        let mut totals: Vec<i64> = written.iter().map(|one| one.as_ref().unwrap().state.total).collect();
        totals.sort_unstable();
        assert_eq!(totals, (1..=200).collect::<Vec<_>>(), "{}", site.name);
        assert_eq!(site.log().head().await.unwrap(), 200);
        assert!(writer.stats().batches < 50, "200 commands took {} transactions", writer.stats().batches);
    }
}

#[tokio::test]
async fn a_rejected_command_fails_nobody_else() {
    for site in every().await {
        let writer = writer(site.log());
        let (one, two, three, four) = tokio::join!(
            writer.submit(on("a", Command::Add(5))),
            writer.submit(on("a", Command::Add(-6))),
            writer.submit(on("a", Command::Add(-5))),
            writer.submit(on("b", Command::Nothing)),
        );
        assert_eq!(two.unwrap_err(), WriteError::Rejected(BelowZero), "{}", site.name);
        assert_eq!((one.unwrap().state.total, three.unwrap().state.total), (5, 0));
        let nothing = four.unwrap().appended;
        assert_eq!((nothing.first_version, nothing.last_version), (1, 0));
        assert_eq!(transcript(&site.log()).await, ["1 a@1 5", "2 a@2 -5"]);
    }
}

#[tokio::test]
async fn a_repeated_command_is_answered_from_the_log_also_after_a_restart() {
    for site in every().await {
        let add = |id: &str, by: i64| {
            let key = CommandKey { id: id.into(), body_hash: [by as u8; 32] };
            on("a", Command::Add(by)).with_key(key).with_answer(|state, events| format!("{} {events:?}", state.total).into_bytes())
        };
        for _restart in 0..2 {
            let writer = writer(site.log());
            let twins = tokio::join!(writer.submit(add("k", 7)), writer.submit(add("k", 7)), writer.submit(add("k", 8)));
            assert_eq!(twins.0.unwrap().appended.answer, b"7 [Added(7)]", "{}", site.name);
            let second = twins.1.unwrap();
            assert_eq!((second.appended.answer.as_slice(), second.appended.deduplicated), (b"7 [Added(7)]".as_slice(), true));
            assert_eq!(second.state.total, 7);
            assert_eq!(twins.2.unwrap_err(), WriteError::CommandReused);
        }
        assert_eq!(transcript(&site.log()).await, ["1 a@1 7"]);
    }
}

/// What was decided before must be answered, however it would be decided now: a batch that did not ask the log does not know of it.
#[tokio::test]
async fn a_repeated_command_that_would_be_refused_now_is_answered_as_the_first_time() {
    for site in every().await {
        let writer = writer(site.log());
        let take = || on("a", Command::Add(-5)).with_key(CommandKey { id: "take".into(), body_hash: [1; 32] });
        writer.submit(on("a", Command::Add(5))).await.unwrap();
        let first = writer.submit(take()).await.unwrap().appended;
        for _ in 0..3 {
            let again = writer.submit(take()).await.unwrap().appended;
            assert_eq!((again.deduplicated, again.last_position), (true, first.last_position), "{}", site.name);
            writer.submit(on("b", Command::Add(1))).await.unwrap();
        }
        assert_eq!(writer.submit(on("a", Command::Add(-5))).await.unwrap_err(), WriteError::Rejected(BelowZero));
    }
}

#[tokio::test]
async fn new_commands_are_stored_without_asking_the_log_and_others_with_care() {
    for site in durable().await {
        let (writer, other) = (writer(site.log()), site.another().await.unwrap());
        let add = |stream: &str, by: i64| writer.submit(on(stream, Command::Add(by)));
        for by in [5, 6] {
            add("a", by).await.unwrap();
        }
        assert_eq!((writer.stats().presumed, writer.stats().batches), (2, 2), "{}", site.name);

        // Somebody else was there: on the same stream, then on another one, then with the name.
        other.append(vec![added("a@2: 7")]).await.unwrap().remove(0).unwrap();
        assert_eq!(add("a", 1).await.unwrap().state.total, 19);
        other.append(vec![added("b@0: 1")]).await.unwrap().remove(0).unwrap();
        assert_eq!(add("a", 1).await.unwrap().appended.last_position, 6);
        let mut named = added("c@0: 1");
        named.claims.push(eventlog::Claim { kind: "invoice", key: "i".into() });
        other.append(vec![named]).await.unwrap().remove(0).unwrap();
        let taken = writer.submit(on("a", Command::Add(1)).with_claim("invoice", "i")).await.unwrap_err();
        assert_eq!(taken.slug(), "claim_taken", "{}", site.name);

        // A refusal on an old state: what somebody else added counts.
        other.append(vec![added("a@5: 30")]).await.unwrap().remove(0).unwrap();
        assert_eq!(add("a", -40).await.unwrap().state.total, 10, "{}", site.name);
        let asked = writer.stats().batches - writer.stats().presumed;
        assert!(asked >= 3, "{asked} batches asked");
        // After that it dares again.
        for _ in 0..200 {
            add("d", 1).await.unwrap();
        }
        assert!(writer.stats().presumed >= 100, "{:?}", writer.stats());
        assert_eq!(site.log().read(0, 1000).await.unwrap().len() as u64, site.log().head().await.unwrap());
    }
}

/// As after a failover to a copy that lagged: the end of the log is gone, and somebody else has gone on from there.
#[tokio::test]
async fn a_stream_that_lost_its_end_is_told_and_not_continued() {
    for site in durable().await {
        let (writer, db) = (writer(site.log()), site.database().await.unwrap());
        for by in [1, 2, 3] {
            writer.submit(on("a", Command::Add(by))).await.unwrap();
        }
        let mut tx = db.begin().await.unwrap();
        tx.execute("DELETE FROM events WHERE position > 1", &[]).await.unwrap();
        tx.execute("UPDATE log_head SET position = 1", &[]).await.unwrap();
        tx.commit().await.unwrap();
        let other = site.another().await.unwrap();
        for version in 0..5 {
            other.append(vec![append(&format!("b@{version}: 1"))]).await.unwrap().remove(0).unwrap();
        }
        // The writer finds out where the log is, and dares again.
        for _ in 0..10 {
            writer.submit(on("c", Command::Add(1))).await.unwrap();
        }
        assert!(writer.stats().presumed > 5, "{:?}", writer.stats());
        let told = writer.submit(on("a", Command::Add(1))).await.unwrap_err();
        assert!(matches!(told, WriteError::Corrupt(_)), "{}: {told:?}", site.name);
        assert_eq!(site.log().read_streams(&[("a".into(), 0)]).await.unwrap().len(), 1);
    }
}

/// More commands than go to the database at a time: none of them causes anything, and each is answered the second time as the first.
#[tokio::test]
async fn many_commands_without_events_are_remembered_in_one_batch() {
    for site in every().await {
        let writer = writer(site.log());
        for round in 0..2 {
            let nothing = (0..150).map(|n| {
                let key = CommandKey { id: format!("n{n}"), body_hash: [1; 32] };
                writer.submit(on("a", Command::Nothing).with_key(key))
            });
            let written = futures::future::join_all(nothing).await;
            assert!(written.iter().all(|one| one.as_ref().unwrap().appended.deduplicated == (round == 1)), "{}", site.name);
        }
    }
}

#[tokio::test]
async fn a_taken_name_refuses_the_command_and_the_next_is_decided_without_it() {
    for site in every().await {
        let writer = writer(site.log());
        let (first, second, third) = tokio::join!(
            writer.submit(on("a", Command::Add(1)).with_claim("invoice", "i1")),
            writer.submit(on("b", Command::Add(10)).with_claim("invoice", "i1")),
            writer.submit(on("b", Command::Add(3))),
        );
        assert!(first.is_ok());
        let taken = WriteError::ClaimTaken { kind: "invoice".into(), key: "i1".into(), stream: "a".into() };
        assert_eq!(second.unwrap_err(), taken, "{}", site.name);
        assert_eq!(third.unwrap().state.total, 3);
    }
}

#[tokio::test]
async fn a_command_without_an_event_takes_no_name_and_is_refused_none() {
    for site in every().await {
        let writer = writer(site.log());
        writer.submit(on("a", Command::Nothing).with_claim("invoice", "i1")).await.unwrap();
        assert_eq!(writer.submit(on("b", Command::Add(10)).with_claim("invoice", "i1")).await.unwrap().state.total, 10, "{}", site.name);
        assert!(writer.submit(on("a", Command::Nothing).with_claim("invoice", "i1")).await.is_ok());
        assert!(writer.submit(on("a", Command::Add(1)).with_claim("invoice", "i1")).await.is_err());
    }
}

#[tokio::test]
async fn unknown_events_are_skipped_and_counted_and_unreadable_ones_stop_only_their_stream() {
    for site in every().await {
        site.log().append(vec![append("a@0: from-the-future"), added("bad@0: nonsense")]).await.unwrap();
        let writer = writer(site.log());
        let (fine, corrupt) = tokio::join!(writer.submit(on("a", Command::Add(1))), writer.submit(on("bad", Command::Add(1))));
        assert_eq!(fine.unwrap().appended.first_version, 2, "{}", site.name);
        assert!(matches!(corrupt.unwrap_err(), WriteError::Corrupt(_)));
        assert_eq!(writer.stats().unknown_events, 1);
        assert!(writer.state("bad").await.is_err());
    }
}

#[tokio::test]
async fn states_are_the_newest_committed_ones() {
    for site in every().await {
        let writer = writer(site.log());
        assert_eq!(writer.state("a").await.unwrap().1, 0);
        writer.submit(on("a", Command::Add(4))).await.unwrap();
        let (state, version) = writer.state("a").await.unwrap();
        assert_eq!((state.total, version), (4, 1), "{}", site.name);
        // Somebody else appends behind the writer's back.
        site.log().append(vec![added("a@1: 6")]).await.unwrap();
        assert_eq!(writer.state("a").await.unwrap().0.total, 10);
        assert_eq!(writer.submit(on("a", Command::Add(1))).await.unwrap().state.total, 11);
    }
}

#[tokio::test]
async fn streams_that_left_the_cache_are_loaded_again() {
    for site in every().await {
        let options = WriterOptions { cached_events: 20, batch_commands: 8, queue_commands: 4, ..WriterOptions::default() };
        let writer = Writer::spawn(Arc::new(Counter), site.log(), options);
        for round in 1..=3 {
            let adds = (0..40).map(|n| writer.submit(on(&format!("s{n}"), Command::Add(1))));
            for written in futures::future::join_all(adds).await {
                assert_eq!(written.unwrap().state.total, round, "{}", site.name);
            }
        }
    }
}

#[tokio::test]
async fn a_rule_that_panics_fails_its_own_command_only() {
    for site in every().await {
        let writer = writer(site.log());
        let (before, fault, after) = tokio::join!(
            writer.submit(on("a", Command::Add(1))),
            writer.submit(on("a", Command::Panic)),
            writer.submit(on("a", Command::Add(1))),
        );
        assert!(matches!(fault.unwrap_err(), WriteError::Corrupt(_)), "{}", site.name);
        assert_eq!((before.unwrap().state.total, after.unwrap().state.total), (1, 2));
    }
}
