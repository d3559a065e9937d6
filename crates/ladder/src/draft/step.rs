//! One step of a draft, read by itself.

use super::condition;
use super::field::{Faults, Range};
use super::repeat::{self, Repeated};
use super::{DraftRequires, DraftStep};
use crate::condition::Conditions;
use crate::notices::RESERVED;
use crate::policy::{Anchor, Chain, Channel, DayKind, Expires, MAX_TONE, MIN_TONE, Repeat, Requires, Roll, Step, StepKind};
use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;
use kernel::{MAX_AMOUNT_MINOR, StepId, Window};

/// Furthest from the anchor, in days.
const MAX_OFFSET_DAYS: i64 = 3650;
const DAYS: (i64, i64) = (0, 3650);

/// A step as far as it could be read: the parts that the rules between steps need, and the whole if nothing is missing.
#[derive(Clone)]
pub(super) struct ReadStep {
    pub(super) path: String,
    pub(super) id: Option<StepId>,
    pub(super) kind: StepKind,
    pub(super) anchor: Anchor,
    pub(super) offset_days: Option<i32>,
    pub(super) tone: Option<u8>,
    pub(super) times: u32,
    pub(super) requires: Vec<(String, StepId)>,
    pub(super) finished: Option<Step>,
}

/// `path`: of the step, as faults name it.
pub(super) fn read(faults: &mut Faults, path: String, draft: &DraftStep, window: Window) -> ReadStep {
    let field = |name: &str| format!("{path}.{name}");
    let id = faults.id(&field("id"), draft.id.as_deref(), StepId::new);
    if let Some(id) = id.as_ref().filter(|id| id.as_str().starts_with(RESERVED)) {
        faults.add(&field("id"), "reserved_id", format!("{id}: what begins with {RESERVED:?} is no step"));
    }
    let kind = faults.named(&field("kind"), "unknown_kind", draft.kind.as_deref(), StepKind::named, StepKind::Notify);
    let offset =
        faults.needed_number(&field("offset_days"), "out_of_range", draft.offset_days, Range::new(-MAX_OFFSET_DAYS, MAX_OFFSET_DAYS));
    let tone = faults.needed_number(&field("tone"), "tone_out_of_range", draft.tone, Range::new(MIN_TONE.into(), MAX_TONE.into()));
    let tone = tone.and_then(|tone| u8::try_from(tone).ok());
    let offset_days = offset.and_then(|days| i32::try_from(days).ok());
    let expires = expires(faults, &field("expires"), draft.expires.as_deref(), offset_days);
    let anchor = anchor(faults, &field("anchor"), draft.anchor.as_deref());
    check_offset(faults, &field("offset_days"), (kind, anchor), offset_days, expires);
    let requires = requires(faults, &path, draft.requires.as_deref(), kind);
    let only_if = draft.only_if.as_ref().map(|draft| condition::read(faults, &field("only_if"), draft));
    let repeated = offset_days.map(|offset_days| Repeated { kind, anchor, offset_days, expires });
    let repeat = draft.repeat.as_ref().and_then(|draft| repeat::read(faults, &field("repeat"), draft, repeated));
    let step = StepParts { id: id.clone(), kind, anchor, offset_days, tone, expires, requires: requires.clone(), repeat, only_if };
    let finished = finish(faults, &path, draft, window, step);
    let requires = requires.into_iter().map(|(path, needed)| (path, needed.step)).collect();
    let times = repeat.map_or(1, |repeat| repeat.times);
    ReadStep { path, id, kind, anchor, offset_days, tone, times, requires, finished }
}

struct StepParts {
    id: Option<StepId>,
    kind: StepKind,
    anchor: Anchor,
    offset_days: Option<i32>,
    tone: Option<u8>,
    expires: Expires,
    requires: Vec<(String, Requires)>,
    repeat: Option<Repeat>,
    only_if: Option<Conditions>,
}

