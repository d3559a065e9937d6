//! Persons and errands around the engine: steps that are no contact, approvals, and catch-ups that somebody lets go.

use crate::history::Who;
use crate::journal::Refusal;
use crate::witness::Invariant;
use crate::world::World;
use chrono::{DateTime, TimeDelta, Utc};
use contracts::invoice::v1 as proto;
use dunning_engine::Ladders;
use dunning_engine::aggregate::{Approval, Order};
use eventlog::Aggregate;
use kernel::Zone;
use ladder::ladder::Attend;
use ladder::track::OccurrenceState;
use ladder::{Command, Event};

type Fact = <Ladders as Aggregate>::Event;

/// What is still to be done, and the place up to which the engine's log was read for it.
#[derive(Default)]
pub struct Office {
    /// Errands with the moment from which on they are done.
    pub errands: Vec<(DateTime<Utc>, usize, Fact)>,
    read: u64,
}

impl World {
    /// Whether there is something in the engine's log that nobody of the office has read.
    pub(crate) fn office_lags(&mut self) -> bool {
        self.engine.journal.head() > self.office.read
    }

    /// Reads on in the engine's log and sees what is to be done.
    pub(crate) fn read_office(&mut self) {
        for recorded in self.engine.journal.read(self.office.read, 50) {
            self.office.read = recorded.position;
            if !["ActionDue", "ApprovalRequested", "CatchUpBegan"].contains(&recorded.event_type.as_str()) {
                continue;
            }
            let Some(fact) = self.engine.decoded(&recorded) else { continue };
            let payer = self.payer_of(&recorded.key);
            let most_hours = match &fact.event {
                Event::ActionDue { .. } => 1,
                Event::ApprovalRequested { .. } => 80,
                Event::CatchUpBegan { .. } if !self.history.approvals_given => 40,
                _ => continue,
            };
            let at = self.now + TimeDelta::minutes(self.chance.within(0, most_hours * 60));
            self.office.errands.push((at, payer, fact));
        }
    }

    /// The office has forgotten everything and reads the log anew: what it did, it does again.
    pub(crate) fn rewind_office(&mut self) {
        self.office = Office::default();
    }

    /// Does an errand; it stays where the owner does not answer.
    pub(crate) fn run_errand(&mut self, number: usize) {
        let (at, payer, fact) = self.office.errands.remove(number);
        let done = match &fact.event {
            Event::ActionDue { .. } => self.act(payer, &fact),
            Event::ApprovalRequested { .. } => self.answer(payer, &fact),
            _ => self.end_catch_up(payer),
        };
        match done {
            Some(Ok(events)) => self.say(|| format!("office: {} -> {events} events", name(&fact.event))),
            Some(Err(Refusal::Rejected(reason))) => self.say(|| format!("office: {} refused: {reason}", name(&fact.event))),
            Some(Err(error @ (Refusal::Fenced | Refusal::Fault(_)))) => self.accuse(Invariant::Contracts, format!("an errand: {error:?}")),
            None => self.office.errands.push((at.max(self.now) + TimeDelta::minutes(30), payer, fact)),
        }
    }

    fn end_catch_up(&mut self, payer: usize) -> Option<Result<usize, Refusal>> {
        let released = self.chance.permille(800);
        self.count(if released { "person: catch-up released" } else { "person: catch-up refused" });
        let order = Order::Ladder(Command::EndCatchUp { number: 1, released, now: self.now });
        Some(self.of_engine(payer, order, (None, None)).map(|events| events.len()))
    }

    fn answer(&mut self, payer: usize, fact: &Fact) -> Option<Result<usize, Refusal>> {
        let Event::ApprovalRequested { invoice_id, cycle, step_id, occurrence, .. } = &fact.event else { return None };
        let is_given = self.chance.permille(800);
        self.count(if is_given { "person: step approved" } else { "person: step refused" });
        let (by, why, at) = ("ana".to_owned(), "visto".to_owned(), self.now);
        let key = format!("answer.{payer}.{invoice_id}.{cycle}.{step_id}.{occurrence}");
        let order = if is_given {
            Order::Approve(Approval { invoice_id: invoice_id.clone(), step_id: step_id.clone(), by, why, at, is_given })
        } else {
            let (invoice_id, step_id) = (invoice_id.clone(), step_id.clone());
            let what = Attend::Refuse { invoice_id, cycle: *cycle, step_id, occurrence: *occurrence };
            Order::Ladder(Command::Attend { at, by, why, what })
        };
        Some(self.of_engine(payer, order, (Some(key), None)).map(|events| events.len()))
    }

    /// As the engine's executor: only what is still claimed by this offer, after another look, under the id of the occurrence and day.
    fn act(&mut self, payer: usize, fact: &Fact) -> Option<Result<usize, Refusal>> {
        let Event::ActionDue { invoice_id, cycle, step_id, occurrence, day, effective_due, min_outstanding_minor, disputed_minor, .. } =
            &fact.event
        else {
            return None;
        };
        let stream = dunning_engine::aggregate::stream(self.history.tenant, self.payer(payer));
        let (state, _) = self.engine.journal.state(&stream);
        let found = state.ladder.tracks.get(invoice_id).and_then(|track| track.occurrence(*cycle, step_id, *occurrence));
        if !found.is_some_and(|at| matches!(&at.state, OccurrenceState::Claimed { day: claimed_on } if claimed_on == day)) {
            return Some(Ok(0));
        }
        let contact_id = format!("action.{invoice_id}.{step_id}.{cycle}");
        let item = proto::ReminderItem {
            invoice_id: invoice_id.to_string(),
            cycle: *cycle,
            step_id: step_id.to_string(),
            occurrence: *occurrence,
            min_outstanding_minor: *min_outstanding_minor,
            overdue: *effective_due < *day,
            disputed_minor: *disputed_minor,
            purpose: String::new(),
        };
        let customer_id = self.payer(payer).to_owned();
        let asked = proto::AuthorizeReminderRequest { customer_id, contact_id: contact_id.clone(), items: vec![item] };
        let answer = self.authorize(payer, &asked)?;
        let outcome = dunning_engine::actions::outcome_of(Ok(answer)).ok()?;
        let book = self.engine.aggregate.books().of(self.history.tenant);
        let today = state.ladder.zone(&*book).unwrap_or(Zone::SAO_PAULO).day_of(self.now);
        let conclusion = Command::ConcludeAction {
            invoice_id: invoice_id.clone(),
            cycle: *cycle,
            step_id: step_id.clone(),
            occurrence: *occurrence,
            day: today.max(*day),
            outcome,
        };
        self.count("engine: action");
        let key = format!("{payer}.{contact_id}.{occurrence}.{day}");
        Some(self.of_engine(payer, Order::Ladder(conclusion), (Some(key), None)).map(|events| events.len()))
    }

    /// Whether errands can be run at all.
    pub(crate) fn office_is_open(&self) -> bool {
        !self.is_out(Who::Engine)
    }
}

fn name(event: &Event) -> &'static str {
    match event {
        Event::ActionDue { .. } => "action",
        Event::ApprovalRequested { .. } => "approval",
        _ => "catch-up",
    }
}
