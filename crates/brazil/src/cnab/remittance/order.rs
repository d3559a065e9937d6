//! What is asked of the bank, and what of it is refused before it leaves.

use crate::charges::Rate;
use crate::{Cep, State, TaxId, ascii};
use alloc::{string::String, vec::Vec};
use kernel::{NaiveDate, personal::Personal};

/// Largest amount: 15 digits.
const MAX_CENTS: i64 = 999_999_999_999_999;

/// Who writes, and where its money goes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Company {
    /// COMPE code.
    pub bank: u16,
    /// Bank's name, at most 30 characters.
    pub bank_name: String,
    /// CPF or CNPJ.
    pub tax_id: TaxId,
    /// Name, cut to 30 characters.
    pub name: String,
    /// Agreement, at most 20 characters; the beneficiary's code at Santander (7 digits) and Caixa (6 digits).
    pub agreement: String,
    /// Agency, at most 5 digits.
    pub agency: String,
    /// Its check digit, or a blank.
    pub agency_digit: char,
    /// Account, at most 12 digits.
    pub account: String,
    /// Its check digit, or a blank.
    pub account_digit: char,
    /// Check digit of both, or a blank.
    pub agency_account_digit: char,
}

/// One thing that is asked of the bank.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Order {
    /// What is asked.
    pub instruction: Instruction,
    /// Of which title.
    pub title: Title,
}

/// Movement of the remittance (C004).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Instruction {
    /// 01: register.
    Entry,
    /// 02: write off.
    WriteOff,
    /// Change a registered title.
    Amend(Amendment),
}

/// A change of a registered title.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Amendment {
    /// 04.
    GrantAbatement,
    /// 05.
    CancelAbatement,
    /// 06.
    DueDate,
    /// 07.
    GrantDiscount,
    /// 08.
    CancelDiscount,
    /// 12.
    Interest,
    /// 13.
    WaiveInterest,
    /// 14.
    Fine,
    /// 15.
    WaiveFine,
    /// 31: other data, payer and address among them.
    OtherData,
    /// 47.
    Nominal,
}

const CODES: [(&str, Instruction); 13] = [
    ("01", Instruction::Entry),
    ("02", Instruction::WriteOff),
    ("04", Instruction::Amend(Amendment::GrantAbatement)),
    ("05", Instruction::Amend(Amendment::CancelAbatement)),
    ("06", Instruction::Amend(Amendment::DueDate)),
    ("07", Instruction::Amend(Amendment::GrantDiscount)),
    ("08", Instruction::Amend(Amendment::CancelDiscount)),
    ("12", Instruction::Amend(Amendment::Interest)),
    ("13", Instruction::Amend(Amendment::WaiveInterest)),
    ("14", Instruction::Amend(Amendment::Fine)),
    ("15", Instruction::Amend(Amendment::WaiveFine)),
    ("31", Instruction::Amend(Amendment::OtherData)),
    ("47", Instruction::Amend(Amendment::Nominal)),
];

impl Instruction {
    /// The two digits.
    pub fn code(self) -> &'static str {
        CODES.iter().find(|(_, instruction)| *instruction == self).map_or("00", |(code, _)| code)
    }

    /// By its two digits.
    pub fn of(code: &str) -> Option<Self> {
        CODES.iter().find(|(known, _)| *known == code).map(|(_, instruction)| *instruction)
    }

    /// Whether segment Q must tell who pays.
    pub(super) fn needs_payer(self) -> bool {
        matches!(self, Instruction::Entry | Instruction::Amend(Amendment::OtherData))
    }
}

/// A title.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Title {
    /// The bank's number as its columns want it: at most 20 characters; 13 digits at Santander, 17 at Caixa.
    pub nosso_numero: String,
    /// Wallet, one digit.
    pub wallet: u8,
    /// The company's document number, at most 15 characters; 11 at Caixa.
    pub document: String,
    /// The company's own text, at most 25 characters; the bank gives it back.
    pub company_use: String,
    /// Due date.
    pub due: NaiveDate,
    /// Day of issue.
    pub issued_on: NaiveDate,
    /// Nominal value, cents.
    pub nominal_cents: i64,
    /// Kind of document.
    pub species: Species,
    /// Accepted by the payer.
    pub accepted: bool,
    /// Interest for being late.
    pub interest: InterestOrder,
    /// At most three discounts, the first in segment P, the others in R.
    pub discounts: Vec<DiscountOrder>,
    /// Abatement, cents.
    pub abatement_cents: i64,
    /// Fine for being late.
    pub fine: Option<FineOrder>,
    /// Protest.
    pub protest: ProtestOrder,
    /// Days after the due date on which the bank writes it off; `None` for never.
    pub write_off_days: Option<u16>,
    /// Who pays; needed to register and to change other data.
    pub payer: Option<Payer>,
}

