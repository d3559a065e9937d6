//! What a person must look at in bank files and Pix calls.

use super::super::invoices::{Client, command_id, paged, told};
use crate::output::Table;
use contracts::invoice::v1 as proto;
use serde_json::json;

pub async fn list(client: &mut Client, dismissed: bool, limit: usize) -> anyhow::Result<Table> {
    let columns = [
        "finding",
        "kind",
        "bank",
        "movement",
        "nosso_numero",
        "event_on",
        "amount_minor",
        "invoice",
        "payment",
        "counted",
        "line",
        "done",
    ];
    let mut table = Table::new("To be looked at", &columns);
    let status = if dismissed { proto::FindingStatus::Dismissed } else { proto::FindingStatus::Open };
    let found = paged(limit, async |page_size, page_token| {
        let asked = proto::ListBankFindingsRequest { status: status.into(), page_size, page_token };
        let answer = client.list_bank_findings(asked).await.map_err(|status| told(&status))?.into_inner();
        Ok((answer.findings, answer.next_page_token))
    })
    .await?;
    for one in found {
        let f = one.finding.unwrap_or_default();
        table.row(vec![
            json!(f.finding_id),
            json!(f.kind),
            json!(f.bank),
            json!(f.movement),
            json!(f.nosso_numero),
            json!(f.event_on),
            json!(f.amount_minor),
            json!(f.invoice_id),
            json!(f.payment_id),
            json!(f.counted_payment_id),
            json!(f.line),
            json!(one.reason),
        ]);
    }
    Ok(table)
}

pub async fn dismiss(client: &mut Client, finding_id: String, reason: String) -> anyhow::Result<()> {
    let asked = proto::DismissBankFindingRequest { command_id: command_id(), finding_id, reason };
    client.dismiss_bank_finding(asked).await.map(|_| ()).map_err(|status| told(&status))
}
