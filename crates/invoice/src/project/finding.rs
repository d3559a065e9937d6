//! Findings → a table: what a person must look at, and what was done about the rest.

use super::TENANT;
use crate::{finding::FindingFact, wire};
use async_trait::async_trait;
use eventlog::{
    bus::Message,
    projection::{Projection, ProjectionError, TableDef, View},
};
use receivable::finding::{FindingEvent, Found};
use sql::{Column, Kind, Value};

/// Findings as a table.
pub struct FindingTables;

const FINDING: TableDef = TableDef {
    name: "bank_finding",
    columns: &[
        TENANT,
        Column::new("finding_id", Kind::Text),
        Column::new("kind", Kind::Text),
        Column::new("bank", Kind::Text),
        Column::new("agreement", Kind::Text),
        Column::new("nosso_numero", Kind::Text),
        Column::new("movement", Kind::Text),
        Column::new("reference", Kind::Text),
        // Civil date, or empty.
        Column::new("event_on", Kind::Text),
        Column::new("amount_minor", Kind::Int),
        Column::new("currency", Kind::Text),
        Column::new("invoice_id", Kind::Text),
        Column::new("payment_id", Kind::Text),
        Column::new("counted_payment_id", Kind::Text),
        Column::new("line", Kind::Int),
        // `open`, `dismissed`.
        Column::new("status", Kind::Text),
        Column::new("reason", Kind::Text),
        // Where in the log it was found: the order of the list.
        Column::new("position", Kind::Int),
        Column::new("found_at", Kind::Instant),
    ],
    key: &["tenant", "finding_id"],
    indexes: &[&["tenant", "status", "position"]],
};

#[async_trait]
impl Projection for FindingTables {
    fn name(&self) -> &'static str {
        "invoice-findings"
    }

    fn version(&self) -> u32 {
        1
    }

    fn sources(&self) -> &'static [&'static str] {
        &[crate::TOPIC]
    }

    fn tables(&self) -> &'static [TableDef] {
        &[FINDING]
    }

    async fn apply(&self, view: &mut View<'_>, page: &[Message]) -> Result<(), ProjectionError> {
        let mut facts = Vec::new();
        for message in page {
            let decoded = wire::decode_finding(&message.event.event_type, &message.event.payload);
            facts.extend(decoded.map_err(|fault| ProjectionError::poison(message, fault.to_string()))?.map(|fact| (message, fact)));
        }
        // It is found before it is dismissed: the rows first.
        view.upsert("bank_finding", facts.iter().filter_map(|(message, fact)| row(message, fact)).collect()).await?;
        for (message, fact) in &facts {
            let FindingEvent::Dismissed { reason } = &fact.event else { continue };
            let text = "UPDATE {bank_finding} SET status = 'dismissed', reason = $1 WHERE tenant = $2 AND finding_id = $3";
            let args = [reason.as_str().into(), message.event.tenant.as_str().into(), fact.finding_id.as_str().into()];
            view.execute(text, &args).await?;
        }
        Ok(())
    }
}

fn row(message: &Message, fact: &FindingFact) -> Option<Vec<Value>> {
    let FindingEvent::Found(found) = &fact.event else { return None };
    let Found { kind, bank, agreement, nosso_numero, movement, reference, event_on, amount_minor, currency, line, .. } = found;
    let id = |id: Option<&str>| Value::from(id.unwrap_or_default());
    Some(vec![
        message.event.tenant.as_str().into(),
        fact.finding_id.as_str().into(),
        kind.as_str().into(),
        bank.as_str().into(),
        agreement.as_str().into(),
        nosso_numero.as_str().into(),
        movement.as_str().into(),
        reference.as_str().into(),
        event_on.map(|day| day.to_string()).unwrap_or_default().into(),
        (*amount_minor).into(),
        currency.as_str().into(),
        id(found.invoice_id.as_ref().map(|id| id.as_str())),
        id(found.payment_id.as_ref().map(|id| id.as_str())),
        id(found.counted_payment_id.as_ref().map(|id| id.as_str())),
        i64::try_from(*line).unwrap_or(i64::MAX).into(),
        "open".into(),
        "".into(),
        i64::try_from(message.event.position).unwrap_or(i64::MAX).into(),
        message.event.recorded_at.into(),
    ])
}
