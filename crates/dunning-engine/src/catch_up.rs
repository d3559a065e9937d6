//! Catch-ups of a tenant as events: planned over all payers that wait, then approved or refused.
//!
//! Invariants: numbers count from 1 without gaps; a payer that waits is in one catch-up, because each begins in the log where the one before
//! ended; a catch-up is decided once. Those of one day count together against the tenant's limit.

mod book;
mod coordinator;

pub use book::{Book, Waiting};
pub use coordinator::Coordinator;

use crate::wire;
use chrono::NaiveDate;
use eventlog::{Aggregate, DecodeError, Meta, NewEvent, Told};
use ladder::catch_up::Forecast;

/// Catch-ups, one stream per tenant.
#[derive(Debug, Clone, Copy, Default)]
pub struct CatchUps;

/// The catch-ups of a tenant.
#[derive(Debug, Clone, Default)]
pub struct Planned {
    /// In the order of their numbers.
    pub all: Vec<CatchUp>,
}

/// One catch-up.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CatchUp {
    /// Its report.
    pub report: Report,
    /// What a person decided; `None` while nobody did, or had to.
    pub verdict: Option<Verdict>,
}

/// What a catch-up means.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Report {
    /// From 1.
    pub number: u32,
    /// The tenant's day.
    pub day: NaiveDate,
    /// Payers that wait.
    pub payers: u32,
    /// What they wait for.
    pub forecast: Forecast,
    /// The tenant's limit.
    pub approval_above: u32,
    /// Goes out without a person.
    pub approved: bool,
    /// Place in the log up to which payers that wait are in it.
    pub until_position: u64,
}

/// What a person decided.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verdict {
    /// Approved, or refused.
    pub approved: bool,
    /// Who.
    pub by: String,
    /// Why.
    pub why: String,
}

impl CatchUp {
    /// Its stable name.
    pub fn status(&self) -> &'static str {
        match &self.verdict {
            None if self.report.approved => "approved",
            None => "waiting",
            Some(verdict) if verdict.approved => "approved",
            Some(_) => "refused",
        }
    }
}

/// What is asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Change {
    /// Plan the payers that began to wait after the last catch-up and up to a place. Nothing where another process did.
    Plan {
        /// The tenant's day.
        day: NaiveDate,
        /// Place of the first of them.
        from_position: u64,
        /// Place of the last of them.
        until_position: u64,
        /// How many.
        payers: u32,
        /// What they wait for.
        forecast: Forecast,
        /// The tenant's limit.
        approval_above: u32,
        /// Approvals are given once for all.
        approvals_given: bool,
    },
    /// A person decides.
    Decide {
        /// Which.
        number: u32,
        /// What.
        verdict: Verdict,
    },
}

/// What happened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CatchUpEvent {
    /// The report.
    Planned(Report),
    /// The decision.
    Decided {
        /// Of which.
        number: u32,
        /// What.
        verdict: Verdict,
    },
}

/// Why nothing happened.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    /// There is no such catch-up.
    #[error("number: the tenant has no catch-up {0}")]
    Unknown(u32),
    /// It was decided, or needed no decision.
    #[error("number: catch-up {0} waits for nobody")]
    AlreadyDecided(u32),
}

impl Planned {
    fn planned_until(&self) -> u64 {
        self.all.last().map_or(0, |last| last.report.until_position)
    }

    /// Contacts of a day that went out without a person.
    fn unasked_on(&self, day: NaiveDate) -> u32 {
        let unasked = self.all.iter().filter(|one| one.report.day == day && one.report.approved);
        unasked.fold(0, |sum, one| sum.saturating_add(one.report.forecast.contacts))
    }

    fn plan(&self, change: &Change) -> Option<CatchUpEvent> {
        let Change::Plan { day, from_position, until_position, payers, forecast, approval_above, approvals_given } = change else {
            return None;
        };
        if *from_position <= self.planned_until() {
            return None;
        }
        let contacts = self.unasked_on(*day).saturating_add(forecast.contacts);
        Some(CatchUpEvent::Planned(Report {
            number: u32::try_from(self.all.len()).unwrap_or(u32::MAX).saturating_add(1),
            day: *day,
            payers: *payers,
            forecast: forecast.clone(),
            approval_above: *approval_above,
            approved: *approvals_given || contacts <= *approval_above,
            until_position: *until_position,
        }))
    }

