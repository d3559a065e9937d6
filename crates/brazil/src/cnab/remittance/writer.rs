//! Writing a remittance, an order at a time.

use super::dialect::Dialect;
use super::order::{Company, DiscountOrder, FineOrder, InterestOrder, Order, OrderFault, Payer, ProtestOrder, hundredths};
use super::text::Line;
use crate::cnab::frame240::{file_header, file_trailer, lot_header, lot_trailer};
use crate::cnab::layout::Column;
use crate::cnab::santander_out::file_header as santander;
use crate::cnab::segments_out::{segment_p as p, segment_q as q, segment_r as r};
use crate::tax_id::{TaxId, TaxIdKind};
use alloc::{string::String, vec::Vec};
use chrono::NaiveTime;
use kernel::NaiveDate;

/// Records of one lot: six digits, less header and trailer.
const MAX_RECORDS: u64 = 99_999;

/// Writes one file with one lot. Lines have 240 characters of ASCII and no line end; join them with CRLF.
#[derive(Debug, Clone)]
pub struct RemittanceWriter {
    company: Company,
    dialect: Dialect,
    sequence: u32,
    created_on: NaiveDate,
    created_at: NaiveTime,
    /// Segments so far.
    records: u64,
    titles: u64,
    total_cents: i64,
}

impl RemittanceWriter {
    /// A file; `sequence` is its number (NSA), at most six digits. Errors: [`OrderFault`].
    pub fn new(company: Company, sequence: u32, created_on: NaiveDate, created_at: NaiveTime) -> Result<Self, OrderFault> {
        let dialect = Dialect::of(company.bank)?;
        let writer = Self { company, dialect, sequence, created_on, created_at, records: 0, titles: 0, total_cents: 0 };
        writer.begin()?;
        Ok(writer)
    }

    /// Whether a bank's file is written here.
    pub fn writes(bank: u16) -> bool {
        Dialect::of(bank).is_ok()
    }

    /// File header and lot header. Errors: [`OrderFault`] for a field of the company that does not fit.
    pub fn begin(&self) -> Result<[String; 2], OrderFault> {
        use {file_header as h, lot_header as l};
        let (company, records) = (&self.company, self.dialect.records());
        let mut file = Line::of(records.file_header);
        file.put_number(&h::BANK, u64::from(company.bank));
        file.put_prose(&h::COMPANY_NAME, &company.name);
        self.dialect.put_file_company(&mut file, company);
        file.put_prose(&h::BANK_NAME, &company.bank_name);
        file.put_number(&h::DIRECTION, 1);
        file.put_day(&h::CREATED_ON, self.created_on);
        match self.dialect {
            Dialect::Santander => put_tax_id(&mut file, (&santander::COMPANY_ID_TYPE, &santander::COMPANY_ID), &company.tax_id),
            Dialect::Febraban | Dialect::Caixa => {
                put_tax_id(&mut file, (&h::COMPANY_ID_TYPE, &h::COMPANY_ID), &company.tax_id);
                file.put_exact(&h::CREATED_AT, &alloc::format!("{}", self.created_at.format("%H%M%S")));
            }
        }
        file.put_number(&h::SEQUENCE, u64::from(self.sequence));
        let mut lot = Line::of(records.lot_header);
        lot.put_number(&l::BANK, u64::from(company.bank));
        put_tax_id(&mut lot, (&l::COMPANY_ID_TYPE, &l::COMPANY_ID), &company.tax_id);
        lot.put_prose(&l::COMPANY_NAME, &company.name);
        self.dialect.put_lot_company(&mut lot, company);
        lot.put_number(&l::LOT, 1);
        lot.put_char(&l::OPERATION, 'R');
        lot.put_number(&l::SEQUENCE, u64::from(self.sequence));
        lot.put_day(&l::CREATED_ON, self.created_on);
        Ok([file.finish()?, lot.finish()?])
    }

