//! Many rows in few statements. They may be sent together with what follows, like [`Tx::defer`].

use std::collections::HashMap;
use std::num::NonZeroUsize;

use sqlx::postgres::PgArguments;

use crate::keys::{Keys, names};
use crate::sqlite::Statement;
use crate::tx::Bound;
use crate::{Column, Dialect, SqlError, Tx, Value, postgres};

/// Rows of one statement of SQLite. More save nothing: what there is to open, to look up and to plan is shared by sixteen already.
///
/// A statement of several rows that may fail at one of them is one that SQLite can undo by itself: it copies each page before it changes
/// it for the first time, a third of the time of an insert where rows come in no order. So rows go in `OR FAIL`: a row that fails leaves those
/// before it in the transaction, which cannot be committed any more ([`Tx`]).
const SQLITE_ROWS: NonZeroUsize = NonZeroUsize::MIN.saturating_add(15);

/// What to do with a row whose key is there already.
#[derive(Clone, Copy)]
enum Existing<'a> {
    Fail,
    Keep,
    Replace(&'a [&'a str]),
}

/// Rows of one table.
pub struct Rows<'a> {
    /// The table.
    pub table: &'a str,
    /// Its columns, in the order of the cells.
    pub columns: &'a [Column],
    /// The rows.
    pub rows: Vec<Vec<Value>>,
}

impl Tx {
    /// Inserts rows into several tables and then runs a statement, where there is one; it must not depend on them: on PostgreSQL all of
    /// it is one statement and one way to the server. Tables without rows are left out.
    ///
    /// # Errors
    /// As [`Tx::bulk_insert`], and any [`SqlError`] of the statement.
    pub async fn bulk_insert_all(&mut self, parts: Vec<Rows<'_>>, then: Option<(&str, &[Value])>) -> Result<(), SqlError> {
        let (text, args) = then.unwrap_or(("", &[]));
        if self.dialect() == Dialect::Sqlite {
            for part in parts {
                self.bulk_insert(part.table, part.columns, part.rows).await?;
            }
            return if text.is_empty() { Ok(()) } else { self.defer(text, args).await };
        }
        match at_once(parts, text, args)? {
            Some((text, arguments)) => self.put_off(Bound::Postgres(text.into(), arguments)).await,
            None => Ok(()),
        }
    }

    /// Inserts rows into several tables while the caller goes on: an error is that of a later call, [`Tx::flush`] and [`Tx::commit`] among
    /// them, and nothing is committed before all of it went well.
    ///
    /// # Errors
    /// Any [`SqlError`] of what went ahead before, or of a row that does not fit its columns.
    pub async fn insert_ahead(&mut self, parts: Vec<Rows<'_>>) -> Result<(), SqlError> {
        if self.dialect() == Dialect::Sqlite {
            for part in parts {
                self.bulk_insert(part.table, part.columns, part.rows).await?;
            }
            return self.send_ahead().await;
        }
        match at_once(parts, "", &[])? {
            Some((text, arguments)) => self.go_ahead(text, arguments).await,
            None => Ok(()),
        }
    }

    /// Inserts rows; cells in the order of `columns`.
    ///
    /// # Errors
    /// [`SqlError::Unique`] when a key is there already; [`SqlError::Refused`] when a cell does not fit its column.
    pub async fn bulk_insert(&mut self, table: &str, columns: &[Column], rows: Vec<Vec<Value>>) -> Result<(), SqlError> {
        self.bulk(table, columns, Existing::Fail, rows).await
    }

    /// Inserts the rows whose key is not there yet; the others stay as they are.
    ///
    /// # Errors
    /// [`SqlError::Refused`] when a cell does not fit its column.
    pub async fn bulk_insert_missing(&mut self, table: &str, columns: &[Column], rows: Vec<Vec<Value>>) -> Result<(), SqlError> {
        self.bulk(table, columns, Existing::Keep, rows).await
    }

