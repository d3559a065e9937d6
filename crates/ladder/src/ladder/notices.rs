//! Notices of a payer's tracks: planned by a fact, sent on a later day, at most one contact a day, dropped where the debt is owed again.

use super::Ladder;
use super::command::{ItemOutcome, Outcome, Rejection};
use super::event::{DueItem, Event};
use super::pending::Pending;
use super::wake::combined_rules;
use crate::notices::{Notice, NoticeKind, NoticeRule, NoticeState};
use crate::plan::first_contact_day;
use crate::policy::{ContactRules, MIN_TONE, Merge, Policy};
use crate::reason::Reason;
use crate::track::{End, FIRST_OCCURRENCE, Phase, Track};
use alloc::vec::Vec;
use kernel::{Calendar, ContactId, DateTime, InvoiceId, NaiveDate, Utc, Zone, calendar};

/// A payment settled the debt. What became known with its payment, as in an import, is nobody's news.
pub(super) fn thank(pending: &mut Pending, id: &InvoiceId, day: NaiveDate) -> Result<(), Rejection> {
    let track = pending.track(id)?;
    if day < first_contact_day(track, pending.policy_of(track)?) {
        return Ok(());
    }
    plan(pending, id, NoticeKind::ThankYou, day)
}

/// A debt about which something was sent is cancelled. The instalments of a broken agreement are void because the debts are owed by
/// themselves again: nothing is corrected there.
pub(super) fn correct(pending: &mut Pending, id: &InvoiceId, day: NaiveDate) -> Result<(), Rejection> {
    let track = pending.track(id)?;
    if track.phase != Phase::Cancelled || track.last_contact_on.is_none() || track.instalment_of.is_some() {
        return Ok(());
    }
    plan(pending, id, NoticeKind::Correction, day)
}

fn plan(pending: &mut Pending, id: &InvoiceId, kind: NoticeKind, day: NaiveDate) -> Result<(), Rejection> {
    let track = pending.track(id)?;
    let Some(rule) = pending.policy_of(track)?.notices().of(kind) else { return Ok(()) };
    if !pending.ladder().forgotten && track.notice(track.cycle, kind).is_none() {
        let (cycle, last_day) = (track.cycle, calendar::add_days(day, i64::from(rule.expires_days)));
        pending.emit(Event::NoticePlanned { invoice_id: id.clone(), cycle, kind, day, last_day });
    }
    Ok(())
}

/// Ends what is still to be sent: as it was what was over before `day`, whoever looked when, the rest by `reason`. What is being sent is left
/// to the gate.
pub(super) fn drop_open(pending: &mut Pending, id: &InvoiceId, day: NaiveDate, reason: Reason) -> Result<(), Rejection> {
    lapse(pending, id, day)?;
    let open: Vec<(u32, NoticeKind)> =
        pending.track(id)?.notices.iter().filter(|notice| notice.is_open()).map(|notice| (notice.cycle, notice.kind)).collect();
    for (cycle, kind) in open {
        close(pending, id, (cycle, kind), day, End::Superseded { reason, by: None });
    }
    Ok(())
}

fn close(pending: &mut Pending, id: &InvoiceId, (cycle, kind): (u32, NoticeKind), day: NaiveDate, end: End) {
    pending.emit(Event::NoticeClosed { invoice_id: id.clone(), cycle, kind, day, end });
}

/// Ends what was not sent until its last day, on the day after it, whoever looked when.
pub(super) fn lapse(pending: &mut Pending, id: &InvoiceId, day: NaiveDate) -> Result<(), Rejection> {
    let past = pending.track(id)?.notices.iter().filter(|notice| notice.is_open() && notice.last_day < day);
    let past: Vec<(u32, NoticeKind, NaiveDate)> = past.map(|notice| (notice.cycle, notice.kind, notice.last_day)).collect();
    for (cycle, kind, last_day) in past {
        close(pending, id, (cycle, kind), calendar::next(last_day), End::Expired { reason: Reason::TooOld });
    }
    Ok(())
}

/// Sends the notices of one kind and currency, where the payer was sent none on that day: corrections first, then by receivable.
pub(super) fn offer(pending: &mut Pending, now: DateTime<Utc>, zone: Zone) -> Result<(), Rejection> {
    let (ladder, day) = (pending.ladder(), zone.day_of(now));
    if ladder.last_notice_on.is_some_and(|last| last >= day) {
        return Ok(());
    }
    let mut found: Vec<Found> = Vec::new();
    for (id, known) in ladder.tracks.iter().filter(|(_, track)| track.has_open_notice()) {
        let track = pending.track(id)?;
        let policy = pending.policy_of(known)?;
        let window = policy.contact_window(ladder.state.as_deref());
        if !window.is_open(now, zone, ladder.holidays(policy, pending.context().policies)) {
            continue;
        }
        let due = track.notices.iter().filter(|notice| notice.is_open() && notice.first_day() <= day && day <= notice.last_day);
        for notice in due {
            let Some(rule) = policy.notices().of(notice.kind) else { continue };
            let rules = ContactRules { merge: Merge::PerDay, window, ..*policy.contact() };
            found.push(Found { kind: notice.kind, item: item(track, policy, (notice, rule)), terms: (rules, policy.calendar()) });
        }
    }
    let Some((kind, currency)) = found.iter().map(|found| (found.kind, found.item.currency)).min_by_key(|(kind, _)| *kind) else {
        return Ok(());
    };
    let chosen = found.into_iter().filter(|found| (found.kind, found.item.currency) == (kind, currency));
    let (mut items, mut terms): (Vec<DueItem>, Option<(ContactRules, Calendar)>) = (Vec::new(), None);
    for found in chosen {
        terms = Some(terms.map_or(found.terms, |so_far| combined_rules(so_far, found.terms)));
        items.push(found.item);
    }
    if let Some((rules, calendar)) = terms {
        pending.emit(Event::NoticeDue { kind, day, items, rules, calendar, zone });
    }
    Ok(())
}

