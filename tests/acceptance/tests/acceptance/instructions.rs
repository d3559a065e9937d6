//! What a piece of work costs, in instructions: they are the same on a busy machine as on an idle one. `instructions.toml` says how many
//! each may take.

use crate::program;
use serde::Deserialize;
use std::{collections::BTreeMap, fs, path::Path, process::Command};

/// Processors choose different code for copying bytes, and hash maps seed themselves anew.
const TOLERANCE: f64 = 0.25;

#[derive(Deserialize)]
struct Budget {
    /// Instructions of one piece.
    each: f64,
    /// How many pieces are counted, after as many that only warm up.
    times: u64,
}

fn budgets() -> BTreeMap<String, Budget> {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("instructions.toml");
    toml::from_str(&fs::read_to_string(file).unwrap()).unwrap()
}

/// Instructions of a whole run.
fn counted(work: &str, times: u64) -> f64 {
    let (directory, program) = (tempfile::tempdir().unwrap(), program::path("regua"));
    let report = directory.path().join("report.json");
    let mut command = Command::new("valgrind");
    command.args(["--tool=cachegrind", "--cache-sim=no", "--cachegrind-out-file=/dev/null"]).arg(program);
    command.args(["bench", "--work", work, "--times", &times.to_string(), "--report"]).arg(report);
    let output = command.current_dir(program::root()).output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{work}: {said}");
    let (_, told) = said.split_once(" refs:").unwrap_or_else(|| panic!("{said}"));
    let number: String = told.lines().next().unwrap_or_default().chars().filter(char::is_ascii_digit).collect();
    number.parse().unwrap_or_else(|_| panic!("{said}"))
}

/// Instructions of one piece; what starting costs is in both runs.
fn each(work: &str, times: u64) -> f64 {
    (counted(work, 2 * times) - counted(work, times)) / times as f64
}

#[test]
fn a_piece_of_work_costs_no_more_than_it_did() {
    if Command::new("valgrind").arg("--version").output().is_err() {
        println!("skipped: there is no valgrind");
        return;
    }
    let mut wrong = Vec::new();
    for (work, budget) in budgets() {
        let each = each(&work, budget.times);
        println!("{work}: {each:.0} instructions, {:.0} allowed", budget.each);
        if each > budget.each * (1.0 + TOLERANCE) {
            wrong.push(format!("{work} takes {each:.0} instructions, should be about {:.0}", budget.each));
        }
        if each < budget.each * (1.0 - 2.0 * TOLERANCE) {
            wrong.push(format!("{work} takes only {each:.0} instructions: write that down instead of {:.0}", budget.each));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
