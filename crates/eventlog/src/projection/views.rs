//! The query side: SQL over the tables that are live now.

use sql::{Keys, Row, Value};

use super::ProjectionError;
use super::registry::Projections;
use super::table::resolve;

/// Reads the live tables of a service's projections. Cheap to clone.
#[derive(Clone)]
pub struct Views {
    sets: Vec<Projections>,
}

impl Views {
    /// The tables of all given sets, which live in one database.
    pub fn of(sets: Vec<Projections>) -> Self {
        Self { sets }
    }

    /// Runs a query whose text names tables in braces: `SELECT .. FROM {receivable} WHERE tenant = $1`.
    ///
    /// # Errors
    /// [`ProjectionError::UnknownTable`], also while a table is being built for the first time; the database.
    pub async fn query(&self, sql: &str, args: &[Value]) -> Result<Vec<Row>, ProjectionError> {
        let sql = self.resolve(sql).await?;
        match self.sets.first() {
            Some(set) => Ok(set.db().query(&sql, args).await?),
            None => Ok(Vec::new()),
        }
    }

    /// Runs a query whose text also names `{keys}` (see [`Keys`]).
    ///
    /// # Errors
    /// As [`Views::query`].
    pub async fn query_keyed(&self, sql: &str, keys: Keys<'_>, args: &[Value]) -> Result<Vec<Row>, ProjectionError> {
        let sql = self.resolve(sql).await?;
        match self.sets.first() {
            Some(set) => Ok(set.db().query_keyed(&sql, keys, args).await?),
            None => Ok(Vec::new()),
        }
    }

    async fn resolve(&self, sql: &str) -> Result<String, ProjectionError> {
        let mut live = Vec::with_capacity(self.sets.len());
        for set in &self.sets {
            live.push(set.live_tables().await?);
        }
        let physical = |name: &str| live.iter().find_map(|tables| tables.get(name).cloned());
        resolve(sql, physical).map_err(ProjectionError::UnknownTable)
    }
}
