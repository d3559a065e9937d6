//! The house rules, run on the real tree and on planted violations.

mod graph;
mod layout;
mod mentions;
mod proto;
mod reading;
mod real_tree;
mod text;

use tidy::Violation;
use tidy::source::Source;
use tidy::tree::TextFile;

/// Reads a planted Rust file.
fn planted(path: &str, text: &str) -> Source {
    Source::read(&TextFile::new(path, text))
}

/// The rules broken, with their places, one a line.
fn broken(violations: &[Violation]) -> String {
    violations.iter().map(|found| format!("{} {}", found.rule, found.place)).collect::<Vec<_>>().join("\n")
}
