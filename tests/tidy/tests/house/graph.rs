use tidy::graph::{Dependency, Graph, check};

use crate::broken;

/// A graph from lines such as `invoice: kernel sqlx (dev) proptest`; crates without a line depend on nothing.
fn graph(lines: &str) -> Graph {
    let names = "kernel receivable ladder notice insight brazil contracts sql eventlog host invoice dunning-engine \
                 notification reporting regua tidy conformance acceptance";
    let mut graph = Graph::default();
    graph.crates.extend(names.split_whitespace().map(|name| (name.to_owned(), vec![])));
    for line in lines.lines().filter(|line| !line.trim().is_empty()) {
        let (name, list) = line.split_once(':').expect("a line is `crate: dependencies`");
        let (normal, dev) = list.split_once("(dev)").unwrap_or((list, ""));
        let normal = normal.split_whitespace().map(|to| Dependency { name: to.to_owned(), dev: false });
        let dev = dev.split_whitespace().map(|to| Dependency { name: to.to_owned(), dev: true });
        graph.crates.insert(name.trim().to_owned(), normal.chain(dev).collect());
    }
    graph
}

fn assert_broken(lines: &str, expected: &str) {
    assert_eq!(broken(&check(&graph(lines))), expected, "for {lines}");
}

#[test]
fn the_layers_as_designed_are_allowed() {
    let designed = "
        kernel: chrono chrono-tz thiserror (dev) proptest
        receivable: kernel chrono thiserror
        brazil: kernel crc cpf_cnpj (dev) csv
        sql: sqlx
        eventlog: sql kernel rdkafka
        host: eventlog sql kernel axum
        invoice: contracts eventlog sql host kernel brazil receivable serde
        notification: contracts host notice lettre
        regua: invoice dunning-engine notification reporting ladder insight
        conformance: eventlog sql";
    assert_broken(designed, "");
}

#[test]
fn an_edge_against_the_layers_is_found() {
    let cases = [
        ("kernel: brazil", "kernel"),
        ("receivable: ladder", "receivable"),
        ("receivable: (dev) ladder", "receivable"),
        ("ladder: eventlog", "ladder"),
        ("sql: kernel", "sql"),
        ("contracts: kernel", "contracts"),
        ("eventlog: host", "eventlog"),
        ("host: contracts", "host"),
        ("invoice: notification", "invoice"),
        ("invoice: (dev) dunning-engine", "invoice"),
        ("invoice: ladder", "invoice"),
        ("dunning-engine: receivable", "dunning-engine"),
        ("reporting: notice", "reporting"),
        ("invoice: regua", "invoice"),
        ("regua: conformance", "regua"),
    ];
    for (line, from) in cases {
        let found = broken(&check(&graph(line)));
        assert!(found.lines().any(|line| line == format!("forbidden_edge {from}")), "{line}: {found:?}");
    }
}

#[test]
fn a_library_with_one_owner_is_found_elsewhere() {
    let lines = "
        eventlog: sqlx
        reporting: rdkafka
        regua: lettre
        conformance: (dev) sqlx";
    assert_broken(lines, "owned_library conformance\nowned_library eventlog\nowned_library regua\nowned_library reporting");
}

#[test]
fn a_library_that_a_pure_crate_may_not_use_is_found() {
    assert_broken("ladder: kernel serde", "pure_library ladder");
    assert_broken("notice: kernel tokio", "pure_library notice");
}

#[test]
fn a_crate_without_a_place_in_the_layers_is_found() {
    assert_broken("letters: kernel", "unknown_crate letters");
}
