//! What a script reads of a run of `regua bench`. How fast anything is, is no matter here.

use crate::program::{self, Running};
use serde_json::Value;
use std::{
    fs,
    path::Path,
    process::{Command, Output},
};

/// What the project's own script says of a report about these figures.
fn read_by_the_script(report: &Path, figures: &[&str]) -> Option<Output> {
    let mut script = Command::new("python3");
    script.arg(program::root().join("deploy/bench-report.py")).arg(report).args(figures);
    let output = script.output().ok();
    if output.is_none() {
        println!("skipped: there is no Python to read the report with");
    }
    output
}

fn is_read_by_the_script(report: &Path, figures: &str) {
    let Some(output) = read_by_the_script(report, &figures.split(',').collect::<Vec<_>>()) else { return };
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}

#[test]
fn a_bench_leaves_a_report_with_every_figure_beside_its_reference() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("bench/report.json");
    let report = path.to_str().unwrap();
    let tiny = ["--quick", "--round-ms", "1", "--payers", "20", "--report", report];
    let only = "append_sqlite,append_postgres,relay";
    let shown = program::succeed(&[&["bench", "--only", only], tiny.as_slice()].concat());
    is_read_by_the_script(&path, only);
    assert!(shown.contains("append_sqlite/256"), "{shown}");
    let report: Value = serde_json::from_str(&fs::read_to_string(&path).unwrap()).unwrap();
    for (part, keys) in [
        ("machine", ["processor", "cores", "memory", "system", "file_system"].as_slice()),
        ("versions", &["regua", "sqlite", "librdkafka"]),
    ] {
        keys.iter().for_each(|key| assert!(report[part][key].is_string(), "{part}.{key}: {report}"));
    }
    let figures = report["figures"].as_array().unwrap();
    let names: Vec<&str> = figures.iter().map(|figure| figure["name"].as_str().unwrap()).collect();
    let levels = ["1", "16", "64", "256", "1024", "disk"].map(|level| format!("append_sqlite/{level}"));
    assert_eq!(names, levels);
    for figure in figures {
        let keys = ["value", "unit", "p50_ms", "p99_ms", "reference", "reference_value", "ratio", "goal_ratio"];
        keys.iter().for_each(|key| assert!(figure.get(key).is_some(), "{key}: {figure}"));
        assert!(figure["value"].as_f64().unwrap() > 0.0 && figure["ratio"].as_f64().unwrap() > 0.0, "{figure}");
    }
    assert_eq!(report["skipped"][0]["name"], "append_postgres");
    assert_eq!(report["skipped"][1]["name"], "relay");
    let left: Vec<_> = fs::read_dir(directory.path().join("bench")).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert_eq!(left, ["report.json"]);
}

#[test]
fn a_bench_reports_rebuilds_and_wakes_a_portfolio_and_finds_all_of_it_again() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("report.json");
    let tiny = ["--quick", "--round-ms", "1", "--payers", "20", "--invoices", "200", "--report", path.to_str().unwrap()];
    let only = "report,rebuild,timers,growth";
    program::succeed(&[&["bench", "--only", only], tiny.as_slice()].concat());
    is_read_by_the_script(&path, only);
    let report: Value = serde_json::from_str(&fs::read_to_string(&path).unwrap()).unwrap();
    let figures = report["figures"].as_array().unwrap();
    let names: Vec<&str> = figures.iter().map(|figure| figure["name"].as_str().unwrap()).collect();
    let reports = ["report/aging_today", "report/aging_past", "report/delinquency_100", "report/payer"];
    let growth = ["growth/append/200", "growth/project/200", "growth/report/200", "growth/timers/200", "growth/memory"];
    assert_eq!(names, [reports.as_slice(), &["rebuild", "rebuild/pause", "timers", "timers/memory"], &growth].concat());
    let positive = |figure: &Value| figure["name"] == "rebuild/pause" || figure["value"].as_f64().unwrap() > 0.0;
    assert!(figures.iter().all(positive), "{report}");
}

