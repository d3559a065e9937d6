//! Connections in threads of their own. A call to SQLite blocks, and going to its thread and back costs more than most statements do:
//! what belongs together goes there whole and comes back whole.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::Duration;

use crossbeam_channel::{Receiver, Sender};
use rusqlite::types::Value as Cell;
use rusqlite::{CachedStatement, Connection, OpenFlags};
use tokio::sync::oneshot;

use super::SqliteRow;
use super::checkpoint::{self, Checkpoints};
use crate::error::NOT_AS_EXPECTED;
use crate::{Row, SqlError, Value};

/// How long a connection waits for a lock that another process has.
const BUSY: Duration = Duration::from_secs(10);
/// Why something is refused that belongs to a transaction.
const ENDED: &str = "the transaction has ended";
/// How a transaction begins.
pub(crate) const BEGIN: &str = "BEGIN IMMEDIATE";
/// Texts that a connection keeps prepared.
const PREPARED: usize = 1024;

/// A statement on its way to the thread of a connection.
#[derive(Debug)]
pub(crate) struct Statement {
    /// With `$n` or `?`.
    pub text: String,
    pub values: Vec<Value>,
    /// It fails where it changes no row, and with it all that follows.
    pub must_change: bool,
}

impl Statement {
    /// Whatever it changes.
    pub fn new(text: impl Into<String>, values: Vec<Value>) -> Self {
        Self { text: text.into(), values, must_change: false }
    }
}

/// For each statement the number of rows that it changed, and those that it found.
pub(crate) type Answers = Vec<(u64, Vec<Row>)>;

/// What a connection is asked to do.
pub(crate) enum Work {
    /// One after the other, until one fails.
    Statements(Vec<Statement>),
    /// The same inside a transaction, which the first may begin. SQLite itself ends one when the disk is full: what was to belong to it
    /// must not be done without it.
    Within(Vec<Statement>),
    /// Several statements separated by `;`, without arguments, inside a transaction that has begun.
    Script(String),
    /// Ends the open transaction, where one is: SQLite itself may have ended it, when the disk was full.
    Rollback,
}

/// How a connection is opened.
#[derive(Clone)]
pub(crate) struct Opening {
    pub path: PathBuf,
    pub creates: bool,
    pub pragmas: String,
    /// How the connection is opened that makes its checkpoints; a connection that only reads has none to make.
    pub aside: Option<Box<Opening>>,
}

struct Job {
    work: Work,
    reply: oneshot::Sender<Result<Answers, SqlError>>,
}

/// Work that a thread has, or will have; it is done also when this is dropped.
pub(crate) struct Started(oneshot::Receiver<Result<Answers, SqlError>>);

impl Started {
    /// Waits for its end. A dropped future loses nothing: it may be asked for again.
    pub async fn end(&mut self) -> Result<Answers, SqlError> {
        (&mut self.0).await.map_err(|_| ended())?
    }

    /// What came of it, where it has ended.
    pub fn ended(&mut self) -> Option<Result<Answers, SqlError>> {
        match self.0.try_recv() {
            Ok(done) => Some(done),
            Err(oneshot::error::TryRecvError::Empty) => None,
            Err(oneshot::error::TryRecvError::Closed) => Some(Err(ended())),
        }
    }

    /// Waits for its end on a thread that may block.
    pub fn wait(self) -> Result<Answers, SqlError> {
        self.0.blocking_recv().map_err(|_| ended())?
    }
}

/// Some threads that share their work; they end with their owner, after what they have in hand.
pub(crate) struct Threads {
    opening: Opening,
    most: usize,
    jobs: Sender<Job>,
    /// Each thread waits at one of its own: a job wakes one of them.
    queue: Receiver<Job>,
    seats: Arc<Seats>,
}

#[derive(Default)]
struct Seats {
    /// Threads that live.
    started: AtomicUsize,
    /// Those of them that wait for work which nobody has sent yet.
    free: AtomicUsize,
}

/// The place of a thread, given up when the thread ends.
struct Seat(Arc<Seats>);

impl Drop for Seat {
    fn drop(&mut self) {
        self.0.started.fetch_sub(1, Ordering::SeqCst);
    }
}

