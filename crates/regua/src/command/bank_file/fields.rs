//! One thing and its fields, instead of rows.

use crate::output::{Format, Table, print_json};
use serde_json::{Map, Value, json};
use std::io;

/// Name and value.
pub type Field = (&'static str, Value);

/// Prints them: an object for a program, a field a line for a person. Errors: the output cannot be written.
pub fn print(fields: &[Field], format: Format) -> anyhow::Result<()> {
    if format == Format::Json {
        let object: Map<String, Value> = fields.iter().map(|(name, value)| ((*name).to_owned(), value.clone())).collect();
        return print_json(io::stdout().lock(), &Value::Object(object));
    }
    let mut table = Table::new("", &["field", "value"]);
    for (name, value) in fields {
        // As text: digits of a slip are no quantities to be grouped.
        let shown = value.as_i64().map_or_else(|| value.clone(), |number| json!(number.to_string()));
        table.row(vec![(*name).into(), shown]);
    }
    table.print(format)
}
