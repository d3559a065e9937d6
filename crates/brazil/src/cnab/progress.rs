//! The report of a file while it is read.

use super::record::Record;
use super::{Entry, Format, Refusal, Report, TextForm, Warning};
use alloc::{string::String, vec::Vec};
use chrono::NaiveTime;
use kernel::NaiveDate;

/// Warnings that are kept; the rest is counted.
const MAX_WARNINGS: usize = 100;

/// What a file header says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Heading {
    pub format: Format,
    pub bank: u16,
    pub agreement: String,
    pub sequence: String,
    pub created_on: Option<NaiveDate>,
    pub created_at: Option<NaiveTime>,
}

/// Counts, warnings, and whether the trailer has come.
#[derive(Debug)]
pub(super) struct Progress {
    pub report: Report,
    /// The trailer has come.
    pub closed: bool,
}

impl Progress {
    pub fn new(heading: Heading) -> Self {
        let Heading { format, bank, agreement, sequence, created_on, created_at } = heading;
        let report = Report {
            format,
            bank,
            agreement,
            sequence,
            created_on,
            created_at,
            lines: 0,
            facts: 0,
            reviews: 0,
            warnings: Vec::new(),
            warnings_total: 0,
            short_lines: 0,
            text: TextForm::default(),
        };
        Self { report, closed: false }
    }

    /// Takes a line into account. Errors: [`Refusal::DataAfterTrailer`], and [`Refusal::LineTooLong`] past `tolerated`.
    pub fn line(&mut self, record: &Record, size: usize, tolerated: usize) -> Result<(), Refusal> {
        if self.closed {
            return Err(Refusal::DataAfterTrailer { line: record.line });
        }
        self.report.lines += 1;
        self.report.short_lines += u64::from(record.width() < size);
        if record.len() > tolerated {
            return Err(Refusal::LineTooLong { line: record.line });
        }
        if record.len() > size {
            self.warn(Warning::LongLine { line: record.line, chars: record.len() });
        }
        Ok(())
    }

    pub fn warn(&mut self, warning: Warning) {
        self.report.warnings_total += 1;
        if self.report.warnings.len() < MAX_WARNINGS {
            self.report.warnings.push(warning);
        }
    }

    /// Compares a trailer's number with what was counted.
    pub fn check(&mut self, line: u64, what: &'static str, stated: Option<u64>, counted: u64) {
        if stated != Some(counted) {
            self.warn(Warning::Trailer { line, what, stated, counted });
        }
    }

    /// Gives an entry, counted.
    pub fn give(&mut self, entry: Entry, sink: &mut dyn FnMut(Entry)) {
        match entry {
            Entry::Fact(_) => self.report.facts += 1,
            Entry::Review(_) => self.report.reviews += 1,
        }
        sink(entry);
    }

    /// The report of a whole file. Errors: [`Refusal::Truncated`].
    pub fn finish(self) -> Result<Report, Refusal> {
        if self.closed { Ok(self.report) } else { Err(Refusal::Truncated { line: self.report.lines }) }
    }
}
