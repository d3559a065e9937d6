//! Configuration: one commented file with every key and its default, laid under the user's file.
//!
//! The bundled default is the schema: a key that it does not have, or a value of another kind, is a fault, and all
//! faults are reported at once. A text value `env:NAME` is read from the environment here and nowhere else.

mod reading;

pub use reading::Reading;

use eventlog::bus::PROTECTED;
use serde::{Deserialize, de::DeserializeOwned};
use std::{
    fmt,
    net::{IpAddr, SocketAddr},
    path::PathBuf,
    time::Duration,
};
use toml::{Table, Value};

/// Begins a text that stands for an environment variable.
const ENVIRONMENT: &str = "env:";

/// One thing wrong with a configuration.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    /// Dotted path of the key.
    pub path: String,
    /// For a person.
    pub message: String,
}

/// Everything wrong with a configuration.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Faults(pub Vec<Fault>);

impl Faults {
    /// A single one.
    pub fn one(path: &str, message: impl Into<String>) -> Self {
        Self(vec![Fault { path: path.to_owned(), message: message.into() }])
    }
}

impl fmt::Display for Faults {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the configuration has faults:")?;
        self.0.iter().try_for_each(|fault| write!(f, "\n  {}: {}", fault.path, fault.message))
    }
}

impl std::error::Error for Faults {}

/// A merged configuration.
#[derive(Debug, Clone)]
pub struct Config {
    table: Table,
    default: Table,
}

impl Config {
    /// Lays `user` (TOML) over `default` (TOML). Errors: every unknown key, wrong kind and unset variable at once.
    pub fn load(default: &str, user: &str) -> Result<Self, Faults> {
        let (config, faults) = Self::read(default, user)?;
        if faults.is_empty() { Ok(config) } else { Err(Faults(faults)) }
    }

    /// The same, and what can be read in spite of its faults, so that more of them are told at once: where there is one, the default stands.
    /// Errors: a text that is no TOML.
    pub fn read(default: &str, user: &str) -> Result<(Self, Vec<Fault>), Faults> {
        let default: Table = default.parse().map_err(|error: toml::de::Error| Faults::one("(default)", error.to_string()))?;
        let user: Table = user.parse().map_err(|error: toml::de::Error| Faults::one("(file)", error.to_string()))?;
        let (mut table, mut faults) = (default.clone(), Vec::new());
        lay_over(&mut table, user, "", &mut faults);
        resolve_environment(&mut table, "", &mut faults);
        Ok((Self { table, default }, faults))
    }

    /// One section as a typed value. Errors: every wrong value of the section, with its path.
    pub fn section<T: DeserializeOwned>(&self, name: &str) -> Result<T, Faults> {
        let value = self.table.get(name).cloned().unwrap_or_else(|| Value::Table(Table::new()));
        value.clone().try_into().map_err(|error: toml::de::Error| Faults(self.wrong_values::<T>(name, &value, error.message())))
    }

    /// Sets a key, for flags that override the file.
    pub fn set(&mut self, section: &str, key: &str, value: impl Into<Value>) {
        if let Some(Value::Table(table)) = self.table.get_mut(section) {
            table.insert(key.to_owned(), value.into());
        }
    }
}

/// An empty table of the default is open: it takes whatever keys the user gives it.
fn lay_over(base: &mut Table, user: Table, prefix: &str, faults: &mut Vec<Fault>) {
    let open = base.is_empty();
    for (key, value) in user {
        let path = if prefix.is_empty() { key.clone() } else { format!("{prefix}.{key}") };
        match (base.get_mut(&key), value) {
            (None, value) if open => _ = base.insert(key, value),
            (None, _) => faults.push(Fault { path, message: "unknown key".to_owned() }),
            (Some(Value::Table(inner)), Value::Table(table)) => lay_over(inner, table, &path, faults),
            (Some(slot), value) if slot.same_type(&value) => *slot = value,
            (Some(slot), value) => {
                faults.push(Fault { path, message: format!("is {}, should be {}", value.type_str(), slot.type_str()) });
            }
        }
    }
}

