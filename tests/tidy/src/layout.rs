//! Services share the names of their files, so that who knows one finds everything in the others.

use crate::tree::TextFile;
use crate::{SERVICES, Violation};

/// Files every service has.
const ALWAYS: [&str; 5] = ["main", "grpc", "wire", "project", "query"];
/// Services in which facts of other contexts become own commands (`inbound`). Reporting decides nothing: it only projects.
const CONSUMERS: [&str; 2] = ["dunning-engine", "notification"];
/// Services that publish events (`publish`). Reporting publishes nothing, and has no such file.
const PUBLISHERS: [&str; 3] = ["invoice", "dunning-engine", "notification"];
/// Names that say nothing about what is inside.
const EMPTY_NAMES: [&str; 6] = ["utils", "util", "common", "types", "helpers", "misc"];

/// `missing_file` and `misplaced_file` over the services' sources.
pub fn services(files: &[TextFile]) -> Vec<Violation> {
    SERVICES.iter().flat_map(|(service, _)| service_files(files, service)).collect()
}

fn service_files(files: &[TextFile], service: &str) -> Vec<Violation> {
    let has = |module: &str| {
        let name = format!("crates/{service}/src/{module}");
        files.iter().any(|file| file.path == format!("{name}.rs") || file.path == format!("{name}/mod.rs"))
    };
    let place = |module: &str| format!("crates/{service}/src/{module}.rs");
    let (consumes, publishes) = (CONSUMERS.contains(&service), PUBLISHERS.contains(&service));
    let conditional = [(consumes, "inbound"), (publishes, "publish")].into_iter().filter(|(wanted, _)| *wanted);
    let wanted = ALWAYS.into_iter().chain(conditional.map(|(_, module)| module));
    let mut found: Vec<Violation> = wanted
        .filter(|module| !has(module))
        .map(|module| Violation::new("missing_file", place(module), "every service of this kind has it"))
        .collect();
    if !publishes && has("publish") {
        found.push(Violation::new("misplaced_file", place("publish"), "this service publishes nothing"));
    }
    found
}

/// `empty_name`: modules are named by a noun of the domain.
pub fn names(files: &[TextFile]) -> Vec<Violation> {
    let empty = |path: &str| path.split('/').any(|part| EMPTY_NAMES.contains(&part.trim_end_matches(".rs")));
    let sources = files.iter().filter(|file| file.path.ends_with(".rs") && empty(&file.path));
    sources.map(|file| Violation::new("empty_name", &file.path, "name it after the concept it holds")).collect()
}
