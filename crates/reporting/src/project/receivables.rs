//! Topic `regua.invoice.v1` → payers, receivables, dated entries.

use super::{CUSTOMER_ID, INVOICE_ID, TENANT, date, day_number, payload, version};
use async_trait::async_trait;
use chrono::NaiveDate;
use contracts::invoice::v1 as proto;
use eventlog::{
    bus::Message,
    projection::{Projection, ProjectionError, TableDef, View},
};
use sql::{Column, Keys, Kind, Row, Value};
use std::collections::BTreeMap;

/// Receivables and what moved their balances.
pub struct ReceivableTables;

const PAYER: TableDef = TableDef {
    name: "payer",
    columns: &[TENANT, CUSTOMER_ID, Column::new("segment", Kind::Text), Column::new("state", Kind::Text)],
    key: &["tenant", "customer_id"],
    indexes: &[],
};

const RECEIVABLE: TableDef = TableDef {
    name: "receivable",
    columns: &[
        TENANT,
        INVOICE_ID,
        CUSTOMER_ID,
        Column::new("currency", Kind::Text),
        Column::new("amount_minor", Kind::Int),
        Column::new("open_minor", Kind::Int),
        Column::new("issued_on", Kind::Date),
        Column::new("due_on", Kind::Date),
        Column::new("cancelled", Kind::Bool),
        // Latest effective date of its entries: the day the balance reached zero, where it is zero.
        Column::new("moved_on", Kind::Date),
        Column::new("moved_day", Kind::Int),
        Column::new("issued_day", Kind::Int),
    ],
    key: &["tenant", "invoice_id"],
    indexes: &[&["tenant", "customer_id"]],
};

const ENTRY: TableDef = TableDef {
    name: "ledger_entry",
    columns: &[
        TENANT,
        CUSTOMER_ID,
        // Version of the account's stream: one entry an event.
        Column::new("version", Kind::Int),
        INVOICE_ID,
        Column::new("effective_on", Kind::Date),
        Column::new("recorded_at", Kind::Instant),
        Column::new("kind", Kind::Text),
        Column::new("amount_minor", Kind::Int),
    ],
    key: &["tenant", "customer_id", "version"],
    indexes: &[&["tenant", "invoice_id", "effective_on"]],
};

#[async_trait]
impl Projection for ReceivableTables {
    fn name(&self) -> &'static str {
        "reporting-receivables"
    }

    fn version(&self) -> u32 {
        1
    }

    fn sources(&self) -> &'static [&'static str] {
        &["regua.invoice.v1"]
    }

    fn tables(&self) -> &'static [TableDef] {
        &[PAYER, RECEIVABLE, ENTRY]
    }

    async fn apply(&self, view: &mut View<'_>, page: &[Message]) -> Result<(), ProjectionError> {
        let mut payers = Vec::new();
        let mut changes = Vec::new();
        for message in page {
            match message.event.event_type.as_str() {
                "CustomerRegistered" => {
                    let m: proto::CustomerRegistered = payload(message)?;
                    payers.push(payer_row(&message.event.tenant, m.customer_id, m.attributes));
                }
                "CustomerAmended" => {
                    let m: proto::CustomerAmended = payload(message)?;
                    payers.push(payer_row(&message.event.tenant, m.customer_id, m.attributes));
                }
                _ => changes.extend(change(message)?.map(|change| (message, change))),
            }
        }
        view.upsert("payer", payers).await?;
        view.upsert("ledger_entry", changes.iter().map(|(message, change)| entry_row(message, change)).collect()).await?;
        let mut rows = stored(view, &changes).await?;
        for (message, change) in changes {
            fold(&mut rows, &message.event.tenant, change);
        }
        view.upsert("receivable", rows.into_values().map(Receivable::values).collect()).await
    }
}

fn payer_row(tenant: &str, customer_id: String, attributes: Option<proto::CustomerAttributes>) -> Vec<Value> {
    let attributes = attributes.unwrap_or_default();
    vec![tenant.into(), customer_id.into(), attributes.segment.into(), attributes.state.into()]
}

/// What one event does to one receivable.
struct Change {
    customer_id: String,
    invoice_id: String,
    effective_on: NaiveDate,
    kind: &'static str,
    delta_minor: i64,
    effect: Effect,
}

enum Effect {
    Issued { amount_minor: i64, currency: String, due_on: NaiveDate },
    Amended { amount_minor: i64, due_on: NaiveDate, open_minor: i64 },
    Cancelled,
    Balance { open_minor: i64 },
}

fn change(message: &Message) -> Result<Option<Change>, ProjectionError> {
    let change = match message.event.event_type.as_str() {
        "InvoiceIssued" => issued(message)?,
        "InvoiceAmended" => amended(message)?,
        "InvoiceCancelled" => cancelled(message)?,
        "PaymentReceived" => {
            let m: proto::PaymentReceived = payload(message)?;
            Change {
                effective_on: date(message, "paid_on", &m.paid_on)?,
                customer_id: m.customer_id,
                invoice_id: m.invoice_id,
                kind: "payment",
                delta_minor: -m.applied_minor,
                effect: Effect::Balance { open_minor: m.outstanding_minor },
            }
        }
        "PaymentReversed" => {
            let m: proto::PaymentReversed = payload(message)?;
            Change {
                effective_on: date(message, "reversed_on", &m.reversed_on)?,
                customer_id: m.customer_id,
                invoice_id: m.invoice_id,
                kind: "reversal",
                delta_minor: m.applied_minor,
                effect: Effect::Balance { open_minor: m.outstanding_minor },
            }
        }
        _ => return Ok(None),
    };
    Ok(Some(change))
}

