//! One row an attempt: what was tried on which channel, and what the provider said.

use super::{ATTEMPT_ID, CONTACT_ID, CUSTOMER_ID, Key, TENANT, contact::weight};
use crate::wire::Fact;
use eventlog::projection::{ProjectionError, TableDef, View};
use kernel::ChannelAttemptId;
use notice::{AttemptStarted, Event};
use sql::{Column, Keys, Kind, Row, Value};
use std::collections::BTreeMap;

pub(super) const TABLE: TableDef = TableDef {
    name: "attempt",
    columns: &[
        TENANT,
        CUSTOMER_ID,
        ATTEMPT_ID,
        CONTACT_ID,
        Column::new("channel", Kind::Text),
        Column::new("chain", Kind::Int),
        Column::new("link", Kind::Int),
        Column::new("tries", Kind::Int),
        Column::new("result", Kind::Text),
        Column::new("reason", Kind::Text),
        Column::new("provider_id", Kind::Text),
        Column::new("receipt", Kind::Text),
    ],
    key: &["tenant", "customer_id", "attempt_id"],
    indexes: &[&["tenant", "result"]],
};

#[derive(Debug, Clone)]
struct Attempt {
    contact_id: String,
    channel: String,
    chain: i64,
    link: i64,
    tries: i64,
    result: String,
    reason: String,
    provider_id: String,
    receipt: String,
}

pub(super) async fn write(view: &mut View<'_>, facts: &[(String, Fact)]) -> Result<(), ProjectionError> {
    let key = |(tenant, fact): &(String, Fact)| -> Option<Key> {
        let attempt_id = attempt_of(&fact.event)?;
        Some((tenant.clone(), fact.customer_id.to_string(), attempt_id.to_string()))
    };
    let keys: Vec<Key> = facts.iter().filter_map(key).collect();
    let mut attempts = stored(view, &keys).await?;
    for fact in facts {
        if let Some(key) = key(fact) {
            fold(&mut attempts, key, &fact.1.event);
        }
    }
    view.upsert("attempt", attempts.into_iter().map(values).collect()).await
}

fn attempt_of(event: &Event) -> Option<&ChannelAttemptId> {
    match event {
        Event::AttemptStarted(e) => Some(&e.attempt_id),
        Event::AttemptRetried(e) => Some(&e.attempt_id),
        Event::AttemptAccepted(e) => Some(&e.attempt_id),
        Event::AttemptRefused(e) => Some(&e.attempt_id),
        Event::AttemptUnknown(e) => Some(&e.attempt_id),
        Event::ReceiptNoted(e) => Some(&e.attempt_id),
        Event::ContactComposed(_)
        | Event::ContactGated(_)
        | Event::FallbackGated(_)
        | Event::FallbackStopped(_)
        | Event::ContactConcluded(_)
        | Event::OptedOut(_)
        | Event::OptedIn(_)
        | Event::Forgotten(_)
        | Event::Suspended(_) => None,
    }
}

async fn stored(view: &mut View<'_>, keys: &[Key]) -> Result<BTreeMap<Key, Attempt>, ProjectionError> {
    let mut rows: Vec<Vec<Value>> = keys.iter().map(|(t, c, k)| vec![t.as_str().into(), c.as_str().into(), k.as_str().into()]).collect();
    rows.sort();
    rows.dedup();
    if rows.is_empty() {
        return Ok(BTreeMap::new());
    }
    let keys = Keys { columns: &[TENANT, CUSTOMER_ID, ATTEMPT_ID], rows };
    let text = "SELECT a.* FROM {keys} k CROSS JOIN {attempt} a \
                WHERE a.tenant = k.tenant AND a.customer_id = k.customer_id AND a.attempt_id = k.attempt_id";
    view.query_keyed(text, keys, &[]).await?.iter().map(read).collect()
}

fn read(row: &Row) -> Result<(Key, Attempt), ProjectionError> {
    let attempt = Attempt {
        contact_id: row.text("contact_id")?,
        channel: row.text("channel")?,
        chain: row.int("chain")?,
        link: row.int("link")?,
        tries: row.int("tries")?,
        result: row.text("result")?,
        reason: row.text("reason")?,
        provider_id: row.text("provider_id")?,
        receipt: row.text("receipt")?,
    };
    Ok(((row.text("tenant")?, row.text("customer_id")?, row.text("attempt_id")?), attempt))
}

fn values(((tenant, customer_id, attempt_id), a): (Key, Attempt)) -> Vec<Value> {
    vec![
        tenant.into(),
        customer_id.into(),
        attempt_id.into(),
        a.contact_id.into(),
        a.channel.into(),
        a.chain.into(),
        a.link.into(),
        a.tries.into(),
        a.result.into(),
        a.reason.into(),
        a.provider_id.into(),
        a.receipt.into(),
    ]
}

fn fold(attempts: &mut BTreeMap<Key, Attempt>, key: Key, event: &Event) {
    if let Event::AttemptStarted(e) = event {
        attempts.insert(key, started(e));
        return;
    }
    let Some(attempt) = attempts.get_mut(&key) else { return };
    match event {
        Event::AttemptRetried(_) => attempt.tries += 1,
        Event::AttemptAccepted(e) => attempt.ended("accepted", "", &e.provider_id),
        Event::AttemptRefused(e) => attempt.ended("refused", &e.reason, ""),
        Event::AttemptUnknown(_) => attempt.ended("unknown", "", ""),
        Event::ReceiptNoted(e) if weight(&attempt.receipt) < weight(e.status.slug()) => e.status.slug().clone_into(&mut attempt.receipt),
        Event::AttemptStarted(_)
        | Event::ReceiptNoted(_)
        | Event::ContactComposed(_)
        | Event::ContactGated(_)
        | Event::FallbackGated(_)
        | Event::FallbackStopped(_)
        | Event::ContactConcluded(_)
        | Event::OptedOut(_)
        | Event::OptedIn(_)
        | Event::Forgotten(_)
        | Event::Suspended(_) => {}
    }
}

fn started(e: &AttemptStarted) -> Attempt {
    Attempt {
        contact_id: e.contact_id.to_string(),
        channel: e.channel.slug().to_owned(),
        chain: i64::from(e.chain),
        link: i64::from(e.link),
        tries: 1,
        result: "started".to_owned(),
        reason: String::new(),
        provider_id: String::new(),
        receipt: String::new(),
    }
}

impl Attempt {
    fn ended(&mut self, result: &str, reason: &str, provider_id: &str) {
        result.clone_into(&mut self.result);
        reason.clone_into(&mut self.reason);
        provider_id.clone_into(&mut self.provider_id);
    }
}