/// Reads every `env:NAME`: as a value, and as a key of an open table, because tokens are keys.
fn resolve_environment(table: &mut Table, prefix: &str, faults: &mut Vec<Fault>) {
    let named: Vec<String> = table.keys().filter(|key| key.starts_with(ENVIRONMENT)).cloned().collect();
    for key in named {
        let path = format!("{prefix}.{key}");
        if let (Some(value), Some(found)) = (table.remove(&key), read_environment(&key, &path, faults)) {
            table.insert(found, value);
        }
    }
    for (key, value) in table.iter_mut() {
        let path = if prefix.is_empty() { key.clone() } else { format!("{prefix}.{key}") };
        match value {
            Value::Table(inner) => resolve_environment(inner, &path, faults),
            Value::String(text) => {
                if text.starts_with(ENVIRONMENT)
                    && let Some(found) = read_environment(text, &path, faults)
                {
                    *text = found;
                }
            }
            Value::Integer(_) | Value::Float(_) | Value::Boolean(_) | Value::Datetime(_) | Value::Array(_) => {}
        }
    }
}

fn read_environment(text: &str, path: &str, faults: &mut Vec<Fault>) -> Option<String> {
    let name = text.strip_prefix(ENVIRONMENT)?;
    let found = std::env::var(name).ok();
    if found.is_none() {
        faults.push(Fault { path: path.to_owned(), message: format!("environment variable {name} is not set") });
    }
    found
}

/// Where logs and views are kept.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Storage {
    /// `sqlite` or `postgres`.
    pub kind: String,
    /// Directory of the SQLite files.
    pub directory: PathBuf,
    /// PostgreSQL URL.
    pub url: String,
    /// Connections per service.
    pub max_connections: u32,
    /// Seconds that a statement on PostgreSQL may take, waits for locks included.
    pub statement_timeout_seconds: u32,
    /// Put before schema names, so that several installations share a database.
    pub prefix: String,
}

/// How events travel.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BusConfig {
    /// `in-process` or `kafka`.
    pub kind: String,
    /// Kafka bootstrap servers.
    pub brokers: String,
    /// Partitions of each topic.
    pub partitions: i32,
    /// Copies of each partition.
    pub replication: i32,
    /// Put before topic and group names, so that several installations share a broker.
    pub prefix: String,
    /// Further settings of librdkafka, as `security.protocol`; see [`BusConfig::client_settings`].
    pub settings: Table,
}

impl Storage {
    /// Errors: an unknown kind, PostgreSQL without an address, a deadline that is none; all of them at once.
    pub fn check(&self) -> Result<(), Faults> {
        let is_known = ["sqlite", "postgres"].contains(&self.kind.as_str());
        told([
            (!is_known, "storage.kind", format!("is {}, should be sqlite or postgres", self.kind)),
            (self.kind == "postgres" && self.url.is_empty(), "storage.url", "is needed where storage.kind is postgres".to_owned()),
            (!(1..=3600).contains(&self.statement_timeout_seconds), "storage.statement_timeout_seconds", "should be 1 to 3600".to_owned()),
        ])
    }

    /// The deadline of a statement on PostgreSQL.
    pub fn statement_deadline(&self) -> Duration {
        Duration::from_secs(self.statement_timeout_seconds.into())
    }
}

impl BusConfig {
    /// Errors: an unknown kind, Kafka without brokers, no partition or copy, and those of [`BusConfig::client_settings`]; all of them at
    /// once.
    pub fn check(&self) -> Result<(), Faults> {
        let is_known = ["in-process", "kafka"].contains(&self.kind.as_str());
        let own = told([
            (!is_known, "bus.kind", format!("is {}, should be in-process or kafka", self.kind)),
            (self.kind == "kafka" && self.brokers.is_empty(), "bus.brokers", "is needed where bus.kind is kafka".to_owned()),
            (self.partitions < 1, "bus.partitions", "should be more than zero".to_owned()),
            (self.replication < 1, "bus.replication", "should be more than zero".to_owned()),
        ]);
        let all = [own.err(), self.client_settings().err()].into_iter().flatten().flat_map(|faults| faults.0).collect::<Vec<_>>();
        if all.is_empty() { Ok(()) } else { Err(Faults(all)) }
    }

