//! The owner's word at the last-look gate.

use crate::last_look::{Answer, Verdict, last_look};
use crate::{Account, AuthorizeReminder, AuthorizedItem, Event, Rejection, ReminderAuthorized};
use alloc::{vec, vec::Vec};
use brazil::charges::LegalRates;

/// Refused items are an answer, not a rejection: the caller reads them from [`last_look()`] on the same state.
/// An event is added only where something is authorised that this contact was not authorised for already.
pub(super) fn authorize(account: &Account, command: &AuthorizeReminder, rates: &LegalRates) -> Result<Vec<Event>, Rejection> {
    if command.tolerance_minor < 0 {
        return Err(Rejection::ToleranceNegative);
    }
    if command.items.iter().any(|item| item.min_outstanding_minor < 0) {
        return Err(Rejection::MinimumNegative);
    }
    if command.items.iter().any(|item| item.disputed_minor < 0) {
        return Err(Rejection::DisputedNegative);
    }
    let items: Vec<AuthorizedItem> = last_look(account, command, rates).iter().filter_map(authorized).collect();
    let known = account.authorizations.get(&command.contact_id).is_some_and(|before| before.items == items);
    if items.is_empty() || known {
        return Ok(vec![]);
    }
    Ok(vec![Event::ReminderAuthorized(ReminderAuthorized { contact_id: command.contact_id.clone(), items, at: command.at })])
}

fn authorized(verdict: &Verdict) -> Option<AuthorizedItem> {
    let Answer::Authorized { net_minor } = verdict.answer else { return None };
    Some(AuthorizedItem {
        invoice_id: verdict.item.invoice_id.clone(),
        cycle: verdict.item.cycle,
        step_id: verdict.item.step_id.clone(),
        occurrence: verdict.item.occurrence,
        net_minor,
    })
}
