//! What playing a history gave.

use crate::history::{History, history};
use crate::witness::{Invariant, Violation};
use crate::world::{Play, World};
use receivable::{BreakCause, Stage};
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;

/// What is left of a history that was played.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outcome {
    /// Its seed.
    pub seed: u64,
    /// What did not hold; empty is good.
    pub violations: Vec<Violation>,
    /// Hash of all logs and of every message that was sent.
    pub digest: String,
    /// How often each kind of fact, fault and answer was played.
    pub coverage: BTreeMap<String, u64>,
    /// What happened, where it was asked for.
    pub transcript: Vec<String>,
    /// By receivable, minor units owed.
    pub owed: BTreeMap<String, i64>,
    /// By agreement, where it stands.
    pub agreements: BTreeMap<String, Stage>,
    /// Messages that a payer got twice.
    pub duplicates: u64,
}

/// Plays the history of a seed once.
pub fn play(seed: u64, play: Play) -> Outcome {
    play_history(history(seed), play)
}

/// Plays the history of a seed, and where services are out a second time without that: what is owed must be the same.
pub fn check(seed: u64, how: Play) -> Outcome {
    let history = history(seed);
    let out = !history.outages.is_empty();
    let mut outcome = play_history(history.clone(), how);
    if out && (outcome.duplicates > 0 || outcome.violations.is_empty()) {
        let plain = play_history(history, Play { without_outages: true, told: false, ..how });
        let at = crate::history::beginning();
        if outcome.duplicates > plain.duplicates {
            let what = format!("{} messages came twice with the outage, {} without", outcome.duplicates, plain.duplicates);
            outcome.violations.push(Violation { invariant: Invariant::Outage, at, what });
        }
        let both = plain.violations.is_empty() && outcome.violations.is_empty();
        let kept = |stage: Option<&Stage>| matches!(stage, Some(Stage::Completed { .. }));
        let late = |stage: &Stage| matches!(stage, Stage::Broken { cause: BreakCause::Late, .. });
        for (id, _) in outcome.agreements.iter().filter(|(id, stage)| late(stage) && kept(plain.agreements.get(*id))) {
            let what = format!("{id} is broken with the outage and kept without");
            outcome.violations.push(Violation { invariant: Invariant::Outage, at, what });
        }
        // A breach that an outage of the owner put off leaves a payer time: what comes meanwhile is still money for an instalment.
        let moved = plain.agreements != outcome.agreements;
        if both && moved {
            *outcome.coverage.entry("outage: moved a breach".to_owned()).or_default() += 1;
        }
        if both && !moved && plain.owed != outcome.owed {
            let what = format!("owed with the outage {:?}, without {:?}", outcome.owed, plain.owed);
            outcome.violations.push(Violation { invariant: Invariant::Outage, at, what });
        }
        outcome.violations.extend(plain.violations);
    }
    outcome
}

fn play_history(history: History, play: Play) -> Outcome {
    let seed = history.seed;
    let mut world = World::new(history, play);
    world.run();
    let (digest, owed, agreements) = (world.digest(), world.owed(), world.agreements());
    Outcome {
        seed,
        violations: world.witness.violations,
        digest,
        coverage: world.coverage,
        transcript: world.transcript,
        owed,
        agreements,
        duplicates: world.witness.duplicates,
    }
}

impl World {
    /// Of everything that was recorded, in order, but for the ids of events: two logs may number them otherwise.
    fn digest(&mut self) -> String {
        let mut hash = Sha256::new();
        let logs = [self.invoice.journal.read(0, usize::MAX >> 1), self.engine.journal.read(0, usize::MAX >> 1)];
        for event in logs.into_iter().flatten().chain(self.notification.journal.read(0, usize::MAX >> 1)) {
            let head = format!("{} {} {} {} {}", event.position, event.stream, event.version, event.event_type, event.recorded_at);
            hash.update(head.as_bytes());
            hash.update(&event.payload);
        }
        for handed in &self.witness.calls {
            hash.update(format!("{handed:?}").as_bytes());
        }
        hex::encode(hash.finalize())
    }

    fn agreements(&mut self) -> BTreeMap<String, Stage> {
        let accounts: Vec<_> = (0..self.history.payers.len()).map(|payer| self.account(payer)).collect();
        let all = accounts.iter().flat_map(|account| &account.agreements);
        all.map(|(id, agreement)| (id.to_string(), agreement.stage)).collect()
    }

    fn owed(&mut self) -> BTreeMap<String, i64> {
        let mut owed = BTreeMap::new();
        for payer in 0..self.history.payers.len() {
            let account = self.account(payer);
            owed.extend(account.invoices.iter().map(|(id, invoice)| (id.to_string(), invoice.open_minor)));
            owed.insert(format!("credit of {payer}"), account.credit.values().sum());
        }
        owed
    }
}
