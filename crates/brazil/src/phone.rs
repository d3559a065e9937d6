//! Telephone numbers: E.164, Brazilian numbering plan (Anatel).
//!
//! `+55`, area code (DDD) of two digits, then nine digits beginning with 9 (mobile) or eight beginning with 2 to 5
//! (landline). Eight-digit mobiles are obsolete and refused; [`Phone::match_key`] still recognises them in a
//! messenger's id. Debug and Display print a mask.

use crate::State;
use alloc::{format, string::String};
use core::fmt;

/// What answers at a number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum PhoneKind {
    /// A person's mobile: takes text messages.
    Mobile,
    /// A landline: voice only.
    Landline,
    /// 0300, 0303, 0500, 0800, 0900, and the nationwide 300x, 400x, 4020, 4370 and 4864 without an area code:
    /// a company's line, in no state, never a payer's.
    Service,
    /// Another country's number; only its form is checked.
    Foreign,
}

/// A number in E.164.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Phone {
    kind: PhoneKind,
    /// Digits after the plus sign.
    digits: String,
}

/// Why a text is no telephone number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum PhoneFault {
    /// No digit at all.
    #[error("phone is empty")]
    Empty,
    /// A letter or sign that telephone numbers do not have.
    #[error("phone has a character that is no digit or mask")]
    Character,
    /// Too few or too many digits.
    #[error("phone has {0} digits")]
    Length(usize),
    /// The number has no area code.
    #[error("phone has no area code")]
    MissingAreaCode,
    /// Anatel has not given this area code out.
    #[error("phone area code {0} does not exist")]
    AreaCode(u8),
    /// An eight-digit mobile: obsolete since 2016.
    #[error("phone lacks the ninth digit")]
    MissingNinthDigit,
    /// The subscriber's part begins with a digit that is neither mobile nor landline.
    #[error("phone is neither mobile nor landline")]
    Subscriber,
}

impl PhoneFault {
    /// Stable name of the refusal.
    pub fn slug(self) -> &'static str {
        match self {
            PhoneFault::Empty => "phone_empty",
            PhoneFault::Character => "phone_character",
            PhoneFault::Length(_) => "phone_length",
            PhoneFault::MissingAreaCode => "phone_missing_area_code",
            PhoneFault::AreaCode(_) => "phone_area_code",
            PhoneFault::MissingNinthDigit => "phone_missing_ninth_digit",
            PhoneFault::Subscriber => "phone_subscriber",
        }
    }
}

impl Phone {
    /// Reads a number as people write it: with or without `+55`, trunk zero, carrier code, mask. Errors: [`PhoneFault`].
    pub fn parse(text: &str) -> Result<Self, PhoneFault> {
        let (international, digits) = strip(text)?;
        if international && !digits.starts_with("55") {
            return foreign(digits);
        }
        let national = match digits.strip_prefix("55") {
            Some(rest) if international || matches!(rest.len(), 10 | 11) => rest,
            _ => digits.as_str(),
        };
        let national = without_trunk(national);
        if let Some(service) = service(national) {
            return Ok(service);
        }
        match national.len() {
            8 | 9 => Err(PhoneFault::MissingAreaCode),
            10 | 11 => geographic(national),
            other => Err(PhoneFault::Length(other)),
        }
    }

    /// What it is.
    pub fn kind(&self) -> PhoneKind {
        self.kind
    }

    /// `+5511987654321`; call it only where the number is dialled or stored.
    pub fn e164(&self) -> String {
        format!("+{}", self.digits)
    }

    /// The area code; `None` for service and foreign numbers.
    pub fn area_code(&self) -> Option<u8> {
        match self.kind {
            PhoneKind::Mobile | PhoneKind::Landline => self.digits.get(2..4)?.parse().ok(),
            PhoneKind::Service | PhoneKind::Foreign => None,
        }
    }

    /// The state of most of its area; `None` for service and foreign numbers.
    pub fn state(&self) -> Option<State> {
        self.area_code().and_then(state_of_area)
    }

    /// Whether text messages can reach it.
    pub fn takes_text(&self) -> bool {
        matches!(self.kind, PhoneKind::Mobile | PhoneKind::Foreign)
    }

    /// A key under which a mobile and its id without the ninth digit are equal; see [`match_key_of`].
    pub fn match_key(&self) -> String {
        match_key_of(&self.digits).unwrap_or_else(|| self.digits.clone())
    }
}

/// The matching key of a messenger's id (`5511987654321`, `551187654321`, with or without plus); `None` where the text
/// is no id. The ninth digit is left out only before 6 to 9: numbers with a smaller one were born with nine digits,
/// and without it would look like a landline.
pub fn match_key_of(id: &str) -> Option<String> {
    let digits = id.trim().trim_start_matches('+');
    if !(7..=15).contains(&digits.len()) || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let area = digits.strip_prefix("55").and_then(|national| Some((national.get(..2)?, national.get(2..)?)));
    match area {
        Some((area, subscriber)) if subscriber.len() == 9 && matches!(subscriber.as_bytes(), [b'9', b'6'..=b'9', ..]) => {
            Some(format!("55{area}{}", subscriber.get(1..).unwrap_or(subscriber)))
        }
        _ => Some(String::from(digits)),
    }
}

