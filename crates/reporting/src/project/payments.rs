//! Topic `regua.invoice.v1` → money that came in on a receivable, and money that went back.

use super::{CUSTOMER_ID, INVOICE_ID, TENANT, date, day_number, payload, version};
use async_trait::async_trait;
use chrono::NaiveDate;
use contracts::invoice::v1 as proto;
use eventlog::{
    bus::Message,
    projection::{Change, Projection, ProjectionError, TableDef, View},
};
use sql::{Column, Kind, Value};

/// Payments as the payer made them; apart from the ledger, which says what they did to the principal.
pub struct PaymentTables;

const PAYMENT: TableDef = TableDef {
    name: "payment",
    columns: &[
        TENANT,
        CUSTOMER_ID,
        // Version of the account's stream: one entry an event.
        Column::new("version", Kind::Int),
        INVOICE_ID,
        Column::new("payment_id", Kind::Text),
        Column::new("effective_on", Kind::Date),
        // Of a payment; what goes back has none.
        Column::optional("paid_day", Kind::Int),
        // Money for the receivable, charges included and discount not; less than zero where it went back.
        Column::new("amount_minor", Kind::Int),
    ],
    key: &["tenant", "customer_id", "version"],
    indexes: &[&["tenant", "effective_on"]],
};

impl Projection for PaymentTables {
    fn name(&self) -> &'static str {
        "reporting-payments"
    }

    fn version(&self) -> u32 {
        1
    }

    fn sources(&self) -> &'static [&'static str] {
        &["regua.invoice.v1"]
    }

    fn tables(&self) -> &'static [TableDef] {
        &[PAYMENT]
    }

    fn read(&self, page: &[&Message]) -> Result<Box<dyn Change>, ProjectionError> {
        let mut rows = Vec::new();
        for message in page {
            match message.event.event_type.as_str() {
                "PaymentReceived" => {
                    let m: proto::PaymentReceived = payload(message)?;
                    // A part of a payment is no new money: it came in on an instalment.
                    if !m.part_of.is_empty() {
                        continue;
                    }
                    let on = date(message, "paid_on", &m.paid_on)?;
                    let amount_minor = m.amount_minor - m.unapplied_minor;
                    rows.push(row(message, (m.customer_id, m.invoice_id, m.payment_id), (on, Some(day_number(on))), amount_minor));
                }
                "PaymentReversed" => {
                    let m: proto::PaymentReversed = payload(message)?;
                    if !m.part_of.is_empty() {
                        continue;
                    }
                    let on = date(message, "reversed_on", &m.reversed_on)?;
                    let amount_minor = m.unapplied_minor - m.amount_minor;
                    rows.push(row(message, (m.customer_id, m.invoice_id, m.payment_id), (on, None), amount_minor));
                }
                _ => {}
            }
        }
        Ok(Box::new(Payments(rows)))
    }
}

/// Rows of `payment`.
struct Payments(Vec<Vec<Value>>);

#[async_trait]
impl Change for Payments {
    async fn write(self: Box<Self>, view: &mut View<'_>) -> Result<(), ProjectionError> {
        view.insert_missing("payment", self.0).await
    }
}

fn row(
    message: &Message,
    (customer_id, invoice_id, payment_id): (String, String, String),
    (on, paid_day): (NaiveDate, Option<i64>),
    amount_minor: i64,
) -> Vec<Value> {
    vec![
        message.event.tenant.as_str().into(),
        customer_id.into(),
        version(message),
        invoice_id.into(),
        payment_id.into(),
        on.into(),
        paid_day.into(),
        amount_minor.into(),
    ]
}
