//! Events to state: total, without rules.

use crate::{
    Attempt, AttemptPhase, AttemptStarted, Chain, Contact, ContactComposed, ContactGated, Contacts, Event, FallbackGated, FallbackStopped,
    Item, ItemOutcome, Phase,
};
use alloc::vec::Vec;
use kernel::{ChannelAttemptId, ContactId, NaiveDate, Purpose, calendar};

/// How long a concluded contact is kept for receipts. Letters are slow; what was executed is remembered for ever in
/// [`Contacts::done`].
const KEPT_DAYS: i64 = 60;

/// The contacts after an event.
pub fn evolve(mut contacts: Contacts, event: &Event) -> Contacts {
    match event {
        Event::ContactComposed(event) => composed(&mut contacts, event),
        Event::ContactGated(event) => gated(&mut contacts, event),
        Event::FallbackGated(event) => gated_again(&mut contacts, event),
        Event::FallbackStopped(event) => stopped(&mut contacts, event),
        Event::AttemptStarted(event) => started(&mut contacts, event),
        Event::AttemptRetried(event) => with_attempt(&mut contacts, &event.contact_id, &event.attempt_id, |attempt| {
            attempt.tries = attempt.tries.saturating_add(1);
            attempt.phase = AttemptPhase::Started { at: event.at };
        }),
        Event::AttemptAccepted(event) => with_attempt(&mut contacts, &event.contact_id, &event.attempt_id, |attempt| {
            attempt.phase = AttemptPhase::Accepted { provider_id: event.provider_id.clone(), at: event.at };
        }),
        Event::AttemptRefused(event) => with_attempt(&mut contacts, &event.contact_id, &event.attempt_id, |attempt| {
            attempt.phase = AttemptPhase::Refused { reason: event.reason.clone(), at: event.at };
        }),
        Event::AttemptUnknown(event) => with_attempt(&mut contacts, &event.contact_id, &event.attempt_id, |attempt| {
            attempt.phase = AttemptPhase::Unknown { at: event.at };
        }),
        Event::ReceiptNoted(event) => with_attempt(&mut contacts, &event.contact_id, &event.attempt_id, |attempt| {
            attempt.receipt = attempt.receipt.max(Some(event.status));
        }),
        Event::ContactConcluded(event) => {
            if let Some(contact) = contacts.contacts.get_mut(&event.contact_id) {
                contact.phase = Phase::Concluded;
            }
            ended(&mut contacts, &event.contact_id, &event.outcomes);
        }
        Event::OptedOut(event) => {
            contacts.preferences.insert(event.channel, false);
        }
        Event::OptedIn(event) => {
            contacts.preferences.insert(event.channel, true);
        }
        Event::Forgotten(_) => {
            contacts.forgotten = true;
            contacts.preferences.clear();
        }
        Event::Suspended(event) => {
            for invoice_id in &event.invoice_ids {
                contacts.suspended.insert_mut(invoice_id.clone(), event.standstill);
            }
        }
    }
    contacts
}

fn composed(contacts: &mut Contacts, event: &ContactComposed) {
    let kept_since: NaiveDate = calendar::add_days(event.day, -KEPT_DAYS);
    // The engine offers only what does not stand still, and tells both in one order. What joined the contact before is no new offer.
    let before = contacts.contacts.get(&event.contact_id);
    let is_new = |item: &&Item| before.is_none_or(|before| before.item(&item.key()).is_none());
    for item in event.items.iter().filter(is_new).filter(|item| item.purpose == Purpose::Reminder) {
        contacts.suspended.remove_mut(&item.invoice_id);
    }
    let is_old = |contact: &Contact| contact.phase == Phase::Concluded && contact.day < kept_since;
    let old: Vec<ContactId> = contacts.contacts.iter().filter(|(_, contact)| is_old(contact)).map(|(id, _)| id.clone()).collect();
    for contact_id in &old {
        contacts.contacts.remove_mut(contact_id);
    }
    let contact = Contact {
        day: event.day,
        currency: event.currency,
        class: event.class.clone(),
        rules: event.rules,
        calendar: event.calendar,
        zone: event.zone,
        items: event.items.clone(),
        said: Vec::new(),
        carrying: None,
        chains: Vec::new(),
        phase: Phase::Composed,
    };
    contacts.contacts.insert_mut(event.contact_id.clone(), contact);
}

fn gated(contacts: &mut Contacts, event: &ContactGated) {
    if let Some(contact) = contacts.contacts.get_mut(&event.contact_id) {
        contact.said = event.said.clone();
        contact.carrying = Some(event.carrying.clone());
        contact.chains = event.chains.iter().cloned().map(Chain::new).collect();
        contact.phase = Phase::Handed;
    }
    ended(contacts, &event.contact_id, &event.outcomes);
}

fn gated_again(contacts: &mut Contacts, event: &FallbackGated) {
    if let Some(contact) = contacts.contacts.get_mut(&event.contact_id) {
        contact.said = event.said.clone();
        contact.carrying = Some(event.carrying.clone());
    }
    ended(contacts, &event.contact_id, &event.outcomes);
}

fn stopped(contacts: &mut Contacts, event: &FallbackStopped) {
    if let Some(contact) = contacts.contacts.get_mut(&event.contact_id) {
        for (index, chain) in (0u32..).zip(&mut contact.chains) {
            chain.stopped |= event.chains.contains(&index);
        }
    }
}

fn started(contacts: &mut Contacts, event: &AttemptStarted) {
    let chains = contacts.contacts.get_mut(&event.contact_id).map(|contact| &mut contact.chains);
    let Some(chain) = chains.and_then(|chains| chains.get_mut(event.chain as usize)) else { return };
    chain.attempts.push(Attempt {
        attempt_id: event.attempt_id.clone(),
        link: event.link,
        channel: event.channel,
        started_at: event.at,
        tries: 1,
        phase: AttemptPhase::Started { at: event.at },
        receipt: None,
    });
}

fn with_attempt(contacts: &mut Contacts, contact_id: &ContactId, attempt_id: &ChannelAttemptId, change: impl FnOnce(&mut Attempt)) {
    let chains = contacts.contacts.get_mut(contact_id).map(|contact| &mut contact.chains);
    let attempts = chains.into_iter().flatten().flat_map(|chain| &mut chain.attempts);
    if let Some(attempt) = attempts.into_iter().find(|attempt| attempt.attempt_id == *attempt_id) {
        change(attempt);
    }
}

/// A deferred occurrence may come again on another day; any other end is for good.
fn ended(contacts: &mut Contacts, contact_id: &ContactId, outcomes: &[ItemOutcome]) {
    let over = outcomes.iter().filter(|outcome| outcome.outcome.is_final());
    for outcome in over {
        contacts.done.insert_mut(outcome.key.clone(), contact_id.clone());
    }
}
