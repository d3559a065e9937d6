//! What an event does to the state. Total, and without rules: an event about an unknown track changes nothing.

use super::event::{Closing, DueItem, Event, Shift};
use super::{Ladder, Reminded, attend, notices};
use crate::arrangement::{Arrangement, ArrangementEnd, ArrangementKind, OpenArrangement};
use crate::migration;
use crate::policy::StepKind;
use crate::reason::TaskReason;
use crate::schedule::PlannedStep;
use crate::task::TaskKey;
use crate::track::{End, Occurrence, OccurrenceState, Opening, Phase, Track};
use alloc::vec::Vec;
use kernel::{AgreementId, ArrangementId, DateTime, InvoiceId, NaiveDate, StepId, Utc};

/// The ladder after an event.
pub fn evolve(mut ladder: Ladder, event: &Event) -> Ladder {
    apply(&mut ladder, event);
    ladder
}

pub(super) fn apply(ladder: &mut Ladder, event: &Event) {
    match event {
        Event::PayerNoted { zone, segment, state, municipality } => {
            ladder.zone = *zone;
            ladder.segment.clone_from(segment);
            ladder.state.clone_from(state);
            ladder.municipality.clone_from(municipality);
            ladder.forgotten = false;
        }
        Event::PayerForgotten => {
            (ladder.zone, ladder.segment, ladder.state, ladder.municipality, ladder.risk_score) = (None, None, None, None, None);
            ladder.forgotten = true;
        }
        Event::RatingNoted { score } => ladder.risk_score = Some(*score),
        Event::ReminderDue { day, items, rules, .. } => {
            if ladder.last_reminder_on != Some(*day) {
                ladder.reminded.clear();
            }
            ladder.last_reminder_on = Some(*day);
            for item in items {
                ladder.reminded.insert(Reminded { currency: item.currency, overdue: item.overdue, merge: rules.merge });
                claim_item(ladder, item, *day);
            }
        }
        Event::NoticePlanned { .. } | Event::NoticeDue { .. } | Event::NoticeDeferred { .. } | Event::NoticeClosed { .. } => {
            notices::evolve(ladder, event);
        }
        Event::CatchUpBegan { day, .. } => ladder.catch_up_since = Some(*day),
        Event::CatchUpEnded { day, .. } => (ladder.catch_up_since, ladder.caught_up_on) = (None, Some(*day)),
        Event::Arranged { arrangement } => begin(ladder, arrangement),
        Event::ArrangementEnded { id, kind, invoice_ids, end, .. } => {
            finish(ladder, (id, *kind), invoice_ids, *end);
            invoice_ids.iter().for_each(|invoice_id| with_track(ladder, invoice_id, |track| attend::apply(track, event)));
        }
        Event::TrackEnrolled { invoice_id, .. } => {
            if let Some(track) = enrolled(event) {
                ladder.tracks.insert_mut(invoice_id.clone(), track);
            }
        }
        Event::TrackMigrated { invoice_id, day, .. } => {
            ladder.migrated_on = Some(*day);
            with_track(ladder, invoice_id, |track| {
                migrate(track, event);
                attend::apply(track, event);
            });
        }
        Event::OutstandingNoted { invoice_id, .. }
        | Event::ViewNoted { invoice_id, .. }
        | Event::StepsPlanned { invoice_id, .. }
        | Event::StepsClosed { invoice_id, .. }
        | Event::StepDeferred { invoice_id, .. }
        | Event::ApprovalRequested { invoice_id, .. }
        | Event::ApprovalGiven { invoice_id, .. }
        | Event::ApprovalRefused { invoice_id, .. }
        | Event::TaskDone { task: TaskKey { invoice_id, .. }, .. }
        | Event::TaskSnoozed { task: TaskKey { invoice_id, .. }, .. }
        | Event::ActionDue { invoice_id, .. }
        | Event::TrackSettled { invoice_id, .. }
        | Event::TrackCancelled { invoice_id, .. }
        | Event::TrackReopened { invoice_id, .. }
        | Event::TrackRenegotiated { invoice_id, .. }
        | Event::TrackAgreementBroken { invoice_id, .. }
        | Event::TrackRescheduled { invoice_id, .. }
        | Event::TrackExhausted { invoice_id, .. }
        | Event::TrackHandedOff { invoice_id, .. }
        | Event::TrackWrittenOff { invoice_id, .. }
        | Event::TaskRaised { invoice_id, .. }
        | Event::StepDelivered { invoice_id, .. } => with_track(ladder, invoice_id, |track| apply_to_track(track, event)),
    }
}

