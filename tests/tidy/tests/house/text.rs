//! Planted violations of the rules that read one file, and what comes close without being one.

use tidy::source::Source;
use tidy::tree::TextFile;
use tidy::{Violation, clock, neutral, purity, size};

use crate::{broken, planted};

/// Each case: path, text, the broken rule with its line, or nothing.
fn assert_cases(rule: impl Fn(&Source) -> Vec<Violation>, cases: &[(&str, &str, &str)]) {
    for (path, text, expected) in cases {
        let expected = if expected.is_empty() { String::new() } else { expected.replace('@', path) };
        assert_eq!(broken(&rule(&planted(path, text))), expected, "{path}: {text}");
    }
}

fn file_of(lines: usize) -> Source {
    planted("crates/x/src/a.rs", &"// line\n".repeat(lines))
}

fn function_of(lines: usize) -> String {
    format!("fn f() {{\n{}}}\n", "    g();\n".repeat(lines - 2))
}

#[test]
fn a_long_file_is_found_without_its_tests() {
    assert_eq!(broken(&size::files(&[file_of(601)])), "file_too_long crates/x/src/a.rs");
    assert_eq!(broken(&size::files(&[file_of(600)])), "");
    let with_tests = format!("{}#[cfg(test)]\nmod tests {{\n{}}}\n", "// line\n".repeat(500), "// line\n".repeat(500));
    assert_eq!(broken(&size::files(&[planted("crates/x/src/a.rs", &with_tests)])), "");
}

#[test]
fn too_many_long_files_are_found() {
    let tree = |long: usize| [vec![file_of(401); long], vec![file_of(400); 20 - long]].concat();
    assert_eq!(broken(&size::files(&tree(3))), "files_mostly_long the whole tree");
    assert_eq!(broken(&size::files(&tree(2))), "");
}

#[test]
fn a_long_function_is_found() {
    let source = planted("crates/x/src/a.rs", &format!("{}{}", function_of(70), function_of(71)));
    assert_eq!(broken(&size::functions(&[source])), "function_too_long crates/x/src/a.rs:71 (f)");
}

#[test]
fn too_many_long_functions_are_found() {
    let tree = |long: usize| planted("crates/x/src/a.rs", &(function_of(51).repeat(long) + &function_of(50).repeat(20 - long)));
    assert_eq!(broken(&size::functions(&[tree(3)])), "functions_mostly_long the whole tree");
    assert_eq!(broken(&size::functions(&[tree(2)])), "");
}

#[test]
fn a_pure_crate_with_std_is_found() {
    let lib = |name: &str, text: &str| purity::no_std(&[TextFile::new(&format!("crates/{name}/src/lib.rs"), text)]);
    assert_eq!(broken(&lib("ladder", "//! #![no_std]\npub mod a;\n")), "std_in_pure_crate crates/ladder/src/lib.rs");
    assert_eq!(broken(&lib("ladder", "//! Doc.\n#![no_std]\n")), "");
    assert_eq!(broken(&lib("host", "pub mod a;\n")), "");
}

#[test]
fn serde_in_a_pure_crate_is_found() {
    let cases = [
        ("crates/kernel/src/money.rs", "use serde::Serialize;", "serde_in_pure_crate @:1"),
        ("crates/kernel/src/money.rs", "// no serde here", ""),
        ("crates/invoice/src/config.rs", "use serde::Deserialize;", ""),
    ];
    assert_cases(purity::no_serde, &cases);
}

#[test]
fn a_float_is_found_where_money_passes() {
    let cases = [
        ("crates/insight/src/aging.rs", "\nfn f(x: f64) {}", "float @:2"),
        ("crates/sql/src/value.rs", "Value::Real(f32)", "float @:1"),
        ("crates/reporting/src/query.rs", "let share = 0.5;", "float @:1"),
        ("crates/host/src/server.rs", "let x: f64;", "float @:1"),
        ("crates/host/src/metrics.rs", "let x: f64 = 0.5;", ""),
        ("crates/regua/src/progress.rs", "let x: f64;", ""),
        ("crates/kernel/src/money.rs", "/// Never an f64, not even 0.5.\nfn buf32() {}", ""),
    ];
    assert_cases(purity::no_float, &cases);
}

