//! What happens next: facts, a deadline of some timer, the begin or end of an outage.

use crate::portfolio::Spool;
use anyhow::{Context, ensure};
use chrono::{DateTime, NaiveDate, NaiveTime, Utc};
use kernel::{Zone, calendar};

/// Days on which the engine and notification do nothing: from 00:00 of the first until 00:00 of the last.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Outage {
    /// First day without them.
    pub from: NaiveDate,
    /// The day on which they come back.
    pub until: NaiveDate,
}

impl Outage {
    /// From `A..B`. Errors: no two dates, or B not after A.
    pub fn parse(text: &str) -> anyhow::Result<Self> {
        let (from, until) = text.split_once("..").context("an outage is written A..B")?;
        let date = |text: &str| text.parse::<NaiveDate>().with_context(|| format!("`{text}` is no date YYYY-MM-DD"));
        let outage = Self { from: date(from)?, until: date(until)? };
        ensure!(outage.from < outage.until, "an outage ends after it begins");
        Ok(outage)
    }
}

/// The next instant at which anything can happen.
pub struct Next {
    /// When.
    pub at: DateTime<Utc>,
    /// What.
    pub what: What,
}

/// What happens at an instant; of several at once, in this order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum What {
    /// The engine and notification stop.
    OutageBegins,
    /// They come back.
    OutageEnds,
    /// Facts of a day.
    Facts(NaiveDate),
    /// Somebody's timer.
    Deadline,
}

/// The order of a replay's instants.
pub struct Timeline {
    zone: Zone,
    until: NaiveDate,
    /// Last day whose facts were played.
    played: NaiveDate,
    outage: Option<Outage>,
    out: bool,
}

/// When the facts of a day are recorded and the engine's day begins.
fn morning() -> NaiveTime {
    NaiveTime::from_hms_opt(8, 0, 0).unwrap_or(NaiveTime::MIN)
}

impl Timeline {
    /// From the first day on.
    pub fn new(zone: Zone, first: NaiveDate, until: NaiveDate, outage: Option<Outage>) -> Self {
        Self { zone, until, played: calendar::previous(first), outage, out: false }
    }

    /// Whether the engine is out.
    pub fn is_out(&self) -> bool {
        self.out
    }

    /// The next instant; `None` once the last day is over.
    pub async fn next(&mut self, deadline: Option<DateTime<Utc>>, spool: &Spool) -> anyhow::Result<Option<Next>> {
        let facts = spool.next_day(self.played).await?.map(|day| Next { at: self.zone.instant(day, morning()), what: What::Facts(day) });
        let deadline = deadline.filter(|_| !self.out).map(|at| Next { at: self.not_before_morning(at), what: What::Deadline });
        let next = [self.outage_step(), facts, deadline].into_iter().flatten().min_by_key(|next| (next.at, next.what));
        let Some(next) = next.filter(|next| next.at < self.zone.midnight(calendar::next(self.until))) else { return Ok(None) };
        match next.what {
            What::OutageBegins => self.out = true,
            What::OutageEnds => (self.out, self.outage) = (false, None),
            What::Facts(day) => self.played = day,
            What::Deadline => {}
        }
        Ok(Some(next))
    }

    fn outage_step(&self) -> Option<Next> {
        let outage = self.outage?;
        Some(if self.out {
            Next { at: self.zone.midnight(outage.until), what: What::OutageEnds }
        } else {
            Next { at: self.zone.midnight(outage.from), what: What::OutageBegins }
        })
    }

    /// Between midnight and the morning the engine rests.
    fn not_before_morning(&self, at: DateTime<Utc>) -> DateTime<Utc> {
        at.max(self.zone.instant(self.zone.day_of(at), morning()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_outage_is_two_dates_in_order() {
        assert!(Outage::parse("2013-03-01..2013-03-15").is_ok());
        for bad in ["2013-03-01", "2013-03-15..2013-03-01", "2013-03-01..2013-03-01", "a..b"] {
            assert!(Outage::parse(bad).is_err(), "{bad}");
        }
    }
}
