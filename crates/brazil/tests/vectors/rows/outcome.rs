//! What was found in a directory.

use super::row::{Fault, FaultKind};
use super::table::Unreadable;
use std::fmt::{self, Display};

/// Faults of one file that are printed; the rest is counted.
const SHOWN: usize = 20;

/// The rows of one file, or of one kind of row in it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tally {
    pub name: String,
    pub rows: usize,
    /// Rows on which the rule gave its verdict.
    pub checked: usize,
    /// Line and fault.
    pub faults: Vec<(u64, Fault)>,
}

impl Tally {
    pub fn new(name: &str) -> Self {
        Self { name: name.to_owned(), rows: 0, checked: 0, faults: Vec::new() }
    }

    /// Takes the outcome of the check of the row on a line.
    pub fn take(&mut self, line: u64, outcome: Result<(), Fault>) {
        self.rows += 1;
        let unchecked = |fault: &Fault| matches!(fault.kind, FaultKind::Unchecked { .. });
        self.checked += usize::from(!outcome.as_ref().is_err_and(unchecked));
        self.faults.extend(outcome.err().map(|fault| (line, fault)));
    }
}

/// A directory.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Outcome {
    pub tallies: Vec<Tally>,
    /// Files of the set that are not there.
    pub missing: Vec<&'static str>,
    /// Files that cannot be read as what their name says.
    pub unreadable: Vec<(String, Unreadable)>,
    /// Files whose name no check has.
    pub unknown: Vec<String>,
    /// Documentation, left alone.
    pub documents: Vec<String>,
    /// Whether a missing or empty file is a fault.
    pub whole: bool,
}

impl Outcome {
    /// Everything was checked, and nothing differs.
    pub fn is_good(&self) -> bool {
        let filled = |tally: &Tally| tally.rows > 0 || !self.whole;
        let rows = self.tallies.iter().all(|tally| filled(tally) && tally.rows == tally.checked && tally.faults.is_empty());
        let files = self.unreadable.is_empty() && self.unknown.is_empty() && !self.tallies.is_empty();
        rows && files && (self.missing.is_empty() || !self.whole)
    }
}

impl Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{:<28}{:>8}{:>9}{:>8}", "file", "rows", "checked", "faults")?;
        for tally in &self.tallies {
            writeln!(f, "{:<28}{:>8}{:>9}{:>8}", tally.name, tally.rows, tally.checked, tally.faults.len())?;
        }
        let total = |count: fn(&Tally) -> usize| self.tallies.iter().map(count).sum::<usize>();
        let (rows, checked) = (total(|tally| tally.rows), total(|tally| tally.checked));
        writeln!(f, "{:<28}{rows:>8}{checked:>9}{:>8}", "all", total(|tally| tally.faults.len()))?;
        if !self.missing.is_empty() {
            writeln!(f, "missing: {}", self.missing.join(", "))?;
        }
        for name in &self.documents {
            writeln!(f, "{name} is no vector file, left alone")?;
        }
        for name in &self.unknown {
            writeln!(f, "{name} is a kind of file that is not known")?;
        }
        for (name, fault) in &self.unreadable {
            writeln!(f, "{name}{} {}", fault.line.map(|line| format!(":{line}")).unwrap_or_default(), fault.what)?;
        }
        for tally in &self.tallies {
            tally.write_faults(f)?;
        }
        let verdict = if self.is_good() { "every row checked, none differs" } else { "NOT GOOD" };
        writeln!(f, "{verdict}")
    }
}

impl Tally {
    fn write_faults(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.rows == 0 {
            writeln!(f, "{} has no rows", self.name)?;
        }
        let file = self.name.split(' ').next().unwrap_or(&self.name);
        for (line, fault) in self.faults.iter().take(SHOWN) {
            writeln!(f, "{file}:{line}: {fault}")?;
        }
        if self.faults.len() > SHOWN {
            writeln!(f, "{file}: and {} more faults", self.faults.len() - SHOWN)?;
        }
        Ok(())
    }
}
