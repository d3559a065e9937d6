use eventlog::{Claim, CommandKey, Refused, Statement};

use crate::logs::{append, event, every, transcript};

fn key(id: &str, body: u8) -> Option<CommandKey> {
    Some(CommandKey { id: id.into(), body_hash: [body; 32] })
}

#[tokio::test]
async fn positions_are_gapless_across_batches_and_refusals() {
    for site in every().await {
        let log = site.log();
        let batch = ["a@0: 1 2", "b@0: 3", "a@0: no", "a@2: 4", "b@7: no", "b@*: 5"].map(append).to_vec();
        let results = log.append(batch).await.unwrap();
        let refused: Vec<Option<Refused>> = results.into_iter().map(Result::err).collect();
        let conflict = |actual| Some(Refused::VersionConflict { actual });
        assert_eq!(refused, [None, None, conflict(2), None, conflict(1), None], "{}", site.name);
        log.append(vec![append("c@0: 6")]).await.unwrap();
        let expected = ["1 a@1 1", "2 a@2 2", "3 b@1 3", "4 a@3 4", "5 b@2 5", "6 c@1 6"];
        assert_eq!(transcript(&log).await, expected, "{}", site.name);
        assert_eq!((log.head().await.unwrap(), log.known_head()), (6, 6));
    }
}

#[tokio::test]
async fn the_envelope_comes_back_as_it_went() {
    for site in every().await {
        let mut one = append("a@0:");
        let mut noted = event("ação");
        noted.occurred_at = Some("2024-02-29T12:00:00.123456789Z".parse().unwrap());
        noted.effective_on = Some("2024-02-29".parse().unwrap());
        one.events = vec![noted];
        one.meta.correlation_id = Some(uuid::Uuid::from_u128(7));
        one.meta.causation_id = Some(uuid::Uuid::from_u128(8));
        one.meta.traceparent = Some("00-trace-span-01".into());
        one.command = key("c-1", 1);
        site.log().append(vec![one]).await.unwrap();
        // Once from memory, once from the database.
        let logs = [Some(site.log()), site.another().await];
        for log in logs.into_iter().flatten() {
            let read = log.read(0, 10).await.unwrap().remove(0);
            assert_eq!(read.occurred_at, Some("2024-02-29T12:00:00.123456Z".parse().unwrap()), "{}", site.name);
            assert_eq!(read.effective_on, Some("2024-02-29".parse().unwrap()));
            assert_eq!((read.correlation_id, read.causation_id), (Some(uuid::Uuid::from_u128(7)), Some(uuid::Uuid::from_u128(8))));
            assert_eq!((read.traceparent.as_deref(), read.command_id.as_deref()), (Some("00-trace-span-01"), Some("c-1")));
            assert_eq!((read.tenant.as_str(), read.key.as_str(), read.schema_version), ("default", "default/a", 1));
            assert_eq!((read.event_type.as_str(), read.payload.as_slice()), ("Noted", "ação".as_bytes()));
            assert_eq!(read.recorded_at, crate::logs::start());
        }
    }
}

#[tokio::test]
async fn a_repeated_command_gets_the_same_answer_and_no_second_event() {
    for site in every().await {
        let log = site.log();
        let command = |id: &str, body: u8, answer: &str| {
            let mut one = append("a@*: x");
            one.command = key(id, body);
            one.answer = answer.into();
            one
        };
        let first = log.append(vec![command("k", 1, "first"), command("k", 1, "twin")]).await.unwrap();
        let again = log.append(vec![command("k", 1, "late"), command("k", 2, "other body")]).await.unwrap();
        let [Ok(first), Ok(twin)] = first.as_slice() else { panic!("{first:?}") };
        let [Ok(again), Err(Refused::CommandReused)] = again.as_slice() else { panic!("{again:?}") };
        assert!(!first.deduplicated && twin.deduplicated && again.deduplicated);
        for repeated in [twin, again] {
            assert_eq!(repeated.answer, b"first");
            assert_eq!((repeated.first_version, repeated.last_version, repeated.last_position), (1, 1, 1));
        }
        assert_eq!(transcript(&log).await, ["1 a@1 x"], "{}", site.name);
        // Another tenant may use the same id.
        let mut stranger = command("k", 9, "stranger");
        stranger.meta.tenant = "other".into();
        assert!(log.append(vec![stranger]).await.unwrap()[0].is_ok());
    }
}

