//! What commands print: for a person as a table, for a program as JSON or CSV.

use clap::ValueEnum;
use comfy_table::{CellAlignment, ContentArrangement, presets::UTF8_FULL_CONDENSED};
use serde_json::{Map, Value};
use std::io::{self, Write};

/// How a result is printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum)]
pub enum Format {
    /// For a person.
    #[default]
    Table,
    /// For a spreadsheet.
    Csv,
    /// For a program.
    Json,
}

/// Rows under named columns. Amounts are integers in minor units; a table shows them with their decimals.
#[derive(Debug, Clone, Default)]
pub struct Table {
    /// Shown above a table.
    pub title: String,
    columns: Vec<Column>,
    rows: Vec<Vec<Value>>,
}

#[derive(Debug, Clone)]
struct Column {
    name: String,
}

impl Column {
    fn is_money(&self) -> bool {
        self.name.ends_with("_minor")
    }

    fn heading(&self) -> String {
        self.name.trim_end_matches("_minor").replace('_', " ")
    }
}

impl Table {
    /// An empty table.
    pub fn new(title: &str, columns: &[&str]) -> Self {
        let columns = columns.iter().map(|name| Column { name: (*name).to_owned() }).collect();
        Self { title: title.to_owned(), columns, rows: Vec::new() }
    }

    /// Adds a row, one value per column.
    pub fn row(&mut self, values: Vec<Value>) {
        self.rows.push(values);
    }

    /// The rows as objects.
    pub fn to_json(&self) -> Value {
        let object = |row: &Vec<Value>| {
            let pairs = self.columns.iter().zip(row).map(|(column, value)| (column.name.clone(), value.clone()));
            Value::Object(pairs.collect::<Map<_, _>>())
        };
        Value::Array(self.rows.iter().map(object).collect())
    }

    /// Prints it to standard output. Errors: the output cannot be written.
    pub fn print(&self, format: Format) -> anyhow::Result<()> {
        let out = io::stdout().lock();
        match format {
            Format::Table => self.print_table(out),
            Format::Csv => self.print_csv(out),
            Format::Json => print_json(out, &self.to_json()),
        }
    }

    fn print_table(&self, mut out: impl Write) -> anyhow::Result<()> {
        let mut table = comfy_table::Table::new();
        table.load_style(UTF8_FULL_CONDENSED).set_content_arrangement(ContentArrangement::Dynamic);
        table.set_header(self.columns.iter().map(Column::heading));
        for row in &self.rows {
            table.add_row(self.columns.iter().zip(row).map(|(column, value)| shown(column, value)));
        }
        for (index, _) in self.columns.iter().enumerate() {
            let numbers = self.rows.iter().all(|row| row.get(index).is_some_and(Value::is_number));
            if let (true, Some(column)) = (numbers, table.column_mut(index)) {
                column.set_cell_alignment(CellAlignment::Right);
            }
        }
        if !self.title.is_empty() {
            writeln!(out, "{}", self.title)?;
        }
        writeln!(out, "{table}")?;
        Ok(())
    }

    fn print_csv(&self, out: impl Write) -> anyhow::Result<()> {
        let mut writer = csv::Writer::from_writer(out);
        writer.write_record(self.columns.iter().map(|column| column.name.as_str()))?;
        for row in &self.rows {
            writer.write_record(row.iter().map(plain))?;
        }
        writer.flush()?;
        Ok(())
    }
}

/// Prints a JSON value, indented.
pub fn print_json(mut out: impl Write, value: &Value) -> anyhow::Result<()> {
    writeln!(out, "{}", serde_json::to_string_pretty(value)?)?;
    Ok(())
}

/// Whether an output could not be written because nobody reads it any more.
pub fn is_closed_pipe(error: &anyhow::Error) -> bool {
    error.chain().any(|cause| {
        let of_csv = cause.downcast_ref::<csv::Error>().and_then(|fault| match fault.kind() {
            csv::ErrorKind::Io(fault) => Some(fault),
            _ => None,
        });
        cause.downcast_ref::<io::Error>().or(of_csv).is_some_and(|fault| fault.kind() == io::ErrorKind::BrokenPipe)
    })
}

/// An error with its causes, for a person; a refusal of a service is its slug and its sentence.
pub fn told(error: &anyhow::Error) -> String {
    let mut parts = Vec::new();
    for cause in error.chain() {
        match cause.downcast_ref::<tonic::Status>() {
            None => parts.push(cause.to_string()),
            Some(status) => {
                let slug = Some(host::refusal::reason_of(status)).filter(|slug| !slug.is_empty());
                parts.extend(slug.map(str::to_owned));
                parts.push(if status.message().is_empty() { status.code().to_string() } else { status.message().to_owned() });
                break;
            }
        }
    }
    parts.join(": ")
}

fn plain(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Null => String::new(),
        Value::Bool(_) | Value::Number(_) | Value::Array(_) | Value::Object(_) => value.to_string(),
    }
}

fn shown(column: &Column, value: &Value) -> String {
    match value.as_i64() {
        Some(minor) if column.is_money() => money(minor),
        Some(number) => grouped(&number.unsigned_abs().to_string(), number < 0),
        None => plain(value),
    }
}

/// Minor units as `1.234.567,89`.
pub fn money(minor: i64) -> String {
    let absolute = minor.unsigned_abs();
    format!("{},{:02}", grouped(&(absolute / 100).to_string(), minor < 0), absolute % 100)
}

fn grouped(digits: &str, negative: bool) -> String {
    let mut text = String::with_capacity(digits.len() + digits.len() / 3 + 1);
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push('.');
        }
        text.push(digit);
    }
    if negative { format!("-{text}") } else { text }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn money_reads_as_brazilians_write_it() {
        assert_eq!(money(123_456_789), "1.234.567,89");
        assert_eq!(money(-5), "-0,05");
    }

    #[test]
    fn a_refusal_is_told_by_its_slug_and_its_sentence() {
        let refused: tonic::Status = host::Refusal::not_found("invoice_id", "unknown_invoice", "is unknown").into();
        let error = anyhow::Error::from(refused).context("the statement");
        assert_eq!(told(&error), "the statement: unknown_invoice: invoice_id: is unknown");
        assert_eq!(told(&tonic::Status::unavailable("").into()), "The service is currently unavailable");
        assert_eq!(told(&anyhow::anyhow!("a").context("b")), "b: a");
    }

    #[test]
    fn rows_become_objects_for_programs() {
        let mut table = Table::new("t", &["day", "open_minor"]);
        table.row(vec!["2026-01-31".into(), 500.into()]);
        assert_eq!(table.to_json().to_string(), r#"[{"day":"2026-01-31","open_minor":500}]"#);
    }
}
