//! CNAB 240 return: file header, lots of T and U segments, trailers.

use super::decode::{Reading, reasons};
use super::dialect240::{SegmentT, segment_t};
use super::frame240::{file_header, file_trailer, lot_header, lot_trailer};
use super::key::Ordinals;
use super::movement240::{event_of, is_supported};
use super::progress::{Heading, Progress};
use super::record::{Record, Unreadable};
use super::segments_in::{segment_t as t, segment_u as u};
use super::{Entry, Format, Refusal, Report, Review, ReviewReason, Settlement, TitleRef, Warning};
use alloc::string::String;

/// Characters of a record.
const SIZE: usize = 240;
/// Longest line that is tolerated.
const TOLERATED: usize = 266;
/// Positions of a record that are its own: before them the file counts.
const OWN_240: (usize, usize) = (14, SIZE);
const SANTANDER: u16 = 33;
const CAIXA: u16 = 104;
const ITAU: u16 = 341;

/// An open lot.
#[derive(Debug, Default)]
struct Lot {
    agreement: String,
    /// With its header.
    records: u64,
    details: u64,
}

/// A return being read.
#[derive(Debug)]
pub(super) struct Return240 {
    progress: Progress,
    ordinals: Ordinals,
    columns: SegmentT,
    /// The header's flag where it says neither remittance nor return.
    doubtful: Option<char>,
    lot: Option<Lot>,
    lots: u64,
    /// A segment T that waits for its U.
    title: Option<Record>,
}

impl Return240 {
    /// Begins with the file header. Errors: [`Refusal`] where it is no return of collection.
    pub fn begin(header: &Record) -> Result<Self, Refusal> {
        let bank = header.number(&file_header::BANK).ok().and_then(|bank| u16::try_from(bank).ok()).ok_or(Refusal::NotABankFile)?;
        let flag = header.char_at(file_header::DIRECTION.from);
        let doubtful = match (flag, bank) {
            ('1', _) => return Err(Refusal::Remittance),
            ('2', _) => None,
            ('3'..='5', CAIXA) => return Err(Refusal::PreCritique { code: u8::try_from(flag).unwrap_or(b'0') - b'0' }),
            (flag, _) => Some(flag),
        };
        if !is_supported(bank) {
            return Err(Refusal::UnsupportedBank { format: Format::Cnab240, bank });
        }
        let mut progress = Progress::new(Heading {
            format: Format::Cnab240,
            bank,
            agreement: String::from(header.text(&file_header::AGREEMENT)),
            sequence: String::from(header.text(&file_header::SEQUENCE)),
            created_on: header.day(&file_header::CREATED_ON).ok().flatten(),
            created_at: header.time(&file_header::CREATED_AT),
        });
        progress.line(header, SIZE, TOLERATED)?;
        if let Some(flag) = doubtful {
            progress.warn(Warning::Direction { flag });
        }
        let columns = segment_t(bank);
        Ok(Self { progress, ordinals: Ordinals::default(), columns, doubtful, lot: None, lots: 0, title: None })
    }

    fn bank(&self) -> u16 {
        self.progress.report.bank
    }

    /// Takes the next record. Errors: [`Refusal`].
    pub fn record(&mut self, record: Record, sink: &mut dyn FnMut(Entry)) -> Result<(), Refusal> {
        self.progress.line(&record, SIZE, TOLERATED)?;
        if record.number(&t::BANK) != Ok(u64::from(self.bank())) {
            self.progress.warn(Warning::OtherBank { line: record.line });
        }
        match record.char_at(t::RECORD_TYPE.from) {
            '0' => Err(Refusal::OutOfPlace { line: record.line }),
            '1' => self.open_lot(&record, sink),
            '3' => self.detail(record, sink),
            '5' => self.close_lot(&record, sink),
            '9' => self.close_file(&record, sink),
            // Initial and final records of a lot (2, 4) are optional and say nothing of titles.
            '2' | '4' => {
                self.count();
                self.progress.warn(Warning::Ignored { line: record.line });
                Ok(())
            }
            _ => {
                self.count();
                self.give_unknown(&record, sink);
                Ok(())
            }
        }
    }

    /// The report of a whole file. Errors: [`Refusal`].
    pub fn finish(self) -> Result<Report, Refusal> {
        let read = self.progress.report.facts + self.progress.report.reviews;
        match self.doubtful {
            Some(flag) if read == 0 => Err(Refusal::Direction { flag }),
            _ => self.progress.finish(),
        }
    }

    fn count(&mut self) {
        if let Some(lot) = &mut self.lot {
            lot.records += 1;
        }
    }

    fn give_unknown(&mut self, record: &Record, sink: &mut dyn FnMut(Entry)) {
        let (reason, movement, title) = (ReviewReason::UnknownRecord, String::new(), TitleRef::default());
        let print = record.print(OWN_240);
        self.progress.give(Entry::Review(Review { line: record.line, reason, movement, title, print }), sink);
    }

