//! What an operator does with the command line: looks into logs, reads figures, and gets a stream that is stuck going again.

use crate::{
    processes::{connect, free_ports, issue, listeners, register, until},
    program::{self, Running},
};
use contracts::invoice::v1::invoice_service_client::InvoiceServiceClient;
use eventlog::{Append, Clock, Expected, Log, Meta, NewEvent};
use host::{clock::SystemClock, ids::TimeOrdered};
use serde_json::Value;
use sql::{Db, Durability};
use std::{
    cell::Cell,
    fs,
    path::Path,
    sync::Arc,
    time::{Duration, Instant},
};

fn json(arguments: &[&str]) -> Vec<Value> {
    let text = program::succeed(&[arguments, &["--format", "json"]].concat());
    serde_json::from_str(&text).unwrap_or_else(|error| panic!("{arguments:?}: {error}: {text}"))
}

fn code(arguments: &[&str]) -> i32 {
    program::run(arguments).status.code().unwrap()
}

const PORTFOLIO: &str = "customer_id,customer_name,tax_id,email,phone,state,invoice_id,issued_on,due_on,amount,currency,paid_on,paid_amount\n\
    C1,Fulana de Exemplo,,c1@example.invalid,,SP,F1,2024-01-02,2024-01-20,100.00,BRL,,\n\
    C2,Beltrano de Exemplo,,c2@example.invalid,,SP,F2,2024-01-02,2024-01-22,250.00,BRL,2024-01-25,250.00\n";

#[test]
fn what_a_replay_keeps_is_read_by_every_command_in_every_format() {
    let directory = tempfile::tempdir().unwrap();
    let path = |name: &str| directory.path().join(name).to_str().unwrap().to_owned();
    let (portfolio, data, report) = (path("portfolio.csv"), path("kept"), path("report.json"));
    fs::write(&portfolio, PORTFOLIO).unwrap();
    let policy = ["--policy", "policies/simples.toml", "--until", "2024-03-15"];
    let replay = [&["replay", "--portfolio", &portfolio, "--data", &data, "--report", &report][..], &policy].concat();
    program::succeed(&replay);
    assert_eq!(code(&replay), 1, "a directory that holds a portfolio is not played over");

    for service in ["invoice", "dunning-engine", "notification"] {
        let events = json(&["events", "show", service, "--data", &data, "--limit", "1000"]);
        assert!(!events.is_empty(), "{service}");
        for event in events {
            assert!(event["payload"].is_object() && event["payload"]["hex"].is_null(), "{service} cannot be read: {event}");
        }
    }
    let stream = json(&["events", "show", "invoice", "--data", &data, "--stream", "account/default/C1"]);
    let issued = stream.iter().find(|event| event["type"] == "InvoiceIssued").unwrap();
    assert_eq!((&issued["payload"]["invoice_id"], &issued["payload"]["amount_minor"]), (&"F1".into(), &10_000.into()));
    assert!(program::succeed(&["events", "show", "invoice", "--data", &data]).contains("\"invoice_id\":\"F2\""));

    let as_of = ["--as-of", "2024-01-31", "--data", &data];
    for (figures, told) in [
        ("receivables", "F1"),
        ("delinquency", "C1"),
        ("aging", "2024-01-31"),
        ("settlement", "23"),
        ("steps", "d-5"),
        ("contacts", "payers"),
        ("channels", "email"),
    ] {
        let ask = |format: &str| program::succeed(&[&["report", figures, "--format", format][..], &as_of].concat());
        let rows: Vec<Value> = serde_json::from_str(&ask("json")).unwrap();
        let (csv, table) = (ask("csv"), ask("table"));
        assert_eq!(csv.lines().count(), rows.len() + 1, "{figures}: {csv}");
        let columns = rows.first().map(|row| row.as_object().unwrap().len());
        assert!(columns.is_none_or(|count| csv.lines().next().unwrap().split(',').count() == count), "{figures}: {csv}");
        assert!(csv.contains(told) && table.contains(told), "{figures}: {csv}{table}");
    }
    assert_eq!(code(&["events", "show", "reporting", "--data", &data]), 1, "it has no log");
    assert_eq!(code(&["events", "show", "invoice", "--data", &path("nowhere")]), 1);
    assert_eq!(code(&["report", "aging", "--as-of", "yesterday", "--data", &data]), 2);
    assert_eq!(code(&["check", "--data", &data]), 0);
    assert_eq!(code(&["check", "--config", &path("nowhere.toml")]), 3);
}

