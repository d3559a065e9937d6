//! Rules between the steps of a draft.

use super::field::Faults;
use super::step::{ReadStep, needs_overdue};
use crate::policy::Anchor;
use alloc::format;
use alloc::string::ToString;

pub(super) fn check(faults: &mut Faults, steps: &[ReadStep]) {
    for (at, step) in steps.iter().enumerate() {
        let before = steps.get(..at).unwrap_or(&[]);
        check_id(faults, step, before);
        check_tone(faults, step, before.last());
        check_anchor(faults, step, before);
        check_requires(faults, step, before, steps);
    }
}

/// What counts from the step before needs one; and a listing or a hand-off comes after the due date also by way of the steps before.
fn check_anchor(faults: &mut Faults, step: &ReadStep, before: &[ReadStep]) {
    if step.anchor != Anchor::PreviousExecuted {
        return;
    }
    if before.is_empty() {
        faults.add(&format!("{}.anchor", step.path), "anchor_without_previous", "the first step has none before it".to_string());
    } else if needs_overdue(step.kind) && earliest_days(step, before).is_some_and(|days| days <= 0) {
        let message = format!("{} comes after the due date, and the steps before may be executed earlier", step.kind.name());
        faults.add(&format!("{}.offset_days", step.path), "offset_contradicts_kind", message);
    }
}

/// Days from the due date to the earliest day of a step, over the steps that it counts from.
fn earliest_days(step: &ReadStep, before: &[ReadStep]) -> Option<i64> {
    let own = i64::from(step.offset_days?);
    match (step.anchor, before.split_last()) {
        (Anchor::Due | Anchor::AgreementDue, _) => Some(own),
        (Anchor::PreviousExecuted, Some((previous, earlier))) => earliest_days(previous, earlier).map(|days| days + own),
        (Anchor::PreviousExecuted, None) => None,
    }
}

fn check_id(faults: &mut Faults, step: &ReadStep, before: &[ReadStep]) {
    if let Some(id) = &step.id
        && before.iter().any(|other| other.id.as_ref() == Some(id))
    {
        faults.add(&format!("{}.id", step.path), "duplicate_id", format!("{id} is the id of an earlier step"));
    }
}

fn check_tone(faults: &mut Faults, step: &ReadStep, before: Option<&ReadStep>) {
    let (Some(tone), Some(last)) = (step.tone, before.and_then(|step| step.tone)) else {
        return;
    };
    let path = format!("{}.tone", step.path);
    if tone < last {
        faults.add(&path, "tone_falls", format!("{tone} after {last}"));
    } else if tone > last + 1 {
        faults.add(&path, "tone_jumps", format!("{tone} after {last}: a tone rises by one at most"));
    }
}

fn check_requires(faults: &mut Faults, step: &ReadStep, before: &[ReadStep], all: &[ReadStep]) {
    for (path, needed) in &step.requires {
        let is_needed = |other: &ReadStep| other.id.as_ref() == Some(needed);
        if !all.iter().any(is_needed) {
            faults.add(path, "unknown_step", format!("{needed} is no step of this ladder"));
        } else if !before.iter().any(is_needed) {
            faults.add(path, "requires_later_step", format!("{needed} does not come before"));
        }
    }
}
