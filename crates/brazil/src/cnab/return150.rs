//! FEBRABAN 150: the return of arrecadação. Header A, details G, trailer Z.

use super::decode::Reading;
use super::key::Ordinals;
use super::progress::{Heading, Progress};
use super::record::{Record, Unreadable};
use super::{BankEvent, Entry, Format, Refusal, Report, Review, ReviewReason, Settlement, TitleRef};
use crate::Arrecadacao;
use alloc::string::String;

/// Characters of a record.
const SIZE: usize = 150;
/// Longest line that is tolerated: as much over its size as CNAB 240 may be.
const TOLERATED: usize = 176;

/// Columns that are read.
mod febraban150 {
    use crate::cnab::layout::{Column, Kind};

    pub const RECORD_TYPE: Column = Column::at("RECORD_TYPE", 1, 1, Kind::Text);
    pub const DIRECTION: Column = Column::at("DIRECTION", 2, 2, Kind::Number);
    pub const AGREEMENT: Column = Column::at("AGREEMENT", 3, 22, Kind::Text);
    pub const BANK: Column = Column::at("BANK", 43, 45, Kind::Number);
    pub const CREATED_ON: Column = Column::at("CREATED_ON", 66, 73, Kind::Number);
    pub const SEQUENCE: Column = Column::at("SEQUENCE", 74, 79, Kind::Number);
    pub const PAID_ON: Column = Column::at("PAID_ON", 22, 29, Kind::Number);
    pub const CREDIT_ON: Column = Column::at("CREDIT_ON", 30, 37, Kind::Number);
    pub const BARCODE: Column = Column::at("BARCODE", 38, 81, Kind::Text);
    pub const PAID: Column = Column::at("PAID", 82, 93, Kind::Cents);
    pub const FEE: Column = Column::at("FEE", 94, 100, Kind::Cents);
    pub const TRAILER_RECORDS: Column = Column::at("TRAILER_RECORDS", 2, 7, Kind::Number);
    pub const TRAILER_TOTAL: Column = Column::at("TRAILER_TOTAL", 8, 24, Kind::Cents);
}

/// A return being read.
#[derive(Debug)]
pub(super) struct Return150 {
    progress: Progress,
    ordinals: Ordinals,
    total_cents: u64,
}

impl Return150 {
    /// Begins with the file header. Errors: [`Refusal`] where it is no return.
    pub fn begin(header: &Record) -> Result<Self, Refusal> {
        match header.char_at(febraban150::DIRECTION.from) {
            '2' => {}
            '1' => return Err(Refusal::Remittance),
            flag => return Err(Refusal::Direction { flag }),
        }
        let bank = header.number(&febraban150::BANK).ok().and_then(|bank| u16::try_from(bank).ok()).ok_or(Refusal::NotABankFile)?;
        let mut progress = Progress::new(Heading {
            format: Format::Febraban150,
            bank,
            agreement: String::from(header.text(&febraban150::AGREEMENT)),
            sequence: String::from(header.text(&febraban150::SEQUENCE)),
            created_on: header.year_first_day(&febraban150::CREATED_ON).ok().flatten(),
            created_at: None,
        });
        progress.line(header, SIZE, TOLERATED)?;
        Ok(Self { progress, ordinals: Ordinals::default(), total_cents: 0 })
    }

    /// Takes the next record. Errors: [`Refusal`].
    pub fn record(&mut self, record: &Record, sink: &mut dyn FnMut(Entry)) -> Result<(), Refusal> {
        self.progress.line(record, SIZE, TOLERATED)?;
        match record.char_at(febraban150::RECORD_TYPE.from) {
            'A' => Err(Refusal::OutOfPlace { line: record.line }),
            'G' => {
                let reading = self.reading(record);
                let entry = reading.judge(&mut self.ordinals, || record.print((1, SIZE)))?;
                self.progress.give(entry, sink);
                Ok(())
            }
            'Z' => {
                let (lines, total) = (self.progress.report.lines, self.total_cents);
                self.progress.check(record.line, "records of the file", record.number(&febraban150::TRAILER_RECORDS).ok(), lines);
                self.progress.check(record.line, "cents of the file", record.number(&febraban150::TRAILER_TOTAL).ok(), total);
                self.progress.closed = true;
                Ok(())
            }
            // B to F are the records of automatic debit.
            kind @ 'B'..='F' => Err(Refusal::ForeignService { line: record.line, what: String::from(kind) }),
            _ => {
                let (reason, movement, title) = (ReviewReason::UnknownRecord, String::new(), TitleRef::default());
                let print = record.print((1, SIZE));
                self.progress.give(Entry::Review(Review { line: record.line, reason, movement, title, print }), sink);
                Ok(())
            }
        }
    }

    /// The report of a whole file. Errors: [`Refusal::Truncated`].
    pub fn finish(self) -> Result<Report, Refusal> {
        self.progress.finish()
    }

    fn reading(&mut self, record: &Record) -> Reading {
        let paid = record.cents(&febraban150::PAID);
        let fee = record.cents(&febraban150::FEE);
        self.total_cents = self.total_cents.saturating_add(paid.ok().and_then(|cents| u64::try_from(cents).ok()).unwrap_or(0));
        let barcode = record.text(&febraban150::BARCODE);
        let slip = Arrecadacao::from_barcode(barcode).ok();
        Reading {
            line: record.line,
            bank: self.progress.report.bank,
            movement: String::from("G"),
            event: Some(BankEvent::PaymentReceived { after_write_off: false }),
            title: TitleRef {
                agreement: self.progress.report.agreement.clone(),
                document: String::from(barcode),
                barcode: slip,
                ..TitleRef::default()
            },
            nominal: slip.and_then(|slip| slip.amount_cents()).map_or(Ok(0), |cents| i64::try_from(cents).map_err(|_| Unreadable)),
            due: Ok(None),
            event_on: record.year_first_day(&febraban150::PAID_ON),
            credit_on: record.year_first_day(&febraban150::CREDIT_ON),
            settlement: paid.map(|paid_cents| Settlement {
                paid_cents,
                net_cents: paid_cents.saturating_sub(fee.unwrap_or(0)),
                ..Settlement::default()
            }),
            fee,
            reasons: alloc::vec::Vec::new(),
            pix: None,
            may_repeat_a_pix: false,
        }
    }
}
