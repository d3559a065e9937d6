//! What a projection may do with its tables while it applies a page.

use sql::{Keys, Row, Tx, Value};

use super::table::{TableDef, resolve};
use super::{Projection, ProjectionError};

/// The tables of one build of one projection, inside a transaction.
pub struct View<'a> {
    tx: &'a mut Tx,
    tables: &'static [TableDef],
    suffix: &'a str,
}

impl<'a> View<'a> {
    pub(crate) fn new(tx: &'a mut Tx, projection: &dyn Projection, suffix: &'a str) -> Self {
        Self { tx, tables: projection.tables(), suffix }
    }

    /// Inserts rows or replaces those of the same key. Cells in the declared order of all columns; of two rows with one key the later
    /// wins.
    ///
    /// # Errors
    /// [`ProjectionError::UnknownTable`]; the database.
    pub async fn upsert(&mut self, table: &str, rows: Vec<Vec<Value>>) -> Result<(), ProjectionError> {
        let table = self.table(table)?;
        self.tx.bulk_upsert(&table.physical(self.suffix), table.columns, table.key, rows).await?;
        Ok(())
    }

    /// Inserts the rows whose key is not there yet; the others stay as they are.
    ///
    /// # Errors
    /// [`ProjectionError::UnknownTable`]; the database.
    pub async fn insert_missing(&mut self, table: &str, rows: Vec<Vec<Value>>) -> Result<(), ProjectionError> {
        let table = self.table(table)?;
        self.tx.bulk_insert_missing(&table.physical(self.suffix), table.columns, rows).await?;
        Ok(())
    }

    /// Deletes the rows that have one of the keys, whose columns are some of the table's. For tables whose rows are inserted and deleted only
    /// ([`Tx::bulk_delete`]).
    ///
    /// # Errors
    /// [`ProjectionError::UnknownTable`]; the database.
    pub async fn delete(&mut self, table: &str, keys: Keys<'_>) -> Result<(), ProjectionError> {
        let table = self.table(table)?;
        self.tx.bulk_delete(&table.physical(self.suffix), keys, None).await?;
        Ok(())
    }

    /// Reads; `{receivable}` in the text is the table of this build.
    ///
    /// # Errors
    /// [`ProjectionError::UnknownTable`]; the database.
    pub async fn query(&mut self, sql: &str, args: &[Value]) -> Result<Vec<Row>, ProjectionError> {
        let sql = self.resolve(sql)?;
        Ok(self.tx.query(&sql, args).await?)
    }

    /// Reads with a table of keys, `{keys}` in the text (see [`Keys`]).
    ///
    /// # Errors
    /// [`ProjectionError::UnknownTable`]; the database.
    pub async fn query_keyed(&mut self, sql: &str, keys: Keys<'_>, args: &[Value]) -> Result<Vec<Row>, ProjectionError> {
        let sql = self.resolve(sql)?;
        Ok(self.tx.query_keyed(&sql, keys, args).await?)
    }

    /// Changes rows; returns how many.
    ///
    /// # Errors
    /// [`ProjectionError::UnknownTable`]; the database.
    pub async fn execute(&mut self, sql: &str, args: &[Value]) -> Result<u64, ProjectionError> {
        let sql = self.resolve(sql)?;
        Ok(self.tx.execute(&sql, args).await?)
    }

    fn table(&self, name: &str) -> Result<&'static TableDef, ProjectionError> {
        self.tables.iter().find(|table| table.name == name).ok_or_else(|| ProjectionError::UnknownTable(name.to_string()))
    }

    fn resolve(&self, sql: &str) -> Result<String, ProjectionError> {
        let physical = |name: &str| self.tables.iter().find(|table| table.name == name).map(|table| table.physical(self.suffix));
        resolve(sql, physical).map_err(ProjectionError::UnknownTable)
    }
}
