//! Transactions: opened here and nowhere else.

use std::borrow::Cow;
use std::collections::VecDeque;
use std::time::Duration;

use futures::TryStreamExt;
use sqlx::pool::PoolConnection;
use sqlx::postgres::{PgArguments, Postgres};
use sqlx::{Either, Executor};
use tokio::sync::OwnedMutexGuard;
use tokio::task::JoinHandle;

use crate::db::Backend;
use crate::error::NOT_AS_EXPECTED;
use crate::keys::Keys;
use crate::row::Row;
use crate::sqlite::{Answers, Started, Statement, Work};
use crate::unsent::Unsent;
use crate::{Db, Dialect, STATEMENT_DEADLINE, SqlError, Value, postgres, sqlite};

/// An open transaction that may write. Dropping it rolls back.
///
/// After an error of the database the transaction is good for nothing but being dropped: PostgreSQL refuses further statements, and
/// would answer a COMMIT by rolling back without saying so. [`Tx::commit`] then fails on both databases.
///
/// Statements of SQLite run in a thread of their connection, and going there and back costs more than most of them. So BEGIN goes with the
/// first statement, and statements whose result nobody asks for ([`Tx::defer`], the bulk writes) go with the next one or with COMMIT. Where
/// there are many of them they go ahead, and SQLite works on them while the caller prepares the next.
pub struct Tx {
    /// None once the transaction has ended.
    connection: Option<Connected>,
    /// A statement has failed.
    failed: bool,
    /// What the database has not been told yet; always empty on PostgreSQL.
    unsent: Unsent,
    /// What SQLite was told and nobody has waited for yet. COMMIT is sent only after all of it went well.
    ahead: VecDeque<Started>,
    /// How long a statement may take; None on SQLite, and for who is in no hurry.
    deadline: Option<Duration>,
}

/// Turns that SQLite may be behind its caller: what they carry is in memory until somebody has waited for them. So many at least as one call of
/// whoever must not wait makes: a writer's part goes there with four tables, two statements each, and what is deleted from them.
const MOST_AHEAD: usize = 16;

enum Connected {
    Sqlite(OwnedMutexGuard<sqlite::Writer>),
    Postgres(PoolConnection<Postgres>),
    /// PostgreSQL is at a statement that nobody waits for yet.
    Away(Away),
}

/// A connection on its way, and what came of its statement.
type Away = JoinHandle<(PoolConnection<Postgres>, Result<Result<(), sqlx::Error>, SqlError>)>;

impl Tx {
    pub(crate) async fn begin(db: &Db, relaxed: bool) -> Result<Tx, SqlError> {
        match &db.backend {
            Backend::Sqlite(store) => Ok(Tx::of_sqlite(store.acquire().await?, relaxed)),
            Backend::Postgres(pool) => {
                let mut lost = 0;
                loop {
                    // The Tx exists before BEGIN is sent: a future dropped in between rolls back like any other.
                    let connection = Some(Connected::Postgres(pool.connections.acquire().await?));
                    let (unsent, ahead) = (Unsent::default(), VecDeque::new());
                    let mut tx = Tx { connection, failed: false, unsent, ahead, deadline: Some(pool.deadline) };
                    let Err(error) = tx.control(postgres::BEGIN).await else { return Ok(tx) };
                    let Some(Connected::Postgres(connection)) = tx.connection.take() else { return Err(error) };
                    postgres::give_up(connection);
                    if lost == pool.most() {
                        return Err(error);
                    }
                    // It was lost while it was idle, and so may all others be. Nothing has begun.
                    lost += 1;
                }
            }
        }
    }

    /// None where it would have to be waited for.
    pub(crate) fn begin_now(db: &Db) -> Option<Tx> {
        match &db.backend {
            Backend::Sqlite(store) => store.acquire_now().map(|guard| Tx::of_sqlite(guard, false)),
            Backend::Postgres(_) => None,
        }
    }

    fn of_sqlite(guard: OwnedMutexGuard<sqlite::Writer>, relaxed: bool) -> Tx {
        let connection = Some(Connected::Sqlite(guard));
        Tx { connection, failed: false, unsent: Unsent::begin(relaxed), ahead: VecDeque::new(), deadline: None }
    }

