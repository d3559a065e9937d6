//! Who may depend on whom: `kernel` <- pure contexts <- services -> `contracts`, `eventlog`, `host`.

use std::collections::BTreeMap;

use crate::{PURE, SERVICES, Violation};

/// A dependency of a crate, as its manifest declares it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Dependency {
    /// The package's real name, also where the manifest renames it.
    pub name: String,
    /// For tests only (`[dev-dependencies]`).
    pub dev: bool,
}

/// Every crate of the workspace with what it depends on directly.
#[derive(Clone, Debug, Default)]
pub struct Graph {
    /// By crate name.
    pub crates: BTreeMap<String, Vec<Dependency>>,
}

/// Crates in `tests/`: they see everything, nobody sees them.
const TEST_CRATES: [&str; 4] = ["tidy", "conformance", "acceptance", "simulation"];

/// Libraries that one crate alone may use, because it is the only place where their traps are known.
const OWNED: [(&str, &str); 4] = [("sqlx", "sql"), ("rusqlite", "sql"), ("rdkafka", "eventlog"), ("lettre", "notification")];

/// What a pure crate may use besides `kernel`.
const PURE_LIBRARIES: [&str; 7] = ["chrono", "chrono-tz", "thiserror", "crc", "cpf_cnpj", "rpds", "memchr"];

/// The crates of ours that `name` may depend on; nothing when the crate has no place in the layers.
fn allowed(name: &str) -> Option<Vec<&'static str>> {
    let services = SERVICES.iter().find(|(service, _)| *service == name);
    Some(match name {
        "kernel" | "sql" | "contracts" => vec![],
        // What is owed on a day and what it is paid with are Brazil's rules: docs/decisions/0005.
        "receivable" => vec!["kernel", "brazil"],
        "ladder" | "notice" | "insight" | "brazil" => vec!["kernel"],
        "eventlog" => vec!["sql", "kernel"],
        "host" => vec!["eventlog", "sql", "kernel"],
        _ => match services {
            Some((_, context)) => vec!["contracts", "eventlog", "sql", "host", "kernel", "brazil", context],
            None => return None,
        },
    })
}

/// `unknown_crate`, `forbidden_edge`, `owned_library` and `pure_library`.
pub fn check(graph: &Graph) -> Vec<Violation> {
    graph.crates.iter().flat_map(|(name, dependencies)| check_crate(graph, name, dependencies)).collect()
}

fn check_crate(graph: &Graph, name: &str, dependencies: &[Dependency]) -> Vec<Violation> {
    let mut found: Vec<Violation> = dependencies.iter().filter_map(|to| library(name, to)).collect();
    let sees_all = name == "regua" || TEST_CRATES.contains(&name);
    let ours = dependencies.iter().filter(|to| graph.crates.contains_key(&to.name));
    match allowed(name) {
        None if !sees_all => found.push(Violation::new("unknown_crate", name, "give it a place in the layers: tests/tidy/src/graph.rs")),
        None => found.extend(ours.filter(|to| TEST_CRATES.contains(&to.name.as_str())).map(|to| edge(name, to))),
        Some(list) => found.extend(ours.filter(|to| !list.contains(&to.name.as_str())).map(|to| edge(name, to))),
    }
    found
}

fn edge(from: &str, to: &Dependency) -> Violation {
    let kind = if to.dev { " (in its tests)" } else { "" };
    Violation::new("forbidden_edge", from, format!("may not depend on {}{kind}", to.name))
}

fn library(from: &str, to: &Dependency) -> Option<Violation> {
    let owner = OWNED.iter().find(|(library, owner)| *library == to.name && *owner != from);
    if let Some((library, owner)) = owner {
        return Some(Violation::new("owned_library", from, format!("only {owner} uses {library}")));
    }
    let pure = PURE.contains(&from) && !to.dev;
    let fine = PURE.contains(&to.name.as_str()) || PURE_LIBRARIES.contains(&to.name.as_str());
    (pure && !fine).then(|| Violation::new("pure_library", from, format!("a pure crate may not use {}", to.name)))
}
