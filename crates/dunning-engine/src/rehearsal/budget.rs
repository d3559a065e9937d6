//! The contacts that a reminder makes, and the budgets of a payer, as the gate of notification counts them.

use kernel::{ContactId, Currency, InvoiceId, NaiveDate, calendar};
use ladder::{
    Ladder,
    ladder::DueItem,
    policy::{Channel, ContactRules, Merge},
    track::{End, OccurrenceState},
};
use std::collections::BTreeSet;

/// One contact of a reminder.
pub(super) struct Composed<'a> {
    /// What it says.
    pub items: Vec<&'a DueItem>,
    currency: Currency,
    class: usize,
}

/// The contacts of a reminder in the order in which they go out: the one whose oldest step was planned first, ties by currency, overdue
/// first, then the carrying receivable.
pub(super) fn compose(items: &[DueItem], merge: Merge) -> Vec<Composed<'_>> {
    let mut all: Vec<Composed<'_>> = Vec::new();
    for (index, item) in items.iter().enumerate() {
        let class = match merge {
            Merge::PerDay => 0,
            Merge::ByClass => usize::from(item.overdue),
            Merge::None => index,
        };
        match all.iter_mut().find(|contact| (contact.currency, contact.class) == (item.currency, class)) {
            Some(contact) => contact.items.push(item),
            None => all.push(Composed { items: vec![item], currency: item.currency, class }),
        }
    }
    all.sort_by(|one, other| one.turn().cmp(&other.turn()));
    all
}

impl<'a> Composed<'a> {
    fn turn(&self) -> (Option<NaiveDate>, Currency, bool, Option<&'a InvoiceId>) {
        let oldest = self.items.iter().map(|item| item.planned_on).min();
        let overdue = self.items.iter().any(|item| item.overdue);
        (oldest, self.currency, !overdue, self.carrying().map(|item| &item.invoice_id))
    }

    /// The hardest item gives the channels; of equal ones the oldest due.
    fn carrying(&self) -> Option<&'a DueItem> {
        self.items.iter().copied().min_by_key(|item| (u8::MAX - item.tone, item.due_on, &item.invoice_id))
    }

    /// The first link of each chain; a call only as long as calls are left.
    fn ways_out(&self, mut calls_left: u32) -> Vec<Channel> {
        let mut channels = Vec::new();
        for chain in self.carrying().into_iter().flat_map(|item| &item.chains) {
            let first = chain.0.iter().copied().find(|channel| *channel != Channel::Voice || calls_left > 0);
            calls_left = calls_left.saturating_sub(u32::from(first == Some(Channel::Voice)));
            channels.extend(first);
        }
        channels
    }
}

/// What one payer has heard, over all currencies and ladders.
#[derive(Default)]
pub(super) struct Heard {
    contacts: Vec<Contact>,
}

struct Contact {
    day: NaiveDate,
    /// Currency and class; `None` for what went out before the rehearsal: its ladder is over with that day.
    of: Option<(Currency, usize)>,
    calls: u32,
}

impl Heard {
    /// What the engine knows to have gone out.
    pub fn before(ladder: &Ladder) -> Self {
        let mut known: BTreeSet<(&ContactId, NaiveDate, bool)> = BTreeSet::new();
        for at in ladder.tracks.values().flat_map(|track| &track.occurrences) {
            if let OccurrenceState::Ended { day, end: End::Executed { contact_id: Some(id), channel } } = &at.state {
                known.insert((id, *day, *channel == Some(Channel::Voice)));
            }
        }
        let contacts = known.into_iter().map(|(_, day, is_call)| Contact { day, of: None, calls: u32::from(is_call) });
        Heard { contacts: contacts.collect() }
    }

    /// Sends a contact on a day: its channels, none where the payer has heard enough.
    pub fn send(&mut self, day: NaiveDate, contact: &Composed<'_>, rules: &ContactRules) -> Vec<Channel> {
        let week_start = calendar::add_days(day, -6);
        let on = |from: NaiveDate| self.contacts.iter().filter(move |heard| from <= heard.day && heard.day <= day);
        let of = Some((contact.currency, contact.class));
        let count = |number: usize| u32::try_from(number).unwrap_or(u32::MAX);
        let spent = count(on(day).count()) >= rules.max_per_day || count(on(week_start).count()) >= rules.max_per_7_days;
        let taken = rules.merge != Merge::None && on(day).any(|heard| heard.of == of);
        let calls = on(day).map(|heard| heard.calls).fold(0, u32::saturating_add);
        let channels = contact.ways_out(rules.max_voice_per_day.saturating_sub(calls));
        if spent || taken || channels.is_empty() {
            return Vec::new();
        }
        let calls = count(channels.iter().filter(|channel| **channel == Channel::Voice).count());
        self.contacts.push(Contact { day, of, calls });
        channels
    }
}