    /// The segments of an order: P, then Q where it tells who pays, then R where it has anything to say.
    /// Errors: every fault of the order; nothing is counted then.
    pub fn order(&mut self, order: &Order) -> Result<Vec<String>, Vec<OrderFault>> {
        let faults = order.faults();
        if !faults.is_empty() {
            return Err(faults);
        }
        let lines = self.segments(order).map_err(|fault| alloc::vec![fault])?;
        let total_cents = self.total_cents.checked_add(order.title.nominal_cents);
        let total_cents = total_cents.filter(|total| *total < 100_000_000_000_000_000);
        self.total_cents = total_cents.ok_or_else(|| alloc::vec![OrderFault::FileFull])?;
        self.records += lines.len() as u64;
        self.titles += 1;
        Ok(lines)
    }

    fn segments(&self, order: &Order) -> Result<Vec<String>, OrderFault> {
        let mut next = self.records;
        let mut sequence = || {
            next += 1;
            if next > MAX_RECORDS { Err(OrderFault::FileFull) } else { Ok(next) }
        };
        let mut lines = Vec::from([self.title_line(order, sequence()?)?]);
        if let Some(payer) = &order.title.payer {
            lines.push(self.payer_line(order, payer, sequence()?)?);
        }
        if order.title.discounts.len() > 1 || order.title.fine.is_some() {
            lines.push(self.charges_line(order, sequence()?)?);
        }
        Ok(lines)
    }

    fn title_line(&self, order: &Order, sequence: u64) -> Result<String, OrderFault> {
        let (title, columns) = (&order.title, self.dialect.title());
        let mut line = Line::of(self.dialect.records().title);
        line.put_number(&p::BANK, u64::from(self.company.bank));
        line.put_number(&p::LOT, 1);
        line.put_number(&p::SEQUENCE, sequence);
        line.put_exact(&p::MOVEMENT, order.instruction.code());
        self.dialect.put_title_number(&mut line, &self.company, title);
        line.put_number(&p::WALLET, u64::from(title.wallet));
        line.put_number(&p::REGISTRATION, 1);
        line.put_char(&p::DOCUMENT_KIND, columns.document_kind);
        if let Some((issuer, distribution)) = columns.issue {
            line.put_number(&p::ISSUER, issuer);
            line.put_char(&p::DISTRIBUTION, distribution);
        }
        line.put_exact(&columns.document, &title.document);
        line.put_day(&p::DUE, title.due);
        line.put_cents(&p::NOMINAL, title.nominal_cents);
        line.put_number(&p::SPECIES, u64::from(title.species.0));
        line.put_char(&p::ACCEPTANCE, if title.accepted { 'A' } else { 'N' });
        line.put_day(&p::ISSUED_ON, title.issued_on);
        put_interest(&mut line, title.interest)?;
        put_discount(&mut line, title.discounts.first(), (&p::DISCOUNT_1_CODE, &p::DISCOUNT_1_ON, &p::DISCOUNT_1));
        line.put_cents(&p::ABATEMENT, title.abatement_cents);
        line.put_exact(&p::COMPANY_USE, &title.company_use);
        let (protest_code, protest_days) = match title.protest {
            ProtestOrder::None => (columns.no_protest, 0),
            ProtestOrder::CalendarDays(days) => (1, days),
            ProtestOrder::BusinessDays(days) => (2, days),
        };
        line.put_number(&p::PROTEST_CODE, protest_code);
        line.put_number(&p::PROTEST_DAYS, u64::from(protest_days));
        line.put_number(&p::WRITE_OFF_CODE, if title.write_off_days.is_some() { 1 } else { 2 });
        line.put_number(&columns.write_off_days, u64::from(title.write_off_days.unwrap_or(0)));
        line.put_number(&p::CURRENCY, columns.currency);
        line.finish()
    }

    fn payer_line(&self, order: &Order, payer: &Payer, sequence: u64) -> Result<String, OrderFault> {
        let mut line = Line::of(q::ALL);
        line.put_number(&q::BANK, u64::from(self.company.bank));
        line.put_number(&q::LOT, 1);
        line.put_number(&q::SEQUENCE, sequence);
        line.put_exact(&q::MOVEMENT, order.instruction.code());
        put_tax_id(&mut line, (&q::PAYER_ID_TYPE, &q::PAYER_ID), &payer.tax_id);
        line.put_prose(&q::PAYER_NAME, payer.name.reveal());
        line.put_prose(&q::STREET, payer.street.reveal());
        line.put_prose(&q::DISTRICT, payer.district.reveal());
        let cep = payer.cep.digits();
        line.put_exact(&q::POSTAL_CODE, cep.get(..5).unwrap_or("00000"));
        line.put_exact(&q::POSTAL_SUFFIX, cep.get(5..).unwrap_or("000"));
        line.put_prose(&q::CITY, &payer.city);
        line.put_exact(&q::STATE, payer.state.code());
        line.finish()
    }

