//! Rows of SQLite: values as they are stored, and the names of their columns.

use std::sync::Arc;

use rusqlite::types::Value as Cell;

use crate::SqlError;

/// One row. Rows of one result share the names.
pub(crate) struct SqliteRow {
    pub(super) names: Arc<[String]>,
    pub(super) cells: Vec<Cell>,
}

impl SqliteRow {
    fn cell(&self, column: &str) -> Result<&Cell, SqlError> {
        let place = self.names.iter().position(|name| name == column);
        let cell = place.and_then(|place| self.cells.get(place));
        cell.ok_or_else(|| SqlError::Column { name: column.into(), reason: "not in the result".into() })
    }

    pub(crate) fn int(&self, column: &str) -> Result<Option<i64>, SqlError> {
        match self.cell(column)? {
            Cell::Null => Ok(None),
            Cell::Integer(value) => Ok(Some(*value)),
            other => Err(of_another_type(column, other, "an integer")),
        }
    }

    pub(crate) fn text(&self, column: &str) -> Result<Option<&str>, SqlError> {
        match self.cell(column)? {
            Cell::Null => Ok(None),
            Cell::Text(text) => Ok(Some(text)),
            other => Err(of_another_type(column, other, "a text")),
        }
    }

    pub(crate) fn bytes(&self, column: &str) -> Result<Option<&[u8]>, SqlError> {
        match self.cell(column)? {
            Cell::Null => Ok(None),
            Cell::Blob(bytes) => Ok(Some(bytes)),
            other => Err(of_another_type(column, other, "bytes")),
        }
    }
}

fn of_another_type(column: &str, found: &Cell, wanted: &str) -> SqlError {
    SqlError::Column { name: column.into(), reason: format!("{} and not {wanted}", found.data_type()) }
}
