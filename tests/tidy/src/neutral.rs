//! Text that ties the project to one machine or one place on the network.

use crate::Violation;
use crate::tree::TextFile;

/// Folders of somebody's machine. The words are cut in two so that this file does not break its own rule.
const MACHINE_PATHS: [&str; 5] =
    [concat!("/ho", "me/"), concat!("/ro", "ot/"), concat!("/wo", "rk/"), concat!("/Use", "rs/"), concat!("C:", "\\")];

/// Hosts of package registries: package clients know them, the project does not.
const REGISTRIES: [&str; 8] = [
    concat!("crates", ".io"),
    concat!("pypi", ".org"),
    concat!("repo.", "maven"),
    concat!("repo1.", "maven"),
    concat!("npmjs", ".org"),
    concat!("docker", ".io"),
    concat!("ghcr", ".io"),
    concat!("proxy.", "golang"),
];

/// Cargo writes lock files, registry addresses included; the fuzz targets have one of their own.
const WRITTEN_BY_TOOLS: [&str; 1] = ["Cargo.lock"];

/// `machine_path` and `registry_host`, in every text file.
pub fn check(file: &TextFile) -> Vec<Violation> {
    let name = file.path.rsplit('/').next().unwrap_or_default();
    if WRITTEN_BY_TOOLS.contains(&name) {
        return vec![];
    }
    let lines = file.text.lines().enumerate();
    lines.flat_map(|(index, line)| check_line(&format!("{}:{}", file.path, index + 1), line)).collect()
}

fn check_line(place: &str, line: &str) -> Vec<Violation> {
    let paths = MACHINE_PATHS.iter().filter(|path| starts_a_path(line, path));
    let hosts = REGISTRIES.iter().filter(|host| line.contains(*host));
    let machine = paths.map(|path| Violation::new("machine_path", place, format!("`{path}` exists on one machine only")));
    let registry = hosts.map(|host| Violation::new("registry_host", place, format!("`{host}`: say which package, not where from")));
    machine.chain(registry).collect()
}

/// Whether `path` begins a path on the line: not in the middle of one, as in `src/work/plan.rs`.
fn starts_a_path(line: &str, path: &str) -> bool {
    line.match_indices(path).any(|(at, _)| {
        let before = line[..at].chars().next_back();
        !before.is_some_and(|c| c.is_alphanumeric() || matches!(c, '.' | '_' | '-' | '/' | '}' | '*'))
    })
}
