//! Generated histories: facts, wakes, outages, duplicates, and a notifier that fails, defers and answers late.

use crate::book::{PADRAO, SIMPLES};
use crate::world::{World, at, day, enrolment, id, reminders};
use kernel::{AgreementId, ArrangementId, Currency, NaiveDate, calendar};
use ladder::arrangement::{ArrangementEnd, ArrangementKind};
use ladder::ladder::{Arrange, Outcome};
use ladder::policy::Channel;
use ladder::terms::Method;
use ladder::track::Phase;
use ladder::{Command, Event, Reason};
use proptest::collection::vec;
use proptest::prelude::*;
use std::hash::{DefaultHasher, Hash, Hasher};

/// Days that a history lasts; the last fact comes well before its end.
pub const DAYS: i64 = 230;

/// Steps out of date order, windows of their own, gaps, ends, requirements, weekends.
const ODD: &str = "
    weekdays mon,tue,wed,thu,fri,sat
    known 2
    a -10 1 expires=4
    b -2 1 weekdays=sat,sun,mon
    c 0 1 expires=at_due
    d 2 2 gap=3
    e 1 2 roll=none
    f 8 2 day_kind=business gap=4 requires=d:executed:2
    g 6 3 expires=20
    h 20 3 kind=task
    i 30 4 approval=true requires=h
    j 45 4 kind=bureau requires=i:delivered:5
    k 60 5 kind=hand_off requires=i";

/// Steps that come again, and steps that count from the execution of the one before.
const AGAIN: &str = "
    a -9 1 every=4 until=at_due
    b 1 2 every=3 most=3 gap=2
    c 4 2 anchor=previous_executed expires=15
    d 3 3 anchor=previous_executed every=5 until=11
    d2 12 3 returned=true
    d3 13 3 broken=1 expires=30
    d4 14 3 overdue=16
    d5 15 3 unseen=true
    d6 16 3 risk=60
    e 40 3 kind=task every=2 most=2
    f 2 4 anchor=previous_executed approval=true
    g 70 4 kind=bureau requires=d:delivered:3
    h 9 5 kind=hand_off anchor=previous_executed requires=b:executed:1";

/// Ladders of segments: without steps that others require or count from, with steps of their own among those of the base.
const VARIED: &str = "
    a -5 1
    b 1 2
    c 2 2 anchor=previous_executed
    d 9 3
    e 20 3 segment=vip
    f 30 4 approval=true
    g 45 4 kind=bureau requires=f:delivered:3
    variant vip segments=vip without=f,g
    + b 3 1 gap=2
    + d 14 3 requires=a:executed:1
    + x 12 2 every=3 most=2
    variant pj segments=pj,mei without=a
    + y 2 2 channels=sms
    + z 3 2 anchor=previous_executed
    + h 60 5 kind=hand_off
    notice thank_you channels=email expires=2
    notice correction channels=sms>email expires=4";

pub const POLICIES: [&str; 5] = [SIMPLES, PADRAO, ODD, AGAIN, VARIED];

/// What a payer may be; a change between two invoices gives them different variants.
const SEGMENTS: [Option<&str>; 4] = [None, Some("vip"), Some("mei"), Some("pf")];

#[derive(Debug, Clone)]
pub struct History {
    pub policy: String,
    pub invoices: Vec<Invoice>,
    /// First day and length of an outage of engine and notifier.
    pub outage: Option<(i64, i64)>,
    /// Decides what the notifier does.
    pub seed: u64,
    /// Everything works at the notifier.
    pub smooth: bool,
}

#[derive(Debug, Clone)]
pub struct Invoice {
    pub issued_after: i64,
    /// What the payer is when it is issued.
    pub segment: usize,
    pub term_days: i64,
    pub facts: Vec<(i64, Fact)>,
}

#[derive(Debug, Clone, Copy)]
pub enum Fact {
    Pays {
        outstanding_minor: i64,
    },
    Returns {
        outstanding_minor: i64,
    },
    MovesDue {
        days: i64,
    },
    Cancels,
    Renegotiated,
    Broken {
        outstanding_minor: i64,
    },
    Credited {
        outstanding_minor: i64,
    },
    Held {
        days: i64,
        for_review: bool,
    },
    Disputed {
        amount_minor: Option<i64>,
    },
    Promised {
        days: i64,
        amount_minor: i64,
    },
    Announced {
        method: Method,
    },
    Ended {
        kind: ArrangementKind,
    },
    WrittenOff,
    HandedOff,
    /// The payer opens the invoice, so many hours before it is known.
    Opened {
        hours: i64,
    },
    /// The payer is rated.
    Rated {
        score: u8,
    },
    /// The payer is of another segment from now on.
    Grouped {
        segment: usize,
    },
}

