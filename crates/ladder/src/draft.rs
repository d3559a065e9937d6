//! Drafts: policies as somebody wrote them, and what is wrong with them.
//!
//! Every field is optional and enumerations are text; an absent field has the default of the norm. Unknown fields and wrong
//! types are found where the file is read, before there is a draft. [`validate`] reports all faults at once, each with the path
//! of its field: `contact.window.until`, `step[3].offset_days` (steps from 0).

mod condition;
mod field;
mod notices;
mod repeat;
mod sequence;
mod step;
mod variant;

use crate::policy::{CatchUp, ContactRules, Merge, Policy};
use crate::variant::Variant;
use alloc::string::{String, ToString};
use alloc::vec::Vec;
use field::{Faults, Range};
use kernel::{Calendar, PolicyId, Window, Zone};
use step::ReadStep;

/// Most steps of a policy.
pub const MAX_STEPS: usize = 100;
/// Most occurrences of a repeated step.
pub const MAX_TIMES: u32 = 100;
/// Most occurrences of a cycle, over all steps.
pub const MAX_OCCURRENCES: u32 = 300;

/// Most variants of a policy.
pub const MAX_VARIANTS: usize = 20;
/// Most segments of a variant.
pub const MAX_VARIANT_SEGMENTS: usize = 50;

/// A policy as written.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Draft {
    /// `policy`: its name. Mandatory.
    pub policy: Option<String>,
    /// `time_zone`: IANA name; default `America/Sao_Paulo`.
    pub time_zone: Option<String>,
    /// `calendar`: `none` or `br-settlement` (default).
    pub calendar: Option<String>,
    /// `catch_up`: `latest` (default) or `replay`.
    pub catch_up: Option<String>,
    /// `min_known_days`: default 1.
    pub min_known_days: Option<i64>,
    /// `[contact]`.
    pub contact: DraftContact,
    /// `[[step]]`, at least one.
    pub steps: Vec<DraftStep>,
    /// `[[variant]]`: default none, the ladder is the same for everybody.
    pub variants: Vec<DraftVariant>,
    /// `[notices]`: default none.
    pub notices: DraftNotices,
}

/// `[notices]` as written: what a payer is told once a debt is over.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct DraftNotices {
    /// `thank_you`: after a full payment.
    pub thank_you: Option<DraftNotice>,
    /// `correction`: after the cancellation of a debt about which something was sent.
    pub correction: Option<DraftNotice>,
}

/// One of `[notices]` as written.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct DraftNotice {
    /// `template`. Mandatory.
    pub template: Option<String>,
    /// `channels`: chains as of a step. Mandatory.
    pub channels: Option<Vec<String>>,
    /// `expires`: days after that of the fact, 1 to 30; default 2.
    pub expires: Option<String>,
}

/// `[[variant]]` as written: what the ladder of some segments changes of the base.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct DraftVariant {
    /// `name`: unique within the policy. Mandatory.
    pub name: Option<String>,
    /// `segments`: whose ladder it is, at least one; no segment has two variants.
    pub segments: Option<Vec<String>>,
    /// `without`: ids of steps of the base that it leaves out.
    pub without: Option<Vec<String>>,
    /// `[[variant.step]]`: one with the id of a step of the base replaces that, any other is added. Either of the two must be there.
    pub steps: Vec<DraftStep>,
}

/// `[contact]` as written.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct DraftContact {
    /// `merge`: `per_day` (default), `by_class` or `none`.
    pub merge: Option<String>,
    /// `max_per_day`: default 1.
    pub max_per_day: Option<i64>,
    /// `max_per_7_days`: default 3.
    pub max_per_7_days: Option<i64>,
    /// `max_voice_per_day`: default 1.
    pub max_voice_per_day: Option<i64>,
    /// `window`: default weekdays 09:00-18:00.
    pub window: Option<DraftWindow>,
    /// `window.states`: by the two letters of a state. Whether there is such a state, and what its law allows, is not known here.
    pub state_windows: Vec<(String, DraftWindow)>,
}

/// A window as written; an absent part is that of the policy's window, whose own defaults are weekdays 09:00-18:00.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct DraftWindow {
    /// `mon` to `sun`, at least one.
    pub weekdays: Option<Vec<String>>,
    /// `HH:MM`, included.
    pub from: Option<String>,
    /// `HH:MM`, excluded; later than `from`.
    pub until: Option<String>,
}

