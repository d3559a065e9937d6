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

impl Db {
    /// Runs the migrations that have not run yet, in the order of their versions, all in one transaction. Safe when several
    /// processes start at once: one runs them, the others wait and find them done.
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
        tx.execute("CREATE TABLE IF NOT EXISTS schema_migrations (name TEXT NOT NULL PRIMARY KEY, version BIGINT NOT NULL)", &[]).await?;
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
        tx.commit().await
    }
}

fn names(rows: &[Row]) -> Result<Vec<String>, SqlError> {
    rows.iter().map(|row| row.text("name")).collect()
}
