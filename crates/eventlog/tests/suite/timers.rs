use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, OnceLock};

use chrono::{DateTime, TimeDelta, Utc};
use eventlog::log::{CrashPoint, Faults};
use eventlog::timers::{Shards, TimerHandle};
use eventlog::{Activity, DueStream, TimerLoop, TimerOptions, Writer, WriterOptions};
use futures::FutureExt;
use tokio::sync::watch;

use crate::counter::{Command, Counter, moment, on};
use crate::logs::{Site, durable, eventually, every};

struct Running {
    writer: Writer<Counter>,
    activity: Activity,
    timers: TimerHandle,
}

fn run(site: &Site) -> Running {
    run_by(site, 256)
}

fn run_by(site: &Site, page: usize) -> Running {
    let activity = Activity::new();
    let options = WriterOptions { activity: activity.clone(), ..WriterOptions::default() };
    let writer = Writer::spawn(Arc::new(Counter), site.log(), options);
    let options = TimerOptions { page, ..TimerOptions::for_log(&site.log(), activity.clone()) };
    let wake = Arc::new(|due: &eventlog::DueStream, now| on(&due.stream, Command::Wake(now)));
    let timers = TimerLoop::spawn(writer.clone(), wake, options);
    Running { writer, activity, timers }
}

async fn fired(running: &Running, stream: &str) -> String {
    running.writer.state(stream).await.unwrap().0.fired.join(" ")
}

async fn stored(site: &Site) -> Vec<(String, i64)> {
    let timers = site.log().timers(&Shards::All, 100).await.unwrap();
    timers.into_iter().map(|timer| (format!("{}/{}", timer.stream, timer.track), (timer.due_at - moment(0)).num_seconds())).collect()
}

#[tokio::test]
async fn timers_fire_when_they_are_due_and_an_earlier_one_is_noticed() {
    for site in every().await {
        let running = run(&site);
        running.writer.submit(on("a", Command::Plan("late", 100))).await.unwrap();
        running.writer.submit(on("a", Command::Plan("soon", 10))).await.unwrap();
        running.writer.submit(on("b", Command::Plan("soon", 10))).await.unwrap();
        running.activity.settled().await;
        assert_eq!(fired(&running, "a").await, "");
        for (seconds, a, b) in [(9, "", ""), (1, "soon", "soon"), (89, "soon", "soon"), (1, "soon late", "soon")] {
            site.clock.advance(TimeDelta::seconds(seconds));
            running.activity.settled().await;
            assert_eq!((fired(&running, "a").await.as_str(), fired(&running, "b").await.as_str()), (a, b), "{}", site.name);
        }
        assert_eq!(stored(&site).await, []);
    }
}

#[tokio::test]
async fn a_fact_that_comes_while_a_timer_is_due_does_not_make_it_disappear() {
    for site in every().await {
        let writer = Writer::spawn(Arc::new(Counter), site.log(), WriterOptions::default());
        writer.submit(on("a", Command::Plan("step", 10))).await.unwrap();
        writer.submit(on("a", Command::Plan("other", 50))).await.unwrap();
        site.clock.advance(TimeDelta::seconds(20));
        // The aggregate now names only timers after second 20; the due one must stay until its wake was decided.
        writer.submit(on("a", Command::Plan("other", 60))).await.unwrap();
        assert_eq!(stored(&site).await, [("a/step".into(), 10), ("a/other".into(), 60)], "{}", site.name);
        drop(writer);
        let running = run(&site);
        running.activity.settled().await;
        assert_eq!(fired(&running, "a").await, "step");
        assert_eq!(stored(&site).await, [("a/other".into(), 60)]);
    }
}

#[tokio::test]
async fn an_unreadable_stream_with_many_tracks_stops_nobody_elses_timers() {
    for site in durable().await {
        let tracks: Vec<&'static str> = (0..80).map(|n| format!("t{n}").leak() as &'static str).collect();
        let writer = Writer::spawn(Arc::new(Counter), site.log(), WriterOptions::default());
        for track in tracks {
            writer.submit(on("broken", Command::Plan(track, 10))).await.unwrap();
        }
        writer.submit(on("sound", Command::Plan("step", 20))).await.unwrap();
        drop(writer);
        let mut tx = site.log().db().unwrap().begin().await.unwrap();
        tx.execute("UPDATE events SET payload = $1 WHERE stream = 'broken'", &[vec![b'?'].into()]).await.unwrap();
        tx.commit().await.unwrap();
        site.clock.advance(TimeDelta::seconds(30));
        let running = run_by(&site, 4);
        eventually("the sound stream is woken", async || fired(&running, "sound").await == "step").await;
        assert_eq!(running.timers.stats().stuck, 1, "{}", site.name);
        running.activity.settled().await;
    }
}

