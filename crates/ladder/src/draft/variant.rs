//! `[[variant]]`: what the ladder of some segments changes of the base, put together and checked whole.

use super::condition::SEGMENT_CHARS;
use super::field::Faults;
use super::step::{self, ReadStep};
use super::{DraftVariant, Fault, MAX_STEPS, MAX_VARIANT_SEGMENTS, MAX_VARIANTS, check_steps};
use crate::policy::{Anchor, Step};
use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;
use kernel::{StepId, VariantId, Window, text};

/// What variants are read against.
pub(super) struct Base<'a> {
    pub(super) steps: &'a [ReadStep],
    /// What is wrong with it: not told again for each variant.
    pub(super) faults: Vec<Fault>,
    /// The window of steps that have none of their own.
    pub(super) window: Window,
}

/// A variant as far as it could be read.
pub(super) struct ReadVariant {
    pub(super) id: Option<VariantId>,
    pub(super) segments: Vec<String>,
    pub(super) steps: Option<Vec<Step>>,
}

/// What the variants before have for themselves.
#[derive(Default)]
struct Taken {
    ids: Vec<VariantId>,
    segments: Vec<String>,
}

pub(super) fn read(faults: &mut Faults, drafts: &[DraftVariant], base: &Base) -> Vec<ReadVariant> {
    if drafts.len() > MAX_VARIANTS {
        faults.add("variant", "too_many_variants", format!("a ladder has at most {MAX_VARIANTS} variants"));
    }
    let mut taken = Taken::default();
    let drafts = drafts.iter().take(MAX_VARIANTS).enumerate();
    drafts.map(|(at, draft)| one(faults, &format!("variant[{at}]"), draft, (&mut taken, base))).collect()
}

fn one(faults: &mut Faults, path: &str, draft: &DraftVariant, (taken, base): (&mut Taken, &Base)) -> ReadVariant {
    let id = id(faults, &format!("{path}.name"), draft.name.as_deref(), taken);
    let segments = segments(faults, &format!("{path}.segments"), draft.segments.as_deref(), taken);
    let named = draft.without.as_deref().unwrap_or(&[]);
    if named.is_empty() && draft.steps.is_empty() {
        faults.add(path, "variant_empty", "changes nothing of the ladder: leave it out".to_string());
    }
    if draft.steps.len() > MAX_STEPS {
        faults.add(&format!("{path}.step"), "too_many_steps", format!("a variant has at most {MAX_STEPS} steps of its own"));
    }
    let without = without(faults, &format!("{path}.without"), named, base.steps);
    let drafts = draft.steps.iter().take(MAX_STEPS).enumerate();
    let own: Vec<_> = drafts.map(|(at, draft)| step::read(faults, format!("{path}.step[{at}]"), draft, base.window)).collect();
    check_ids(faults, &own, &without);
    let steps = composed(base.steps, &without, &own);
    // Of what stands nowhere yet no rule between steps can be told.
    if own.iter().all(|step| step.id.is_some() && step.offset_days.is_some()) {
        check_whole(faults, path, &steps, &base.faults);
    }
    ReadVariant { id, segments, steps: steps.into_iter().map(|step| step.finished).collect() }
}

fn id(faults: &mut Faults, path: &str, name: Option<&str>, taken: &mut Taken) -> Option<VariantId> {
    let id = faults.id(path, name, VariantId::new)?;
    if taken.ids.contains(&id) {
        faults.add(path, "duplicate_name", format!("{id} is the name of an earlier variant"));
    }
    taken.ids.push(id.clone());
    Some(id)
}

fn segments(faults: &mut Faults, path: &str, names: Option<&[String]>, taken: &mut Taken) -> Vec<String> {
    let names = names.unwrap_or(&[]);
    if names.is_empty() {
        faults.add(path, "missing", "a variant names at least one segment".to_string());
    }
    if names.len() > MAX_VARIANT_SEGMENTS {
        faults.add(path, "too_many_segments", format!("a variant has at most {MAX_VARIANT_SEGMENTS} segments"));
    }
    let mut read = Vec::new();
    for (at, name) in names.iter().take(MAX_VARIANT_SEGMENTS).enumerate() {
        let path = format!("{path}[{at}]");
        match text::bounded(name, SEGMENT_CHARS) {
            Ok(name) if taken.segments.contains(&name) => {
                faults.add(&path, "segment_taken", format!("{name:?} was named before: a payer has one variant"));
            }
            Ok(name) => {
                taken.segments.push(name.clone());
                read.push(name);
            }
            Err(fault) => faults.add(&path, "invalid_text", fault.to_string()),
        }
    }
    read
}

