//! Reading a BR Code (the text of a Pix QR code, "copia e cola"). Tags that are not known are kept in place.

use super::parse_decimal;
use super::tlv::{Field, fields, text, value};
use alloc::{format, string::String, vec::Vec};
use core::fmt;
use crc::{CRC_16_IBM_3740, Crc};

/// Tags of the code.
pub(super) mod tag {
    pub const FORMAT: u8 = 0;
    pub const INITIATION: u8 = 1;
    pub const ACCOUNT: u8 = 26;
    pub const CATEGORY: u8 = 52;
    pub const CURRENCY: u8 = 53;
    pub const AMOUNT: u8 = 54;
    pub const COUNTRY: u8 = 58;
    pub const NAME: u8 = 59;
    pub const CITY: u8 = 60;
    pub const POSTAL_CODE: u8 = 61;
    pub const ADDITIONAL: u8 = 62;
    pub const CRC: u8 = 63;
    pub const RECURRENCE: u8 = 80;
    /// Inside 26 and 80: the system's name.
    pub const GUI: u8 = 0;
    pub const KEY: u8 = 1;
    pub const INFO: u8 = 2;
    pub const FSS: u8 = 3;
    pub const URL: u8 = 25;
    /// Inside 62.
    pub const TXID: u8 = 5;
}

/// What tag 26 (or its neighbours up to 51) must begin with; compared without case.
pub(super) const GUI: &str = "br.gov.bcb.pix";
/// Longest name, city and transaction id by the standard.
const MAX_NAME_CHARS: usize = 25;
const MAX_CITY_CHARS: usize = 15;
const MAX_TXID_CHARS: usize = 25;
/// CRC-16/CCITT-FALSE.
const CHECKSUM: Crc<u16> = Crc::<u16>::new(&CRC_16_IBM_3740);

/// How often a code may be paid (tag 01).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Initiation {
    /// Not said: reusable.
    #[default]
    Unstated,
    /// `11`: reusable.
    Reusable,
    /// `12`: once.
    Once,
}

/// Where the money goes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Account {
    /// A key in the code itself.
    Static {
        /// Pix key, at most 77 characters.
        key: String,
        /// Text for the payer.
        info: Option<String>,
        /// ISPB of a withdrawal facilitator, 8 characters.
        fss: Option<String>,
    },
    /// The payload is behind a URL, given without its scheme.
    Dynamic {
        /// At most 77 characters.
        url: String,
    },
    /// Only an authorisation of Pix Automático, in tag 80.
    RecurrenceOnly,
}

/// A BR Code that parses and whose checksum is right.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BrCode {
    /// All tags but the checksum, in order.
    fields: Vec<Field>,
    account: Account,
    recurrence_url: Option<String>,
    amount_cents: Option<u64>,
    txid: Option<String>,
}

/// Why a text is no BR Code.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum BrCodeFault {
    /// The text does not end in `6304` and four hexadecimal digits: cut off, or no code at all.
    #[error("code does not end in its checksum")]
    ChecksumMissing,
    /// The checksum is another: something was changed.
    #[error("checksum is {stated:04X}, computed {computed:04X}")]
    Checksum {
        /// As written.
        stated: u16,
        /// As it must be.
        computed: u16,
    },
    /// Tag or length are no digits, or a value is cut off.
    #[error("code breaks off at character {0}")]
    Structure(usize),
    /// A tag occurs twice.
    #[error("tag {0:02} occurs twice")]
    Duplicate(u8),
    /// A tag that every code has is not there.
    #[error("tag {0:02} is missing")]
    Missing(u8),
    /// A tag has a value that it may not have.
    #[error("tag {0:02} has a value that it may not have")]
    Value(u8),
    /// An EMV code of another system.
    #[error("code is not of Pix")]
    NotPix,
}

impl BrCodeFault {
    /// Stable name of the refusal.
    pub fn slug(&self) -> &'static str {
        match self {
            BrCodeFault::ChecksumMissing => "brcode_checksum_missing",
            BrCodeFault::Checksum { .. } => "brcode_checksum",
            BrCodeFault::Structure(_) => "brcode_structure",
            BrCodeFault::Duplicate(_) => "brcode_duplicate_tag",
            BrCodeFault::Missing(_) => "brcode_missing_tag",
            BrCodeFault::Value(_) => "brcode_value",
            BrCodeFault::NotPix => "brcode_not_pix",
        }
    }
}