    /// Inserts rows, or replaces all other columns of the rows that have the same key. Of two given rows with one key the later
    /// wins. `key` must be the only unique key of the table: on SQLite the earlier of the two is written too.
    ///
    /// # Errors
    /// [`SqlError::Refused`] when a cell does not fit its column, or a key column is not in `columns`.
    pub async fn bulk_upsert(&mut self, table: &str, columns: &[Column], key: &[&str], rows: Vec<Vec<Value>>) -> Result<(), SqlError> {
        let places = places(columns, key)?;
        let rows = match self.dialect() {
            // It takes them one after the other.
            Dialect::Sqlite => rows,
            Dialect::Postgres => last_of_each_key(&places, rows),
        };
        self.bulk(table, columns, Existing::Replace(key), rows).await
    }

    /// Deletes the rows that have one of the given keys and are as the condition wants them, where there is one: a text about the columns of
    /// the table, none of which may be among those of the keys, and its arguments. May be sent with what follows, like [`Tx::defer`].
    /// Nobody else may update such a row meanwhile: on PostgreSQL it would stay. One that somebody else deletes is gone.
    ///
    /// # Errors
    /// Any [`SqlError`].
    pub async fn bulk_delete(&mut self, table: &str, keys: Keys<'_>, condition: Option<(&str, &[Value])>) -> Result<(), SqlError> {
        if keys.rows.is_empty() {
            return Ok(());
        }
        let (condition, args) = condition.unzip();
        let text = keys.deletion(self.dialect(), table, condition);
        let statement = Bound::keyed(self, &text, keys, args.unwrap_or_default())?;
        self.put_off(statement).await
    }

    async fn bulk(&mut self, table: &str, columns: &[Column], existing: Existing<'_>, rows: Vec<Vec<Value>>) -> Result<(), SqlError> {
        check(table, columns, &rows)?;
        if rows.is_empty() {
            return Ok(());
        }
        match self.dialect() {
            Dialect::Sqlite => {
                for statement in sqlite_statements(table, columns, existing, rows) {
                    self.put_off(Bound::Sqlite(statement)).await?;
                }
                Ok(())
            }
            Dialect::Postgres => {
                let text = unnest_statement(table, columns, 0, &conflict_clause(columns, existing));
                let mut arguments = PgArguments::default();
                postgres::arrays(columns, rows, &mut arguments)?;
                self.put_off(Bound::Postgres(text.into(), arguments)).await
            }
        }
    }
}

/// Inserts into several tables and a statement after them as one statement of PostgreSQL; None where there is nothing to do.
fn at_once(parts: Vec<Rows<'_>>, text: &str, args: &[Value]) -> Result<Option<(String, PgArguments)>, SqlError> {
    // The statement's own arguments keep their numbers.
    let (mut inserts, mut arguments) = (Vec::new(), postgres::arguments(args.iter().cloned())?);
    let mut first = args.len();
    for (number, part) in parts.into_iter().filter(|part| !part.rows.is_empty()).enumerate() {
        check(part.table, part.columns, &part.rows)?;
        inserts.push((number, unnest_statement(part.table, part.columns, first, "")));
        first += part.columns.len();
        postgres::arrays(part.columns, part.rows, &mut arguments)?;
    }
    // Without a statement of the caller the last of the inserts is the one that all others go with.
    let last = if text.is_empty() { inserts.pop().map(|(_, insert)| insert) } else { Some(text.to_owned()) };
    let Some(last) = last else { return Ok(None) };
    let before: Vec<String> = inserts.into_iter().map(|(number, insert)| format!("w{number} AS ({insert})")).collect();
    let text = if before.is_empty() { last } else { format!("WITH {} {last}", before.join(", ")) };
    Ok(Some((text, arguments)))
}

