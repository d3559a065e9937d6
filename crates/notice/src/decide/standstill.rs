//! Debts that stand still.

use crate::{Contacts, Event, Suspend, Suspended};
use alloc::{vec, vec::Vec};
use kernel::InvoiceId;

pub(super) fn suspend(contacts: &Contacts, command: &Suspend) -> Vec<Event> {
    let is_new = |invoice_id: &&InvoiceId| contacts.suspended.get(*invoice_id) != Some(&command.standstill);
    let invoice_ids: Vec<InvoiceId> = command.invoice_ids.iter().filter(is_new).cloned().collect();
    if invoice_ids.is_empty() { vec![] } else { vec![Event::Suspended(Suspended { invoice_ids, standstill: command.standstill })] }
}
