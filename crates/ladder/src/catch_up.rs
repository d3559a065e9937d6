//! Catch-up: what an outage, a hold, a broken promise or a late import left behind, offered all at once (ladder.md section 9).
//!
//! A contact is a catch-up contact when it is offered at least [`Terms::late_after_days`](crate::Terms) local days after the first day on
//! which it could have been offered (its planned date, the invoice known long enough, its window open), and the track offered nothing since
//! its planned date: then nobody looked, or the track was paused. Of a debt that became known only after its effective due date the first
//! contact is one, too. A step that was deferred, or that waited for a person, for `min_gap_days` or for its tone is none: the engine was there.
//!
//! The payer of such a contact waits until the creditor's catch-up is approved; what is planned up to the day of its release is no
//! catch-up any more.

use crate::ladder::Ladder;
use crate::plan::{Offer, first_contact_day};
use crate::policy::{Channel, Merge, Policy, PolicyBook, StepKind};
use crate::reason::Reason;
use crate::track::{End, Occurrence, OccurrenceState, Track};
use alloc::collections::{BTreeMap, BTreeSet};
use kernel::{Currency, NaiveDate, PolicyId, StepId, calendar};

/// What the catch-up of one payer, or of many, means.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Forecast {
    /// Contacts that would go out.
    pub contacts: u32,
    /// Steps that they would execute, by policy, step and first channel.
    pub steps: BTreeMap<(PolicyId, StepId, Channel), u32>,
    /// Lower steps that their execution would supersede.
    pub superseded: BTreeMap<Reason, u32>,
    /// Steps that expired meanwhile.
    pub expired: BTreeMap<Reason, u32>,
}

impl Forecast {
    /// Adds another payer's.
    pub fn add(&mut self, other: &Forecast) {
        self.contacts = self.contacts.saturating_add(other.contacts);
        for (key, count) in &other.steps {
            add(&mut self.steps, key.clone(), *count);
        }
        for (reason, count) in &other.superseded {
            add(&mut self.superseded, *reason, *count);
        }
        for (reason, count) in &other.expired {
            add(&mut self.expired, *reason, *count);
        }
    }
}

pub(crate) fn add<K: Ord>(counts: &mut BTreeMap<K, u32>, key: K, count: u32) {
    let so_far = counts.entry(key).or_default();
    *so_far = so_far.saturating_add(count);
}

/// What the offers of a payer's day would do, and whether one of them is late; `None` where none is.
pub(crate) fn forecast(ladder: &Ladder, offers: &[Offer], day: NaiveDate, late_after_days: u32, book: &dyn PolicyBook) -> Option<Forecast> {
    let (mut forecast, mut contacts, mut any_late) = (Forecast::default(), BTreeSet::new(), false);
    for (index, offer) in offers.iter().enumerate().filter(|(_, offer)| offer.kind == StepKind::Notify && !offer.asks_approval) {
        let track = ladder.tracks.get(&offer.invoice_id)?;
        let policy = track.policy(book)?;
        let occurrence = track.occurrence(offer.cycle, &offer.step_id, offer.occurrence)?;
        any_late |= is_late((ladder, track), occurrence, (policy, book), (day, late_after_days));
        contacts.insert(contact_of(track, policy, day, index));
        let channel = policy.step(&offer.step_id)?.chains.first().and_then(|chain| chain.0.first()).copied();
        if let Some(channel) = channel {
            add(&mut forecast.steps, (track.policy_id.clone(), offer.step_id.clone(), channel), 1);
        }
        for closing in crate::ladder::overtaken_by(track, occurrence, policy, day) {
            // What has expired meanwhile is counted where it is recorded.
            if let End::Superseded { reason, .. } = closing.end {
                add(&mut forecast.superseded, reason, 1);
            }
        }
    }
    forecast.contacts = u32::try_from(contacts.len()).unwrap_or(u32::MAX);
    any_late.then_some(forecast)
}

/// Which contact of the day an item belongs to.
fn contact_of(track: &Track, policy: &Policy, day: NaiveDate, index: usize) -> (Currency, usize) {
    let class = match policy.contact().merge {
        Merge::PerDay => 0,
        Merge::ByClass => 1 + usize::from(day > track.effective_due),
        Merge::None => 3 + index,
    };
    (track.currency, class)
}

fn is_late(
    (ladder, track): (&Ladder, &Track),
    at: &Occurrence,
    (policy, book): (&Policy, &dyn PolicyBook),
    (day, late_after_days): (NaiveDate, u32),
) -> bool {
    let Some(planned_on) = at.planned_on else { return false };
    let is_covered = ladder.caught_up_on.is_some_and(|caught_up_on| planned_on <= caught_up_on);
    let was_looked_at = track.last_offer_on.is_some_and(|offered_on| offered_on >= planned_on);
    let is_approved = matches!(at.state, OccurrenceState::Approved { .. });
    if is_covered || was_looked_at || is_approved {
        return false;
    }
    let came_overdue = track.known_on > track.effective_due && track.last_offer_on.is_none() && planned_on <= track.known_on;
    let first = planned_on.max(first_contact_day(track, policy));
    let window = policy.step(&at.step_id).map(|step| policy.window_of(step, ladder.state.as_deref()));
    let first = window.and_then(|window| window.first_day(first, ladder.holidays(policy, book))).unwrap_or(first);
    came_overdue || calendar::days_between(first, day) >= i64::from(late_after_days)
}