struct Found {
    kind: NoticeKind,
    item: DueItem,
    terms: (ContactRules, Calendar),
}

fn item(track: &Track, policy: &Policy, (notice, rule): (&Notice, &NoticeRule)) -> DueItem {
    DueItem {
        invoice_id: track.invoice_id.clone(),
        cycle: notice.cycle,
        step_id: notice.kind.step_id(),
        occurrence: FIRST_OCCURRENCE,
        tone: MIN_TONE,
        template: rule.template.clone(),
        chains: rule.chains.clone(),
        planned_on: notice.first_day(),
        last_day: Some(notice.last_day),
        due_on: track.due_on,
        effective_due: track.effective_due,
        overdue: false,
        currency: track.currency,
        min_outstanding_minor: 0,
        payment_returned: false,
        promise_broken: false,
        disputed_minor: 0,
        policy_id: policy.id().clone(),
        policy_version: track.policy_version,
        fallback_after_hours: FALLBACK_AFTER_HOURS,
    }
}

/// As a step has it where it says nothing else.
const FALLBACK_AFTER_HOURS: u32 = 4;

/// What became of a notice that was sent. Told again it changes nothing; nobody has to do anything where it could not be sent.
pub(super) fn conclude(
    pending: &mut Pending,
    contact_id: &ContactId,
    (kind, item): (NoticeKind, &ItemOutcome),
    day: NaiveDate,
) -> Result<(), Rejection> {
    let track = pending.track(&item.invoice_id)?;
    let unknown = || Rejection::UnknownOccurrence {
        invoice_id: item.invoice_id.clone(),
        cycle: item.cycle,
        step_id: item.step_id.clone(),
        occurrence: item.occurrence,
    };
    let notice = track.notice(item.cycle, kind).ok_or_else(unknown)?;
    let NoticeState::Claimed { day: claimed_on } = notice.state else { return Ok(()) };
    let is_true = is_true(track, notice);
    let end = match item.outcome {
        Outcome::Executed { channel } => End::Executed { contact_id: Some(contact_id.clone()), channel: Some(channel) },
        Outcome::Superseded(reason) => End::Superseded { reason, by: None },
        Outcome::Suppressed(reason) => End::Suppressed { reason },
        Outcome::Undeliverable(reason) => End::Undeliverable { reason },
        // A deferral of an earlier offer, told late.
        Outcome::Deferred(_) if day < claimed_on => return Ok(()),
        Outcome::Deferred(reason) if is_true => {
            let (invoice_id, contact_id) = (item.invoice_id.clone(), Some(contact_id.clone()));
            pending.emit(Event::NoticeDeferred { invoice_id, cycle: item.cycle, kind, day, contact_id, reason });
            return Ok(());
        }
        Outcome::Deferred(_) => End::Superseded { reason: Reason::Reopened, by: None },
    };
    close(pending, &item.invoice_id, (item.cycle, kind), day, end);
    Ok(())
}

/// Whether what it says still holds.
fn is_true(track: &Track, notice: &Notice) -> bool {
    let phase = match notice.kind {
        NoticeKind::Correction => Phase::Cancelled,
        NoticeKind::ThankYou => Phase::Settled,
    };
    track.cycle == notice.cycle && track.phase == phase
}

/// What an event does to the notices of a payer's tracks.
pub(super) fn evolve(ladder: &mut Ladder, event: &Event) {
    if let Event::NoticeDue { kind, day, items, .. } = event {
        ladder.last_notice_on = Some(*day);
        for item in items {
            set_state(ladder, (&item.invoice_id, item.cycle, *kind), NoticeState::Claimed { day: *day });
        }
    } else if let Event::NoticePlanned { invoice_id, cycle, kind, day, last_day } = event {
        let (fact_on, last_day) = (*day, *last_day);
        let notice = Notice { kind: *kind, cycle: *cycle, fact_on, last_day, state: NoticeState::Open };
        ladder.tracks.get_mut(invoice_id).into_iter().for_each(|track| track.notices.push(notice.clone()));
    } else if let Event::NoticeDeferred { invoice_id, cycle, kind, .. } = event {
        set_state(ladder, (invoice_id, *cycle, *kind), NoticeState::Open);
    } else if let Event::NoticeClosed { invoice_id, cycle, kind, day, end } = event {
        set_state(ladder, (invoice_id, *cycle, *kind), NoticeState::Ended { day: *day, end: end.clone() });
    }
}

fn set_state(ladder: &mut Ladder, (invoice_id, cycle, kind): (&InvoiceId, u32, NoticeKind), state: NoticeState) {
    let Some(track) = ladder.tracks.get_mut(invoice_id) else { return };
    if let Some(notice) = track.notices.iter_mut().find(|notice| notice.cycle == cycle && notice.kind == kind) {
        notice.state = state;
    }
}