#[tokio::test]
async fn a_wake_that_panics_stops_nobody_elses_timers() {
    for site in every().await {
        let writer = Writer::spawn(Arc::new(Counter), site.log(), WriterOptions::default());
        for stream in ["broken", "sound"] {
            writer.submit(on(stream, Command::Plan("step", 10))).await.unwrap();
        }
        site.clock.advance(TimeDelta::seconds(10));
        let wake = Arc::new(|due: &eventlog::DueStream, now| {
            assert_ne!(due.stream, "broken");
            on(&due.stream, Command::Wake(now))
        });
        let timers = TimerLoop::spawn(writer.clone(), wake, TimerOptions::for_log(&site.log(), Activity::new()));
        eventually("the sound stream is woken", async || writer.state("sound").await.unwrap().0.fired == ["step"]).await;
        assert_eq!(timers.stats().stuck, 1, "{}", site.name);
    }
}

#[tokio::test]
async fn a_wake_that_causes_nothing_still_rewrites_the_timers() {
    for site in every().await {
        let writer = Writer::spawn(Arc::new(Counter), site.log(), WriterOptions::default());
        writer.submit(on("a", Command::Plan("step", 10))).await.unwrap();
        site.clock.advance(TimeDelta::seconds(20));
        for command in [Command::Nothing, Command::Add(-1)] {
            // Also a wake that is rejected: otherwise it would come again for ever.
            let _ = writer.submit(on("a", command).for_wake(moment(20))).await;
            assert_eq!(stored(&site).await, [], "{}", site.name);
        }
        assert_eq!(site.log().head().await.unwrap(), 1);
    }
}

#[tokio::test]
async fn timers_of_many_streams_survive_a_restart_and_fire_in_pages() {
    for site in every().await {
        let writer = Writer::spawn(Arc::new(Counter), site.log(), WriterOptions::default());
        let plans = (0..700).map(|n| writer.submit(on(&format!("s{n}"), Command::Plan("step", 1 + n % 7))));
        assert!(futures::future::join_all(plans).await.iter().all(Result::is_ok));
        drop(writer);
        site.clock.advance(TimeDelta::seconds(5));
        let running = run(&site);
        running.activity.settled().await;
        assert_eq!(stored(&site).await.len(), 100, "{}", site.name);
        assert_eq!(site.log().head().await.unwrap(), 700 + 500);
        site.clock.advance(TimeDelta::seconds(5));
        running.activity.settled().await;
        assert_eq!(site.log().head().await.unwrap(), 1400);
        assert_eq!(site.log().timers_due().await.unwrap(), 0);
    }
}

#[tokio::test]
async fn only_owned_shards_are_seen() {
    for site in every().await {
        let writer = Writer::spawn(Arc::new(Counter), site.log(), WriterOptions::default());
        let plans = (0..60).map(|n| writer.submit(on(&format!("s{n}"), Command::Plan("step", 5))));
        assert!(futures::future::join_all(plans).await.iter().all(Result::is_ok));
        let (_owner, owned) = tokio::sync::watch::channel(vec![0, 3]);
        let mine = site.log().timers(&Shards::Owned(owned), 100).await.unwrap();
        assert!(!mine.is_empty() && mine.len() < 60, "{}", site.name);
        assert!(mine.iter().all(|timer| [0, 3].contains(&timer.shard)));
    }
}