fn issued(message: &Message) -> Result<Change, ProjectionError> {
    let m: proto::InvoiceIssued = payload(message)?;
    Ok(Change {
        effective_on: date(message, "issued_on", &m.issued_on)?,
        customer_id: m.customer_id,
        invoice_id: m.invoice_id,
        kind: "issued",
        delta_minor: m.amount_minor,
        effect: Effect::Issued { amount_minor: m.amount_minor, currency: m.currency, due_on: date(message, "due_on", &m.due_on)? },
    })
}

fn amended(message: &Message) -> Result<Change, ProjectionError> {
    let m: proto::InvoiceAmended = payload(message)?;
    let released: i64 = m.released.iter().map(|release| release.amount_minor).sum();
    Ok(Change {
        effective_on: date(message, "amended_on", &m.amended_on)?,
        customer_id: m.customer_id,
        invoice_id: m.invoice_id,
        kind: "amended",
        delta_minor: m.amount_minor - m.previous_amount_minor + released,
        effect: Effect::Amended {
            amount_minor: m.amount_minor,
            due_on: date(message, "due_on", &m.due_on)?,
            open_minor: m.outstanding_minor,
        },
    })
}

fn cancelled(message: &Message) -> Result<Change, ProjectionError> {
    let m: proto::InvoiceCancelled = payload(message)?;
    Ok(Change {
        effective_on: date(message, "cancelled_on", &m.cancelled_on)?,
        customer_id: m.customer_id,
        invoice_id: m.invoice_id,
        kind: "cancelled",
        delta_minor: -m.previous_outstanding_minor,
        effect: Effect::Cancelled,
    })
}

fn entry_row(message: &Message, change: &Change) -> Vec<Value> {
    vec![
        message.event.tenant.as_str().into(),
        change.customer_id.as_str().into(),
        version(message),
        change.invoice_id.as_str().into(),
        change.effective_on.into(),
        message.event.recorded_at.into(),
        change.kind.into(),
        change.delta_minor.into(),
    ]
}

struct Receivable {
    tenant: String,
    invoice_id: String,
    customer_id: String,
    currency: String,
    amount_minor: i64,
    open_minor: i64,
    issued_on: NaiveDate,
    due_on: NaiveDate,
    cancelled: bool,
    moved_on: NaiveDate,
}

impl Receivable {
    fn read(row: &Row) -> Result<Self, ProjectionError> {
        Ok(Self {
            tenant: row.text("tenant")?,
            invoice_id: row.text("invoice_id")?,
            customer_id: row.text("customer_id")?,
            currency: row.text("currency")?,
            amount_minor: row.int("amount_minor")?,
            open_minor: row.int("open_minor")?,
            issued_on: row.date("issued_on")?,
            due_on: row.date("due_on")?,
            cancelled: row.bool("cancelled")?,
            moved_on: row.date("moved_on")?,
        })
    }

    fn values(self) -> Vec<Value> {
        vec![
            self.tenant.into(),
            self.invoice_id.into(),
            self.customer_id.into(),
            self.currency.into(),
            self.amount_minor.into(),
            self.open_minor.into(),
            self.issued_on.into(),
            self.due_on.into(),
            self.cancelled.into(),
            self.moved_on.into(),
            day_number(self.moved_on).into(),
            day_number(self.issued_on).into(),
        ]
    }
}

type Receivables = BTreeMap<(String, String), Receivable>;

async fn stored(view: &mut View<'_>, changes: &[(&Message, Change)]) -> Result<Receivables, ProjectionError> {
    let mut rows: Vec<Vec<Value>> = changes
        .iter()
        .filter(|(_, change)| change.kind != "issued")
        .map(|(message, change)| vec![message.event.tenant.as_str().into(), change.invoice_id.as_str().into()])
        .collect();
    rows.sort();
    rows.dedup();
    if rows.is_empty() {
        return Ok(Receivables::new());
    }
    let keys = Keys { columns: &[TENANT, INVOICE_ID], rows };
    let text = "SELECT r.* FROM {keys} k JOIN {receivable} r ON r.tenant = k.tenant AND r.invoice_id = k.invoice_id";
    let found = view.query_keyed(text, keys, &[]).await?;
    let read = |row: &Row| Receivable::read(row).map(|row| ((row.tenant.clone(), row.invoice_id.clone()), row));
    found.iter().map(read).collect()
}

fn fold(rows: &mut Receivables, tenant: &str, change: Change) {
    let key = (tenant.to_owned(), change.invoice_id.clone());
    if let Effect::Issued { amount_minor, currency, due_on } = change.effect {
        let row = Receivable {
            tenant: tenant.to_owned(),
            invoice_id: change.invoice_id,
            customer_id: change.customer_id,
            currency,
            amount_minor,
            open_minor: amount_minor,
            issued_on: change.effective_on,
            due_on,
            cancelled: false,
            moved_on: change.effective_on,
        };
        rows.insert(key, row);
        return;
    }
    let Some(row) = rows.get_mut(&key) else { return };
    row.moved_on = row.moved_on.max(change.effective_on);
    match change.effect {
        Effect::Amended { amount_minor, due_on, open_minor } => {
            (row.amount_minor, row.due_on, row.open_minor) = (amount_minor, due_on, open_minor);
        }
        Effect::Cancelled => (row.open_minor, row.cancelled) = (0, true),
        Effect::Balance { open_minor } if !row.cancelled => row.open_minor = open_minor,
        Effect::Balance { .. } | Effect::Issued { .. } => {}
    }
}
