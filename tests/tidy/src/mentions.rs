//! Documents that name tests as their proof.

use std::collections::BTreeSet;

use crate::Violation;
use crate::source::Source;
use crate::tree::TextFile;

/// The documents: in them every name in backticks that reads like a test's is one.
const DOCUMENTS: [&str; 1] = ["docs/bad-input.md"];
/// A sentence has at least so many underscores; keys and commands have fewer.
const UNDERSCORES: usize = 3;

/// `no_such_test`: a document names a test that is not there, or not any more.
pub fn tests_exist(files: &[TextFile], sources: &[Source]) -> Vec<Violation> {
    let tests: BTreeSet<String> =
        sources.iter().flat_map(|source| source.functions().into_iter().filter(|f| source.is_test(f.first)).map(|f| f.name)).collect();
    let documents = files.iter().filter(|file| DOCUMENTS.contains(&file.path.as_str()));
    documents.flat_map(|file| missing(file, &tests)).collect()
}

fn missing(file: &TextFile, tests: &BTreeSet<String>) -> Vec<Violation> {
    let names =
        |line: &str| -> Vec<String> { line.split('`').skip(1).step_by(2).filter(|name| is_sentence(name)).map(str::to_owned).collect() };
    let lines = file.text.lines().enumerate();
    let named = lines.flat_map(|(index, line)| names(line).into_iter().map(move |name| (index + 1, name)));
    let gone = named.filter(|(_, name)| !tests.contains(name));
    gone.map(|(line, name)| Violation::new("no_such_test", format!("{}:{line}", file.path), format!("{name} is not there"))).collect()
}

fn is_sentence(name: &str) -> bool {
    name.matches('_').count() >= UNDERSCORES && name.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_')
}
