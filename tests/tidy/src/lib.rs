//! The house rules as functions: each takes text or a graph and returns what breaks the rule.
//!
//! The tests of this crate run every rule twice: on the real tree, and on a planted violation that proves
//! that the rule can fail. A rule reads names and shapes only; what the code means is for reviewers.

pub mod clock;
pub mod graph;
pub mod layout;
pub mod mentions;
pub mod neutral;
pub mod proto;
pub mod purity;
pub mod scan;
pub mod size;
pub mod source;
pub mod tree;

use std::fmt;

/// The pure crates: decisions without IO, clock, randomness, serialisation or float.
pub const PURE: [&str; 6] = ["kernel", "receivable", "ladder", "notice", "insight", "brazil"];

/// Each service and the only pure context it may know.
pub const SERVICES: [(&str, &str); 4] =
    [("invoice", "receivable"), ("dunning-engine", "ladder"), ("notification", "notice"), ("reporting", "insight")];

/// One broken rule, at one place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Violation {
    /// Stable name of the rule, for example `file_too_long`.
    pub rule: &'static str,
    /// Path from the root of the project with the line, or the name of a crate.
    pub place: String,
    /// What was found, and what the rule wants instead.
    pub detail: String,
}

impl Violation {
    /// A violation of `rule` at `place`.
    pub fn new(rule: &'static str, place: impl Into<String>, detail: impl Into<String>) -> Self {
        Violation { rule, place: place.into(), detail: detail.into() }
    }
}

impl fmt::Display for Violation {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{}: {}: {}", self.place, self.rule, self.detail)
    }
}
