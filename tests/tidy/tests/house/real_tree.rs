use std::collections::BTreeMap;

use cargo_metadata::{DependencyKind, MetadataCommand};
use tidy::graph::{Dependency, Graph};
use tidy::source::Source;
use tidy::tree::{self, TextFile};
use tidy::{Violation, clock, graph, layout, mentions, neutral, proto, purity, size};

fn all_files() -> Vec<TextFile> {
    let files = tree::files(&tree::root()).expect("the project's root can be listed");
    assert!(files.iter().any(|file| file.path == "Cargo.toml"), "this is not the root of the project");
    files
}

fn sources() -> Vec<Source> {
    let files = all_files();
    let sources: Vec<Source> = tree::ending(&files, ".rs").map(Source::read).collect();
    assert!(sources.len() > 20, "the tree's sources were not found");
    sources
}

fn clean(violations: Vec<Violation>) {
    let report: Vec<String> = violations.iter().map(Violation::to_string).collect();
    assert!(report.is_empty(), "{} violations\n{}", report.len(), report.join("\n"));
}

fn clean_sources(rule: impl Fn(&Source) -> Vec<Violation>) {
    clean(sources().iter().flat_map(rule).collect());
}

/// The manifests as cargo reads them; `no_deps` keeps it off the network.
fn real_graph() -> Graph {
    let metadata = MetadataCommand::new().manifest_path(tree::root().join("Cargo.toml")).no_deps().exec().expect("cargo metadata runs");
    let crates: BTreeMap<String, Vec<Dependency>> = metadata
        .packages
        .iter()
        .map(|package| {
            let to = package.dependencies.iter();
            let to = to.map(|to| Dependency { name: to.name.clone(), dev: to.kind == DependencyKind::Development });
            (package.name.to_string(), to.collect())
        })
        .collect();
    assert!(crates.contains_key("kernel"), "the workspace was not found");
    Graph { crates }
}

#[test]
fn every_source_is_read_as_code_with_balanced_braces() {
    // A reader that loses its way in a literal would hide the rest of the file from every rule.
    let unbalanced: Vec<String> = sources()
        .into_iter()
        .filter(|source| source.code.matches('{').count() != source.code.matches('}').count())
        .map(|source| source.path)
        .collect();
    assert_eq!(unbalanced, [""; 0]);
}

#[test]
fn crates_depend_only_on_the_layers_below() {
    clean(graph::check(&real_graph()));
}

#[test]
fn files_are_short() {
    clean(size::files(&sources()));
}

#[test]
fn functions_are_short() {
    clean(size::functions(&sources()));
}

#[test]
fn pure_crates_are_without_std() {
    clean(purity::no_std(&all_files()));
}

#[test]
fn pure_crates_are_without_serde() {
    clean_sources(purity::no_serde);
}

#[test]
fn nothing_that_decides_or_stores_uses_floats() {
    clean_sources(purity::no_float);
}

#[test]
fn nothing_is_left_open() {
    clean_sources(purity::nothing_left_open);
}

#[test]
fn nothing_is_unwrapped_outside_tests() {
    clean_sources(purity::no_unwrap);
}

#[test]
fn one_file_reads_the_environment() {
    clean_sources(purity::no_environment);
}

#[test]
fn only_the_host_knows_time_and_chance() {
    clean_sources(clock::one_clock);
}

#[test]
fn tests_wait_for_conditions() {
    clean_sources(clock::no_sleep_in_tests);
}

#[test]
fn protos_follow_their_conventions() {
    clean(proto::check(&all_files()));
}

#[test]
fn services_share_the_names_of_their_files() {
    clean(layout::services(&all_files()));
}

#[test]
fn modules_have_names_that_say_something() {
    clean(layout::names(&all_files()));
}

#[test]
fn no_file_names_a_machine_or_a_registry() {
    clean(all_files().iter().flat_map(neutral::check).collect());
}

#[test]
fn documents_name_tests_that_exist() {
    assert!(all_files().iter().any(|file| file.path == "docs/bad-input.md"));
    clean(mentions::tests_exist(&all_files(), &sources()));
}
