use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use eventlog::Activity;
use eventlog::activity::Rank;

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

/// Whoever waits looks at every part of the system: it is woken when something may have settled, and not for each piece of a thousand.
#[tokio::test]
async fn only_the_end_of_the_last_piece_wakes_who_waits() {
    let activity = Activity::new();
    let asked = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&asked);
    let _counts = activity.register("counts", Box::new(move || counted.fetch_add(1, Ordering::SeqCst) < usize::MAX));
    let pieces = activity.in_flight("pieces");
    let last = pieces.start();
    let waiter = tokio::spawn({
        let activity = activity.clone();
        async move { activity.settled().await }
    });
    for _ in 0..1_000 {
        drop(pieces.start());
        tokio::task::yield_now().await;
    }
    // Where the machine is slow it has also looked by itself, ten times a second.
    let asked = asked.load(Ordering::SeqCst);
    assert!(!waiter.is_finished() && asked < 500, "asked {asked} times");
    drop(last);
    tokio::time::timeout(Duration::from_secs(10), waiter).await.unwrap().unwrap();
}

/// A waiter that was not woken would look again after a tenth of a second, each time.
#[tokio::test]
async fn the_end_of_the_last_piece_is_told() {
    let activity = Activity::new();
    let pieces = activity.in_flight("pieces");
    let settles_each_time = async {
        for _ in 0..1_000 {
            let (one, two) = (pieces.start(), pieces.start());
            let ends = async {
                drop(one);
                tokio::task::yield_now().await;
                drop(two);
            };
            futures::join!(activity.settled(), ends);
        }
    };
    tokio::time::timeout(Duration::from_secs(50), settles_each_time).await.unwrap();
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

/// A held consumer with something to take, and what it took.
fn held(activity: &Activity, rank: Rank) -> Arc<AtomicBool> {
    let taken = Arc::new(AtomicBool::new(false));
    let (checked, took, waiting) = (Arc::clone(&taken), Arc::clone(&taken), activity.clone());
    let registration = activity.register_consumer(format!("{rank:?}"), rank, Box::new(move || checked.load(Ordering::SeqCst)));
    tokio::spawn(async move {
        waiting.turn(rank).await;
        took.store(true, Ordering::SeqCst);
        waiting.touch();
        std::future::pending::<()>().await;
        drop(registration);
    });
    taken
}

#[tokio::test]
async fn a_held_consumer_has_its_turn_when_others_are_at_rest_and_a_follower_at_the_end() {
    let activity = Activity::new();
    activity.hold_consumers();
    let others = activity.in_flight("others");
    let busy = others.start();
    let (decides, follows) = (held(&activity, Rank::Decides), held(&activity, Rank::Follows));
    tokio::time::timeout(Duration::from_millis(20), activity.settled()).await.unwrap_err();
    assert!(!decides.load(Ordering::SeqCst), "it would take a page for every step of the others");
    drop(busy);
    activity.settled().await;
    assert!(decides.load(Ordering::SeqCst) && !follows.load(Ordering::SeqCst));
    activity.at_rest().await;
    assert!(follows.load(Ordering::SeqCst));
}

#[tokio::test]
async fn a_consumer_that_nobody_gives_a_turn_goes_on_by_itself() {
    let activity = Activity::new();
    activity.hold_consumers();
    let follows = held(&activity, Rank::Follows);
    let goes_on = async {
        while !follows.load(Ordering::SeqCst) {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(Duration::from_secs(10), goes_on).await.unwrap();
}