/// An event that nobody can read, as a program of another version might have left it.
async fn append_unreadable(data: &Path, stream: &str) {
    let db = Db::open_sqlite(&data.join("invoice.sqlite"), Durability::Full).await.unwrap();
    let log = Log::open(db, Arc::new(SystemClock), Arc::new(TimeOrdered)).await.unwrap();
    let payload = vec![0xff, 0xff];
    let event = NewEvent { event_type: "InvoiceIssued", schema_version: 1, payload, occurred_at: None, effective_on: None };
    let append = Append {
        stream: stream.to_owned(),
        expected: Expected::Any,
        events: vec![event],
        meta: Meta { tenant: "default".into(), key: "default/C".into(), ..Meta::default() },
        command: None,
        claims: Vec::new(),
        side: Vec::new(),
        answer: Vec::new(),
    };
    log.append(vec![append]).await.unwrap().remove(0).unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_parked_stream_is_listed_shown_retried_and_skipped() {
    let (directory, ports) = (tempfile::tempdir().unwrap(), free_ports(8));
    let path = |name: &str| directory.path().join(name).to_str().unwrap().to_owned();
    let (config, data) = (path("regua.toml"), path("data"));
    fs::write(&config, listeners(&ports)).unwrap();
    let up = ["up", "--config", &config, "--data", &data];
    let mut running = Running::start(&up, "ready");
    let mut owner = InvoiceServiceClient::new(connect(ports[0]).await);
    register(&mut owner, "C").await;
    assert!(running.terminate().success());

    append_unreadable(Path::new(&data), "account/default/C").await;
    let mut running = Running::start(&up, "ready");
    let owner = InvoiceServiceClient::new(connect(ports[0]).await);
    let listed = || json(&["parked", "list", "--data", &data]);
    let deadline = || Instant::now() + Duration::from_secs(60);
    let consumers = ["dunning.inbound", "invoice.views", "reporting"];
    let parked = until(deadline(), "the stream is not parked", async || {
        let rows = listed();
        consumers.iter().all(|consumer| rows.iter().any(|row| row["consumer"] == *consumer)).then_some(rows)
    })
    .await;
    for row in &parked {
        assert_eq!((&row["stream"], &row["type"]), (&"account/default/C".into(), &"InvoiceIssued".into()), "{row}");
        assert!(row["reason"].as_str().is_some_and(|reason| !reason.is_empty()), "{row}");
    }
    let stream = ["dunning.inbound", "regua.invoice.v1", "account/default/C", "--data", &data];
    let shown = json(&[&["parked", "show"][..], &stream].concat());
    assert_eq!(shown[0]["payload"]["hex"], "ffff", "{shown:?}");

    let log = directory.path().join("tail");
    let tail = Running::spawn("regua", &["events", "tail", "invoice", "--data", &data, "--format", "json"], &log);
    let who = ["--by", "ana", "--reason", "looked at it"];
    assert_eq!(code(&[&["parked", "retry"][..], &stream].concat()), 2, "who asks, and why, is said");
    program::succeed(&[&["parked", "retry"][..], &stream, &who].concat());
    assert!(listed().iter().any(|row| row["consumer"] == "dunning.inbound"), "what nobody can read stays parked");
    for row in &parked {
        let [consumer, topic] = ["consumer", "topic"].map(|key| row[key].as_str().unwrap());
        program::succeed(&[&["parked", "skip", consumer, topic, "account/default/C", "--data", &data][..], &who].concat());
    }
    until(deadline(), "a skipped stream is still parked", async || listed().is_empty().then_some(())).await;
    assert_eq!(code(&[&["parked", "show"][..], &stream].concat()), 1, "it is parked no more");
    assert_eq!(code(&["parked", "show", "nobody", "regua.invoice.v1", "account/default/C", "--data", &data]), 1);

    // The tail tells of what others append once it runs.
    let issued = Cell::new(0);
    until(deadline(), "the tail does not tell", async || {
        let (customer_id, mut owner) = (format!("D{}", issued.get()), owner.clone());
        issued.set(issued.get() + 1);
        register(&mut owner, &customer_id).await;
        issue(&mut owner, &customer_id, SystemClock.now()).await;
        let text = fs::read_to_string(&log).unwrap();
        let mut told = text.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
        let is_ours = |event: &Value| event["payload"]["invoice_id"].as_str().is_some_and(|id| id.starts_with("F-D"));
        told.any(|event| event["type"] == "InvoiceIssued" && is_ours(&event)).then_some(())
    })
    .await;
    drop(tail);
    assert!(running.terminate().success());
}
