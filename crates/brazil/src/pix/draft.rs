//! Writing a BR Code.

use super::brcode::{GUI, tag};
use super::{Account, BrCode, BrCodeFault, Field, Initiation, StaticTxid, decimal_text, tlv};
use crate::{Cep, ascii};
use alloc::{string::String, vec::Vec};

/// Longest key or URL.
const MAX_ADDRESS_CHARS: usize = 77;

/// What a code is to say. Name and city lose their accents and what does not fit (25 and 15 characters); keys and URLs
/// are taken as they are or refused.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Draft {
    /// Where the money goes.
    pub account: Account,
    /// How often it may be paid; `Once` for a charge.
    pub initiation: Initiation,
    /// Amount in cents, at most ten digits of reais.
    pub amount_cents: Option<u64>,
    /// Receiver's name.
    pub name: String,
    /// Receiver's city.
    pub city: String,
    /// Receiver's postal code.
    pub cep: Option<Cep>,
    /// Id of a static code; a dynamic code always says `***`, its id is behind the URL.
    pub txid: Option<StaticTxid>,
    /// URL of a recurrence (Pix Automático), without scheme.
    pub recurrence_url: Option<String>,
}

impl Draft {
    /// The code. Errors: [`BrCodeFault::Value`] or [`BrCodeFault::Missing`] with the tag.
    pub fn code(&self) -> Result<BrCode, BrCodeFault> {
        let mut fields = Vec::new();
        let mut put = |tag: u8, value: &str| fields.push(Field { tag, value: String::from(value) });
        put(tag::FORMAT, "01");
        match self.initiation {
            Initiation::Unstated => {}
            Initiation::Reusable => put(tag::INITIATION, "11"),
            Initiation::Once => put(tag::INITIATION, "12"),
        }
        put(tag::ACCOUNT, &self.account_template()?);
        put(tag::CATEGORY, "0000");
        put(tag::CURRENCY, "986");
        if let Some(cents) = self.amount_cents {
            put(tag::AMOUNT, &decimal_text(cents).ok_or(BrCodeFault::Value(tag::AMOUNT))?);
        }
        put(tag::COUNTRY, "BR");
        put(tag::NAME, &ascii::plain_cut(&self.name, 25));
        put(tag::CITY, &ascii::plain_cut(&self.city, 15));
        if let Some(cep) = self.cep {
            put(tag::POSTAL_CODE, &cep.digits());
        }
        let txid = match (&self.account, &self.txid) {
            (Account::Static { .. }, Some(txid)) => txid.as_str(),
            _ => "***",
        };
        put(tag::ADDITIONAL, &template(tag::ADDITIONAL, &[(tag::TXID, txid)])?);
        if let Some(url) = &self.recurrence_url {
            address(tag::RECURRENCE, url)?;
            put(tag::RECURRENCE, &template(tag::RECURRENCE, &[(tag::GUI, GUI), (tag::URL, url)])?);
        }
        BrCode::of(fields)
    }

    fn account_template(&self) -> Result<String, BrCodeFault> {
        let mut parts = Vec::from([(tag::GUI, String::from(GUI))]);
        match &self.account {
            Account::Static { key, info, fss } => {
                address(tag::ACCOUNT, key)?;
                parts.push((tag::KEY, key.clone()));
                if let Some(info) = info.as_ref().map(|info| ascii::plain(info)).filter(|info| !info.is_empty()) {
                    parts.push((tag::INFO, info));
                }
                if let Some(fss) = fss {
                    if fss.len() != 8 || !fss.bytes().all(|byte| byte.is_ascii_digit() || byte.is_ascii_uppercase()) {
                        return Err(BrCodeFault::Value(tag::ACCOUNT));
                    }
                    parts.push((tag::FSS, fss.clone()));
                }
            }
            Account::Dynamic { url } => {
                address(tag::ACCOUNT, url)?;
                parts.push((tag::URL, url.clone()));
            }
            Account::RecurrenceOnly => {}
        }
        let parts: Vec<(u8, &str)> = parts.iter().map(|(tag, value)| (*tag, value.as_str())).collect();
        template(tag::ACCOUNT, &parts)
    }
}

/// A template's text, at most 99 characters.
fn template(tag: u8, parts: &[(u8, &str)]) -> Result<String, BrCodeFault> {
    let fields: Vec<Field> = parts.iter().map(|(tag, value)| Field { tag: *tag, value: String::from(*value) }).collect();
    tlv::text(&fields).filter(|text| text.len() <= 99).ok_or(BrCodeFault::Value(tag))
}

/// A key or URL: 1 to 77 visible ASCII characters, no scheme.
fn address(tag: u8, text: &str) -> Result<(), BrCodeFault> {
    let fits = (1..=MAX_ADDRESS_CHARS).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_graphic());
    if fits && !text.contains("://") { Ok(()) } else { Err(BrCodeFault::Value(tag)) }
}