/// The steps of the base that are left out. There are no more of them than the base has steps.
fn without(faults: &mut Faults, path: &str, names: &[String], base: &[ReadStep]) -> Vec<StepId> {
    let mut read: Vec<StepId> = Vec::new();
    if names.len() > MAX_STEPS {
        faults.add(path, "too_many_steps", format!("a ladder has at most {MAX_STEPS} steps"));
    }
    for (at, name) in names.iter().take(MAX_STEPS).enumerate() {
        let path = format!("{path}[{at}]");
        let Some(id) = faults.id(&path, Some(name), StepId::new) else { continue };
        if read.contains(&id) {
            faults.add(&path, "duplicate_id", format!("{id} is left out already"));
        } else if base.iter().any(|step| step.id.as_ref() == Some(&id)) {
            read.push(id);
        } else {
            faults.add(&path, "unknown_step", format!("{id} is no step of this ladder"));
        }
    }
    read
}

fn check_ids(faults: &mut Faults, own: &[ReadStep], without: &[StepId]) {
    for (at, step) in own.iter().enumerate() {
        let (Some(id), path) = (&step.id, format!("{}.id", step.path)) else { continue };
        if own.iter().take(at).any(|other| other.id.as_ref() == Some(id)) {
            faults.add(&path, "duplicate_id", format!("{id} is the id of an earlier step"));
        } else if without.contains(id) {
            faults.add(&path, "left_out", format!("{id} is left out by this variant: a step of that name replaces it anyway"));
        }
    }
}

/// The base without what is left out; a step of the same id stands in the place of the other, any other where its date says.
fn composed(base: &[ReadStep], without: &[StepId], own: &[ReadStep]) -> Vec<ReadStep> {
    let is_kept = |step: &&ReadStep| step.id.as_ref().is_none_or(|id| !without.contains(id));
    let mut steps: Vec<ReadStep> = base.iter().filter(is_kept).cloned().collect();
    let mut last = None;
    for step in own {
        let replaced = steps.iter().position(|other| other.id.is_some() && other.id == step.id);
        let at = replaced.unwrap_or_else(|| place(&steps, step, last));
        steps.splice(at..at + usize::from(replaced.is_some()), [step.clone()]);
        last = Some(at);
    }
    steps
}

/// Behind the last step that counts from the same anchor and comes no later, and behind what counts from its execution. What itself counts
/// from an execution stands behind the step that is written before it.
fn place(steps: &[ReadStep], added: &ReadStep, last: Option<usize>) -> usize {
    let is_chained = |step: &&ReadStep| step.anchor == Anchor::PreviousExecuted;
    let chained_from = |at: usize| steps.iter().skip(at).take_while(is_chained).count();
    if added.anchor == Anchor::PreviousExecuted {
        return last.map_or(0, |at| at + 1);
    }
    let is_earlier = |step: &ReadStep| step.anchor == added.anchor && step.offset_days <= added.offset_days;
    if let Some(at) = steps.iter().rposition(is_earlier) {
        return at + 1 + chained_from(at + 1);
    }
    steps.iter().position(|step| step.anchor == added.anchor).unwrap_or(steps.len())
}

/// The whole ladder by the rules of the base. What is wrong with a step of the variant is told there; what the variant makes wrong with the
/// steps that it keeps, at the variant.
fn check_whole(faults: &mut Faults, path: &str, steps: &[ReadStep], known: &[Fault]) {
    let mut found = Faults::default();
    check_steps(&mut found, steps);
    for fault in found.into_list() {
        if fault.path.starts_with(path) {
            faults.add(&fault.path, fault.slug, fault.message);
        } else if !known.contains(&fault) {
            faults.add(path, fault.slug, format!("{}: {}", fault.path, fault.message));
        }
    }
}
