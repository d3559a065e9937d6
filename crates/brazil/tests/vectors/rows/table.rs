//! A file's text as rows: comment lines left out, columns compared by name, in any order.

use super::row::Row;
use std::collections::BTreeSet;

/// Why a file cannot be read as rows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unreadable {
    /// From 1; none where it is the file as a whole.
    pub line: Option<u64>,
    pub what: String,
}

/// Rows of a file with exactly these columns.
pub fn rows(text: &str, columns: &[&str]) -> Result<Vec<Row>, Unreadable> {
    let text = text.trim_start_matches('\u{feff}');
    let mut reader = csv::ReaderBuilder::new().has_headers(false).flexible(true).comment(Some(b'#')).from_reader(text.as_bytes());
    let mut records = reader.records();
    let header = match records.next() {
        Some(header) => header.map_err(|error| unreadable(&error))?,
        None => return Err(Unreadable { line: None, what: "has no header".to_owned() }),
    };
    let names: Vec<String> = header.iter().map(|name| name.trim().to_owned()).collect();
    compare(&names, columns)?;
    let lines = Lines::of(text);
    let mut rows = Vec::new();
    for record in records {
        let record = record.map_err(|error| unreadable(&error))?;
        let line = lines.of_record(&record);
        let misfit = Some(record.len()).filter(|values| *values != names.len());
        rows.push(Row { line, values: names.iter().cloned().zip(record.iter().map(str::to_owned)).collect(), misfit });
    }
    Ok(rows)
}

/// Rows that stand in comments: lines that begin with `prefix`, columns by position, the last one taking the rest.
pub fn rows_in_comments(text: &str, prefix: &str, columns: &[&str]) -> Vec<Row> {
    let numbered = (1..).zip(text.lines());
    let matching = numbered.filter_map(|(line, content)| Some((line, content.strip_prefix(prefix)?)));
    let row = |(line, content): (u64, &str)| {
        let values = columns.iter().map(|name| (*name).to_owned()).zip(content.splitn(columns.len(), ',').map(str::to_owned)).collect();
        Row { line, values, misfit: None }
    };
    matching.map(row).collect()
}

fn compare(names: &[String], columns: &[&str]) -> Result<(), Unreadable> {
    let fault = |what: String| Err(Unreadable { line: None, what });
    let mut seen = BTreeSet::new();
    for name in names {
        if !columns.contains(&name.as_str()) {
            return fault(format!("has an unknown column {name:?}"));
        }
        if !seen.insert(name.as_str()) {
            return fault(format!("has the column {name:?} twice"));
        }
    }
    match columns.iter().find(|column| !seen.contains(*column)) {
        Some(missing) => fault(format!("has no column {missing:?}")),
        None => Ok(()),
    }
}

fn unreadable(error: &csv::Error) -> Unreadable {
    Unreadable { line: error.position().map(csv::Position::line), what: format!("is no CSV: {error}") }
}

/// Where the lines of a text begin: the reader's own count stops before the comments that it skips.
struct Lines {
    /// Byte of the first character of each line, and the line, of all that are no comments and not blank.
    starts: Vec<(u64, u64)>,
}

impl Lines {
    fn of(text: &str) -> Self {
        let mut at = 0;
        let mut starts = Vec::new();
        for (line, content) in (1..).zip(text.split_inclusive('\n')) {
            if !content.starts_with('#') && !content.trim_end_matches(['\r', '\n']).is_empty() {
                starts.push((at, line));
            }
            at += content.len() as u64;
        }
        Self { starts }
    }

    /// The first line at or after the place where the reader began to look for the record.
    fn of_record(&self, record: &csv::StringRecord) -> u64 {
        let from = record.position().map_or(0, csv::Position::byte);
        let index = self.starts.partition_point(|(start, _)| *start < from);
        self.starts.get(index).map_or(0, |(_, line)| *line)
    }
}
