//! Rules between the steps of a draft.

use super::field::Faults;
use super::step::{ReadStep, needs_overdue};
use crate::policy::Anchor;
use alloc::format;
use alloc::string::ToString;
use alloc::vec::Vec;

pub(super) fn check(faults: &mut Faults, steps: &[ReadStep]) {
    let ladders = ladders(steps);
    for (at, (step, of_agreements)) in steps.iter().zip(&ladders).enumerate() {
        let before = steps.get(..at).unwrap_or(&[]);
        let mut same = before.iter().zip(&ladders).rev().filter(|(_, other)| *other == of_agreements);
        check_id(faults, step, before);
        check_tone(faults, step, same.next().map(|(step, _)| step));
        check_anchor(faults, step, before);
        check_requires(faults, step, before, steps);
        check_requires_own(faults, (step, *of_agreements), steps.iter().zip(&ladders));
    }
    if !steps.is_empty() && ladders.iter().all(|of_agreements| *of_agreements) {
        faults.add(
            "step",
            "only_instalments",
            "every step is for instalments of agreements: other receivables would have none".to_string(),
        );
    }
}

/// Whether each step is for instalments of agreements: those that count from the due date of one, and what counts from them.
fn ladders(steps: &[ReadStep]) -> Vec<bool> {
    let mut of_agreements = false;
    let next = |step: &ReadStep| {
        of_agreements = match step.anchor {
            Anchor::AgreementDue => true,
            Anchor::Due => false,
            Anchor::PreviousExecuted => of_agreements,
        };
        of_agreements
    };
    steps.iter().map(next).collect()
}

/// No receivable has steps of both kinds: what requires one of the other kind could never go out.
fn check_requires_own<'a>(
    faults: &mut Faults,
    (step, of_agreements): (&ReadStep, bool),
    all: impl Iterator<Item = (&'a ReadStep, &'a bool)> + Clone,
) {
    for (path, needed) in &step.requires {
        let other = |(other, kind): (&ReadStep, &bool)| other.id.as_ref() == Some(needed) && *kind != of_agreements;
        if all.clone().any(other) {
            faults.add(path, "requires_other_ladder", format!("{needed} is for other receivables than this step"));
        }
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
