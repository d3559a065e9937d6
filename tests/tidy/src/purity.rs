//! What code may not contain, by the kind of its crate.

use crate::scan::line_of;
use crate::source::{Source, float_literals};
use crate::tree::TextFile;
use crate::{PURE, SERVICES, Violation};

/// Where floats are right: measurements, not money.
const FLOAT_FILES: [&str; 1] = ["crates/host/src/metrics.rs"];

/// `std_in_pure_crate`: the root of every pure crate says `#![no_std]`, so that the compiler proves the rest.
pub fn no_std(files: &[TextFile]) -> Vec<Violation> {
    let roots = files.iter().filter(|file| PURE.iter().any(|name| file.path == format!("crates/{name}/src/lib.rs")));
    let with_std = roots.filter(|file| !Source::read(file).code.lines().any(|line| line.trim() == "#![no_std]"));
    with_std.map(|file| Violation::new("std_in_pure_crate", &file.path, "must begin with #![no_std]")).collect()
}

/// `serde_in_pure_crate`: core types are converted by hand at the edge.
pub fn no_serde(source: &Source) -> Vec<Violation> {
    if !is_pure(source) {
        return vec![];
    }
    every(source, &["serde"], "serde_in_pure_crate", "convert in the service's wire.rs", |_| true)
}

/// `float`: money, rates and scores that decide are integers.
pub fn no_float(source: &Source) -> Vec<Violation> {
    let no_float_here = matches!(source.package(), "sql" | "eventlog" | "host") || is_pure(source) || is_service(source);
    if !source.in_crates() || !no_float_here || FLOAT_FILES.contains(&source.path.as_str()) {
        return vec![];
    }
    let advice = "integers only: minor units, parts per million, milliseconds";
    let mut found = every(source, &["f32", "f64"], "float", advice, |_| true);
    let literals = float_literals(&source.code).into_iter().map(|at| line_of(&source.code, at));
    found.extend(literals.map(|line| Violation::new("float", source.place(line), advice)));
    found
}

/// `left_open`: nothing unfinished, ignored or printed for oneself.
pub fn nothing_left_open(source: &Source) -> Vec<Violation> {
    let words = ["todo!", "unimplemented!", "#[ignore", "dbg!"];
    every(source, &words, "left_open", "finish it or take it out", |_| true)
}

/// `unwrap`: outside tests a fault is returned, or `expect` says why it can not happen.
pub fn no_unwrap(source: &Source) -> Vec<Violation> {
    every(source, &[".unwrap()"], "unwrap", "use `?`, or `expect` with the reason", |line| !source.is_test(line))
}

/// `environment`: one file of `host` reads it; test harnesses may, build scripts must.
pub fn no_environment(source: &Source) -> Vec<Violation> {
    if source.path == "crates/host/src/config.rs" || source.path.ends_with("/build.rs") {
        return vec![];
    }
    let words = ["env::var", "env::vars", "env::var_os", "env::vars_os"];
    every(source, &words, "environment", "read it in crates/host/src/config.rs", |line| !source.is_test(line))
}

/// A violation for each line that has one of the words and counts.
pub fn every(source: &Source, words: &[&str], rule: &'static str, advice: &str, counts: impl Fn(usize) -> bool) -> Vec<Violation> {
    let lines = words.iter().flat_map(|word| source.lines_with(word).into_iter().map(move |line| (*word, line)));
    let counted = lines.filter(|(_, line)| counts(*line));
    counted.map(|(word, line)| Violation::new(rule, source.place(line), format!("`{word}`: {advice}"))).collect()
}

fn is_pure(source: &Source) -> bool {
    source.in_crates() && PURE.contains(&source.package())
}

fn is_service(source: &Source) -> bool {
    source.in_crates() && SERVICES.iter().any(|(name, _)| *name == source.package())
}
