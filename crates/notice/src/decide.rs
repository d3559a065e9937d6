//! Commands to events: one function each, in the order malformed, not there, not allowed, nothing new, new.

mod attempt;
mod compose;
mod conclude;
mod consent;
mod handover;
mod standstill;

use crate::{Attempt, Command, Contact, Contacts, Event, Rejection};
use alloc::{string::String, vec::Vec};
use kernel::{ChannelAttemptId, ContactId, text};

/// What a command does to a payer's contacts: events, none where nothing is new, or the reason why not.
pub fn decide(contacts: &Contacts, command: &Command) -> Result<Vec<Event>, Rejection> {
    match command {
        Command::Compose(command) => compose::compose(contacts, command),
        Command::Gate(command) => handover::gate(contacts, command),
        Command::NoteAttempt(command) => attempt::note(contacts, command),
        Command::RetryAttempt(command) => attempt::retry(contacts, command),
        Command::NoteReceipt(command) => attempt::receipt(contacts, command),
        Command::CloseStale(command) => Ok(conclude::stale(contacts, command.now)),
        Command::OptOut(command) => Ok(consent::opt_out(contacts, command)),
        Command::OptIn(command) => Ok(consent::opt_in(contacts, command)),
        Command::Forget(_) => Ok(consent::forget(contacts)),
        Command::Suspend(command) => Ok(standstill::suspend(contacts, command)),
    }
}

/// An attempt with its place.
struct Place<'a> {
    contact_id: &'a ContactId,
    contact: &'a Contact,
    chain: usize,
    attempt: &'a Attempt,
}

fn place<'a>(contacts: &'a Contacts, attempt_id: &ChannelAttemptId) -> Result<Place<'a>, Rejection> {
    for (contact_id, contact) in &contacts.contacts {
        for (chain, attempts) in contact.chains.iter().map(|chain| &chain.attempts).enumerate() {
            if let Some(attempt) = attempts.iter().find(|attempt| attempt.attempt_id == *attempt_id) {
                return Ok(Place { contact_id, contact, chain, attempt });
            }
        }
    }
    Err(Rejection::AttemptUnknown)
}

fn bounded(field: &'static str, value: &str) -> Result<String, Rejection> {
    text::bounded(value, 200).map_err(|fault| Rejection::TextRefused { field, fault })
}