fn with_track(ladder: &mut Ladder, invoice_id: &InvoiceId, change: impl FnOnce(&mut Track)) {
    if let Some(track) = ladder.tracks.get_mut(invoice_id) {
        change(track);
    }
}

fn apply_to_track(track: &mut Track, event: &Event) {
    attend::apply(track, event);
    match event {
        Event::OutstandingNoted { outstanding_minor, received_minor, recorded_at, .. } => {
            note_fact(track, Some(*outstanding_minor), *recorded_at);
            track.received_minor = track.received_minor.saturating_add(*received_minor);
        }
        Event::ViewNoted { viewed_at, .. } => track.viewed_at = Some(*viewed_at),
        Event::StepsPlanned { cycle, steps, .. } => steps.iter().for_each(|step| date(track, *cycle, step)),
        Event::StepsClosed { cycle, day, closings, .. } => closings.iter().for_each(|closing| close(track, *cycle, *day, closing)),
        Event::StepDeferred { cycle, step_id, occurrence, contact_id, .. } => {
            // What waits for a catch-up was never claimed, and may have been approved.
            with_occurrence(track, *cycle, step_id, *occurrence, |at| {
                if at.is_claimed() {
                    at.state = OccurrenceState::Planned;
                    at.deferred_by.clone_from(contact_id);
                }
            });
        }
        Event::ApprovalRequested { cycle, step_id, occurrence, day, .. } => {
            set_state(track, *cycle, step_id, *occurrence, OccurrenceState::AwaitingApproval { day: *day });
        }
        Event::ApprovalGiven { cycle, step_id, occurrence, by, .. } => {
            set_state(track, *cycle, step_id, *occurrence, OccurrenceState::Approved { by: by.clone() });
        }
        Event::ActionDue { cycle, step_id, occurrence, day, .. } => claim(track, *cycle, step_id, *occurrence, *day),
        Event::TrackSettled { .. } => track.phase = Phase::Settled,
        Event::TrackCancelled { recorded_at, .. } => cancel(track, *recorded_at),
        Event::TrackReopened { cycle, outstanding_minor, recorded_at, steps, .. } => {
            track.received_minor = track.received_minor.saturating_sub(outstanding_minor.saturating_sub(track.outstanding_minor));
            note_fact(track, Some(*outstanding_minor), *recorded_at);
            track.reversed_at = Some(*recorded_at);
            open_cycle(track, *cycle, (Opening::Reversed, *recorded_at), steps);
        }
        Event::TrackRenegotiated { agreement_id, recorded_at, .. } => renegotiate(track, agreement_id, *recorded_at),
        Event::TrackAgreementBroken { cycle, outstanding_minor, recorded_at, steps, .. } => {
            note_fact(track, Some(*outstanding_minor), *recorded_at);
            open_cycle(track, *cycle, (Opening::Broken, *recorded_at), steps);
        }
        Event::TrackRescheduled { cycle, shift, due_on, effective_due, outstanding_minor, recorded_at, steps, .. } => {
            note_fact(track, Some(*outstanding_minor), *recorded_at);
            (track.due_on, track.effective_due) = (*due_on, *effective_due);
            open_cycle(track, *cycle, (opening_of(*shift), *recorded_at), steps);
        }
        Event::TrackExhausted { .. } => track.phase = Phase::Exhausted,
        Event::TrackHandedOff { .. } => track.phase = Phase::HandedOff,
        Event::TrackWrittenOff { .. } => track.phase = Phase::WrittenOff,
        Event::TaskRaised { cycle, reason, step_id, .. } => note_task(track, *cycle, *reason, step_id.as_ref()),
        Event::StepDelivered { cycle, step_id, occurrence, delivered_on, .. } => {
            with_occurrence(track, *cycle, step_id, *occurrence, |at| at.delivered_on = Some(*delivered_on));
        }
        Event::PayerNoted { .. }
        | Event::PayerForgotten
        | Event::RatingNoted { .. }
        | Event::NoticePlanned { .. }
        | Event::NoticeDue { .. }
        | Event::NoticeDeferred { .. }
        | Event::NoticeClosed { .. }
        | Event::ApprovalRefused { .. }
        | Event::TaskDone { .. }
        | Event::TaskSnoozed { .. }
        | Event::ReminderDue { .. }
        | Event::TrackEnrolled { .. }
        | Event::TrackMigrated { .. }
        | Event::CatchUpBegan { .. }
        | Event::CatchUpEnded { .. }
        | Event::Arranged { .. }
        | Event::ArrangementEnded { .. } => {}
    }
}

