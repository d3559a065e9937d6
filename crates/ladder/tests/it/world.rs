//! A payer, a clock and a notifier that does as told: tests say what happens on which day and read what was said.

use crate::book::{OnePolicy, policy};
use kernel::{ContactId, Currency, DateTime, InvoiceId, NaiveDate, NaiveTime, PolicyId, StepId, Utc, Zone};
use ladder::ladder::{ActionOutcome, Closing, DueItem, ItemOutcome, Outcome};
use ladder::policy::Channel;
use ladder::track::{OccurrenceState, Track};
use ladder::{Command, Context, Event, Ladder, Rejection, Terms, decide, evolve, next_wake};
use std::collections::BTreeMap;

pub fn day(text: &str) -> NaiveDate {
    text.parse().unwrap_or_else(|_| panic!("no date: {text}"))
}

pub fn at(day: NaiveDate, hour: u32) -> DateTime<Utc> {
    Zone::SAO_PAULO.instant(day, NaiveTime::from_hms_opt(hour, 0, 0).unwrap())
}

pub fn id(text: &str) -> InvoiceId {
    InvoiceId::new(text).unwrap()
}

pub struct World {
    pub ladder: Ladder,
    pub book: OnePolicy,
    pub approvals_given: bool,
    pub terms: Terms,
    /// All events so far.
    pub log: Vec<Event>,
    /// What the notifier does with a step, by id; executes by e-mail what is not listed.
    pub outcomes: BTreeMap<String, Outcome>,
    /// Contacts stay unconcluded while set.
    pub notifier_down: bool,
    contacts: usize,
}

impl World {
    pub fn new(policy_text: &str) -> Self {
        Self {
            ladder: Ladder::default(),
            book: OnePolicy { first: policy(policy_text), second: None, holidays: BTreeMap::new() },
            approvals_given: true,
            terms: Terms::default(),
            log: Vec::new(),
            outcomes: BTreeMap::new(),
            notifier_down: false,
            contacts: 0,
        }
    }

    pub fn try_tell(&mut self, command: &Command) -> Result<Vec<Event>, Rejection> {
        let context = Context { policies: &self.book, approvals_given: self.approvals_given, terms: self.terms };
        let events = decide(&self.ladder, command, &context)?;
        for event in &events {
            self.ladder = evolve(std::mem::take(&mut self.ladder), event);
        }
        self.log.extend(events.iter().cloned());
        Ok(events)
    }

    pub fn tell(&mut self, command: Command) -> Vec<Event> {
        self.try_tell(&command).unwrap_or_else(|rejection| panic!("{command:?}: {rejection}"))
    }

    pub fn enroll(&mut self, invoice: &str, issued: &str, due: &str) -> Vec<Event> {
        self.tell(enrolment(invoice, day(issued), day(due), at(day(issued), 8)))
    }

    pub fn pay(&mut self, invoice: &str, on: &str, outstanding_minor: i64) -> Vec<Event> {
        self.tell(Command::NotePayment { invoice_id: id(invoice), outstanding_minor, recorded_at: at(day(on), 8) })
    }

    pub fn reverse(&mut self, invoice: &str, on: &str, outstanding_minor: i64) -> Vec<Event> {
        self.tell(Command::NoteReversal { invoice_id: id(invoice), outstanding_minor, recorded_at: at(day(on), 8) })
    }

    pub fn amend(&mut self, invoice: &str, on: &str, due: &str, outstanding_minor: i64) -> Vec<Event> {
        let recorded_at = at(day(on), 8);
        self.tell(Command::NoteAmendment { invoice_id: id(invoice), outstanding_minor, due_on: day(due), recorded_at })
    }

    pub fn cancel(&mut self, invoice: &str, on: &str) -> Vec<Event> {
        self.tell(Command::NoteCancellation { invoice_id: id(invoice), recorded_at: at(day(on), 8) })
    }

    /// Wakes the payer; what becomes due is concluded at once as the notifier was told.
    pub fn wake(&mut self, now: DateTime<Utc>) -> Vec<Event> {
        let mut events = self.tell(Command::Wake { now });
        let mut conclusions = Vec::new();
        if !self.notifier_down {
            events.iter().for_each(|event| conclusions.extend(self.conclusion(event)));
        }
        for command in conclusions {
            events.extend(self.tell(command));
        }
        events
    }

    pub fn morning(&mut self, on: &str) -> Vec<Event> {
        self.wake(at(day(on), 9))
    }

    /// Every morning from one day to another, both included.
    pub fn mornings(&mut self, from: &str, until: &str) {
        let mut on = day(from);
        while on <= day(until) {
            self.wake(at(on, 9));
            on = kernel::calendar::next(on);
        }
    }

    /// Only at the instants that `next_wake` names, from one day to another, both included.
    pub fn timers(&mut self, from: NaiveDate, until: NaiveDate) {
        let (mut now, end) = (at(from, 0), at(until, 23));
        while let Some(next) = self.next_timer(now).filter(|next| *next <= end) {
            assert!(next > now, "a timer does not loop");
            now = next;
            self.wake(now);
        }
    }

    pub fn next_timer(&self, after: DateTime<Utc>) -> Option<DateTime<Utc>> {
        self.ladder.tracks.keys().filter_map(|invoice| next_wake(&self.ladder, invoice, &self.book, after)).min()
    }

