//! The payer's own word.

use crate::{Channel, Contacts, Event, Forgotten, OptIn, OptOut, OptedIn, OptedOut};
use alloc::{vec, vec::Vec};

pub(super) fn opt_out(contacts: &Contacts, command: &OptOut) -> Vec<Event> {
    let meant = |channel: &Channel| command.channel.is_none_or(|named| named == *channel);
    let channels = Channel::ALL.into_iter().filter(meant).filter(|channel| !contacts.opted_out(*channel));
    channels.map(|channel| Event::OptedOut(OptedOut { channel })).collect()
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
