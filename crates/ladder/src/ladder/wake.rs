//! Time has passed: record what lapsed, then carry the plan of the instant into events.

use super::command::Rejection;
use super::event::{Closing, DueItem, Event};
use super::pending::Pending;
use super::{Ladder, arrange, catch_up, lapse, notices};
use crate::Policy;
use crate::plan::{self, Offer};
use crate::policy::{ContactRules, Merge, StepKind};
use crate::reason::Reason;
use crate::track::{End, Opening, Track};
use alloc::string::String;
use alloc::vec::Vec;
use kernel::{Calendar, DateTime, NaiveDate, Utc, Window, Zone};

pub(super) fn wake(pending: &mut Pending, now: DateTime<Utc>) -> Result<(), Rejection> {
    let ladder = pending.ladder();
    if ladder.forgotten {
        return Ok(());
    }
    check_policies(pending, ladder)?;
    let (book, approvals_given) = (pending.context().policies, pending.context().approvals_given);
    let Some(zone) = ladder.zone(book) else {
        return Ok(());
    };
    let day = zone.day_of(now);
    for (id, track) in ladder.tracks.iter().filter(|(_, track)| track.is_watched()) {
        let is_asked = people_are_asked(pending.policy_of(track)?, now, zone);
        arrange::lapse(pending, id, day)?;
        notices::lapse(pending, id, day)?;
        if is_asked {
            arrange::ask_for_review(pending, id, day)?;
        }
        if track.phase.is_running() {
            lapse::record(pending, id, now, zone)?;
            if is_asked {
                lapse::take_stock(pending, id, day)?;
            }
        }
    }
    // The planner leaves out by itself what has just lapsed, so it reads the state from before, unless there is something that it cannot
    // know; and again after a step that is for others.
    let mut later = pending.has_news().then(|| pending.evolved());
    let plan = loop {
        let Some(plan) = plan::plan_at(later.as_ref().unwrap_or(ladder), now, book, approvals_given) else { return Ok(()) };
        if plan.unmet.is_empty() {
            break plan;
        }
        leave_out(pending, &plan.unmet, day)?;
        later = Some(pending.evolved());
    };
    let mut offers = plan.offers;
    if catch_up::begin(pending, later.as_ref().unwrap_or(ladder), &offers, day) {
        offers.retain(|offer| offer.kind != StepKind::Notify || offer.asks_approval);
    }
    carry_out(pending, &offers, day, zone)?;
    notices::offer(pending, now, zone)
}

/// Time alone gives a person something to do from the hour of [`next_wake`](super::next_wake) on, and not since midnight: a run in the night
/// knows less than that of the morning, which may have heard of a payment.
fn people_are_asked(policy: &Policy, now: DateTime<Utc>, zone: Zone) -> bool {
    policy.steps().first().is_none_or(|step| step.window.from <= zone.time_of(now))
}

/// Ends the steps whose condition does not hold on the day on which they would have been offered.
fn leave_out(pending: &mut Pending, unmet: &[Offer], day: NaiveDate) -> Result<(), Rejection> {
    for offer in unmet {
        let end = End::Suppressed { reason: Reason::ConditionNotMet };
        let closing = Closing { step_id: offer.step_id.clone(), occurrence: offer.occurrence, end };
        pending.close(&offer.invoice_id, offer.cycle, day, Vec::from([closing]));
        lapse::take_stock(pending, &offer.invoice_id, day)?;
    }
    Ok(())
}

/// A track whose policy is missing is a broken installation: nothing is guessed.
fn check_policies(pending: &Pending, ladder: &Ladder) -> Result<(), Rejection> {
    let mut running = ladder.tracks.values().filter(|track| track.is_watched());
    running.try_for_each(|track| pending.policy_of(track).map(|_| ()))
}

fn carry_out(pending: &mut Pending, offers: &[Offer], day: NaiveDate, zone: Zone) -> Result<(), Rejection> {
    let mut reminder = Reminder { state: pending.ladder().state.clone(), ..Reminder::default() };
    for offer in offers {
        // As it is after what has just lapsed: the text says that a promise was broken.
        let track = pending.track(&offer.invoice_id)?;
        let policy = pending.policy_of(track)?;
        if offer.asks_approval {
            pending.emit(approval_requested(offer, day));
        } else if offer.kind == StepKind::Notify {
            let merge = pending.ladder().merge_on(policy.contact().merge, day);
            reminder.add(track, (policy, merge), offer, day);
        } else if let Some(event) = action_due(track, policy, offer, day) {
            pending.emit(event);
        }
    }
    if let Some((rules, calendar)) = reminder.terms {
        pending.emit(Event::ReminderDue { day, items: reminder.items, rules, calendar, zone });
    }
    Ok(())
}

