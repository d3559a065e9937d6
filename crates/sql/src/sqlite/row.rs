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
    /// What its columns are called.
    pub(crate) fn names(&self) -> &[String] {
        &self.names
    }

    /// A cell by its place; the name is for who asks for something else than is there.
    fn cell(&self, (place, column): (usize, &str)) -> Result<&Cell, SqlError> {
        self.cells.get(place).ok_or_else(|| not_there(column))
    }

    pub(crate) fn int(&self, at: (usize, &str)) -> Result<Option<i64>, SqlError> {
        match self.cell(at)? {
            Cell::Null => Ok(None),
            Cell::Integer(value) => Ok(Some(*value)),
            other => Err(of_another_type(at.1, other, "an integer")),
        }
    }

    pub(crate) fn text(&self, at: (usize, &str)) -> Result<Option<&str>, SqlError> {
        match self.cell(at)? {
            Cell::Null => Ok(None),
            Cell::Text(text) => Ok(Some(text)),
            other => Err(of_another_type(at.1, other, "a text")),
        }
    }

    fn cell_mut(&mut self, (place, column): (usize, &str)) -> Result<&mut Cell, SqlError> {
        self.cells.get_mut(place).ok_or_else(|| not_there(column))
    }

    /// Leaves a number: who asks for the text once more is refused, and reads no empty one.
    pub(crate) fn take_text(&mut self, at: (usize, &str)) -> Result<Option<String>, SqlError> {
        let cell = self.cell_mut(at)?;
        match cell {
            Cell::Null => Ok(None),
            Cell::Text(text) => {
                let taken = std::mem::take(text);
                *cell = Cell::Integer(0);
                Ok(Some(taken))
            }
            other => Err(of_another_type(at.1, other, "a text")),
        }
    }

    /// Leaves a number, as a text does.
    pub(crate) fn take_bytes(&mut self, at: (usize, &str)) -> Result<Option<Vec<u8>>, SqlError> {
        let cell = self.cell_mut(at)?;
        match cell {
            Cell::Null => Ok(None),
            Cell::Blob(bytes) => {
                let taken = std::mem::take(bytes);
                *cell = Cell::Integer(0);
                Ok(Some(taken))
            }
            other => Err(of_another_type(at.1, other, "bytes")),
        }
    }

    pub(crate) fn bytes(&self, at: (usize, &str)) -> Result<Option<&[u8]>, SqlError> {
        match self.cell(at)? {
            Cell::Null => Ok(None),
            Cell::Blob(bytes) => Ok(Some(bytes)),
            other => Err(of_another_type(at.1, other, "bytes")),
        }
    }
}

fn not_there(column: &str) -> SqlError {
    SqlError::Column { name: column.into(), reason: "not in the row".into() }
}

fn of_another_type(column: &str, found: &Cell, wanted: &str) -> SqlError {
    SqlError::Column { name: column.into(), reason: format!("{} and not {wanted}", found.data_type()) }
}