impl Threads {
    /// At most so many; each is started when all others are at work.
    pub fn new(opening: Opening, most: usize) -> Self {
        let (jobs, queue) = crossbeam_channel::unbounded();
        Self { opening, most, jobs, queue, seats: Arc::default() }
    }

    /// Does something and waits for its end. It is done also when nobody waits any more.
    ///
    /// # Errors
    /// Any [`SqlError`]; of statements that of the first that failed.
    pub async fn run(&self, work: Work) -> Result<Answers, SqlError> {
        self.start(work)?.end().await
    }

    /// Does something after what it has to do already, and waits for nothing.
    ///
    /// # Errors
    /// No thread can be started.
    pub fn start(&self, work: Work) -> Result<Started, SqlError> {
        let (reply, answer) = oneshot::channel();
        self.make_room()?;
        self.jobs.send(Job { work, reply }).map_err(|_| ended())?;
        Ok(Started(answer))
    }

    /// Takes a free thread, or starts one while there are fewer than the most; where there are, the next that is free comes.
    fn make_room(&self) -> Result<(), SqlError> {
        let one_less = |free: usize| free.checked_sub(1);
        let one_more = |started: usize| (started < self.most).then_some(started + 1);
        let seats = &self.seats;
        if seats.free.fetch_update(Ordering::SeqCst, Ordering::SeqCst, one_less).is_ok()
            || seats.started.fetch_update(Ordering::SeqCst, Ordering::SeqCst, one_more).is_err()
        {
            return Ok(());
        }
        let (opening, queue, seat) = (self.opening.clone(), self.queue.clone(), Seat(Arc::clone(seats)));
        let begun = thread::Builder::new().name("sqlite".into()).spawn(move || serve(&opening, &queue, &seat));
        begun.map(|_| ()).map_err(|error| SqlError::Unavailable(format!("no thread for a connection: {error}")))
    }
}

fn ended() -> SqlError {
    SqlError::Unavailable("the connection has ended".into())
}

/// Works until nobody is left who could ask. A connection that cannot be opened is tried again with the next job.
fn serve(opening: &Opening, queue: &Receiver<Job>, seat: &Seat) {
    let mut connection = None;
    let mut checkpoints = opening.aside.as_deref().map(|aside| Checkpoints::new(aside.clone()));
    loop {
        let Ok(Job { work, reply }) = queue.recv() else { return };
        // A thread that died would leave those waiting who have sent it work: it lives, and opens its connection anew.
        let done = catch_unwind(AssertUnwindSafe(|| match connected(&mut connection, opening) {
            Ok(connection) => perform(connection, work),
            Err(error) => Err(SqlError::Unavailable(format!("{}: {error}", opening.path.display()))),
        }));
        let done = done.unwrap_or_else(|_| {
            connection = None;
            Err(SqlError::Unavailable("the connection has panicked".into()))
        });
        seat.0.free.fetch_add(1, Ordering::SeqCst);
        // Whoever dropped its future does not want to know.
        let _ = reply.send(done);
        if let Some((checkpoints, writer)) = checkpoints.as_mut().zip(connection.as_ref())
            && catch_unwind(AssertUnwindSafe(|| checkpoints.look(writer))).is_err()
        {
            connection = None;
        }
    }
}

fn connected<'c>(connection: &'c mut Option<Connection>, opening: &Opening) -> rusqlite::Result<&'c Connection> {
    let opened = match connection.take() {
        Some(opened) => opened,
        None => open(opening)?,
    };
    Ok(connection.insert(opened))
}

fn open(opening: &Opening) -> rusqlite::Result<Connection> {
    let mut flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    flags.set(OpenFlags::SQLITE_OPEN_CREATE, opening.creates);
    let connection = Connection::open_with_flags(&opening.path, flags)?;
    connection.busy_timeout(BUSY)?;
    connection.set_prepared_statement_cache_capacity(PREPARED);
    connection.execute_batch(&opening.pragmas)?;
    if opening.aside.is_some() {
        checkpoint::listen(&connection);
    }
    Ok(connection)
}