#[derive(Default)]
struct Reminder {
    state: Option<String>,
    items: Vec<DueItem>,
    terms: Option<(ContactRules, Calendar)>,
}

impl Reminder {
    fn add(&mut self, track: &Track, (policy, merge): (&Policy, Merge), offer: &Offer, day: NaiveDate) {
        let Some(step) = policy.step(&offer.step_id) else { return };
        let Some(item) = due_item(track, policy, offer, day) else { return };
        let window = policy.window_of(step, self.state.as_deref());
        let own = (ContactRules { merge, window, ..*policy.contact() }, policy.calendar());
        self.terms = Some(self.terms.map_or(own, |so_far| combined_rules(so_far, own)));
        self.items.push(item);
    }
}

/// The strictest of both: what is sent together must be allowed by each. Both windows are open at the instant of the wake, so
/// their intersection is a window.
pub(super) fn combined_rules(a: (ContactRules, Calendar), b: (ContactRules, Calendar)) -> (ContactRules, Calendar) {
    let ((a, a_calendar), (b, b_calendar)) = (a, b);
    let mut weekdays = a.window.weekdays;
    weekdays.iter_mut().zip(b.window.weekdays).for_each(|(open, other)| *open &= other);
    let window = Window { weekdays, from: a.window.from.max(b.window.from), until: a.window.until.min(b.window.until) };
    let rules = ContactRules {
        merge: a.merge.min(b.merge),
        max_per_day: a.max_per_day.min(b.max_per_day),
        max_per_7_days: a.max_per_7_days.min(b.max_per_7_days),
        max_voice_per_day: a.max_voice_per_day.min(b.max_voice_per_day),
        window,
    };
    (rules, if a_calendar == Calendar::None { b_calendar } else { a_calendar })
}

fn due_item(track: &Track, policy: &Policy, offer: &Offer, day: NaiveDate) -> Option<DueItem> {
    let step = policy.step(&offer.step_id)?;
    let occurrence = track.occurrence(offer.cycle, &offer.step_id, offer.occurrence)?;
    Some(DueItem {
        invoice_id: track.invoice_id.clone(),
        cycle: offer.cycle,
        step_id: offer.step_id.clone(),
        occurrence: offer.occurrence,
        tone: step.tone,
        template: step.template.clone(),
        chains: step.chains.clone(),
        planned_on: occurrence.planned_on?,
        last_day: occurrence.last_day,
        due_on: track.due_on,
        effective_due: track.effective_due,
        overdue: day > track.effective_due,
        currency: track.currency,
        min_outstanding_minor: step.min_outstanding_minor,
        payment_returned: track.opening == Opening::Reversed && track.place().is_none(),
        promise_broken: track.promise_broken,
        disputed_minor: track.disputed_minor(),
        policy_id: track.policy_id.clone(),
        policy_version: track.policy_version,
        fallback_after_hours: step.fallback_after_hours,
    })
}

fn action_due(track: &Track, policy: &Policy, offer: &Offer, day: NaiveDate) -> Option<Event> {
    let step = policy.step(&offer.step_id)?;
    let occurrence = track.occurrence(offer.cycle, &offer.step_id, offer.occurrence)?;
    Some(Event::ActionDue {
        invoice_id: track.invoice_id.clone(),
        cycle: offer.cycle,
        step_id: offer.step_id.clone(),
        occurrence: offer.occurrence,
        day,
        kind: step.kind,
        tone: step.tone,
        template: step.template.clone(),
        planned_on: occurrence.planned_on?,
        due_on: track.due_on,
        effective_due: track.effective_due,
        currency: track.currency,
        outstanding_minor: track.outstanding_minor,
        disputed_minor: track.disputed_minor(),
        min_outstanding_minor: step.min_outstanding_minor,
        policy_id: track.policy_id.clone(),
        policy_version: track.policy_version,
    })
}

fn approval_requested(offer: &Offer, day: NaiveDate) -> Event {
    Event::ApprovalRequested {
        invoice_id: offer.invoice_id.clone(),
        cycle: offer.cycle,
        step_id: offer.step_id.clone(),
        occurrence: offer.occurrence,
        day,
    }
}
