//! Time and chance have one home, `host`; everywhere else they are arguments. Tests never sleep.

use crate::Violation;
use crate::purity::every;
use crate::scan::{line_of, words};
use crate::source::Source;

/// Files outside `host` that may measure how long something took, to show it to a person.
const STOPWATCH_FILES: [&str; 2] = ["crates/regua/src/progress.rs", "crates/regua/src/bench.rs"];

/// Parts of the event log that measure spans for leases, back-off, turns and beliefs: never a moment, never in a decision, and a virtual clock
/// must not slow them down.
const SPAN_FILES: [&str; 6] = [
    "crates/eventlog/src/bus/kafka/topics.rs",
    "crates/eventlog/src/consumer/runner.rs",
    "crates/eventlog/src/projection/registry.rs",
    "crates/eventlog/src/projection/turn.rs",
    "crates/eventlog/src/relay/lease.rs",
    "crates/eventlog/src/relay/mod.rs",
];

/// `clock` and `chance`: the wall clock, stopwatches and generated ids.
pub fn one_clock(source: &Source) -> Vec<Violation> {
    if source.path.starts_with("crates/host/") {
        return vec![];
    }
    let path = source.path.as_str();
    let stopwatch = STOPWATCH_FILES.contains(&path) || SPAN_FILES.contains(&path);
    let walls = ["Utc::now", "Local::now", "SystemTime::now"];
    let chances = ["now_v7", "new_v4", "rand::random", "rand::rng"];
    let mut found = every(source, &walls, "clock", "take the moment as an argument, or ask host's clock", |_| true);
    // A test needs a stopwatch for its deadlines.
    let timed = |line: usize| !stopwatch && !source.is_test(line);
    found.extend(every(source, &["Instant::now"], "clock", "only host measures time", timed));
    let made = |line: usize| !source.is_test(line);
    found.extend(every(source, &chances, "chance", "take the id as an argument, or ask host for it", made));
    found
}

/// `sleep_in_test`: a test waits for a condition. The pause between two looks is in a function that is named for
/// that (`wait_…`, `until_…`, `eventually…`, `poll_…`) and has a deadline.
pub fn no_sleep_in_tests(source: &Source) -> Vec<Violation> {
    let waits: Vec<_> = source.functions().into_iter().filter(|function| is_wait(&function.name)).collect();
    let bad = |line: usize| source.is_test(line) && !waits.iter().any(|wait| (wait.first..=wait.last).contains(&line));
    let sleeps = ["thread::sleep", "time::sleep", "time::sleep_until"];
    let mut found = every(source, &sleeps, "sleep_in_test", "wait for the condition, with a deadline", bad);
    found.extend(
        imported_sleeps(source)
            .into_iter()
            .filter(|line| bad(*line))
            .map(|line| Violation::new("sleep_in_test", source.place(line), "wait for the condition, with a deadline")),
    );
    found
}

/// Calls of a bare `sleep(…)`. A method is no sleep of the machine: a virtual clock's `sleep_until` takes no time.
fn imported_sleeps(source: &Source) -> Vec<usize> {
    let bare = |at: &usize| !source.code[..*at].ends_with(['.', ':']) && !source.code[..*at].trim_end().ends_with("fn");
    words(&source.code, "sleep(").filter(bare).map(|at| line_of(&source.code, at)).collect()
}

fn is_wait(name: &str) -> bool {
    ["wait", "until", "eventually", "poll"].iter().any(|begin| name.starts_with(begin))
}