fn finish(faults: &mut Faults, path: &str, draft: &DraftStep, window: Window, parts: StepParts) -> Option<Step> {
    let field = |name: &str| format!("{path}.{name}");
    let is_contact = parts.kind == StepKind::Notify;
    let rolled = if parts.offset_days.is_some_and(|days| days < 0) { Roll::Back } else { Roll::Forward };
    let day_kind = faults.named(&field("day_kind"), "unknown_day_kind", draft.day_kind.as_deref(), day_kind_named, DayKind::Calendar);
    let roll = faults.named(&field("roll"), "unknown_roll", draft.roll.as_deref(), roll_named, rolled);
    let window = faults.window(&field("window"), draft.window.as_ref(), window);
    let chains = chains(faults, &field("channels"), draft.channels.as_deref(), is_contact);
    let template = faults.text(&field("template"), draft.template.as_deref(), is_contact);
    let min_outstanding_minor = faults
        .number(&field("min_outstanding_minor"), "out_of_range", draft.min_outstanding_minor, Range::new(0, MAX_AMOUNT_MINOR))
        .unwrap_or(0);
    let min_gap_days = faults.count(&field("min_gap_days"), draft.min_gap_days, Range::new(DAYS.0, DAYS.1), 1);
    let fallback_after_hours = faults.count(&field("fallback_after_hours"), draft.fallback_after_hours, Range::new(1, 720), 4);
    Some(Step {
        id: parts.id?,
        kind: parts.kind,
        anchor: parts.anchor,
        offset_days: parts.offset_days?,
        day_kind,
        roll,
        window,
        has_own_window: draft.window.is_some(),
        tone: parts.tone?,
        chains,
        fallback_after_hours,
        template,
        min_outstanding_minor,
        min_gap_days,
        expires: parts.expires,
        requires: parts.requires.into_iter().map(|(_, needed)| needed).collect(),
        requires_approval: draft.requires_approval.unwrap_or(false),
        repeat: parts.repeat,
        only_if: parts.only_if,
    })
}

/// A listing or a hand-off is of a debt that is overdue.
pub(super) fn needs_overdue(kind: StepKind) -> bool {
    match kind {
        StepKind::Bureau | StepKind::Protest | StepKind::HandOff => true,
        StepKind::Notify | StepKind::Task => false,
    }
}

/// A listing or a hand-off of a debt that is not overdue yet, a step after due that ends at due, or one that comes before the execution
/// that it counts from, cannot be meant.
fn check_offset(faults: &mut Faults, path: &str, (kind, anchor): (StepKind, Anchor), offset_days: Option<i32>, expires: Expires) {
    let Some(days) = offset_days else { return };
    match anchor {
        Anchor::Due | Anchor::AgreementDue => {}
        Anchor::PreviousExecuted => {
            if days < 0 {
                faults.add(path, "offset_contradicts_anchor", format!("{days} days would be before the step that it counts from"));
            }
            return;
        }
    }
    if needs_overdue(kind) && days <= 0 {
        faults.add(path, "offset_contradicts_kind", format!("{} comes after the due date, not at {days} days", kind.name()));
    }
    if expires == Expires::AtDue && days > 0 {
        faults.add(path, "offset_contradicts_kind", format!("a step at {days} days after due cannot end at due"));
    }
}

fn anchor(faults: &mut Faults, path: &str, text: Option<&str>) -> Anchor {
    faults.named(path, "unknown_anchor", text, anchor_named, Anchor::Due)
}

fn expires(faults: &mut Faults, path: &str, text: Option<&str>, offset_days: Option<i32>) -> Expires {
    let absent = if offset_days.is_some_and(|days| days < 0) { Expires::AtDue } else { Expires::Never };
    faults.named(path, "unknown_expires", text, expires_named, absent)
}

fn expires_named(text: &str) -> Option<Expires> {
    match text {
        "at_due" => Some(Expires::AtDue),
        "never" => Some(Expires::Never),
        _ => after_days(text).map(Expires::AfterDays),
    }
}

