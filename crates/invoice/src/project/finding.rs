//! Findings → a table: what a person must look at, and what was done about the rest.

use super::TENANT;
use crate::{finding::FindingFact, wire};
use async_trait::async_trait;
use eventlog::{
    bus::Message,
    projection::{Change, Projection, ProjectionError, TableDef, View},
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

    fn read(&self, page: &[&Message]) -> Result<Box<dyn Change>, ProjectionError> {
        let mut told = Told::default();
        for message in page {
            let decoded = wire::decode_finding(&message.event.event_type, &message.event.payload);
            let Some(fact) = decoded.map_err(|fault| ProjectionError::poison(message, fault.to_string()))? else { continue };
            told.found.extend(row(message, &fact));
            if let FindingEvent::Dismissed { reason } = fact.event {
                told.dismissed.push([reason.into(), message.event.tenant.as_str().into(), fact.finding_id.as_str().into()]);
            }
        }
        Ok(Box::new(told))
    }
}

/// What a page tells of findings.
#[derive(Default)]
struct Told {
    found: Vec<Vec<Value>>,
    /// Why, whose and which.
    dismissed: Vec<[Value; 3]>,
}

#[async_trait]
impl Change for Told {
    async fn write(self: Box<Self>, view: &mut View<'_>) -> Result<(), ProjectionError> {
        // It is found before it is dismissed: the rows first.
        view.upsert("bank_finding", self.found).await?;
        for args in &self.dismissed {
            let text = "UPDATE {bank_finding} SET status = 'dismissed', reason = $1 WHERE tenant = $2 AND finding_id = $3";
            view.execute(text, args).await?;
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
