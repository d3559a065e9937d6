//! Policies as text: one line a step, `id offset tone [key=value]…`; `calendar`, `catch_up`, `known` and `state` lines before. After them
//! `variant name segments=a,b without=c`, and its own steps each behind a `+`.

use kernel::{NaiveDate, PolicyId};
use ladder::draft::{
    Draft, DraftCondition, DraftNotice, DraftNotices, DraftRepeat, DraftRequires, DraftStep, DraftVariant, DraftWindow, validate,
};
use ladder::{Policy, PolicyBook};
use std::collections::BTreeMap;

/// The default ladder of the norm.
pub const PADRAO: &str = "
    d-7 -7 1 channels=email expires=at_due
    d-1 -1 1 channels=whatsapp>sms expires=at_due
    d0 0 1 channels=email expires=at_due
    d+1 1 2 channels=whatsapp>sms>email
    d+3 3 2 channels=email
    d+7 7 3 channels=whatsapp>sms,email
    d+15 15 3 channels=voice>sms,email
    d+30 30 4 channels=letter,email
    d+45 45 5 kind=bureau requires=d+30:delivered:10 approval=true
    d+60 60 5 kind=hand_off";

/// The smallest useful ladder: every day counts, nothing rolls, no cap.
pub const SIMPLES: &str = "
    calendar none
    weekdays mon,tue,wed,thu,fri,sat,sun
    budget 99 99
    d-5 -5 1 roll=none
    d-1 -1 1 roll=none
    d+1 1 2 roll=none
    d+7 7 3 roll=none
    d+15 15 3 roll=none
    d+30 30 4 roll=none";

pub fn draft(text: &str) -> Draft {
    let mut draft = Draft { policy: Some("p".into()), ..Draft::default() };
    for line in text.lines().map(str::trim).filter(|line| !line.is_empty()) {
        let words: Vec<&str> = line.split_whitespace().collect();
        match words[0] {
            "calendar" => draft.calendar = Some(words[1].into()),
            "catch_up" => draft.catch_up = Some(words[1].into()),
            "merge" => draft.contact.merge = Some(words[1].into()),
            "known" => draft.min_known_days = words[1].parse().ok(),
            "weekdays" => {
                let weekdays = Some(words[1].split(',').map(String::from).collect());
                draft.contact.window = Some(DraftWindow { weekdays, ..DraftWindow::default() });
            }
            "state" => {
                let hours = DraftWindow { weekdays: None, from: Some(words[2].into()), until: Some(words[3].into()) };
                draft.contact.state_windows.push((words[1].into(), hours));
            }
            "budget" => {
                draft.contact.max_per_day = words[1].parse().ok();
                draft.contact.max_per_7_days = words[2].parse().ok();
            }
            "notice" => notice(&mut draft.notices, &words),
            "variant" => draft.variants.push(variant(&words)),
            "+" => draft.variants.last_mut().unwrap().steps.push(step(&words[1..])),
            _ => draft.steps.push(step(&words)),
        }
    }
    draft
}

/// `notice thank_you channels=email expires=3`
fn notice(notices: &mut DraftNotices, words: &[&str]) {
    let value = |key: &str| words.iter().find_map(|word| word.strip_prefix(key));
    let channels = value("channels=").map(|list| list.split(',').map(String::from).collect());
    let notice = DraftNotice { template: Some(words[1].into()), channels, expires: value("expires=").map(String::from) };
    *(if words[1] == "thank_you" { &mut notices.thank_you } else { &mut notices.correction }) = Some(notice);
}

fn variant(words: &[&str]) -> DraftVariant {
    let list = |key: &str| words.iter().find_map(|word| word.strip_prefix(key)).map(|list| list.split(',').map(String::from).collect());
    let name = Some(words[1].to_owned()).filter(|name| name != "-");
    DraftVariant { name, segments: list("segments="), without: list("without="), steps: Vec::new() }
}

