//! Commands for people and scripts: tables, JSON, exit codes.

use crate::{
    processes::{connect, free_ports, issue, listeners, register},
    program::{self, Running},
};
use chrono::TimeDelta;
use contracts::invoice::v1::invoice_service_client::InvoiceServiceClient;
use eventlog::Clock;
use host::clock::SystemClock;
use serde_json::Value;
use std::fs;

#[test]
fn a_demo_leaves_data_that_every_command_can_look_into() {
    let directory = tempfile::tempdir().unwrap();
    let data = directory.path().join("demo");
    let data = data.to_str().unwrap();
    let shown = program::succeed(&["demo", "--customers", "20", "--invoices", "150", "--months", "4", "--verify", "--data", data]);
    for part in ["How each step of the ladder ended", "Open amounts by days late", "How fast people paid", "0 of them differ"] {
        assert!(shown.contains(part), "{shown}");
    }
    let json = |arguments: &[&str]| -> Value { serde_json::from_str(&program::succeed(arguments)).unwrap() };
    let aging = json(&["report", "aging", "--data", data, "--as-of", "2025-02-28", "--as-of", "2025-03-31", "--format", "json"]);
    assert_eq!(aging.as_array().unwrap().len(), 2);
    assert_eq!(aging[0]["date"], "2025-02-28");
    let events = json(&["events", "show", "dunning-engine", "--data", data, "--limit", "7", "--format", "json"]);
    assert_eq!(events.as_array().unwrap().iter().map(|e| e["position"].as_u64().unwrap()).collect::<Vec<_>>(), (1..=7).collect::<Vec<_>>());
    let verified = json(&["projections", "verify", "--data", data, "--format", "json"]);
    assert!(verified.as_array().unwrap().iter().all(|view| view["agrees"] == true), "{verified}");
    program::succeed(&["projections", "rebuild", "reporting-receivables", "--data", data]);
    let again = json(&["report", "aging", "--data", data, "--as-of", "2025-02-28", "--format", "json"]);
    assert_eq!(again[0], aging[0]);
    assert_eq!(json(&["parked", "list", "--data", data, "--format", "json"]), serde_json::json!([]));
    let csv = program::succeed(&["report", "delinquency", "--data", data, "--as-of", "2025-04-30", "--format", "csv"]);
    assert!(csv.starts_with("group,currency,open_count,open_minor"), "{csv}");
}

