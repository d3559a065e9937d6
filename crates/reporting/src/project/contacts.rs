//! Topic `regua.notification.v1` → what was sent.

use super::{CUSTOMER_ID, TENANT, date, payload};
use async_trait::async_trait;
use contracts::notification::v1 as proto;
use eventlog::{
    bus::Message,
    projection::{Projection, ProjectionError, TableDef, View},
};
use sql::{Column, Kind, Value};

/// Contacts that came to their end.
pub struct ContactTables;

const CONTACT: TableDef = TableDef {
    name: "contact_result",
    columns: &[
        TENANT,
        CUSTOMER_ID,
        Column::new("contact_id", Kind::Text),
        Column::new("day", Kind::Date),
        Column::new("month", Kind::Text),
        Column::new("currency", Kind::Text),
        Column::new("sent", Kind::Bool),
        // Channels that accepted it, joined with blanks.
        Column::new("channels", Kind::Text),
        Column::new("template", Kind::Text),
        Column::new("tone", Kind::Int),
        Column::new("net_minor", Kind::Int),
    ],
    key: &["tenant", "customer_id", "contact_id"],
    indexes: &[&["tenant", "day"]],
};

#[async_trait]
impl Projection for ContactTables {
    fn name(&self) -> &'static str {
        "reporting-contacts"
    }

    fn version(&self) -> u32 {
        1
    }

    fn sources(&self) -> &'static [&'static str] {
        &["regua.notification.v1"]
    }

    fn tables(&self) -> &'static [TableDef] {
        &[CONTACT]
    }

    async fn apply(&self, view: &mut View<'_>, page: &[Message]) -> Result<(), ProjectionError> {
        let mut rows = Vec::new();
        for message in page.iter().filter(|message| message.event.event_type == "ReminderConcluded") {
            rows.push(row(message, payload(message)?)?);
        }
        view.upsert("contact_result", rows).await
    }
}

fn row(message: &Message, m: proto::ReminderConcluded) -> Result<Vec<Value>, ProjectionError> {
    let day = date(message, "day", &m.day)?;
    let net_minor: i64 = m.items.iter().map(|item| item.net_minor).sum();
    Ok(vec![
        message.event.tenant.as_str().into(),
        m.customer_id.into(),
        m.contact_id.into(),
        day.into(),
        day.format("%Y-%m").to_string().into(),
        m.currency.into(),
        m.sent.into(),
        m.channels.join(" ").into(),
        m.template.into(),
        m.tone.into(),
        net_minor.into(),
    ])
}