#[test]
fn a_bench_calls_services_over_the_network_and_starts_them() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("report.json");
    let tiny = ["--quick", "--rounds", "1", "--round-ms", "1", "--payers", "20", "--invoices", "200", "--report", path.to_str().unwrap()];
    let only = "grpc_unary,grpc_bulk,codecs,footprint";
    program::succeed(&[&["bench", "--only", only], tiny.as_slice()].concat());
    is_read_by_the_script(&path, only);
    let report: Value = serde_json::from_str(&fs::read_to_string(&path).unwrap()).unwrap();
    let figures = report["figures"].as_array().unwrap();
    let has = |name: &str| figures.iter().any(|figure| figure["name"] == name);
    for name in [
        "grpc_unary/1",
        "grpc_unary/256",
        "grpc_bulk/1",
        "grpc_bulk/4",
        "codecs/boleto_line_decode",
        "codecs/cnab_read",
        "codecs/cnab_write",
        "codecs/pix_encode",
        "footprint/start",
        "footprint/idle",
    ] {
        assert!(has(name), "{name}: {report}");
    }
    assert!(figures.iter().all(|figure| figure["value"].as_f64().unwrap() > 0.0), "{report}");
}

#[test]
fn a_bench_with_servers_measures_what_goes_through_them_and_leaves_nothing_there() {
    let Some(stack) = std::env::var_os("REGUA_TEST_STACK") else {
        println!("skipped: REGUA_TEST_STACK is not set");
        return;
    };
    let directory = tempfile::tempdir().unwrap();
    let (path, config) = (directory.path().join("report.json"), Path::new(&stack).join("regua.toml"));
    let tiny =
        ["--quick", "--round-ms", "20", "--invoices", "100", "--report", path.to_str().unwrap(), "--config", config.to_str().unwrap()];
    let only = "append_postgres,relay,project,freshness,timers_postgres,footprint";
    program::succeed(&[&["bench", "--only", only, "--version-of", "kafka=4"], tiny.as_slice()].concat());
    is_read_by_the_script(&path, only);
    let report: Value = serde_json::from_str(&fs::read_to_string(&path).unwrap()).unwrap();
    assert_eq!(report["skipped"], serde_json::json!([]));
    let figures = report["figures"].as_array().unwrap();
    let names: Vec<&str> = figures.iter().map(|figure| figure["name"].as_str().unwrap()).collect();
    let levels = ["1", "16", "64", "256", "1024"].map(|level| format!("append_postgres/{level}"));
    let levels: Vec<&str> = levels.iter().map(String::as_str).collect();
    let through = ["relay", "relay/start", "project", "freshness/gate", "freshness/view", "timers_postgres", "timers_postgres/memory"];
    let [before, of_footprint] = [&names[..levels.len() + through.len()], &names[levels.len() + through.len()..]];
    assert_eq!(before, [levels.as_slice(), &through].concat());
    for service in ["invoice", "dunning-engine", "notification", "reporting"] {
        for of in ["idle", "load"] {
            assert!(of_footprint.contains(&format!("footprint/{of}/{service}").as_str()), "{of} of {service}: {report}");
        }
    }
    assert!(report["versions"]["postgres"].is_string() && report["versions"]["kafka"] == "4", "{report}");
    assert!(figures.iter().all(|figure| figure["value"].as_f64().unwrap() > 0.0), "{report}");
}

