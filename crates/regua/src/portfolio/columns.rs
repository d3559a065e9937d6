//! Whose names the columns have: a small TOML file maps other people's to ours.

use anyhow::{Context, bail};
use std::collections::BTreeMap;
use toml::{Table, Value};

/// Our own column names.
pub const OWN: [&str; 14] = [
    "customer_id",
    "customer_name",
    "tax_id",
    "email",
    "phone",
    "state",
    "municipality",
    "invoice_id",
    "issued_on",
    "due_on",
    "amount",
    "currency",
    "paid_on",
    "paid_amount",
];
/// The ones that a file must have.
pub const NEEDED: [&str; 5] = ["customer_id", "invoice_id", "issued_on", "due_on", "amount"];

/// How to read a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Columns {
    /// As of chrono's strftime.
    pub date_format: String,
    /// `.` or `,`.
    pub decimal: char,
    /// Our name → the file's name.
    pub names: BTreeMap<String, String>,
    /// Our name → a constant or a pattern with `{customer_id}` and the like.
    pub patterns: BTreeMap<String, String>,
}

impl Default for Columns {
    fn default() -> Self {
        Self { date_format: "%Y-%m-%d".into(), decimal: '.', names: BTreeMap::new(), patterns: BTreeMap::new() }
    }
}

impl Columns {
    /// From the text of a columns file. Errors: an unknown key or a value of the wrong kind, by name.
    pub fn parse(text: &str) -> anyhow::Result<Self> {
        let table: Table = text.parse().context("the columns file is no TOML")?;
        let mut columns = Self::default();
        for (key, value) in table {
            match (key.as_str(), value) {
                ("date_format", Value::String(format)) => columns.date_format = checked_format(format)?,
                ("decimal", Value::String(mark)) => columns.decimal = decimal(&mark)?,
                ("columns", Value::Table(names)) => columns.names = names_of(names)?,
                (own, Value::String(pattern)) if OWN.contains(&own) => {
                    columns.patterns.insert(own.to_owned(), pattern);
                }
                (key, _) => bail!("columns file: `{key}` is unknown or of the wrong kind"),
            }
        }
        Ok(columns)
    }

    /// The file's name of one of our columns.
    pub fn name<'a>(&'a self, own: &'a str) -> &'a str {
        self.names.get(own).map_or(own, String::as_str)
    }
}

fn checked_format(format: String) -> anyhow::Result<String> {
    let faulty = chrono::format::StrftimeItems::new(&format).any(|item| matches!(item, chrono::format::Item::Error));
    if faulty { bail!("columns file: date_format `{format}` is no date format") } else { Ok(format) }
}

fn decimal(mark: &str) -> anyhow::Result<char> {
    match mark {
        "." => Ok('.'),
        "," => Ok(','),
        other => bail!("columns file: decimal is `{other}`, should be `.` or `,`"),
    }
}

fn names_of(names: Table) -> anyhow::Result<BTreeMap<String, String>> {
    let one = |(own, name): (String, Value)| match name {
        Value::String(name) if OWN.contains(&own.as_str()) => Ok((own, name)),
        Value::String(_) => bail!("columns file: columns.{own} is no column of ours"),
        _ => bail!("columns file: columns.{own} should be a text"),
    };
    names.into_iter().map(one).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_columns_file_maps_names_and_gives_constants() {
        let columns = Columns::parse("date_format = \"%m/%d/%Y\"\ncurrency = \"USD\"\n[columns]\ncustomer_id = \"customerID\"\n").unwrap();
        assert_eq!(columns.name("customer_id"), "customerID");
        assert_eq!(columns.name("amount"), "amount");
        assert_eq!(columns.patterns["currency"], "USD");
    }

    #[test]
    fn faults_of_a_columns_file_are_named() {
        for (text, part) in [
            ("datum = \"x\"", "`datum`"),
            ("decimal = \";\"", "decimal"),
            ("date_format = \"%Q\"", "date_format"),
            ("[columns]\nfoo = \"x\"", "columns.foo"),
        ] {
            assert!(Columns::parse(text).unwrap_err().to_string().contains(part), "{text}");
        }
    }
}