/// SQLite takes rows in groups of [`SQLITE_ROWS`], and what is left one by one: two texts for each table and way to write it, whatever comes.
fn sqlite_statements(
    table: &str,
    columns: &[Column],
    existing: Existing<'_>,
    mut rows: Vec<Vec<Value>>,
) -> impl Iterator<Item = Statement> {
    let group = match existing {
        Existing::Fail | Existing::Keep => SQLITE_ROWS,
        // It may fail where it replaces, and there no word helps.
        Existing::Replace(_) => NonZeroUsize::MIN,
    };
    let left = rows.split_off(rows.len() / group * group.get());
    let tail = conflict_clause(columns, existing);
    let row = format!("({})", vec!["?"; columns.len()].join(", "));
    let statement = |rows: Vec<Vec<Value>>, group: NonZeroUsize| {
        (!rows.is_empty()).then(|| {
            let values = vec![row.as_str(); group.get()].join(", ");
            let text = format!("INSERT OR FAIL INTO {table} ({}) VALUES {values}{tail}", names(columns));
            Statement::rows(text, rows, group)
        })
    };
    [statement(rows, group), statement(left, NonZeroUsize::MIN)].into_iter().flatten()
}

/// `before` arguments come first.
fn unnest_statement(table: &str, columns: &[Column], before: usize, tail: &str) -> String {
    let arrays: Vec<String> = columns
        .iter()
        .enumerate()
        .map(|(i, column)| format!("${}::{}[]", before + i + 1, column.kind.sql_type(Dialect::Postgres)))
        .collect();
    format!("INSERT INTO {table} ({}) SELECT * FROM UNNEST({}){tail}", names(columns), arrays.join(", "))
}

fn conflict_clause(columns: &[Column], existing: Existing<'_>) -> String {
    match existing {
        Existing::Fail => String::new(),
        Existing::Keep => " ON CONFLICT DO NOTHING".into(),
        Existing::Replace(key) => {
            let rest: Vec<String> = columns
                .iter()
                .filter(|column| !key.contains(&column.name))
                .map(|column| format!("{0} = excluded.{0}", column.name))
                .collect();
            let action = if rest.is_empty() { "NOTHING".to_string() } else { format!("UPDATE SET {}", rest.join(", ")) };
            format!(" ON CONFLICT ({}) DO {action}", key.join(", "))
        }
    }
}

fn check(table: &str, columns: &[Column], rows: &[Vec<Value>]) -> Result<(), SqlError> {
    for row in rows {
        if row.len() != columns.len() {
            return Err(SqlError::Refused(format!("{table}: {} cells for {} columns", row.len(), columns.len())));
        }
        for (column, value) in columns.iter().zip(row) {
            if value.kind() != column.kind {
                return Err(SqlError::Refused(format!("{table}.{}: {:?} given, {:?} declared", column.name, value.kind(), column.kind)));
            }
        }
    }
    Ok(())
}

/// Where the columns of a key are.
fn places(columns: &[Column], key: &[&str]) -> Result<Vec<usize>, SqlError> {
    let place = |name: &&str| columns.iter().position(|column| column.name == *name);
    key.iter().map(|name| place(name).ok_or_else(|| SqlError::Refused(format!("key column {name} is not among the columns")))).collect()
}

/// PostgreSQL refuses to touch a row twice in one statement: the earlier row is dropped.
fn last_of_each_key(places: &[usize], rows: Vec<Vec<Value>>) -> Vec<Vec<Value>> {
    let mut latest: HashMap<Vec<&Value>, usize> = HashMap::with_capacity(rows.len());
    for (index, row) in rows.iter().enumerate() {
        latest.insert(places.iter().filter_map(|place| row.get(*place)).collect(), index);
    }
    let mut kept: Vec<usize> = latest.into_values().collect();
    if kept.len() == rows.len() {
        return rows;
    }
    kept.sort_unstable();
    let mut rows: Vec<Option<Vec<Value>>> = rows.into_iter().map(Some).collect();
    kept.into_iter().filter_map(|index| rows[index].take()).collect()
}
