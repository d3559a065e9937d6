//! The registration file for a bank.

use super::super::{
    DONE,
    invoices::{Client, command_id, told},
};
use crate::output::{Format, Table};
use anyhow::Context;
use contracts::invoice::v1 as proto;
use serde_json::json;
use std::{
    fs::OpenOptions,
    io::Write,
    path::{Path, PathBuf},
};

pub async fn run(client: &mut Client, account: &str, sequence: u32, out: Option<&Path>, format: Format) -> anyhow::Result<u8> {
    let asked = proto::WriteRemittanceRequest { command_id: command_id(), collection_account_id: account.to_owned(), sequence };
    let mut pieces = client.write_remittance(asked).await.map_err(|status| told(&status))?.into_inner();
    let (mut summary, mut content) = (proto::RemittanceSummary::default(), Vec::new());
    while let Some(piece) = pieces.message().await.map_err(|status| told(&status))? {
        content.extend(piece.content);
        summary = piece.summary.unwrap_or(summary);
    }
    let path = if summary.sequence == 0 { None } else { Some(write(account, summary.sequence, out, &content)?) };
    let mut table = Table::new("", &["file", "sequence", "orders", "skipped", "more"]);
    let name = path.map(|path| path.display().to_string());
    table.row(vec![json!(name), json!(summary.sequence), json!(summary.orders), json!(summary.skipped_total), json!(summary.more)]);
    table.print(format)?;
    if format == Format::Table && !summary.skipped.is_empty() {
        let mut skipped = Table::new("Not in the file", &["invoice", "reason"]);
        for one in summary.skipped {
            skipped.row(vec![json!(one.invoice_id), json!(one.reason)]);
        }
        skipped.print(format)?;
    }
    Ok(DONE)
}

/// A file that is there is never written over: it may have been sent.
fn write(account: &str, sequence: u32, out: Option<&Path>, content: &[u8]) -> anyhow::Result<PathBuf> {
    let by_name = || PathBuf::from(format!("remessa-{}-{sequence:06}.rem", account.replace(['/', ':'], "_")));
    let path = out.map_or_else(by_name, Path::to_path_buf);
    let told = || format!("{} cannot be written; `--sequence {sequence}` gives the same file again", path.display());
    let mut file = OpenOptions::new().write(true).create_new(true).open(&path).with_context(told)?;
    file.write_all(content).and_then(|()| file.sync_all()).with_context(told)?;
    Ok(path)
}
