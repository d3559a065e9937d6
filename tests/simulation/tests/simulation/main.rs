//! Whole histories against the invariants of ladder.md section 11, and planted bugs against those who watch.

use simulation::{Bug, Play, Tally, check, play, report, tables};
use std::sync::atomic::{AtomicU64, Ordering};

/// Histories of an ordinary run; `make simulate SEEDS=…` plays more.
const HISTORIES: u64 = 10_000;
/// Histories of which SQL views are built.
const VIEWED_HISTORIES: u64 = 200;

/// What thousands of histories must have played of agreements.
const AGREEMENTS: [&str; 9] = [
    "fact: agreed",
    "fact: agreed, with charges",
    "agreement: broken, by_person",
    "agreement: broken, instalment_late",
    "agreement: completed",
    "agreement: open again",
    "agreement: payment put on a debt",
    "agreement: instalment reminded of",
    "agreement: debt reminded of after a breach",
];

#[test]
fn thousands_of_histories_keep_every_invariant() {
    let tally = Tally::of(1, HISTORIES, Play::default(), (2, 3));
    println!("{}", tally.told());
    let told = tally.failed.first().map(|outcome| report::last_lines(outcome.seed, Play::default()));
    assert!(tally.failed.is_empty(), "{}\n{}", told.unwrap_or_default(), tally.told());
    for played in AGREEMENTS {
        assert!(tally.coverage.contains_key(played), "{played} was never played");
    }
}

#[test]
fn the_same_seed_gives_the_same_history_in_memory_and_on_disk() {
    for seed in 1..=6 {
        let (first, second) = (play(seed, Play::default()), play(seed, Play::default()));
        assert_eq!(first.digest, second.digest, "seed {seed}");
        let stored = play(seed, Play { on_disk: true, ..Play::default() });
        assert_eq!(stored.violations, [], "seed {seed} on disk");
        assert_eq!(stored.digest, first.digest, "seed {seed} on disk");
    }
}

#[test]
fn sql_views_of_whole_histories_equal_those_that_read_everything_once_whatever_befell_their_pages() {
    let next = AtomicU64::new(1);
    let work = || {
        let mut rows = 0;
        loop {
            let seed = next.fetch_add(1, Ordering::SeqCst);
            if seed > VIEWED_HISTORIES {
                return rows;
            }
            rows += tables::compare(seed, false).unwrap_or_else(|what| panic!("seed {seed}: {what}"));
        }
    };
    let rows: u64 = std::thread::scope(|scope| [scope.spawn(work), scope.spawn(work)].map(|hand| hand.join().unwrap()).iter().sum());
    println!("{VIEWED_HISTORIES} histories, {rows} rows");
    assert!(rows > VIEWED_HISTORIES * 10, "{rows} rows");
}

#[test]
fn a_message_that_a_sql_view_passes_over_is_found() {
    assert!((1..=10).any(|seed| tables::compare(seed, true).is_err_and(|what| what.contains("read once"))));
}

#[test]
fn each_planted_bug_is_found_and_the_same_seeds_are_clean_without_it() {
    let mut hidden = Vec::new();
    for (bug, invariant) in Bug::ALL {
        let how = Play { bug: Some(bug), ..Play::default() };
        let found = (1..=800).find(|seed| check(*seed, how).violations.iter().any(|violation| violation.invariant == invariant));
        let Some(seed) = found else {
            hidden.push(bug);
            continue;
        };
        println!("{bug:?}: found by seed {seed} as {}", invariant.name());
        assert_eq!(check(seed, Play::default()).violations, [], "seed {seed} without {bug:?}");
    }
    assert_eq!(hidden, [], "these stay hidden");
}
