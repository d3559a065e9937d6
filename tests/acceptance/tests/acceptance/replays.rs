//! Replays: against an independent calculation, embedded against distributed, through an outage.

use crate::{
    oracle::{self, Invoice},
    program,
};
use chrono::{Days, NaiveDate};
use serde_json::Value;
use std::{fs, path::Path};

const SIMPLES: &str = "policies/simples.toml";

fn day(text: &str) -> NaiveDate {
    text.parse().unwrap()
}

/// A made-up portfolio in which every seventh invoice is never paid, and some are paid before they are issued.
pub fn made_up(count: u64) -> Vec<Invoice> {
    let one = |n: u64| {
        let issued = day("2024-01-03") + Days::new(n * 37 % 200);
        let due = issued + Days::new([10, 15, 30][(n % 3) as usize]);
        let paid = (!n.is_multiple_of(7)).then(|| due - Days::new(8) + Days::new(n * 13 % 50));
        let paid = if n.is_multiple_of(40) { Some(issued - Days::new(2)) } else { paid };
        Invoice { customer: format!("C{:02}", n % 23), issued, due, paid, amount_minor: 1000 + i64::try_from(n * 977 % 90_000).unwrap() }
    };
    (0..count).map(one).collect()
}

pub fn write(invoices: &[Invoice], path: &Path) {
    let mut text = String::from("customer_id,invoice_id,issued_on,due_on,amount,email,paid_on\n");
    for (n, i) in invoices.iter().enumerate() {
        let paid = i.paid.map(|day| day.to_string()).unwrap_or_default();
        let amount = format!("{}.{:02}", i.amount_minor / 100, i.amount_minor % 100);
        text += &format!("{c},I{n:05},{},{},{amount},{c}@example.invalid,{paid}\n", i.issued, i.due, c = i.customer);
    }
    fs::write(path, text).unwrap();
}

fn replay(portfolio: &Path, policy: &str, until: &str, more: &[&str]) -> Value {
    let portfolio = portfolio.to_str().unwrap();
    let mut arguments = vec!["replay", "--portfolio", portfolio, "--policy", policy, "--until", until];
    arguments.extend(more);
    serde_json::from_str(&program::succeed(&arguments)).unwrap()
}

/// A replay that was done and refused rows.
fn replay_with_wrong_rows(portfolio: &Path) -> Value {
    let output = program::run(&["replay", "--portfolio", portfolio.to_str().unwrap(), "--policy", SIMPLES, "--until", "2024-02-29"]);
    assert_eq!(output.status.code(), Some(3), "{}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).unwrap()
}

#[test]
fn where_every_row_is_wrong_the_reasons_are_told() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("portfolio.csv");
    let row = |n: u32| format!("C{n},F{n},2024-01-02,2024-01-20,\"1.234,{n:02}\"\n");
    fs::write(&path, format!("customer_id,invoice_id,issued_on,due_on,amount\n{}", (1..=30).map(row).collect::<String>())).unwrap();
    let output = program::run(&["replay", "--portfolio", path.to_str().unwrap(), "--policy", SIMPLES, "--until", "2024-02-29"]);
    let told = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(1));
    assert_eq!(told.matches("refused line").count(), 20, "{told}");
    assert!(told.contains("no good row: 30 refused") && told.contains("decimal = \",\""), "{told}");
}

fn assert_views_are_their_events(report: &Value) {
    let views = report["projections"].as_array().unwrap();
    assert!(views.len() >= 6, "{views:?}");
    for view in views {
        assert_eq!(view["live_hash"], view["rebuilt_hash"], "{view}");
    }
    assert_eq!(report["alarms"], serde_json::json!([]));
}

fn without_run(mut report: Value) -> Value {
    report.as_object_mut().unwrap().remove("run");
    report
}

#[test]
fn a_replay_equals_an_independent_calculation() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("portfolio.csv");
    let invoices = made_up(400);
    write(&invoices, &path);
    let report = replay(&path, SIMPLES, "2024-09-30", &[]);
    assert_eq!(oracle::of_report(&report), oracle::figures(&invoices, day("2024-09-30")));
    assert_views_are_their_events(&report);
    for step in report["steps"].as_array().unwrap() {
        let ends = ["executed", "superseded", "suppressed", "expired", "undeliverable", "open"];
        assert_eq!(ends.iter().map(|end| step[*end].as_i64().unwrap()).sum::<i64>(), 400, "{step}");
    }
}

