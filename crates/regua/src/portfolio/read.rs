//! CSV → rows, as a stream: BOM, CRLF, `,` or `;` (detected from the header).

use super::{
    columns::{Columns, NEEDED, OWN},
    row::{self, Cells, Row, RowFault},
};
use anyhow::{Context, bail};
use csv::{ByteRecord, Reader, ReaderBuilder};
use std::{
    collections::BTreeMap,
    io::{BufRead, BufReader, Read},
};

/// A longer line is no row of a portfolio; memory stays bounded by it.
const MAX_ROW_BYTES: usize = 64 * 1024;

/// Reads one portfolio file.
pub struct Rows<R: Read> {
    reader: Reader<RowLimit<R>>,
    columns: Columns,
    positions: BTreeMap<&'static str, usize>,
    record: ByteRecord,
    /// With CRLF the reader tells a record's place before it has passed the LF of the line before.
    lines_behind: u64,
}

impl<R: Read> Rows<R> {
    /// Reads the header. Errors: an unreadable file, a needed column that is neither there nor given.
    pub fn new(input: R, columns: Columns) -> anyhow::Result<Self> {
        let mut buffered = RowLimit { inner: BufReader::with_capacity(256 * 1024, input), run: 0 };
        skip_bom(&mut buffered.inner)?;
        let start = buffered.inner.fill_buf().context("the portfolio cannot be read")?;
        let (delimiter, lines_behind) = (delimiter(start), u64::from(is_crlf(start)));
        let mut reader = ReaderBuilder::new().delimiter(delimiter).flexible(true).from_reader(buffered);
        let header = reader.headers().context("the header cannot be read")?.clone();
        let position = |own: &'static str| Some((own, header.iter().position(|name| name.trim() == columns.name(own))?));
        let positions: BTreeMap<&'static str, usize> = OWN.into_iter().filter_map(position).collect();
        // A mapped name that is not there is a slip: read as absent, it would say of a whole portfolio that nobody paid.
        if let Some((own, name)) = columns.names.iter().find(|(own, _)| !positions.contains_key(own.as_str())) {
            bail!("the portfolio has no column `{name}` for {own}");
        }
        for own in NEEDED {
            if !positions.contains_key(own) && !columns.patterns.contains_key(own) {
                bail!("the portfolio has no column `{}` for {own}", columns.name(own));
            }
        }
        Ok(Self { reader, columns, positions, record: ByteRecord::new(), lines_behind })
    }

    /// The next row; `None` at the end. The outer error ends the file, the inner one is that row's.
    pub fn next_row(&mut self) -> anyhow::Result<Option<Result<Row, RowFault>>> {
        match self.reader.read_byte_record(&mut self.record) {
            Ok(false) => return Ok(None),
            Ok(true) => {}
            Err(error) => return Err(error).context("the portfolio cannot be read on"),
        }
        let line = self.record.position().map_or(0, csv::Position::line) + self.lines_behind;
        let cells = RecordCells { rows: self, line };
        if let Some(fault) = cells.not_text() {
            return Ok(Some(Err(fault)));
        }
        Ok(Some(row::check(line, &cells, &self.columns)))
    }
}

struct RecordCells<'a, R: Read> {
    rows: &'a Rows<R>,
    line: u64,
}

impl<R: Read> RecordCells<'_, R> {
    fn not_text(&self) -> Option<RowFault> {
        let bad = |(own, index): (&&'static str, &usize)| {
            let cell = self.rows.record.get(*index)?;
            let reason = if std::str::from_utf8(cell).is_ok() { return None } else { "is not UTF-8".to_owned() };
            Some(RowFault { line: self.line, column: own, reason })
        };
        self.rows.positions.iter().find_map(bad)
    }

    fn record_cell(&self, own: &'static str) -> Option<String> {
        let index = *self.rows.positions.get(own)?;
        self.rows.record.get(index).and_then(|cell| std::str::from_utf8(cell).ok()).map(str::to_owned)
    }
}

impl<R: Read> Cells for RecordCells<'_, R> {
    fn cell(&self, own: &'static str) -> Option<String> {
        let cell = self.record_cell(own);
        // "Where no column says it": an empty cell says nothing.
        let pattern = self.rows.columns.patterns.get(own).filter(|_| cell.as_ref().is_none_or(|cell| cell.trim().is_empty()));
        let Some(mut text) = pattern.cloned() else { return cell };
        for other in OWN {
            let hole = format!("{{{other}}}");
            if text.contains(&hole) {
                text = text.replace(&hole, self.record_cell(other).unwrap_or_default().trim());
            }
        }
        Some(text)
    }
}

/// Refuses input without a line end for longer than [`MAX_ROW_BYTES`], which would be kept in memory whole.
struct RowLimit<R: Read> {
    inner: BufReader<R>,
    run: usize,
}

impl<R: Read> Read for RowLimit<R> {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let wanted = buffer.len().min(MAX_ROW_BYTES);
        let count = self.inner.read(&mut buffer[..wanted])?;
        let chunk = &buffer[..count];
        self.run = match chunk.iter().rposition(|byte| *byte == b'\n') {
            Some(last) => count - last - 1,
            None => self.run + count,
        };
        if self.run > MAX_ROW_BYTES {
            return Err(std::io::Error::new(std::io::ErrorKind::InvalidData, "a row is longer than 64 KiB"));
        }
        Ok(count)
    }
}

