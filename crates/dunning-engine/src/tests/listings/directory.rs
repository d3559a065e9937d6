//! A bureau that reads and writes files.

use super::*;
use crate::listings::{
    OrderKey,
    provider::{Handover, Outcome, Provider, Standing},
};
use ladder::listing::{Command, Kind, Order};
use serde_json::Value;
use std::{fs, path::Path};

fn lines(directory: &Path) -> Vec<Value> {
    let mut files: Vec<_> = fs::read_dir(directory.join("out")).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    let text: String = files.iter().map(|path| fs::read_to_string(path).unwrap()).collect();
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

fn commands(directory: &Path) -> Vec<String> {
    let mut found: Vec<String> = lines(directory).iter().map(|line| line["command"].as_str().unwrap().to_owned()).collect();
    found.sort();
    found
}

fn answer(directory: &Path, name: &str, lines: &[String]) {
    fs::write(directory.join("in").join(name), lines.join("\n")).unwrap();
}

fn says(status: &str) -> String {
    format!("{{\"key\":\"{KEY}\",\"status\":\"{status}\",\"reference\":\"B-7\"}}")
}

#[tokio::test]
async fn an_entry_is_listed_and_taken_out_by_files() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path();
    let (world, clerk) = world(Providers::open(&in_directory(path)).unwrap()).await;
    work(&world, &clerk).await;
    let [line] = &lines(path)[..] else { panic!("{:?}", lines(path)) };
    assert_eq!((line["key"].as_str(), line["command"].as_str(), line["contract"].as_str()), (Some(KEY), Some("include"), Some("I1")));
    assert_eq!((line["debtor"]["tax_id"].as_str(), line["amount_minor"].as_i64()), (Some("529.982.247-25"), Some(10_000)));
    assert_eq!((line["due_on"].as_str(), line["notice"]["delivered_on"].as_str()), (Some("2026-11-23"), Some("2026-11-24")));
    assert_eq!(phase(&world).await, "taken");

    let words = [says("listed"), "no json".into(), says("lost"), says("listed").replace("I1", "I9"), says("x").replace(KEY, "a~b")];
    answer(path, "a.jsonl", &words);
    work(&world, &clerk).await;
    assert_eq!(phase(&world).await, "listed");
    let report = fs::read_to_string(path.join("done/a.jsonl.report")).unwrap();
    assert_eq!(report, "line,slug,field\n2,line_malformed,\n3,unknown_status,status\n4,entry_unknown,key\n5,key_malformed,key\n");
    let before = world.events("ListingAnswered").await;
    answer(path, "a.jsonl", &words);
    work(&world, &clerk).await;
    assert_eq!((world.events("ListingAnswered").await, commands(path)), (before, vec!["include".into()]), "the same file again");

    world.paid("C1", "I1", 0).await;
    work(&world, &clerk).await;
    assert_eq!((phase(&world).await.as_str(), commands(path)), ("removal_sent", vec!["include".into(), "remove".into()]));
    assert!(tasks(&world).await.contains(&"remove_bureau_listing open".to_owned()));
    answer(path, "b.jsonl", &[says("removed")]);
    work(&world, &clerk).await;
    assert_eq!(phase(&world).await, "removed");
    assert!(tasks(&world).await.contains(&"remove_bureau_listing done provider".to_owned()), "{:?}", tasks(&world).await);
    let asked = proto::ExplainDayRequest { customer_id: "C1".into(), day: "2026-11-27".into() };
    let told = world.server.explain_day(world.ask(asked)).await.unwrap().into_inner().lines;
    assert!(told.iter().any(|line| line.starts_with("I1: the entry of d+4 (bureau) is removed: paid, to be out by ")), "{told:?}");
    world.check().await;
}

#[tokio::test]
async fn what_is_paid_before_it_was_handed_over_is_not_handed_over() {
    let directory = tempfile::tempdir().unwrap();
    let (world, clerk) = world(Providers::open(&in_directory(directory.path())).unwrap()).await;
    // The owner knows of the payment before the engine does.
    world.owner.lock().unwrap().push_str("paid");
    work(&world, &clerk).await;
    assert_eq!((phase(&world).await.as_str(), lines(directory.path()).len()), ("requested", 0));
    world.paid("C1", "I1", 0).await;
    work(&world, &clerk).await;
    assert_eq!((phase(&world).await.as_str(), lines(directory.path()).len()), ("withdrawn", 0));
    assert!(tasks(&world).await.contains(&"remove_bureau_listing done engine".to_owned()), "{:?}", tasks(&world).await);
    world.check().await;
}

