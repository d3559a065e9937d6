//! From a track to what an entry is asked for, and what it lacks.

use super::{Cause, Kind, Obligation, Opened};
use crate::arrangement::ArrangementKind;
use crate::policy::{Policy, StepKind};
use crate::track::{End, Occurrence, OccurrenceState, Phase, Track};
use kernel::{Calendar, ContactId, CustomerId, NaiveDate, StepId, calendar};

/// Business days before the deadline of a removal on which the alarm begins.
const ALARM_BUSINESS_DAYS: i32 = 2;

/// A prerequisite that does not hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Missing {
    /// No required notice was delivered early enough, as far as anybody can prove (STJ Tema 1.315).
    NoticeUnproven,
    /// The step asks nobody: a person must have confirmed it.
    Approval,
}

impl Missing {
    /// Its stable name.
    pub fn slug(self) -> &'static str {
        match self {
            Missing::NoticeUnproven => "notice_unproven",
            Missing::Approval => "approval_missing",
        }
    }
}

/// What an executed step asks for, and what that lacks; `None` where the step makes no entry or was not executed.
///
/// `approvals_given`: approvals are given once for all.
pub fn request(
    customer_id: &CustomerId,
    (track, policy): (&Track, &Policy),
    (cycle, step_id, occurrence): (u32, &StepId, u32),
    approvals_given: bool,
) -> Option<(Opened, Option<Missing>)> {
    let at = track.occurrence(cycle, step_id, occurrence)?;
    let (kind, day) = (Kind::of_step(at.kind)?, at.executed_on()?);
    let step = policy.step(step_id)?;
    let proof = step.requires.iter().filter_map(|needed| {
        let (notice, delivered_on) = delivered(track, cycle, &needed.step)?;
        (calendar::add_days(delivered_on, i64::from(needed.days_ago)) <= day).then_some((notice, delivered_on))
    });
    let proof = proof.max_by_key(|(_, delivered_on)| *delivered_on);
    let missing = if proof.is_none() {
        Some(Missing::NoticeUnproven)
    } else if !step.requires_approval && !approvals_given {
        Some(Missing::Approval)
    } else {
        None
    };
    let opened = Opened {
        customer_id: customer_id.clone(),
        invoice_id: track.invoice_id.clone(),
        cycle,
        step_id: step_id.clone(),
        occurrence,
        kind,
        amount_minor: track.outstanding_minor.saturating_sub(track.disputed_minor()),
        currency: track.currency,
        due_on: track.due_on,
        day,
        notice_step: proof.map(|(notice, _)| notice.step_id.clone()),
        notice_contact: proof.and_then(|(notice, _)| contact_of(notice)),
        notice_delivered_on: proof.map(|(_, delivered_on)| delivered_on),
    };
    Some((opened, missing))
}

/// The first delivered contact of a step.
fn delivered<'a>(track: &'a Track, cycle: u32, step_id: &StepId) -> Option<(&'a Occurrence, NaiveDate)> {
    let mine = track.occurrences.iter().filter(|at| at.cycle == cycle && at.step_id == *step_id && at.kind == StepKind::Notify);
    let delivered = mine.filter(|at| at.executed_on().is_some()).filter_map(|at| Some((at, at.delivered_on?)));
    delivered.min_by_key(|(_, delivered_on)| *delivered_on)
}

fn contact_of(notice: &Occurrence) -> Option<ContactId> {
    match &notice.state {
        OccurrenceState::Ended { end: End::Executed { contact_id, .. }, .. } => contact_id.clone(),
        OccurrenceState::Ended { .. }
        | OccurrenceState::Planned
        | OccurrenceState::AwaitingApproval { .. }
        | OccurrenceState::Approved { .. }
        | OccurrenceState::Claimed { .. } => None,
    }
}

/// Whether an inclusion may be handed over on a day, as far as the track knows: nothing pauses it, and it is not contested.
pub fn may_send(track: &Track, day: NaiveDate) -> bool {
    let is_contested = track.arrangement(ArrangementKind::Dispute).is_some();
    track.outstanding_minor > 0 && !is_contested && track.pause_on(day).is_none()
}

/// Why a track's entry must leave.
pub fn cause_of(track: &Track) -> Cause {
    match track.phase {
        Phase::Settled => Cause::Paid,
        Phase::Cancelled => Cause::Cancelled,
        Phase::HandedOff | Phase::WrittenOff | Phase::Exhausted if track.outstanding_minor <= 0 => Cause::Paid,
        Phase::WrittenOff => Cause::WrittenOff,
        Phase::Renegotiated => Cause::Renegotiated,
        Phase::Enrolled | Phase::Active | Phase::HandedOff | Phase::Exhausted => {
            if track.arrangement(ArrangementKind::Dispute).is_some() {
                Cause::Disputed
            } else {
                Cause::Other
            }
        }
    }
}

/// The obligation of a removal that was asked for on `since` and is due on `until`; the alarm begins two business days before.
pub fn due_removal(track: &Track, calendar: Calendar, (since, until): (NaiveDate, NaiveDate)) -> Obligation {
    let alarm_on = calendar.add_business_days(until, -ALARM_BUSINESS_DAYS).max(since);
    Obligation { cause: cause_of(track), since, alarm_on, until }
}
