//! Migrations ↔ protobuf bytes, and requests for them.

use super::Read;
use super::field::{DecodeFault, day, id, message, text_of};
use super::{decode, encode};
use crate::migration::{Counts, Report, Version};
use contracts::dunning::v1 as proto;
use host::{Refusal, request};
use kernel::{InvoiceId, PolicyId, StepId, VariantId, text, written};
use ladder::{Event, migration::MovedStep};
use prost::Message;

/// Longest operator id, in characters.
const BY_CHARS: usize = 64;
/// Longest reason, in characters.
const WHY_CHARS: usize = 200;

/// The two versions of a request.
///
/// # Errors
/// INVALID_ARGUMENT on the field at fault: `id_malformed`, `version_missing`, `same_version`.
pub fn versions(from: Option<&proto::PolicyVersion>, to: Option<&proto::PolicyVersion>) -> Result<(Version, Version), Refusal> {
    let one = |name: &str, given: Option<&proto::PolicyVersion>| {
        let given = given.cloned().unwrap_or_default();
        let policy_id = request::id(&format!("{name}.policy_id"), &given.policy_id, PolicyId::new)?;
        if given.policy_version == 0 {
            return Err(Refusal::invalid(&format!("{name}.policy_version"), "version_missing", "should name a version, from 1"));
        }
        Ok((policy_id, given.policy_version))
    };
    let (from, to) = (one("from", from)?, one("to", to)?);
    if from == to {
        return Err(Refusal::invalid("to.policy_version", "same_version", "should be another version than that of `from`"));
    }
    Ok((from, to))
}

/// Who migrates, and why.
///
/// # Errors
/// INVALID_ARGUMENT `text_refused` on the field at fault.
pub fn signature(by: &str, why: &str) -> Result<(String, String), Refusal> {
    let bounded = |field: &str, value: &str, chars| {
        text::bounded(value, chars).map_err(|fault| Refusal::invalid(field, "text_refused", fault.to_string()))
    };
    Ok((bounded("by", by, BY_CHARS)?, bounded("reason", why, WHY_CHARS)?))
}

/// A version as it is stored.
pub(super) fn version((policy_id, policy_version): &Version) -> proto::PolicyVersion {
    proto::PolicyVersion { policy_id: policy_id.to_string(), policy_version: *policy_version }
}

/// A stored version.
pub(super) fn read_version(field: &'static str, m: Option<proto::PolicyVersion>) -> Result<Version, DecodeFault> {
    let m = m.ok_or(DecodeFault::Field(field))?;
    Ok((id(field, &m.policy_id, PolicyId::new)?, m.policy_version))
}

/// A report as it is answered.
pub fn report(report: &Report) -> proto::MigrationReport {
    let one = |(step_id, counts): (&StepId, &Counts)| proto::MigrationStep {
        step_id: step_id.to_string(),
        added: counts.added,
        vanished: counts.vanished,
        due: counts.due,
    };
    proto::MigrationReport {
        payers: report.payers,
        tracks_moved: report.moved,
        tracks_left: report.left,
        steps: report.steps.iter().map(one).collect(),
        variants: super::view::variant_tracks(&report.variants),
    }
}

/// The report of a stored answer.
///
/// # Errors
/// [`DecodeFault`] where it cannot be read.
pub fn read_report(bytes: &[u8]) -> Result<Report, DecodeFault> {
    let m: proto::MigrationReport = message("MigrationReport", bytes)?;
    let step = |m: &proto::MigrationStep| {
        let counts = Counts { added: m.added, vanished: m.vanished, due: m.due };
        Ok((id("steps.step_id", &m.step_id, StepId::new)?, counts))
    };
    let steps = m.steps.iter().map(step).collect::<Result<_, DecodeFault>>()?;
    let variant = |m: &proto::VariantTracks| Ok((id("variants.name", &m.name, VariantId::new)?, m.tracks));
    let variants = m.variants.iter().map(variant).collect::<Result<_, DecodeFault>>()?;
    Ok(Report { payers: m.payers, moved: m.tracks_moved, left: m.tracks_left, steps, variants })
}

/// Bytes of `TrackMigrated`; of any other event those of the empty message.
pub(super) fn encode_moved(customer_id: String, event: &Event) -> (&'static str, Vec<u8>) {
    let mut m = proto::TrackMigrated::default();
    if let Event::TrackMigrated {
        invoice_id,
        cycle,
        day,
        policy_id,
        policy_version,
        variant,
        due_on,
        effective_due,
        place,
        steps,
        by,
        why,
    } = event
    {
        let moved = |step: &MovedStep| proto::MovedStep { step: Some(encode::planned_step(&step.planned)), is_new: step.is_new };
        m = proto::TrackMigrated {
            customer_id,
            invoice_id: invoice_id.to_string(),
            cycle: *cycle,
            day: written::date_text(*day),
            to: Some(version(&(policy_id.clone(), *policy_version))),
            due_on: written::date_text(*due_on),
            effective_due: written::date_text(*effective_due),
            place: *place,
            steps: steps.iter().map(moved).collect(),
            by: by.clone(),
            reason: why.clone(),
            variant: text_of(variant.as_ref()),
        };
    }
    ("TrackMigrated", m.encode_to_vec())
}

/// `TrackMigrated`.
pub(super) fn moved(m: proto::TrackMigrated) -> Read {
    let (policy_id, policy_version) = read_version("to", m.to)?;
    let step = |m: &proto::MovedStep| {
        let planned = decode::planned_step(m.step.as_ref().ok_or(DecodeFault::Field("steps.step"))?)?;
        Ok(MovedStep { planned, is_new: m.is_new })
    };
    let event = Event::TrackMigrated {
        invoice_id: id("invoice_id", &m.invoice_id, InvoiceId::new)?,
        cycle: m.cycle,
        day: day("day", &m.day)?,
        policy_id,
        policy_version,
        variant: decode::variant(&m.variant)?,
        due_on: day("due_on", &m.due_on)?,
        effective_due: day("effective_due", &m.effective_due)?,
        place: m.place,
        steps: m.steps.iter().map(step).collect::<Result<_, DecodeFault>>()?,
        by: m.by,
        why: m.reason,
    };
    Ok((m.customer_id, event))
}