    /// False while PostgreSQL is at what went ahead before ([`Tx::insert_ahead`]): more would wait for that, and later more rows go in one
    /// statement. SQLite has a queue.
    pub fn goes_ahead(&self) -> bool {
        !matches!(&self.connection, Some(Connected::Away(away)) if !away.is_finished())
    }

    /// From now on statements of this transaction take as long as they need, and wait for locks as long.
    ///
    /// # Errors
    /// Any [`SqlError`].
    pub async fn unhurried(&mut self) -> Result<(), SqlError> {
        if self.dialect() == Dialect::Postgres {
            self.execute("SET LOCAL statement_timeout = 0", &[]).await?;
        }
        self.deadline = None;
        Ok(())
    }

    /// Runs a statement; returns the number of rows it changed.
    ///
    /// # Errors
    /// Any [`SqlError`].
    pub async fn execute(&mut self, sql: &str, args: &[Value]) -> Result<u64, SqlError> {
        let statement = Bound::new(self, sql, args)?;
        self.change(statement).await
    }

    /// Runs a query inside the transaction.
    ///
    /// # Errors
    /// Any [`SqlError`].
    pub async fn query(&mut self, sql: &str, args: &[Value]) -> Result<Vec<Row>, SqlError> {
        let statement = Bound::new(self, sql, args)?;
        self.rows(statement).await
    }

    /// Runs a query whose text names `{keys}` (see [`Keys`]).
    ///
    /// # Errors
    /// Any [`SqlError`].
    pub async fn query_keyed(&mut self, sql: &str, keys: Keys<'_>, args: &[Value]) -> Result<Vec<Row>, SqlError> {
        let statement = Bound::keyed(self, sql, keys, args)?;
        self.rows(statement).await
    }

    /// Runs a statement of which only the effect counts. It may be sent together with what follows: then its error is that of the next
    /// call, of [`Tx::flush`] or of [`Tx::commit`].
    ///
    /// # Errors
    /// Any [`SqlError`].
    pub async fn defer(&mut self, sql: &str, args: &[Value]) -> Result<(), SqlError> {
        let statement = Bound::new(self, sql, args)?;
        self.put_off(statement).await
    }

    /// Runs a statement that must change a row: what follows makes sense only then. Like [`Tx::defer`] it may be sent with what follows.
    ///
    /// # Errors
    /// [`SqlError::Busy`] where it changes none, because somebody else was there first; any other [`SqlError`].
    pub async fn require(&mut self, sql: &str, args: &[Value]) -> Result<(), SqlError> {
        match Bound::new(self, sql, args)? {
            Bound::Sqlite(statement) => {
                self.unsent.add(Statement { must_change: true, ..statement });
                Ok(())
            }
            statement @ Bound::Postgres(..) => {
                self.failed |= self.change(statement).await? == 0;
                if self.failed { Err(SqlError::Busy(NOT_AS_EXPECTED.into())) } else { Ok(()) }
            }
        }
    }

    /// Sends what was put off, for whoever must know now whether it is possible.
    ///
    /// # Errors
    /// Any [`SqlError`] of what was put off.
    pub async fn flush(&mut self) -> Result<(), SqlError> {
        if self.unsent.has_statements() {
            self.sent(Vec::new()).await?;
        }
        self.arrived(0).await?;
        self.back().await
    }

    /// Lets SQLite begin with what was put off while the caller goes on. Errors: that of what was sent ahead before.
    pub(crate) async fn send_ahead(&mut self) -> Result<(), SqlError> {
        if !self.unsent.has_statements() {
            return Ok(());
        }
        self.arrived(MOST_AHEAD - 1).await?;
        let (statements, _) = std::mem::take(&mut self.unsent).followed_by(Vec::new());
        self.started(Work::Within(statements))
    }

    /// Runs several statements separated by `;`, without arguments: definitions of tables and indexes.
    ///
    /// # Errors
    /// Any [`SqlError`].
    pub async fn execute_script(&mut self, sql: &str) -> Result<(), SqlError> {
        if self.unsent.has_begin() || self.unsent.has_statements() {
            self.sent(Vec::new()).await?;
        }
        let deadline = self.deadline;
        if self.dialect() == Dialect::Sqlite {
            return self.at_sqlite(Work::Script(sql.to_owned())).await.map(|_| ());
        }
        let script = sqlx::raw_sql(postgres::statement(sql));
        let connection = self.postgres().await?;
        let done = postgres::answer(deadline, script.execute(&mut **connection)).await.map(|done| done.map(|_| ()));
        self.note(done)
    }

