//! One row a contact.

use super::{CONTACT_ID, CUSTOMER_ID, Key, TENANT};
use crate::wire::Fact;
use eventlog::projection::{ProjectionError, TableDef, View};
use kernel::{ContactId, NaiveDate};
use notice::{Channel, ContactComposed, ContactConcluded, Event, ReceiptStatus, Said};
use sql::{Column, Keys, Kind, Row, Value};
use std::collections::BTreeMap;

pub(super) const TABLE: TableDef = TableDef {
    name: "contact",
    columns: &[
        TENANT,
        CUSTOMER_ID,
        CONTACT_ID,
        Column::new("day", Kind::Date),
        Column::new("currency", Kind::Text),
        Column::new("class", Kind::Text),
        Column::new("status", Kind::Text),
        Column::new("channels", Kind::Text),
        Column::new("template", Kind::Text),
        Column::new("tone", Kind::Int),
        Column::new("receipt", Kind::Text),
        Column::new("net_minor", Kind::Int),
        Column::new("item_count", Kind::Int),
    ],
    key: &["tenant", "customer_id", "contact_id"],
    indexes: &[&["tenant", "day"]],
};

const COMPOSED: &str = "composed";
const HANDED: &str = "handed";

#[derive(Debug, Clone)]
struct Contact {
    day: NaiveDate,
    currency: String,
    class: String,
    status: String,
    channels: String,
    template: String,
    tone: i64,
    receipt: String,
    net_minor: i64,
    item_count: i64,
}

pub(super) async fn write(view: &mut View<'_>, facts: &[(String, Fact)]) -> Result<(), ProjectionError> {
    let key = |(tenant, fact): &(String, Fact)| -> Option<Key> {
        let contact_id = contact_of(&fact.event)?;
        Some((tenant.clone(), fact.customer_id.to_string(), contact_id.to_string()))
    };
    let keys: Vec<Key> = facts.iter().filter_map(key).collect();
    let mut contacts = stored(view, &keys).await?;
    for fact in facts {
        if let Some(key) = key(fact) {
            fold(&mut contacts, key, &fact.1.event);
        }
    }
    view.upsert("contact", contacts.into_iter().map(values).collect()).await
}

fn contact_of(event: &Event) -> Option<&ContactId> {
    match event {
        Event::ContactComposed(e) => Some(&e.contact_id),
        Event::ContactGated(e) => Some(&e.contact_id),
        Event::FallbackGated(e) => Some(&e.contact_id),
        Event::AttemptAccepted(e) => Some(&e.contact_id),
        Event::ReceiptNoted(e) => Some(&e.contact_id),
        Event::ContactConcluded(e) => Some(&e.contact_id),
        Event::FallbackStopped(_)
        | Event::AttemptStarted(_)
        | Event::AttemptRetried(_)
        | Event::AttemptRefused(_)
        | Event::AttemptUnknown(_)
        | Event::OptedOut(_)
        | Event::OptedIn(_)
        | Event::Forgotten(_)
        | Event::Suspended(_) => None,
    }
}

async fn stored(view: &mut View<'_>, keys: &[Key]) -> Result<BTreeMap<Key, Contact>, ProjectionError> {
    let mut rows: Vec<Vec<Value>> = keys.iter().map(|(t, c, k)| vec![t.as_str().into(), c.as_str().into(), k.as_str().into()]).collect();
    rows.sort();
    rows.dedup();
    if rows.is_empty() {
        return Ok(BTreeMap::new());
    }
    let keys = Keys { columns: &[TENANT, CUSTOMER_ID, CONTACT_ID], rows };
    let text = "SELECT c.* FROM {keys} k CROSS JOIN {contact} c \
                WHERE c.tenant = k.tenant AND c.customer_id = k.customer_id AND c.contact_id = k.contact_id";
    view.query_keyed(text, keys, &[]).await?.iter().map(read).collect()
}

