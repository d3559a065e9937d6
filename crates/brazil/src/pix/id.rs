//! Identifiers of Pix. ISPB and company parts may hold letters since API 2.9.0.

use alloc::string::String;
use chrono::{NaiveDate, NaiveDateTime, NaiveTime};
use core::fmt;

/// Why a text is not the identifier that was expected.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum IdFault {
    /// Too short or too long.
    #[error("has {0} characters")]
    Length(usize),
    /// A character outside `a-z A-Z 0-9`.
    #[error("has a character outside a-z A-Z 0-9")]
    Character,
    /// Does not begin with its letters.
    #[error("does not begin with its prefix")]
    Prefix,
    /// The ISPB part is not eight of `0-9 A-Z`.
    #[error("has an ISPB part that is not 0-9 A-Z")]
    Ispb,
    /// The date part is no date.
    #[error("has a date part that is no date")]
    Date,
}

impl IdFault {
    /// Stable name of the refusal.
    pub fn slug(self) -> &'static str {
        match self {
            IdFault::Length(_) => "pix_id_length",
            IdFault::Character => "pix_id_character",
            IdFault::Prefix => "pix_id_prefix",
            IdFault::Ispb => "pix_id_ispb",
            IdFault::Date => "pix_id_date",
        }
    }
}

fn alphanumeric(text: &str, sizes: core::ops::RangeInclusive<usize>) -> Result<(), IdFault> {
    if !text.bytes().all(|byte| byte.is_ascii_alphanumeric()) {
        return Err(IdFault::Character);
    }
    if sizes.contains(&text.len()) { Ok(()) } else { Err(IdFault::Length(text.len())) }
}

/// Prefix, ISPB of eight, then a stamp of digits: its parts, checked for form only.
fn parts<'a>(text: &'a str, prefixes: &[&str], stamp: usize) -> Result<(&'a str, &'a str), IdFault> {
    let after = prefixes.iter().find_map(|prefix| text.strip_prefix(prefix)).ok_or(IdFault::Prefix)?;
    let ispb = after.get(..8).ok_or(IdFault::Ispb)?;
    if !ispb.bytes().all(|byte| byte.is_ascii_digit() || byte.is_ascii_uppercase()) {
        return Err(IdFault::Ispb);
    }
    let stamp = after.get(8..8 + stamp).filter(|stamp| stamp.bytes().all(|byte| byte.is_ascii_digit())).ok_or(IdFault::Date)?;
    Ok((ispb, stamp))
}

fn date_of(stamp: &str) -> Option<NaiveDate> {
    NaiveDate::from_ymd_opt(stamp.get(..4)?.parse().ok()?, stamp.get(4..6)?.parse().ok()?, stamp.get(6..8)?.parse().ok()?)
}

fn minute_of(stamp: &str) -> Option<NaiveDateTime> {
    let time = NaiveTime::from_hms_opt(stamp.get(8..10)?.parse().ok()?, stamp.get(10..12)?.parse().ok()?, 0)?;
    Some(date_of(stamp)?.and_time(time))
}

macro_rules! id {
    ($(#[$doc:meta])* $name:ident, $check:expr) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(String);

        impl $name {
            /// Checks and wraps a text. Errors: [`IdFault`].
            pub fn new(text: &str) -> Result<Self, IdFault> {
                let check: fn(&str) -> Result<(), IdFault> = $check;
                check(text).map(|()| Self(String::from(text)))
            }

            /// The text as given; its case matters.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }
    };
}

id!(/// Id of a charge (cob, cobv, cobr): 26 to 35 characters, unique for each receiver.
    ChargeTxid, |text| alphanumeric(text, 26..=35));
id!(/// Id in a static code: 1 to 25 characters.
    StaticTxid, |text| alphanumeric(text, 1..=25));
id!(/// Id in a notification of receipt: 1 to 35 characters.
    NotifiedTxid, |text| alphanumeric(text, 1..=35));
id!(/// Id of a payment, 32 characters: `E`, ISPB, minute (UTC), 11 more. The idempotency key of a payment.
EndToEndId, |text| {
    alphanumeric(text, 32..=32)?;
    minute_of(parts(text, &["E"], 12)?.1).map(|_| ()).ok_or(IdFault::Date)
});
id!(/// Id of a return (devolução), 32 characters: `D`, ISPB, minute (UTC), 11 more.
ReturnId, |text| {
    alphanumeric(text, 32..=32)?;
    minute_of(parts(text, &["D"], 12)?.1).map(|_| ()).ok_or(IdFault::Date)
});
id!(/// Id of a recurrence (Pix Automático), 29 characters: `RR` or `RN`, ISPB, day, 11 more.
RecurrenceId, |text| {
    alphanumeric(text, 29..=29)?;
    date_of(parts(text, &["RR", "RN"], 8)?.1).map(|_| ()).ok_or(IdFault::Date)
});

impl EndToEndId {
    /// ISPB of the payer's institution.
    pub fn ispb(&self) -> &str {
        self.0.get(1..9).unwrap_or("")
    }

    /// The minute in UTC that it carries.
    pub fn minute_utc(&self) -> Option<NaiveDateTime> {
        minute_of(self.0.get(9..21)?)
    }
}

impl RecurrenceId {
    /// Whether failed charges may be tried again (`RR`).
    pub fn may_retry(&self) -> bool {
        self.0.starts_with("RR")
    }
}
