//! Unapplied payments → a table: what waits for a person, and what became of the rest.

use super::TENANT;
use crate::{unapplied::UnappliedFact, wire};
use async_trait::async_trait;
use eventlog::{
    bus::Message,
    projection::{Change, Projection, ProjectionError, TableDef, View},
};
use receivable::unapplied::{Receipt, UnappliedEvent};
use sql::{Column, Kind, Value};

/// Unapplied payments as a table.
pub struct UnappliedTables;

const UNAPPLIED: TableDef = TableDef {
    name: "unapplied_payment",
    columns: &[
        TENANT,
        Column::new("payment_id", Kind::Text),
        Column::new("source", Kind::Text),
        Column::new("amount_minor", Kind::Int),
        Column::new("returned_minor", Kind::Int),
        Column::new("currency", Kind::Text),
        Column::new("paid_on", Kind::Date),
        Column::new("reference", Kind::Text),
        Column::new("account", Kind::Text),
        Column::new("end_to_end_id", Kind::Text),
        Column::new("reason", Kind::Text),
        Column::new("suggested_invoice_id", Kind::Text),
        // `waiting`, `assigned`, `applied`, `dismissed`, `returned`.
        Column::new("status", Kind::Text),
        // Where it is, or is going.
        Column::new("invoice_id", Kind::Text),
        Column::new("fee_minor", Kind::Int),
        Column::new("received_at", Kind::Instant),
    ],
    key: &["tenant", "payment_id"],
    indexes: &[&["tenant", "status", "paid_on", "payment_id"]],
};

impl Projection for UnappliedTables {
    fn name(&self) -> &'static str {
        "invoice-unapplied"
    }

    fn version(&self) -> u32 {
        1
    }

    fn sources(&self) -> &'static [&'static str] {
        &[crate::TOPIC]
    }

    fn tables(&self) -> &'static [TableDef] {
        &[UNAPPLIED]
    }

    fn read(&self, page: &[&Message]) -> Result<Box<dyn Change>, ProjectionError> {
        let mut told = Told::default();
        for message in page {
            let decoded = wire::decode_unapplied(&message.event.event_type, &message.event.payload);
            let Some(fact) = decoded.map_err(|fault| ProjectionError::poison(message, fault.to_string()))? else { continue };
            told.received.extend(row(message, &fact));
            told.facts.push((message.event.tenant.clone(), fact));
        }
        Ok(Box::new(told))
    }
}

/// What a page tells of unapplied payments.
#[derive(Default)]
struct Told {
    received: Vec<Vec<Value>>,
    /// Each with its tenant.
    facts: Vec<(String, UnappliedFact)>,
}

#[async_trait]
impl Change for Told {
    async fn write(self: Box<Self>, view: &mut View<'_>) -> Result<(), ProjectionError> {
        // A payment comes before whatever happens to it: the rows first, then what changes them, in order.
        view.upsert("unapplied_payment", self.received).await?;
        for (tenant, fact) in &self.facts {
            change(view, tenant, fact).await?;
        }
        Ok(())
    }
}

fn row(message: &Message, fact: &UnappliedFact) -> Option<Vec<Value>> {
    let UnappliedEvent::Received(receipt) = &fact.event else { return None };
    let Receipt { payment_id, source, amount_minor, currency, paid_on, reference, account, end_to_end_id, reason, suggested, fee_minor } =
        receipt;
    Some(vec![
        message.event.tenant.as_str().into(),
        payment_id.as_str().into(),
        source.slug().into(),
        (*amount_minor).into(),
        0.into(),
        currency.as_str().into(),
        (*paid_on).into(),
        reference.as_str().into(),
        account.as_str().into(),
        end_to_end_id.as_str().into(),
        reason.as_str().into(),
        suggested.as_ref().map_or("", |invoice_id| invoice_id.as_str()).into(),
        "waiting".into(),
        "".into(),
        (*fee_minor).into(),
        message.event.recorded_at.into(),
    ])
}

async fn change(view: &mut View<'_>, tenant: &str, fact: &UnappliedFact) -> Result<(), ProjectionError> {
    let (status, invoice_id) = match &fact.event {
        UnappliedEvent::Received(_) => return Ok(()),
        UnappliedEvent::Assigned(to) => ("assigned", to.invoice_id.as_str()),
        UnappliedEvent::Applied { invoice_id, .. } => ("applied", invoice_id.as_str()),
        UnappliedEvent::Released { .. } => ("waiting", ""),
        UnappliedEvent::Dismissed { .. } => ("dismissed", ""),
        UnappliedEvent::Returned { amount_minor, .. } => {
            let text = "UPDATE {unapplied_payment} SET returned_minor = returned_minor + $1, \
                        status = CASE WHEN returned_minor + $1 >= amount_minor THEN 'returned' ELSE status END \
                        WHERE tenant = $2 AND payment_id = $3";
            let args = [(*amount_minor).into(), tenant.into(), fact.payment_id.as_str().into()];
            return view.execute(text, &args).await.map(|_| ());
        }
    };
    let text = "UPDATE {unapplied_payment} SET status = $1, invoice_id = $2 WHERE tenant = $3 AND payment_id = $4";
    let args = [status.into(), invoice_id.into(), tenant.into(), fact.payment_id.as_str().into()];
    view.execute(text, &args).await.map(|_| ())
}
