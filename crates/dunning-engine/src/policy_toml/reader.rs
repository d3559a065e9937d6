//! A table read field by field: what was not asked for is unknown, what is of another type is wrong.

use ladder::draft::Fault;
use toml::{Table, Value};

/// Longest name of a field that a fault shows whole, in characters.
const SHOWN_CHARS: usize = 40;

/// The faults found so far.
#[derive(Default)]
pub(super) struct Faults(Vec<Fault>);

impl Faults {
    pub(super) fn into_list(self) -> Vec<Fault> {
        self.0
    }

    fn add(&mut self, path: String, slug: &'static str, message: String) {
        self.0.push(Fault { path, slug, message });
    }

    fn wrong_type(&mut self, path: String, wanted: &str, value: &Value) {
        self.add(path, "wrong_type", format!("should be {wanted}, is {}", type_name(value)));
    }
}

fn type_name(value: &Value) -> &'static str {
    match value {
        Value::String(_) => "a text",
        Value::Integer(_) => "a whole number",
        Value::Float(_) => "a number with a fraction",
        Value::Boolean(_) => "true or false",
        Value::Datetime(_) => "a date or time (write it in quotes)",
        Value::Array(_) => "a list",
        Value::Table(_) => "a table",
    }
}

/// One table; every field that is asked for is taken out.
pub(super) struct Reader<'a> {
    table: Table,
    path: String,
    faults: &'a mut Faults,
}

impl<'a> Reader<'a> {
    pub(super) fn new(table: Table, path: String, faults: &'a mut Faults) -> Self {
        Self { table, path, faults }
    }

    fn path_of(&self, name: &str) -> String {
        let bare = !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_-".contains(&byte));
        let shown = if bare { name.to_owned() } else { format!("{name:?}") };
        let shown: String = shown.chars().take(SHOWN_CHARS).collect();
        if self.path.is_empty() { shown } else { format!("{}.{shown}", self.path) }
    }

    fn take<T>(&mut self, name: &str, wanted: &str, read: impl Fn(&Value) -> Option<T>) -> Option<T> {
        let value = self.table.remove(name)?;
        let found = read(&value);
        if found.is_none() {
            self.faults.wrong_type(self.path_of(name), wanted, &value);
        }
        found
    }

    pub(super) fn text(&mut self, name: &str) -> Option<String> {
        self.take(name, "a text", |value| value.as_str().map(str::to_owned))
    }

    pub(super) fn number(&mut self, name: &str) -> Option<i64> {
        self.take(name, "a whole number", Value::as_integer)
    }

    pub(super) fn flag(&mut self, name: &str) -> Option<bool> {
        self.take(name, "true or false", Value::as_bool)
    }

    /// Takes out a value of whatever type; whether there was one.
    pub(super) fn drop(&mut self, name: &str) -> bool {
        self.table.remove(name).is_some()
    }

    /// A value that the given function understands.
    pub(super) fn custom<T>(&mut self, name: &str, wanted: &str, read: impl Fn(&Value) -> Option<T>) -> Option<T> {
        self.take(name, wanted, read)
    }

    /// A list of texts; what is no text in it is a fault of its own.
    pub(super) fn texts(&mut self, name: &str) -> Option<Vec<String>> {
        let list = self.list(name, "a list of texts")?;
        let mut texts = Vec::with_capacity(list.len());
        for (at, value) in list.into_iter().enumerate() {
            match value {
                Value::String(text) => texts.push(text),
                other => self.faults.wrong_type(format!("{}[{at}]", self.path_of(name)), "a text", &other),
            }
        }
        Some(texts)
    }

    fn list(&mut self, name: &str, wanted: &str) -> Option<Vec<Value>> {
        self.take(name, wanted, |value| value.as_array().cloned())
    }

    pub(super) fn table(&mut self, name: &str) -> Option<Reader<'_>> {
        let table = self.take(name, "a table", |value| value.as_table().cloned())?;
        let path = self.path_of(name);
        Some(Reader { table, path, faults: self.faults })
    }

    /// The tables in it by their names, each read by `read`.
    pub(super) fn each<T>(mut self, read: impl Fn(Reader<'_>) -> T) -> Vec<(String, T)> {
        let names: Vec<String> = self.table.keys().cloned().collect();
        names.into_iter().filter_map(|name| Some((name.clone(), read(self.table(&name)?)))).collect()
    }

    /// A list of tables, each read by `read`; empty where there is none.
    pub(super) fn tables<T>(&mut self, name: &str, read: impl Fn(Reader<'_>) -> T) -> Vec<T> {
        self.optional_tables(name, read).unwrap_or_default()
    }

    /// A list of tables, each read by `read`.
    pub(super) fn optional_tables<T>(&mut self, name: &str, read: impl Fn(Reader<'_>) -> T) -> Option<Vec<T>> {
        let list = self.list(name, "a list of tables")?;
        let mut found = Vec::with_capacity(list.len());
        for (at, value) in list.into_iter().enumerate() {
            let path = format!("{}[{at}]", self.path_of(name));
            match value {
                Value::Table(table) => found.push(read(Reader { table, path, faults: self.faults })),
                other => self.faults.wrong_type(path, "a table", &other),
            }
        }
        Some(found)
    }

    /// What is left was not asked for.
    pub(super) fn finish(self) {
        for name in self.table.keys() {
            self.faults.add(self.path_of(name), "unknown_field", "is no field of a policy at this place".to_owned());
        }
    }
}
