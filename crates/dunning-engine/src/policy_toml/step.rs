//! One `[[step]]`.

use super::reader::Reader;
use ladder::draft::{DraftCondition, DraftNotice, DraftRepeat, DraftRequires, DraftStep, DraftWindow};
use toml::Value;

/// Conditions that somebody may expect, and for which the engine has no fact.
const UNEVALUATED: [&str; 2] = ["state", "language"];

pub(super) fn read(mut table: Reader<'_>) -> DraftStep {
    let draft = DraftStep {
        id: table.text("id"),
        anchor: table.text("anchor"),
        offset_days: table.number("offset_days"),
        day_kind: table.text("day_kind"),
        roll: table.text("roll"),
        window: table.table("window").map(window),
        kind: table.text("kind"),
        tone: table.number("tone"),
        channels: table.texts("channels"),
        template: table.text("template"),
        min_outstanding_minor: table.number("min_outstanding_minor"),
        min_gap_days: table.number("min_gap_days"),
        expires: table.custom("expires", "`at_due`, `never`, `after N days`, a number of days or { after_days = N }", expires),
        requires: table.optional_tables("requires", requires),
        only_if: table.table("only_if").map(only_if),
        requires_approval: table.flag("requires_approval"),
        repeat: table.table("repeat").map(repeat),
        fallback_after_hours: table.number("fallback_after_hours"),
    };
    table.finish();
    draft
}

/// One of `[notices]`.
pub(super) fn notice(mut table: Reader<'_>) -> DraftNotice {
    let draft = DraftNotice {
        template: table.text("template"),
        channels: table.texts("channels"),
        expires: table.custom("expires", "`after N days`, a number of days or { after_days = N }", expires),
    };
    table.finish();
    draft
}

pub(super) fn window(mut table: Reader<'_>) -> DraftWindow {
    let draft = DraftWindow { weekdays: table.texts("weekdays"), from: table.text("from"), until: table.text("until") };
    table.finish();
    draft
}

fn expires(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Integer(days) => Some(days.to_string()),
        Value::Table(table) if table.len() == 1 => table.get("after_days")?.as_integer().map(|days| days.to_string()),
        Value::Table(_) | Value::Float(_) | Value::Boolean(_) | Value::Datetime(_) | Value::Array(_) => None,
    }
}

fn requires(mut table: Reader<'_>) -> DraftRequires {
    let draft = DraftRequires {
        step: table.text("step"),
        days_ago: table.number("executed_days_ago"),
        delivered_days_ago: table.number("delivered_days_ago"),
    };
    table.finish();
    draft
}

fn only_if(mut table: Reader<'_>) -> DraftCondition {
    let one_or_more = "a text or a list of texts";
    let draft = DraftCondition {
        segment: table.custom("segment", one_or_more, texts),
        not_segment: table.custom("not_segment", one_or_more, texts),
        days_overdue_at_least: table.number("days_overdue_at_least"),
        promises_broken_at_least: table.number("promises_broken_at_least"),
        payment_returned: table.flag("payment_returned"),
        not_viewed: table.flag("not_viewed"),
        risk_at_least: table.number("risk_at_least"),
        unevaluated: UNEVALUATED.into_iter().filter(|name| table.drop(name)).collect(),
    };
    table.finish();
    draft
}

fn texts(value: &Value) -> Option<Vec<String>> {
    match value {
        Value::String(text) => Some(vec![text.clone()]),
        Value::Array(values) => values.iter().map(|value| value.as_str().map(str::to_owned)).collect(),
        Value::Table(_) | Value::Integer(_) | Value::Float(_) | Value::Boolean(_) | Value::Datetime(_) => None,
    }
}

fn repeat(mut table: Reader<'_>) -> DraftRepeat {
    let draft = DraftRepeat {
        every_days: table.number("every_days"),
        at_most: table.number("at_most"),
        until: table.custom("until", "`at_due`, `after N days`, a number of days or { after_days = N }", expires),
    };
    table.finish();
    draft
}