    pub fn conclusion(&mut self, event: &Event) -> Option<Command> {
        match event {
            Event::ReminderDue { day, items, .. } | Event::NoticeDue { day, items, .. } => {
                self.contacts += 1;
                let contact_id = ContactId::new(&format!("c{}", self.contacts)).unwrap();
                let items = items.iter().map(|item| self.item_outcome(item)).collect();
                Some(Command::ConcludeContact { contact_id, day: *day, items })
            }
            Event::ActionDue { invoice_id, cycle, step_id, occurrence, day, .. } => Some(Command::ConcludeAction {
                invoice_id: invoice_id.clone(),
                cycle: *cycle,
                step_id: step_id.clone(),
                occurrence: *occurrence,
                day: *day,
                outcome: ActionOutcome::Executed,
            }),
            _ => None,
        }
    }

    fn item_outcome(&self, item: &DueItem) -> ItemOutcome {
        let told = self.outcomes.get(item.step_id.as_str()).copied();
        ItemOutcome {
            invoice_id: item.invoice_id.clone(),
            cycle: item.cycle,
            step_id: item.step_id.clone(),
            occurrence: item.occurrence,
            outcome: told.unwrap_or(Outcome::Executed { channel: Channel::Email }),
        }
    }

    pub fn deliver(&mut self, invoice: &str, step: &str, on: &str) {
        let (invoice_id, step_id) = (id(invoice), StepId::new(step).unwrap());
        let cycle = self.track(invoice).cycle;
        self.tell(Command::NoteDelivery { invoice_id, cycle, step_id, occurrence: 1, delivered_on: day(on) });
    }

    pub fn track(&self, invoice: &str) -> &Track {
        &self.ladder.tracks[&id(invoice)]
    }

    /// `d+1@2026-01-06 d+7@…`: what was executed for a track, in order.
    pub fn sent(&self, invoice: &str) -> String {
        let mut sent = Vec::new();
        for event in &self.log {
            if let Event::StepsClosed { invoice_id, day, closings, .. } = event
                && *invoice_id == id(invoice)
            {
                let executed = closings.iter().filter(|closing| closing.end.slug() == "executed");
                sent.extend(executed.map(|closing| format!("{}@{day}", closing.step_id)));
            }
        }
        sent.join(" ")
    }

    /// `d-7:expired(due_passed) d+1:executed d+3:open`: the current cycle in policy order.
    pub fn steps(&self, invoice: &str) -> String {
        let track = self.track(invoice);
        track.current().iter().map(|at| format!("{}:{}", at.step_id, standing(&at.state))).collect::<Vec<_>>().join(" ")
    }
}

pub fn standing(state: &OccurrenceState) -> String {
    match state {
        OccurrenceState::Planned => "open".into(),
        OccurrenceState::AwaitingApproval { .. } => "awaiting".into(),
        OccurrenceState::Approved { .. } => "approved".into(),
        OccurrenceState::Claimed { .. } => "claimed".into(),
        OccurrenceState::Ended { end, .. } => match end.reason() {
            Some(reason) => format!("{}({reason})", end.slug()),
            None => end.slug().into(),
        },
    }
}

pub fn enrolment(invoice: &str, issued_on: NaiveDate, due_on: NaiveDate, recorded_at: DateTime<Utc>) -> Command {
    Command::Enroll {
        invoice_id: id(invoice),
        amount_minor: 10_000,
        currency: Currency::BRL,
        issued_on,
        due_on,
        recorded_at,
        policy_id: PolicyId::new("p").unwrap(),
        policy_version: 1,
        instalment_of: None,
    }
}

/// An instalment of an agreement, issued on a day and due on another.
pub fn instalment(
    invoice: &str,
    (issued_on, due_on): (NaiveDate, NaiveDate),
    (minor, agreement): (i64, &str),
    recorded_at: DateTime<Utc>,
) -> Command {
    let mut command = enrolment(invoice, issued_on, due_on, recorded_at);
    if let Command::Enroll { amount_minor, instalment_of, .. } = &mut command {
        (*amount_minor, *instalment_of) = (minor, kernel::AgreementId::new(agreement).ok());
    }
    command
}

/// A person confirms the first occurrence of a step of the first cycle.
pub fn approval(invoice: &str, step_id: StepId, on: &str) -> Command {
    let (by, why, at) = ("ana".into(), String::new(), at(day(on), 10));
    Command::Approve { invoice_id: id(invoice), cycle: 1, step_id, occurrence: 1, by, why, at }
}

/// The reminders among events.
pub fn reminders(events: &[Event]) -> Vec<(NaiveDate, Vec<DueItem>)> {
    let reminder = |event: &Event| match event {
        Event::ReminderDue { day, items, .. } => Some((*day, items.clone())),
        _ => None,
    };
    events.iter().filter_map(reminder).collect()
}

/// The ends of steps among events.
pub fn closings(events: &[Event]) -> Vec<(InvoiceId, u32, Closing)> {
    let mut all = Vec::new();
    for event in events {
        if let Event::StepsClosed { invoice_id, cycle, closings, .. } = event {
            all.extend(closings.iter().map(|closing| (invoice_id.clone(), *cycle, closing.clone())));
        }
    }
    all
}

/// `no_allowed_step`, `exhausted`, …: the tasks among events.
pub fn tasks(events: &[Event]) -> Vec<&'static str> {
    let task = |event: &Event| match event {
        Event::TaskRaised { reason, .. } => Some(reason.slug()),
        _ => None,
    };
    events.iter().filter_map(task).collect()
}
