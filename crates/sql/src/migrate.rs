//! Schema changes that run once.

use crate::{Column, Db, Dialect, Kind, Row, SqlError, Value};

/// One change of a schema. Several sets (log, service, projections) share a database, so a migration is known by its name.
#[derive(Debug, Clone, Copy)]
pub struct Migration {
    /// Order within its set.
    pub version: i64,
    /// Unique in the database and never changed, like `eventlog_0001_events`.
    pub name: &'static str,
    /// Statements for SQLite, separated by `;`.
    pub sqlite: &'static str,
    /// Statements for PostgreSQL, separated by `;`.
    pub postgres: &'static str,
}

const DONE: &str = "SELECT name FROM schema_migrations";
const COLUMNS: &[Column] = &[Column::new("name", Kind::Text), Column::new("version", Kind::Int)];

/// PostgreSQL orders text as the database's language does, unless it is told otherwise: each comparison in an index costs more, SQLite has another
/// order, and an index in the order of a language is damaged by a system library that knows it better (manual, ALTER COLLATION, notes). So text of
/// new columns is in the order of its bytes. Those that are there, so many of each table, stay as they are: a connection that has read one before
/// would refuse to do it again.
fn in_byte_order(there: &[(i64, i64)]) -> String {
    let there: String = there.iter().map(|(table, columns)| format!(", ({table}, {columns})")).collect();
    format!(
        r#"
DO $$
DECLARE made RECORD;
BEGIN
    FOR made IN
        SELECT a.attrelid::regclass AS place, string_agg(format('ALTER COLUMN %I TYPE TEXT COLLATE "C"', a.attname), ', ') AS columns
        FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid LEFT JOIN (VALUES (0, 0){there}) k (number, columns) ON k.number = c.oid::BIGINT
        WHERE c.relnamespace = current_schema()::regnamespace AND c.relkind = 'r' AND a.attnum > COALESCE(k.columns, 0)
            AND NOT a.attisdropped AND a.atttypid = 'text'::regtype AND a.attcollation <> 'pg_catalog."C"'::regcollation
        GROUP BY a.attrelid
    LOOP
        EXECUTE format('ALTER TABLE %s %s', made.place, made.columns);
    END LOOP;
END $$
"#
    )
}

/// The tables of the schema, by the server's number for them, and how many columns each has had.
const TABLES: &str = "SELECT c.oid::BIGINT AS number, c.relnatts::BIGINT AS columns FROM pg_class c \
                      WHERE c.relnamespace = current_schema()::regnamespace AND c.relkind = 'r'";

impl Db {
    /// Runs the migrations that have not run yet, in the order of their versions, all in one transaction. Safe when several
    /// processes start at once: one runs them, the others wait and find them done. Text of the columns that they make is in the order of its bytes.
    ///
    /// # Errors
    /// Any [`SqlError`]; then none of them is applied.
    pub async fn migrate(&self, migrations: &[Migration]) -> Result<(), SqlError> {
        let mut ordered: Vec<&Migration> = migrations.iter().collect();
        ordered.sort_by_key(|migration| migration.version);
        // Mostly all of them are done: then nobody waits for a writer. A table that is not there yet is no news.
        if let Ok(rows) = self.query(DONE, &[]).await {
            let done = names(&rows)?;
            ordered.retain(|migration| !done.iter().any(|name| name == migration.name));
        }
        if ordered.is_empty() {
            return Ok(());
        }
        let mut tx = self.begin().await?;
        // An index over a large table, and a wait for the process that builds it, take as long as they take.
        tx.unhurried().await?;
        if self.dialect() == Dialect::Postgres {
            // Two transactions cannot both hold this; the hash makes it one lock per schema.
            tx.execute("SELECT pg_advisory_xact_lock(hashtext('regua:' || current_schema()))", &[]).await?;
        }
        let there = match self.dialect() {
            Dialect::Sqlite => Vec::new(),
            Dialect::Postgres => {
                let rows = tx.query(TABLES, &[]).await?;
                rows.iter().map(|row| Ok((row.int("number")?, row.int("columns")?))).collect::<Result<_, SqlError>>()?
            }
        };
        // In its order from the start: its names are read before the end, and again by the next set.
        let columns = COLUMNS.iter().map(|column| column.definition(self.dialect())).collect::<Vec<_>>().join(", ");
        tx.execute(&format!("CREATE TABLE IF NOT EXISTS schema_migrations ({columns}, PRIMARY KEY (name))"), &[]).await?;
        let mut done = names(&tx.query(DONE, &[]).await?)?;
        for migration in ordered {
            if done.iter().any(|name| name == migration.name) {
                continue;
            }
            let script = match self.dialect() {
                Dialect::Sqlite => migration.sqlite,
                Dialect::Postgres => migration.postgres,
            };
            tx.execute_script(script).await?;
            let row = vec![Value::from(migration.name), Value::from(migration.version)];
            tx.bulk_insert("schema_migrations", COLUMNS, vec![row]).await?;
            done.push(migration.name.to_string());
        }
        if self.dialect() == Dialect::Postgres {
            tx.execute_script(&in_byte_order(&there)).await?;
        }
        tx.commit().await
    }
}

fn names(rows: &[Row]) -> Result<Vec<String>, SqlError> {
    rows.iter().map(|row| row.text("name")).collect()
}
