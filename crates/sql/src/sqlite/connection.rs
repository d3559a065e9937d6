//! Connections in threads of their own. A call to SQLite blocks, and going to its thread and back costs more than most statements do:
//! what belongs together goes there whole and comes back whole.

use std::borrow::Cow;
use std::num::NonZeroUsize;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::Duration;

use crossbeam_channel::{Receiver, Sender};
use rusqlite::types::{ToSql, ToSqlOutput, Value as Cell, ValueRef};
use rusqlite::{CachedStatement, Connection, OpenFlags};
use tokio::sync::oneshot;

use super::SqliteRow;
use super::checkpoint::{self, Checkpoints};
use super::relaxed::Relaxed;
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
    pub given: Given,
    /// It fails where it changes no row, and with it all that follows.
    pub must_change: bool,
    /// It begins a transaction whose commit does not wait for the disk.
    pub relaxes: bool,
}

/// The arguments of a statement.
#[derive(Debug)]
pub(crate) enum Given {
    Once(Vec<Value>),
    /// Once for so many rows at a time, one row's arguments after the other's, as often as it takes; it answers no rows. There are no rows
    /// left over.
    Rows(Vec<Vec<Value>>, NonZeroUsize),
}

impl Statement {
    /// Whatever it changes.
    pub fn new(text: impl Into<String>, values: Vec<Value>) -> Self {
        Self { text: text.into(), given: Given::Once(values), must_change: false, relaxes: false }
    }

    /// Once for so many rows at a time.
    pub fn rows(text: impl Into<String>, rows: Vec<Vec<Value>>, at_once: NonZeroUsize) -> Self {
        Self { text: text.into(), given: Given::Rows(rows, at_once), must_change: false, relaxes: false }
    }

