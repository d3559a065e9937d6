//! Pix keys.

use crate::{Phone, TaxId, phone::PhoneKind, tax_id::TaxIdKind};

/// What a key is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum KeyKind {
    /// 11 digits.
    Cpf,
    /// 14 characters, letters upper case.
    Cnpj,
    /// `+55` and a mobile.
    Phone,
    /// At most 77 characters, lower case.
    Email,
    /// A random key (EVP): a UUID in lower case.
    Random,
}

/// The kind of a key as the directory (DICT) stores it; `None` where it is none of the five.
pub fn kind_of_key(key: &str) -> Option<KeyKind> {
    if let Some(rest) = key.strip_prefix('+') {
        let mobile = Phone::parse(key).is_ok_and(|phone| phone.kind() == PhoneKind::Mobile);
        return (mobile && rest.bytes().all(|byte| byte.is_ascii_digit())).then_some(KeyKind::Phone);
    }
    if key.contains('@') {
        return is_email(key).then_some(KeyKind::Email);
    }
    if is_uuid(key) {
        return Some(KeyKind::Random);
    }
    let id = TaxId::parse(key).ok().filter(|id| id.reveal() == key)?;
    Some(match id.kind() {
        TaxIdKind::Cpf => KeyKind::Cpf,
        TaxIdKind::Cnpj => KeyKind::Cnpj,
    })
}

fn is_email(key: &str) -> bool {
    let visible = key.len() <= 77 && key.bytes().all(|byte| byte.is_ascii_graphic() && !byte.is_ascii_uppercase());
    let Some((local, domain)) = key.split_once('@') else { return false };
    let labels = domain.split('.').all(|label| !label.is_empty() && label.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-'));
    visible && !local.is_empty() && labels && !domain.contains('@')
}

fn is_uuid(key: &str) -> bool {
    let hyphen = |index: usize| matches!(index, 8 | 13 | 18 | 23);
    let fits = |(index, byte): (usize, u8)| if hyphen(index) { byte == b'-' } else { matches!(byte, b'0'..=b'9' | b'a'..=b'f') };
    key.len() == 36 && key.bytes().enumerate().all(fits)
}
