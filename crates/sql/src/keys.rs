//! A table of keys inside a query: many lookups, one round trip, one prepared statement.

use sqlx::postgres::PgArguments;

use crate::{Column, Kind, SqlError, Value, postgres};

/// Rows that stand in the text of a query as `{keys}`, for instance
/// `SELECT e.* FROM {keys} k CROSS JOIN events e WHERE e.stream = k.stream`. The text is the same for any number of rows.
///
/// Only `Int` and `Text` columns, none of them NULL. The arguments of the query itself keep their numbers `$1..`.
pub struct Keys<'a> {
    /// Names and kinds, in the order of the cells.
    pub columns: &'a [Column],
    /// One entry a row.
    pub rows: Vec<Vec<Value>>,
}

impl Keys<'_> {
    pub(crate) fn for_sqlite(self, sql: &str, args: &[Value]) -> Result<(String, Vec<Value>), SqlError> {
        let json = self.json()?;
        let cells: Vec<String> = self.columns.iter().enumerate().map(|(i, c)| format!("value ->> {i} AS {}", c.name)).collect();
        let table = format!("(SELECT {} FROM json_each(${}))", cells.join(", "), args.len() + 1);
        let values = args.iter().cloned().chain([Value::Text(json)]).collect();
        Ok((sql.replace("{keys}", &table), values))
    }

    pub(crate) fn for_postgres(self, sql: &str, args: &[Value]) -> Result<(String, PgArguments), SqlError> {
        let first = args.len() + 1;
        let arrays: Vec<String> = self
            .columns
            .iter()
            .enumerate()
            .map(|(i, c)| format!("${}::{}[]", first + i, c.kind.sql_type(crate::Dialect::Postgres)))
            .collect();
        let names: Vec<&str> = self.columns.iter().map(|column| column.name).collect();
        // The parentheses make it a table that the caller may name, as on SQLite.
        let table = format!("(SELECT * FROM UNNEST({}) AS u({}))", arrays.join(", "), names.join(", "));
        let mut arguments = postgres::arguments(args.iter().cloned())?;
        postgres::arrays(self.columns, self.rows, &mut arguments)?;
        Ok((sql.replace("{keys}", &table), arguments))
    }

    fn json(&self) -> Result<String, SqlError> {
        let mut rows = Vec::with_capacity(self.rows.len());
        for row in &self.rows {
            let cells: Result<Vec<_>, _> = row.iter().map(cell).collect();
            rows.push(serde_json::Value::Array(cells?));
        }
        Ok(serde_json::Value::Array(rows).to_string())
    }
}

fn cell(value: &Value) -> Result<serde_json::Value, SqlError> {
    match value {
        Value::Int(value) => Ok((*value).into()),
        Value::Text(value) => Ok(value.as_str().into()),
        other => Err(SqlError::Refused(format!("a key cannot be {:?}; only {:?} and {:?}", other.kind(), Kind::Int, Kind::Text))),
    }
}
