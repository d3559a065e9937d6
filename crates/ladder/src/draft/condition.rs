//! `only_if` of a step.

use super::DraftCondition;
use super::field::{Faults, Range};
use crate::condition::Conditions;
use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;
use kernel::text;

/// Longest name of a segment, in characters.
pub(super) const SEGMENT_CHARS: usize = 64;

pub(super) fn read(faults: &mut Faults, path: &str, draft: &DraftCondition) -> Conditions {
    for name in &draft.unevaluated {
        faults.add(&format!("{path}.{name}"), "not_evaluated", format!("the engine has no fact that says {name}"));
    }
    let days = Range::new(1, 3650);
    let count = |faults: &mut Faults, name: &str, value| {
        faults.number(&format!("{path}.{name}"), "out_of_range", value, days).and_then(|value| u32::try_from(value).ok())
    };
    let risk = faults.number(&format!("{path}.risk_at_least"), "out_of_range", draft.risk_at_least, Range::new(1, 100));
    let conditions = Conditions {
        segment: segments(faults, &format!("{path}.segment"), draft.segment.as_deref()),
        not_segment: segments(faults, &format!("{path}.not_segment"), draft.not_segment.as_deref()),
        days_overdue_at_least: count(faults, "days_overdue_at_least", draft.days_overdue_at_least),
        promises_broken_at_least: count(faults, "promises_broken_at_least", draft.promises_broken_at_least),
        payment_returned: draft.payment_returned,
        not_viewed: draft.not_viewed,
        risk_at_least: risk.and_then(|score| u8::try_from(score).ok()),
    };
    if *draft == DraftCondition::default() {
        faults.add(path, "condition_empty", "asks nothing".to_string());
    }
    conditions
}

fn segments(faults: &mut Faults, path: &str, names: Option<&[String]>) -> Vec<String> {
    let Some(names) = names else { return Vec::new() };
    if names.is_empty() {
        faults.add(path, "condition_empty", "names no segment".to_string());
    }
    let mut read = Vec::new();
    for (at, name) in names.iter().enumerate() {
        match text::bounded(name, SEGMENT_CHARS) {
            Ok(name) => read.push(name),
            Err(fault) => faults.add(&format!("{path}[{at}]"), "invalid_text", fault.to_string()),
        }
    }
    read
}
