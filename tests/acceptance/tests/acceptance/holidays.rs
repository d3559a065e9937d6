//! Local holidays from the command line of a running system.

use crate::{
    processes::{free_ports, listeners},
    program::{self, Running},
};
use serde_json::Value;
use std::fs;

const GOOD: &str = "place,date,name\n3550308,2027-01-25,\"Aniversário, São Paulo\"\nSP,2027-07-09,Revolução\ntenant,2026-12-28,recesso\n";
const BAD: &str = "3550308,2027-01-25,Aniversário\n3550307,2027-02-30,x\nXX,2027-07-09,\n";

#[test]
fn a_file_of_holidays_is_recorded_whole_or_not_at_all_and_can_be_taken_back() {
    let (directory, ports) = (tempfile::tempdir().unwrap(), free_ports(8));
    let path = |name: &str| directory.path().join(name).to_str().unwrap().to_owned();
    let (config, data, good, bad) = (path("regua.toml"), path("data"), path("good.csv"), path("bad.csv"));
    fs::write(&config, listeners(&ports)).unwrap();
    fs::write(&good, GOOD).unwrap();
    fs::write(&bad, BAD).unwrap();
    let mut running = Running::start(&["up", "--config", &config, "--data", &data], "ready");

    let run = |arguments: &[&str]| program::run(&[&["holidays"], arguments, &["--config", &config, "--format", "json"]].concat());
    let signed = ["--by", "ana", "--reason", "calendário de 2027"];
    let json = |arguments: &[&str]| -> Vec<Value> {
        let output = run(arguments);
        assert!(output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
        serde_json::from_slice(&output.stdout).unwrap()
    };
    let days = |asked: &[&str]| -> Vec<String> {
        let rows = json(&[&["list"], asked].concat());
        rows.iter().map(|row| format!("{} {} {}", row["date"], row["place"], row["name"]).replace('"', "")).collect()
    };
    let output = run(&[&["import", bad.as_str()], &signed[..]].concat());
    let told = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!((output.status.code(), told.matches("line ").count()), (Some(1), 4), "{told}");
    assert_eq!(days(&[]), [""; 0], "nothing of it is recorded");

    let import = [&["import", good.as_str()], &signed[..]].concat();
    assert_eq!(json(&import)[0]["recorded"], 3);
    assert_eq!(json(&import)[0]["recorded"], 0, "once more it changes nothing");
    let all = ["2026-12-28 tenant recesso", "2027-01-25 3550308 Aniversário, São Paulo", "2027-07-09 SP Revolução"];
    assert_eq!(days(&[]), all);
    assert_eq!(days(&["--place", "SP", "--from", "2027-01-01"]), all[2..]);
    let at = ["tenant", "--day", "2026-12-28"];
    assert_eq!(json(&[&["remove"], &at[..], &signed].concat())[0]["withdrawn"], 1);
    assert_eq!(json(&[&["remove"], &at[..], &signed].concat())[0]["withdrawn"], 0);
    assert_eq!(json(&[&["add"], &at[..], &["--name", "plantão"], &signed].concat())[0]["recorded"], 1);
    assert_eq!(days(&["--until", "2026-12-31"]), ["2026-12-28 tenant plantão"]);
    let nowhere = run(&[&["add", "3550307", "--day", "2027-01-25", "--name", "x"], &signed[..]].concat());
    assert_eq!(nowhere.status.code(), Some(2), "a place that is none is wrong usage");
    assert!(running.terminate().success());
}
