//! A Rust file, read once: its code without literals, its functions and its test code.

use crate::scan::{blank_literals, is_word, line_of, matching_brace, words};
use crate::tree::TextFile;

/// A Rust source file.
#[derive(Clone, Debug)]
pub struct Source {
    /// Path from the root of the project.
    pub path: String,
    /// The text with comments and literals blanked, positions unchanged.
    pub code: String,
    /// Number of lines.
    pub lines: usize,
    tests: Vec<(usize, usize)>,
}

/// A function with a body.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Function {
    /// Its name, without the path.
    pub name: String,
    /// The line of `fn`.
    pub first: usize,
    /// The line of the closing brace.
    pub last: usize,
}

impl Function {
    /// Number of lines from `fn` to the closing brace.
    pub fn length(&self) -> usize {
        self.last + 1 - self.first
    }
}

impl Source {
    /// Reads a Rust file.
    pub fn read(file: &TextFile) -> Self {
        let code = blank_literals(&file.text);
        let lines = file.text.lines().count();
        let tests = if is_test_path(&file.path) { vec![(1, lines)] } else { test_modules(&code) };
        Source { path: file.path.clone(), code, lines, tests }
    }

    /// The crate's folder name: `kernel` for `crates/kernel/src/money.rs`, `tidy` for `tests/tidy/src/lib.rs`.
    pub fn package(&self) -> &str {
        self.path.split('/').nth(1).unwrap_or_default()
    }

    /// Whether the file is in one of `crates/`.
    pub fn in_crates(&self) -> bool {
        self.path.starts_with("crates/")
    }

    /// Whether the line is test code: below a `tests` or `benches` folder, or in a `#[cfg(test)]` module.
    pub fn is_test(&self, line: usize) -> bool {
        self.tests.iter().any(|(first, last)| (*first..=*last).contains(&line))
    }

    /// Number of lines in `#[cfg(test)]` modules, when the file itself is no test.
    pub fn test_lines(&self) -> usize {
        if is_test_path(&self.path) { 0 } else { self.tests.iter().map(|(first, last)| last + 1 - first).sum() }
    }

    /// The lines where `needle` stands as a whole word (or path) in code.
    pub fn lines_with(&self, needle: &str) -> Vec<usize> {
        words(&self.code, needle).map(|at| line_of(&self.code, at)).collect()
    }

    /// `path:line`.
    pub fn place(&self, line: usize) -> String {
        format!("{}:{line}", self.path)
    }

    /// All functions with a body, those inside others too.
    pub fn functions(&self) -> Vec<Function> {
        words(&self.code, "fn").filter_map(|at| function_at(&self.code, at)).collect()
    }
}

/// Harness and test crates stand in `tests/`, a crate's own tests in its `tests` folder or a module `tests`.
fn is_test_path(path: &str) -> bool {
    path.starts_with("tests/") || path.split('/').any(|part| matches!(part, "tests" | "benches" | "tests.rs"))
}

fn function_at(code: &str, at: usize) -> Option<Function> {
    let after = &code[at + 2..];
    let name: String = after.trim_start().chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect();
    // `fn(u8) -> u8` is a type, `fn $name` a macro's template.
    if name.is_empty() {
        return None;
    }
    let open = at + 2 + body_start(after)?;
    Some(Function { name, first: line_of(code, at), last: line_of(code, matching_brace(code, open).min(code.len())) })
}

/// Where the body opens; nothing when the signature ends with `;`.
fn body_start(signature: &str) -> Option<usize> {
    let mut depth = 0_usize;
    for (at, byte) in signature.bytes().enumerate() {
        match byte {
            b'(' | b'[' => depth += 1,
            b')' | b']' => depth = depth.saturating_sub(1),
            b';' if depth == 0 => return None,
            b'{' if depth == 0 => return Some(at),
            _ => {}
        }
    }
    None
}

/// First and last line of every item under `#[cfg(test)]` (also `cfg(all(test, …))`) that has a body.
fn test_modules(code: &str) -> Vec<(usize, usize)> {
    let condition = |at: usize| code[at..].split(']').next().unwrap_or_default();
    let attributes = code.match_indices("#[cfg(").map(|(at, _)| at);
    attributes
        .filter(|&at| words(condition(at), "test").next().is_some() && !condition(at).contains("not("))
        .filter_map(|at| {
            let item = at + condition(at).len() + 1;
            let open = item + body_start(&code[item..])?;
            Some((line_of(code, at), line_of(code, matching_brace(code, open))))
        })
        .collect()
}

/// The positions of float literals such as `1.5` in code; `1..5` and `pair.0.1` are none.
pub fn float_literals(code: &str) -> Vec<usize> {
    let bytes = code.as_bytes();
    let digit = |at: usize| bytes.get(at).is_some_and(u8::is_ascii_digit);
    let mut found = Vec::new();
    let mut at = 0;
    while at < bytes.len() {
        if !digit(at) {
            at += 1;
            continue;
        }
        let start = at;
        while at < bytes.len() && is_word(bytes[at]) {
            at += 1;
        }
        let free = start == 0 || !is_word(bytes[start - 1]) && bytes[start - 1] != b'.';
        if free && bytes.get(at) == Some(&b'.') && digit(at + 1) {
            found.push(start);
        }
    }
    found
}
