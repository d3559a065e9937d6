use std::sync::Arc;

use eventlog::{CommandKey, Refused, Writer, WriterOptions};

use crate::counter::{Command, Counter, on};
use crate::logs::{append, durable, every};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_many_racing_appends_on_one_version_one_wins() {
    for site in every().await {
        let logs = [Some(site.log()), site.another().await];
        let logs: Vec<_> = logs.into_iter().flatten().collect();
        for round in 0..20u64 {
            let racers: Vec<_> = (0..10)
                .map(|n| {
                    let log = logs[n % logs.len()].clone();
                    tokio::spawn(async move { log.append(vec![append(&format!("a@{round}: {n}"))]).await.unwrap().remove(0) })
                })
                .collect();
            let mut won = 0;
            for racer in racers {
                match racer.await.unwrap() {
                    Ok(appended) => {
                        won += 1;
                        assert_eq!((appended.last_version, appended.last_position), (round + 1, round + 1));
                    }
                    Err(refused) => assert_eq!(refused, Refused::VersionConflict { actual: round + 1 }),
                }
            }
            assert_eq!(won, 1, "{}", site.name);
        }
    }
}

/// Two writers on two handles, as two replicas of a service: their caches are stale all the time.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_writers_on_one_log_lose_nothing_and_double_nothing() {
    for site in durable().await {
        let other = site.another().await.unwrap();
        let writers = [site.log(), other].map(|log| Writer::spawn(Arc::new(Counter), log, WriterOptions::default()));
        let tasks: Vec<_> = (0..400usize)
            .map(|n| {
                let writer = writers[n % 2].clone();
                // Every command goes to both replicas, as an impatient caller would do.
                let twin = writers[(n + 1) % 2].clone();
                tokio::spawn(async move {
                    let add = || {
                        let key = CommandKey { id: format!("c{n}"), body_hash: [1; 32] };
                        on(&format!("s{}", n % 5), Command::Add(1)).with_key(key)
                    };
                    let (one, two) = tokio::join!(writer.submit(add()), twin.submit(add()));
                    let (one, two) = (one.unwrap().appended, two.unwrap().appended);
                    assert_eq!((one.last_position, one.last_version), (two.last_position, two.last_version));
                    assert!(one.deduplicated != two.deduplicated);
                })
            })
            .collect();
        for task in tasks {
            task.await.unwrap();
        }
        assert_eq!(site.log().head().await.unwrap(), 400, "{}", site.name);
        for n in 0..5 {
            let stream = format!("s{n}");
            let (one, two) = (writers[0].state(&stream).await.unwrap(), writers[1].state(&stream).await.unwrap());
            assert_eq!((one.0.total, one.1), (80, 80));
            assert_eq!((two.0.total, two.1), (80, 80));
        }
        let positions: Vec<u64> = site.log().read(0, 1000).await.unwrap().iter().map(|event| event.position).collect();
        assert_eq!(positions, (1..=400).collect::<Vec<_>>());
    }
}

/// A handle that appended little keeps little in memory: once it knows of a later head, its pages do not end at its own last event.
#[tokio::test]
async fn a_page_reaches_the_head_that_the_handle_knows() {
    for site in durable().await {
        let other = site.another().await.unwrap();
        site.log().append(vec![append("a@0: mine")]).await.unwrap().remove(0).unwrap();
        for version in 1..5u64 {
            other.append(vec![append(&format!("a@{version}: theirs"))]).await.unwrap().remove(0).unwrap();
        }
        assert_eq!(site.log().head().await.unwrap(), 5);
        let page = site.log().read(0, 100).await.unwrap();
        assert_eq!(page.iter().map(|event| event.position).collect::<Vec<_>>(), [1, 2, 3, 4, 5], "{}", site.name);
    }
}
