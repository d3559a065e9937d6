use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use eventlog::Activity;

#[tokio::test]
async fn settled_waits_for_all_work_in_hand() {
    let activity = Activity::new();
    let (first, second) = (activity.in_flight("first"), activity.in_flight("second"));
    let (one, two) = (first.start(), second.start());
    let waiter = tokio::spawn({
        let activity = activity.clone();
        async move { activity.settled().await }
    });
    assert_eq!(activity.busy(), ["first", "second"]);
    drop(one);
    tokio::time::timeout(Duration::from_millis(20), activity.settled()).await.unwrap_err();
    assert!(!waiter.is_finished());
    drop(two);
    tokio::time::timeout(Duration::from_secs(10), waiter).await.unwrap().unwrap();
}

#[tokio::test]
async fn work_that_hands_over_to_other_work_never_looks_settled_between_the_two() {
    let activity = Activity::new();
    let (ends, (sender, mut receiver)) = (Arc::new(AtomicBool::new(false)), tokio::sync::mpsc::unbounded_channel());
    let (source, sink) = (activity.in_flight("source"), activity.in_flight("sink"));
    let busy = source.start();
    let ended = Arc::clone(&ends);
    tokio::spawn(async move {
        for _ in 0..1000 {
            sender.send(sink.start()).unwrap();
            tokio::task::yield_now().await;
        }
        ended.store(true, Ordering::SeqCst);
        drop(busy);
    });
    tokio::spawn(async move { while receiver.recv().await.is_some() {} });
    activity.settled().await;
    assert!(ends.load(Ordering::SeqCst));
}

#[tokio::test]
async fn a_dropped_check_is_asked_no_more() {
    let activity = Activity::new();
    let never = activity.register("never", Box::new(|| false));
    assert_eq!(activity.busy(), ["never"]);
    drop(never);
    activity.settled().await;
}

#[tokio::test]
async fn what_is_read_at_rest_is_not_of_a_moment_of_work() {
    let activity = Activity::new();
    // A loop that looks now and then: it takes its sleeper out, looks, and sleeps again, here between two steps of the waiter.
    let (asked, looked) = (AtomicBool::new(false), activity.clone());
    let sleeper = move || {
        if asked.swap(true, Ordering::SeqCst) {
            return Some("asleep");
        }
        looked.touch();
        None
    };
    assert_eq!(activity.settled_with(sleeper).await, Some("asleep"));
}
