//! Plays histories: `simulate --seeds 1000 [--first 1] [--disk]`, or one of them with all that happens: `simulate --seed 7`.

use simulation::{Play, Tally, report};
use std::process::ExitCode;
use std::thread::available_parallelism;

const USAGE: &str = "usage: simulate [--seeds COUNT] [--first SEED] [--disk] | --seed SEED [--disk]";

struct Asked {
    seeds: u64,
    first: u64,
    seed: Option<u64>,
    on_disk: bool,
}

fn asked() -> Option<Asked> {
    let mut asked = Asked { seeds: 1000, first: 1, seed: None, on_disk: false };
    let mut words = std::env::args().skip(1);
    while let Some(word) = words.next() {
        match word.as_str() {
            "--disk" => asked.on_disk = true,
            "--seeds" => asked.seeds = words.next()?.parse().ok()?,
            "--first" => asked.first = words.next()?.parse().ok()?,
            "--seed" => asked.seed = Some(words.next()?.parse().ok()?),
            _ => return None,
        }
    }
    Some(asked)
}

fn main() -> ExitCode {
    let Some(Asked { seeds, first, seed, on_disk }) = asked() else {
        eprintln!("{USAGE}");
        return ExitCode::from(2);
    };
    let how = Play { on_disk, ..Play::default() };
    if let Some(seed) = seed {
        print!("{}", report::transcript(seed, how));
        return if simulation::check(seed, how).violations.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE };
    }
    println!("seeds {first} to {}", first + seeds.max(1) - 1);
    let tally = Tally::of(first, seeds, how, (available_parallelism().map_or(1, usize::from), 5));
    print!("{}", tally.told());
    if tally.failed.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}