pub fn histories() -> impl Strategy<Value = History> {
    let fact = prop_oneof![
        4 => prop_oneof![Just(0), 1..10_000_i64].prop_map(|outstanding_minor| Fact::Pays { outstanding_minor }),
        2 => (1..=10_000_i64).prop_map(|outstanding_minor| Fact::Returns { outstanding_minor }),
        2 => (-20..30_i64).prop_map(|days| Fact::MovesDue { days }),
        1 => Just(Fact::Cancels),
        2 => Just(Fact::Renegotiated),
        2 => (1..=10_000_i64).prop_map(|outstanding_minor| Fact::Broken { outstanding_minor }),
        1 => prop_oneof![Just(0), 1..10_000_i64].prop_map(|outstanding_minor| Fact::Credited { outstanding_minor }),
        1 => (0..72_i64).prop_map(|hours| Fact::Opened { hours }),
        1 => (0..=100_u8).prop_map(|score| Fact::Rated { score }),
        1 => (0..SEGMENTS.len()).prop_map(|segment| Fact::Grouped { segment }),
        6 => arrangements(),
    ];
    let facts = vec((0..120_i64, fact), 0..6);
    let invoice = (0..40_i64, 0..SEGMENTS.len(), 0..45_i64, facts).prop_map(|(issued_after, segment, term_days, mut facts)| {
        facts.sort_by_key(|(on, _)| *on);
        Invoice { issued_after, segment, term_days, facts }
    });
    let policy = (0..POLICIES.len(), any::<bool>()).prop_map(|(at, replay)| {
        let catch_up = if replay { "replay" } else { "latest" };
        format!("catch_up {catch_up}\n{}", POLICIES[at])
    });
    let outage = proptest::option::of((0..120_i64, 1..60_i64));
    (policy, vec(invoice, 1..4), outage, any::<u64>(), any::<bool>()).prop_map(|(policy, invoices, outage, seed, smooth)| History {
        policy,
        invoices,
        outage,
        seed,
        smooth,
    })
}

fn arrangements() -> impl Strategy<Value = Fact> {
    prop_oneof![
        3 => (0..40_i64, any::<bool>()).prop_map(|(days, for_review)| Fact::Held { days, for_review }),
        3 => proptest::option::of(1..10_001_i64).prop_map(|amount_minor| Fact::Disputed { amount_minor }),
        3 => (0..46_i64, 1..10_001_i64).prop_map(|(days, amount_minor)| Fact::Promised { days, amount_minor }),
        2 => (0..Method::ALL.len()).prop_map(|at| Fact::Announced { method: Method::ALL[at] }),
        3 => (0..ArrangementKind::ALL.len()).prop_map(|at| Fact::Ended { kind: ArrangementKind::ALL[at] }),
        1 => Just(Fact::WrittenOff),
        1 => Just(Fact::HandedOff),
    ]
}

/// How a history is played.
#[derive(Debug, Clone, Copy)]
pub struct Play {
    /// Wakes many times a day in place of the instants that `next_wake` names.
    pub often: bool,
    /// Every fact and every conclusion is told twice.
    pub twice: bool,
    /// With the history's outage.
    pub outage: bool,
}

pub const PLAIN: Play = Play { often: false, twice: false, outage: false };

pub fn first_day() -> NaiveDate {
    day("2026-01-01")
}

/// The world after a history.
pub fn play(history: &History, play: Play) -> World {
    Player { world: World::new(&history.policy), history, play, facts: facts(history), late: Vec::new() }.run()
}

/// The facts of a history with their days, in order.
fn facts(history: &History) -> Vec<(NaiveDate, Command)> {
    let mut all = Vec::new();
    for (number, invoice) in history.invoices.iter().enumerate() {
        let name = format!("i{number}");
        let issued = calendar::add_days(first_day(), invoice.issued_after);
        let mut due = calendar::add_days(issued, invoice.term_days);
        let segment = SEGMENTS[invoice.segment].map(String::from);
        all.push((issued, Command::NotePayer { zone: None, segment, state: None, municipality: None }));
        all.push((issued, enrolment(&name, issued, due, at(issued, 8))));
        for (at_fact, (after, fact)) in invoice.facts.iter().enumerate() {
            let on = calendar::add_days(issued, *after);
            if let Fact::MovesDue { days } = fact {
                due = calendar::add_days(due, *days);
            }
            all.push((on, command(&name, (on, at_fact), due, *fact)));
        }
    }
    all.sort_by_key(|(on, _)| *on);
    all
}

