//! What became of offered steps: conclusions, deliveries, approvals.

use super::command::{ActionOutcome, Command, ItemOutcome, Outcome, Rejection};
use super::event::Event;
use super::facts;
use super::lapse::{self, closing};
use super::listings;
use super::notices;
use super::pending::Pending;
use crate::notices::NoticeKind;
use crate::policy::StepKind;
use crate::reason::{Reason, TaskReason};
use crate::track::{End, Occurrence, OccurrenceState, Opening, Phase, Track};
use alloc::string::String;
use alloc::vec::Vec;
use kernel::{ContactId, InvoiceId, NaiveDate, StepId};

/// Which occurrence of which track.
struct Key<'a> {
    invoice_id: &'a InvoiceId,
    cycle: u32,
    step_id: &'a StepId,
    occurrence: u32,
}

/// What became of it, whatever its kind.
enum Conclusion {
    Ended(End),
    Deferred { reason: Reason, contact_id: Option<ContactId> },
}

pub(super) fn conclude_contact(
    pending: &mut Pending,
    contact_id: &ContactId,
    day: NaiveDate,
    items: &[ItemOutcome],
) -> Result<(), Rejection> {
    for item in items {
        if let Some(kind) = NoticeKind::of_step(&item.step_id) {
            notices::conclude(pending, contact_id, (kind, item), day)?;
            continue;
        }
        let key = Key { invoice_id: &item.invoice_id, cycle: item.cycle, step_id: &item.step_id, occurrence: item.occurrence };
        if find(pending, &key)?.1.kind != StepKind::Notify {
            return Err(Rejection::WrongKind(item.step_id.clone()));
        }
        if !conclude(pending, &key, day, contact_conclusion(contact_id, item.outcome))? {
            continue;
        }
        match item.outcome {
            // The balance is the owner's, and so is the word that what is left of it is too little.
            Outcome::Superseded(Reason::WithinTolerance) => facts::end_with_residue(pending, &item.invoice_id, day)?,
            // A gate that saw a fact: it is on its way here and will say what the track has come to.
            Outcome::Superseded(_) => {}
            Outcome::Executed { .. } | Outcome::Suppressed(_) | Outcome::Deferred(_) | Outcome::Undeliverable(_) => {
                lapse::take_stock(pending, &item.invoice_id, day)?;
                // It was on its way when the debt was cancelled.
                notices::correct(pending, &item.invoice_id, day)?;
            }
        }
    }
    Ok(())
}

pub(super) fn conclude_action(pending: &mut Pending, command: &Command) -> Result<(), Rejection> {
    let Command::ConcludeAction { invoice_id, cycle, step_id, occurrence, day, outcome } = command else { return Ok(()) };
    let key = Key { invoice_id, cycle: *cycle, step_id, occurrence: *occurrence };
    let (_, found) = find(pending, &key)?;
    let kind = found.kind;
    if kind == StepKind::Notify {
        return Err(Rejection::WrongKind(step_id.clone()));
    }
    if !conclude(pending, &key, *day, action_conclusion(*outcome))? {
        return Ok(());
    }
    if *outcome == ActionOutcome::Executed {
        after_action(pending, &key, kind, *day)?;
    }
    lapse::take_stock(pending, invoice_id, *day)
}

pub(super) fn note_delivery(pending: &mut Pending, command: &Command) -> Result<(), Rejection> {
    let Command::NoteDelivery { invoice_id, cycle, step_id, occurrence, delivered_on } = command else { return Ok(()) };
    // Nothing waits for the delivery of thanks.
    if NoticeKind::of_step(step_id).is_some() {
        return Ok(());
    }
    let key = Key { invoice_id, cycle: *cycle, step_id, occurrence: *occurrence };
    let (_, found) = find(pending, &key)?;
    // The first delivery counts: a second channel, or the same receipt told again, changes nothing.
    if found.delivered_on.is_none() && (found.executed_on().is_some() || found.is_claimed()) {
        pending.emit(Event::StepDelivered {
            invoice_id: invoice_id.clone(),
            cycle: *cycle,
            step_id: step_id.clone(),
            occurrence: *occurrence,
            delivered_on: *delivered_on,
        });
    }
    Ok(())
}