/// `[[step]]` as written.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct DraftStep {
    /// `id`. Mandatory.
    pub id: Option<String>,
    /// `anchor`: `due` (default), `previous_executed`, or `agreement_due` (instalments of agreements only).
    pub anchor: Option<String>,
    /// `offset_days`. Mandatory.
    pub offset_days: Option<i64>,
    /// `day_kind`: `calendar` (default) or `business`.
    pub day_kind: Option<String>,
    /// `roll`: `back` (default before due), `forward` (default otherwise) or `none`.
    pub roll: Option<String>,
    /// `window`: default the policy's.
    pub window: Option<DraftWindow>,
    /// `kind`: `notify` (default), `task`, `bureau`, `protest` or `hand_off`.
    pub kind: Option<String>,
    /// `tone`: 1 to 5. Mandatory.
    pub tone: Option<i64>,
    /// `channels`: chains such as `whatsapp > sms`. Mandatory for `notify`.
    pub channels: Option<Vec<String>>,
    /// `template`. Mandatory for `notify`.
    pub template: Option<String>,
    /// `min_outstanding_minor`: default 0.
    pub min_outstanding_minor: Option<i64>,
    /// `min_gap_days`: default 1.
    pub min_gap_days: Option<i64>,
    /// `expires`: `at_due` (default before due), `never` (default otherwise), or days after the planned date: `5`,
    /// `after 5 days`, `after_5_days`.
    pub expires: Option<String>,
    /// `requires`.
    pub requires: Option<Vec<DraftRequires>>,
    /// `only_if`: default everybody.
    pub only_if: Option<DraftCondition>,
    /// `requires_approval`: default false.
    pub requires_approval: Option<bool>,
    /// `repeat`: default not at all.
    pub repeat: Option<DraftRepeat>,
    /// `fallback_after_hours`: default 4.
    pub fallback_after_hours: Option<i64>,
}

/// One of `requires` as written. With neither count the step must have been executed, on whatever day.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct DraftRequires {
    /// `step`: the id of an earlier step. Mandatory.
    pub step: Option<String>,
    /// `days_ago`: executed at least so many days ago.
    pub days_ago: Option<i64>,
    /// `delivered_days_ago`: delivered at least so many days ago.
    pub delivered_days_ago: Option<i64>,
}

/// `only_if` as written: all that is given must hold.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct DraftCondition {
    /// `segment`: one name or several; the payer is of one of them.
    pub segment: Option<Vec<String>>,
    /// `not_segment`: one name or several; the payer is of none of them.
    pub not_segment: Option<Vec<String>>,
    /// `days_overdue_at_least`: since the effective due date, from 1.
    pub days_overdue_at_least: Option<i64>,
    /// `promises_broken_at_least`: by the payer, whole or in part, from 1.
    pub promises_broken_at_least: Option<i64>,
    /// `payment_returned`: whether the cycle began with a returned payment.
    pub payment_returned: Option<bool>,
    /// `not_viewed`: whether the payer has not opened the receivable in this cycle.
    pub not_viewed: Option<bool>,
    /// `risk_at_least`: the payer's rating, 1 to 100.
    pub risk_at_least: Option<i64>,
    /// Conditions that somebody may expect and for which the engine has no fact (`state`, `language`): refused, each by its name.
    pub unevaluated: Vec<&'static str>,
}

/// `repeat` as written. At least one of the two bounds; of both the nearer one holds.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct DraftRepeat {
    /// `every_days`: from one occurrence to the next, in days of the step's `day_kind`. Mandatory.
    pub every_days: Option<i64>,
    /// `at_most`: occurrences in all, the first one too; 2 to [`MAX_TIMES`].
    pub at_most: Option<i64>,
    /// `until`: `at_due` (none is planned for after the effective due date), or days after the first occurrence: `20`, `after 20 days`.
    pub until: Option<String>,
}

/// One thing that is wrong with a draft.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    /// The field.
    pub path: String,
    /// Which rule it breaks.
    pub slug: &'static str,
    /// The same for a person.
    pub message: String,
}

/// The window that a draft means, its absent parts from another one; `None` where something is wrong with it.
pub fn window(draft: &DraftWindow, absent: Window) -> Option<Window> {
    let mut faults = Faults::default();
    let window = faults.window("", Some(draft), absent);
    faults.into_list().is_empty().then_some(window)
}