    /// Makes everything durable. When it fails nothing is stored, except that after [`SqlError::Unavailable`] the
    /// outcome is unknown: read before you repeat.
    ///
    /// # Errors
    /// [`SqlError::DiskFull`], [`SqlError::Unavailable`], [`SqlError::Busy`]; [`SqlError::Refused`] when a statement had failed.
    pub async fn commit(mut self) -> Result<(), SqlError> {
        if self.failed {
            return Err(SqlError::Refused("a statement of the transaction has failed".into()));
        }
        match self.dialect() {
            // Nobody asked for anything.
            Dialect::Sqlite if self.unsent.has_begin() && !self.unsent.has_statements() => {}
            Dialect::Sqlite => drop(self.sent(vec![Statement::new("COMMIT", Vec::new())]).await?),
            Dialect::Postgres => self.control("COMMIT").await?,
        }
        self.end();
        Ok(())
    }

    /// Undoes everything now. Dropping does the same in the background.
    ///
    /// # Errors
    /// [`SqlError::Unavailable`]; also then nothing is stored.
    pub async fn rollback(mut self) -> Result<(), SqlError> {
        match self.dialect() {
            // The database knows nothing of it.
            Dialect::Sqlite if self.unsent.has_begin() => {}
            // How what was sent ahead ended does not matter: the thread comes to this after it.
            Dialect::Sqlite => {
                self.ahead.clear();
                drop(self.at_sqlite(Work::Rollback).await?);
            }
            Dialect::Postgres => {
                let _ = self.back().await;
                self.control("ROLLBACK").await?;
            }
        }
        self.end();
        Ok(())
    }

    /// Runs statements one after the other, on SQLite in one turn; answers each with the number of rows that it changed and the rows that
    /// it found. For statements of which each makes sense whatever the others answer.
    ///
    /// # Errors
    /// Any [`SqlError`]; then nothing is known of the others.
    pub async fn in_turn(&mut self, steps: Vec<Step<'_>>) -> Result<Vec<(u64, Vec<Row>)>, SqlError> {
        let mut bound = Vec::with_capacity(steps.len());
        for step in steps {
            bound.push(match step.keys {
                Some(keys) => Bound::keyed(self, step.sql, keys, &step.args)?,
                None => Bound::new(self, step.sql, &step.args)?,
            });
        }
        if self.dialect() == Dialect::Sqlite {
            let statements = bound.into_iter().map(|one| one.for_sqlite().ok_or_else(mismatch)).collect::<Result<Vec<_>, _>>()?;
            return self.sent(statements).await;
        }
        let mut answers = Vec::with_capacity(bound.len());
        for one in bound {
            answers.push(self.found(one).await?);
        }
        Ok(answers)
    }

    async fn change(&mut self, statement: Bound<'_>) -> Result<u64, SqlError> {
        Ok(self.found(statement).await?.0)
    }

    async fn rows(&mut self, statement: Bound<'_>) -> Result<Vec<Row>, SqlError> {
        Ok(self.found(statement).await?.1)
    }

    /// How many rows a statement changed, and which it found.
    async fn found(&mut self, statement: Bound<'_>) -> Result<(u64, Vec<Row>), SqlError> {
        match statement {
            Bound::Sqlite(statement) => Ok(self.sent(vec![statement]).await?.pop().unwrap_or_default()),
            Bound::Postgres(text, arguments) => {
                let query = sqlx::query_with(postgres::statement(&text), arguments);
                let deadline = self.deadline;
                let mut answers = self.postgres().await?.fetch_many(query);
                let found = async {
                    let mut found = (0, Vec::new());
                    while let Some(answer) = answers.try_next().await? {
                        match answer {
                            Either::Left(done) => found.0 = done.rows_affected(),
                            Either::Right(row) => found.1.push(Row::postgres(row)),
                        }
                    }
                    Ok(found)
                };
                let found = postgres::answer(deadline, found).await;
                drop(answers);
                self.note(found)
            }
        }
    }

    /// Sends a statement later where that saves a way; where much waits it goes ahead, and on PostgreSQL now.
    pub(crate) async fn put_off(&mut self, statement: Bound<'_>) -> Result<(), SqlError> {
        match statement {
            Bound::Sqlite(statement) => {
                let may_wait = self.unsent.takes(statement.arguments());
                self.unsent.add(statement);
                if may_wait { Ok(()) } else { self.send_ahead().await }
            }
            statement @ Bound::Postgres(..) => self.change(statement).await.map(|_| ()),
        }
    }

