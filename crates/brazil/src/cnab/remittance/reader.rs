//! Reading a remittance back: to check one's own file before it leaves.

use super::dialect::{Dialect, TitleColumns};
use super::order::{DiscountOrder, FineOrder, Instruction, InterestOrder, Order, Payer, ProtestOrder, Species, Title};
use crate::charges::Rate;
use crate::cnab::dialect240::payer as payer_id;
use crate::cnab::layout::Column;
use crate::cnab::record::{Record, Unreadable};
use crate::cnab::segments_out::{segment_p as p, segment_q as q, segment_r as r};
use crate::{Cep, State};
use alloc::{string::String, vec::Vec};
use kernel::{NaiveDate, personal::Personal};

/// Why a line of a remittance cannot be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ReadFault {
    /// A column does not hold what it should.
    #[error("line {line}: {column} cannot be read")]
    Column {
        /// Line from 1.
        line: u64,
        /// The column.
        column: &'static str,
    },
    /// A segment Q or R without its P, or of another movement.
    #[error("line {line} is out of place")]
    OutOfPlace {
        /// Line from 1.
        line: u64,
    },
}

impl ReadFault {
    /// Stable name of the refusal.
    pub fn slug(&self) -> &'static str {
        match self {
            ReadFault::Column { .. } => "remittance_column",
            ReadFault::OutOfPlace { .. } => "remittance_out_of_place",
        }
    }
}

/// Reads segments P, Q and R, a line at a time; headers and trailers end an order and are not looked into.
#[derive(Debug, Default)]
pub struct RemittanceReader {
    waiting: Option<Order>,
    line: u64,
}

fn read<T>(record: &Record, column: &Column, value: Option<T>) -> Result<T, ReadFault> {
    value.ok_or(ReadFault::Column { line: record.line, column: column.name })
}

fn day(record: &Record, column: &Column) -> Result<NaiveDate, ReadFault> {
    read(record, column, record.day(column).ok().flatten())
}

fn cents(record: &Record, column: &Column) -> Result<i64, ReadFault> {
    read(record, column, record.cents(column).ok())
}

fn number<T: TryFrom<u64>>(record: &Record, column: &Column) -> Result<T, ReadFault> {
    let found = record.number(column).and_then(|number| T::try_from(number).map_err(|_| Unreadable));
    read(record, column, found.ok())
}

fn rate(record: &Record, column: &Column) -> Result<Rate, ReadFault> {
    number(record, column).map(Rate::from_hundredths)
}

impl RemittanceReader {
    /// Takes the next line; gives the order before it once that is complete. Errors: [`ReadFault`].
    pub fn line(&mut self, text: &str) -> Result<Option<Order>, ReadFault> {
        self.line += 1;
        let record = Record::new(text, self.line);
        match (record.char_at(p::RECORD_TYPE.from), record.char_at(p::SEGMENT.from)) {
            ('3', 'P') => {
                let order = title(&record)?;
                Ok(self.waiting.replace(order))
            }
            ('3', 'Q') => {
                let found = payer(&record)?;
                self.open(&record)?.title.payer = Some(found);
                Ok(None)
            }
            ('3', 'R') => {
                let (discounts, fine) = charges(&record)?;
                let order = self.open(&record)?;
                order.title.discounts.extend(discounts);
                order.title.fine = fine;
                Ok(None)
            }
            _ => Ok(self.waiting.take()),
        }
    }

    /// The last order, where no trailer came.
    pub fn finish(self) -> Option<Order> {
        self.waiting
    }

    /// The order that a segment Q or R belongs to.
    fn open(&mut self, record: &Record) -> Result<&mut Order, ReadFault> {
        let movement = record.text(&p::MOVEMENT);
        let waiting = self.waiting.as_mut().filter(|order| order.instruction.code() == movement);
        waiting.ok_or(ReadFault::OutOfPlace { line: record.line })
    }
}

