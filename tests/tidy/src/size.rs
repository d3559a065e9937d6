//! Sizes of files and functions. `#[cfg(test)]` modules at the end of a file are not counted as its lines,
//! test files and test functions are counted like any other.

use crate::Violation;
use crate::source::Source;

/// No file is longer.
pub const FILE_MAX: usize = 600;
/// 90 % of the files are not longer.
pub const FILE_USUAL: usize = 400;
/// No function is longer.
pub const FUNCTION_MAX: usize = 70;
/// 90 % of the functions are not longer.
pub const FUNCTION_USUAL: usize = 50;
/// The shares are asked for from this many files or functions on; below, one long one is already a tenth.
const ENOUGH: usize = 10;

/// `file_too_long`, and `files_mostly_long` when more than a tenth is over the usual size.
pub fn files(sources: &[Source]) -> Vec<Violation> {
    let length = |source: &Source| source.lines - source.test_lines();
    let mut found: Vec<Violation> = sources
        .iter()
        .filter(|source| length(source) > FILE_MAX)
        .map(|source| too_long("file_too_long", source.path.clone(), length(source), FILE_MAX))
        .collect();
    let long = sources.iter().filter(|source| length(source) > FILE_USUAL).count();
    found.extend(too_many("files_mostly_long", long, sources.len(), FILE_USUAL));
    found
}

/// `function_too_long`, and `functions_mostly_long` when more than a tenth is over the usual size.
pub fn functions(sources: &[Source]) -> Vec<Violation> {
    let (mut found, mut long, mut all) = (Vec::new(), 0, 0);
    for source in sources {
        for function in source.functions() {
            all += 1;
            long += usize::from(function.length() > FUNCTION_USUAL);
            if function.length() > FUNCTION_MAX {
                let place = format!("{} ({})", source.place(function.first), function.name);
                found.push(too_long("function_too_long", place, function.length(), FUNCTION_MAX));
            }
        }
    }
    found.extend(too_many("functions_mostly_long", long, all, FUNCTION_USUAL));
    found
}

fn too_long(rule: &'static str, place: String, lines: usize, max: usize) -> Violation {
    Violation::new(rule, place, format!("{lines} lines, at most {max}: split it by concept"))
}

fn too_many(rule: &'static str, long: usize, all: usize, usual: usize) -> Option<Violation> {
    let broken = all >= ENOUGH && long * 10 > all;
    broken.then(|| Violation::new(rule, "the whole tree", format!("{long} of {all} have more than {usual} lines, at most a tenth may")))
}