/// Parts of a large batch go to SQLite while the rest is decided, each with the timers that its streams have by then.
#[tokio::test]
async fn timers_of_a_stream_in_several_parts_of_a_batch_are_its_last_ones() {
    for site in every().await {
        let writer = Writer::spawn(Arc::new(Counter), site.log(), WriterOptions::default());
        writer.submit(on("w", Command::Plan("due", 1))).await.unwrap();
        writer.submit(on("w", Command::Plan("later", 70))).await.unwrap();
        site.clock.advance(TimeDelta::seconds(2));
        let before = writer.stats().batches;
        let others = |from: u32| (from..from + 35).map(|n| on(&format!("s{n}"), Command::Add(1)));
        let first = [on("a", Command::Plan("moved", 50)), on("a", Command::Plan("kept", 60)), on("w", Command::Add(1))]
            .into_iter()
            .chain(others(0));
        let woken = on("w", Command::Wake(moment(2))).for_wake(moment(2));
        let second = [on("a", Command::Plan("moved", 90)), woken].into_iter().chain(others(40));
        let third = [on("a", Command::Plan("moved", 40)), on("w", Command::Plan("later", 80))].into_iter().chain(others(80));
        let all = first.chain(second).chain(third).map(|submission| writer.submit(submission));
        assert!(futures::future::join_all(all).await.iter().all(Result::is_ok), "{}", site.name);
        assert_eq!(writer.stats().batches, before + 1, "{}", site.name);
        let timers = [("a/moved", 40), ("a/kept", 60), ("w/later", 80)].map(|(name, at)| (name.to_owned(), at));
        assert_eq!(stored(&site).await, timers, "{}", site.name);
    }
}

#[tokio::test]
async fn shards_that_come_to_this_process_are_fired_here() {
    for site in every().await {
        let writer = Writer::spawn(Arc::new(Counter), site.log(), WriterOptions::default());
        let (owner, owned) = tokio::sync::watch::channel(vec![]);
        let activity = Activity::new();
        let options = TimerOptions { shards: Shards::Owned(owned), ..TimerOptions::for_log(&site.log(), activity.clone()) };
        let wake = Arc::new(|due: &eventlog::DueStream, now| on(&due.stream, Command::Wake(now)));
        let _timers = TimerLoop::spawn(writer.clone(), wake, options);
        let plans = (0..20).map(|n| writer.submit(on(&format!("s{n}"), Command::Plan("step", 5))));
        assert!(futures::future::join_all(plans).await.iter().all(Result::is_ok));
        site.clock.advance(TimeDelta::seconds(9));
        assert_eq!(activity.busy(), ["timers"], "time stands still while nobody owns a shard");
        let first = site.log().timers(&Shards::All, 1).await.unwrap()[0].shard;
        owner.send(vec![first]).unwrap();
        let fired = || async { site.log().timers_due().await.unwrap() < 20 };
        eventually("the timers of the shard fire", fired).await;
        owner.send((0..12).collect()).unwrap();
        eventually("all timers fire", || async { site.log().timers_due().await.unwrap() == 0 }).await;
    }
}

#[tokio::test]
async fn a_paused_loop_fires_nothing_and_catches_up_when_it_goes_on() {
    for site in every().await {
        let running = run(&site);
        running.writer.submit(on("a", Command::Plan("step", 10))).await.unwrap();
        running.activity.settled().await;
        running.timers.pause();
        site.clock.advance(TimeDelta::seconds(20));
        running.activity.settled().await;
        assert_eq!(fired(&running, "a").await, "", "{}", site.name);
        running.timers.resume();
        running.activity.settled().await;
        assert_eq!(fired(&running, "a").await, "step");
    }
}

/// A loop with pages of two streams, which tells of each before it wakes it.
fn run_telling(site: &Site, writer: &Writer<Counter>, shards: Shards, tell: impl Fn(&str) + Send + Sync + 'static) -> TimerHandle {
    let options = TimerOptions { page: 2, shards, ..TimerOptions::for_log(&site.log(), Activity::new()) };
    let wake = move |due: &DueStream, now: DateTime<Utc>| {
        tell(&due.stream);
        on(&due.stream, Command::Wake(now))
    };
    TimerLoop::spawn(writer.clone(), Arc::new(wake), options)
}