/// Does it on this thread.
pub(super) fn perform(connection: &Connection, work: Work) -> Result<Answers, SqlError> {
    let script = |text: &str| Ok(connection.execute_batch(text).map(|()| Vec::new())?);
    match work {
        Work::Statements(statements) => statements.into_iter().map(|statement| one(connection, statement)).collect(),
        Work::Within(statements) => {
            let within = |statement: Statement| match connection.is_autocommit() && statement.text != BEGIN {
                true => Err(SqlError::Refused(ENDED.into())),
                false => one(connection, statement),
            };
            statements.into_iter().map(within).collect()
        }
        Work::Script(_) if connection.is_autocommit() => Err(SqlError::Refused(ENDED.into())),
        Work::Script(text) => script(&text),
        Work::Rollback if connection.is_autocommit() => Ok(Vec::new()),
        Work::Rollback => script("ROLLBACK"),
    }
}

fn one(connection: &Connection, Statement { text, values, must_change }: Statement) -> Result<(u64, Vec<Row>), SqlError> {
    let answered = answer(connection, &planned_once(text), values)?;
    if must_change && answered.0 == 0 { Err(SqlError::Busy(NOT_AS_EXPECTED.into())) } else { Ok(answered) }
}

/// SQLite looks at the argument of a LIMIT when it plans a statement, and plans it anew for every other one. It does not look behind a sign.
fn planned_once(text: String) -> String {
    if text.contains("LIMIT $") { text.replace("LIMIT $", "LIMIT +$") } else { text }
}

fn answer(connection: &Connection, text: &str, values: Vec<Value>) -> rusqlite::Result<(u64, Vec<Row>)> {
    let mut statement = connection.prepare_cached(text)?;
    bind(&mut statement, values)?;
    let width = statement.column_count();
    let names: Arc<[String]> = statement.column_names().into_iter().map(str::to_owned).collect();
    let (mut found, mut rows) = (Vec::new(), statement.raw_query());
    while let Some(row) = rows.next()? {
        let cells = (0..width).map(|column| row.get(column)).collect::<rusqlite::Result<Vec<Cell>>>()?;
        found.push(Row::sqlite(SqliteRow { names: Arc::clone(&names), cells }));
    }
    drop(rows);
    let changed = if statement.readonly() { 0 } else { connection.changes() };
    Ok((changed, found))
}

/// `$n` takes the n-th argument, `?` the one of its place.
fn bind(statement: &mut CachedStatement<'_>, values: Vec<Value>) -> rusqlite::Result<()> {
    let cells: Vec<Cell> = values.into_iter().map(cell).collect();
    for place in 1..=statement.parameter_count() {
        let number = statement.parameter_name(place).and_then(|name| name.strip_prefix('$')?.parse::<usize>().ok());
        // What is not given is NULL, as the database has it.
        statement.raw_bind_parameter(place, cells.get(number.unwrap_or(place).wrapping_sub(1)))?;
    }
    Ok(())
}