impl BrCode {
    /// Reads a code, blanks around it left out. Errors: [`BrCodeFault`].
    pub fn parse(code: &str) -> Result<Self, BrCodeFault> {
        let code = code.trim();
        let body = without_checksum(code)?;
        Self::of(fields(body).map_err(BrCodeFault::Structure)?)
    }

    /// From the fields without the checksum, in the order to be sent. Errors: [`BrCodeFault`].
    pub(super) fn of(fields: Vec<Field>) -> Result<Self, BrCodeFault> {
        for (index, field) in fields.iter().enumerate() {
            if fields.iter().take(index).any(|earlier| earlier.tag == field.tag) {
                return Err(BrCodeFault::Duplicate(field.tag));
            }
            check_value(field)?;
        }
        for tag in [tag::FORMAT, tag::CATEGORY, tag::CURRENCY, tag::COUNTRY, tag::NAME, tag::CITY] {
            value(&fields, tag).ok_or(BrCodeFault::Missing(tag))?;
        }
        let recurrence_url = recurrence_url(&fields)?;
        let account = account(&fields, recurrence_url.is_some())?;
        let amount_cents = value(&fields, tag::AMOUNT).and_then(tolerant_cents);
        let txid = txid(&fields)?;
        if text(&fields).is_none() {
            return Err(BrCodeFault::Structure(1));
        }
        Ok(Self { fields, account, recurrence_url, amount_cents, txid })
    }

    /// The text to be shown as a QR code or pasted.
    pub fn text(&self) -> String {
        let mut out = text(&self.fields).unwrap_or_default();
        out.push_str("6304");
        let checksum = CHECKSUM.checksum(out.as_bytes());
        out.push_str(&format!("{checksum:04X}"));
        out
    }

    /// Where the money goes.
    pub fn account(&self) -> &Account {
        &self.account
    }

    /// How often it may be paid.
    pub fn initiation(&self) -> Initiation {
        match value(&self.fields, tag::INITIATION) {
            Some("12") => Initiation::Once,
            Some(_) => Initiation::Reusable,
            None => Initiation::Unstated,
        }
    }

    /// URL of a recurrence (Pix Automático, tag 80), without scheme.
    pub fn recurrence_url(&self) -> Option<&str> {
        self.recurrence_url.as_deref()
    }

    /// Amount in cents; in a dynamic code what is behind the URL rules.
    pub fn amount_cents(&self) -> Option<u64> {
        self.amount_cents
    }

    /// Receiver's name.
    pub fn name(&self) -> &str {
        value(&self.fields, tag::NAME).unwrap_or("")
    }

    /// Receiver's city.
    pub fn city(&self) -> &str {
        value(&self.fields, tag::CITY).unwrap_or("")
    }

    /// Postal code as written.
    pub fn postal_code(&self) -> Option<&str> {
        value(&self.fields, tag::POSTAL_CODE)
    }

    /// Transaction id of tag 62; `None` where it is absent or `***`.
    pub fn txid(&self) -> Option<&str> {
        self.txid.as_deref().filter(|txid| *txid != "***")
    }

    /// What the standard does not allow and the meaning survives: a name, city or id that is too long, an amount without
    /// its two decimals. Codes in the wild have it and are paid; [`super::Draft`] never writes it.
    pub fn deviations(&self) -> Vec<BrCodeFault> {
        let longer = |tag: u8, max: usize| value(&self.fields, tag).is_some_and(|text| text.chars().count() > max);
        let amount = value(&self.fields, tag::AMOUNT).is_some_and(|text| parse_decimal(text).is_none());
        let txid = self.txid.as_ref().is_some_and(|txid| txid.len() > MAX_TXID_CHARS);
        let found = [
            (tag::AMOUNT, amount),
            (tag::NAME, longer(tag::NAME, MAX_NAME_CHARS)),
            (tag::CITY, longer(tag::CITY, MAX_CITY_CHARS)),
            (tag::ADDITIONAL, txid),
        ];
        found.into_iter().filter(|(_, deviates)| *deviates).map(|(tag, _)| BrCodeFault::Value(tag)).collect()
    }

    /// All tags but the checksum, in order, known or not.
    pub fn fields(&self) -> &[Field] {
        &self.fields
    }
}

impl fmt::Display for BrCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text())
    }
}

