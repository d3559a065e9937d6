//! The end of a contact: every item that has no outcome yet gets one.

use crate::wake::stale_at;
use crate::{Channel, Contact, ContactConcluded, Contacts, Event, ItemOutcome, Outcome, Phase, Reason};
use alloc::{vec, vec::Vec};
use kernel::{ContactId, DateTime, NaiveDate, Utc};

/// Concludes a contact with the given outcomes.
pub(super) fn concluded(contact_id: &ContactId, contact: &Contact, channel: Option<Channel>, outcomes: Vec<ItemOutcome>) -> Event {
    let carrying = contact.carrying_item();
    Event::ContactConcluded(ContactConcluded {
        contact_id: contact_id.clone(),
        day: contact.day,
        currency: contact.currency,
        carrying: contact.carrying.clone(),
        tone: carrying.map_or(0, |item| item.tone),
        template: carrying.map(|item| item.template.clone()).unwrap_or_default(),
        channel,
        outcomes,
    })
}

/// The same outcome for all that the contact still says: what it composed before the gate, what it said after.
pub(super) fn all(contact: &Contact, outcome: Outcome) -> Vec<ItemOutcome> {
    match contact.phase {
        Phase::Composed => contact.items.iter().map(|item| ItemOutcome { key: item.key(), outcome, net_minor: None }).collect(),
        Phase::Handed => {
            let outcome_of = |said: &crate::Said| ItemOutcome { key: said.key.clone(), outcome, net_minor: Some(said.net_minor) };
            contact.said.iter().map(outcome_of).collect()
        }
        Phase::Concluded => vec![],
    }
}

/// Contacts of days before `day` that nobody looked at: they are not sent late.
pub(super) fn left_behind(contacts: &Contacts, day: NaiveDate) -> Vec<Event> {
    let left = contacts.contacts.iter().filter(|(_, contact)| contact.phase == Phase::Composed && contact.day < day);
    left.map(|(contact_id, contact)| shut(contact_id, contact)).collect()
}

/// Contacts that their day left behind. What may have been accepted is waited for, and then ends undeliverable: a
/// missed reminder is cheaper than a double one.
pub(super) fn stale(contacts: &Contacts, now: DateTime<Utc>) -> Vec<Event> {
    let stale = contacts.contacts.iter().filter(|(_, contact)| stale_at(contact).is_some_and(|at| at <= now));
    let close = |(contact_id, contact): (&ContactId, &Contact)| {
        if contact.was_handed() {
            concluded(contact_id, contact, None, all(contact, Outcome::Undeliverable(Reason::OutcomeUnknown)))
        } else {
            shut(contact_id, contact)
        }
    };
    stale.map(close).collect()
}

fn shut(contact_id: &ContactId, contact: &Contact) -> Event {
    concluded(contact_id, contact, None, all(contact, Outcome::Deferred(Reason::WindowShut)))
}
