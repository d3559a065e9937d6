//! Reads of findings.

use crate::wire;
use contracts::invoice::v1 as proto;
use eventlog::projection::{ProjectionError, Views};
use host::request::Page;
use sql::{Row, Value};

/// A finding with its place in the list.
pub struct Listed {
    /// As callers see it.
    pub finding: proto::BankFinding,
    position: i64,
}

impl Listed {
    /// What the next page begins after.
    pub fn key(&self) -> String {
        let id = self.finding.finding.as_ref().map(|noted| noted.finding_id.as_str()).unwrap_or_default();
        format!("{} {id}", self.position)
    }
}

/// Findings of a status in the order in which they were found.
pub async fn list(views: &Views, tenant: &str, status: &str, page: &Page) -> Result<Vec<Listed>, ProjectionError> {
    let (position, id) = page.after.split_once(' ').unwrap_or_default();
    let position: i64 = position.parse().unwrap_or(-1);
    let text = "SELECT * FROM {bank_finding} WHERE tenant = $1 AND status = $2 AND (position > $3 OR (position = $3 AND finding_id > $4)) \
                ORDER BY position, finding_id LIMIT $5";
    let args: [Value; 5] = [tenant.into(), status.into(), position.into(), id.into(), page.limit().into()];
    views.query(text, &args).await?.iter().map(read).collect()
}

fn read(row: &Row) -> Result<Listed, ProjectionError> {
    let noted = proto::BankFindingNoted {
        finding_id: row.text("finding_id")?,
        kind: row.text("kind")?,
        bank: row.text("bank")?,
        agreement: row.text("agreement")?,
        nosso_numero: row.text("nosso_numero")?,
        movement: row.text("movement")?,
        reference: row.text("reference")?,
        event_on: row.text("event_on")?,
        amount_minor: row.int("amount_minor")?,
        currency: row.text("currency")?,
        invoice_id: row.text("invoice_id")?,
        payment_id: row.text("payment_id")?,
        counted_payment_id: row.text("counted_payment_id")?,
        line: row.int("line")?.unsigned_abs(),
    };
    let finding = proto::BankFinding {
        finding: Some(noted),
        status: wire::finding_status_of(&row.text("status")?).into(),
        reason: row.text("reason")?,
    };
    Ok(Listed { finding, position: row.int("position")? })
}
