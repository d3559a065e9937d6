//! How unapplied credit covers open invoices. Sources: the gate's rule, oldest due first within a currency; a payer says which debt a
//! payment is for (Civil Code art. 352).

use crate::{Account, Invoice, charges::due_minor};
use alloc::{
    collections::{BTreeMap, BTreeSet},
    vec::Vec,
};
use brazil::charges::LegalRates;
use kernel::{Currency, InvoiceId, NaiveDate};

/// What each open invoice still lacks on a day, charges and discounts included, after the payer's unapplied credit of its currency, in
/// minor units.
///
/// What was paid past an invoice by a payment that names it covers that invoice first, where it is owed again. The rest of the credit covers
/// the oldest due date first; equal due dates the oldest issue, then the smallest id.
/// Nothing is booked: the credit stays where it is, only reminders look through it. Where the legal rate of a month is missing the
/// principal stands for what is due: no reminder says it.
pub fn net_minor(account: &Account, day: NaiveDate, rates: &LegalRates) -> BTreeMap<InvoiceId, i64> {
    let due_minor = |invoice: &Invoice| due_minor(account, invoice, day, rates).unwrap_or(invoice.open_minor);
    cover(account, due_minor).into_iter().map(|(invoice_id, _, net_minor)| (invoice_id.clone(), net_minor)).collect()
}

/// Owed invoices of a currency whose principal credit does not cover. Charges are left out: the day decides them.
pub(crate) fn uncovered(account: &Account, currency: Currency) -> BTreeSet<&InvoiceId> {
    let all = cover(account, |invoice| invoice.open_minor).into_iter();
    let lacks = |(_, invoice, net_minor): &(&InvoiceId, &Invoice, i64)| *net_minor > 0 || invoice.open_minor == 0;
    all.filter(|(_, invoice, _)| invoice.currency == currency).filter(lacks).map(|(invoice_id, _, _)| invoice_id).collect()
}

/// Owed invoices in the order in which credit covers them, with what each lacks of what it asks for.
fn cover(account: &Account, asked_minor: impl Fn(&Invoice) -> i64) -> Vec<(&InvoiceId, &Invoice, i64)> {
    let mut open: Vec<_> = account.invoices.iter().filter(|(_, invoice)| invoice.is_owed()).collect();
    open.sort_by_key(|(invoice_id, invoice)| (invoice.due_on, invoice.issued_on, *invoice_id));
    let mut open: Vec<_> = open.into_iter().map(|(invoice_id, invoice)| (invoice_id, invoice, asked_minor(invoice))).collect();
    let mut left: BTreeMap<Currency, i64> = account.credit.clone();
    let mut take = |currency: Currency, lacks: &mut i64, most_minor: i64| {
        let credit = left.entry(currency).or_insert(0);
        let covered = (*lacks).min(most_minor).min((*credit).max(0)).max(0);
        (*credit, *lacks) = (*credit - covered, *lacks - covered);
    };
    let named = if account.credit.is_empty() { BTreeMap::new() } else { named(account) };
    for (invoice_id, invoice, lacks) in &mut open {
        take(invoice.currency, lacks, named.get(*invoice_id).copied().unwrap_or(0));
    }
    for (_, invoice, lacks) in &mut open {
        take(invoice.currency, lacks, i64::MAX);
    }
    open
}

/// What payments that name an invoice have as credit, minor units.
fn named(account: &Account) -> BTreeMap<&InvoiceId, i64> {
    let mut named: BTreeMap<&InvoiceId, i64> = BTreeMap::new();
    for payment in account.payments.values() {
        let of = named.entry(&payment.invoice_id).or_default();
        *of = of.saturating_add(payment.unapplied_minor().max(0));
    }
    named
}
