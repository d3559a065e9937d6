//! Command to events. Nothing is refused: what an entry cannot do any more changes nothing, and the caller sees it from the events.

use super::{Alarm, Answer, Cause, Command, Event, Listing, Obligation, Order, Stage, evolve};
use alloc::string::String;
use alloc::vec::Vec;
use kernel::{DateTime, Utc};

/// Who refuses what lacks a prerequisite.
const ENGINE: &str = "engine";

/// The events that a command causes; none where it changes nothing.
pub fn decide(listing: &Listing, command: &Command) -> Vec<Event> {
    match command {
        Command::Request { opened, missing, at } => {
            if listing.opened.is_some() {
                return Vec::new();
            }
            let mut events = Vec::from([Event::Requested { opened: opened.clone(), at: *at }]);
            events.extend(missing.map(|missing| Event::Answered {
                answer: Answer::Refused,
                reason: String::from(missing.slug()),
                reference: String::new(),
                by: String::from(ENGINE),
                at: *at,
            }));
            events
        }
        Command::Require { obligation, at } => require(listing, obligation, *at),
        Command::Send { order, at } => {
            let may = listing.next_order(*at) == Some(*order);
            may.then_some(Event::Sent { order: *order, at: *at }).into_iter().collect()
        }
        Command::Lose { order, at } => lose(listing, *order, *at),
        Command::Answer { .. } => answered(listing, command),
        Command::Watch { .. } => watched(listing, command),
    }
}

/// The first cause stands.
fn require(listing: &Listing, obligation: &Obligation, at: DateTime<Utc>) -> Vec<Event> {
    if listing.opened.is_none() || listing.obligation.is_some() || listing.removal == Stage::Done {
        return Vec::new();
    }
    let mut events = Vec::from([Event::RemovalRequired { obligation: obligation.clone(), at }]);
    events.extend(give_up(listing, obligation.cause, at));
    events
}

fn give_up(listing: &Listing, cause: Cause, at: DateTime<Utc>) -> Option<Event> {
    let is_waiting = listing.inclusion == Stage::Waiting && !listing.withdrawn;
    is_waiting.then_some(Event::Withdrawn { cause, at })
}

/// Only a command whose outcome is unknown can turn out to be lost.
fn lose(listing: &Listing, order: Order, at: DateTime<Utc>) -> Vec<Event> {
    if listing.stage(order) != Stage::Sent {
        return Vec::new();
    }
    let lost = Event::Lost { order, at };
    let after = evolve(listing.clone(), &lost);
    let withdrawn = after.obligation.as_ref().and_then(|obligation| give_up(&after, obligation.cause, at));
    core::iter::once(lost).chain(withdrawn).collect()
}

/// A word that says no more than what is known changes nothing.
fn answered(listing: &Listing, command: &Command) -> Vec<Event> {
    let Command::Answer { answer, reason, reference, by, at } = command else { return Vec::new() };
    let (order, stage) = answer.means();
    if listing.opened.is_none() || listing.stage(order) >= stage {
        return Vec::new();
    }
    let (reason, reference, by) = (reason.clone(), reference.clone(), by.clone());
    Vec::from([Event::Answered { answer: *answer, reason, reference, by, at: *at }])
}

fn watched(listing: &Listing, command: &Command) -> Vec<Event> {
    let Command::Watch { today, at } = command else { return Vec::new() };
    let Some(obligation) = listing.obligation.as_ref().filter(|_| listing.must_leave()) else { return Vec::new() };
    let due = if *today > obligation.until {
        Alarm::Late
    } else if *today >= obligation.alarm_on {
        Alarm::Near
    } else {
        return Vec::new();
    };
    if listing.alarm >= Some(due) {
        return Vec::new();
    }
    Vec::from([Event::RemovalAlarmed { alarm: due, today: *today, until: obligation.until, at: *at }])
}
