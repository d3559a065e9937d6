//! The bank slip: bar code of 44 digits, typed line of 47.

use super::bank::nosso_numero;
use super::typed::{digits_from, digits_of, number_of, text_of};
use super::{BankTitle, FactorFault, Fault, Faults, InputFault, Issued, NossoNumero, due_factor};
use crate::check_digit::{boleto_general, mod10};
use alloc::{format, string::String, vec::Vec};
use core::fmt;
use kernel::NaiveDate;

/// Largest amount that leaves room for the due-date factor: R$ 99.999.999,99.
pub const MAX_AMOUNT_WITH_DUE_CENTS: u64 = 9_999_999_999;
/// Largest amount at all: 13 digits, the factor's place used up but for its leading zero.
pub const MAX_AMOUNT_CENTS: u64 = 9_999_999_999_999;
/// Caixa caps a title at R$ 9.999.999,99.
const CAIXA_MAX_AMOUNT_CENTS: u64 = 999_999_999;
/// COMPE code of Caixa.
const CAIXA: u16 = 104;

/// A bank slip whose check digits are right.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Boleto {
    /// Values 0 to 9; position 5 holds the general digit.
    digits: [u8; 44],
}

/// Why a slip cannot be made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum BuildFault {
    /// Bank code over 999, or one that would read as arrecadação (8xx).
    #[error("bank code {0} is not 001 to 799 or 900 to 999")]
    Bank(u16),
    /// More than the bar code holds, or than the bank takes.
    #[error("amount of {amount_cents} cents is past {max_cents}")]
    Amount {
        /// As asked.
        amount_cents: u64,
        /// Largest for this bank.
        max_cents: u64,
    },
    /// The due date has no factor.
    #[error(transparent)]
    Due(#[from] FactorFault),
    /// A field of the campo livre.
    #[error(transparent)]
    Input(#[from] InputFault),
}

impl BuildFault {
    /// Stable name of the refusal.
    pub fn slug(&self) -> &'static str {
        match self {
            BuildFault::Bank(_) => "boleto_bank",
            BuildFault::Amount { .. } => "boleto_amount",
            BuildFault::Due(fault) => fault.slug(),
            BuildFault::Input(fault) => fault.slug(),
        }
    }
}

impl Boleto {
    /// Makes a slip. `due` is left out where there is none, and dropped where the amount is over
    /// [`MAX_AMOUNT_WITH_DUE_CENTS`] (BB manual: the amount then takes the factor's place). Amount 0 is an open value.
    pub fn new(bank: u16, due: Option<NaiveDate>, amount_cents: u64, campo_livre: &[u8; 25]) -> Result<Self, BuildFault> {
        if !matches!(bank, 1..=799 | 900..=999) {
            return Err(BuildFault::Bank(bank));
        }
        let max_cents = if bank == CAIXA { CAIXA_MAX_AMOUNT_CENTS } else { MAX_AMOUNT_CENTS };
        if amount_cents > max_cents {
            return Err(BuildFault::Amount { amount_cents, max_cents });
        }
        let mut digits = [0u8; 44];
        digits[..3].copy_from_slice(&digits_from::<3>(u64::from(bank)));
        digits[3] = 9;
        digits[5..19].copy_from_slice(&digits_from::<14>(amount_cents));
        if let Some(due) = due.filter(|_| amount_cents <= MAX_AMOUNT_WITH_DUE_CENTS) {
            digits[5..9].copy_from_slice(&digits_from::<4>(u64::from(due_factor::encode(due)?)));
        }
        for (slot, digit) in digits[19..].iter_mut().zip(campo_livre) {
            *slot = digit % 10;
        }
        let mut slip = Self { digits };
        slip.digits[4] = slip.computed_general();
        Ok(slip)
    }

    /// Makes the slip of a title, by its bank's layout. Errors: [`BuildFault`].
    pub fn issue(title: &BankTitle, due: Option<NaiveDate>, amount_cents: u64) -> Result<(Self, Issued), BuildFault> {
        let issued = title.issue(amount_cents)?;
        Ok((Self::new(title.bank(), due, amount_cents, &issued.campo_livre)?, issued))
    }

    /// Reads a bar code; masks and blanks are skipped. Errors name every fault.
    pub fn from_barcode(text: &str) -> Result<Self, Faults> {
        let digits = digits_of(text)?;
        if digits.len() != 44 {
            return Err(Fault::Length { digits: digits.len(), expected: 44 }.into());
        }
        Self::from_digits(&digits)
    }

    /// Reads a typed line; masks and blanks are skipped. Errors name every fault.
    pub fn from_line(text: &str) -> Result<Self, Faults> {
        let digits = digits_of(text)?;
        if digits.len() != 47 {
            return Err(Fault::Length { digits: digits.len(), expected: 47 }.into());
        }
        Self::from_line_digits(&digits)
    }

