//! `repeat` of a step: its bounds as a number of occurrences.

use super::field::{Faults, Range};
use super::step::after_days;
use super::{DraftRepeat, MAX_TIMES};
use crate::policy::{Anchor, Expires, Repeat, StepKind};
use alloc::format;
use alloc::string::ToString;

/// What of the step decides how it may be repeated.
#[derive(Clone, Copy)]
pub(super) struct Repeated {
    pub(super) kind: StepKind,
    pub(super) anchor: Anchor,
    pub(super) offset_days: i32,
    pub(super) expires: Expires,
}

/// Where repetition ends.
#[derive(Clone, Copy, PartialEq)]
enum Until {
    AtDue,
    AfterDays(u32),
}

pub(super) fn read(faults: &mut Faults, path: &str, draft: &DraftRepeat, step: Option<Repeated>) -> Option<Repeat> {
    let every_days = faults.needed_number(&format!("{path}.every_days"), "out_of_range", draft.every_days, Range::new(1, 3650));
    let most = Range::new(2, MAX_TIMES.into());
    let at_most = faults.number(&format!("{path}.at_most"), "out_of_range", draft.at_most, most);
    let until_path = format!("{path}.until");
    let until = faults.named(&until_path, "unknown_until", draft.until.as_deref(), |text| until_named(text).map(Some), None);
    if draft.at_most.is_none() && draft.until.is_none() {
        faults.add(path, "unbounded_repeat", "names neither `at_most` nor `until`".to_string());
    }
    let (step, every_days) = (step?, u32::try_from(every_days?).ok()?);
    match step.kind {
        StepKind::Notify | StepKind::Task => {}
        StepKind::Bureau | StepKind::Protest | StepKind::HandOff => {
            faults.add(path, "repeat_contradicts_kind", format!("{} happens once", step.kind.name()));
        }
    }
    if until == Some(Until::AtDue) && (step.anchor == Anchor::PreviousExecuted || step.offset_days >= 0) {
        faults.add(&until_path, "offset_contradicts_repeat", "only what starts before the due date can be repeated until it".to_string());
        return None;
    }
    let bound_days = until.map(|until| match until {
        Until::AtDue => step.offset_days.unsigned_abs(),
        Until::AfterDays(days) => days,
    });
    let by_days = bound_days.map(|days| days / every_days + 1);
    let by_count = at_most.and_then(|most| u32::try_from(most).ok());
    let times = by_days.into_iter().chain(by_count).min()?;
    check_times(faults, path, times);
    let last_days = i64::from(step.offset_days) + i64::from(every_days) * (i64::from(times) - 1);
    let ends_at_due = step.offset_days < 0 || step.expires == Expires::AtDue;
    if step.anchor != Anchor::PreviousExecuted && ends_at_due && last_days > 0 {
        faults.add(path, "repeat_crosses_due", format!("what is said up to the due date would be repeated {last_days} days after it"));
    }
    Some(Repeat { every_days, times })
}

fn check_times(faults: &mut Faults, path: &str, times: u32) {
    if times < 2 {
        faults.add(path, "repeat_never", "ends before the second occurrence".to_string());
    } else if times > MAX_TIMES {
        faults.add(path, "too_many_occurrences", format!("{times} occurrences; a step has at most {MAX_TIMES}"));
    }
}

fn until_named(text: &str) -> Option<Until> {
    if text == "at_due" { Some(Until::AtDue) } else { after_days(text).map(Until::AfterDays) }
}
