//! The contacts of one payer, as the event log runs them.

use crate::wire::{self, Aside, Fact};
use chrono::TimeDelta;
use eventlog::{Aggregate, DecodeError, Meta, NewEvent, NextTimer, Told};
use kernel::{ContactId, CustomerId, DateTime, Utc};
use notice::{Attempt, AttemptPhase, Chain, Command, Contact, Contacts, Event, ItemOutcome, Occurrence, Outcome, Rejection};
use std::collections::BTreeSet;

/// How long after a contact is due it is looked at again, where the look before was not possible.
const LOOK_AGAIN: TimeDelta = TimeDelta::seconds(30);
/// How long after its call an attempt without result is taken up again.
pub(crate) const TAKE_UP_AFTER: TimeDelta = TimeDelta::seconds(60);
/// Longest pause between two times at which an attempt with unknown result is taken up.
const TAKE_UP_EVERY: TimeDelta = TimeDelta::hours(6);
/// How long after its start an attempt with unknown result is taken up: after that its contact has come to its end without it.
const TAKE_UP_FOR: TimeDelta = TimeDelta::hours(96);

/// Contacts, one stream per payer.
#[derive(Debug, Clone, Copy, Default)]
pub struct AllContacts;

/// A payer's contacts, with what their texts need besides.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Book {
    /// What the rules know.
    pub contacts: Contacts,
    /// Items of open contacts whose payment was returned: the text says so.
    pub returned: BTreeSet<Occurrence>,
}

/// A command with the payer whose contacts it is for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Addressed {
    /// The payer.
    pub customer_id: CustomerId,
    /// What is asked.
    pub command: Command,
    /// Of a reminder: items whose payment was returned.
    pub returned: BTreeSet<Occurrence>,
}

impl Addressed {
    /// A plain command.
    pub fn new(customer_id: CustomerId, command: Command) -> Self {
        Self { customer_id, command, returned: BTreeSet::new() }
    }
}

impl Aggregate for AllContacts {
    type State = Book;
    type Command = Addressed;
    type Event = Fact;
    type Rejection = Rejection;

    fn decide(&self, book: &Book, addressed: &Addressed) -> Result<Vec<Fact>, Rejection> {
        let events = notice::decide(&book.contacts, &addressed.command)?;
        let fact = |event: Event| Fact { customer_id: addressed.customer_id.clone(), aside: aside(book, addressed, &event), event };
        Ok(events.into_iter().map(fact).collect())
    }

    fn evolve(&self, book: Book, fact: &Fact) -> Book {
        let Book { contacts, mut returned } = book;
        let contacts = notice::evolve(contacts, &fact.event);
        match &fact.aside {
            Aside::Returned(keys) => {
                returned.extend(keys.iter().cloned());
                // What no contact has any more is nobody's to tell.
                returned.retain(|key| contacts.contacts.values().any(|contact| contact.item(key).is_some()));
            }
            Aside::Nothing | Aside::Contact { .. } | Aside::Receipt { .. } => {}
        }
        Book { contacts, returned }
    }

    fn encode(&self, fact: &Fact) -> NewEvent {
        let (event_type, payload) = wire::encode(fact);
        let (occurred_at, effective_on) = (wire::occurred_at(&fact.event), wire::effective_on(fact));
        NewEvent { event_type, schema_version: 1, payload, occurred_at, effective_on }
    }

    fn decode(&self, told: &Told) -> Result<Option<Fact>, DecodeError> {
        wire::decode(&told.event_type, &told.payload).map_err(|fault| DecodeError::new(told, fault.to_string()))
    }

