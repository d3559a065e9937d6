//! Transactions whose commit does not wait for the disk.
//!
//! In WAL mode a commit with `synchronous = NORMAL` is written and not synced. The next one with FULL syncs the whole log, what was committed
//! before it included, and a checkpoint syncs the log before it carries anything out of it: so a crash of the machine may take the last commits
//! back, in the order in which they came, and never one of the middle.

use rusqlite::Connection;

const SYNCHRONOUS: &str = "synchronous";
const NORMAL: i64 = 1;

/// How a connection commits while a relaxed transaction is open on it.
#[derive(Default)]
pub(super) struct Relaxed {
    /// How it committed before.
    before: Option<i64>,
}

impl Relaxed {
    /// Lets the transaction that begins next not wait. A connection that never waits stays as it is.
    ///
    /// # Errors
    /// Any of SQLite, an open transaction among them.
    pub fn begin(&mut self, connection: &Connection) -> rusqlite::Result<()> {
        let level = connection.pragma_query_value(None, SYNCHRONOUS, |row| row.get(0))?;
        if level > NORMAL {
            self.before = Some(level);
            connection.pragma_update(None, SYNCHRONOUS, NORMAL)?;
        }
        Ok(())
    }

    /// Lets the next transaction wait again, whatever ended this one; nothing while it is open.
    ///
    /// # Errors
    /// Any of SQLite: then the connection must not be used any more.
    pub fn end(&mut self, connection: &Connection) -> rusqlite::Result<()> {
        match self.before.take_if(|_| connection.is_autocommit()) {
            Some(level) => connection.pragma_update(None, SYNCHRONOUS, level),
            None => Ok(()),
        }
    }
}