fn title(record: &Record) -> Result<Order, ReadFault> {
    let bank = number(record, &p::BANK)?;
    let TitleColumns { nosso_numero, document, write_off_days, no_protest, .. } =
        read(record, &p::BANK, Dialect::of(bank).ok()).map(Dialect::title)?;
    let interest = match record.char_at(p::INTEREST_CODE.from) {
        '1' => InterestOrder::CentsPerDay(day(record, &p::INTEREST_ON)?, cents(record, &p::INTEREST)?),
        '2' => InterestOrder::PercentPerMonth(day(record, &p::INTEREST_ON)?, rate(record, &p::INTEREST)?),
        '3' => InterestOrder::Exempt,
        _ => return read(record, &p::INTEREST_CODE, None),
    };
    let protest = match record.char_at(p::PROTEST_CODE.from) {
        '1' => ProtestOrder::CalendarDays(number(record, &p::PROTEST_DAYS)?),
        '2' => ProtestOrder::BusinessDays(number(record, &p::PROTEST_DAYS)?),
        code if code.to_digit(10).map(u64::from) == Some(no_protest) => ProtestOrder::None,
        _ => return read(record, &p::PROTEST_CODE, None),
    };
    let write_off_days = match record.char_at(p::WRITE_OFF_CODE.from) {
        '1' => Some(number(record, &write_off_days)?),
        _ => None,
    };
    let first = discount(record, (&p::DISCOUNT_1_CODE, &p::DISCOUNT_1_ON, &p::DISCOUNT_1))?;
    Ok(Order {
        instruction: read(record, &p::MOVEMENT, Instruction::of(record.text(&p::MOVEMENT)))?,
        title: Title {
            nosso_numero: String::from(record.text(&nosso_numero)),
            wallet: number(record, &p::WALLET)?,
            document: String::from(record.text(&document)),
            company_use: String::from(record.text(&p::COMPANY_USE)),
            due: day(record, &p::DUE)?,
            issued_on: day(record, &p::ISSUED_ON)?,
            nominal_cents: cents(record, &p::NOMINAL)?,
            species: Species(number(record, &p::SPECIES)?),
            accepted: record.char_at(p::ACCEPTANCE.from) == 'A',
            interest,
            discounts: first.into_iter().collect(),
            abatement_cents: cents(record, &p::ABATEMENT)?,
            fine: None,
            protest,
            write_off_days,
            payer: None,
        },
    })
}

fn discount(record: &Record, (code, on, value): (&Column, &Column, &Column)) -> Result<Option<DiscountOrder>, ReadFault> {
    match number(record, code)? {
        0 => Ok(None),
        code => Ok(Some(DiscountOrder { code, until: day(record, on)?, hundredths: cents(record, value)? })),
    }
}

fn payer(record: &Record) -> Result<Payer, ReadFault> {
    let cep = alloc::format!("{}{}", record.raw(&q::POSTAL_CODE), record.raw(&q::POSTAL_SUFFIX));
    Ok(Payer {
        tax_id: read(record, &q::PAYER_ID, payer_id(record, &q::PAYER_ID_TYPE, &q::PAYER_ID))?,
        name: Personal::new(String::from(record.text(&q::PAYER_NAME))),
        street: Personal::new(String::from(record.text(&q::STREET))),
        district: Personal::new(String::from(record.text(&q::DISTRICT))),
        cep: read(record, &q::POSTAL_CODE, Cep::parse(&cep).ok())?,
        city: String::from(record.text(&q::CITY)),
        state: read(record, &q::STATE, State::named(record.text(&q::STATE)))?,
    })
}

fn charges(record: &Record) -> Result<(Vec<DiscountOrder>, Option<FineOrder>), ReadFault> {
    let second = discount(record, (&r::DISCOUNT_2_CODE, &r::DISCOUNT_2_ON, &r::DISCOUNT_2))?;
    let third = discount(record, (&r::DISCOUNT_3_CODE, &r::DISCOUNT_3_ON, &r::DISCOUNT_3))?;
    let fine = match record.char_at(r::FINE_CODE.from) {
        '1' => Some(FineOrder::Fixed(day(record, &r::FINE_ON)?, cents(record, &r::FINE)?)),
        '2' => Some(FineOrder::Percent(day(record, &r::FINE_ON)?, rate(record, &r::FINE)?)),
        ' ' | '0' => None,
        _ => return read(record, &r::FINE_CODE, None),
    };
    Ok((second.into_iter().chain(third).collect(), fine))
}