fn skip_bom(input: &mut impl BufRead) -> anyhow::Result<()> {
    if input.fill_buf().context("the portfolio cannot be read")?.starts_with(b"\xef\xbb\xbf") {
        input.consume(3);
    }
    Ok(())
}

fn is_crlf(start: &[u8]) -> bool {
    start.iter().position(|byte| *byte == b'\n').is_some_and(|end| end > 0 && start[end - 1] == b'\r')
}

fn delimiter(start: &[u8]) -> u8 {
    let header = start.split(|byte| *byte == b'\n').next().unwrap_or_default();
    let count = |mark: u8| header.iter().filter(|byte| **byte == mark).count();
    if count(b';') > count(b',') { b';' } else { b',' }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEADER: &str = "customer_id,invoice_id,issued_on,due_on,amount,currency,paid_on,paid_amount";

    fn outcomes(text: &str) -> Vec<Result<Row, RowFault>> {
        let mut rows = Rows::new(text.as_bytes(), Columns::default()).unwrap();
        std::iter::from_fn(|| rows.next_row().unwrap()).collect()
    }

    #[test]
    fn wrong_rows_are_reported_with_line_column_and_reason_and_the_rest_goes_on() {
        let rows = [
            ("c,i,2026-13-01,2026-02-01,10", "issued_on"),
            ("c,i,2026-01-01,soon,10", "due_on"),
            ("c,i,2026-01-02,2026-01-01,10", "due_on"),
            ("c,i,2026-01-01,2026-02-01,10.123", "amount"),
            ("c,i,2026-01-01,2026-02-01,0", "amount"),
            ("c,i,2026-01-01,2026-02-01,10,XYZ", "currency"),
            ("c,i,2026-01-01,2026-02-01,10,BRL,,5", "paid_on"),
            ("c,i,2026-01-01,2026-02-01,10,BRL,2026-01-05,-5", "paid_amount"),
            (",i,2026-01-01,2026-02-01,10", "customer_id"),
            ("c,a b,2026-01-01,2026-02-01,10", "invoice_id"),
            ("c", "invoice_id"),
        ];
        let body: Vec<&str> = rows.iter().map(|(row, _)| *row).collect();
        let text = format!("{HEADER}\n{}\nc,good,2026-01-01,2026-02-01,10\n", body.join("\n"));
        let got = outcomes(&text);
        for (index, (row, column)) in rows.iter().enumerate() {
            let fault = got[index].as_ref().unwrap_err();
            assert_eq!((fault.line, fault.column), (index as u64 + 2, *column), "{row}");
        }
        assert!(got.last().unwrap().is_ok());
    }

    #[test]
    fn bom_crlf_semicolons_and_quotes_are_read() {
        let text =
            "\u{feff}customer_id;invoice_id;issued_on;due_on;amount;customer_name\r\nc;i;2026-01-01;2026-02-01;10.5;\"Ana; Maria\"\r\n";
        let row = outcomes(text).remove(0).unwrap();
        assert_eq!((row.amount_minor, row.name.as_str()), (1050, "Ana; Maria"));
    }

    #[test]
    fn a_pattern_stands_in_for_a_column() {
        let columns = Columns::parse("email = \"{customer_id}@example.invalid\"").unwrap();
        let text = format!("{HEADER}\nc9,i,2026-01-01,2026-02-01,10\n");
        let row = Rows::new(text.as_bytes(), columns).unwrap().next_row().unwrap().unwrap().unwrap();
        assert_eq!(row.email, "c9@example.invalid");
    }

    #[test]
    fn an_empty_cell_is_filled_from_the_columns_file() {
        let columns = Columns::parse("currency = \"USD\"").unwrap();
        let text = format!("{HEADER}\nc,i,2026-01-01,2026-02-01,10,,\nc,j,2026-01-01,2026-02-01,10,EUR,\n");
        let mut rows = Rows::new(text.as_bytes(), columns).unwrap();
        let mut currency = || rows.next_row().unwrap().unwrap().unwrap().currency.to_string();
        assert_eq!((currency(), currency()), ("USD".into(), "EUR".into()));
    }

    #[test]
    fn a_mapped_column_that_the_file_lacks_is_refused_by_name() {
        let columns = Columns::parse("[columns]\npaid_on = \"SettledDat\"").unwrap();
        let error = Rows::new(HEADER.as_bytes(), columns).err().unwrap();
        assert!(error.to_string().contains("SettledDat"), "{error}");
    }

    #[test]
    fn a_file_without_a_needed_column_is_refused_by_name() {
        let error = Rows::new("customer_id,invoice_id,issued_on,amount\n".as_bytes(), Columns::default()).err().unwrap();
        assert!(error.to_string().contains("due_on"), "{error}");
    }

    #[test]
    fn bytes_that_are_no_text_are_a_fault_of_their_row() {
        let mut text = format!("{HEADER}\n").into_bytes();
        text.extend_from_slice(b"c,\xff\xfe,2026-01-01,2026-02-01,10\n");
        let mut rows = Rows::new(text.as_slice(), Columns::default()).unwrap();
        assert_eq!(rows.next_row().unwrap().unwrap().unwrap_err().column, "invoice_id");
    }

    #[test]
    fn an_endless_row_ends_the_reading_and_not_the_memory() {
        let endless = std::io::repeat(b'x').take(10_000_000);
        let mut rows = Rows::new(HEADER.as_bytes().chain(b"\n\"".as_slice()).chain(endless), Columns::default()).unwrap();
        assert!(rows.next_row().unwrap_err().chain().any(|cause| cause.to_string().contains("64 KiB")));
    }
}
