//! Domain → responses.

use super::field::{date_text, text_of};
use crate::explain::{Explanation, Known};
use crate::policies::Assignment;
use crate::rehearsal::Rehearsal;
use chrono::NaiveDate;
use contracts::dunning::v1 as proto;
use kernel::{CustomerId, VariantId, written};
use ladder::{Ladder, Policy, draft::Fault, policy::Chain, preview, variant::Variant};
use std::collections::BTreeMap;

/// An assignment as it is stored and listed.
pub fn assigned(assignment: &Assignment) -> proto::PolicyAssigned {
    proto::PolicyAssigned {
        scope: assignment.scope.name().to_owned(),
        target: assignment.target.clone(),
        policy_id: assignment.policy_id.to_string(),
        policy_version: assignment.version,
    }
}

/// The explanation of a day, by so many facts of the payer.
pub fn explanation(explanation: Explanation, stream_version: u64) -> proto::ExplainDayResponse {
    let considerations = explanation.considered.into_iter().map(|one| proto::Consideration {
        invoice_id: one.invoice_id,
        cycle: one.cycle,
        step_id: one.step_id,
        policy_id: one.policy_id,
        policy_version: one.policy_version,
        planned_on: date_text(one.planned_on),
        occurrence: one.occurrence,
        decision: one.decision,
        reason: one.reason,
        variant: one.variant,
    });
    proto::ExplainDayResponse {
        contacted: explanation.contacted,
        considerations: considerations.collect(),
        lines: explanation.lines,
        facts: explanation.facts.iter().map(known).collect(),
        stream_version,
    }
}

fn known(known: &Known) -> proto::TrackFacts {
    let track = &known.track;
    proto::TrackFacts {
        invoice_id: track.invoice_id.to_string(),
        standing: known.standing.to_owned(),
        cycle: track.cycle,
        policy_id: track.policy_id.to_string(),
        policy_version: track.policy_version,
        due_on: written::date_text(track.due_on),
        effective_due: written::date_text(track.effective_due),
        known_on: written::date_text(track.known_on),
        outstanding_minor: track.outstanding_minor,
        disputed_minor: known.disputed_minor,
        currency: track.currency.to_string(),
        last_contact_on: date_text(track.last_contact_on),
        tone_cap: known.tone_cap.into(),
        variant: text_of(track.variant.as_ref()),
    }
}

/// One fault.
fn policy_fault(fault: &Fault) -> proto::PolicyFault {
    proto::PolicyFault { path: fault.path.clone(), reason: fault.slug.to_owned(), message: fault.message.clone() }
}

/// All faults.
pub fn faults(faults: &[Fault]) -> Vec<proto::PolicyFault> {
    faults.iter().map(policy_fault).collect()
}

/// A policy with the dates of a sample due date.
pub fn preview_lines(policy: &Policy, due_on: NaiveDate) -> Vec<proto::PreviewLine> {
    let lines = preview::preview(policy, due_on);
    let one = |line: preview::PreviewLine| proto::PreviewLine {
        planned_on: date_text(line.planned_on.map(|(day, _)| day)),
        last_day: date_text(line.last_day),
        weekday: line.planned_on.map(|(_, weekday)| weekday.to_string().to_lowercase()).unwrap_or_default(),
        tone: u32::from(line.tone),
        kind: line.kind.name().to_owned(),
        channels: policy.step(&line.step_id).map(|step| channels(&step.chains)).unwrap_or_default(),
        occurrence: line.occurrence,
        after_step_id: text_of(line.after.as_ref()),
        offset_days: line.offset_days,
        step_id: line.step_id.to_string(),
        applies_to: line.audience.slug().to_owned(),
    };
    lines.into_iter().map(one).collect()
}

/// The variants of a policy with the dates of a sample due date.
pub fn variant_previews(policy: &Policy, due_on: NaiveDate) -> Vec<proto::VariantPreview> {
    let one = |variant: &Variant| proto::VariantPreview {
        name: variant.id().to_string(),
        segments: variant.segments().to_vec(),
        preview: preview_lines(variant.ladder(), due_on),
    };
    policy.variants().iter().map(one).collect()
}

/// Tracks by variant.
pub(super) fn variant_tracks(counts: &BTreeMap<VariantId, u64>) -> Vec<proto::VariantTracks> {
    counts.iter().map(|(variant, tracks)| proto::VariantTracks { name: variant.to_string(), tracks: *tracks }).collect()
}

/// `whatsapp > sms + email`.
fn channels(chains: &[Chain]) -> String {
    let chain = |chain: &Chain| chain.0.iter().map(|channel| channel.name()).collect::<Vec<_>>().join(" > ");
    chains.iter().map(chain).collect::<Vec<_>>().join(" + ")
}

/// What a draft would do, and the payers whose first contact under it is harsh.
pub fn rehearsed(total: &Rehearsal, harsh_first_customer_ids: Vec<String>) -> proto::RehearsePolicyResponse {
    let contacts = total.contacts.iter().map(|((day, channel), contacts)| proto::RehearsedContacts {
        day: written::date_text(*day),
        channel: channel.name().to_owned(),
        contacts: *contacts,
    });
    proto::RehearsePolicyResponse {
        payers: total.payers,
        tracks: total.tracks,
        tracks_left: total.left,
        contacts: contacts.collect(),
        payers_moved: total.moved,
        harsh_firsts: total.harsh_firsts,
        harsh_first_customer_ids,
        variants: variant_tracks(&total.variants),
    }
}

/// What the engine knows of a payer.
pub fn payer(customer_id: &CustomerId, ladder: &Ladder) -> proto::GetPayerResponse {
    proto::GetPayerResponse {
        customer_id: customer_id.to_string(),
        time_zone: ladder.zone.map(|zone| zone.name().to_owned()).unwrap_or_default(),
        segment: ladder.segment.clone().unwrap_or_default(),
        last_reminder_on: date_text(ladder.last_reminder_on),
        promises_made: ladder.promises.made,
        promises_kept: ladder.promises.kept,
        promises_partly_kept: ladder.promises.partly_kept,
        promises_broken: ladder.promises.broken,
        risk_score: ladder.risk_score.map(u32::from),
    }
}