fn command(invoice: &str, (on, number): (NaiveDate, usize), due_on: NaiveDate, fact: Fact) -> Command {
    let (invoice_id, recorded_at) = (id(invoice), at(on, 8));
    let arrangement = ArrangementId::new(&format!("{invoice}.{number}")).unwrap();
    let order = |what| Command::Arrange { at: recorded_at, by: "ana".into(), why: "ligou".into(), what };
    let later = |days| calendar::add_days(on, days);
    match fact {
        Fact::Credited { outstanding_minor } => Command::NoteCredit { invoice_id, outstanding_minor, recorded_at },
        Fact::Held { days, for_review } => {
            let (until, review_on) = if for_review { (None, Some(later(days))) } else { (Some(later(days)), None) };
            order(Arrange::Hold { id: arrangement, invoice_id, until, review_on })
        }
        Fact::Disputed { amount_minor } => order(Arrange::Dispute { id: arrangement, invoice_id, amount_minor }),
        Fact::Promised { days, amount_minor } => order(Arrange::Promise {
            id: arrangement,
            invoice_ids: vec![invoice_id],
            amount_minor,
            currency: Currency::BRL,
            promised_on: later(days),
            method: None,
        }),
        Fact::Announced { method } => order(Arrange::Announce { id: arrangement, invoice_id, method }),
        Fact::Ended { kind } => order(Arrange::End { invoice_id, kind, end: ArrangementEnd::Lifted }),
        Fact::Grouped { segment } => {
            Command::NotePayer { zone: None, segment: SEGMENTS[segment].map(String::from), state: None, municipality: None }
        }
        Fact::Opened { hours } => Command::NoteView { invoice_id, viewed_at: recorded_at - chrono::TimeDelta::hours(hours) },
        Fact::Rated { score } => Command::NoteRating { score },
        Fact::WrittenOff => order(Arrange::WriteOff { invoice_id }),
        Fact::HandedOff => order(Arrange::HandOff { invoice_id }),
        Fact::Pays { outstanding_minor } => Command::NotePayment { invoice_id, outstanding_minor, recorded_at },
        Fact::Returns { outstanding_minor } => Command::NoteReversal { invoice_id, outstanding_minor, recorded_at },
        Fact::MovesDue { .. } => Command::NoteAmendment { invoice_id, outstanding_minor: 9_999, due_on, recorded_at },
        Fact::Renegotiated => Command::NoteAgreement { invoice_id, agreement_id: AgreementId::new("a").unwrap(), recorded_at },
        Fact::Broken { outstanding_minor } => Command::NoteBreach { invoice_id, outstanding_minor, recorded_at },
        Fact::Cancels => Command::NoteCancellation { invoice_id, recorded_at },
    }
}

/// What is ended cannot be ended again.
fn is_end(command: &Command) -> bool {
    matches!(command, Command::Arrange { what: Arrange::End { .. }, .. })
}

struct Player<'a> {
    world: World,
    history: &'a History,
    play: Play,
    facts: Vec<(NaiveDate, Command)>,
    /// Conclusions that the notifier tells on the next morning.
    late: Vec<Command>,
}