/// `5`, `after 5 days`, `after_5_days`.
pub(super) fn after_days(text: &str) -> Option<u32> {
    let words: Vec<&str> = text.split([' ', '_']).collect();
    let number = match words.as_slice() {
        [number] | ["after", number] | ["after", number, "day" | "days"] => *number,
        _ => return None,
    };
    number.bytes().all(|digit| digit.is_ascii_digit()).then(|| number.parse().ok())?.filter(|days| i64::from(*days) <= DAYS.1)
}

fn requires(faults: &mut Faults, path: &str, drafts: Option<&[DraftRequires]>, kind: StepKind) -> Vec<(String, Requires)> {
    let drafts = drafts.unwrap_or(&[]);
    let lists_debt = match kind {
        StepKind::Bureau | StepKind::Protest => true,
        StepKind::Notify | StepKind::Task | StepKind::HandOff => false,
    };
    if lists_debt && drafts.is_empty() {
        faults.add(&format!("{path}.requires"), "requires_missing", format!("{} needs a step that warned before", kind.name()));
    }
    let read = drafts.iter().enumerate().filter_map(|(at, draft)| one_requires(faults, &format!("{path}.requires[{at}]"), draft));
    read.collect()
}

fn one_requires(faults: &mut Faults, path: &str, draft: &DraftRequires) -> Option<(String, Requires)> {
    let range = Range::new(DAYS.0, DAYS.1);
    let step_path = format!("{path}.step");
    let step = faults.id(&step_path, draft.step.as_deref(), StepId::new);
    let executed = faults.count(&format!("{path}.days_ago"), draft.days_ago, range, 0);
    let delivered = faults.count(&format!("{path}.delivered_days_ago"), draft.delivered_days_ago, range, 0);
    if draft.days_ago.is_some() && draft.delivered_days_ago.is_some() {
        faults.add(path, "requires_ambiguous", "names `days_ago` and `delivered_days_ago`: write two entries".to_string());
    }
    let is_delivered = draft.delivered_days_ago.is_some();
    let days_ago = if is_delivered { delivered } else { executed };
    Some((step_path, Requires { step: step?, days_ago, delivered: is_delivered }))
}

pub(super) fn chains(faults: &mut Faults, path: &str, texts: Option<&[String]>, needed: bool) -> Vec<Chain> {
    let texts = texts.unwrap_or(&[]);
    if needed && texts.is_empty() {
        faults.add(path, "channels_missing", "a step that notifies names at least one channel".to_string());
    }
    texts.iter().enumerate().map(|(at, text)| chain(faults, &format!("{path}[{at}]"), text)).collect()
}

fn chain(faults: &mut Faults, path: &str, text: &str) -> Chain {
    let mut channels = Vec::new();
    for name in text.split('>').map(str::trim) {
        match Channel::named(name) {
            Some(channel) if channels.contains(&channel) => {
                faults.add(path, "channel_repeated", format!("{name} is tried twice"));
            }
            Some(channel) => channels.push(channel),
            None if name.is_empty() => faults.add(path, "invalid_chain", format!("{text:?} lacks a channel")),
            None => faults.add(path, "unknown_channel", format!("{name:?} is no channel")),
        }
    }
    Chain(channels)
}

fn anchor_named(name: &str) -> Option<Anchor> {
    match name {
        "due" => Some(Anchor::Due),
        "previous_executed" => Some(Anchor::PreviousExecuted),
        "agreement_due" => Some(Anchor::AgreementDue),
        _ => None,
    }
}

fn day_kind_named(name: &str) -> Option<DayKind> {
    match name {
        "calendar" => Some(DayKind::Calendar),
        "business" => Some(DayKind::Business),
        _ => None,
    }
}

fn roll_named(name: &str) -> Option<Roll> {
    match name {
        "back" => Some(Roll::Back),
        "forward" => Some(Roll::Forward),
        "none" => Some(Roll::None),
        _ => None,
    }
}
