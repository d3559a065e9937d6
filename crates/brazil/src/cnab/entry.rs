//! What the readers give: facts, and records that a person must look at.

use super::{BankEvent, IdempotencyKey};
use crate::boleto::NossoNumero;
use crate::{Arrecadacao, TaxId};
use alloc::{format, string::String, vec::Vec};
use core::fmt;
use kernel::NaiveDate;

/// One title of a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Entry {
    /// Something that happened.
    Fact(TitleFact),
    /// Something that a person must look at; never a payment.
    Review(Review),
}

/// How a file names a title. Match by bank, agreement (or account) and nosso número, then by company use.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct TitleRef {
    /// Agreement, or beneficiary code; the account where the file has none.
    pub agreement: String,
    /// The bank's number as it stands in its columns, without blanks; some banks put its check digit at the end.
    pub nosso_numero: String,
    /// Check digit, where it has a column of its own.
    pub check: Option<char>,
    /// Wallet (carteira) or modality, where the dialect tells.
    pub wallet: String,
    /// Instalment, where the dialect tells.
    pub instalment: String,
    /// The company's own text: what the remittance gave.
    pub company_use: String,
    /// The company's document number.
    pub document: String,
    /// The payer, where a good CPF or CNPJ is given.
    pub payer: Option<TaxId>,
    /// The bar code, in arrecadação returns.
    pub barcode: Option<Arrecadacao>,
}

impl TitleRef {
    /// Whether the file's number is this one: zeros on the left aside, with or without the check digit.
    pub fn is(&self, issued: &NossoNumero) -> bool {
        let bare = |text: &str| String::from(text.trim_start_matches('0'));
        let file = bare(&self.nosso_numero);
        let with_check = issued.check.map(|check| bare(&format!("{}{check}", issued.number)));
        !file.is_empty() && (file == bare(&issued.number) || Some(file) == with_check)
    }
}

/// The money of a payment, a reversal or a cheque. Cents.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Settlement {
    /// What settles the title.
    pub paid_cents: i64,
    /// What the bank credits; for the ledger only.
    pub net_cents: i64,
    /// Interest and fine within the payment.
    pub additions_cents: i64,
    /// Discount that was given.
    pub discount_cents: i64,
    /// Abatement that was given.
    pub abatement_cents: i64,
    /// Itaú's CNAB 240 knows only what was credited: the payer may have paid the fee more than `paid_cents`.
    pub paid_is_net: bool,
}

/// The Pix that an optional record tells of.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct PixTrace {
    /// Transaction id (Santander).
    pub txid: String,
    /// BR Code (Itaú).
    pub br_code: String,
}

/// Something that a bank says of a title.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TitleFact {
    /// Line of its first record.
    pub line: u64,
    /// COMPE code.
    pub bank: u16,
    /// The bank's movement code.
    pub movement: String,
    /// What it means.
    pub event: BankEvent,
    /// Which title.
    pub title: TitleRef,
    /// Nominal value, cents.
    pub nominal_cents: i64,
    /// Due date as the bank has it.
    pub due: Option<NaiveDate>,
    /// Day of the event; for a payment the day it was paid.
    pub event_on: Option<NaiveDate>,
    /// Day of the credit.
    pub credit_on: Option<NaiveDate>,
    /// Only where money moved.
    pub settlement: Option<Settlement>,
    /// Fee, cents.
    pub fee_cents: i64,
    /// Reason codes of two characters.
    pub reasons: Vec<String>,
    /// Equal in every file that tells of the same event.
    pub key: IdempotencyKey,
    /// The Pix behind it, where the file says so.
    pub pix: Option<PixTrace>,
    /// It may be a payment by the QR code of the boleto that the Pix channel tells of too: match before counting.
    pub may_repeat_a_pix: bool,
}

/// Why a record needs a person.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ReviewReason {
    /// The movement code is blank.
    BlankMovement,
    /// The bank's table has no such code.
    UnlistedMovement,
    /// Segments T and U say different movements.
    MovementsDiffer,
    /// A segment T without its U.
    MissingAmounts,
    /// A segment U without its T.
    MissingTitle,
    /// Money without a nosso número (or a good bar code).
    NoNossoNumero,
    /// Money, and the amount is zero.
    ZeroAmount,
    /// Money, and the amount is no number.
    UnreadableAmount,
    /// Money, and the day is missing or impossible.
    BadEventDate,
    /// A record that the layout does not know.
    UnknownRecord,
}

impl ReviewReason {
    /// Stable name.
    pub fn slug(self) -> &'static str {
        match self {
            ReviewReason::BlankMovement => "blank_movement",
            ReviewReason::UnlistedMovement => "unlisted_movement",
            ReviewReason::MovementsDiffer => "movements_differ",
            ReviewReason::MissingAmounts => "missing_amounts",
            ReviewReason::MissingTitle => "missing_title",
            ReviewReason::NoNossoNumero => "no_nosso_numero",
            ReviewReason::ZeroAmount => "zero_amount",
            ReviewReason::UnreadableAmount => "unreadable_amount",
            ReviewReason::BadEventDate => "bad_event_date",
            ReviewReason::UnknownRecord => "unknown_record",
        }
    }
}

impl fmt::Display for ReviewReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            ReviewReason::BlankMovement => "the movement code is blank",
            ReviewReason::UnlistedMovement => "the bank's table has no such movement code",
            ReviewReason::MovementsDiffer => "segments T and U say different movements",
            ReviewReason::MissingAmounts => "segment T has no segment U",
            ReviewReason::MissingTitle => "segment U has no segment T",
            ReviewReason::NoNossoNumero => "money without a nosso número",
            ReviewReason::ZeroAmount => "a payment of zero",
            ReviewReason::UnreadableAmount => "the amount is no number",
            ReviewReason::BadEventDate => "the day of the payment is missing or impossible",
            ReviewReason::UnknownRecord => "the layout has no such record",
        })
    }
}

/// A record that a person must look at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Review {
    /// Line of its first record.
    pub line: u64,
    /// Why.
    pub reason: ReviewReason,
    /// The movement code as written.
    pub movement: String,
    /// Which title, as far as it can be read.
    pub title: TitleRef,
    /// Equal for records of equal content, the file's own counting left out.
    pub print: u128,
}
