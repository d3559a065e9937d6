//! A return file given to the invoice service.

use super::super::{
    DONE, FOUND,
    invoices::{Client, told},
};
use crate::output::{Format, Table, print_json};
use anyhow::Context;
use contracts::invoice::v1 as proto;
use futures::stream;
use host::refusal::reason_of;
use serde_json::{Value, json};
use std::{
    fs::File,
    io::{self, Read},
    path::Path,
};

/// Bytes sent at a time.
const PIECE: usize = 64 * 1024;

pub async fn run(client: &mut Client, path: &Path, format: Format) -> anyhow::Result<u8> {
    let unreadable = || format!("{} cannot be read", path.display());
    let file = File::open(path).with_context(unreadable)?;
    // A read that fails ends the stream without the file's trailer: the service refuses what is there, and nothing is changed.
    let (failed, failure) = tokio::sync::oneshot::channel();
    let pieces = stream::unfold((file, Some(failed)), |(mut file, mut failed)| async move {
        match piece(&mut file) {
            Ok(content) if content.is_empty() => None,
            Ok(content) => Some((proto::ImportBankFileRequest { content }, (file, failed))),
            Err(error) => {
                // Who waits for the answer is told of the error there.
                let _ = failed.take().map(|failed| failed.send(error));
                None
            }
        }
    });
    let answered = client.import_bank_file(pieces).await;
    if let Ok(error) = failure.await {
        return Err(error).with_context(unreadable);
    }
    match answered {
        Ok(answer) => {
            print(&answer.into_inner(), format)?;
            Ok(DONE)
        }
        Err(status) if reason_of(&status).starts_with("cnab_") => {
            refused(reason_of(&status), status.message(), format)?;
            Ok(FOUND)
        }
        Err(status) => Err(told(&status)),
    }
}

fn piece(file: &mut File) -> io::Result<Vec<u8>> {
    let mut content = Vec::with_capacity(PIECE);
    file.by_ref().take(PIECE as u64).read_to_end(&mut content)?;
    Ok(content)
}

fn print(answer: &proto::ImportBankFileResponse, format: Format) -> anyhow::Result<()> {
    let mut outcomes = Table::new("", &["outcome", "records", "amount_minor"]);
    for one in &answer.outcomes {
        outcomes.row(vec![json!(one.outcome), json!(one.records), json!(one.amount_minor)]);
    }
    let mut notes = Table::new("Notes", &["line", "note", "text", "nosso_numero"]);
    for note in &answer.notes {
        let line = if note.line == 0 { Value::Null } else { json!(note.line) };
        notes.row(vec![line, json!(note.note), json!(note.text), json!(note.nosso_numero)]);
    }
    match format {
        Format::Json => {
            let object = json!({
                "layout": answer.layout,
                "bank": answer.bank,
                "sequence": answer.sequence,
                "records": answer.lines,
                "titles": answer.titles,
                "outcomes": outcomes.to_json(),
                "notes": notes.to_json(),
                "notes_total": answer.notes_total,
            });
            print_json(io::stdout().lock(), &object)
        }
        Format::Csv => outcomes.print(format),
        Format::Table => {
            println!(
                "{} return of bank {}, file {}: {} records, {} titles",
                answer.layout, answer.bank, answer.sequence, answer.lines, answer.titles
            );
            outcomes.print(format)?;
            if answer.notes.is_empty() { Ok(()) } else { notes.print(format) }
        }
    }
}

fn refused(slug: &str, reason: &str, format: Format) -> anyhow::Result<()> {
    if format == Format::Json {
        return print_json(io::stdout().lock(), &json!({ "refused": { "slug": slug, "reason": reason } }));
    }
    let mut table = Table::new("Refused: nothing of this file was used", &["slug", "reason"]);
    table.row(vec![slug.into(), reason.into()]);
    table.print(format)
}