#[test]
fn the_public_data_set_equals_an_independent_calculation() {
    let shared = program::root().join("../shared/data");
    let (file, columns) = (shared.join("ibm-accounts-receivable.csv"), shared.join("ibm-columns.toml"));
    if !file.exists() {
        println!("skipped: the public data set is not beside the project");
        return;
    }
    let american = |text: &str| NaiveDate::parse_from_str(text, "%m/%d/%Y").unwrap();
    let invoice = |line: &str| {
        let cells: Vec<&str> = line.trim_end().split(',').collect();
        let amount_minor = cells[6].split_once('.').map_or_else(
            || cells[6].parse::<i64>().unwrap() * 100,
            |(whole, cents)| whole.parse::<i64>().unwrap() * 100 + format!("{cents:0<2}").parse::<i64>().unwrap(),
        );
        Invoice {
            customer: cells[1].into(),
            issued: american(cells[4]),
            due: american(cells[5]),
            paid: Some(american(cells[8])),
            amount_minor,
        }
    };
    let invoices: Vec<Invoice> = fs::read_to_string(&file).unwrap().lines().skip(1).map(invoice).collect();
    let report = replay(&file, SIMPLES, "2014-02-28", &["--columns", columns.to_str().unwrap()]);
    assert_eq!(oracle::of_report(&report), oracle::figures(&invoices, day("2014-02-28")));
    assert_views_are_their_events(&report);
}

#[test]
fn embedded_and_distributed_give_the_same_report() {
    let Some(stack) = program::stack() else { return };
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("portfolio.csv");
    write(&made_up(120), &path);
    let config = stack.join("regua.toml");
    let embedded = replay(&path, "policies/regua-padrao.toml", "2024-08-31", &[]);
    let distributed = replay(&path, "policies/regua-padrao.toml", "2024-08-31", &["--config", config.to_str().unwrap()]);
    assert_eq!(embedded["run"]["mode"], "embedded");
    assert_eq!(embedded["alarms"], serde_json::json!([]));
    // What is no contact goes through the owner's last look as well.
    for step in ["d+45", "d+60"] {
        let ended = embedded["steps"].as_array().unwrap().iter().find(|told| told["id"] == step).unwrap();
        assert!(ended["executed"].as_i64() > Some(0), "{ended}");
    }
    assert_eq!(distributed["run"]["mode"], "distributed");
    assert_eq!(without_run(embedded), without_run(distributed));
}

#[test]
fn an_outage_changes_what_is_sent_and_never_what_is_owed() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("portfolio.csv");
    write(&made_up(200), &path);
    let without = replay(&path, SIMPLES, "2024-09-30", &[]);
    let with = replay(&path, SIMPLES, "2024-09-30", &["--outage", "2024-03-01..2024-04-10"]);
    assert_eq!(without["month_ends"], with["month_ends"]);
    assert_eq!(without["settlement"], with["settlement"]);
    assert_eq!(with["contacts"]["max_per_payer_day"], 1);
    assert!(with["contacts"]["total"].as_i64() < without["contacts"]["total"].as_i64());
    let by_month = with["contacts"]["by_month"].as_object().unwrap();
    assert!(!by_month.contains_key("2024-03"), "{by_month:?}");
    assert_views_are_their_events(&with);
}

#[test]
fn wrong_rows_are_counted_and_the_rest_is_played() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("portfolio.csv");
    let rows = "\u{feff}customer_id;invoice_id;issued_on;due_on;amount;paid_on;paid_amount\r\n\
                C1;A;2024-01-02;2024-01-20;100.00;2024-01-10;40.00\r\n\
                C1;A;2024-01-02;2024-01-20;100.00;2024-01-25;80.00\r\n\
                C1;A;2024-01-02;2024-01-21;100.00;2024-01-25;1.00\r\n\
                C1;A;2024-01-02;2024-01-20;100.00;;\r\n\
                C1;B;2024-01-02;2024-01-01;5.00;;\r\n\
                C1;C;2024-01-02;2024-01-20;5.001;;\r\n\
                C2;A;2024-01-02;2024-01-20;100.00;2024-01-25;1.00\r\n\
                C1;A;2024-01-03;2024-01-20;100.00;2024-01-25;1.00\r\n\
                C1;A;2024-01-02;2024-01-20;100.01;2024-01-25;1.00\r\n";
    fs::write(&path, rows).unwrap();
    let report = replay_with_wrong_rows(&path);
    let portfolio = &report["portfolio"];
    assert_eq!(
        (portfolio["invoices"].as_i64(), portfolio["payments"].as_i64(), portfolio["refused_rows"].as_i64()),
        (Some(1), Some(2), Some(7))
    );
    assert_eq!(report["month_ends"][0]["open_minor"], 0);
    let strict = program::run(&["replay", "--strict", "--portfolio", path.to_str().unwrap(), "--policy", SIMPLES, "--until", "2024-02-29"]);
    assert_eq!(strict.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&strict.stderr).contains("line 4: due_on"), "{}", String::from_utf8_lossy(&strict.stderr));
}