/// The code without tag 63, whose checksum is right.
fn without_checksum(code: &str) -> Result<&str, BrCodeFault> {
    let at = code.len().checked_sub(4).ok_or(BrCodeFault::ChecksumMissing)?;
    let (covered, stated) = code.split_at_checked(at).ok_or(BrCodeFault::ChecksumMissing)?;
    let body = covered.strip_suffix("6304").ok_or(BrCodeFault::ChecksumMissing)?;
    if !stated.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return Err(BrCodeFault::ChecksumMissing);
    }
    let stated = u16::from_str_radix(stated, 16).map_err(|_| BrCodeFault::ChecksumMissing)?;
    let computed = CHECKSUM.checksum(covered.as_bytes());
    if stated == computed { Ok(body) } else { Err(BrCodeFault::Checksum { stated, computed }) }
}

/// What a top-level tag may hold; see [`BrCode::deviations`] for what is let through.
fn check_value(field: &Field) -> Result<(), BrCodeFault> {
    let text = field.value.as_str();
    let digits = |size: usize| text.len() == size && text.bytes().all(|byte| byte.is_ascii_digit());
    let fits = match field.tag {
        tag::FORMAT => text == "01",
        tag::INITIATION => matches!(text, "11" | "12"),
        tag::CATEGORY => digits(4),
        tag::CURRENCY => text == "986",
        tag::AMOUNT => tolerant_cents(text).is_some(),
        tag::COUNTRY => text == "BR",
        tag::NAME | tag::CITY => !text.is_empty(),
        tag::CRC => false,
        _ => true,
    };
    if fits { Ok(()) } else { Err(BrCodeFault::Value(field.tag)) }
}

/// Fields of a template whose GUI is Pix.
fn pix_template(field: &Field) -> Option<Vec<Field>> {
    let inner = fields(&field.value).ok()?;
    value(&inner, tag::GUI)?.eq_ignore_ascii_case(GUI).then_some(inner)
}

/// The Pix account among tags 26 to 51.
fn account(all: &[Field], recurrence: bool) -> Result<Account, BrCodeFault> {
    let mut templates = all.iter().filter(|field| (26..=51).contains(&field.tag));
    let (number, inner) = templates.find_map(|field| Some((field.tag, pix_template(field)?))).ok_or(BrCodeFault::NotPix)?;
    let part = |tag: u8| value(&inner, tag).map(String::from);
    let fault = BrCodeFault::Value(number);
    match (part(tag::KEY), part(tag::URL)) {
        (Some(key), None) if (1..=77).contains(&key.chars().count()) => {
            let fss = part(tag::FSS);
            if fss.as_ref().is_some_and(|fss| fss.len() != 8) {
                return Err(fault);
            }
            Ok(Account::Static { key, info: part(tag::INFO), fss })
        }
        (None, Some(url)) if (1..=77).contains(&url.chars().count()) => Ok(Account::Dynamic { url }),
        (None, None) if recurrence => Ok(Account::RecurrenceOnly),
        _ => Err(fault),
    }
}

/// The recurrence URL among the unreserved templates 80 to 99.
fn recurrence_url(all: &[Field]) -> Result<Option<String>, BrCodeFault> {
    for field in all.iter().filter(|field| (80..=99).contains(&field.tag)) {
        if let Some(inner) = pix_template(field) {
            let url = value(&inner, tag::URL).filter(|url| !url.is_empty()).ok_or(BrCodeFault::Value(field.tag))?;
            return Ok(Some(String::from(url)));
        }
    }
    Ok(None)
}

/// Tag 62-05.
fn txid(all: &[Field]) -> Result<Option<String>, BrCodeFault> {
    let Some(additional) = value(all, tag::ADDITIONAL) else { return Ok(None) };
    let inner = fields(additional).map_err(|_| BrCodeFault::Value(tag::ADDITIONAL))?;
    match value(&inner, tag::TXID) {
        None => Ok(None),
        Some("***") => Ok(Some(String::from("***"))),
        Some(txid) if !txid.is_empty() && txid.bytes().all(|byte| byte.is_ascii_alphanumeric()) => Ok(Some(String::from(txid))),
        Some(_) => Err(BrCodeFault::Value(tag::ADDITIONAL)),
    }
}

/// Cents of an amount with two decimals, or with fewer or none.
fn tolerant_cents(text: &str) -> Option<u64> {
    let (whole, decimals) = text.split_once('.').unwrap_or((text, ""));
    if decimals.len() > 2 { None } else { parse_decimal(&format!("{whole}.{decimals:0<2}")) }
}