#[tokio::test]
async fn a_refusal_and_an_alarm_are_tasks_and_a_persons_word_ends_them() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path();
    let (mut world, clerk) = world(Providers::open(&in_directory(path)).unwrap()).await;
    work(&world, &clerk).await;
    answer(path, "a.jsonl", &[says("listed")]);
    work(&world, &clerk).await;
    world.paid("C1", "I1", 0).await;
    work(&world, &clerk).await;
    // Paid on Friday evening: five business days without a word.
    world.live(brasilia("2026-12-03", 10), sent).await;
    work(&world, &clerk).await;
    assert!(tasks(&world).await.contains(&"removal_near open".to_owned()), "{:?}", tasks(&world).await);
    world.live(brasilia("2026-12-07", 10), sent).await;
    work(&world, &clerk).await;
    assert!(tasks(&world).await.contains(&"removal_late open".to_owned()), "{:?}", tasks(&world).await);
    let removals = crate::listings::removals(&world.environment.log, "2026-12-07".parse().unwrap()).await.unwrap();
    assert_eq!((removals.soon, removals.late), (0, 1));

    answer(path, "b.jsonl", &[says("removal_refused").replace("B-7\"", "B-7\",\"reason\":\"not_found\"")]);
    work(&world, &clerk).await;
    assert_eq!(phase(&world).await, "removal_refused");
    let asked = proto::ListTasksRequest { reason: "removal_refused".into(), ..Default::default() };
    let refused = world.server.list_tasks(world.ask(asked)).await.unwrap().into_inner().tasks.remove(0);
    let done = proto::CompleteTaskRequest {
        command_id: "done".into(),
        task_id: refused.task_id,
        by: "ana".into(),
        reason: "retirada no site".into(),
    };
    world.server.complete_task(world.ask(done)).await.unwrap();
    work(&world, &clerk).await;
    assert_eq!(phase(&world).await, "removed");
    assert!(!tasks(&world).await.iter().any(|task| task.contains(" open")), "{:?}", tasks(&world).await);
    world.check().await;
}

/// Hands over as the provider inside does, and dies before it can say so.
struct Dying(Arc<dyn Provider>, tokio::sync::Notify);

#[async_trait::async_trait]
impl Provider for Dying {
    async fn send(&self, commands: &[Handover]) -> Vec<Outcome> {
        self.0.send(commands).await;
        self.1.notify_one();
        std::future::pending().await
    }

    async fn ask(&self, key: &OrderKey) -> Standing {
        self.0.ask(key).await
    }
}

#[tokio::test]
async fn a_process_that_dies_between_handing_over_and_recording_it_hands_nothing_over_twice() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path();
    let providers = Providers::open(&in_directory(path)).unwrap();
    let dying = Arc::new(Dying(Arc::clone(providers.of(Kind::Bureau).unwrap()), tokio::sync::Notify::new()));
    let (mut world, first) = world(Providers::default().with(Kind::Bureau, Arc::clone(&dying) as Arc<dyn Provider>, None)).await;
    let running = tokio::spawn(async move {
        loop {
            first.work_once().await.unwrap();
            tokio::task::yield_now().await;
        }
    });
    tokio::time::timeout(PATIENCE, dying.1.notified()).await.unwrap();
    running.abort();
    assert!(running.await.is_err_and(|ended: tokio::task::JoinError| ended.is_cancelled()));
    // The batch was fetched before anybody looked again.
    let batch = fs::read_dir(path.join("out")).unwrap().next().unwrap().unwrap().path();
    fs::remove_file(batch).unwrap();
    let second = clerk(&world, providers);
    work(&world, &second).await;
    assert_eq!(phase(&world).await, "sent", "it may still be in the hands of the other");
    world.live(brasilia("2026-11-27", 21), sent).await;
    work(&world, &second).await;
    assert_eq!((phase(&world).await.as_str(), lines(path).len()), ("taken", 0));
    world.check().await;
}

#[tokio::test]
async fn a_process_that_dies_before_handing_over_leaves_it_to_the_next() {
    let directory = tempfile::tempdir().unwrap();
    let (mut world, clerk) = world(Providers::open(&in_directory(directory.path())).unwrap()).await;
    world.owner.lock().unwrap().push_str("paid");
    work(&world, &clerk).await;
    world.owner.lock().unwrap().clear();
    // The intention is recorded, and nothing else.
    clerk.tell_for_tests(&key(), Command::Send { order: Order::Include, at: world.clock.now() }).await;
    world.live(brasilia("2026-11-27", 21), sent).await;
    work(&world, &clerk).await;
    assert_eq!((phase(&world).await.as_str(), commands(directory.path())), ("taken", vec!["include".to_owned()]));
    assert_eq!((world.events("ListingSent").await, world.events("ListingLost").await), (2, 1));
    world.check().await;
}