/// Kind of document (C015), two digits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Species(pub u8);

impl Species {
    /// Duplicata mercantil.
    pub const DM: Species = Species(2);
    /// Duplicata de serviço.
    pub const DS: Species = Species(4);
    /// Recibo.
    pub const RC: Species = Species(17);
    /// Boleto de proposta: bears no fine, interest or protest.
    pub const BDP: Species = Species(32);
    /// Others.
    pub const OTHER: Species = Species(99);
}

/// Interest (C018), from a day after the due date on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum InterestOrder {
    /// 3.
    #[default]
    Exempt,
    /// 1: cents a day.
    CentsPerDay(NaiveDate, i64),
    /// 2: percent a month, whole hundredths.
    PercentPerMonth(NaiveDate, Rate),
}

/// A discount (C021): code 1 fixed until a date, 2 percent until a date, 3 to 7 the others of FEBRABAN's table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DiscountOrder {
    /// 1 to 7.
    pub code: u8,
    /// Last day.
    pub until: NaiveDate,
    /// Cents, or hundredths of a percent, as the code says.
    pub hundredths: i64,
}

/// The fine (G073), from a day on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FineOrder {
    /// 1: cents.
    Fixed(NaiveDate, i64),
    /// 2: percent, whole hundredths.
    Percent(NaiveDate, Rate),
}

/// Protest (C026).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ProtestOrder {
    /// 3: none.
    None,
    /// 1: so many calendar days after the due date.
    CalendarDays(u8),
    /// 2: so many business days after it.
    BusinessDays(u8),
}

/// Who pays.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Payer {
    /// CPF or CNPJ.
    pub tax_id: TaxId,
    /// Name, cut to 40 characters.
    pub name: Personal,
    /// Street and number, cut to 40 characters.
    pub street: Personal,
    /// District, cut to 15 characters.
    pub district: Personal,
    /// Postal code.
    pub cep: Cep,
    /// City, cut to 15 characters.
    pub city: String,
    /// State.
    pub state: State,
}

