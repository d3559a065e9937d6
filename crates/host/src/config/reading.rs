//! Reading on after a fault, so that all of them are told at once.

use super::{Config, Fault, Faults};
use serde::de::DeserializeOwned;
use toml::{Table, Value};

/// A configuration that is read section by section, to the end, whatever is wrong with it.
pub struct Reading<'a> {
    config: &'a Config,
    faults: Vec<Fault>,
}

impl<'a> Reading<'a> {
    /// `faults`: those that [`Config::read`] found.
    pub fn new(config: &'a Config, faults: Vec<Fault>) -> Self {
        Self { config, faults }
    }

    /// The configuration.
    pub fn config(&self) -> &'a Config {
        self.config
    }

    /// A section; `None` where something is wrong with it.
    pub fn section<T: DeserializeOwned>(&mut self, name: &str) -> Option<T> {
        let read = self.config.section(name);
        self.take(read)
    }

    /// What was read, or `None` and its faults kept.
    pub fn take<T>(&mut self, read: Result<T, Faults>) -> Option<T> {
        read.map_err(|Faults(faults)| self.add(faults)).ok()
    }

    /// More faults. Of a key that has one already the first is enough: the others come of it.
    pub fn add(&mut self, faults: Vec<Fault>) {
        for fault in faults {
            if self.faults.iter().all(|known| known.path != fault.path) {
                self.faults.push(fault);
            }
        }
    }

    /// Whether nothing is wrong so far.
    pub fn is_good(&self) -> bool {
        self.faults.is_empty()
    }

    /// Everything that is wrong, in the order found.
    pub fn into_faults(self) -> Faults {
        Faults(self.faults)
    }
}

impl Config {
    /// The parser stops at the first wrong value: each is looked at by itself, among the defaults.
    pub(super) fn wrong_values<T: DeserializeOwned>(&self, name: &str, value: &Value, message: &str) -> Vec<Fault> {
        let base = self.default.get(name).cloned().unwrap_or_else(|| Value::Table(Table::new()));
        let mut faults = Vec::new();
        for (path, leaf) in leaves(value) {
            let alone: Result<T, toml::de::Error> = with(base.clone(), &path, leaf).try_into();
            if let Err(error) = alone {
                faults.push(Fault { path: format!("{name}.{}", path.join(".")), message: error.message().to_owned() });
            }
        }
        if faults.is_empty() {
            faults.push(Fault { path: name.to_owned(), message: message.to_owned() });
        }
        faults
    }
}

/// Values that are no tables, each with its path.
fn leaves(value: &Value) -> Vec<(Vec<String>, Value)> {
    let Value::Table(table) = value else { return vec![(Vec::new(), value.clone())] };
    let under = |(key, value): (&String, &Value)| {
        let inner = leaves(value).into_iter();
        let key = key.clone();
        inner.map(move |(path, leaf)| (std::iter::once(key.clone()).chain(path).collect(), leaf)).collect::<Vec<_>>()
    };
    table.iter().flat_map(under).collect()
}

/// A value with one that is no table put in its place.
fn with(base: Value, path: &[String], leaf: Value) -> Value {
    let [first, rest @ ..] = path else { return leaf };
    let mut table = if let Value::Table(table) = base { table } else { Table::new() };
    let inner = table.remove(first).unwrap_or_else(|| Value::Table(Table::new()));
    table.insert(first.clone(), with(inner, rest, leaf));
    Value::Table(table)
}