fn note_task(track: &mut Track, cycle: u32, reason: TaskReason, step_id: Option<&StepId>) {
    match reason {
        TaskReason::NoAllowedStep => track.blocked_cycle = Some(cycle),
        TaskReason::RemoveBureauListing | TaskReason::RemoveProtest => {
            let listed = track.occurrences.iter_mut().filter(|at| at.cycle == cycle && Some(&at.step_id) == step_id);
            listed.for_each(|at| at.removal_asked = true);
        }
        TaskReason::HoldReview => {
            track.arrangements.iter_mut().for_each(|open| open.review_asked |= open.arrangement.review_on().is_some())
        }
        TaskReason::Exhausted
        | TaskReason::Undeliverable
        | TaskReason::PaidAfterHandOff
        | TaskReason::PaidAfterWriteOff
        | TaskReason::DisputeOpen
        | TaskReason::StepDue
        | TaskReason::Approval
        | TaskReason::ListingRefused
        | TaskReason::RemovalRefused
        | TaskReason::RemovalNear
        | TaskReason::RemovalLate
        | TaskReason::PromiseBroken => {}
    }
}

fn begin(ladder: &mut Ladder, arrangement: &Arrangement) {
    ladder.arranged.insert(arrangement.id.clone());
    let (promises, announcements) = match arrangement.kind() {
        ArrangementKind::Promise => (1, 0),
        ArrangementKind::Announcement => (0, 1),
        ArrangementKind::Hold | ArrangementKind::Dispute => (0, 0),
    };
    ladder.promises.made += promises;
    for invoice_id in &arrangement.invoice_ids {
        with_track(ladder, invoice_id, |track| {
            track.promises_made += promises;
            track.announcements_made += announcements;
            let received_before_minor = track.received_minor;
            track.arrangements.push(OpenArrangement { arrangement: arrangement.clone(), received_before_minor, review_asked: false });
        });
    }
}

fn finish(ladder: &mut Ladder, (id, kind): (&ArrangementId, ArrangementKind), invoice_ids: &[InvoiceId], end: ArrangementEnd) {
    let record = &mut ladder.promises;
    let broken = match end {
        ArrangementEnd::Kept => {
            record.kept += 1;
            false
        }
        ArrangementEnd::PartlyKept => {
            record.partly_kept += 1;
            true
        }
        ArrangementEnd::Broken => {
            record.broken += 1;
            true
        }
        ArrangementEnd::Lapsed
        | ArrangementEnd::Lifted
        | ArrangementEnd::Accepted
        | ArrangementEnd::Rejected
        | ArrangementEnd::Confirmed => false,
    };
    for invoice_id in invoice_ids {
        with_track(ladder, invoice_id, |track| {
            track.arrangements.retain(|open| open.arrangement.id != *id || open.arrangement.kind() != kind);
            track.promise_broken |= broken;
        });
    }
}

fn opening_of(shift: Shift) -> Opening {
    match shift {
        Shift::Later => Opening::Later,
        Shift::Earlier => Opening::Earlier,
    }
}

fn enrolled(event: &Event) -> Option<Track> {
    let Event::TrackEnrolled {
        invoice_id,
        policy_id,
        policy_version,
        variant,
        cycle,
        amount_minor,
        currency,
        issued_on,
        due_on,
        effective_due,
        known_on,
        recorded_at,
        steps,
        instalment_of,
    } = event
    else {
        return None;
    };
    Some(Track {
        invoice_id: invoice_id.clone(),
        policy_id: policy_id.clone(),
        policy_version: *policy_version,
        variant: variant.clone(),
        phase: Phase::Enrolled,
        cycle: *cycle,
        opening: Opening::Enrolled,
        currency: *currency,
        issued_on: *issued_on,
        due_on: *due_on,
        effective_due: *effective_due,
        known_on: *known_on,
        outstanding_minor: *amount_minor,
        received_minor: 0,
        facts_until: *recorded_at,
        instalment_of: instalment_of.clone(),
        renegotiated_by: None,
        cycle_since: None,
        viewed_at: None,
        reversed_at: None,
        occurrences: planned(*cycle, steps),
        last_contact_on: None,
        last_offer_on: None,
        tone_before: None,
        arrangements: Vec::new(),
        promises_made: 0,
        announcements_made: 0,
        promise_broken: false,
        blocked_cycle: None,
        notices: Vec::new(),
        tasks: Vec::new(),
    })
}

