//! A PostgreSQL server seen from outside any schema, for whoever makes schemas that are to go again.

use std::str::FromStr;

use chrono::{DateTime, Utc};
use sqlx::postgres::PgConnectOptions;
use sqlx::{ConnectOptions, PgConnection, Row as _};

use crate::{SqlError, postgres};

/// One connection. What it holds ends with it, also when the process is killed.
pub struct Server {
    connection: PgConnection,
}

impl Server {
    /// Connects.
    ///
    /// # Errors
    /// [`SqlError::Unavailable`] when the server does not answer, [`SqlError::Refused`] for a bad URL.
    pub async fn connect(url: &str) -> Result<Server, SqlError> {
        let options = PgConnectOptions::from_str(url)?.application_name("regua").disable_statement_logging();
        Ok(Server { connection: postgres::answered(&options).await? })
    }

    /// What the server's clock says.
    ///
    /// # Errors
    /// Any [`SqlError`].
    pub async fn now(&mut self) -> Result<DateTime<Utc>, SqlError> {
        Ok(sqlx::query("SELECT clock_timestamp() AS now").fetch_one(&mut self.connection).await?.try_get("now")?)
    }

    /// A setting as it is for a connection that asks for nothing else.
    ///
    /// # Errors
    /// Any [`SqlError`]; there is no such setting.
    pub async fn setting(&mut self, name: &str) -> Result<String, SqlError> {
        let sql = "SELECT current_setting($1) AS setting";
        Ok(sqlx::query(sql).bind(name).fetch_one(&mut self.connection).await?.try_get("setting")?)
    }

    /// Takes a name for as long as the connection lives; false when somebody else has it.
    ///
    /// # Errors
    /// Any [`SqlError`].
    pub async fn try_hold(&mut self, name: &str) -> Result<bool, SqlError> {
        let sql = "SELECT pg_try_advisory_lock(hashtextextended($1, 0)) AS held";
        Ok(sqlx::query(sql).bind(name).fetch_one(&mut self.connection).await?.try_get("held")?)
    }

    /// Names of the schemas that begin so, sorted.
    ///
    /// # Errors
    /// Any [`SqlError`].
    pub async fn schemas(&mut self, beginning: &str) -> Result<Vec<String>, SqlError> {
        let sql = "SELECT nspname::text AS name FROM pg_namespace WHERE starts_with(nspname::text, $1) ORDER BY 1";
        let rows = sqlx::query(sql).bind(beginning).fetch_all(&mut self.connection).await?;
        Ok(rows.iter().map(|row| row.try_get("name")).collect::<Result<_, _>>()?)
    }

    /// Drops a schema with everything in it; one that is not there is no error.
    ///
    /// # Errors
    /// Any [`SqlError`]; [`SqlError::Refused`] for a name that is no lower case identifier.
    pub async fn drop_schema(&mut self, schema: &str) -> Result<(), SqlError> {
        if !postgres::is_identifier(schema) {
            return Err(SqlError::Refused(format!("schema {schema:?} is not a lower case identifier")));
        }
        let text = format!("DROP SCHEMA IF EXISTS {schema} CASCADE");
        // Every object dropped with it would be a notice.
        let quiet = format!("SET client_min_messages = error; {text}");
        sqlx::raw_sql(sqlx::AssertSqlSafe(quiet)).execute(&mut self.connection).await?;
        Ok(())
    }
}