async fn planned(site: &Site, streams: &[&'static str]) -> Writer<Counter> {
    let writer = Writer::spawn(Arc::new(Counter), site.log(), WriterOptions::default());
    for (stream, due) in streams.iter().zip(1..) {
        writer.submit(on(stream, Command::Plan("step", due))).await.unwrap();
    }
    site.clock.advance(TimeDelta::seconds(10));
    writer
}

async fn was_fired(writer: &Writer<Counter>, stream: &str) -> bool {
    !writer.state(stream).await.unwrap().0.fired.is_empty()
}

/// The next page is read while one is decided.
#[tokio::test]
async fn a_timer_that_was_moved_after_its_page_was_read_does_not_fire() {
    for site in every().await {
        let writer = planned(&site, &["a", "b", "c", "d", "e"]).await;
        let moved = Arc::new(Mutex::new(None));
        let (inner, moves) = (writer.clone(), Arc::clone(&moved));
        let _timers = run_telling(&site, &writer, Shards::All, move |stream| {
            if stream == "c" {
                let inner = inner.clone();
                let mut later = async move { inner.submit(on("d", Command::Plan("step", 500))).await }.boxed();
                assert!((&mut later).now_or_never().is_none(), "it waits for its answer");
                *moves.lock().unwrap() = Some(later);
            }
        });
        eventually("the last stream is woken", async || was_fired(&writer, "e").await).await;
        let later = moved.lock().unwrap().take().unwrap();
        later.await.unwrap();
        assert!(was_fired(&writer, "c").await && !was_fired(&writer, "d").await, "{}", site.name);
        assert_eq!(stored(&site).await, [("d/step".into(), 500)], "{}", site.name);
    }
}

/// A writer that has just started remembers nothing: the loop has read the stream, and it moves on before its wake is decided.
#[tokio::test(flavor = "multi_thread")]
async fn what_was_read_of_a_stream_before_its_wake_is_not_believed_when_it_is_old() {
    for site in every().await {
        let before = planned(&site, &["a", "b", "c", "d", "e"]).await;
        let writer = Writer::spawn(Arc::new(Counter), site.log(), WriterOptions::default());
        let inner = before.clone();
        let _timers = run_telling(&site, &writer, Shards::All, move |stream| {
            if stream == "c" {
                let moved = inner.submit(on("d", Command::Plan("step", 500)));
                tokio::task::block_in_place(|| tokio::runtime::Handle::current().block_on(moved)).unwrap();
            }
        });
        eventually("the last stream is woken", async || was_fired(&before, "e").await).await;
        assert!(was_fired(&before, "c").await && !was_fired(&before, "d").await, "{}", site.name);
        assert_eq!(stored(&site).await, [("d/step".into(), 500)], "{}", site.name);
        // And it is not what is remembered.
        assert_eq!(writer.state("d").await.unwrap().0.planned, [("step".to_owned(), 500)], "{}", site.name);
    }
}

/// The first page is full, so four are read at once. Of what waits there one stream is woken by somebody else meanwhile, and one moves on.
#[tokio::test(flavor = "multi_thread")]
async fn what_was_read_ahead_is_woken_as_it_is_by_then() {
    let streams = ["a", "b", "c", "d", "e", "f", "g", "h", "i", "j", "k"];
    for site in every().await {
        let before = planned(&site, &streams).await;
        site.clock.advance(TimeDelta::seconds(10));
        let writer = Writer::spawn(Arc::new(Counter), site.log(), WriterOptions::default());
        let (inner, seen) = (before.clone(), Arc::new(Mutex::new(Vec::new())));
        let sees = Arc::clone(&seen);
        let _timers = run_telling(&site, &writer, Shards::All, move |stream| {
            sees.lock().unwrap().push(stream.to_owned());
            if stream == "c" {
                let moved = async {
                    inner.submit(on("g", Command::Wake(moment(20))).for_wake(moment(20))).await.unwrap();
                    inner.submit(on("h", Command::Plan("step", 500))).await.unwrap();
                };
                tokio::task::block_in_place(|| tokio::runtime::Handle::current().block_on(moved));
            }
        });
        eventually("the last stream is woken", async || was_fired(&before, "k").await).await;
        assert_eq!(*seen.lock().unwrap(), streams, "{}: read before they changed", site.name);
        for stream in streams {
            let expected: &[&str] = if stream == "h" { &[] } else { &["step"] };
            assert_eq!(before.state(stream).await.unwrap().0.fired, expected, "{} {stream}", site.name);
        }
        assert_eq!(stored(&site).await, [("h/step".into(), 500)], "{}", site.name);
    }
}

/// Breaks the first appends that come to a point.
struct Breaks {
    at: CrashPoint,
    left: AtomicU32,
}

#[async_trait::async_trait]
impl Faults for Breaks {
    async fn reach(&self, point: CrashPoint) -> Result<(), String> {
        let breaks = point == self.at && self.left.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |left| left.checked_sub(1)).is_ok();
        if breaks { Err(format!("{point:?}")) } else { Ok(()) }
    }
}