fn cell(value: Value) -> Cell {
    match value {
        Value::Int(value) | Value::OptInt(Some(value)) => Cell::Integer(value),
        Value::Text(value) | Value::OptText(Some(value)) => Cell::Text(value),
        Value::Bytes(value) | Value::OptBytes(Some(value)) => Cell::Blob(value),
        Value::Bool(value) | Value::OptBool(Some(value)) => Cell::Integer(i64::from(value)),
        Value::Uuid(value) | Value::OptUuid(Some(value)) => Cell::Blob(value.as_bytes().to_vec()),
        Value::Date(value) | Value::OptDate(Some(value)) => Cell::Text(value.to_string()),
        Value::Instant(value) | Value::OptInstant(Some(value)) => Cell::Integer(value.timestamp_micros()),
        Value::OptInt(None)
        | Value::OptText(None)
        | Value::OptBytes(None)
        | Value::OptBool(None)
        | Value::OptUuid(None)
        | Value::OptDate(None)
        | Value::OptInstant(None) => Cell::Null,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn memory() -> Connection {
        let connection = Connection::open_in_memory().unwrap();
        connection.execute_batch("CREATE TABLE t (a INTEGER, b TEXT)").unwrap();
        connection
    }

    fn rows(connection: &Connection, text: &str, values: &[Value]) -> Vec<Row> {
        answer(connection, &planned_once(text.to_owned()), values.to_vec()).unwrap().1
    }

    #[test]
    fn arguments_go_by_number_or_by_place_and_what_is_not_given_is_null() {
        let connection = memory();
        let insert = |text: &str, values: &[Value]| answer(&connection, text, values.to_vec()).unwrap().0;
        assert_eq!(insert("INSERT INTO t VALUES ($2, $1)", &["one".into(), Value::Int(1)]), 1);
        assert_eq!(insert("INSERT INTO t VALUES (?, ?), (?, ?)", &[Value::Int(2), "two".into(), Value::Int(3)]), 2);
        let found = rows(&connection, "SELECT b FROM t WHERE a >= $1 AND a <= $1 + 2 ORDER BY a", &[Value::Int(1)]);
        let texts: Vec<Option<String>> = found.iter().map(|row| row.opt_text("b").unwrap()).collect();
        assert_eq!(texts, [Some("one".to_owned()), Some("two".to_owned()), None]);
    }

    #[tokio::test]
    async fn what_comes_while_others_are_at_work_does_not_wait_for_them() {
        let directory = tempfile::tempdir().unwrap();
        let opening = Opening { path: directory.path().join("t.db"), creates: true, pragmas: String::new(), aside: None };
        let threads = Threads::new(opening, 2);
        let text = "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 200000) SELECT COUNT(*) AS c FROM n";
        let slow = || threads.run(Work::Statements(vec![Statement::new(text, Vec::new())]));
        let (one, two, three) = futures::join!(slow(), slow(), slow());
        assert!(one.is_ok() && two.is_ok() && three.is_ok());
        assert_eq!(threads.seats.started.load(Ordering::SeqCst), 2, "one for each, and no more than there may be");
    }

    #[test]
    fn what_must_change_a_row_and_does_not_ends_the_turn() {
        let connection = memory();
        let must = |text: &str| Statement { must_change: true, ..Statement::new(text, Vec::new()) };
        let insert = || Statement::new("INSERT INTO t VALUES (1, 'x')", Vec::new());
        assert!(perform(&connection, Work::Statements(vec![insert(), must("UPDATE t SET a = 2 WHERE a = 1")])).is_ok());
        let missed = perform(&connection, Work::Statements(vec![must("UPDATE t SET a = 3 WHERE a = 1"), insert()]));
        assert!(matches!(missed, Err(SqlError::Busy(_))));
        assert_eq!(rows(&connection, "SELECT a FROM t", &[]).len(), 1, "what follows is not done");
    }

    #[test]
    fn what_belongs_to_a_transaction_is_not_done_where_sqlite_has_ended_it() {
        let connection = memory();
        connection.execute_batch("CREATE UNIQUE INDEX one ON t (a); INSERT INTO t VALUES (1, 'x')").unwrap();
        let statement = |text: &str| Statement::new(text, Vec::new());
        let insert = || statement("INSERT INTO t VALUES (2, 'y')");
        assert!(perform(&connection, Work::Within(vec![statement(BEGIN), insert()])).is_ok());
        // As with a full disk: the statement fails and takes the whole transaction with it.
        assert!(perform(&connection, Work::Within(vec![statement("INSERT OR ROLLBACK INTO t VALUES (1, 'x')")])).is_err());
        assert!(matches!(perform(&connection, Work::Within(vec![insert()])), Err(SqlError::Refused(_))));
        assert_eq!(rows(&connection, "SELECT a FROM t", &[]).len(), 1, "nothing but what was there");
    }

    #[test]
    fn a_limit_is_an_argument_like_another() {
        let connection = memory();
        connection.execute_batch("INSERT INTO t VALUES (1, 'x'), (2, 'y'), (3, 'z')").unwrap();
        for limit in [2, 1, 3] {
            assert_eq!(rows(&connection, "SELECT a FROM t ORDER BY a LIMIT $1", &[Value::Int(limit)]).len() as i64, limit);
        }
    }

    #[test]
    fn a_query_changes_nothing_whatever_was_changed_before() {
        let connection = memory();
        assert_eq!(answer(&connection, "INSERT INTO t VALUES (1, 'x')", Vec::new()).unwrap().0, 1);
        assert_eq!(answer(&connection, "SELECT a FROM t", Vec::new()).unwrap().0, 0);
    }
}
