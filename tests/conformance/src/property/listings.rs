//! SIGKILL of the process that lists debts at a bureau.

use std::path::Path;

use anyhow::ensure;

use crate::Outcome;
use crate::bureau::{Reached, Shared, Stall, bring_to_the_eve, count, lists};
use crate::chance::Chance;
use crate::moment::until;
use crate::office::say_yes;
use crate::process::Victim;
use crate::storage::Durable;

/// Debts that are to be listed.
const PAYERS: u64 = 40;
const KILLS: u64 = 4;
/// Longer than a command may be in the hands of a process.
const LATER_MINUTES: i64 = 11;

/// What the bureau says when it is asked for a command.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Memory {
    /// Whether it has it.
    Kept,
    /// That it never had it.
    Lost,
}

/// The process that lists is killed in the middle of a stream of entries, several times, while a command is in the bureau's hands: taken
/// and not answered, or not taken. In the end the bureau has every command, and none was handed over again that it had.
///
/// # Errors
/// What is wrong.
pub async fn a_killed_clerk_hands_everything_over_once<S: Durable>(storage: &S, victim: &Path, memory: Memory) -> Outcome {
    let mut chance = Chance::new("a killed clerk");
    let (bureau, url) = Shared::open(memory == Memory::Lost).await?;
    let reached = Reached { place: storage.place(), owner: say_yes().await?, bureau: url };
    bring_to_the_eve(&reached, PAYERS).await?;
    let mut minutes = 0;
    for round in 0..KILLS {
        bureau.stand_still(Some(Stall { after: chance.below(9), taken: round % 2 == 0 }));
        let at = minutes.to_string();
        let arguments = ["list".into(), reached.place.to_string(), reached.owner.clone(), reached.bureau.clone(), at];
        let mut process = Victim::spawn(victim, &arguments)?;
        process.until_says("ready").await?;
        until("the bureau stands still", async || Ok(bureau.look(|bureau| bureau.stalled))).await?;
        process.kill().await?;
        println!("{}: killed with {} of {PAYERS} at the bureau", S::NAME, bureau.look(|bureau| bureau.taken.len()));
        minutes += LATER_MINUTES;
    }
    bureau.stand_still(None);
    let service = lists(&reached, minutes).await?;
    let log = service.environment().log.clone();
    let answered = async || Ok(count(&log, "ListingAnswered").await? >= PAYERS);
    until("every entry has its answer", answered).await?;
    service.stop().await;
    bureau.look(|bureau| {
        ensure!(bureau.again.is_empty(), "handed over again though the bureau had it: {:?}", bureau.again);
        let keys: Vec<&String> = bureau.taken.keys().collect();
        ensure!(keys.len() as u64 == PAYERS, "the bureau has {} of {PAYERS} commands: {keys:?}", keys.len());
        for (key, said) in &bureau.taken {
            ensure!(key.ends_with("~include") && said.contains(key.trim_end_matches("~include")), "{key} says {said}");
        }
        Ok(())
    })
}