#[tokio::test]
async fn a_command_without_events_is_remembered_too() {
    for site in every().await {
        let log = site.log();
        let mut quiet = append("a@0:");
        quiet.command = key("quiet", 1);
        quiet.answer = b"nothing to do".to_vec();
        for deduplicated in [false, true] {
            let got = log.append(vec![quiet.clone()]).await.unwrap().remove(0).unwrap();
            assert_eq!((got.first_version, got.last_version, got.deduplicated), (1, 0, deduplicated), "{}", site.name);
            assert_eq!(got.answer, b"nothing to do");
        }
        assert_eq!(log.head().await.unwrap(), 0);
    }
}

#[tokio::test]
async fn a_name_belongs_to_the_stream_that_took_it_first() {
    for site in every().await {
        let log = site.log();
        let claiming = |text: &str, name: &str| {
            let mut one = append(text);
            one.claims = vec![Claim { kind: "invoice", key: name.into() }];
            one
        };
        let batch = vec![claiming("a@0: 1", "inv-1"), claiming("b@0: no", "inv-1"), claiming("a@1: 2", "inv-1"), append("b@0: 3")];
        let results = log.append(batch).await.unwrap();
        let taken = Refused::ClaimTaken { kind: "invoice".into(), key: "inv-1".into(), stream: "a".into() };
        assert_eq!(results[1], Err(taken.clone()), "{}", site.name);
        assert!(results[0].is_ok() && results[2].is_ok() && results[3].is_ok());
        assert_eq!(log.append(vec![claiming("b@*: no", "inv-1")]).await.unwrap(), [Err(taken)]);
        assert_eq!(transcript(&log).await, ["1 a@1 1", "2 a@2 2", "3 b@1 3"]);
        assert_eq!(log.claimed("default", "invoice", "inv-1").await.unwrap().as_deref(), Some("a"));
        assert_eq!(log.claimed("other", "invoice", "inv-1").await.unwrap(), None);
    }
}

#[tokio::test]
async fn a_refused_side_row_takes_only_its_own_append_with_it() {
    for site in crate::logs::durable().await {
        let log = site.log();
        let mut tx = log.db().unwrap().begin().await.unwrap();
        tx.execute("CREATE TABLE people (id TEXT NOT NULL PRIMARY KEY, name TEXT NOT NULL)", &[]).await.unwrap();
        tx.commit().await.unwrap();
        let with_person = |text: &str, id: &str| {
            let mut one = append(text);
            one.side = vec![Statement { sql: "INSERT INTO people VALUES ($1, $2)".into(), args: vec![id.into(), "Ana".into()] }];
            one
        };
        let batch = vec![with_person("a@0: 1", "p1"), with_person("b@0: no", "p1"), with_person("c@0: 2", "p2")];
        let results = log.append(batch).await.unwrap();
        assert!(matches!(results.as_slice(), [Ok(_), Err(Refused::SideRefused(_)), Ok(_)]), "{}: {results:?}", site.name);
        assert_eq!(transcript(&log).await, ["1 a@1 1", "2 c@1 2"]);
        let people = log.db().unwrap().query("SELECT id FROM people ORDER BY id", &[]).await.unwrap();
        assert_eq!(people.iter().map(|row| row.text("id").unwrap()).collect::<Vec<_>>(), ["p1", "p2"]);
    }
}

#[tokio::test]
async fn reading_starts_anywhere_and_streams_are_read_together() {
    for site in every().await {
        let log = site.log();
        for round in 0..3 {
            let batch = ["a", "b", "c"].map(|stream| append(&format!("{stream}@{round}: {stream}{round}"))).to_vec();
            log.append(batch).await.unwrap();
        }
        let logs = [Some(log), site.another().await];
        for log in logs.into_iter().flatten() {
            let positions = async |after, limit| {
                let events = log.read(after, limit).await.unwrap();
                events.iter().map(|event| event.position).collect::<Vec<_>>()
            };
            assert_eq!(positions(0, 2).await, [1, 2], "{}", site.name);
            assert_eq!(positions(5, 100).await, [6, 7, 8, 9]);
            assert!(positions(9, 100).await.is_empty() && positions(99, 100).await.is_empty());
            let wanted = [("b".to_string(), 1), ("nobody".to_string(), 0), ("c".to_string(), 2)];
            let events = log.read_streams(&wanted).await.unwrap();
            let found: Vec<_> = events.iter().map(|event| (event.stream.as_str(), event.version)).collect();
            assert_eq!(found, [("b", 2), ("b", 3), ("c", 3)], "{}", site.name);
        }
    }
}

#[tokio::test]
async fn the_head_can_be_followed() {
    for site in every().await {
        let log = site.log();
        let mut head = log.watch();
        let follower = tokio::spawn(async move { *head.wait_for(|head| *head >= 3).await.unwrap() });
        log.append(vec![append("a@0: 1 2 3")]).await.unwrap();
        assert_eq!(follower.await.unwrap(), 3, "{}", site.name);
    }
}