    /// Sends to SQLite what was put off and, in the same turn, more statements, which it answers.
    async fn sent(&mut self, statements: Vec<Statement>) -> Result<Answers, SqlError> {
        // Whoever drops this future before anything is sent has lost nothing.
        self.arrived(0).await?;
        let (statements, before) = std::mem::take(&mut self.unsent).followed_by(statements);
        let mut answers = self.at_sqlite(Work::Within(statements)).await?;
        Ok(answers.split_off(before.min(answers.len())))
    }

    async fn at_sqlite(&mut self, work: Work) -> Result<Answers, SqlError> {
        self.arrived(0).await?;
        self.started(work)?;
        self.first_of_ahead().await
    }

    /// Sends work, and keeps it among what nobody has waited for.
    fn started(&mut self, work: Work) -> Result<(), SqlError> {
        let Connected::Sqlite(guard) = self.connected()? else { return Err(mismatch()) };
        guard.dirty = true;
        let started = guard.start(work);
        self.failed |= started.is_err();
        self.ahead.push_back(started?);
        Ok(())
    }

    /// Waits until at most so much of what was sent ahead is under way. Errors: that of a part of it.
    async fn arrived(&mut self, most: usize) -> Result<(), SqlError> {
        while self.ahead.len() > most {
            self.first_of_ahead().await?;
        }
        Ok(())
    }

    /// Waits for the oldest of what was sent; a dropped future leaves it there.
    async fn first_of_ahead(&mut self) -> Result<Answers, SqlError> {
        let Some(first) = self.ahead.front_mut() else { return Ok(Vec::new()) };
        let done = first.end().await;
        self.ahead.pop_front();
        self.failed |= done.is_err();
        done
    }

    /// Remembers a failure, so that nobody commits what is left. A connection that still waits for its answer is good for nothing.
    fn note<T>(&mut self, done: Result<Result<T, sqlx::Error>, SqlError>) -> Result<T, SqlError> {
        self.failed |= !matches!(done, Ok(Ok(_)));
        match done {
            Ok(done) => done.map_err(SqlError::from),
            Err(silent) => {
                if let Some(Connected::Postgres(connection)) = self.connection.take() {
                    postgres::give_up(connection);
                }
                Err(silent)
            }
        }
    }

    /// Which database it is.
    pub fn dialect(&self) -> Dialect {
        match &self.connection {
            Some(Connected::Postgres(_) | Connected::Away(_)) => Dialect::Postgres,
            Some(Connected::Sqlite(_)) | None => Dialect::Sqlite,
        }
    }

    fn connected(&mut self) -> Result<&mut Connected, SqlError> {
        self.connection.as_mut().ok_or_else(|| SqlError::Refused("the transaction has ended".into()))
    }

    async fn postgres(&mut self) -> Result<&mut PoolConnection<Postgres>, SqlError> {
        self.back().await?;
        match self.connected()? {
            Connected::Postgres(connection) => Ok(connection),
            Connected::Sqlite(_) | Connected::Away(_) => Err(mismatch()),
        }
    }

    /// Lets PostgreSQL begin with a statement while the caller goes on: whatever is asked next waits for its end, and has its error.
    pub(crate) async fn go_ahead(&mut self, text: String, arguments: PgArguments) -> Result<(), SqlError> {
        self.back().await?;
        let deadline = self.deadline;
        match self.connection.take() {
            Some(Connected::Postgres(mut connection)) => {
                self.connection = Some(Connected::Away(tokio::spawn(async move {
                    let query = sqlx::query_with(postgres::statement(&text), arguments);
                    let done = postgres::answer(deadline, query.execute(&mut *connection)).await.map(|done| done.map(|_| ()));
                    (connection, done)
                })));
                // The task gets to send it before the caller works on.
                tokio::task::yield_now().await;
                Ok(())
            }
            other => {
                self.connection = other;
                Err(mismatch())
            }
        }
    }