#[test]
fn what_is_left_open_is_found() {
    let cases = [
        ("crates/x/src/a.rs", "fn a() { todo!() }", "left_open @:1"),
        ("crates/x/src/a.rs", "fn a() { unimplemented!(\"later\") }", "left_open @:1"),
        ("crates/x/src/a.rs", "dbg!(x);", "left_open @:1"),
        ("tests/x/tests/a.rs", "#[test]\n#[ignore = \"slow\"]\nfn a() {}", "left_open @:2"),
        ("crates/x/src/a.rs", "// todo! is a macro\nlet text = \"dbg!\";", ""),
    ];
    assert_cases(purity::nothing_left_open, &cases);
}

#[test]
fn an_unwrap_outside_tests_is_found() {
    let cases = [
        ("crates/x/src/a.rs", "a.unwrap();", "unwrap @:1"),
        ("crates/x/src/a.rs", "a.unwrap_or(1);", ""),
        ("crates/x/src/a.rs", "#[cfg(test)]\nmod tests {\n    fn a() { b.unwrap(); }\n}", ""),
        ("crates/x/tests/a.rs", "a.unwrap();", ""),
    ];
    assert_cases(purity::no_unwrap, &cases);
}

#[test]
fn a_second_reader_of_the_environment_is_found() {
    let cases = [
        ("crates/invoice/src/main.rs", "std::env::var(\"X\")", "environment @:1"),
        ("crates/host/src/server.rs", "env::var_os(\"X\")", "environment @:1"),
        ("crates/host/src/config.rs", "std::env::var(\"X\")", ""),
        ("crates/contracts/build.rs", "std::env::var(\"OUT_DIR\")", ""),
        ("tests/conformance/src/lib.rs", "std::env::var(\"REGUA_TEST_KAFKA\")", ""),
        ("crates/regua/src/main.rs", "std::env::args()", ""),
    ];
    assert_cases(purity::no_environment, &cases);
}

#[test]
fn a_second_clock_is_found() {
    let cases = [
        ("crates/ladder/src/track.rs", "Utc::now()", "clock @:1"),
        ("crates/eventlog/src/relay.rs", "std::time::Instant::now()", "clock @:1"),
        ("crates/eventlog/tests/it.rs", "SystemTime::now()", "clock @:1"),
        ("crates/eventlog/tests/it.rs", "Instant::now() + limit", ""),
        ("crates/host/src/clock.rs", "Utc::now()", ""),
        ("crates/regua/src/progress.rs", "Instant::now()", ""),
        ("crates/invoice/src/grpc.rs", "Uuid::now_v7()", "chance @:1"),
        ("crates/invoice/src/grpc.rs", "clock.now()", ""),
    ];
    assert_cases(clock::one_clock, &cases);
}

#[test]
fn a_sleep_in_a_test_is_found() {
    let cases = [
        ("tests/x/tests/a.rs", "fn a() { std::thread::sleep(second); }", "sleep_in_test @:1"),
        ("crates/x/src/a.rs", "#[cfg(test)]\nmod tests {\n    fn a() { sleep(s).await }\n}", "sleep_in_test @:3"),
        ("tests/x/src/lib.rs", "fn wait_until(c: C) {\n    sleep(pause);\n}", ""),
        ("tests/x/tests/a.rs", "fn a() { clock.sleep(pause).await; virtual_clock::sleep(1) }", ""),
        ("crates/x/src/a.rs", "tokio::time::sleep(pause).await", ""),
    ];
    assert_cases(clock::no_sleep_in_tests, &cases);
}

#[test]
fn a_machine_path_or_a_registry_is_found() {
    let check = |text: &str| broken(&neutral::check(&TextFile::new("README.md", text)));
    for (folder, rest) in [("/home", "/ana/regua"), ("/root", "/regua"), ("/work", "/main"), ("/Users", "/ana"), ("C:", "\\regua")] {
        assert_eq!(check(&format!("cd {folder}{rest}")), "machine_path README.md:1", "for {folder}{rest}");
    }
    for (name, rest) in [("crates", ".io"), ("pypi", ".org"), ("repo1.", "maven.apache.org"), ("ghcr", ".io")] {
        assert_eq!(check(&format!("\nfrom https://{name}{rest}")), "registry_host README.md:2", "for {name}{rest}");
    }
    assert_eq!(check("crates/regua/src/work/plan.rs and $DIR/root/x, https://regua.example/home/"), "");
}