    fn charges_line(&self, order: &Order, sequence: u64) -> Result<String, OrderFault> {
        let title = &order.title;
        let mut line = Line::of(r::ALL);
        line.put_number(&r::BANK, u64::from(self.company.bank));
        line.put_number(&r::LOT, 1);
        line.put_number(&r::SEQUENCE, sequence);
        line.put_exact(&r::MOVEMENT, order.instruction.code());
        put_discount(&mut line, title.discounts.get(1), (&r::DISCOUNT_2_CODE, &r::DISCOUNT_2_ON, &r::DISCOUNT_2));
        put_discount(&mut line, title.discounts.get(2), (&r::DISCOUNT_3_CODE, &r::DISCOUNT_3_ON, &r::DISCOUNT_3));
        let (code, from, value) = match title.fine {
            Some(FineOrder::Fixed(from, cents)) => ('1', Some(from), cents),
            Some(FineOrder::Percent(from, rate)) => ('2', Some(from), hundredths("fine", rate)?),
            None => (' ', None, 0),
        };
        line.put_char(&r::FINE_CODE, code);
        if let Some(from) = from {
            line.put_day(&r::FINE_ON, from);
        }
        line.put_cents(&r::FINE, value);
        line.finish()
    }

    /// Lot trailer and file trailer. Errors: [`OrderFault`], never after [`RemittanceWriter::order`] was `Ok`.
    pub fn finish(self) -> Result<[String; 2], OrderFault> {
        let records = self.dialect.records();
        let mut lot = Line::of(records.lot_trailer);
        lot.put_number(&lot_trailer::BANK, u64::from(self.company.bank));
        lot.put_number(&lot_trailer::LOT, 1);
        lot.put_number(&lot_trailer::RECORDS, self.records + 2);
        match self.dialect {
            Dialect::Santander => {}
            Dialect::Febraban | Dialect::Caixa => {
                lot.put_number(&lot_trailer::SIMPLE_COUNT, self.titles);
                lot.put_cents(&lot_trailer::SIMPLE_TOTAL, self.total_cents);
            }
        }
        let mut file = Line::of(records.file_trailer);
        file.put_number(&file_trailer::BANK, u64::from(self.company.bank));
        file.put_number(&file_trailer::LOTS, 1);
        file.put_number(&file_trailer::RECORDS, self.records + 4);
        Ok([lot.finish()?, file.finish()?])
    }
}

fn put_tax_id(line: &mut Line, (kind, id): (&Column, &Column), tax_id: &TaxId) {
    line.put_number(kind, if tax_id.kind() == TaxIdKind::Cpf { 1 } else { 2 });
    line.put_code(id, tax_id.reveal());
}

fn put_interest(line: &mut Line, interest: InterestOrder) -> Result<(), OrderFault> {
    let (code, from, value) = match interest {
        InterestOrder::Exempt => (3, None, 0),
        InterestOrder::CentsPerDay(from, cents) => (1, Some(from), cents),
        InterestOrder::PercentPerMonth(from, rate) => (2, Some(from), hundredths("interest", rate)?),
    };
    line.put_number(&p::INTEREST_CODE, code);
    if let Some(from) = from {
        line.put_day(&p::INTEREST_ON, from);
    }
    line.put_cents(&p::INTEREST, value);
    Ok(())
}

fn put_discount(line: &mut Line, discount: Option<&DiscountOrder>, (code, on, value): (&Column, &Column, &Column)) {
    if let Some(discount) = discount {
        line.put_number(code, u64::from(discount.code));
        line.put_day(on, discount.until);
        line.put_cents(value, discount.hundredths);
    }
}
