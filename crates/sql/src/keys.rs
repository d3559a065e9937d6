//! A table of keys inside a query: many lookups, one round trip, one prepared statement.

use std::borrow::Cow;

use sqlx::postgres::PgArguments;

use crate::{Column, Kind, SqlError, Value, postgres};

/// Rows that stand in the text of a query as `{keys}`, for instance
/// `SELECT e.* FROM {keys} k CROSS JOIN events e WHERE e.stream = k.stream`. The text is the same for any number of rows.
///
/// Written so, with one more table behind `CROSS JOIN`, its name in the text and an alias, a condition, and perhaps an `ORDER BY`, each key
/// is looked up by itself. PostgreSQL would else guess the size of a table that it has not analysed yet, read all of it for a handful of
/// keys, and keep that plan while the table grows.
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
        Ok((each(sql).replace("{keys}", &table), arguments))
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

/// The text in which the table behind `{keys} k CROSS JOIN` is looked into for each key; any other text as it is.
fn each(sql: &str) -> Cow<'_, str> {
    const JOIN: &str = "{keys} k CROSS JOIN ";
    let looked_up = || {
        let (before, joined) = sql.split_once(JOIN)?;
        let (named, rest) = joined.split_once(" WHERE ")?;
        let (condition, order) = rest.find(" ORDER BY ").map_or((rest, ""), |at| rest.split_at(at));
        let alias = named.rsplit(' ').next()?;
        // OFFSET keeps the planner from flattening it into a join again.
        Some(format!("{before}{JOIN}LATERAL (SELECT {alias}.* FROM {named} WHERE {condition} OFFSET 0) {alias}{order}"))
    };
    looked_up().map_or(Cow::Borrowed(sql), Cow::Owned)
}

fn cell(value: &Value) -> Result<serde_json::Value, SqlError> {
    match value {
        Value::Int(value) => Ok((*value).into()),
        Value::Text(value) => Ok(value.as_str().into()),
        other => Err(SqlError::Refused(format!("a key cannot be {:?}; only {:?} and {:?}", other.kind(), Kind::Int, Kind::Text))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_table_beside_the_keys_is_looked_into_for_each() {
        let told = "SELECT e.a FROM {keys} k CROSS JOIN events e WHERE e.stream = k.stream AND e.version > $1 ORDER BY e.position";
        let meant = "SELECT e.a FROM {keys} k CROSS JOIN LATERAL (SELECT e.* FROM events e WHERE e.stream = k.stream AND e.version > $1 \
                     OFFSET 0) e ORDER BY e.position";
        assert_eq!(each(told), meant);
        let alone = "DELETE FROM timers WHERE stream IN (SELECT k.stream FROM {keys} k)";
        assert_eq!(each(alone), alone);
    }
}