    /// `[bus.settings]` as librdkafka takes them; `a.b = "c"` and `"a.b" = "c"` are the same. Errors: each value that is no text, number
    /// or boolean, and each setting that is not the operator's ([`PROTECTED`]), all at once.
    pub fn client_settings(&self) -> Result<Vec<(String, String)>, Faults> {
        let (mut settings, mut faults) = (Vec::new(), Vec::new());
        flatten(&self.settings, "", &mut settings, &mut faults);
        for (key, _) in settings.iter().filter(|(key, _)| PROTECTED.contains(&key.as_str())) {
            faults
                .push(Fault { path: format!("bus.settings.{key}"), message: "is protected: no event is lost or doubled by it".to_owned() });
        }
        if faults.is_empty() { Ok(settings) } else { Err(Faults(faults)) }
    }

    /// What is wrong with so few copies, on brokers that others can reach: the loss of one machine loses or stops events.
    pub fn too_few_copies(&self) -> Option<String> {
        let is_weak = self.kind == "kafka" && self.replication < 3 && !self.brokers.split(',').all(is_loopback);
        is_weak.then(|| {
            format!("bus.replication is {}: with less than 3 copies the loss of one broker stops or loses events", self.replication)
        })
    }
}

/// The faults that there are, of those that there may be.
fn told<const N: usize>(may_be: [(bool, &str, String); N]) -> Result<(), Faults> {
    let there = may_be.into_iter().filter(|(is, _, _)| *is);
    let faults: Vec<Fault> = there.map(|(_, path, message)| Fault { path: path.to_owned(), message }).collect();
    if faults.is_empty() { Ok(()) } else { Err(Faults(faults)) }
}

/// Whether a broker's `host:port` is on this machine.
fn is_loopback(broker: &str) -> bool {
    let host = broker.trim().rsplit_once(':').map_or(broker, |(host, _)| host);
    let host = host.rsplit("://").next().unwrap_or(host).trim_matches(['[', ']']);
    host == "localhost" || host.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
}

fn flatten(table: &Table, prefix: &str, settings: &mut Vec<(String, String)>, faults: &mut Vec<Fault>) {
    for (key, value) in table {
        let key = format!("{prefix}{key}");
        match value {
            Value::Table(inner) => flatten(inner, &format!("{key}."), settings, faults),
            Value::String(text) => settings.push((key, text.clone())),
            Value::Integer(_) | Value::Float(_) | Value::Boolean(_) => settings.push((key, value.to_string())),
            Value::Datetime(_) | Value::Array(_) => {
                faults.push(Fault { path: format!("bus.settings.{key}"), message: format!("is {}, should be text", value.type_str()) });
            }
        }
    }
}

/// Addresses of one service.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Listen {
    /// gRPC address.
    pub grpc: SocketAddr,
    /// HTTP address: metrics, health, callbacks.
    pub http: SocketAddr,
    /// Where others reach its gRPC; empty = `grpc` itself.
    pub url: String,
}

/// Who may call.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Access {
    /// PEM file of the certificate chain; empty = no TLS.
    pub certificate: String,
    /// PEM file of the key.
    pub private_key: String,
    /// PEM file of the authority that signed the services' certificates, for calls between services.
    pub authority: String,
    /// Token of this installation's own calls between services.
    pub service_token: String,
    /// `token = tenant`; tenant `*` may act for any.
    pub tokens: Table,
    /// Token of who reads `/metrics`; empty = nobody but who is on this machine.
    pub metrics_token: String,
    /// Where clients can ask for the API's description.
    pub reflection: Reflection,
}

/// Where gRPC reflection is served.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Reflection {
    /// Nowhere.
    #[default]
    Never,
    /// On loopback listeners.
    Loopback,
    /// On every listener, without a token.
    Always,
}

impl Access {
    /// Whether a listener at this address serves reflection.
    pub fn reflects(&self, address: SocketAddr) -> bool {
        match self.reflection {
            Reflection::Never => false,
            Reflection::Loopback => address.ip().is_loopback(),
            Reflection::Always => true,
        }
    }
}

/// What the process tells about itself.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TelemetryConfig {
    /// Filter as `info` or `info,eventlog=debug`.
    pub log: String,
    /// `text` or `json`.
    pub format: String,
    /// OTLP endpoint for traces; empty = none.
    pub otlp_endpoint: String,
}

#[cfg(test)]
mod tests {
    use super::*;

    const DEFAULT: &str =
        "[bus]\nkind = \"in-process\"\nbrokers = \"\"\npartitions = 4\nreplication = 1\nprefix = \"\"\n[bus.settings]\n[tokens]\n";

