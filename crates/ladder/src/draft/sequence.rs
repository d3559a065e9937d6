//! Rules between the steps of a draft.

use super::field::Faults;
use super::step::ReadStep;
use alloc::format;

pub(super) fn check(faults: &mut Faults, steps: &[ReadStep]) {
    for (at, step) in steps.iter().enumerate() {
        let before = steps.get(..at).unwrap_or(&[]);
        check_id(faults, step, before);
        check_tone(faults, step, before.last());
        check_requires(faults, step, before, steps);
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
