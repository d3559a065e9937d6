//! The payer's own word.

use crate::{Contacts, Event, Forgotten, OptIn, OptOut, OptedIn, OptedOut};
use alloc::{vec, vec::Vec};

pub(super) fn opt_out(contacts: &Contacts, command: &OptOut) -> Vec<Event> {
    match contacts.preferences.get(&command.channel) {
        Some(false) => vec![],
        Some(true) | None => vec![Event::OptedOut(OptedOut { channel: command.channel })],
    }
}

pub(super) fn opt_in(contacts: &Contacts, command: &OptIn) -> Vec<Event> {
    match contacts.preferences.get(&command.channel) {
        Some(true) => vec![],
        Some(false) | None => vec![Event::OptedIn(OptedIn { channel: command.channel })],
    }
}

pub(super) fn forget(contacts: &Contacts) -> Vec<Event> {
    if contacts.forgotten { vec![] } else { vec![Event::Forgotten(Forgotten)] }
}
