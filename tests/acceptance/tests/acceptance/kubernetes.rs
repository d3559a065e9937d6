//! The manifests of deploy/kubernetes say what the programs understand.

use crate::{processes::SERVICES, program};
use serde::Deserialize;
use serde_yaml_ng::{Deserializer, Value};
use std::{collections::BTreeSet, fs, path::PathBuf};

fn folder() -> PathBuf {
    program::root().join("deploy/kubernetes")
}

/// The documents of a file.
fn documents(file: &str) -> Vec<Value> {
    let text = fs::read_to_string(folder().join(file)).unwrap();
    Deserializer::from_str(&text).map(|document| Value::deserialize(document).unwrap()).collect()
}

fn of_kind(file: &str, kind: &str) -> Value {
    let found: Vec<Value> = documents(file).into_iter().filter(|document| document["kind"] == kind).collect();
    assert_eq!(found.len(), 1, "{kind} in {file}");
    found.into_iter().next().unwrap()
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_else(|| panic!("no text: {value:?}"))
}

fn list(value: &Value) -> &Vec<Value> {
    value.as_sequence().unwrap_or_else(|| panic!("no list: {value:?}"))
}

fn configuration() -> toml::Table {
    text(&of_kind("configuration.yaml", "ConfigMap")["data"]["regua.toml"]).parse().unwrap()
}

/// Every `env:NAME` of a configuration, in values and keys.
fn variables(table: &toml::Table) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    for (key, value) in table {
        let texts = [Some(key.as_str()), value.as_str()].into_iter().flatten();
        found.extend(texts.filter_map(|text| text.strip_prefix("env:")).map(str::to_owned));
        found.extend(value.as_table().map(variables).unwrap_or_default());
    }
    found
}

fn container(service: &str) -> Value {
    let deployment = of_kind(&format!("{service}.yaml"), "Deployment");
    let containers = list(&deployment["spec"]["template"]["spec"]["containers"]);
    assert_eq!(containers.len(), 1);
    containers[0].clone()
}

#[test]
fn every_key_of_the_configuration_is_one_that_the_programs_know() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("regua.toml");
    fs::write(&file, configuration().to_string()).unwrap();
    let mut check = program::regua();
    check.args(["check", "--format", "json", "--config", file.to_str().unwrap()]);
    for name in variables(&configuration()) {
        check.env(name, "postgres://regua@127.0.0.1:1/regua");
    }
    let output = check.output().unwrap();
    let findings: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    let fit =
        |what: &str| findings.as_array().unwrap().iter().find(|finding| finding["what"] == what).map(|finding| finding["fit"].clone());
    assert_eq!(fit("configuration"), Some(true.into()), "{findings}");
    for service in SERVICES {
        assert_eq!(fit(&format!("listener {service}")), Some(true.into()), "{service}: {findings}");
    }
}

#[test]
fn every_file_of_the_folder_is_applied() {
    let kustomization = of_kind("kustomization.yaml", "Kustomization");
    let named: BTreeSet<String> = list(&kustomization["resources"]).iter().map(|file| text(file).to_owned()).collect();
    let names = fs::read_dir(folder()).unwrap().map(|file| file.unwrap().file_name().into_string().unwrap());
    let there: BTreeSet<String> = names.filter(|name| name.ends_with(".yaml") && name != "kustomization.yaml").collect();
    assert_eq!(named, there);
}

#[test]
fn programs_flags_files_and_secrets_are_there() {
    let configuration = configuration();
    for service in SERVICES {
        let container = container(service);
        let program = text(&container["command"][0]);
        let manifest = fs::read_to_string(program::root().join(format!("crates/{service}/Cargo.toml"))).unwrap();
        assert!(manifest.contains(&format!("name = \"{program}\"")), "{program}");
        let arguments: Vec<&str> = list(&container["args"]).iter().map(text).collect();
        let mounts: Vec<&str> = list(&container["volumeMounts"]).iter().map(|mount| text(&mount["mountPath"])).collect();
        assert_eq!(arguments, ["--config", mounts[0]], "the only flag that a service takes");
        for key in ["certificate", "private_key", "authority"] {
            let path = configuration["access"][key].as_str().unwrap();
            assert!(path.starts_with(mounts[1]), "{service}: {path} is not in {mounts:?}");
        }
        let given: BTreeSet<String> = list(&container["env"]).iter().map(|variable| text(&variable["name"]).to_owned()).collect();
        assert_eq!(given, variables(&configuration), "{service}");
        for variable in list(&container["env"]) {
            assert!(variable["valueFrom"]["secretKeyRef"]["key"].is_string() && variable["value"].is_null(), "{variable:?}");
        }
    }
}

#[test]
fn ports_probes_and_addresses_agree_with_the_configuration() {
    let configuration = configuration();
    for service in SERVICES {
        let (container, file) = (container(service), format!("{service}.yaml"));
        let (front, deployment) = (of_kind(&file, "Service"), of_kind(&file, "Deployment"));
        assert_eq!(front["spec"]["selector"], deployment["spec"]["selector"]["matchLabels"]);
        let labels = &deployment["spec"]["template"]["metadata"]["labels"];
        assert!(front["spec"]["selector"].as_mapping().unwrap().iter().all(|(key, value)| labels.get(key) == Some(value)));
        for protocol in ["grpc", "http"] {
            let listen = configuration[service][protocol].as_str().unwrap();
            let port: u64 = listen.rsplit_once(':').unwrap().1.parse().unwrap();
            let opened = list(&container["ports"]).iter().find(|open| open["name"] == protocol).unwrap();
            let offered = list(&front["spec"]["ports"]).iter().find(|open| open["name"] == protocol).unwrap();
            assert_eq!((opened["containerPort"].as_u64(), offered["port"].as_u64()), (Some(port), Some(port)), "{service} {protocol}");
            assert_eq!(offered["targetPort"], protocol);
        }
        let url = format!("https://{}:{}", text(&front["metadata"]["name"]), list(&front["spec"]["ports"])[0]["port"].as_u64().unwrap());
        assert_eq!(configuration[service]["url"].as_str(), Some(url.as_str()));
        for (probe, path) in [("livenessProbe", "/live"), ("readinessProbe", "/health")] {
            let asked = ["path", "port", "scheme"].map(|key| text(&container[probe]["httpGet"][key]));
            assert_eq!(asked, [path, "http", "HTTPS"], "off loopback HTTP speaks TLS");
        }
    }
}
