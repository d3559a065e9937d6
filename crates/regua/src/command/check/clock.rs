//! This machine's clock beside the database's.

use super::{Finding, finding};
use crate::settings::Settings;
use chrono::{DateTime, TimeDelta, Utc};
use eventlog::Clock;
use host::clock::SystemClock;
use sql::Server;

/// Further apart than this and days, windows and deadlines begin at other moments than people think.
const TOLERATED: TimeDelta = TimeDelta::seconds(2);

pub(super) async fn clock(settings: &Settings) -> Finding {
    if settings.storage.kind != "postgres" {
        return finding("clock", Ok("not compared: the databases are files on this machine".to_owned()));
    }
    let outcome = match asked(&settings.storage.url).await {
        Ok(offset) => judged(offset, settings.bus.kind == "kafka"),
        Err(error) => Err(format!("PostgreSQL cannot be asked for its time: {error}")),
    };
    finding("clock", outcome)
}

/// How far PostgreSQL's clock is surely from ours: its answer lies between our question and its arrival.
async fn asked(url: &str) -> Result<TimeDelta, sql::SqlError> {
    let mut server = Server::connect(url).await?;
    let asked = SystemClock.now();
    let theirs = server.now().await?;
    Ok(apart(asked, theirs, SystemClock.now()))
}

fn apart(asked: DateTime<Utc>, theirs: DateTime<Utc>, answered: DateTime<Utc>) -> TimeDelta {
    if theirs < asked { theirs - asked } else { (theirs - answered).max(TimeDelta::zero()) }
}

fn judged(offset: TimeDelta, has_broker: bool) -> Result<String, String> {
    let brokers = if has_broker { "; brokers are not asked: events carry the time of their own log" } else { "" };
    let compared = format!("PostgreSQL's clock is {} ms from this machine's{brokers}", offset.num_milliseconds());
    if offset.abs() > TOLERATED {
        Err(format!("{compared}; more than {} s: set both by NTP", TOLERATED.num_seconds()))
    } else {
        Ok(compared)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slow_answer_is_no_offset_and_more_than_two_seconds_is_a_finding() {
        let at = |seconds: i64| DateTime::<Utc>::UNIX_EPOCH + TimeDelta::seconds(seconds);
        let cases = [(100, 105, 110, 0, true), (100, 97, 101, -3, false), (100, 112, 110, 2, true), (100, 113, 110, 3, false)];
        for (asked, theirs, answered, offset, fit) in cases {
            let found = apart(at(asked), at(theirs), at(answered));
            assert_eq!((found, judged(found, true).is_ok()), (TimeDelta::seconds(offset), fit), "{theirs}");
        }
    }
}