pub(super) fn approve(pending: &mut Pending, command: &Command) -> Result<(), Rejection> {
    let Command::Approve { invoice_id, cycle, step_id, occurrence, by, why, at } = command else { return Ok(()) };
    let key = Key { invoice_id, cycle: *cycle, step_id, occurrence: *occurrence };
    let (track, asked) = find(pending, &key)?;
    if matches!(asked.state, OccurrenceState::AwaitingApproval { .. }) {
        let day = pending.zone_by(pending.policy_of(track)?).day_of(*at);
        pending.emit(Event::ApprovalGiven {
            invoice_id: invoice_id.clone(),
            cycle: *cycle,
            step_id: step_id.clone(),
            occurrence: *occurrence,
            by: by.clone(),
            day: Some(day),
            why: why.clone(),
        });
    }
    Ok(())
}

fn contact_conclusion(contact_id: &ContactId, outcome: Outcome) -> Conclusion {
    match outcome {
        Outcome::Executed { channel } => Conclusion::Ended(End::Executed { contact_id: Some(contact_id.clone()), channel: Some(channel) }),
        Outcome::Superseded(reason) => Conclusion::Ended(End::Superseded { reason, by: None }),
        Outcome::Suppressed(reason) => Conclusion::Ended(End::Suppressed { reason }),
        Outcome::Undeliverable(reason) => Conclusion::Ended(End::Undeliverable { reason }),
        Outcome::Deferred(reason) => Conclusion::Deferred { reason, contact_id: Some(contact_id.clone()) },
    }
}

fn action_conclusion(outcome: ActionOutcome) -> Conclusion {
    match outcome {
        ActionOutcome::Executed => Conclusion::Ended(End::Executed { contact_id: None, channel: None }),
        ActionOutcome::Suppressed(reason) => Conclusion::Ended(End::Suppressed { reason }),
        ActionOutcome::Undeliverable(reason) => Conclusion::Ended(End::Undeliverable { reason }),
        ActionOutcome::Deferred(reason) => Conclusion::Deferred { reason, contact_id: None },
    }
}

fn find<'p>(pending: &'p Pending, key: &Key) -> Result<(&'p Track, &'p Occurrence), Rejection> {
    let track = pending.track(key.invoice_id)?;
    let found = track.occurrence(key.cycle, key.step_id, key.occurrence);
    let occurrence = found.ok_or_else(|| Rejection::UnknownOccurrence {
        invoice_id: key.invoice_id.clone(),
        cycle: key.cycle,
        step_id: key.step_id.clone(),
        occurrence: key.occurrence,
    })?;
    Ok((track, occurrence))
}

/// Whether it changed anything.
fn conclude(pending: &mut Pending, key: &Key, day: NaiveDate, conclusion: Conclusion) -> Result<bool, Rejection> {
    let (track, occurrence) = find(pending, key)?;
    if occurrence.is_ended() {
        return Ok(false);
    }
    match conclusion {
        Conclusion::Ended(end) => end_step(pending, key, day, end)?,
        Conclusion::Deferred { contact_id, .. } if is_stale_deferral(occurrence, day, contact_id.as_ref()) => return Ok(false),
        Conclusion::Deferred { reason, contact_id } => match over(track, key.cycle) {
            Some(reason) => end_step(pending, key, day, End::Superseded { reason, by: None })?,
            None => pending.emit(deferred(key, day, contact_id, reason)),
        },
    }
    Ok(true)
}

/// A deferral of an earlier offer, told late or again.
fn is_stale_deferral(occurrence: &Occurrence, day: NaiveDate, contact_id: Option<&ContactId>) -> bool {
    match occurrence.state {
        OccurrenceState::Claimed { day: claimed_on } => {
            day < claimed_on || (contact_id.is_some() && occurrence.deferred_by.as_ref() == contact_id)
        }
        OccurrenceState::Planned
        | OccurrenceState::AwaitingApproval { .. }
        | OccurrenceState::Approved { .. }
        | OccurrenceState::Ended { .. } => true,
    }
}