/// What is wrong with an order, by field.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum OrderFault {
    /// Empty, or of other characters than the layout takes.
    #[error("{0} is empty or has characters that the layout does not take")]
    Text(&'static str),
    /// Too long for its columns.
    #[error("{0} does not fit its columns")]
    TooWide(&'static str),
    /// Below zero, or past what makes sense beside the nominal value.
    #[error("{0} is out of range")]
    Range(&'static str),
    /// A rate with more than two decimals.
    #[error("{0} has more than two decimals")]
    Decimals(&'static str),
    /// A date that contradicts the due date.
    #[error("{0} contradicts the due date")]
    Date(&'static str),
    /// A boleto de proposta with a fine, interest or protest.
    #[error("a boleto de proposta bears no {0}")]
    Proposal(&'static str),
    /// The title would be written off before it is protested.
    #[error("write_off_days is not after the protest")]
    WriteOffBeforeProtest,
    /// Who pays is not said.
    #[error("payer is missing")]
    PayerMissing,
    /// No remittance of this bank is known here.
    #[error("remittance of bank {0:03} is not supported")]
    UnsupportedBank(u16),
    /// More orders than a file's counters hold (about 300 thousand).
    #[error("the file is full")]
    FileFull,
}

impl OrderFault {
    /// Stable name of the refusal.
    pub fn slug(&self) -> &'static str {
        match self {
            OrderFault::Text(_) => "remittance_text",
            OrderFault::TooWide(_) => "remittance_too_wide",
            OrderFault::Range(_) => "remittance_range",
            OrderFault::Decimals(_) => "remittance_decimals",
            OrderFault::Date(_) => "remittance_date",
            OrderFault::Proposal(_) => "remittance_proposal",
            OrderFault::WriteOffBeforeProtest => "remittance_write_off_before_protest",
            OrderFault::PayerMissing => "remittance_payer_missing",
            OrderFault::UnsupportedBank(_) => "remittance_unsupported_bank",
            OrderFault::FileFull => "remittance_file_full",
        }
    }
}

/// Hundredths of a percent of a rate with at most two decimals.
pub(super) fn hundredths(field: &'static str, rate: Rate) -> Result<i64, OrderFault> {
    if !rate.micros().is_multiple_of(10_000) {
        return Err(OrderFault::Decimals(field));
    }
    i64::try_from(rate.micros() / 10_000).map_err(|_| OrderFault::Range(field))
}

impl Order {
    /// Everything that is wrong, all at once; empty where nothing is.
    pub fn faults(&self) -> Vec<OrderFault> {
        let mut faults = Vec::new();
        self.title.amount_faults(&mut faults);
        self.title.rule_faults(&mut faults);
        match &self.title.payer {
            Some(payer) => payer.faults(&mut faults),
            None if self.instruction.needs_payer() => faults.push(OrderFault::PayerMissing),
            None => {}
        }
        faults
    }
}

impl Title {
    fn amount_faults(&self, faults: &mut Vec<OrderFault>) {
        let nominal = self.nominal_cents;
        if !(1..=MAX_CENTS).contains(&nominal) {
            faults.push(OrderFault::Range("nominal_cents"));
        }
        if !(0..nominal.max(1)).contains(&self.abatement_cents) {
            faults.push(OrderFault::Range("abatement_cents"));
        }
        match self.interest {
            InterestOrder::Exempt => {}
            InterestOrder::CentsPerDay(_, cents) if (1..=MAX_CENTS).contains(&cents) => {}
            InterestOrder::CentsPerDay(..) => faults.push(OrderFault::Range("interest")),
            InterestOrder::PercentPerMonth(_, rate) => faults.extend(hundredths("interest", rate).err()),
        }
        match self.fine {
            Some(FineOrder::Fixed(_, cents)) if !(1..=MAX_CENTS).contains(&cents) => faults.push(OrderFault::Range("fine")),
            Some(FineOrder::Percent(_, rate)) => faults.extend(hundredths("fine", rate).err()),
            Some(FineOrder::Fixed(..)) | None => {}
        }
        for discount in &self.discounts {
            let max = if discount.code == 1 { nominal - 1 } else { MAX_CENTS };
            if !(1..=7).contains(&discount.code) || !(1..=max.max(1)).contains(&discount.hundredths) {
                faults.push(OrderFault::Range("discounts"));
            }
        }
    }

    fn rule_faults(&self, faults: &mut Vec<OrderFault>) {
        if self.wallet > 9 {
            faults.push(OrderFault::Range("wallet"));
        }
        if self.discounts.len() > 3 {
            faults.push(OrderFault::TooWide("discounts"));
        }
        if self.discounts.iter().any(|discount| discount.until > self.due) {
            faults.push(OrderFault::Date("discounts"));
        }
        if self.issued_on > self.due {
            faults.push(OrderFault::Date("issued_on"));
        }
        if let Some(FineOrder::Fixed(from, _) | FineOrder::Percent(from, _)) = self.fine
            && from < self.due
        {
            faults.push(OrderFault::Date("fine"));
        }
        if let InterestOrder::CentsPerDay(from, _) | InterestOrder::PercentPerMonth(from, _) = self.interest
            && from <= self.due
        {
            faults.push(OrderFault::Date("interest"));
        }
        let protest_days = match self.protest {
            ProtestOrder::None => None,
            ProtestOrder::CalendarDays(days) | ProtestOrder::BusinessDays(days) => Some(days),
        };
        if protest_days.is_some_and(|days| days > 99) {
            faults.push(OrderFault::Range("protest"));
        }
        if self.write_off_days.is_some_and(|days| days > 999) {
            faults.push(OrderFault::Range("write_off_days"));
        }
        if protest_days.zip(self.write_off_days).is_some_and(|(protest, write_off)| write_off <= u16::from(protest)) {
            faults.push(OrderFault::WriteOffBeforeProtest);
        }
        if self.species == Species::BDP {
            let borne =
                [("fine", self.fine.is_some()), ("interest", self.interest != InterestOrder::Exempt), ("protest", protest_days.is_some())];
            faults.extend(borne.iter().filter(|(_, borne)| *borne).map(|(what, _)| OrderFault::Proposal(what)));
        }
    }
}

impl Payer {
    fn faults(&self, faults: &mut Vec<OrderFault>) {
        let fields = [("payer.name", self.name.reveal()), ("payer.street", self.street.reveal()), ("payer.city", &self.city)];
        faults.extend(fields.iter().filter(|(_, text)| ascii::plain(text).is_empty()).map(|(field, _)| OrderFault::Text(field)));
    }
}
