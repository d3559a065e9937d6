//! Bugs that are planted to show that each invariant would be found broken. Nothing but the controls of this crate plants them.

use dunning_engine::Ladders;
use dunning_engine::aggregate::Order;
use eventlog::Aggregate;
use invoice::Accounts;
use ladder::Event;
use ladder::ladder::Closing;
use ladder::track::{End, Occurrence, OccurrenceState, Opening, Phase, Track};
use ladder::{Command, Reason};
use receivable::Event as Money;

use crate::journal::Rules;
use crate::witness::Invariant;

/// A planted bug.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Bug {
    /// A call whose outcome nobody knows is repeated on a channel that would send it twice.
    ResendsUnknown,
    /// The gate takes the owner's no for a yes.
    GateIgnoresOwner,
    /// Holds, disputes and promises never reach the gate.
    StandstillForgotten,
    /// A run that has nothing to do offers again what was offered last.
    WakesRepeat,
    /// Any tone may follow.
    ToneCapRaised,
    /// What a harsher step superseded is open again.
    SupersededForgotten,
    /// A late fee is booked whenever a message is sent.
    ChargedOnSend,
    /// A command is carried out again although its id is known.
    CommandIdsForgotten,
    /// What was executed ends once more, as expired.
    EndsTwice,
    /// After an outage the last messages go out once more.
    OutageResends,
    /// A view misses what comes after a restart.
    ViewSkips,
    /// A consumer's place moves from wherever it is.
    OffsetsUnfenced,
    /// Neither the ladder nor the gate minds that a debt is owed by instalments.
    AgreementUnheard,
    /// What was paid on instalments is not put on the debts when their agreement is broken.
    BreachForgetsPaid,
    /// It is put there twice.
    BreachCountsTwice,
}

impl Bug {
    /// All of them, with the invariant that finds it.
    pub const ALL: [(Bug, Invariant); 15] = [
        (Bug::ResendsUnknown, Invariant::OneContact),
        (Bug::GateIgnoresOwner, Invariant::NothingAfterTheFact),
        (Bug::StandstillForgotten, Invariant::NothingAfterTheFact),
        (Bug::WakesRepeat, Invariant::SamePlan),
        (Bug::ToneCapRaised, Invariant::ToneStepByStep),
        (Bug::SupersededForgotten, Invariant::PlaceOnlyRises),
        (Bug::ChargedOnSend, Invariant::Ledger),
        (Bug::CommandIdsForgotten, Invariant::Ledger),
        (Bug::EndsTwice, Invariant::OneEnd),
        (Bug::OutageResends, Invariant::Outage),
        (Bug::ViewSkips, Invariant::Views),
        (Bug::OffsetsUnfenced, Invariant::Views),
        (Bug::AgreementUnheard, Invariant::NothingAfterTheFact),
        (Bug::BreachForgetsPaid, Invariant::Ledger),
        (Bug::BreachCountsTwice, Invariant::Ledger),
    ];
}

type Payer = <Ladders as Aggregate>::State;
type Fact = <Ladders as Aggregate>::Event;
type Paid = <Accounts as Aggregate>::Event;

/// The engine's rules, spoilt where a bug says so.
pub fn engine_rules(bug: Option<Bug>) -> Rules<Ladders> {
    match bug {
        Some(Bug::WakesRepeat) => wakes_repeat(),
        Some(Bug::ToneCapRaised) => Box::new(|rules, payer, command| rules.decide(&loud(payer.clone()), command)),
        Some(Bug::SupersededForgotten) => Box::new(|rules, payer, command| rules.decide(&reopened(payer.clone()), command)),
        Some(Bug::AgreementUnheard) => Box::new(|rules, payer, command| match &command.order {
            Order::Ladder(Command::NoteAgreement { .. }) => Ok(Vec::new()),
            _ => rules.decide(payer, command),
        }),
        Some(Bug::EndsTwice) => Box::new(|rules, payer, command| {
            let mut facts = rules.decide(payer, command)?;
            let again: Vec<Fact> = facts.iter().filter_map(ended_again).collect();
            facts.extend(again);
            Ok(facts)
        }),
        Some(
            Bug::ResendsUnknown
            | Bug::GateIgnoresOwner
            | Bug::StandstillForgotten
            | Bug::ChargedOnSend
            | Bug::CommandIdsForgotten
            | Bug::OutageResends
            | Bug::ViewSkips
            | Bug::OffsetsUnfenced
            | Bug::BreachForgetsPaid
            | Bug::BreachCountsTwice,
        )
        | None => Box::new(|rules, payer, command| rules.decide(payer, command)),
    }
}

