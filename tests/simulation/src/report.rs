//! What is told of many histories: how many, what was played in them, and what did not hold.

use crate::outcome::{Outcome, check, play};
use crate::world::Play;
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::sync::atomic::{AtomicU64, Ordering};

/// Lines of a transcript that are shown.
const SHOWN_LINES: usize = 120;

/// Many histories together.
#[derive(Debug, Default)]
pub struct Tally {
    /// Histories played.
    pub histories: u64,
    /// How often each kind of fact, fault and answer was played.
    pub coverage: BTreeMap<String, u64>,
    /// Outcomes in which something did not hold, the first seeds first.
    pub failed: Vec<Outcome>,
}

impl Tally {
    /// Plays the histories of `count` seeds from `first` on, with as many hands as given; ends early where `stop` failed.
    pub fn of(first: u64, count: u64, how: Play, (hands, stop): (usize, usize)) -> Tally {
        let (next, failures) = (AtomicU64::new(0), AtomicU64::new(0));
        let work = || {
            let mut tally = Tally::default();
            while failures.load(Ordering::SeqCst) < stop as u64 {
                let nth = next.fetch_add(1, Ordering::SeqCst);
                if nth >= count {
                    break;
                }
                let outcome = check(first + nth, how);
                failures.fetch_add(u64::from(!outcome.violations.is_empty()), Ordering::SeqCst);
                tally.add(outcome);
            }
            tally
        };
        let mut all = Tally::default();
        std::thread::scope(|scope| {
            let hands: Vec<_> = (0..hands.max(1)).map(|_| scope.spawn(work)).collect();
            for hand in hands {
                all.join(hand.join().expect("a history ends with an outcome"));
            }
        });
        all.failed.sort_by_key(|outcome| outcome.seed);
        all
    }

    fn add(&mut self, outcome: Outcome) {
        self.histories += 1;
        for (what, times) in &outcome.coverage {
            *self.coverage.entry(what.clone()).or_default() += times;
        }
        if !outcome.violations.is_empty() {
            self.failed.push(outcome);
        }
    }

    fn join(&mut self, other: Tally) {
        self.histories += other.histories;
        other.coverage.into_iter().for_each(|(what, times)| *self.coverage.entry(what).or_default() += times);
        self.failed.extend(other.failed);
    }

    /// For a person: the coverage, then each failed seed with the command that plays it again.
    pub fn told(&self) -> String {
        let mut text = format!("{} histories\n", self.histories);
        for (what, times) in &self.coverage {
            let _ = writeln!(text, "  {times:>9}  {what}");
        }
        for outcome in &self.failed {
            let _ = writeln!(text, "seed {} failed; again: make simulate SEED={}", outcome.seed, outcome.seed);
            outcome.violations.iter().for_each(|violation| _ = writeln!(text, "  {violation}"));
        }
        text
    }
}

/// One seed for a person: what happened, and what did not hold.
pub fn transcript(seed: u64, how: Play) -> String {
    let mut text = format!("{:#?}\n", crate::history::history(seed));
    let told = play(seed, Play { told: true, ..how });
    told.transcript.iter().for_each(|line| _ = writeln!(text, "{line}"));
    let whole = check(seed, how);
    let _ = writeln!(text, "digest {}", told.digest);
    whole.violations.iter().for_each(|violation| _ = writeln!(text, "{violation}"));
    text
}

/// The last lines of what happened in a seed, for the message of a failed test.
pub fn last_lines(seed: u64, how: Play) -> String {
    let told = play(seed, Play { told: true, ..how }).transcript;
    told[told.len().saturating_sub(SHOWN_LINES)..].join("\n")
}