impl Player<'_> {
    fn run(mut self) -> World {
        self.world.notifier_down = true; // this player concludes by itself
        for after in 0..DAYS {
            let on = calendar::add_days(first_day(), after);
            if !self.is_out(after) {
                self.live(on);
            }
        }
        self.world
    }

    fn is_out(&self, after: i64) -> bool {
        let outage = self.history.outage.filter(|_| self.play.outage);
        outage.is_some_and(|(from, days)| (from..from + days).contains(&after))
    }

    /// One day: what an outage left behind first, facts at eight, wakes before and after.
    fn live(&mut self, on: NaiveDate) {
        self.hear(calendar::previous(on), on);
        self.wakes(on, 0, 8);
        self.hear(on, on);
        for command in std::mem::take(&mut self.late) {
            let command = self.look_again(command);
            self.tell(command);
        }
        self.wakes(on, 8, 24);
    }

    /// A late gate may have seen the payment or the cancellation that came meanwhile.
    fn look_again(&self, mut command: Command) -> Command {
        if let Command::ConcludeContact { day, items, .. } = &mut command {
            for item in items {
                let gone = match self.world.ladder.tracks[&item.invoice_id].phase {
                    Phase::Settled => Reason::Paid,
                    Phase::Cancelled => Reason::Cancelled,
                    Phase::Renegotiated => Reason::Renegotiated,
                    Phase::Enrolled | Phase::Active | Phase::HandedOff | Phase::Exhausted | Phase::WrittenOff => continue,
                };
                if self.roll(&("saw it", &item.step_id, *day)).is_multiple_of(2) {
                    item.outcome = Outcome::Superseded(gone);
                }
            }
        }
        command
    }

    fn hear(&mut self, until: NaiveDate, heard_on: NaiveDate) {
        while self.facts.first().is_some_and(|(on, _)| *on <= until) {
            let (_, mut command) = self.facts.remove(0);
            if let Command::Arrange { at, .. } = &mut command {
                // Nobody takes orders while the engine is out: they come when it is back.
                *at = (*at).max(crate::world::at(heard_on, 8));
                self.order(command);
            } else {
                self.tell(command);
            }
        }
    }

    /// What a person orders may be refused; told again, it is refused or changes nothing.
    fn order(&mut self, command: Command) {
        if self.world.try_tell(&command).is_ok() && self.play.twice {
            assert!(self.world.try_tell(&command).is_ok_and(|events| events.is_empty()) || is_end(&command), "told twice: {command:?}");
        }
    }

    fn tell(&mut self, command: Command) -> Vec<Event> {
        let events = self.world.tell(command.clone());
        if self.play.twice {
            assert_eq!(self.world.tell(command.clone()), [], "told twice: {command:?}");
        }
        events
    }

    fn wakes(&mut self, on: NaiveDate, from_hour: i64, until_hour: i64) {
        let instant = |hour| at(on, 0) + chrono::TimeDelta::hours(hour);
        if self.play.often {
            let hours = [0, 5, 8, 9, 10, 14, 17, 18, 23].into_iter().filter(|hour| (from_hour..until_hour).contains(hour));
            hours.for_each(|hour| self.wake(instant(hour)));
            return;
        }
        let mut now = instant(from_hour) - chrono::TimeDelta::nanoseconds(1);
        while let Some(next) = self.world.next_timer(now).filter(|next| *next < instant(until_hour)) {
            now = next;
            self.wake(now);
        }
    }

    fn wake(&mut self, now: kernel::DateTime<kernel::Utc>) {
        let events = self.tell(Command::Wake { now });
        for event in events {
            self.answer(&event);
        }
    }

    fn answer(&mut self, event: &Event) {
        if let Event::ApprovalRequested { invoice_id, cycle, step_id, occurrence, day } = event {
            let (invoice_id, step_id) = (invoice_id.clone(), step_id.clone());
            let (by, why, at) = ("ana".into(), String::new(), at(*day, 10));
            self.tell(Command::Approve { invoice_id, cycle: *cycle, step_id, occurrence: *occurrence, by, why, at });
        }
        let Some(mut conclusion) = self.world.conclusion(event) else { return };
        if let Command::ConcludeContact { day, items, .. } = &mut conclusion {
            for item in items {
                item.outcome = self.outcome(&item.step_id, *day);
            }
        }
        if self.is_late(event) {
            self.late.push(conclusion);
        } else {
            self.tell(conclusion.clone());
            self.deliver(&conclusion);
        }
    }

    /// Every third contact is delivered on its day.
    fn deliver(&mut self, conclusion: &Command) {
        let Command::ConcludeContact { day, items, .. } = conclusion else { return };
        for item in items.iter().filter(|item| matches!(item.outcome, Outcome::Executed { .. })) {
            if self.roll(&("delivery", &item.step_id, day)).is_multiple_of(3) {
                self.tell(Command::NoteDelivery {
                    invoice_id: item.invoice_id.clone(),
                    cycle: item.cycle,
                    step_id: item.step_id.clone(),
                    occurrence: item.occurrence,
                    delivered_on: *day,
                });
            }
        }
    }

    fn outcome(&self, step_id: &kernel::StepId, on: NaiveDate) -> Outcome {
        match self.roll(&(step_id, on)) % 12 {
            _ if self.history.smooth => Outcome::Executed { channel: Channel::Email },
            0..=6 => Outcome::Executed { channel: Channel::Sms },
            7 | 8 => Outcome::Deferred(Reason::BudgetSpent),
            9 => Outcome::Suppressed(Reason::CoveredByCredit),
            10 => Outcome::Undeliverable(Reason::AllChannelsFailed),
            _ => Outcome::Deferred(Reason::StaleFeed),
        }
    }

    fn is_late(&self, event: &Event) -> bool {
        let is_contact = !reminders(std::slice::from_ref(event)).is_empty();
        !self.history.smooth && is_contact && self.roll(&reminders(std::slice::from_ref(event))[0].0).is_multiple_of(5)
    }

    fn roll(&self, what: &impl Hash) -> u64 {
        let mut hasher = DefaultHasher::new();
        (self.history.seed, what).hash(&mut hasher);
        hasher.finish()
    }
}