/// Digits, and whether a plus sign or the international prefix 00 came first.
fn strip(text: &str) -> Result<(bool, String), PhoneFault> {
    let text = text.trim();
    let (plus, rest) = text.strip_prefix('+').map_or((false, text), |rest| (true, rest));
    let mut digits = String::with_capacity(16);
    for c in rest.chars() {
        match c {
            '0'..='9' if digits.len() < 24 => digits.push(c),
            '0'..='9' => return Err(PhoneFault::Length(25)),
            ' ' | '(' | ')' | '-' | '.' | '/' | '\u{a0}' | '\u{2010}'..='\u{2015}' => {}
            _ => return Err(PhoneFault::Character),
        }
    }
    if digits.is_empty() {
        return Err(if text.is_empty() { PhoneFault::Empty } else { PhoneFault::Character });
    }
    match digits.strip_prefix("0055") {
        Some(rest) if !plus && matches!(rest.len(), 10 | 11) => Ok((true, format!("55{rest}"))),
        _ => Ok((plus, digits)),
    }
}

fn foreign(digits: String) -> Result<Phone, PhoneFault> {
    if !(7..=15).contains(&digits.len()) {
        return Err(PhoneFault::Length(digits.len()));
    }
    if digits.starts_with('0') {
        return Err(PhoneFault::Character);
    }
    Ok(Phone { kind: PhoneKind::Foreign, digits })
}

/// Without the trunk zero and, after it, the carrier's two digits.
fn without_trunk(national: &str) -> &str {
    match national.strip_prefix('0') {
        Some(rest) if matches!(rest.len(), 12 | 13) => rest.get(2..).unwrap_or(rest),
        Some(rest) if matches!(rest.len(), 8..=11) => rest,
        _ => national,
    }
}

fn service(national: &str) -> Option<Phone> {
    let begins = |prefixes: &[&str]| prefixes.iter().any(|prefix| national.starts_with(prefix));
    let found = match national.len() {
        8 => begins(&["300", "400", "4020", "4370", "4864"]),
        // Old numbers have six digits after their prefix.
        9 => begins(&["500", "800", "900"]),
        10 => begins(&["300", "303", "500", "800", "900"]),
        _ => false,
    };
    found.then(|| Phone { kind: PhoneKind::Service, digits: format!("55{national}") })
}

fn geographic(national: &str) -> Result<Phone, PhoneFault> {
    let (area, subscriber) = national.split_at_checked(2).ok_or(PhoneFault::MissingAreaCode)?;
    let area: u8 = area.parse().map_err(|_| PhoneFault::Character)?;
    if state_of_area(area).is_none() {
        return Err(PhoneFault::AreaCode(area));
    }
    let kind = match (subscriber.len(), subscriber.as_bytes().first()) {
        (9, Some(b'9')) => PhoneKind::Mobile,
        (8, Some(b'2'..=b'5')) => PhoneKind::Landline,
        (8, Some(b'6'..=b'9')) => return Err(PhoneFault::MissingNinthDigit),
        _ => return Err(PhoneFault::Subscriber),
    };
    Ok(Phone { kind, digits: format!("55{national}") })
}

/// The state of an area code, by where most of its people live (61 is also a part of Goiás); `None` where there is none.
pub fn state_of_area(area_code: u8) -> Option<State> {
    Some(match area_code {
        11..=19 => State::SP,
        21 | 22 | 24 => State::RJ,
        27 | 28 => State::ES,
        31..=35 | 37 | 38 => State::MG,
        41..=46 => State::PR,
        47..=49 => State::SC,
        51 | 53..=55 => State::RS,
        61 => State::DF,
        62 | 64 => State::GO,
        63 => State::TO,
        65 | 66 => State::MT,
        67 => State::MS,
        68 => State::AC,
        69 => State::RO,
        71 | 73..=75 | 77 => State::BA,
        79 => State::SE,
        81 | 87 => State::PE,
        82 => State::AL,
        83 => State::PB,
        84 => State::RN,
        85 | 88 => State::CE,
        86 | 89 => State::PI,
        91 | 93 | 94 => State::PA,
        92 | 97 => State::AM,
        95 => State::RR,
        96 => State::AP,
        98 | 99 => State::MA,
        _ => return None,
    })
}

impl fmt::Display for Phone {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let last = self.digits.len().saturating_sub(2);
        let shown = self.digits.get(last..).unwrap_or("");
        match self.area_code() {
            Some(area) => write!(f, "+55 {area} *****{shown}"),
            None => write!(f, "+*****{shown}"),
        }
    }
}

impl fmt::Debug for Phone {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Phone({self})")
    }
}
