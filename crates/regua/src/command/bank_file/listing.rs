//! A return file, read once in chunks. Its rows wait in spools: they are provisional until its end is good.

use super::{notes, spool::Spool};
use crate::output::{Format, Table};
use anyhow::Context;
use brazil::cnab::{BankEvent, Entry, Refusal, Report, ReturnReader, Settlement, TitleFact};
use serde_json::{Value, json};
use std::{
    collections::BTreeMap,
    fs::File,
    io::{self, Read, Write},
    path::Path,
};

/// Bytes read at a time.
const CHUNK: usize = 64 * 1024;
/// What a table shows of a payment.
const COLUMNS: [&str; 8] = ["line", "nosso_numero", "movement", "event_date", "credit_date", "paid_minor", "fee_minor", "document"];
/// What a table shows of a note.
const NOTE_COLUMNS: [&str; 4] = ["line", "note", "text", "nosso_numero"];

/// What a good file says.
pub struct Listing {
    report: Report,
    rows: Rows,
}

struct Rows {
    settlements: Spool,
    notes: Spool,
    /// Facts by what they are.
    events: BTreeMap<&'static str, u64>,
    paid_minor: i64,
}

impl Listing {
    /// Reads a file to its end. The inner error is the file's refusal. Errors: the file cannot be read.
    pub fn read(path: &Path) -> anyhow::Result<Result<Self, Refusal>> {
        let unreadable = || format!("{} cannot be read", path.display());
        let mut file = File::open(path).with_context(unreadable)?;
        let mut rows = Rows { settlements: Spool::new()?, notes: Spool::new()?, events: BTreeMap::new(), paid_minor: 0 };
        let mut reader = ReturnReader::new();
        let mut buffer = vec![0; CHUNK];
        loop {
            let size = match file.read(&mut buffer) {
                Ok(0) => break,
                Ok(size) => size,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(error) => return Err(error).with_context(unreadable),
            };
            if let Err(refusal) = reader.push(&buffer[..size], &mut |entry| rows.take(&entry)) {
                return Ok(Err(refusal));
            }
        }
        let report = match reader.finish(&mut |entry| rows.take(&entry)) {
            Ok(report) => report,
            Err(refusal) => return Ok(Err(refusal)),
        };
        for note in notes::of_report(&report) {
            rows.notes.push(&note);
        }
        Ok(Ok(Self { report, rows }))
    }

    /// Prints it. Errors: a spool or the output fails.
    pub fn print(self, format: Format) -> anyhow::Result<()> {
        match format {
            Format::Json => self.print_json(io::stdout().lock()),
            Format::Csv => table("", &COLUMNS, self.rows.settlements)?.print(format),
            Format::Table => {
                println!("{}", self.heading());
                table("", &COLUMNS, self.rows.settlements)?.print(format)?;
                table("Notes", &NOTE_COLUMNS, self.rows.notes)?.print(format)
            }
        }
    }

    fn heading(&self) -> String {
        let Report { format, bank, agreement, sequence, lines, .. } = &self.report;
        let events: Vec<String> = self.rows.events.iter().map(|(event, count)| format!("{count} {event}")).collect();
        let paid = crate::output::money(self.rows.paid_minor);
        let events = if events.is_empty() { "no facts".to_owned() } else { events.join(", ") };
        format!(
            "{} return of bank {bank:03}, agreement {agreement}, file {sequence}: {lines} records, {events}, {paid} paid",
            format.name()
        )
    }

    /// One row a line, so that memory does not grow with the file.
    fn print_json(self, mut out: impl Write) -> anyhow::Result<()> {
        let Report { format, bank, agreement, sequence, created_on, lines, .. } = &self.report;
        let fields = [
            ("layout", json!(format.name())),
            ("bank", json!(format!("{bank:03}"))),
            ("agreement", json!(agreement)),
            ("sequence", json!(sequence)),
            ("created_on", json!(created_on.map(|day| day.to_string()))),
            ("records", json!(lines)),
            ("events", json!(self.rows.events)),
            ("paid_minor", json!(self.rows.paid_minor)),
        ];
        writeln!(out, "{{")?;
        for (name, value) in fields {
            writeln!(out, "  \"{name}\": {value},")?;
        }
        write_array(&mut out, "settlements", self.rows.settlements)?;
        writeln!(out, ",")?;
        write_array(&mut out, "notes", self.rows.notes)?;
        writeln!(out, "\n}}")?;
        Ok(())
    }
}