fn read(row: &Row) -> Result<(Key, Contact), ProjectionError> {
    let contact = Contact {
        day: row.date("day")?,
        currency: row.text("currency")?,
        class: row.text("class")?,
        status: row.text("status")?,
        channels: row.text("channels")?,
        template: row.text("template")?,
        tone: row.int("tone")?,
        receipt: row.text("receipt")?,
        net_minor: row.int("net_minor")?,
        item_count: row.int("item_count")?,
    };
    Ok(((row.text("tenant")?, row.text("customer_id")?, row.text("contact_id")?), contact))
}

fn values(((tenant, customer_id, contact_id), c): (Key, Contact)) -> Vec<Value> {
    vec![
        tenant.into(),
        customer_id.into(),
        contact_id.into(),
        c.day.into(),
        c.currency.into(),
        c.class.into(),
        c.status.into(),
        c.channels.into(),
        c.template.into(),
        c.tone.into(),
        c.receipt.into(),
        c.net_minor.into(),
        c.item_count.into(),
    ]
}

fn fold(contacts: &mut BTreeMap<Key, Contact>, key: Key, event: &Event) {
    if let Event::ContactComposed(e) = event {
        contacts.insert(key, composed(e));
        return;
    }
    let Some(contact) = contacts.get_mut(&key) else { return };
    match event {
        Event::ContactGated(e) => contact.says(&e.said, &e.template, e.tone),
        // After the end a further channel says what is left; the row keeps what was executed.
        Event::FallbackGated(e) if contact.status == HANDED => contact.says(&e.said, &e.template, e.tone),
        Event::AttemptAccepted(e) => contact.accepted_by(e.channel),
        Event::ReceiptNoted(e) if weight(&contact.receipt) < weight(e.status.slug()) => e.status.slug().clone_into(&mut contact.receipt),
        Event::ContactConcluded(e) => contact.concluded(e),
        Event::ContactComposed(_)
        | Event::FallbackGated(_)
        | Event::FallbackStopped(_)
        | Event::AttemptStarted(_)
        | Event::AttemptRetried(_)
        | Event::AttemptRefused(_)
        | Event::AttemptUnknown(_)
        | Event::ReceiptNoted(_)
        | Event::OptedOut(_)
        | Event::OptedIn(_)
        | Event::Forgotten(_)
        | Event::Suspended(_) => {}
    }
}

fn composed(e: &ContactComposed) -> Contact {
    Contact {
        day: e.day,
        currency: e.currency.to_string(),
        class: e.class.slug().to_owned(),
        status: COMPOSED.to_owned(),
        channels: String::new(),
        template: String::new(),
        tone: 0,
        receipt: String::new(),
        net_minor: 0,
        item_count: i64::try_from(e.items.len()).unwrap_or(i64::MAX),
    }
}

impl Contact {
    fn says(&mut self, said: &[Said], template: &str, tone: u8) {
        HANDED.clone_into(&mut self.status);
        template.clone_into(&mut self.template);
        self.tone = i64::from(tone);
        self.net_minor = said.iter().map(|said| said.net_minor).fold(0, i64::saturating_add);
        self.item_count = i64::try_from(said.len()).unwrap_or(i64::MAX);
    }

    fn accepted_by(&mut self, channel: Channel) {
        if !self.channels.split(' ').any(|known| known == channel.slug()) {
            let between = if self.channels.is_empty() { "" } else { " " };
            self.channels = format!("{}{between}{}", self.channels, channel.slug());
        }
    }

    fn concluded(&mut self, e: &ContactConcluded) {
        let sent = e.channel.is_some();
        self.status = if sent { "sent" } else { "not_sent" }.to_owned();
        if !sent {
            self.net_minor = 0;
        }
    }
}

/// Reading implies delivery, and delivery outweighs a failure told before it.
pub(super) fn weight(receipt: &str) -> u8 {
    [ReceiptStatus::Failed, ReceiptStatus::Delivered, ReceiptStatus::Read]
        .iter()
        .zip(1..)
        .find(|(s, _)| s.slug() == receipt)
        .map_or(0, |(_, w)| w)
}
