//! CNAB 400 return: header, details with optional Pix records, trailer.

use super::decode::Reading;
use super::dialect400::{Detail, Dialect, ITAU, dialect, shared};
use super::key::Ordinals;
use super::movement400::event_of;
use super::progress::{Heading, Progress};
use super::record::{Record, Unreadable};
use super::{Entry, Format, PixTrace, Refusal, Report, Review, ReviewReason, Settlement, TitleRef, Warning};
use alloc::string::String;

/// Characters of a record.
const SIZE: usize = 400;
/// Longest line that is tolerated: as much over its size as CNAB 240 may be.
const TOLERATED: usize = 426;
/// Positions of a record that are its own: after them the file counts.
const OWN_400: (usize, usize) = (1, 394);
/// Itaú: written off because paid, which may be a BolePix that the Pix channel tells of too.
const ITAU_PAID_OTHERWISE: &str = "10";

/// A return being read.
#[derive(Debug)]
pub(super) struct Return400 {
    progress: Progress,
    ordinals: Ordinals,
    dialect: &'static Dialect,
    /// The last detail, with its record: a Pix record may follow it.
    waiting: Option<(Reading, Record)>,
    titles: u64,
    nominal_cents: u64,
}

impl Return400 {
    /// Begins with the file header. Errors: [`Refusal`] where it is no return of collection of a bank that is read.
    pub fn begin(header: &Record) -> Result<Self, Refusal> {
        let kind = header.raw(&shared::HEADER);
        if kind.starts_with("01") {
            return Err(Refusal::Remittance);
        }
        if kind != "02RETORNO01" {
            return Err(Refusal::ForeignService { line: header.line, what: String::from(kind.trim()) });
        }
        let bank = header.number(&shared::BANK).ok().and_then(|bank| u16::try_from(bank).ok()).ok_or(Refusal::NotABankFile)?;
        let dialect = dialect(bank).ok_or(Refusal::UnsupportedBank { format: Format::Cnab400, bank })?;
        let mut progress = Progress::new(Heading {
            format: Format::Cnab400,
            bank,
            agreement: String::from(header.text(&shared::ACCOUNT)),
            sequence: dialect.sequence.map(|column| String::from(header.text(&column))).unwrap_or_default(),
            created_on: header.day(&shared::CREATED_ON).ok().flatten(),
            created_at: None,
        });
        progress.line(header, SIZE, TOLERATED)?;
        Ok(Self { progress, ordinals: Ordinals::default(), dialect, waiting: None, titles: 0, nominal_cents: 0 })
    }

    /// Takes the next record. Errors: [`Refusal`].
    pub fn record(&mut self, record: Record, sink: &mut dyn FnMut(Entry)) -> Result<(), Refusal> {
        self.progress.line(&record, SIZE, TOLERATED)?;
        let kind = record.char_at(1);
        if Some(kind) == self.dialect.pix_record && self.waiting.is_some() {
            self.pix(&record);
            return Ok(());
        }
        self.give_waiting(sink)?;
        if let Some(detail) = self.dialect.details.iter().find(|detail| detail.record_type == kind) {
            let reading = self.reading(&record, detail);
            self.titles += 1;
            self.nominal_cents =
                self.nominal_cents.saturating_add(reading.nominal.ok().and_then(|cents| u64::try_from(cents).ok()).unwrap_or(0));
            self.waiting = Some((reading, record));
            return Ok(());
        }
        match kind {
            '0' => Err(Refusal::OutOfPlace { line: record.line }),
            '9' => {
                self.close(&record);
                Ok(())
            }
            kind if self.dialect.ignored.contains(&kind) => {
                self.progress.warn(Warning::Ignored { line: record.line });
                Ok(())
            }
            _ => {
                let (reason, movement, title) = (ReviewReason::UnknownRecord, String::new(), TitleRef::default());
                let print = record.print(OWN_400);
                self.progress.give(Entry::Review(Review { line: record.line, reason, movement, title, print }), sink);
                Ok(())
            }
        }
    }

    /// The report of a whole file. Errors: [`Refusal::Truncated`].
    pub fn finish(self) -> Result<Report, Refusal> {
        self.progress.finish()
    }

    fn give_waiting(&mut self, sink: &mut dyn FnMut(Entry)) -> Result<(), Refusal> {
        if let Some((reading, record)) = self.waiting.take() {
            let entry = reading.judge(&mut self.ordinals, || record.print(OWN_400))?;
            self.progress.give(entry, sink);
        }
        Ok(())
    }

    /// Adds the Pix of an optional record to the detail before it.
    fn pix(&mut self, record: &Record) {
        let itau = self.dialect.bank == ITAU;
        let trace = if itau {
            PixTrace { br_code: String::from(record.text(&shared::PIX_CODE)), ..PixTrace::default() }
        } else {
            PixTrace { txid: String::from(record.text(&shared::PIX_TXID)), ..PixTrace::default() }
        };
        if let Some((waiting, _)) = &mut self.waiting {
            waiting.pix = (trace != PixTrace::default()).then_some(trace);
        }
    }

    fn reading(&self, record: &Record, detail: &Detail) -> Reading {
        let (bank, movement) = (self.dialect.bank, record.text(&shared::MOVEMENT));
        let fee = record.cents(&detail.fee);
        Reading {
            line: record.line,
            bank,
            event: event_of(bank, movement),
            may_repeat_a_pix: bank == ITAU && movement == ITAU_PAID_OTHERWISE,
            movement: String::from(movement),
            title: TitleRef {
                agreement: String::from(record.text(&detail.agreement)),
                nosso_numero: String::from(record.text(&detail.nosso_numero)),
                check: detail.check.map(|column| record.char_at(column.from)).filter(|check| *check != ' '),
                wallet: String::from(record.text(&detail.wallet)),
                company_use: String::from(record.text(&detail.company_use)),
                document: String::from(record.text(&shared::DOCUMENT)),
                ..TitleRef::default()
            },
            nominal: record.cents(&shared::NOMINAL),
            due: record.day(&shared::DUE),
            event_on: record.day(&shared::EVENT_ON),
            credit_on: record.day(&detail.credit_on),
            settlement: self.settlement(record, fee),
            fee,
            reasons: alloc::vec::Vec::new(),
            pix: None,
        }
    }

    fn settlement(&self, record: &Record, fee: Result<i64, Unreadable>) -> Result<Settlement, Unreadable> {
        let credited = record.cents(&shared::PAID)?;
        let fee = if self.dialect.adds_fee && credited > 0 { fee? } else { 0 };
        Ok(Settlement {
            paid_cents: credited.checked_add(fee).ok_or(Unreadable)?,
            net_cents: credited,
            additions_cents: record.cents(&shared::INTEREST).unwrap_or(0),
            discount_cents: record.cents(&shared::DISCOUNT).unwrap_or(0),
            abatement_cents: record.cents(&shared::ABATEMENT).unwrap_or(0),
            paid_is_net: false,
        })
    }

    fn close(&mut self, record: &Record) {
        if self.dialect.bank == ITAU {
            let (titles, nominal) = (self.titles, self.nominal_cents);
            self.progress.check(record.line, "titles of the file", record.number(&shared::TRAILER_TITLES).ok(), titles);
            self.progress.check(record.line, "nominal cents of the file", record.number(&shared::TRAILER_NOMINAL).ok(), nominal);
        }
        self.progress.closed = true;
    }
}