    #[test]
    fn every_fault_is_reported_at_once_with_its_path() {
        let faults = Config::load(DEFAULT, "[bus]\nkindd = 1\npartitions = \"four\"\n[storag]\nx = 1\n").unwrap_err().0;
        let paths: Vec<&str> = faults.iter().map(|fault| fault.path.as_str()).collect();
        assert_eq!(paths, ["bus.kindd", "bus.partitions", "storag"]);
    }

    #[test]
    fn every_wrong_value_of_a_section_is_told_with_its_path() {
        let config = Config::load("[a]\ngrpc = \"127.0.0.1:1\"\nhttp = \"127.0.0.1:2\"\nurl = \"\"\n", "[a]\ngrpc = \"x\"\nhttp = \"y\"\n");
        let faults = config.unwrap().section::<Listen>("a").unwrap_err().0;
        let paths: Vec<&str> = faults.iter().map(|fault| fault.path.as_str()).collect();
        assert_eq!(paths, ["a.grpc", "a.http"]);
    }

    #[test]
    fn the_users_value_lies_over_the_default() {
        let config = Config::load(DEFAULT, "[bus]\nkind = \"kafka\"\n").unwrap();
        let bus: BusConfig = config.section("bus").unwrap();
        assert_eq!((bus.kind.as_str(), bus.partitions), ("kafka", 4));
    }

    fn bus(user: &str) -> BusConfig {
        Config::load(DEFAULT, &format!("[bus]\nkind = \"kafka\"\n{user}")).unwrap().section("bus").unwrap()
    }

    #[test]
    fn settings_of_kafka_are_passed_on_and_protected_ones_are_refused_by_name() {
        let told = "brokers = \"k:1\"\n[bus.settings]\nsecurity.protocol = \"SASL_SSL\"\n\"sasl.mechanism\" = \"SCRAM-SHA-512\"\nsocket.timeout.ms = 5000\n";
        let mut settings = bus(told).client_settings().unwrap();
        settings.sort();
        let texts: Vec<String> = settings.iter().map(|(key, value)| format!("{key}={value}")).collect();
        assert_eq!(texts, ["sasl.mechanism=SCRAM-SHA-512", "security.protocol=SASL_SSL", "socket.timeout.ms=5000"]);
        for key in PROTECTED {
            let faults = bus(&format!("brokers = \"k:1\"\n[bus.settings]\n\"{key}\" = \"1\"\nx = [1]\n")).check().unwrap_err();
            assert!(
                faults.to_string().contains(&format!("bus.settings.{key}:")) && faults.to_string().contains("bus.settings.x:"),
                "{faults}"
            );
        }
    }

    #[test]
    fn few_copies_are_enough_on_this_machine_only() {
        let cases = [
            ("127.0.0.1:9092", 1, true),
            ("localhost:9092,[::1]:9093", 1, true),
            ("127.0.0.1:9092,kafka-2:9092", 2, false),
            ("kafka-1:9092,kafka-2:9092,kafka-3:9092", 3, true),
            ("10.0.0.7:9092", 1, false),
        ];
        for (brokers, copies, enough) in cases {
            let told = bus(&format!("brokers = \"{brokers}\"\nreplication = {copies}\n")).too_few_copies();
            assert_eq!(told.is_none(), enough, "{brokers}: {told:?}");
        }
    }

    #[test]
    fn a_table_without_defaults_takes_any_key_and_a_key_may_come_from_the_environment() {
        let config = Config::load(DEFAULT, "[tokens]\nsecret = \"acme\"\n\"env:CARGO_PKG_NAME\" = \"default\"\n").unwrap();
        let tokens: Table = config.section("tokens").unwrap();
        assert_eq!((tokens["secret"].as_str(), tokens["host"].as_str()), (Some("acme"), Some("default")));
        let faults = Config::load(DEFAULT, "[tokens]\n\"env:REGUA_NO_SUCH_VARIABLE\" = \"acme\"\n").unwrap_err();
        assert!(faults.to_string().contains("tokens.env:REGUA_NO_SUCH_VARIABLE"), "{faults}");
    }

    #[test]
    fn a_variable_that_is_not_set_is_a_fault() {
        let faults = Config::load(DEFAULT, "[bus]\nbrokers = \"env:REGUA_NO_SUCH_VARIABLE\"\n").unwrap_err();
        assert!(faults.to_string().contains("bus.brokers"), "{faults}");
    }
}
