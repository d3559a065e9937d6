//! Merging: what is offered on a day becomes contacts, one per currency and day where nothing else is asked.

use crate::contacts::{Class, Contacts, Phase};
use crate::reminder::{Item, Merge, Occurrence, Reminder};
use alloc::{
    collections::{BTreeMap, BTreeSet},
    format,
    string::String,
    vec::Vec,
};
use core::cmp::Reverse;
use kernel::{ContactId, Currency, InvoiceId, NaiveDate, Purpose};

/// A contact to be composed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Draft {
    /// Unique within the payer: day, currency, class.
    pub contact_id: ContactId,
    /// Currency of all its items.
    pub currency: Currency,
    /// What it gathers.
    pub class: Class,
    /// In reading order: overdue first, oldest due first, upcoming below.
    pub items: Vec<Item>,
}

/// Contacts for the items of a reminder that are new: not ended, not in flight, not offered on the same day before.
/// Items that meet a contact of the same day, currency and class that is still only composed, join it.
pub fn compose(reminder: &Reminder, existing: &Contacts) -> Vec<Draft> {
    let mut seen = seen(existing, reminder.day);
    let mut groups: BTreeMap<(Currency, Class), Vec<Item>> = BTreeMap::new();
    for item in &reminder.items {
        if !existing.done.contains_key(&item.key()) && seen.insert(item.key()) {
            groups.entry((item.currency, class(reminder.rules.merge, item))).or_default().push(item.clone());
        }
    }
    groups.into_iter().map(|((currency, class), items)| draft(existing, reminder.day, currency, class, items)).collect()
}

/// The carrying item among those that go out: the highest tone, then the oldest due date, then the largest balance,
/// then the smallest invoice id.
pub fn carrying<'a>(items: impl Iterator<Item = (&'a Item, i64)>) -> Option<&'a Item> {
    let order = |(item, net_minor): &(&'a Item, i64)| (Reverse(item.tone), item.due_on, Reverse(*net_minor), &item.invoice_id);
    items.min_by(|left, right| order(left).cmp(&order(right))).map(|(item, _)| item)
}

/// Occurrences that the day has seen, and those of contacts whose outcome is open. Contacts that an earlier day left
/// composed are not among them: they are closed before anything is composed.
fn seen(existing: &Contacts, day: NaiveDate) -> BTreeSet<Occurrence> {
    let mut seen = BTreeSet::new();
    for contact in existing.contacts.values() {
        if contact.day == day || contact.phase == Phase::Composed && contact.day > day {
            seen.extend(contact.items.iter().map(Item::key));
        }
        if contact.phase == Phase::Handed {
            seen.extend(contact.said.iter().map(|said| said.key.clone()));
        }
    }
    seen
}

fn class(merge: Merge, item: &Item) -> Class {
    match item.purpose {
        Purpose::Reminder => {}
        Purpose::ThankYou => return Class::ThankYou,
        Purpose::Correction => return Class::Correction,
    }
    match merge {
        Merge::PerDay => Class::All,
        Merge::ByClass if item.overdue => Class::Overdue,
        Merge::ByClass => Class::Upcoming,
        Merge::None => Class::Single(item.invoice_id.clone()),
    }
}

fn draft(existing: &Contacts, day: NaiveDate, currency: Currency, class: Class, mut items: Vec<Item>) -> Draft {
    let joined = existing.contacts.iter().find(|(_, contact)| {
        contact.phase == Phase::Composed && contact.day == day && contact.currency == currency && contact.class == class
    });
    let contact_id = match joined {
        Some((contact_id, contact)) => {
            items.extend(contact.items.iter().cloned());
            contact_id.clone()
        }
        None => free_id(existing, &format!("{day}.{currency}.{}", short(&class))),
    };
    items.sort_by(|left, right| reading_order(left).cmp(&reading_order(right)));
    Draft { contact_id, currency, class, items }
}

fn reading_order(item: &Item) -> (bool, NaiveDate, &InvoiceId, u32) {
    (!item.overdue, item.due_on, &item.invoice_id, item.cycle)
}

/// The id, or the id with the first free number where an earlier contact of the day has it.
fn free_id(existing: &Contacts, base: &str) -> ContactId {
    let ids = core::iter::once(String::from(base)).chain((2u32..).map(|number| format!("{base}.{number}")));
    let mut ids = ids.map(|id| ContactId::new(&id).expect("a date, a code and a shortened id are id characters, at most 60 of them"));
    let free = ids.find(|id| !existing.contacts.contains_key(id));
    free.expect("a payer has fewer than 2^32 contacts a day")
}

/// At most 33 characters, so that number, chain and link still fit an id: a longer invoice id is cut and hashed.
fn short(class: &Class) -> String {
    let name = class.name();
    if name.len() <= 33 {
        return name;
    }
    // FNV-1a, 64 bits: enough to tell the invoices of one payer and day apart.
    let hash = name.bytes().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x100_0000_01b3));
    format!("{}-{hash:016x}", name.chars().take(16).collect::<String>())
}