    fn verdict(&self, number: u32, verdict: &Verdict) -> Result<Vec<CatchUpEvent>, Refused> {
        let found = self.all.iter().find(|one| one.report.number == number).ok_or(Refused::Unknown(number))?;
        match &found.verdict {
            None if !found.report.approved => Ok(vec![CatchUpEvent::Decided { number, verdict: verdict.clone() }]),
            Some(known) if known == verdict => Ok(vec![]),
            None | Some(_) => Err(Refused::AlreadyDecided(number)),
        }
    }
}

impl Aggregate for CatchUps {
    type State = Planned;
    type Command = Change;
    type Event = CatchUpEvent;
    type Rejection = Refused;

    fn decide(&self, planned: &Planned, change: &Change) -> Result<Vec<CatchUpEvent>, Refused> {
        match change {
            Change::Plan { .. } => Ok(planned.plan(change).into_iter().collect()),
            Change::Decide { number, verdict } => planned.verdict(*number, verdict),
        }
    }

    fn evolve(&self, mut planned: Planned, event: &CatchUpEvent) -> Planned {
        match event {
            CatchUpEvent::Planned(report) => planned.all.push(CatchUp { report: report.clone(), verdict: None }),
            CatchUpEvent::Decided { number, verdict } => {
                let decided = planned.all.iter_mut().filter(|one| one.report.number == *number);
                decided.for_each(|one| one.verdict = Some(verdict.clone()));
            }
        }
        planned
    }

    fn encode(&self, event: &CatchUpEvent) -> NewEvent {
        let (event_type, payload) = wire::encode_catch_up(event);
        NewEvent { event_type, schema_version: 1, payload, occurred_at: None, effective_on: None }
    }

    fn decode(&self, told: &Told) -> Result<Option<CatchUpEvent>, DecodeError> {
        wire::decode_catch_up(&told.event_type, &told.payload).map_err(|fault| DecodeError::new(told, fault.to_string()))
    }
}

/// The stream of a tenant's catch-ups.
pub fn stream(tenant: &str) -> String {
    format!("catch-ups/{tenant}")
}

/// What the events of a change share. They are about no payer: their key is the tenant.
pub fn meta(tenant: &str) -> Meta {
    Meta { tenant: tenant.to_owned(), key: tenant.to_owned(), traceparent: host::trace::traceparent(), ..Meta::default() }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plan(day: &str, from_position: u64, contacts: u32) -> Change {
        Change::Plan {
            day: day.parse().unwrap(),
            from_position,
            until_position: from_position + 5,
            payers: contacts,
            forecast: Forecast { contacts, ..Forecast::default() },
            approval_above: 10,
            approvals_given: false,
        }
    }

    fn tell(planned: &mut Planned, change: &Change) -> Result<Vec<CatchUpEvent>, Refused> {
        let events = CatchUps.decide(planned, change)?;
        for event in &events {
            *planned = CatchUps.evolve(std::mem::take(planned), event);
        }
        Ok(events)
    }

    #[test]
    fn catch_ups_of_one_day_count_together_and_each_place_is_planned_once() {
        let mut planned = Planned::default();
        let approved = |planned: &mut Planned, change: &Change| tell(planned, change).unwrap().len();
        for change in [plan("2026-01-05", 1, 6), plan("2026-01-05", 7, 5), plan("2026-01-06", 20, 10), plan("2026-01-06", 30, 1)] {
            assert_eq!((approved(&mut planned, &change), approved(&mut planned, &change)), (1, 0), "{change:?}");
        }
        let status: Vec<&str> = planned.all.iter().map(CatchUp::status).collect();
        assert_eq!(status, ["approved", "waiting", "approved", "waiting"]);
        assert_eq!(approved(&mut planned, &plan("2026-01-07", 33, 1)), 0, "another process planned up to there");
    }

    #[test]
    fn a_catch_up_is_decided_once() {
        let mut planned = Planned::default();
        tell(&mut planned, &plan("2026-01-05", 1, 11)).unwrap();
        tell(&mut planned, &plan("2026-01-06", 9, 1)).unwrap();
        let verdict = |approved| Verdict { approved, by: "ana".into(), why: "x".into() };
        let decide = |number, approved| Change::Decide { number, verdict: verdict(approved) };
        assert_eq!(tell(&mut planned, &decide(3, true)), Err(Refused::Unknown(3)));
        assert_eq!(tell(&mut planned, &decide(2, false)), Err(Refused::AlreadyDecided(2)), "it needed nobody");
        assert_eq!(tell(&mut planned, &decide(1, false)).unwrap().len(), 1);
        assert_eq!(
            (tell(&mut planned, &decide(1, false)), tell(&mut planned, &decide(1, true))),
            (Ok(vec![]), Err(Refused::AlreadyDecided(1)))
        );
        assert_eq!(planned.all[0].status(), "refused");
    }
}
