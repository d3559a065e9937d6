//! How unapplied credit covers open invoices. Source: the gate's rule, oldest due first within a currency.

use crate::{Account, charges::due_minor};
use alloc::{collections::BTreeMap, vec::Vec};
use brazil::charges::LegalRates;
use kernel::{Currency, InvoiceId, NaiveDate};

/// What each open invoice still lacks on a day, charges and discounts included, after the payer's unapplied credit of its currency, in
/// minor units.
///
/// Credit covers the oldest due date first; equal due dates the oldest issue, then the smallest id.
/// Nothing is booked: the credit stays where it is, only reminders look through it. Where the legal rate of a month is missing the
/// principal stands for what is due: no reminder says it.
pub fn net_minor(account: &Account, day: NaiveDate, rates: &LegalRates) -> BTreeMap<InvoiceId, i64> {
    let mut left: BTreeMap<Currency, i64> = account.credit.clone();
    let mut open: Vec<_> = account.invoices.iter().filter(|(_, invoice)| invoice.is_owed()).collect();
    open.sort_by_key(|(invoice_id, invoice)| (invoice.due_on, invoice.issued_on, *invoice_id));
    let mut net = BTreeMap::new();
    for (invoice_id, invoice) in open {
        let credit = left.entry(invoice.currency).or_insert(0);
        let due_minor = due_minor(account, invoice, day, rates).unwrap_or(invoice.open_minor);
        let covered = due_minor.min((*credit).max(0));
        *credit -= covered;
        net.insert(invoice_id.clone(), due_minor - covered);
    }
    net
}