    /// How many arguments it has in all.
    pub fn arguments(&self) -> usize {
        match &self.given {
            Given::Once(values) => values.len(),
            Given::Rows(rows, _) => rows.iter().map(Vec::len).sum(),
        }
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

impl Work {
    fn relaxes(&self) -> bool {
        matches!(self, Work::Within(statements) if statements.first().is_some_and(|first| first.relaxes))
    }
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
    reply: oneshot::Sender<Done>,
}

/// What came of work, and the work itself: who waits for it gives its memory up, which costs most where it was not taken.
struct Done {
    answers: Result<Answers, SqlError>,
    _work: Work,
}

/// Work that a thread has, or will have; it is done also when this is dropped.
pub(crate) struct Started(oneshot::Receiver<Done>);

impl Started {
    /// Waits for its end. A dropped future loses nothing: it may be asked for again.
    pub async fn end(&mut self) -> Result<Answers, SqlError> {
        (&mut self.0).await.map_err(|_| ended())?.answers
    }

    /// What came of it, where it has ended.
    pub fn ended(&mut self) -> Option<Result<Answers, SqlError>> {
        match self.0.try_recv() {
            Ok(done) => Some(done.answers),
            Err(oneshot::error::TryRecvError::Empty) => None,
            Err(oneshot::error::TryRecvError::Closed) => Some(Err(ended())),
        }
    }

    /// Waits for its end on a thread that may block.
    pub fn wait(self) -> Result<Answers, SqlError> {
        self.0.blocking_recv().map_err(|_| ended())?.answers
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
    let (mut connection, mut relaxed) = (None, Relaxed::default());
    let mut checkpoints = opening.aside.as_deref().map(|aside| Checkpoints::new(aside.clone()));
    loop {
        let Ok(Job { work, reply }) = queue.recv() else { return };
        // A thread that died would leave those waiting who have sent it work: it lives, and opens its connection anew.
        let answers = catch_unwind(AssertUnwindSafe(|| match connected(&mut connection, opening) {
            Ok(connection) => {
                if work.relaxes() {
                    relaxed.begin(connection)?;
                }
                perform(connection, &work)
            }
            Err(error) => Err(SqlError::Unavailable(format!("{}: {error}", opening.path.display()))),
        }));
        let answers = answers.unwrap_or_else(|_| {
            connection = None;
            Err(SqlError::Unavailable("the connection has panicked".into()))
        });
        seat.0.free.fetch_add(1, Ordering::SeqCst);
        // Whoever dropped its future does not want to know.
        let _ = reply.send(Done { answers, _work: work });
        if connection.as_ref().is_some_and(|connection| relaxed.end(connection).is_err()) {
            connection = None;
        }
        if connection.is_none() {
            relaxed = Relaxed::default();
        }
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
pub(super) fn perform(connection: &Connection, work: &Work) -> Result<Answers, SqlError> {
    let script = |text: &str| Ok(connection.execute_batch(text).map(|()| Vec::new())?);
    match work {
        Work::Statements(statements) => statements.iter().map(|statement| one(connection, statement)).collect(),
        Work::Within(statements) => {
            let within = |statement: &Statement| match connection.is_autocommit() && statement.text != BEGIN {
                true => Err(SqlError::Refused(ENDED.into())),
                false => one(connection, statement),
            };
            statements.iter().map(within).collect()
        }
        Work::Script(_) if connection.is_autocommit() => Err(SqlError::Refused(ENDED.into())),
        Work::Script(text) => script(text),
        Work::Rollback if connection.is_autocommit() => Ok(Vec::new()),
        Work::Rollback => script("ROLLBACK"),
    }
}

fn one(connection: &Connection, statement: &Statement) -> Result<(u64, Vec<Row>), SqlError> {
    let answered = match &statement.given {
        Given::Once(values) => answer(connection, &planned_once(&statement.text), values)?,
        Given::Rows(rows, at_once) => (repeated(connection, &statement.text, rows.chunks(at_once.get()))?, Vec::new()),
    };
    if statement.must_change && answered.0 == 0 { Err(SqlError::Busy(NOT_AS_EXPECTED.into())) } else { Ok(answered) }
}

/// SQLite looks at the argument of a LIMIT when it plans a statement, and plans it anew for every other one. It does not look behind a sign.
fn planned_once(text: &str) -> Cow<'_, str> {
    if text.contains("LIMIT $") { text.replace("LIMIT $", "LIMIT +$").into() } else { text.into() }
}

fn answer(connection: &Connection, text: &str, values: &[Value]) -> rusqlite::Result<(u64, Vec<Row>)> {
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

/// Runs a statement with `?` once for each group of rows: how many rows it changed in all.
fn repeated<'a>(connection: &Connection, text: &str, groups: impl Iterator<Item = &'a [Vec<Value>]>) -> rusqlite::Result<u64> {
    let (mut statement, mut changed) = (connection.prepare_cached(text)?, 0);
    let wanted = statement.parameter_count();
    for group in groups {
        let given = group.iter().map(Vec::len).sum();
        if given != wanted {
            // What is not given would be that of the group before.
            return Err(rusqlite::Error::InvalidParameterCount(given, wanted));
        }
        for (index, value) in group.iter().flatten().enumerate() {
            statement.raw_bind_parameter(index + 1, Argument(Some(value)))?;
        }
        changed += statement.raw_execute()? as u64;
    }
    Ok(changed)
}

/// `$n` takes the n-th argument, `?` the one of its place.
fn bind(statement: &mut CachedStatement<'_>, values: &[Value]) -> rusqlite::Result<()> {
    for place in 1..=statement.parameter_count() {
        let number = statement.parameter_name(place).and_then(|name| name.strip_prefix('$')?.parse::<usize>().ok());
        // What is not given is NULL, as the database has it.
        statement.raw_bind_parameter(place, Argument(values.get(number.unwrap_or(place).wrapping_sub(1))))?;
    }
    Ok(())
}

/// A value as SQLite keeps it; what is not there is NULL.
struct Argument<'a>(Option<&'a Value>);

impl ToSql for Argument<'_> {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        let borrowed = |value| ToSqlOutput::Borrowed(value);
        let integer = |value| borrowed(ValueRef::Integer(value));
        let Some(value) = self.0 else { return Ok(borrowed(ValueRef::Null)) };
        Ok(match value {
            Value::Int(value) | Value::OptInt(Some(value)) => integer(*value),
            Value::Text(value) | Value::OptText(Some(value)) => borrowed(ValueRef::Text(value.as_bytes())),
            Value::Bytes(value) | Value::OptBytes(Some(value)) => borrowed(ValueRef::Blob(value)),
            Value::Bool(value) | Value::OptBool(Some(value)) => integer(i64::from(*value)),
            Value::Uuid(value) | Value::OptUuid(Some(value)) => borrowed(ValueRef::Blob(value.as_bytes())),
            Value::Date(value) | Value::OptDate(Some(value)) => ToSqlOutput::Owned(Cell::Text(value.to_string())),
            Value::Instant(value) | Value::OptInstant(Some(value)) => integer(value.timestamp_micros()),
            Value::OptInt(None)
            | Value::OptText(None)
            | Value::OptBytes(None)
            | Value::OptBool(None)
            | Value::OptUuid(None)
            | Value::OptDate(None)
            | Value::OptInstant(None) => borrowed(ValueRef::Null),
        })
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
        answer(connection, &planned_once(text), values).unwrap().1
    }

    #[test]
    fn arguments_go_by_number_or_by_place_and_what_is_not_given_is_null() {
        let connection = memory();
        let insert = |text: &str, values: &[Value]| answer(&connection, text, values).unwrap().0;
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

    /// However a relaxed transaction ends, the next one waits for the disk.
    #[tokio::test]
    async fn only_the_relaxed_transaction_itself_does_not_wait_for_the_disk() {
        let directory = tempfile::tempdir().unwrap();
        for (waits, levels) in [("FULL", [2, 1, 2]), ("OFF", [0, 0, 0])] {
            let pragmas = format!("PRAGMA journal_mode = WAL; PRAGMA synchronous = {waits}");
            let opening = Opening { path: directory.path().join("t.db"), creates: true, pragmas, aside: None };
            let threads = Threads::new(opening, 1);
            let plain = |text: &str| Statement::new(text, Vec::new());
            let begin = || Statement { relaxes: true, ..plain(BEGIN) };
            let level = async || {
                let rows = threads.run(Work::Statements(vec![plain("PRAGMA synchronous")])).await.unwrap().remove(0).1;
                rows[0].int("synchronous").unwrap()
            };
            threads.run(Work::Statements(vec![plain("CREATE TABLE IF NOT EXISTS t (a INTEGER)")])).await.unwrap();
            let ends = [
                Work::Within(vec![plain("INSERT INTO t VALUES (1)"), plain("COMMIT")]),
                Work::Rollback,
                Work::Within(vec![plain("INSERT INTO nowhere VALUES (1)"), plain("COMMIT")]),
            ];
            for end in ends {
                let before = level().await;
                threads.run(Work::Within(vec![begin()])).await.unwrap();
                let within = level().await;
                if threads.run(end).await.is_err() {
                    assert_eq!(level().await, within, "it is open until it is rolled back");
                    threads.run(Work::Rollback).await.unwrap();
                }
                assert_eq!([before, within, level().await], levels, "{waits}");
            }
            let at_once = Work::Within(vec![begin(), plain("INSERT INTO t VALUES (2)"), plain("COMMIT")]);
            threads.run(at_once).await.unwrap();
            assert_eq!(level().await, levels[2]);
            // Another connection has the file: nothing begins.
            let other = Connection::open(directory.path().join("t.db")).unwrap();
            other.execute_batch(BEGIN).unwrap();
            let opened = threads.run(Work::Statements(vec![plain("PRAGMA busy_timeout = 0")])).await;
            assert!(opened.is_ok() && threads.run(Work::Within(vec![begin()])).await.is_err());
            assert_eq!(level().await, levels[2], "{waits}");
        }
    }

    #[test]
    fn rows_go_in_together_as_often_as_it_takes_and_none_after_one_that_does_not_fit() {
        let connection = memory();
        connection.execute_batch("CREATE UNIQUE INDEX one ON t (a)").unwrap();
        let all = |numbers: &[i64]| numbers.iter().map(|number| vec![Value::Int(*number), "x".into()]).collect::<Vec<_>>();
        let insert = |numbers: &[i64]| {
            let pair = Statement::rows("INSERT OR FAIL INTO t VALUES (?, ?), (?, ?)", all(numbers), NonZeroUsize::new(2).unwrap());
            perform(&connection, &Work::Within(vec![pair])).map(|mut answers| answers.pop().unwrap().0)
        };
        assert!(perform(&connection, &Work::Within(vec![Statement::new(BEGIN, Vec::new())])).is_ok());
        assert_eq!(insert(&[1, 2, 3, 4]).unwrap(), 4);
        assert!(insert(&[5]).is_err(), "the place of the other is not that of the pair before");
        assert!(matches!(insert(&[5, 6, 7, 1, 8, 9]), Err(SqlError::Unique { .. })));
        let found = rows(&connection, "SELECT a FROM t WHERE a >= $1 ORDER BY a", &[Value::Int(5)]);
        let found: Vec<i64> = found.iter().map(|row| row.int("a").unwrap()).collect();
        assert_eq!(found, [5, 6, 7], "what follows is not done, and what was done is undone with the transaction");
        assert!(perform(&connection, &Work::Rollback).is_ok());
        assert!(rows(&connection, "SELECT a FROM t", &[]).is_empty());
    }

    #[test]
    fn what_must_change_a_row_and_does_not_ends_the_turn() {
        let connection = memory();
        let must = |text: &str| Statement { must_change: true, ..Statement::new(text, Vec::new()) };
        let insert = || Statement::new("INSERT INTO t VALUES (1, 'x')", Vec::new());
        assert!(perform(&connection, &Work::Statements(vec![insert(), must("UPDATE t SET a = 2 WHERE a = 1")])).is_ok());
        let missed = perform(&connection, &Work::Statements(vec![must("UPDATE t SET a = 3 WHERE a = 1"), insert()]));
        assert!(matches!(missed, Err(SqlError::Busy(_))));
        assert_eq!(rows(&connection, "SELECT a FROM t", &[]).len(), 1, "what follows is not done");
    }

    #[test]
    fn what_belongs_to_a_transaction_is_not_done_where_sqlite_has_ended_it() {
        let connection = memory();
        connection.execute_batch("CREATE UNIQUE INDEX one ON t (a); INSERT INTO t VALUES (1, 'x')").unwrap();
        let statement = |text: &str| Statement::new(text, Vec::new());
        let insert = || statement("INSERT INTO t VALUES (2, 'y')");
        assert!(perform(&connection, &Work::Within(vec![statement(BEGIN), insert()])).is_ok());
        // As with a full disk: the statement fails and takes the whole transaction with it.
        assert!(perform(&connection, &Work::Within(vec![statement("INSERT OR ROLLBACK INTO t VALUES (1, 'x')")])).is_err());
        assert!(matches!(perform(&connection, &Work::Within(vec![insert()])), Err(SqlError::Refused(_))));
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
        assert_eq!(answer(&connection, "INSERT INTO t VALUES (1, 'x')", &[]).unwrap().0, 1);
        assert_eq!(answer(&connection, "SELECT a FROM t", &[]).unwrap().0, 0);
    }
}