impl Rows {
    fn take(&mut self, entry: &Entry) {
        match entry {
            Entry::Review(review) => self.notes.push(&notes::of_review(review)),
            Entry::Fact(fact) => {
                *self.events.entry(fact.event.slug()).or_default() += 1;
                if let (BankEvent::PaymentReceived { .. }, Some(settlement)) = (fact.event, fact.settlement) {
                    self.paid_minor = self.paid_minor.saturating_add(settlement.paid_cents);
                    self.settlements.push(&row(fact, &settlement));
                }
                notes::of_fact(fact).iter().for_each(|note| self.notes.push(note));
            }
        }
    }
}

/// A payment. The payer's CPF or CNPJ is left out: nothing here is to be shown to everybody.
fn row(fact: &TitleFact, settlement: &Settlement) -> Value {
    json!({
        "line": fact.line,
        "agreement": fact.title.agreement,
        "nosso_numero": fact.title.nosso_numero,
        "nosso_numero_check": fact.title.check,
        "movement": fact.movement,
        "event_date": fact.event_on.map(|day| day.to_string()),
        "credit_date": fact.credit_on.map(|day| day.to_string()),
        "nominal_minor": fact.nominal_cents,
        "paid_minor": settlement.paid_cents,
        "fee_minor": fact.fee_cents,
        "document": fact.title.document,
        "company_use": fact.title.company_use,
        "key": fact.key.as_str(),
    })
}

fn table(title: &str, columns: &[&str], spool: Spool) -> anyhow::Result<Table> {
    let mut table = Table::new(title, columns);
    for row in spool.rows()? {
        let mut row: Value = serde_json::from_str(&row?)?;
        table.row(columns.iter().map(|column| row[column].take()).collect());
    }
    Ok(table)
}

fn write_array(out: &mut impl Write, name: &str, spool: Spool) -> anyhow::Result<()> {
    write!(out, "  \"{name}\": [")?;
    let mut separator = "";
    for row in spool.rows()? {
        write!(out, "{separator}\n    {}", row?)?;
        separator = ",";
    }
    write!(out, "{}]", if separator.is_empty() { "" } else { "\n  " })?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A record with texts put at positions (from 1).
    fn record(parts: &[(usize, &str)]) -> String {
        let mut line = " ".repeat(240);
        parts.iter().for_each(|(from, text)| line.replace_range(from - 1..from - 1 + text.len(), text));
        line + "\r\n"
    }

    fn file(paid: &str, trailer: bool) -> tempfile::NamedTempFile {
        let mut lines = vec![
            record(&[(1, "00100000"), (143, "2"), (158, "000007")]),
            record(&[(1, "00100011T01"), (34, "LOT5678")]),
            record(&[(1, "0010001300001T"), (16, "06"), (38, "0000123"), (59, "DOC-1"), (199, "000000000000200")]),
            record(&[(1, "0010001300002U"), (16, "06"), (78, paid), (138, "23112026"), (146, "00000000")]),
            record(&[(1, "00100015"), (18, "000004")]),
        ];
        if trailer {
            lines.push(record(&[(1, "00199999"), (18, "000001000009")]));
        }
        let mut file = tempfile::NamedTempFile::new().unwrap();
        file.write_all(lines.concat().as_bytes()).unwrap();
        file
    }

    fn json_of(file: &tempfile::NamedTempFile) -> Value {
        let mut out = Vec::new();
        Listing::read(file.path()).unwrap().ok().unwrap().print_json(&mut out).unwrap();
        serde_json::from_slice(&out).unwrap()
    }

    #[test]
    fn a_payment_is_listed_with_its_dates_and_amounts_and_what_was_tolerated_is_noted() {
        let said = json_of(&file("000000000010150", true));
        assert_eq!((&said["layout"], &said["bank"], &said["records"]), (&json!("cnab240"), &json!("001"), &json!(6)));
        let row = &said["settlements"][0];
        for (name, value) in [
            ("nosso_numero", json!("0000123")),
            ("movement", json!("06")),
            ("event_date", json!("2026-11-23")),
            ("credit_date", Value::Null),
            ("paid_minor", json!(10_150)),
            ("fee_minor", json!(200)),
            ("document", json!("DOC-1")),
        ] {
            assert_eq!(row[name], value, "{name}");
        }
        assert_eq!(said["notes"][0]["text"], "trailer says 9 records of the file, 6 were read");
    }

    #[test]
    fn a_doubtful_payment_is_a_note_and_no_settlement() {
        let said = json_of(&file("000000000000000", true));
        assert_eq!((&said["settlements"], &said["notes"][0]["note"]), (&json!([]), &json!("zero_amount")));
    }

    #[test]
    fn a_file_without_its_end_gives_nothing() {
        let refusal = Listing::read(file("000000000010150", false).path()).unwrap().err();
        assert_eq!(refusal.map(|refusal| refusal.slug()), Some("cnab_truncated"));
        assert!(Listing::read(Path::new("nowhere.ret")).is_err());
    }
}
