//! A table of keys inside a query: many lookups, one round trip, one prepared statement.

use std::borrow::Cow;

use sqlx::postgres::PgArguments;

use crate::{Column, Dialect, Kind, SqlError, Value, postgres};

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
        let cells: Vec<String> = match self.columns {
            [only] => vec![format!("value AS {}", only.name)],
            columns => columns.iter().enumerate().map(|(i, c)| format!("value ->> {i} AS {}", c.name)).collect(),
        };
        let table = format!("(SELECT {} FROM json_each(${}))", cells.join(", "), args.len() + 1);
        let values = args.iter().cloned().chain([Value::Text(json)]).collect();
        Ok((sql.replace("{keys}", &table), values))
    }

    pub(crate) fn for_postgres(self, sql: &str, args: &[Value]) -> Result<(String, PgArguments), SqlError> {
        let first = args.len() + 1;
        let arrays: Vec<String> =
            self.columns.iter().enumerate().map(|(i, c)| format!("${}::{}[]", first + i, c.kind.sql_type(Dialect::Postgres))).collect();
        let names = names(self.columns);
        // The parentheses make it a table that the caller may name, as on SQLite.
        let table = format!("(SELECT * FROM UNNEST({}) AS u({names}))", arrays.join(", "));
        let mut arguments = postgres::arguments(args.iter().cloned())?;
        postgres::arrays(self.columns, self.rows, &mut arguments)?;
        Ok((each(sql).replace("{keys}", &table), arguments))
    }

    /// The text that deletes the rows of `table` that have one of these keys and are as `condition` wants them, where there is one.
    ///
    /// PostgreSQL is told where the rows lie: a join would be planned by its guess of the table's size, as for what is read (above).
    pub(crate) fn deletion(&self, dialect: Dialect, table: &str, condition: Option<&str>) -> String {
        let (condition, names) = (condition.unwrap_or("1 = 1"), names(self.columns));
        let has_key: Vec<String> = self.columns.iter().map(|column| format!("r.{0} = k.{0}", column.name)).collect();
        match dialect {
            Dialect::Sqlite => format!("DELETE FROM {table} WHERE ({names}) IN (SELECT * FROM {{keys}} k) AND ({condition})"),
            // Named with AS, so that it is not taken for a text that is yet to be written so ([`each`]).
            Dialect::Postgres => format!(
                "DELETE FROM {table} WHERE ctid = ANY (ARRAY(SELECT d.ctid FROM {{keys}} AS k CROSS JOIN LATERAL \
                 (SELECT r.ctid, r.* FROM {table} r WHERE {} OFFSET 0) d WHERE ({condition})))",
                has_key.join(" AND ")
            ),
        }
    }

    /// An array with an entry for each row: the value where there is one column, else an array of them.
    fn json(&self) -> Result<String, SqlError> {
        let mut json = Vec::new();
        array(&mut json, &self.rows, |json, row| match row.as_slice() {
            [only] if self.columns.len() == 1 => cell(json, only),
            row => array(json, row, cell),
        })?;
        String::from_utf8(json).map_err(|error| SqlError::Refused(error.to_string()))
    }
}

pub(crate) fn names(columns: &[Column]) -> String {
    columns.iter().map(|column| column.name).collect::<Vec<_>>().join(", ")
}

fn array<T>(json: &mut Vec<u8>, items: &[T], write: impl Fn(&mut Vec<u8>, &T) -> Result<(), SqlError>) -> Result<(), SqlError> {
    json.push(b'[');
    for (place, item) in items.iter().enumerate() {
        if place > 0 {
            json.push(b',');
        }
        write(json, item)?;
    }
    json.push(b']');
    Ok(())
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

fn cell(json: &mut Vec<u8>, value: &Value) -> Result<(), SqlError> {
    let written = match value {
        Value::Int(value) => serde_json::to_writer(json, value),
        Value::Text(value) => serde_json::to_writer(json, value),
        other => {
            return Err(SqlError::Refused(format!("a key cannot be {:?}; only {:?} and {:?}", other.kind(), Kind::Int, Kind::Text)));
        }
    };
    written.map_err(|error| SqlError::Refused(error.to_string()))
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
        let alone = "SELECT t.stream FROM timers t WHERE t.stream NOT IN (SELECT k.stream FROM {keys} k)";
        assert_eq!(each(alone), alone);
    }

    #[test]
    fn a_deletion_stays_within_its_keys_whatever_its_condition_says() {
        let keys =
            Keys { columns: &[Column::new("a", Kind::Int), Column::new("b", Kind::Text)], rows: vec![vec![Value::Int(1), "x".into()]] };
        let of = |dialect| keys.deletion(dialect, "t", Some("c > $1 OR d"));
        assert_eq!(of(Dialect::Sqlite), "DELETE FROM t WHERE (a, b) IN (SELECT * FROM {keys} k) AND (c > $1 OR d)");
        let meant = "DELETE FROM t WHERE ctid = ANY (ARRAY(SELECT d.ctid FROM {keys} AS k CROSS JOIN LATERAL \
                     (SELECT r.ctid, r.* FROM t r WHERE r.a = k.a AND r.b = k.b OFFSET 0) d WHERE (c > $1 OR d)))";
        assert_eq!(of(Dialect::Postgres), meant);
        assert_eq!(each(meant), meant);
    }

    #[test]
    fn keys_of_one_column_are_values_and_others_rows() {
        let (one, two) = (Column::new("stream", Kind::Text), [Column::new("stream", Kind::Text), Column::new("after", Kind::Int)]);
        let odd = "a \"b\"\n\u{e9}";
        let rows = vec![vec![odd.into()], vec!["c".into()]];
        let (text, values) = Keys { columns: &[one], rows }.for_sqlite("SELECT k.stream FROM {keys} k", &[Value::Int(7)]).unwrap();
        assert_eq!(text, "SELECT k.stream FROM (SELECT value AS stream FROM json_each($2)) k");
        assert_eq!(values, [Value::Int(7), Value::Text(serde_json::json!([odd, "c"]).to_string())]);
        let rows = vec![vec![odd.into(), Value::Int(-1)], vec!["c".into(), Value::Int(2)]];
        let (text, values) = Keys { columns: &two, rows }.for_sqlite("SELECT 1 FROM {keys} k", &[]).unwrap();
        assert_eq!(text, "SELECT 1 FROM (SELECT value ->> 0 AS stream, value ->> 1 AS after FROM json_each($1)) k");
        assert_eq!(values, [Value::Text(serde_json::json!([[odd, -1], ["c", 2]]).to_string())]);
        assert!(matches!(Keys { columns: &two, rows: vec![vec![Value::Bool(true)]] }.for_sqlite("", &[]), Err(SqlError::Refused(_))));
    }
}