    fn open_lot(&mut self, record: &Record, sink: &mut dyn FnMut(Entry)) -> Result<(), Refusal> {
        self.leave_title(sink);
        if self.lot.is_some() {
            self.progress.warn(Warning::OpenLot { line: record.line });
        }
        if let Some(flag) = self.doubtful.filter(|_| record.char_at(lot_header::OPERATION.from) != 'T') {
            return Err(Refusal::Direction { flag });
        }
        let service = record.text(&lot_header::SERVICE);
        if !matches!(service, "01" | "00" | "") {
            return Err(Refusal::ForeignService { line: record.line, what: String::from(service) });
        }
        let own = record.text(&lot_header::AGREEMENT);
        let agreement = if own.is_empty() { self.progress.report.agreement.clone() } else { String::from(own) };
        self.lot = Some(Lot { agreement, records: 1, details: 0 });
        self.lots += 1;
        Ok(())
    }

    fn detail(&mut self, record: Record, sink: &mut dyn FnMut(Entry)) -> Result<(), Refusal> {
        let Some(lot) = &mut self.lot else {
            return Err(Refusal::OutOfPlace { line: record.line });
        };
        lot.records += 1;
        lot.details += 1;
        match record.char_at(t::SEGMENT.from) {
            'T' => {
                self.leave_title(sink);
                self.title = Some(record);
                Ok(())
            }
            'U' => self.amounts(&record, sink),
            // Y is optional: cheques, payer data.
            'Y' => Ok(()),
            other => Err(Refusal::ForeignService { line: record.line, what: String::from(other) }),
        }
    }

    /// Gives a segment T that got no U.
    fn leave_title(&mut self, sink: &mut dyn FnMut(Entry)) {
        if let Some(title) = self.title.take() {
            let movement = String::from(title.text(&t::MOVEMENT));
            let reason = if movement.is_empty() { ReviewReason::BlankMovement } else { ReviewReason::MissingAmounts };
            let print = title.print(OWN_240);
            let entry = Entry::Review(Review { line: title.line, reason, movement, title: self.title_of(&title), print });
            self.progress.give(entry, sink);
        }
    }

    fn title_of(&self, record: &Record) -> TitleRef {
        let agreement = self.lot.as_ref().map_or("", |lot| lot.agreement.as_str());
        self.columns.title(record, agreement)
    }

    fn amounts(&mut self, record: &Record, sink: &mut dyn FnMut(Entry)) -> Result<(), Refusal> {
        let movement = record.text(&u::MOVEMENT);
        let Some(title) = self.title.take() else {
            let (reason, title) = (ReviewReason::MissingTitle, TitleRef::default());
            let print = record.print(OWN_240);
            let movement = String::from(movement);
            self.progress.give(Entry::Review(Review { line: record.line, reason, movement, title, print }), sink);
            return Ok(());
        };
        let reading = self.reading(&title, record);
        let print = || title.print(OWN_240) ^ record.print(OWN_240).rotate_left(1);
        let entry = if reading.movement.is_empty() || reading.movement == movement {
            reading.judge(&mut self.ordinals, print)?
        } else {
            reading.review(ReviewReason::MovementsDiffer, print())
        };
        self.progress.give(entry, sink);
        Ok(())
    }

    fn reading(&self, title: &Record, amounts: &Record) -> Reading {
        let movement = title.text(&t::MOVEMENT);
        Reading {
            line: title.line,
            bank: self.bank(),
            event: event_of(self.bank(), movement),
            movement: String::from(movement),
            title: self.title_of(title),
            nominal: title.cents(&self.columns.nominal),
            due: title.day(&self.columns.due),
            event_on: amounts.day(&u::EVENT_ON),
            credit_on: amounts.day(&u::CREDIT_ON),
            settlement: self.settlement(amounts),
            fee: title.cents(&self.columns.fee),
            reasons: reasons(title.run(&self.columns.reasons), 2),
            pix: None,
            may_repeat_a_pix: false,
        }
    }

    fn settlement(&self, amounts: &Record) -> Result<Settlement, Unreadable> {
        Ok(Settlement {
            paid_cents: amounts.cents(&u::PAID)?,
            net_cents: amounts.cents(&u::NET).unwrap_or(0),
            additions_cents: amounts.cents(&u::ADDITIONS).unwrap_or(0),
            discount_cents: amounts.cents(&u::DISCOUNT).unwrap_or(0),
            abatement_cents: amounts.cents(&u::ABATEMENT).unwrap_or(0),
            paid_is_net: self.bank() == ITAU,
        })
    }

    fn close_lot(&mut self, record: &Record, sink: &mut dyn FnMut(Entry)) -> Result<(), Refusal> {
        self.leave_title(sink);
        let Some(lot) = self.lot.take() else {
            return Err(Refusal::OutOfPlace { line: record.line });
        };
        let counted = if self.bank() == SANTANDER { lot.details } else { lot.records + 1 };
        self.progress.check(record.line, "records of the lot", record.number(&lot_trailer::RECORDS).ok(), counted);
        Ok(())
    }

    fn close_file(&mut self, record: &Record, sink: &mut dyn FnMut(Entry)) -> Result<(), Refusal> {
        self.leave_title(sink);
        if self.lot.take().is_some() {
            self.progress.warn(Warning::OpenLot { line: record.line });
        }
        let (lots, lines) = (self.lots, self.progress.report.lines);
        self.progress.check(record.line, "lots of the file", record.number(&file_trailer::LOTS).ok(), lots);
        self.progress.check(record.line, "records of the file", record.number(&file_trailer::RECORDS).ok(), lines);
        self.progress.closed = true;
        Ok(())
    }
}