/// Why a step of that cycle will not be offered again; `None` where it may be.
fn over(track: &Track, cycle: u32) -> Option<Reason> {
    if cycle < track.cycle {
        return Some(match track.opening {
            Opening::Enrolled | Opening::Reversed | Opening::Broken => Reason::Reopened,
            Opening::Later | Opening::Earlier => Reason::Rescheduled,
        });
    }
    match track.phase {
        Phase::Enrolled | Phase::Active => None,
        Phase::Settled => Some(Reason::Paid),
        Phase::Cancelled => Some(Reason::Cancelled),
        Phase::Renegotiated => Some(Reason::Renegotiated),
        Phase::HandedOff => Some(Reason::HandedOff),
        Phase::WrittenOff => Some(Reason::WrittenOff),
        // Exhausted with a claimed step: the payer was forgotten meanwhile.
        Phase::Exhausted => Some(Reason::PayerForgotten),
    }
}

fn deferred(key: &Key, day: NaiveDate, contact_id: Option<ContactId>, reason: Reason) -> Event {
    Event::StepDeferred {
        invoice_id: key.invoice_id.clone(),
        cycle: key.cycle,
        step_id: key.step_id.clone(),
        occurrence: key.occurrence,
        day,
        contact_id,
        reason,
    }
}

/// Ends one occurrence; an execution takes the lower reached ones with it.
fn end_step(pending: &mut Pending, key: &Key, day: NaiveDate, end: End) -> Result<(), Rejection> {
    let (track, occurrence) = find(pending, key)?;
    let was_executed = matches!(end, End::Executed { .. });
    let was_undeliverable = matches!(end, End::Undeliverable { .. });
    let mut closings = Vec::from([closing(occurrence, end)]);
    if was_executed && key.cycle == track.cycle {
        closings.extend(lapse::overtaken_by(track, occurrence, pending.policy_of(track)?, day));
    }
    let sent_before_return = was_executed && key.cycle < track.cycle && track.opening == Opening::Reversed;
    pending.close(key.invoice_id, key.cycle, day, closings);
    if sent_before_return {
        facts::close_recently_sent(pending, key.invoice_id, day)?;
    }
    if was_undeliverable {
        raise(pending, key, day, TaskReason::Undeliverable);
    }
    Ok(())
}

/// What an executed action changes beyond its own step.
fn after_action(pending: &mut Pending, key: &Key, kind: StepKind, day: NaiveDate) -> Result<(), Rejection> {
    let track = pending.track(key.invoice_id)?;
    let (cycle, phase, may_stand) = (track.cycle, track.phase, listings::may_stand(track));
    let is_owed = match phase {
        Phase::Enrolled | Phase::Active | Phase::Exhausted | Phase::HandedOff | Phase::WrittenOff => true,
        Phase::Settled | Phase::Cancelled | Phase::Renegotiated => false,
    };
    match kind {
        StepKind::HandOff if is_owed => {
            lapse::close_open(pending, key.invoice_id, day, Reason::HandedOff)?;
            let (by, why) = (String::new(), String::new());
            pending.emit(Event::TrackHandedOff { invoice_id: key.invoice_id.clone(), cycle, day, by, why });
        }
        // Paid or cancelled while the collector or the office was being told.
        StepKind::HandOff => raise(pending, key, day, TaskReason::PaidAfterHandOff),
        // Paid, contested or given up while it was being listed.
        StepKind::Bureau | StepKind::Protest if !may_stand => listings::remove(pending, key.invoice_id, day)?,
        StepKind::Bureau | StepKind::Protest | StepKind::Task | StepKind::Notify => {}
    }
    Ok(())
}

fn raise(pending: &mut Pending, key: &Key, day: NaiveDate, reason: TaskReason) {
    let (invoice_id, step_id) = (key.invoice_id.clone(), Some(key.step_id.clone()));
    pending.emit(Event::TaskRaised { invoice_id, cycle: key.cycle, day, reason, step_id, until: None });
}