#[test]
fn a_report_that_lacks_something_or_lowers_a_goal_is_told_by_the_script() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("report.json");
    program::succeed(&["bench", "--quick", "--round-ms", "1", "--rounds", "1", "--only", "codecs", "--report", path.to_str().unwrap()]);
    let report: Value = serde_json::from_str(&fs::read_to_string(&path).unwrap()).unwrap();
    let say = |change: &dyn Fn(&mut Value), fault: &str| {
        let mut changed = report.clone();
        change(&mut changed);
        fs::write(&path, changed.to_string()).unwrap();
        let Some(output) = read_by_the_script(&path, &["codecs"]) else { return };
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(output.status.code() == Some(1) && said.contains(fault), "{fault}: {said}");
    };
    say(&|report| _ = report["figures"].as_array_mut().unwrap().remove(0), "codecs has no boleto_line_decode");
    say(&|report| _ = report["figures"][0].as_object_mut().unwrap().remove("unit"), "codecs/boleto_line_decode has no unit");
    say(&|report| report["figures"][0]["goal_ratio"] = 0.0001.into(), "codecs/boleto_line_decode has the goal 0.0001, should have");
    say(&|report| report["figures"][0]["ratio"] = 7.into(), "codecs/boleto_line_decode has the ratio 7");
    say(&|report| report["figures"][0]["value"] = 0.into(), "codecs/boleto_line_decode is 0");
    say(&|report| _ = report["versions"].as_object_mut().unwrap().remove("sqlite"), "versions names no sqlite");
    say(&|report| report["skipped"] = serde_json::json!([{"name": "codecs", "reason": "x"}]), "codecs is there and skipped");
    say(&|report| report["figures"][0]["reference_value"] = (-2).into(), "has a reference of -2");
    // Nothing that a file can hold is answered with a trace of the script's own lines.
    say(&|report| report["figures"][0]["value"] = "10".into(), "has as value '10'");
    say(&|report| report["figures"][0]["value"] = Value::Null, "has as value None");
    say(&|report| report["figures"][0]["name"] = 5.into(), "figure 0 has no name");
    say(&|report| report["skipped"] = serde_json::json!([null]), "None has not");
    say(&|report| *report = serde_json::json!([]), "it is no object");
    for text in ["", "{", "{\"figures\": NaN}"] {
        fs::write(&path, text).unwrap();
        let Some(output) = read_by_the_script(&path, &["codecs"]) else { return };
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(output.status.code() == Some(1) && said.lines().count() == 1, "{text}: {said}");
    }
}

/// Whoever is asked to end takes along the processes that it started, and leaves no data.
#[test]
fn a_bench_that_is_asked_to_end_leaves_nothing() {
    let directory = tempfile::tempdir().unwrap();
    let beside = directory.path().join("bench");
    let report = beside.join("report.json");
    let arguments = ["bench", "--quick", "--rounds", "100", "--only", "footprint", "--report", report.to_str().unwrap()];
    let mut running = Running::spawn("regua", &arguments, &directory.path().join("said"));
    let started = || started_beside(beside.to_str().unwrap());
    while started() < 2 && !running.has_ended() {
        std::thread::yield_now();
    }
    assert_eq!(running.terminate().code(), Some(130), "{}", fs::read_to_string(directory.path().join("said")).unwrap());
    assert_eq!(started(), 0, "a process is left");
    assert_eq!(fs::read_dir(&beside).unwrap().count(), 0, "data is left");
}

/// Processes that have a directory on their command line.
fn started_beside(directory: &str) -> usize {
    let names_it = |process: fs::DirEntry| {
        let line = fs::read(process.path().join("cmdline")).unwrap_or_default();
        String::from_utf8_lossy(&line).contains(directory)
    };
    fs::read_dir("/proc").unwrap().filter_map(Result::ok).map(names_it).filter(|is_it| *is_it).count()
}

#[test]
fn a_report_that_cannot_be_written_is_refused_before_anything_is_measured() {
    let directory = tempfile::tempdir().unwrap();
    let path = |name: &str| format!("{}/{name}", directory.path().display());
    fs::create_dir(path("there")).unwrap();
    for report in [path("there"), path("nowhere/"), ".".to_owned()] {
        let output = program::run(&["bench", "--only", "codecs", "--report", &report]);
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(output.status.code() == Some(1) && said.contains("--report names a directory"), "{report}: {said}");
        assert!(!said.contains("round 1"), "{said}");
    }
    assert!(!fs::exists(path("nowhere")).unwrap());
}

#[test]
fn a_figure_that_nobody_knows_is_wrong_usage() {
    assert_eq!(program::run(&["bench", "--only", "nonsense"]).status.code(), Some(2));
}