/// Pages of a build are committed without waiting for the disk: whatever of one is there when its process dies, nobody reads it.
#[test]
fn a_rebuild_that_is_killed_leaves_every_view_as_it_was() {
    let directory = tempfile::tempdir().unwrap();
    let data = directory.path().join("demo");
    let wal = data.join("reporting.sqlite-wal");
    let data = data.to_str().unwrap();
    program::succeed(&["demo", "--customers", "40", "--invoices", "400", "--months", "3", "--data", data]);
    let aging = || program::succeed(&["report", "aging", "--data", data, "--as-of", "2025-02-28", "--format", "json"]);
    let before = aging();
    let rebuild = ["projections", "rebuild", "reporting-receivables", "--data", data];
    // Length and time: a log that begins anew keeps its length.
    let written = || fs::metadata(&wal).ok().map(|file| (file.len(), file.modified().unwrap()));
    let mut killed = 0;
    for times in [1, 3, 6, 12, 24] {
        let (mut seen, mut changes) = (written(), 0);
        let mut running = Running::spawn("regua", &rebuild, &directory.path().join("said"));
        while changes < times && !running.has_ended() {
            let now = written();
            changes += u32::from(now != seen);
            seen = now;
            std::thread::yield_now();
        }
        killed += u32::from(!running.has_ended());
        // SIGKILL, whatever it is doing.
        drop(running);
        assert_eq!(aging(), before);
    }
    assert!(killed > 1, "only {killed} were killed before they were through");
    let verified: Value = serde_json::from_str(&program::succeed(&["projections", "verify", "--data", data, "--format", "json"])).unwrap();
    assert!(verified.as_array().unwrap().iter().all(|view| view["agrees"] == true), "{verified}");
    program::succeed(&rebuild);
    assert_eq!(aging(), before);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_agreement_is_made_shown_listed_and_broken_from_the_command_line() {
    let (directory, ports) = (tempfile::tempdir().unwrap(), free_ports(8));
    let path = |name: &str| directory.path().join(name).to_str().unwrap().to_owned();
    let (config, data) = (path("regua.toml"), path("data"));
    fs::write(&config, listeners(&ports)).unwrap();
    let mut running = Running::start(&["up", "--config", &config, "--data", &data], "ready");
    let mut owner = InvoiceServiceClient::new(connect(ports[0]).await);
    let now = SystemClock.now();
    register(&mut owner, "C").await;
    issue(&mut owner, "C", now).await;
    let ask = |words: &[&str]| program::run(&[&["agreements"][..], words, &["--config", &config]].concat());
    let json = |words: &[&str]| -> Vec<Value> {
        let output = ask(&[words, &["--format", "json"]].concat());
        let told = String::from_utf8_lossy(&output.stdout).into_owned();
        assert_eq!(output.status.code(), Some(0), "{words:?}: {told}{}", String::from_utf8_lossy(&output.stderr));
        serde_json::from_str(&told).unwrap_or_else(|error| panic!("{words:?}: {error}: {told}"))
    };
    let [first, second] = [30, 60].map(|days| (now + TimeDelta::days(days)).date_naive().to_string());
    let instalments = format!("{first}=6000,{second}=7000");
    let make = ["make", "A1", "--customer", "C", "--invoices", "F-C", "--instalments", &instalments];
    let made = json(&make);
    let shown: Vec<_> = made.iter().map(|row| (row["invoice"].as_str().unwrap(), row["amount_minor"].as_i64().unwrap())).collect();
    assert_eq!(shown, [("A1-1", 6_000), ("A1-2", 7_000)]);
    assert_eq!((&made[1]["due_on"], &made[1]["status"]), (&second.as_str().into(), &"open".into()));
    assert_eq!(json(&make), made, "making the same again changes nothing");
    assert_eq!(json(&["show", "A1"]), made);
    let table = String::from_utf8(ask(&["show", "A1"]).stdout).unwrap();
    assert!(table.contains("Agreement A1 of C: 13000 BRL for 12990 owed, open, breaks on "), "{table}");

    let refused = |words: &[&str], code: i32, slug: &str| {
        let output = ask(words);
        let told = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(code), "{words:?}: {told}");
        assert!(told.contains(slug), "{words:?}: {told}");
    };
    refused(&["show", "A9"], 1, "unknown_agreement");
    refused(&["make", "A2", "--customer", "C", "--invoices", "F-C", "--instalments", &instalments], 1, "invoice_renegotiated");
    refused(&["make", "A2", "--customer", "C", "--invoices", "F-C", "--instalments", "soon"], 1, "minor units");
    refused(&["break", "A1"], 2, "--reason");

    let broken = json(&["break", "A1", "--reason", "no answer"]);
    assert!(broken.iter().all(|row| row["status"] == "cancelled" && row["outstanding_minor"] == 0), "{broken:?}");
    let listed = json(&["list", "C"]);
    assert_eq!(listed.len(), 1);
    assert_eq!((&listed[0]["agreement"], &listed[0]["status"], &listed[0]["cause"]), (&"A1".into(), &"broken".into(), &"by_person".into()));
    assert_eq!((&listed[0]["open_minor"], &listed[0]["total_minor"], &listed[0]["breaks_on"]), (&0.into(), &13_000.into(), &"".into()));
    assert!(running.terminate().success());
}