fn planned(cycle: u32, steps: &[PlannedStep]) -> Vec<Occurrence> {
    steps.iter().map(|step| Occurrence::planned(cycle, step)).collect()
}

fn note_fact(track: &mut Track, outstanding_minor: Option<i64>, recorded_at: DateTime<Utc>) {
    track.facts_until = track.facts_until.max(recorded_at);
    if let Some(minor) = outstanding_minor {
        track.outstanding_minor = minor;
    }
}

fn cancel(track: &mut Track, recorded_at: DateTime<Utc>) {
    track.phase = Phase::Cancelled;
    note_fact(track, None, recorded_at);
}

fn renegotiate(track: &mut Track, agreement_id: &AgreementId, recorded_at: DateTime<Utc>) {
    track.phase = Phase::Renegotiated;
    track.renegotiated_by = Some(agreement_id.clone());
    note_fact(track, Some(0), recorded_at);
}

fn open_cycle(track: &mut Track, cycle: u32, (opening, since): (Opening, DateTime<Utc>), steps: &[PlannedStep]) {
    if let Some(executed) = track.place().and_then(|at| track.current().get(at)) {
        track.tone_before = Some(executed.tone);
    }
    track.cycle = cycle;
    track.opening = opening;
    track.cycle_since = Some(since);
    track.phase = Phase::Active;
    track.occurrences.extend(planned(cycle, steps));
}

/// What was said of the old version is not said of the new one: a person is told again where it stands still.
fn migrate(track: &mut Track, event: &Event) {
    let Event::TrackMigrated { cycle, policy_id, policy_version, variant, effective_due, place, steps, .. } = event else { return };
    track.policy_id = policy_id.clone();
    track.policy_version = *policy_version;
    track.variant.clone_from(variant);
    track.effective_due = *effective_due;
    track.blocked_cycle = None;
    let start = track.occurrences.iter().position(|at| at.cycle == *cycle).unwrap_or(track.occurrences.len());
    let current = track.occurrences.split_off(start);
    track.occurrences.extend(migration::rearranged(*cycle, current, *place, steps));
}

fn with_occurrence(track: &mut Track, cycle: u32, step_id: &StepId, occurrence: u32, change: impl FnOnce(&mut Occurrence)) {
    if let Some(at) = track.occurrence_mut(cycle, step_id, occurrence) {
        change(at);
    }
}

/// What has ended meanwhile keeps what it had.
fn date(track: &mut Track, cycle: u32, step: &PlannedStep) {
    with_occurrence(track, cycle, &step.step_id, step.occurrence, |at| {
        if !at.is_ended() {
            (at.planned_on, at.last_day) = (step.planned_on, step.last_day);
        }
    });
}

fn set_state(track: &mut Track, cycle: u32, step_id: &StepId, occurrence: u32, state: OccurrenceState) {
    with_occurrence(track, cycle, step_id, occurrence, |at| at.state = state);
    activate(track);
}

fn claim_item(ladder: &mut Ladder, item: &DueItem, day: NaiveDate) {
    with_track(ladder, &item.invoice_id, |track| claim(track, item.cycle, &item.step_id, item.occurrence, day));
}

fn claim(track: &mut Track, cycle: u32, step_id: &StepId, occurrence: u32, day: NaiveDate) {
    track.last_offer_on = Some(day);
    set_state(track, cycle, step_id, occurrence, OccurrenceState::Claimed { day });
}

fn close(track: &mut Track, cycle: u32, day: NaiveDate, closing: &Closing) {
    let Some(at) = track.occurrence_mut(cycle, &closing.step_id, closing.occurrence) else {
        return;
    };
    at.state = OccurrenceState::Ended { day, end: closing.end.clone() };
    let (tone, kind) = (at.tone, at.kind);
    if matches!(closing.end, End::Executed { .. }) {
        if kind == StepKind::Notify {
            track.last_contact_on = track.last_contact_on.max(Some(day));
            track.promise_broken = false;
        }
        if cycle < track.cycle {
            track.tone_before = Some(tone);
        }
    }
    activate(track);
}

fn activate(track: &mut Track) {
    if track.phase == Phase::Enrolled {
        track.phase = Phase::Active;
    }
}
