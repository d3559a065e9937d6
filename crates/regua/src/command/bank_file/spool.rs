//! Rows that wait on disk until it is sure that they may be shown.

use serde_json::Value;
use std::{
    fs::File,
    io::{self, BufRead, BufReader, BufWriter, Seek, Write},
};

/// JSON values, one a line, in a file without a name.
pub struct Spool {
    out: BufWriter<File>,
    /// The first failed write; rows come from a callback that cannot fail.
    failed: Option<io::Error>,
}

impl Spool {
    /// Empty. Errors: no temporary file can be made.
    pub fn new() -> io::Result<Self> {
        Ok(Self { out: BufWriter::new(tempfile::tempfile()?), failed: None })
    }

    /// Adds a row; a failure is told by [`Spool::rows`].
    pub fn push(&mut self, row: &Value) {
        if self.failed.is_none() {
            self.failed = writeln!(self.out, "{row}").err();
        }
    }

    /// All rows in order, as JSON text. Errors: they could not all be written.
    pub fn rows(self) -> io::Result<impl Iterator<Item = io::Result<String>>> {
        if let Some(error) = self.failed {
            return Err(error);
        }
        let mut file = self.out.into_inner().map_err(io::IntoInnerError::into_error)?;
        file.rewind()?;
        Ok(BufReader::new(file).lines())
    }
}
