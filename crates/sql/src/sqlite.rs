//! The SQLite adapter: one connection that writes, one that carries its log into the database, and a few that read,
//! each in a thread of its own, in WAL mode.

mod checkpoint;
mod connection;
mod relaxed;
mod row;

use std::path::{Path, PathBuf};
use std::sync::Arc;

use tokio::sync::{Mutex, OwnedMutexGuard};

pub(crate) use connection::{Answers, BEGIN, Started, Statement, Work};
use connection::{Opening, Threads};
pub(crate) use row::SqliteRow;

use crate::{Durability, Row, SqlError, Value};

/// Page cache of the writer, KiB. A commit after a split of a page looks at every page in it (SQLite moves the page to a number behind all
/// others and then cuts off what is behind): with 16 MiB a fifth of a replay went there. What is not in it is in the system's cache.
const WRITER_CACHE_KIB: u32 = 4_096;
const READERS: usize = 4;

/// One database file, opened.
pub(crate) struct Store {
    writer: Arc<Mutex<Writer>>,
    readers: Threads,
}

/// The only connection that writes.
pub(crate) struct Writer {
    opening: Opening,
    thread: Option<Threads>,
    /// A transaction may be open on the connection: its owner was dropped before it could end it.
    pub(crate) dirty: bool,
}

impl Store {
    pub(crate) async fn open(path: &Path, durability: Durability) -> Result<Store, SqlError> {
        let path = prepare(path)?;
        let mut writer = Writer { opening: writes(&path, durability), thread: None, dirty: false };
        // Nothing to do: that it can be opened is told now.
        writer.run(Work::Statements(Vec::new())).await?;
        Ok(Store { writer: Arc::new(Mutex::new(writer)), readers: Threads::new(reads(&path), READERS) })
    }

    /// Waits for the writer connection. A transaction that an earlier owner left open is rolled back first.
    pub(crate) async fn acquire(&self) -> Result<OwnedMutexGuard<Writer>, SqlError> {
        let mut guard = Arc::clone(&self.writer).lock_owned().await;
        if guard.dirty {
            guard.rollback().await;
        }
        Ok(guard)
    }

    /// The writer connection, where nobody has it or waits for it, and nothing was left open.
    pub(crate) fn acquire_now(&self) -> Option<OwnedMutexGuard<Writer>> {
        Arc::clone(&self.writer).try_lock_owned().ok().filter(|guard| !guard.dirty)
    }

    /// Runs one query outside any transaction.
    pub(crate) async fn query(&self, text: String, values: Vec<Value>) -> Result<Vec<Row>, SqlError> {
        let mut answers = self.readers.run(Work::Statements(vec![Statement::new(text, values)])).await?;
        Ok(answers.pop().map(|(_, rows)| rows).unwrap_or_default())
    }
}

impl Writer {
    /// Runs something, on a new connection where the old one was given up.
    pub(crate) async fn run(&mut self, work: Work) -> Result<Answers, SqlError> {
        self.start(work)?.end().await
    }

    /// Starts something and waits for nothing.
    pub(crate) fn start(&mut self, work: Work) -> Result<Started, SqlError> {
        self.thread.get_or_insert_with(|| Threads::new(self.opening.clone(), 1)).start(work)
    }

    /// Ends whatever is open. Where that is not possible the connection is given up, because an unknown state is worth less than a new
    /// connection.
    pub(crate) async fn rollback(&mut self) {
        if self.run(Work::Rollback).await.is_err() {
            self.thread = None;
        }
        self.dirty = false;
    }
}

fn prepare(path: &Path) -> Result<PathBuf, SqlError> {
    if let Some(parent) = path.parent().filter(|parent| !parent.as_os_str().is_empty()) {
        std::fs::create_dir_all(parent).map_err(|error| SqlError::Unavailable(format!("{}: {error}", parent.display())))?;
    }
    Ok(path.to_path_buf())
}

fn writes(path: &Path, durability: Durability) -> Opening {
    let synchronous = match durability {
        Durability::Full => "FULL",
        Durability::Throwaway => "OFF",
    };
    // With the same durability: a checkpoint syncs the database before the log may begin anew.
    let pragmas = format!("PRAGMA synchronous = {synchronous}; PRAGMA foreign_keys = OFF");
    let aside = Opening { path: path.to_path_buf(), creates: false, pragmas, aside: None };
    let pragmas = format!(
        "PRAGMA journal_mode = WAL; PRAGMA synchronous = {synchronous}; PRAGMA cache_size = -{WRITER_CACHE_KIB}; \
         PRAGMA temp_store = MEMORY; PRAGMA foreign_keys = OFF"
    );
    Opening { path: path.to_path_buf(), creates: true, pragmas, aside: Some(Box::new(aside)) }
}

fn reads(path: &Path) -> Opening {
    let pragmas = "PRAGMA query_only = ON; PRAGMA temp_store = MEMORY; PRAGMA foreign_keys = OFF".to_owned();
    Opening { path: path.to_path_buf(), creates: false, pragmas, aside: None }
}
