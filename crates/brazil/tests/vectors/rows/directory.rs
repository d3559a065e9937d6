//! All files of a directory, each by the check that its name stands for.

use super::outcome::{Outcome, Tally};
use super::set::{SET, VectorFile};
use super::table::{Unreadable, rows, rows_in_comments};
use std::io;
use std::path::Path;

/// Checks every file. `whole` makes a missing or empty file of the set a fault. Errors: the directory cannot be read.
pub fn read(path: &Path, whole: bool) -> io::Result<Outcome> {
    let mut outcome = Outcome { whole, ..Outcome::default() };
    let mut names: Vec<String> = Vec::new();
    for entry in std::fs::read_dir(path)? {
        names.push(entry?.file_name().to_string_lossy().into_owned());
    }
    names.sort();
    for name in &names {
        match SET.iter().find(|file| file.name == name) {
            Some(file) => check(path, file, &mut outcome),
            None if name.starts_with('.') || name.ends_with(".md") => outcome.documents.push(name.clone()),
            None => outcome.unknown.push(name.clone()),
        }
    }
    outcome.missing = SET.iter().map(|file| file.name).filter(|name| !names.iter().any(|found| found == name)).collect();
    Ok(outcome)
}

fn check(path: &Path, file: &VectorFile, outcome: &mut Outcome) {
    let read = std::fs::read_to_string(path.join(file.name)).map_err(|error| Unreadable { line: None, what: error.to_string() });
    let found = read.and_then(|text| rows(&text, file.columns).map(|rows| (text, rows)));
    let (text, rows) = match found {
        Ok(found) => found,
        Err(fault) => return outcome.unreadable.push((file.name.to_owned(), fault)),
    };
    let mut tally = Tally::new(file.name);
    for row in &rows {
        tally.take(row.line, row.fits().and_then(|()| (file.check)(row)));
    }
    outcome.tallies.push(tally);
    if let Some(aside) = &file.aside {
        let mut tally = Tally::new(&format!("{} {}", file.name, aside.prefix.trim_end_matches(',')));
        for row in rows_in_comments(&text, aside.prefix, aside.columns) {
            tally.take(row.line, (aside.check)(&row));
        }
        // A copy without them has nothing left out.
        outcome.tallies.extend((tally.rows > 0).then_some(tally));
    }
}
