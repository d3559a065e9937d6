//! What a service needs and does not find yet: the database or the broker that starts after it.

use backon::{BackoffBuilder, ExponentialBuilder};
use eventlog::{
    LogError,
    bus::{Bus, BusError},
};
use sql::SqlError;
use std::time::Duration;

const FIRST_PAUSE: Duration = Duration::from_millis(250);
const LONGEST_PAUSE: Duration = Duration::from_secs(5);

/// Asks for `what` again and again, with growing pauses, until it is there. Each time the log says for what it waits and why.
///
/// Errors: those that will not go away by waiting, as a wrong password, at once.
pub async fn wait_for<T>(what: &str, ask: impl AsyncFn() -> anyhow::Result<T>) -> anyhow::Result<T> {
    let pauses = ExponentialBuilder::new().with_min_delay(FIRST_PAUSE).with_max_delay(LONGEST_PAUSE).without_max_times();
    let mut waited = false;
    for pause in pauses.build() {
        match ask().await {
            Err(error) if is_away(&error) => {
                tracing::warn!(error = format!("{error:#}"), pause_ms = pause.as_millis(), "waiting for {what}");
                waited = true;
            }
            answer => {
                if waited && answer.is_ok() {
                    tracing::info!("{what} is there");
                }
                return answer;
            }
        }
        tokio::time::sleep(pause).await;
    }
    ask().await
}

/// Waits until a broker answers; in process there is none to wait for. Errors: settings that cannot be used.
pub async fn wait_for_broker(bus: &Bus) -> anyhow::Result<()> {
    let Bus::Kafka(kafka) = bus else { return Ok(()) };
    wait_for(&format!("Kafka at {}", kafka.config().bootstrap), async || Ok(kafka.reach().await?)).await
}

/// Whether somebody does not answer who may answer later.
fn is_away(error: &anyhow::Error) -> bool {
    let unavailable = |error: &SqlError| match error {
        SqlError::Unavailable(_) => true,
        SqlError::Unique { .. }
        | SqlError::DiskFull
        | SqlError::Busy(_)
        | SqlError::Column { .. }
        | SqlError::Data(_)
        | SqlError::Refused(_) => false,
    };
    let log = |error: &LogError| match error {
        LogError::Sql(error) => unavailable(error),
        LogError::DiskFull | LogError::Corrupt(_) | LogError::Fault(_) | LogError::NoSql => false,
    };
    let broker = |error: &BusError| match error {
        BusError::Away(_) => true,
        BusError::Kafka(_) | BusError::Partitions { .. } => false,
    };
    error.downcast_ref().is_some_and(unavailable) || error.downcast_ref().is_some_and(log) || error.downcast_ref().is_some_and(broker)
}

#[cfg(test)]
mod tests {
    use super::*;
    use anyhow::Context;
    use std::cell::Cell;

    #[tokio::test]
    async fn what_is_away_is_asked_for_until_it_comes() {
        let asked = Cell::new(0);
        let found = wait_for("a database", async || {
            asked.set(asked.get() + 1);
            let answer = if asked.get() < 3 { Err(SqlError::Unavailable("refused".into())) } else { Ok(asked.get()) };
            answer.context("it cannot be opened")
        });
        assert_eq!(found.await.unwrap(), 3);
    }

    #[tokio::test]
    async fn what_waiting_does_not_mend_is_told_at_once() {
        for error in [SqlError::Refused("password authentication failed".into()), SqlError::DiskFull] {
            let told = wait_for("a database", async || Err::<(), _>(error.clone()).context("it cannot be opened")).await;
            assert!(format!("{:#}", told.unwrap_err()).starts_with("it cannot be opened: "));
        }
        let partitions = || BusError::Partitions { topic: "t".into(), actual: 3, configured: 4 };
        assert!(wait_for("a topic", async || Err::<(), _>(partitions().into())).await.is_err());
    }
}
