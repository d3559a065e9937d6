//! A reminder becomes contacts.

use super::conclude;
use crate::{Compose, ContactComposed, Contacts, Draft, Event, Item, Rejection, Reminder, Rules};
use alloc::vec::Vec;
use kernel::text;

pub(super) fn compose(contacts: &Contacts, command: &Compose) -> Result<Vec<Event>, Rejection> {
    let reminder = &command.reminder;
    for item in &reminder.items {
        named(item)?;
    }
    let mut events = conclude::left_behind(contacts, reminder.day);
    events.extend(crate::compose(reminder, contacts).into_iter().map(|draft| composed(reminder, draft)));
    Ok(events)
}

fn named(item: &Item) -> Result<(), Rejection> {
    let checked = text::bounded(&item.template, 200);
    checked.map(|_| ()).map_err(|fault| Rejection::TextRefused { field: "reminder.items.template", fault })
}

fn composed(reminder: &Reminder, draft: Draft) -> Event {
    let rules: Rules = reminder.rules;
    Event::ContactComposed(ContactComposed {
        contact_id: draft.contact_id,
        day: reminder.day,
        currency: draft.currency,
        class: draft.class,
        rules,
        calendar: reminder.calendar,
        zone: reminder.zone,
        items: draft.items,
    })
}
