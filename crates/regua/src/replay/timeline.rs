//! What happens next: facts, a deadline of some timer, the begin or end of an outage.

use crate::portfolio::Spool;
use anyhow::{Context, anyhow, ensure};
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
        let date = |text: &str| host::request::date("", text).map_err(|refusal| anyhow!("`{text}` {}", refusal.message));
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
    /// After an outage the engine's day begins, as every day: after the facts of the day.
    FirstMorning,
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
    stage: Stage,
}

/// Where the engine is in an outage.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Stage {
    /// It works.
    Working,
    /// It is out.
    Out,
    /// It is back; its day has not begun.
    Back,
}

/// When the facts of a day are recorded and the engine's day begins.
fn morning() -> NaiveTime {
    NaiveTime::from_hms_opt(8, 0, 0).unwrap_or(NaiveTime::MIN)
}

impl Timeline {
    /// From the first day on.
    pub fn new(zone: Zone, first: NaiveDate, until: NaiveDate, outage: Option<Outage>) -> Self {
        Self { zone, until, played: calendar::previous(first), outage, stage: Stage::Working }
    }

    /// Whether the engine fires its timers.
    pub fn is_working(&self) -> bool {
        self.stage == Stage::Working
    }

    /// The next instant; `None` once the last day is over.
    pub async fn next(&mut self, deadline: Option<DateTime<Utc>>, spool: &Spool) -> anyhow::Result<Option<Next>> {
        let facts = spool.next_day(self.played).await?.map(|day| Next { at: self.zone.instant(day, morning()), what: What::Facts(day) });
        let deadline = deadline.filter(|_| self.is_working()).map(|at| Next { at: self.not_before_morning(at), what: What::Deadline });
        let next = [self.outage_step(), facts, deadline].into_iter().flatten().min_by_key(|next| (next.at, next.what));
        let Some(next) = next.filter(|next| next.at < self.zone.midnight(calendar::next(self.until))) else { return Ok(None) };
        match next.what {
            What::OutageBegins => self.stage = Stage::Out,
            What::OutageEnds => self.stage = Stage::Back,
            What::FirstMorning => (self.stage, self.outage) = (Stage::Working, None),
            What::Facts(day) => self.played = day,
            What::Deadline => {}
        }
        Ok(Some(next))
    }

    fn outage_step(&self) -> Option<Next> {
        let outage = self.outage?;
        Some(match self.stage {
            Stage::Working => Next { at: self.zone.midnight(outage.from), what: What::OutageBegins },
            Stage::Out => Next { at: self.zone.midnight(outage.until), what: What::OutageEnds },
            Stage::Back => Next { at: self.zone.instant(outage.until, morning()), what: What::FirstMorning },
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

    #[tokio::test]
    async fn after_an_outage_the_facts_of_the_day_come_before_what_the_engine_does() {
        let day = |text: &str| text.parse::<NaiveDate>().unwrap();
        let directory = tempfile::tempdir().unwrap();
        let text = "customer_id,invoice_id,issued_on,due_on,amount\nC,I,2026-01-05,2026-01-20,10\n";
        let rows = crate::portfolio::read::Rows::new(text.as_bytes(), crate::portfolio::Columns::default()).unwrap();
        let spool = Spool::fill(rows, directory.path(), true, |_| ()).await.unwrap();
        let outage = Outage::parse("2026-01-03..2026-01-05").unwrap();
        let zone = Zone::named("America/Sao_Paulo").unwrap();
        let mut timeline = Timeline::new(zone, day("2026-01-02"), day("2026-01-31"), Some(outage));
        let mut seen = Vec::new();
        // Somebody has a timer at the very end of the outage.
        let timer = zone.midnight(day("2026-01-05"));
        for _ in 0..5 {
            let next = timeline.next(Some(timer), &spool).await.unwrap().unwrap();
            seen.push(format!("{} {:?}", next.at.format("%d %H"), next.what));
        }
        let facts = "05 11 Facts(2026-01-05)";
        assert_eq!(seen, ["03 03 OutageBegins", "05 03 OutageEnds", facts, "05 11 FirstMorning", "05 11 Deadline"]);
    }

    #[test]
    fn an_outage_is_two_dates_in_order() {
        assert!(Outage::parse("2013-03-01..2013-03-15").is_ok());
        for bad in ["2013-03-01", "2013-03-15..2013-03-01", "2013-03-01..2013-03-01", "a..b"] {
            assert!(Outage::parse(bad).is_err(), "{bad}");
        }
    }
}