/// Two pages are in hand while appends fail, before they are stored or after: no wake is lost, and what is stored is not made again.
#[tokio::test]
async fn wakes_that_failed_are_fired_again_and_those_that_did_not_are_not() {
    let streams = ["a", "b", "c", "d", "e", "f", "g", "h"];
    for at in [CrashPoint::Stored, CrashPoint::Committed] {
        for site in durable().await {
            let due = planned(&site, &streams).await;
            let faults = Arc::new(Breaks { at, left: AtomicU32::new(3) });
            let options = WriterOptions { batch_commands: 2, ..WriterOptions::default() };
            let writer = Writer::spawn(Arc::new(Counter), site.faulty(faults.clone()).await.unwrap(), options);
            let seen = Arc::new(Mutex::new(Vec::new()));
            let sees = Arc::clone(&seen);
            let timers = run_telling(&site, &writer, Shards::All, move |stream| sees.lock().unwrap().push(stream.to_owned()));
            eventually("all are woken", async || due.log().timers_due().await.unwrap() == 0).await;
            assert_eq!(faults.left.load(Ordering::SeqCst), 0, "{} {at:?}", site.name);
            drop(timers);
            let seen = seen.lock().unwrap().clone();
            match at {
                CrashPoint::Committed => assert_eq!(seen, streams, "{}", site.name),
                _ => assert!(seen.len() >= streams.len() + 3 * 2, "{} {seen:?}: two streams of each append that failed", site.name),
            }
            for stream in streams {
                assert!(due.state(stream).await.unwrap().0.fired == ["step"], "{} {stream} {at:?}", site.name);
            }
        }
    }
}

#[tokio::test]
async fn a_loop_that_pauses_takes_no_further_page_in_hand() {
    for site in every().await {
        let writer = planned(&site, &["a", "b", "c", "d", "e"]).await;
        let (handle, seen) = (Arc::new(OnceLock::<TimerHandle>::new()), Arc::new(Mutex::new(Vec::new())));
        let (paused, sees) = (Arc::downgrade(&handle), Arc::clone(&seen));
        let timers = run_telling(&site, &writer, Shards::All, move |stream| {
            sees.lock().unwrap().push(stream.to_owned());
            if let Some(handle) = paused.upgrade().filter(|_| stream == "a") {
                handle.get().unwrap().pause();
            }
        });
        assert!(handle.set(timers).is_ok());
        eventually("the first page is fired", async || was_fired(&writer, "b").await).await;
        // Another process takes over meanwhile, for instance.
        writer.submit(on("c", Command::Wake(moment(10))).for_wake(moment(10))).await.unwrap();
        assert_eq!(*seen.lock().unwrap(), ["a", "b"], "{}", site.name);
        handle.get().unwrap().resume();
        eventually("the others are fired", async || was_fired(&writer, "e").await).await;
        assert_eq!(*seen.lock().unwrap(), ["a", "b", "d", "e"], "{}", site.name);
    }
}

#[tokio::test]
async fn a_page_of_shards_that_have_moved_away_is_not_fired() {
    for site in every().await {
        let writer = planned(&site, &["a", "b", "c", "d"]).await;
        let all = site.log().timers(&Shards::All, 9).await.unwrap();
        let shards: Vec<i32> = all.iter().map(|timer| timer.shard).collect();
        let ours = watch::Sender::new((0..12).collect::<Vec<i32>>());
        let seen = Arc::new(Mutex::new(Vec::new()));
        let (sees, owned) = (Arc::clone(&seen), ours.subscribe());
        let _timers = run_telling(&site, &writer, Shards::Owned(owned), move |stream| {
            sees.lock().unwrap().push(stream.to_owned());
            // From now on nothing of what is planned is ours, but the last one.
            ours.send_replace(vec![shards[3]]);
        });
        eventually("the last stream is woken", async || was_fired(&writer, "d").await).await;
        let same = |stream: usize| all[stream].shard == all[3].shard;
        let expected: Vec<&str> =
            ["a", "b", "c", "d"].into_iter().enumerate().filter(|(n, _)| *n != 2 || same(2)).map(|(_, s)| s).collect();
        assert_eq!(*seen.lock().unwrap(), expected, "{}", site.name);
    }
}