    /// Waits for a connection that is away. A dropped future leaves it where it is. Errors: that of its statement.
    async fn back(&mut self) -> Result<(), SqlError> {
        let Some(Connected::Away(away)) = &mut self.connection else { return Ok(()) };
        match away.await {
            Ok((connection, done)) => {
                self.connection = Some(Connected::Postgres(connection));
                self.note(done)
            }
            Err(error) => {
                (self.connection, self.failed) = (None, true);
                Err(SqlError::Unavailable(error.to_string()))
            }
        }
    }

    /// BEGIN, COMMIT and ROLLBACK: PostgreSQL takes them in the simple protocol, one round trip each.
    async fn control(&mut self, sql: &'static str) -> Result<(), SqlError> {
        let deadline = self.deadline;
        let connection = self.postgres().await?;
        let done = postgres::answer(deadline, connection.execute(sql)).await.map(|done| done.map(|_| ()));
        self.note(done)
    }

    fn end(&mut self) {
        if let Some(Connected::Sqlite(mut guard)) = self.connection.take() {
            guard.dirty = false;
        }
    }
}

/// A statement of [`Tx::in_turn`].
pub struct Step<'a> {
    /// Its text, with `$n`.
    pub sql: &'a str,
    /// Its arguments.
    pub args: Vec<Value>,
    /// Its table of keys, where the text names `{keys}`.
    pub keys: Option<Keys<'a>>,
}

/// A statement with its arguments, for one of the two databases.
pub(crate) enum Bound<'a> {
    Sqlite(Statement),
    Postgres(Cow<'a, str>, PgArguments),
}

impl<'a> Bound<'a> {
    fn new(tx: &Tx, sql: &'a str, args: &[Value]) -> Result<Self, SqlError> {
        match tx.dialect() {
            Dialect::Sqlite => Ok(Bound::Sqlite(Statement::new(sql, args.to_vec()))),
            Dialect::Postgres => Ok(Bound::Postgres(sql.into(), postgres::arguments(args.iter().cloned())?)),
        }
    }

    fn for_sqlite(self) -> Option<Statement> {
        match self {
            Bound::Sqlite(statement) => Some(statement),
            Bound::Postgres(..) => None,
        }
    }

    pub(crate) fn keyed(tx: &Tx, sql: &str, keys: Keys<'_>, args: &[Value]) -> Result<Self, SqlError> {
        match tx.dialect() {
            Dialect::Sqlite => keys.for_sqlite(sql, args).map(|(text, values)| Bound::Sqlite(Statement::new(text, values))),
            Dialect::Postgres => keys.for_postgres(sql, args).map(|(text, arguments)| Bound::Postgres(text.into(), arguments)),
        }
    }
}

fn mismatch() -> SqlError {
    SqlError::Refused("the statement was made for the other database".into())
}

impl Drop for Tx {
    /// Rolls back in a task of its own. Where no runtime is left, the next owner of the writer connection rolls back
    /// (SQLite), or the connection is closed (PostgreSQL).
    fn drop(&mut self) {
        let Some(connected) = self.connection.take() else { return };
        if self.unsent.has_begin() {
            // The database knows nothing of it.
            return;
        }
        let (runtime, deadline) = (tokio::runtime::Handle::try_current(), self.deadline.or(Some(STATEMENT_DEADLINE)));
        match (connected, runtime) {
            (Connected::Sqlite(mut guard), Ok(runtime)) => {
                runtime.spawn(async move { guard.rollback().await });
            }
            (Connected::Sqlite(guard), Err(_)) => drop(guard),
            (Connected::Postgres(connection), Ok(runtime)) => drop(runtime.spawn(undone(connection, deadline))),
            (Connected::Postgres(mut connection), Err(_)) => connection.close_on_drop(),
            (Connected::Away(away), Ok(runtime)) => {
                runtime.spawn(async move {
                    match away.await {
                        Ok((connection, Ok(_))) => undone(connection, deadline).await,
                        // It still waits for its answer.
                        Ok((connection, Err(_))) => postgres::give_up(connection),
                        Err(_) => {}
                    }
                });
            }
            // Its task ends with the runtime, and the connection with it.
            (Connected::Away(_), Err(_)) => {}
        }
    }
}

/// Rolls back what nobody owns any more, or gives the connection up.
async fn undone(mut connection: PoolConnection<Postgres>, deadline: Option<Duration>) {
    if !matches!(postgres::answer(deadline, connection.execute("ROLLBACK")).await, Ok(Ok(_))) {
        postgres::give_up(connection);
    }
}