#[test]
fn every_fault_of_a_policy_is_told_with_its_path() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("bad.toml");
    let text = "policy = \"x\"\nnonsense = 1\n[[step]]\nid = \"a\"\noffset_days = 1\ntone = 1\nchannels = [\"pigeon\"]\ntemplate = \"t\"\n\
                [[step]]\nid = \"a\"\noffset_days = 5\ntone = 4\nchannels = [\"email\"]\ntemplate = \"t\"\n";
    fs::write(&path, text).unwrap();
    let output = program::run(&["policy", "check", path.to_str().unwrap(), "--format", "json"]);
    assert_eq!(output.status.code(), Some(3));
    let faults: Value = serde_json::from_slice(&output.stdout).unwrap();
    let reasons: Vec<&str> = faults.as_array().unwrap().iter().map(|fault| fault["reason"].as_str().unwrap()).collect();
    for reason in ["duplicate_id", "tone_jumps"] {
        assert!(reasons.contains(&reason), "{faults}");
    }
    assert!(faults.as_array().unwrap().len() >= 4, "{faults}");
    let preview = program::succeed(&["policy", "preview", "policies/regua-padrao.toml", "--due", "2026-12-24", "--format", "json"]);
    let lines: Value = serde_json::from_str(&preview).unwrap();
    let asks: Vec<&Value> =
        lines.as_array().unwrap().iter().filter(|line| line["requires_approval"] == "yes").map(|line| &line["step"]).collect();
    assert_eq!(asks, ["d+45"], "{preview}");
    assert!(lines.as_array().unwrap().iter().all(|line| line["never_reached"] == ""), "{preview}");
    program::succeed(&["policy", "preview", "policies/regua-padrao.toml"]);
    let shown = program::succeed(&["bank-file", "show", "docs/examples/retorno-exemplo.ret", "--format", "json"]);
    assert!(shown.contains("12990") && shown.contains("payment_received"), "{shown}");
}

#[test]
fn a_wrong_configuration_tells_all_its_faults_and_an_open_listener_is_refused() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("regua.toml");
    fs::write(&path, "[storage]\nknd = \"x\"\n[bus]\npartitions = \"four\"\n").unwrap();
    let output = program::run(&["up", "--config", path.to_str().unwrap()]);
    let told = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(1));
    assert!(told.contains("storage.knd") && told.contains("bus.partitions"), "{told}");
    fs::write(&path, "[invoice]\ngrpc = \"0.0.0.0:0\"\n").unwrap();
    let data = directory.path().join("data");
    let output = program::run(&["up", "--config", path.to_str().unwrap(), "--data", data.to_str().unwrap()]);
    assert_eq!(output.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&output.stderr).contains("not loopback"));
}

/// As `regua policy preview ... | head -1` does it.
#[test]
fn a_reader_who_has_seen_enough_is_no_fault() {
    let mut command = program::regua();
    command.args(["policy", "preview", "policies/regua-padrao.toml", "--format", "csv"]).current_dir(program::root());
    let mut process = command.stdout(std::process::Stdio::piped()).stderr(std::process::Stdio::piped()).spawn().unwrap();
    drop(process.stdout.take());
    let output = process.wait_with_output().unwrap();
    assert_eq!((output.status.code(), String::from_utf8_lossy(&output.stderr).as_ref()), (Some(0), ""));
}

#[test]
fn check_tells_at_once_what_the_services_would_refuse_when_they_start() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("wrong.toml");
    let wrong = "[creditor]\nname = \"\"\naddress = \"a\\u0007b\"\nemail_from = \"nobody\"\n\
                 [channels.email]\nkind = \"smtp\"\nhost = \"\"\n\
                 [channels.sms]\nkind = \"webhook\"\nurl = \"ftp://x\"\n\
                 [channels.whatsapp]\nkind = \"webhook\"\nurl = \"https://x.example\"\nsecret = \"\"\n\
                 [channels.voice]\nkind = \"webhook\"\nurl = \"https://x.example\"\nsecret = \"s\"\ntimeout_seconds = 0\n\
                 [telemetry]\nformat = \"xml\"\nlog = \"a=b=c\"\n[reporting]\ngrpc = \"127.0.0.1:7401\"\n";
    std::fs::write(&path, wrong).unwrap();
    let output = program::run(&["check", "--config", path.to_str().unwrap(), "--format", "csv"]);
    let told = String::from_utf8_lossy(&output.stdout).into_owned();
    assert_eq!(output.status.code(), Some(3), "{told}");
    let faults = ["creditor.name", "creditor.address", "creditor.email_from", "channels.email.host", "channels.sms.url"];
    let more =
        ["channels.whatsapp.secret", "channels.voice.timeout_seconds", "telemetry.format", "telemetry.log", "all name 127.0.0.1:7401"];
    for fault in faults.iter().chain(&more) {
        assert!(told.contains(fault), "{fault} is missing: {told}");
    }
}

#[test]
fn wrong_usage_has_an_exit_code_of_its_own() {
    assert_eq!(program::run(&["replay"]).status.code(), Some(2));
    assert_eq!(program::run(&["nonsense"]).status.code(), Some(2));
}
