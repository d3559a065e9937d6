//! The PostgreSQL adapter: a pool whose connections hold no transaction that somebody has left, and whose statements have a deadline.

use std::str::FromStr;
use std::time::Duration;

use sqlx::pool::PoolConnection;
use sqlx::postgres::{PgArguments, PgConnectOptions, PgPool, PgPoolOptions, PgRow};
use sqlx::{Arguments, AssertSqlSafe, ConnectOptions, Connection, Executor, PgConnection, Postgres};

use crate::{Column, Kind, SqlError, Value};

/// How long a server may take to let the first connection in.
const ANSWER: Duration = Duration::from_secs(5);

/// The server ends a statement at its deadline and says so. A server that says nothing is given so much longer.
const GRACE: Duration = Duration::from_secs(5);
/// Ends whatever transaction a borrower finds, in one round trip. A plain ROLLBACK outside a transaction, which is where almost every
/// borrower is, would put a warning into the server's log each time. In a transaction that has failed BEGIN is an error, and the
/// connection is given up.
const OUTSIDE: &str = "BEGIN; ROLLBACK";
/// Begins a transaction outside of any other, in one round trip. Where the borrower before left one that has failed, this fails as well, and
/// the connection is given up.
pub(crate) const BEGIN: &str = "BEGIN; ROLLBACK; BEGIN";
/// Who borrows a connection that was at work so lately asks it for nothing else first: each round trip is a wait. One that was lost meanwhile is
/// found out by what is asked of it, and given up for another. Nothing is left open on it either: a [`crate::Tx`] hands its connection back after
/// COMMIT or ROLLBACK, or gives it up.
const AT_WORK: Duration = Duration::from_millis(100);

/// Prepared once per connection: the text is the key of the statement cache.
pub(crate) fn statement(sql: &str) -> AssertSqlSafe<&str> {
    // The audited place: texts come from the source code of this project, values travel as arguments only.
    AssertSqlSafe(sql)
}

/// Connections to one schema.
#[derive(Clone)]
pub(crate) struct Pool {
    pub(crate) connections: PgPool,
    /// How long a statement may take.
    pub(crate) deadline: Duration,
}

impl Pool {
    /// Runs a query outside any transaction on a connection of the pool. One that was lost while it was idle is given up for another.
    pub(crate) async fn fetch(&self, text: &str, arguments: PgArguments) -> Result<Vec<PgRow>, SqlError> {
        let mut lost = 0;
        loop {
            let mut connection = self.connections.acquire().await?;
            let query = sqlx::query_with(statement(text), arguments.clone()).fetch_all(&mut *connection);
            match answer(Some(self.deadline), query).await {
                Ok(Ok(rows)) => return Ok(rows),
                Ok(Err(error)) if is_lost(&error) && lost < self.most() => {
                    give_up(connection);
                    lost += 1;
                }
                Ok(Err(error)) => return Err(error.into()),
                Err(silent) => {
                    give_up(connection);
                    return Err(silent);
                }
            }
        }
    }

    /// Connections at most.
    pub(crate) fn most(&self) -> u32 {
        self.connections.options().get_max_connections()
    }
}

/// Whether the connection was lost, and not what was asked of it refused or cut short: the classes of PostgreSQL's errors are in its manual,
/// appendix A, and 57P is an end of the session that an operator or a crash has made.
fn is_lost(error: &sqlx::Error) -> bool {
    let ended = |error: &dyn sqlx::error::DatabaseError| error.code().is_some_and(|code| code.starts_with("57P"));
    matches!(error, sqlx::Error::Io(_)) || error.as_database_error().is_some_and(ended)
}

/// What the server answers, unless it takes longer than the deadline, and the grace on top, allow.
pub(crate) async fn answer<T>(deadline: Option<Duration>, statement: impl Future<Output = T>) -> Result<T, SqlError> {
    let Some(deadline) = deadline else { return Ok(statement.await) };
    match tokio::time::timeout(deadline + GRACE, statement).await {
        Ok(answered) => Ok(answered),
        Err(_) => Err(SqlError::Unavailable(format!("no answer in {} s", (deadline + GRACE).as_secs()))),
    }
}

/// Takes a connection that waits for an answer out of its pool and closes it: returned, it would be asked once more and keep its place.
pub(crate) fn give_up(connection: PoolConnection<Postgres>) {
    drop(connection.detach());
}

/// Opens a pool whose connections see `schema` only; creates the schema when it is missing.
pub(crate) async fn connect(url: &str, schema: &str, max_connections: u32, deadline: Duration) -> Result<Pool, SqlError> {
    let options = options(url, schema, deadline)?;
    create_schema(&options, schema).await?;
    Ok(pool(options, max_connections, deadline))
}

/// As [`connect`], but creates nothing: `None` where the schema is missing.
pub(crate) async fn look(url: &str, schema: &str, deadline: Duration) -> Result<Option<Pool>, SqlError> {
    let options = options(url, schema, deadline)?;
    let mut connection = answered(&options).await?;
    let found = sqlx::query("SELECT 1 FROM pg_namespace WHERE nspname = $1").bind(schema).fetch_optional(&mut connection).await?;
    connection.close().await?;
    Ok(found.map(|_| pool(options, 2, deadline)))
}

