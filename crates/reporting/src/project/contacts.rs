//! Topic `regua.notification.v1` → what was sent, which steps it told of, by which channels, and what the payer did with it.

use super::{CUSTOMER_ID, INVOICE_ID, TENANT, date, day_number, payload, version};
use async_trait::async_trait;
use contracts::notification::v1 as proto;
use eventlog::{
    bus::Message,
    projection::{Change, Projection, ProjectionError, TableDef, View},
};
use sql::{Column, Kind, Value};

/// Contacts that came to their end, the tries by channel, receipts, and payers who want no more.
pub struct ContactTables;

const CONTACT_ID: Column = Column::new("contact_id", Kind::Text);
const CHANNEL: Column = Column::new("channel", Kind::Text);
const ATTEMPT_ID: Column = Column::new("attempt_id", Kind::Text);
/// What came before what. The version of the payer's stream would tell it too, and differ from run to run where things happen at once.
const AT: Column = Column::new("recorded_at", Kind::Instant);

const CONTACT: TableDef = TableDef {
    name: "contact_result",
    columns: &[
        TENANT,
        CUSTOMER_ID,
        CONTACT_ID,
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

/// A step that a contact carried to its end. What a gate dropped is not here: no channel was tried with it.
const ITEM: TableDef = TableDef {
    name: "contact_item",
    columns: &[
        TENANT,
        CUSTOMER_ID,
        CONTACT_ID,
        INVOICE_ID,
        Column::new("cycle", Kind::Int),
        Column::new("step_id", Kind::Text),
        Column::new("occurrence", Kind::Int),
        AT,
        Column::new("day", Kind::Date),
        Column::new("contact_day", Kind::Int),
        Column::new("currency", Kind::Text),
        // A channel accepted it; else all refused.
        Column::new("executed", Kind::Bool),
    ],
    key: &["tenant", "customer_id", "contact_id", "invoice_id", "cycle", "step_id", "occurrence"],
    indexes: &[&["tenant", "day"], &["tenant", "invoice_id"]],
};

/// A try on a channel, as its last report says.
const ATTEMPT: TableDef = TableDef {
    name: "contact_attempt",
    columns: &[TENANT, CUSTOMER_ID, CONTACT_ID, ATTEMPT_ID, AT, CHANNEL, Column::new("result", Kind::Text)],
    key: &["tenant", "customer_id", "contact_id", "attempt_id"],
    indexes: &[],
};

const RECEIPT: TableDef = TableDef {
    name: "contact_receipt",
    columns: &[TENANT, CUSTOMER_ID, CONTACT_ID, ATTEMPT_ID, Column::new("status", Kind::Text), Column::new("day", Kind::Date)],
    key: &["tenant", "customer_id", "contact_id", "attempt_id", "status"],
    indexes: &[],
};

const OPT_OUT: TableDef = TableDef {
    name: "opt_out",
    columns: &[TENANT, CUSTOMER_ID, Column::new("version", Kind::Int), CHANNEL, AT],
    key: &["tenant", "customer_id", "version"],
    indexes: &[],
};

#[derive(Default)]
struct Rows {
    contacts: Vec<Vec<Value>>,
    items: Vec<Vec<Value>>,
    attempts: Vec<Vec<Value>>,
    receipts: Vec<Vec<Value>>,
    opt_outs: Vec<Vec<Value>>,
}

impl Projection for ContactTables {
    fn name(&self) -> &'static str {
        "reporting-contacts"
    }

    fn version(&self) -> u32 {
        3
    }

    fn sources(&self) -> &'static [&'static str] {
        &["regua.notification.v1"]
    }

    fn tables(&self) -> &'static [TableDef] {
        &[CONTACT, ITEM, ATTEMPT, RECEIPT, OPT_OUT]
    }

    fn read(&self, page: &[&Message]) -> Result<Box<dyn Change>, ProjectionError> {
        let mut rows = Rows::default();
        for message in page {
            match message.event.event_type.as_str() {
                "ReminderConcluded" => concluded(message, payload(message)?, &mut rows)?,
                "AttemptEnded" => rows.attempts.push(attempt(message, payload(message)?)),
                "ReceiptNoted" => rows.receipts.push(receipt(message, payload(message)?)?),
                "OptedOut" => {
                    let m: proto::OptedOut = payload(message)?;
                    let at = message.event.recorded_at;
                    rows.opt_outs.push(vec![tenant(message), m.customer_id.into(), version(message), m.channel.into(), at.into()]);
                }
                _ => {}
            }
        }
        Ok(Box::new(rows))
    }
}

#[async_trait]
impl Change for Rows {
    async fn write(self: Box<Self>, view: &mut View<'_>) -> Result<(), ProjectionError> {
        view.upsert("contact_result", self.contacts).await?;
        view.upsert("contact_item", self.items).await?;
        view.upsert("contact_attempt", self.attempts).await?;
        view.upsert("contact_receipt", self.receipts).await?;
        view.upsert("opt_out", self.opt_outs).await
    }
}

fn tenant(message: &Message) -> Value {
    message.event.tenant.as_str().into()
}

fn concluded(message: &Message, m: proto::ReminderConcluded, rows: &mut Rows) -> Result<(), ProjectionError> {
    let day = date(message, "day", &m.day)?;
    let net_minor: i64 = m.items.iter().map(|item| item.net_minor).sum();
    // Thanks and corrections are no steps: no payment comes of them.
    let steps = m.items.iter().filter(|item| !item.step_id.starts_with("notice:"));
    for item in steps.filter(|item| ["executed", "undeliverable"].contains(&item.outcome.as_str())) {
        rows.items.push(vec![
            tenant(message),
            m.customer_id.as_str().into(),
            m.contact_id.as_str().into(),
            item.invoice_id.as_str().into(),
            item.cycle.into(),
            item.step_id.as_str().into(),
            item.occurrence.into(),
            message.event.recorded_at.into(),
            day.into(),
            day_number(day).into(),
            m.currency.as_str().into(),
            (item.outcome == "executed").into(),
        ]);
    }
    rows.contacts.push(vec![
        tenant(message),
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
    ]);
    Ok(())
}

fn attempt(message: &Message, m: proto::AttemptEnded) -> Vec<Value> {
    vec![
        tenant(message),
        m.customer_id.into(),
        m.contact_id.into(),
        m.attempt_id.into(),
        message.event.recorded_at.into(),
        m.channel.into(),
        m.result.into(),
    ]
}

fn receipt(message: &Message, m: proto::ReceiptNoted) -> Result<Vec<Value>, ProjectionError> {
    let day = date(message, "day", &m.day)?;
    Ok(vec![tenant(message), m.customer_id.into(), m.contact_id.into(), m.attempt_id.into(), m.status.into(), day.into()])
}
