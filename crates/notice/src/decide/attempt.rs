//! What became of a provider call.

use super::conclude::{all, concluded};
use super::{Place, bounded, place};
use crate::command::AttemptResult;
use crate::wake::is_open;
use crate::{
    AttemptAccepted, AttemptPhase, AttemptRefused, AttemptRetried, AttemptUnknown, Contacts, Event, NoteAttempt, NoteReceipt, Outcome,
    Phase, Reason, ReceiptNoted, ReceiptStatus, Rejection, RetryAttempt,
};
use alloc::{string::String, vec, vec::Vec};
use chrono::TimeDelta;
use kernel::{DateTime, Utc};

/// How often a provider is called with one key.
const MAX_TRIES: u32 = 5;

/// How long after its start a provider is still called with one key: the last look that allowed it must stay fresh.
const RETRY_MINUTES: i64 = 10;

pub(super) fn note(contacts: &Contacts, command: &NoteAttempt) -> Result<Vec<Event>, Rejection> {
    let result = checked(&command.result)?;
    if !contacts.contacts.contains_key(&command.contact_id) {
        return Err(Rejection::ContactUnknown);
    }
    let place = place(contacts, &command.attempt_id)?;
    if *place.contact_id != command.contact_id {
        return Err(Rejection::AttemptUnknown);
    }
    match (&place.attempt.phase, result) {
        (AttemptPhase::Started { .. } | AttemptPhase::Unknown { .. }, AttemptResult::Accepted { provider_id }) => {
            Ok(accepted(&place, provider_id, command.at))
        }
        (AttemptPhase::Started { .. } | AttemptPhase::Unknown { .. }, AttemptResult::Refused { reason }) => {
            Ok(refused(&place, reason, command.at))
        }
        (AttemptPhase::Started { .. }, AttemptResult::Unknown) => Ok(vec![unknown(&place, command.at)]),
        (AttemptPhase::Unknown { .. }, AttemptResult::Unknown) => Ok(vec![]),
        // A provider's webhook may overtake its answer.
        (AttemptPhase::Accepted { provider_id: known, .. }, AttemptResult::Accepted { provider_id }) => {
            if known.is_empty() || *known == provider_id { Ok(vec![]) } else { Err(Rejection::AttemptSettled) }
        }
        (AttemptPhase::Refused { .. }, AttemptResult::Refused { .. }) => Ok(vec![]),
        (AttemptPhase::Accepted { .. }, AttemptResult::Refused { .. } | AttemptResult::Unknown)
        | (AttemptPhase::Refused { .. }, AttemptResult::Accepted { .. } | AttemptResult::Unknown) => Err(Rejection::AttemptSettled),
    }
}

fn checked(result: &AttemptResult) -> Result<AttemptResult, Rejection> {
    Ok(match result {
        AttemptResult::Accepted { provider_id } => AttemptResult::Accepted { provider_id: bounded("result.provider_id", provider_id)? },
        AttemptResult::Refused { reason } => AttemptResult::Refused { reason: bounded("result.reason", reason)? },
        AttemptResult::Unknown => AttemptResult::Unknown,
    })
}

/// Only an attempt without a known result is tried again, under the same key, and never outside its window.
pub(super) fn retry(contacts: &Contacts, command: &RetryAttempt) -> Result<Vec<Event>, Rejection> {
    let place = place(contacts, &command.attempt_id)?;
    if !place.attempt.is_in_flight() {
        return Err(Rejection::AttemptSettled);
    }
    if !command.channel_is_idempotent {
        return Err(Rejection::RetryForbidden);
    }
    let given_up = place.contact.phase == Phase::Concluded && !place.contact.is_accepted();
    let fresh = command.at.signed_duration_since(place.attempt.started_at) <= TimeDelta::minutes(RETRY_MINUTES);
    let stands_still =
        place.contact.class.is_reminder() && place.contact.said.iter().any(|said| contacts.suspended.contains_key(&said.key.invoice_id));
    if given_up || stands_still || !fresh || place.attempt.tries >= MAX_TRIES || !is_open(place.contact, command.at) {
        return Err(Rejection::RetriesSpent);
    }
    Ok(vec![Event::AttemptRetried(AttemptRetried {
        contact_id: place.contact_id.clone(),
        attempt_id: command.attempt_id.clone(),
        at: command.at,
    })])
}

pub(super) fn receipt(contacts: &Contacts, command: &NoteReceipt) -> Result<Vec<Event>, Rejection> {
    let place = place(contacts, &command.attempt_id)?;
    if place.attempt.receipt.is_some_and(|known| known >= command.status) {
        return Ok(vec![]);
    }
    let mut events = match (&place.attempt.phase, command.status) {
        (AttemptPhase::Accepted { .. }, _) => vec![],
        // Only what was taken arrives, or fails on its way: that settles what the answer left open. That it arrived outweighs a refusal.
        (AttemptPhase::Started { .. } | AttemptPhase::Unknown { .. }, _)
        | (AttemptPhase::Refused { .. }, ReceiptStatus::Delivered | ReceiptStatus::Read) => accepted(&place, String::new(), command.at),
        (AttemptPhase::Refused { .. }, ReceiptStatus::Failed) => return Ok(vec![]),
    };
    events.push(Event::ReceiptNoted(ReceiptNoted {
        contact_id: place.contact_id.clone(),
        attempt_id: command.attempt_id.clone(),
        channel: place.attempt.channel,
        status: command.status,
        at: command.at,
    }));
    Ok(events)
}

/// The first acceptance executes the contact's items.
fn accepted(place: &Place<'_>, provider_id: String, at: DateTime<Utc>) -> Vec<Event> {
    let mut events = vec![Event::AttemptAccepted(AttemptAccepted {
        contact_id: place.contact_id.clone(),
        attempt_id: place.attempt.attempt_id.clone(),
        channel: place.attempt.channel,
        day: place.contact.day,
        provider_id,
        at,
    })];
    if place.contact.phase == Phase::Handed {
        let outcomes = all(place.contact, Outcome::Executed);
        events.push(concluded(place.contact_id, place.contact, Some(place.attempt.channel), outcomes));
    }
    events
}

/// The last refusal, with no channel left and nothing accepted or unknown, ends the contact.
fn refused(place: &Place<'_>, reason: String, at: DateTime<Utc>) -> Vec<Event> {
    let mut events = vec![Event::AttemptRefused(AttemptRefused {
        contact_id: place.contact_id.clone(),
        attempt_id: place.attempt.attempt_id.clone(),
        channel: place.attempt.channel,
        reason,
        at,
    })];
    let others = place.contact.chains.iter().enumerate().filter(|(index, _)| *index != place.chain);
    let hope_elsewhere = others.clone().any(|(_, chain)| chain.is_accepted() || chain.is_in_flight() || chain.left().next().is_some());
    let hope_here = place.contact.chains.get(place.chain).is_some_and(|chain| chain.left().next().is_some());
    if place.contact.phase == Phase::Handed && !hope_elsewhere && !hope_here {
        let outcomes = all(place.contact, Outcome::Undeliverable(Reason::AllRefused));
        events.push(concluded(place.contact_id, place.contact, None, outcomes));
    }
    events
}

fn unknown(place: &Place<'_>, at: DateTime<Utc>) -> Event {
    Event::AttemptUnknown(AttemptUnknown {
        contact_id: place.contact_id.clone(),
        attempt_id: place.attempt.attempt_id.clone(),
        channel: place.attempt.channel,
        at,
    })
}