    pub(super) fn from_digits(digits: &[u8]) -> Result<Self, Faults> {
        let Ok(digits) = <[u8; 44]>::try_from(digits) else {
            return Err(Fault::Length { digits: digits.len(), expected: 44 }.into());
        };
        let slip = Self { digits };
        Faults::none(slip.faults())?;
        Ok(slip)
    }

    pub(super) fn from_line_digits(line: &[u8]) -> Result<Self, Faults> {
        let Ok(line) = <[u8; 47]>::try_from(line) else {
            return Err(Fault::Length { digits: line.len(), expected: 47 }.into());
        };
        let mut faults = Vec::new();
        for (field, from, digit) in [(1, 0, 9), (2, 10, 20), (3, 21, 31)] {
            let computed = mod10(&line[from..digit]);
            if computed != line[digit] {
                faults.push(Fault::FieldDigit { field, stated: line[digit], computed });
            }
        }
        let mut digits = [0; 44];
        digits[..4].copy_from_slice(&line[..4]);
        digits[4..19].copy_from_slice(&line[32..]);
        digits[19..24].copy_from_slice(&line[4..9]);
        digits[24..34].copy_from_slice(&line[10..20]);
        digits[34..].copy_from_slice(&line[21..31]);
        let slip = Self { digits };
        faults.extend(slip.faults());
        Faults::none(faults)?;
        Ok(slip)
    }

    fn faults(&self) -> Vec<Fault> {
        let mut faults = Vec::new();
        if self.digits[0] == 8 {
            faults.push(Fault::Product { found: 8 });
        }
        if self.digits[3] != 9 {
            faults.push(Fault::Currency { found: self.digits[3] });
        }
        let (stated, computed) = (self.digits[4], self.computed_general());
        if stated != computed {
            faults.push(Fault::GeneralDigit { stated, computed });
        }
        faults
    }

    fn computed_general(&self) -> u8 {
        let mut covered = [0; 43];
        covered[..4].copy_from_slice(&self.digits[..4]);
        covered[4..].copy_from_slice(&self.digits[5..]);
        boleto_general(&covered)
    }

    /// COMPE code of the bank.
    pub fn bank(&self) -> u16 {
        u16::try_from(number_of(&self.digits[..3])).unwrap_or(0)
    }

    /// General check digit, 1 to 9.
    pub fn general_digit(&self) -> u8 {
        self.digits[4]
    }

    /// The due-date factor, 1000 to 9999; `None` where its first digit is 0.
    pub fn factor(&self) -> Option<u16> {
        if self.digits[5] == 0 { None } else { u16::try_from(number_of(&self.digits[5..9])).ok() }
    }

    /// Due date seen from `reference` (usually today); `Ok(None)` where the slip has none. Errors: [`FactorFault`].
    pub fn due_date(&self, reference: NaiveDate) -> Result<Option<NaiveDate>, FactorFault> {
        self.factor().map(|factor| due_factor::decode(factor, reference)).transpose()
    }

    /// Amount in cents; `None` for an open value. Without a factor all 14 digits are amount.
    pub fn amount_cents(&self) -> Option<u64> {
        let amount = number_of(if self.digits[5] == 0 { &self.digits[5..19] } else { &self.digits[9..19] });
        (amount > 0).then_some(amount)
    }

    /// The bank's 25 digits.
    pub fn campo_livre(&self) -> String {
        text_of(&self.digits[19..])
    }

    /// The bank's number of the title, where the campo livre is of a known layout and its own check digits are right.
    pub fn nosso_numero(&self) -> Option<NossoNumero> {
        nosso_numero(self.bank(), &self.digits[19..].try_into().ok()?)
    }

    /// The 44 digits of the bar code.
    pub fn barcode(&self) -> String {
        text_of(&self.digits)
    }

    /// The 47 digits of the typed line.
    pub fn line(&self) -> String {
        let d = &self.digits;
        let mut line = Vec::with_capacity(47);
        let mut field = |parts: [&[u8]; 2]| {
            let from = line.len();
            line.extend(parts.iter().flat_map(|part| part.iter().copied()));
            line.push(mod10(&line[from..]));
        };
        field([&d[..4], &d[19..24]]);
        field([&d[24..34], &[]]);
        field([&d[34..44], &[]]);
        line.extend_from_slice(&d[4..19]);
        text_of(&line)
    }

    /// The typed line as printed: `AAAAA.AAAAAD BBBBB.BBBBBBD CCCCC.CCCCCCD K FFFFVVVVVVVVVV`.
    pub fn printed_line(&self) -> String {
        let line = self.line();
        let part = |from: usize, until: usize| line.get(from..until).unwrap_or("");
        format!(
            "{}.{} {}.{} {}.{} {} {}",
            part(0, 5),
            part(5, 10),
            part(10, 15),
            part(15, 21),
            part(21, 26),
            part(26, 32),
            part(32, 33),
            part(33, 47)
        )
    }
}

impl fmt::Debug for Boleto {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Boleto({})", self.barcode())
    }
}

impl fmt::Display for Boleto {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.printed_line())
    }
}
