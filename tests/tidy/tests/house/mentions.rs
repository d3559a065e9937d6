use tidy::mentions::tests_exist;
use tidy::tree::TextFile;

use crate::{broken, planted};

const TEST: &str = "#[test]\nfn a_full_disk_is_told() {}\n\nfn a_helper_of_a_test() {}\n";

fn found(text: &str) -> String {
    let source = planted("crates/sql/tests/suite/disk.rs", TEST);
    broken(&tests_exist(&[TextFile::new("docs/bad-input.md", text)], &[source]))
}

#[test]
fn a_test_that_is_there_may_be_named_beside_other_words() {
    assert_eq!(found("| disk | `a_full_disk_is_told`, by `make test`, `command_id` |\n"), "");
}

#[test]
fn a_test_that_was_renamed_is_found() {
    assert_eq!(found("# Title\n| disk | `a_full_disk_is_told`, `an_empty_disk_is_told` |\n"), "no_such_test docs/bad-input.md:2");
}