/// The policy that a draft means, or everything that is wrong with it.
pub fn validate(draft: &Draft) -> Result<Policy, Vec<Fault>> {
    let mut faults = Faults::default();
    let id = faults.id("policy", draft.policy.as_deref(), PolicyId::new);
    let time_zone = faults.named("time_zone", "unknown_time_zone", draft.time_zone.as_deref(), Zone::named, Zone::SAO_PAULO);
    let calendar = faults.named("calendar", "unknown_calendar", draft.calendar.as_deref(), Calendar::named, Calendar::BrSettlement);
    let catch_up = faults.named("catch_up", "unknown_catch_up", draft.catch_up.as_deref(), catch_up_named, CatchUp::Latest);
    let min_known_days = faults.count("min_known_days", draft.min_known_days, Range::new(0, 366), 1);
    let contact = contact(&mut faults, &draft.contact);
    let notices = notices::read(&mut faults, &draft.notices);
    let state_windows = state_windows(&mut faults, &draft.contact, contact.window);
    if draft.steps.len() > MAX_STEPS {
        faults.add("step", "too_many_steps", alloc::format!("a ladder has at most {MAX_STEPS} steps"));
    }
    let drafts = draft.steps.iter().take(MAX_STEPS).enumerate();
    let read: Vec<_> = drafts.map(|(at, step)| step::read(&mut faults, alloc::format!("step[{at}]"), step, contact.window)).collect();
    check_steps(&mut faults, &read);
    let base = variant::Base { steps: &read, faults: faults.so_far().to_vec(), window: contact.window };
    let variants = variant::read(&mut faults, &draft.variants, &base);
    let steps: Option<Vec<_>> = read.into_iter().map(|step| step.finished).collect();
    match (faults.into_list(), id, steps) {
        (none, Some(id), Some(steps)) if none.is_empty() => {
            let base =
                Policy { id, time_zone, calendar, catch_up, min_known_days, contact, state_windows, steps, variants: Vec::new(), notices };
            let variants = variants.into_iter().filter_map(|variant| with_base(variant, &base)).collect();
            Ok(Policy { variants, ..base })
        }
        (list, _, _) => Err(list),
    }
}

/// `None` only where there are faults.
fn with_base(variant: variant::ReadVariant, base: &Policy) -> Option<Variant> {
    let (id, steps) = (variant.id?, variant.steps?);
    Some(Variant { id, segments: variant.segments, ladder: Policy { steps, ..base.clone() } })
}

/// The rules of a whole ladder, be it the base or a variant.
fn check_steps(faults: &mut Faults, steps: &[ReadStep]) {
    if steps.is_empty() {
        faults.add("step", "steps_missing", "a ladder has at least one step".to_string());
    }
    if steps.len() > MAX_STEPS {
        faults.add("step", "too_many_steps", alloc::format!("a ladder has at most {MAX_STEPS} steps"));
    }
    sequence::check(faults, steps);
    if steps.iter().map(|step| step.times).sum::<u32>() > MAX_OCCURRENCES {
        faults.add("step", "too_many_occurrences", alloc::format!("a cycle has at most {MAX_OCCURRENCES} occurrences over all steps"));
    }
}

fn contact(faults: &mut Faults, draft: &DraftContact) -> ContactRules {
    let many = Range::new(1, 10_000);
    ContactRules {
        merge: faults.named("contact.merge", "unknown_merge", draft.merge.as_deref(), Merge::named, Merge::PerDay),
        max_per_day: faults.count("contact.max_per_day", draft.max_per_day, many, 1),
        max_per_7_days: faults.count("contact.max_per_7_days", draft.max_per_7_days, many, 3),
        max_voice_per_day: faults.count("contact.max_voice_per_day", draft.max_voice_per_day, Range::new(0, 10_000), 1),
        window: faults.window("contact.window", draft.window.as_ref(), Window::default()),
    }
}

fn state_windows(faults: &mut Faults, draft: &DraftContact, absent: Window) -> Vec<(String, Window)> {
    let of = |(code, draft): &(String, DraftWindow)| {
        (code.clone(), faults.window(&alloc::format!("contact.window.states.{code}"), Some(draft), absent))
    };
    draft.state_windows.iter().map(of).collect()
}

fn catch_up_named(name: &str) -> Option<CatchUp> {
    match name {
        "latest" => Some(CatchUp::Latest),
        "replay" => Some(CatchUp::Replay),
        _ => None,
    }
}