    /// Track `look`: the next gate, fallback or closing. Track `attempt`: calls whose result is missing. What is due
    /// already comes again shortly, for as long as it is due: whoever carries it out may have been interrupted.
    fn timers(&self, book: &Book, after: DateTime<Utc>) -> Vec<NextTimer> {
        let later = |at: DateTime<Utc>, pause: TimeDelta| if at > after { at } else { after + pause };
        let look = notice::next_wake(&book.contacts).map(|at| later(at, LOOK_AGAIN));
        let attempts = book.contacts.contacts.values().flat_map(|contact| &contact.chains).flat_map(|chain| &chain.attempts);
        let again = |attempt: &Attempt| take_up_at(attempt, after).map(|at| later(at, pause(attempt, after)));
        let attempt = attempts.filter_map(again).min();
        [("look", look), ("attempt", attempt)].map(|(track, due_at)| NextTimer { track: track.to_owned(), due_at }).into()
    }
}

/// When an attempt without result is taken up; `None` where that is of no use any more.
pub(crate) fn take_up_at(attempt: &Attempt, now: DateTime<Utc>) -> Option<DateTime<Utc>> {
    match attempt.phase {
        AttemptPhase::Started { at } => Some(at + TAKE_UP_AFTER),
        AttemptPhase::Unknown { at } => (now < attempt.started_at + TAKE_UP_FOR).then_some(at + TAKE_UP_AFTER),
        AttemptPhase::Accepted { .. } | AttemptPhase::Refused { .. } => None,
    }
}

fn aside(book: &Book, addressed: &Addressed, event: &Event) -> Aside {
    let contact = |contact_id: &ContactId| book.contacts.contacts.get(contact_id);
    let found = match event {
        Event::ContactComposed(e) => {
            let is_returned = |key: &Occurrence| addressed.returned.contains(key) || book.returned.contains(key);
            let returned: BTreeSet<Occurrence> = e.items.iter().map(notice::Item::key).filter(is_returned).collect();
            (!returned.is_empty()).then_some(Aside::Returned(returned))
        }
        Event::FallbackGated(e) => contact(&e.contact_id).map(|contact| Aside::Contact { day: contact.day, currency: contact.currency }),
        Event::ReceiptNoted(e) => {
            contact(&e.contact_id).map(|contact| Aside::Receipt { day: contact.zone.day_of(e.at), items: told(contact) })
        }
        Event::ContactGated(_)
        | Event::FallbackStopped(_)
        | Event::AttemptStarted(_)
        | Event::AttemptRetried(_)
        | Event::AttemptAccepted(_)
        | Event::AttemptRefused(_)
        | Event::AttemptUnknown(_)
        | Event::ContactConcluded(_)
        | Event::OptedOut(_)
        | Event::OptedIn(_)
        | Event::Forgotten(_)
        | Event::Suspended(_) => None,
    };
    found.unwrap_or(Aside::Nothing)
}

fn told(contact: &Contact) -> Vec<ItemOutcome> {
    let executed = |said: &notice::Said| ItemOutcome { key: said.key.clone(), outcome: Outcome::Executed, net_minor: Some(said.net_minor) };
    contact.said.iter().map(executed).collect()
}

/// Who does not answer is asked ever less often. Whole seconds, because timers are kept in microseconds.
fn pause(attempt: &Attempt, now: DateTime<Utc>) -> TimeDelta {
    let waited = now.signed_duration_since(attempt.started_at);
    TimeDelta::seconds(waited.num_seconds() / 2).clamp(TAKE_UP_AFTER, TAKE_UP_EVERY)
}

/// All attempts of a contact, chain by chain.
pub(crate) fn attempts(contact: &Contact) -> impl Iterator<Item = &Attempt> {
    contact.chains.iter().flat_map(|chain: &Chain| &chain.attempts)
}

/// The stream of a payer's contacts.
pub fn stream(tenant: &str, customer_id: &str) -> String {
    format!("contacts/{tenant}/{customer_id}")
}

/// The payer whose contacts a stream is.
pub fn customer_of<'a>(tenant: &str, stream: &'a str) -> Option<&'a str> {
    stream.strip_prefix("contacts/")?.strip_prefix(tenant)?.strip_prefix('/')
}

/// What the events of a request share.
pub fn meta(tenant: &str, customer_id: &str) -> Meta {
    Meta { tenant: tenant.to_owned(), key: format!("{tenant}/{customer_id}"), traceparent: host::trace::traceparent(), ..Meta::default() }
}