/// The owner's rules, spoilt where a bug says so.
pub fn owner_rules(bug: Option<Bug>) -> Rules<Accounts> {
    Box::new(move |rules, account, command| {
        let mut facts = rules.decide(account, command)?;
        let is_part = |fact: &Paid| matches!(&fact.event, Money::PaymentReceived(event) if event.part_of.is_some());
        if bug == Some(Bug::BreachForgetsPaid) {
            facts.retain(|fact| !is_part(fact));
        }
        if bug == Some(Bug::BreachCountsTwice) {
            let again: Vec<Paid> = facts.iter().filter(|fact| is_part(fact)).cloned().collect();
            facts.extend(again);
        }
        Ok(facts)
    })
}

fn wakes_repeat() -> Rules<Ladders> {
    let mut last: Option<Fact> = None;
    Box::new(move |rules, payer, command| {
        let mut facts = rules.decide(payer, command)?;
        let is_wake = matches!(&command.order, Order::Ladder(Command::Wake { .. }));
        let same_payer = |fact: &Fact| fact.customer_id == command.customer_id;
        if is_wake && facts.is_empty() {
            facts.extend(last.clone().filter(same_payer));
        }
        last = facts.iter().rev().find(|fact| matches!(fact.event, Event::ReminderDue { .. })).cloned().or(last.take());
        Ok(facts)
    })
}

/// Changes every track of a payer.
fn with_each(mut payer: Payer, change: impl Fn(&mut Track)) -> Payer {
    let ids: Vec<_> = payer.ladder.tracks.keys().cloned().collect();
    ids.iter().for_each(|id| payer.ladder.tracks.get_mut(id).into_iter().for_each(&change));
    payer
}

/// As if the harshest had been said already.
fn loud(payer: Payer) -> Payer {
    with_each(payer, |track| {
        track.tone_before = Some(5);
        track.opening = Opening::Reversed;
        for at in track.occurrences.iter_mut().filter(|at| at.executed_on().is_some()) {
            at.tone = 5;
        }
    })
}

fn reopened(payer: Payer) -> Payer {
    with_each(payer, |track| {
        if !matches!(track.phase, Phase::Active | Phase::Enrolled) {
            return;
        }
        let cycle = track.cycle;
        for at in track.occurrences.iter_mut().filter(|at| at.cycle == cycle) {
            if let OccurrenceState::Ended { end: End::Superseded { by: Some(_), .. }, .. } = &at.state {
                at.state = OccurrenceState::Planned;
            }
        }
        // Where the ladder stands is forgotten with it: the rules offer nothing below it.
        if let Some(place) = track.place() {
            let step = track.current()[place].clone();
            let is_it = |at: &Occurrence| at.cycle == cycle && at.step_id == step.step_id && at.occurrence == step.occurrence;
            for at in track.occurrences.iter_mut().filter(|at| is_it(at)) {
                if let OccurrenceState::Ended { day, .. } = at.state {
                    at.state = OccurrenceState::Ended { day, end: End::Expired { reason: Reason::Other } };
                }
            }
        }
    })
}

fn ended_again(fact: &Fact) -> Option<Fact> {
    let Event::StepsClosed { invoice_id, cycle, day, closings, .. } = &fact.event else { return None };
    let executed: Vec<Closing> = closings.iter().filter(|closing| matches!(closing.end, End::Executed { .. })).cloned().collect();
    let expired = |closing: Closing| Closing { end: End::Expired { reason: Reason::Other }, ..closing };
    let closings: Vec<Closing> = executed.into_iter().map(expired).collect();
    (!closings.is_empty()).then(|| {
        let event = Event::StepsClosed { invoice_id: invoice_id.clone(), cycle: *cycle, day: *day, closings };
        Fact { event, ..fact.clone() }
    })
}
