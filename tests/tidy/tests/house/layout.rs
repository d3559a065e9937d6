use tidy::layout::{names, services};
use tidy::tree::TextFile;

use crate::broken;

/// The services' files without `left_out`, with `added`.
fn tree(left_out: &str, added: &[&str]) -> Vec<TextFile> {
    let modules = [
        ("invoice", "main grpc wire publish project query"),
        ("dunning-engine", "main grpc wire inbound publish project query"),
        ("notification", "main grpc wire inbound publish project query"),
        ("reporting", "main grpc wire project query"),
    ];
    let paths = modules.iter().flat_map(|(service, list)| list.split(' ').map(move |module| format!("crates/{service}/src/{module}.rs")));
    let paths = paths.filter(|path| path != left_out).chain(added.iter().map(|path| (*path).to_owned()));
    paths.map(|path| TextFile::new(&path, "")).collect()
}

#[test]
fn the_shared_names_are_enough() {
    assert_eq!(broken(&services(&tree("", &[]))), "");
}

#[test]
fn each_file_that_a_service_lacks_is_found() {
    for file in tree("", &[]) {
        assert_eq!(broken(&services(&tree(&file.path, &[]))), format!("missing_file {}", file.path));
    }
}

#[test]
fn a_module_in_a_folder_has_the_name_too() {
    assert_eq!(broken(&services(&tree("crates/invoice/src/wire.rs", &["crates/invoice/src/wire/mod.rs"]))), "");
}

#[test]
fn a_service_that_publishes_nothing_has_no_file_for_it() {
    let found = services(&tree("", &["crates/reporting/src/publish.rs"]));
    assert_eq!(broken(&found), "misplaced_file crates/reporting/src/publish.rs");
}

#[test]
fn a_name_that_says_nothing_is_found() {
    let found = names(&tree("", &["crates/host/src/utils.rs", "crates/host/src/common/clock.rs", "crates/host/src/subtypes.rs"]));
    assert_eq!(broken(&found), "empty_name crates/host/src/utils.rs\nempty_name crates/host/src/common/clock.rs");
}
