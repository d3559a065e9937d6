//! When a contact wants to be looked at, and which goes first.

use crate::chain::Chain;
use crate::compose::carrying;
use crate::contacts::{Contact, Contacts, Phase};
use alloc::vec::Vec;
use chrono::TimeDelta;
use kernel::{ContactId, Currency, DateTime, InvoiceId, NaiveDate, Utc, calendar};

/// How long after the end of its day an attempt without a known outcome is waited for.
const UNKNOWN_HOURS: i64 = 72;

/// Contacts to be gated now, in their turn: the one whose oldest step was planned first, ties by currency code, overdue
/// first, then the carrying invoice.
pub fn due(contacts: &Contacts, now: DateTime<Utc>) -> Vec<ContactId> {
    let is_due = |contact: &Contact| wants_gate_at(contact).is_some_and(|at| at <= now);
    let mut due: Vec<_> = contacts.contacts.iter().filter(|(_, contact)| is_due(contact)).collect();
    due.sort_by(|left, right| turn(left.0, left.1).cmp(&turn(right.0, right.1)));
    due.into_iter().map(|(contact_id, _)| contact_id.clone()).collect()
}

/// The next instant at which something is due: a gate ([`due`]) or the closing of what its day left behind
/// ([`crate::CloseStale`]). It may lie in the past. `None` where nothing is ever due again.
pub fn next_wake(contacts: &Contacts) -> Option<DateTime<Utc>> {
    contacts.contacts.values().filter_map(|contact| earliest([wants_gate_at(contact), stale_at(contact)])).min()
}

/// When it wants a gate: at the opening of its day, or when a chain is to fall back.
pub(crate) fn wants_gate_at(contact: &Contact) -> Option<DateTime<Utc>> {
    match contact.phase {
        Phase::Composed => Some(opens_at(contact)),
        Phase::Handed | Phase::Concluded => contact.chains.iter().filter_map(|chain| falls_back_at(contact, chain)).min(),
    }
}

/// When a chain of it is to fall back. Silence that lasts until the window is shut is left alone.
pub(crate) fn falls_back_at(contact: &Contact, chain: &Chain) -> Option<DateTime<Utc>> {
    if contact.phase == Phase::Concluded && !contact.is_accepted() {
        return None;
    }
    let at = chain.falls_back_at(contact.fallback_after_hours())?;
    (!chain.is_accepted() || is_open(contact, at)).then_some(at)
}

/// When it is closed without a gate: an unlooked-at contact at the end of its day, an unknown outcome a while later.
pub(crate) fn stale_at(contact: &Contact) -> Option<DateTime<Utc>> {
    let day_end = contact.zone.midnight(calendar::next(contact.day));
    match contact.phase {
        Phase::Composed => Some(day_end),
        Phase::Handed if contact.was_handed() => day_end.checked_add_signed(TimeDelta::hours(UNKNOWN_HOURS)),
        Phase::Handed => Some(day_end),
        Phase::Concluded => None,
    }
}

/// When the window of its day opens; where it does not on that day, the day's start, because nothing is to wait for.
pub(crate) fn opens_at(contact: &Contact) -> DateTime<Utc> {
    if contact.rules.window.opens_on(contact.day, contact.calendar) {
        contact.zone.instant(contact.day, contact.rules.window.from)
    } else {
        contact.zone.midnight(contact.day)
    }
}

/// Whether it may be handed over: inside the window, on its own day, in the payer's zone.
pub(crate) fn is_open(contact: &Contact, now: DateTime<Utc>) -> bool {
    contact.zone.day_of(now) == contact.day && contact.rules.window.is_open(now, contact.zone, contact.calendar)
}

/// Who goes first on a day.
pub(crate) fn turn<'a>(
    contact_id: &'a ContactId,
    contact: &'a Contact,
) -> (NaiveDate, Option<NaiveDate>, Currency, bool, Option<&'a InvoiceId>, &'a ContactId) {
    let planned_first = contact.items.iter().map(|item| item.planned_on).min();
    let has_overdue = contact.items.iter().any(|item| item.overdue);
    let carrying = carrying(contact.items.iter().map(|item| (item, 0))).map(|item| &item.invoice_id);
    (contact.day, planned_first, contact.currency, !has_overdue, carrying, contact_id)
}

fn earliest(instants: [Option<DateTime<Utc>>; 2]) -> Option<DateTime<Utc>> {
    instants.into_iter().flatten().min()
}