fn options(url: &str, schema: &str, deadline: Duration) -> Result<PgConnectOptions, SqlError> {
    if !is_identifier(schema) {
        return Err(SqlError::Refused(format!("schema {schema:?} is not a lower case identifier")));
    }
    let deadline_ms = deadline.as_millis().to_string();
    let settings = [
        ("search_path", schema),
        // What a BEGIN inside a transaction would say.
        ("client_min_messages", "error"),
        // A process that hangs inside a transaction holds the head of the log: the server ends it after a minute.
        ("idle_in_transaction_session_timeout", "60s"),
        // What is looked up is looked up by an index, whatever the server counted last: a plan that reads all of a small table is kept while the
        // table grows.
        ("enable_seqscan", "off"),
        // Where no index serves, that makes a plan look dear enough to be compiled: a fifth of a second for a millisecond's work.
        ("jit", "off"),
        // Waiting for a lock counts.
        ("statement_timeout", deadline_ms.as_str()),
    ];
    let options = PgConnectOptions::from_str(url)?.options(settings).application_name("regua");
    Ok(options.statement_cache_capacity(512).disable_statement_logging())
}

fn pool(options: PgConnectOptions, max_connections: u32, deadline: Duration) -> Pool {
    let connections = PgPoolOptions::new()
        .max_connections(max_connections)
        // A server that does not answer the hook is given up here.
        .acquire_timeout(deadline)
        // The hook speaks to the server where that is needed.
        .test_before_acquire(false)
        .before_acquire(|connection, meta| {
            Box::pin(async move {
                if meta.idle_for >= AT_WORK {
                    connection.execute(OUTSIDE).await?;
                }
                Ok(true)
            })
        })
        .connect_lazy_with(options);
    Pool { connections, deadline }
}

/// Several services and replicas start at once: `IF NOT EXISTS` alone races with itself in the catalogue.
async fn create_schema(options: &PgConnectOptions, schema: &str) -> Result<(), SqlError> {
    let mut connection = answered(options).await?;
    let text = format!("SELECT pg_advisory_lock(7261677561); CREATE SCHEMA IF NOT EXISTS {schema}; SELECT pg_advisory_unlock(7261677561)");
    sqlx::raw_sql(sqlx::AssertSqlSafe(text)).execute(&mut connection).await?;
    connection.close().await?;
    Ok(())
}

/// A connection, unless the server takes longer than it may.
pub(crate) async fn answered(options: &PgConnectOptions) -> Result<PgConnection, SqlError> {
    match tokio::time::timeout(ANSWER, options.connect()).await {
        Ok(connected) => Ok(connected?),
        Err(_) => Err(SqlError::Unavailable(format!("no answer in {} s", ANSWER.as_secs()))),
    }
}

pub(crate) fn is_identifier(name: &str) -> bool {
    let head = name.chars().next().is_some_and(|first| first.is_ascii_lowercase() || first == '_');
    head && name.len() <= 63 && name.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_')
}

/// Binds values in order.
pub(crate) fn arguments(values: impl IntoIterator<Item = Value>) -> Result<PgArguments, SqlError> {
    let mut arguments = PgArguments::default();
    for value in values {
        add(&mut arguments, value).map_err(|error| SqlError::Refused(error.to_string()))?;
    }
    Ok(arguments)
}

fn add(arguments: &mut PgArguments, value: Value) -> Result<(), sqlx::error::BoxDynError> {
    match value {
        Value::Int(value) => arguments.add(value),
        Value::OptInt(value) => arguments.add(value),
        Value::Text(value) => arguments.add(value),
        Value::OptText(value) => arguments.add(value),
        Value::Bytes(value) => arguments.add(value),
        Value::OptBytes(value) => arguments.add(value),
        Value::Bool(value) => arguments.add(value),
        Value::OptBool(value) => arguments.add(value),
        Value::Uuid(value) => arguments.add(value),
        Value::OptUuid(value) => arguments.add(value),
        Value::Date(value) => arguments.add(value),
        Value::OptDate(value) => arguments.add(value),
        Value::Instant(value) => arguments.add(value),
        Value::OptInstant(value) => arguments.add(value),
    }
}

/// Binds rows as one array per column, for `UNNEST`.
pub(crate) fn arrays(columns: &[Column], rows: Vec<Vec<Value>>, arguments: &mut PgArguments) -> Result<(), SqlError> {
    let mut cells: Vec<Vec<Value>> = columns.iter().map(|_| Vec::with_capacity(rows.len())).collect();
    for row in rows {
        for (index, value) in row.into_iter().enumerate() {
            cells[index].push(value);
        }
    }
    for (column, values) in columns.iter().zip(cells) {
        add_array(arguments, column.kind, values).map_err(|error| SqlError::Refused(error.to_string()))?;
    }
    Ok(())
}

macro_rules! collect {
    ($values:expr, $plain:ident, $optional:ident) => {
        $values
            .into_iter()
            .map(|value| match value {
                Value::$plain(value) => Some(value),
                Value::$optional(value) => value,
                // Rows are checked against their columns before they come here.
                _ => None,
            })
            .collect::<Vec<Option<_>>>()
    };
}

fn add_array(arguments: &mut PgArguments, kind: Kind, values: Vec<Value>) -> Result<(), sqlx::error::BoxDynError> {
    match kind {
        Kind::Int => arguments.add(collect!(values, Int, OptInt)),
        Kind::Text => arguments.add(collect!(values, Text, OptText)),
        Kind::Bytes => arguments.add(collect!(values, Bytes, OptBytes)),
        Kind::Bool => arguments.add(collect!(values, Bool, OptBool)),
        Kind::Uuid => arguments.add(collect!(values, Uuid, OptUuid)),
        Kind::Date => arguments.add(collect!(values, Date, OptDate)),
        Kind::Instant => arguments.add(collect!(values, Instant, OptInstant)),
    }
}