fn step(words: &[&str]) -> DraftStep {
    let mut step = DraftStep {
        id: Some(words[0].into()),
        offset_days: words[1].parse().ok(),
        tone: words[2].parse().ok(),
        template: Some("t".into()),
        channels: Some(vec!["email".into()]),
        ..DraftStep::default()
    };
    for (key, value) in words[3..].iter().map(|word| word.split_once('=').unwrap()) {
        match key {
            "channels" => step.channels = Some(value.split(',').map(String::from).collect()),
            "expires" => step.expires = Some(value.into()),
            "roll" => step.roll = Some(value.into()),
            "kind" => step.kind = Some(value.into()),
            "day_kind" => step.day_kind = Some(value.into()),
            "gap" => step.min_gap_days = value.parse().ok(),
            "approval" => step.requires_approval = Some(value == "true"),
            "weekdays" => {
                let weekdays = Some(value.split(',').map(String::from).collect());
                step.window = Some(DraftWindow { weekdays, ..DraftWindow::default() });
            }
            "from" => step.window = Some(DraftWindow { from: Some(value.into()), ..DraftWindow::default() }),
            "segment" => condition(&mut step).segment = Some(value.split(',').map(String::from).collect()),
            "not_segment" => condition(&mut step).not_segment = Some(value.split(',').map(String::from).collect()),
            "overdue" => condition(&mut step).days_overdue_at_least = value.parse().ok(),
            "broken" => condition(&mut step).promises_broken_at_least = value.parse().ok(),
            "unseen" => condition(&mut step).not_viewed = value.parse().ok(),
            "risk" => condition(&mut step).risk_at_least = value.parse().ok(),
            "returned" => condition(&mut step).payment_returned = value.parse().ok(),
            "anchor" => step.anchor = Some(value.into()),
            "every" => step.repeat.get_or_insert_with(DraftRepeat::default).every_days = value.parse().ok(),
            "most" => step.repeat.get_or_insert_with(DraftRepeat::default).at_most = value.parse().ok(),
            "until" => step.repeat.get_or_insert_with(DraftRepeat::default).until = Some(value.into()),
            "requires" => step.requires = Some(value.split(',').map(requires).collect()),
            other => panic!("unknown key {other}"),
        }
    }
    step
}

fn condition(step: &mut DraftStep) -> &mut DraftCondition {
    step.only_if.get_or_insert_with(DraftCondition::default)
}

fn requires(text: &str) -> DraftRequires {
    let parts: Vec<&str> = text.split(':').collect();
    let days = parts.get(2).and_then(|days| days.parse().ok());
    let delivered = parts.get(1) == Some(&"delivered");
    DraftRequires { step: Some(parts[0].into()), days_ago: days.filter(|_| !delivered), delivered_days_ago: days.filter(|_| delivered) }
}

pub fn policy(text: &str) -> Policy {
    validate(&draft(text)).unwrap_or_else(|faults| panic!("{faults:?}"))
}

/// A book with one policy: version 1, and 2 where there is one.
#[derive(Clone)]
pub struct OnePolicy {
    pub first: Policy,
    pub second: Option<Policy>,
    /// Local holidays by place (a municipality, a state, or `tenant`) and day.
    pub holidays: BTreeMap<(String, NaiveDate), String>,
}

impl PolicyBook for OnePolicy {
    fn policy(&self, id: &PolicyId, version: u32) -> Option<&Policy> {
        match version {
            1 => Some(&self.first),
            2 => self.second.as_ref(),
            _ => None,
        }
        .filter(|policy| policy.id() == id)
    }

    fn local_holiday(&self, state: Option<&str>, municipality: Option<&str>, day: NaiveDate) -> Option<&str> {
        let places = [municipality, state, Some("tenant")];
        let name = |place: &str| self.holidays.get(&(place.to_owned(), day)).map(String::as_str);
        places.into_iter().flatten().find_map(name)
    }
}
