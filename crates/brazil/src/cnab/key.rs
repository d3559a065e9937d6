//! Idempotency keys: equal for the same event in any file, different for equal events within one.

use super::{BankEvent, Refusal};
use alloc::{collections::BTreeMap, string::String};
use core::fmt::{self, Write};
use kernel::NaiveDate;

/// Most titles of one file: the ordinals take 20 bytes each.
const MAX_TITLES: usize = 4_000_000;

/// Room for a usual key.
const KEY_BYTES: usize = 96;

/// Bank, agreement, title, movement class, day, amount, ordinal. The file's own number is no part of it: one settlement
/// may come in two files (Caixa 46, then 06).
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct IdempotencyKey(String);

impl IdempotencyKey {
    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for IdempotencyKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// What an event is told apart by.
#[derive(Debug, Clone, Copy)]
pub(super) struct Parts<'a> {
    pub bank: u16,
    pub agreement: &'a str,
    pub title: &'a str,
    pub event: BankEvent,
    /// The code, for events that many codes share without telling the same thing.
    pub movement: &'a str,
    pub on: Option<NaiveDate>,
    pub cents: i64,
}

/// Counts equal events of one file, by a hash of 128 bits of each.
#[derive(Debug, Default)]
pub(super) struct Ordinals(BTreeMap<u128, u32>);

impl Ordinals {
    /// The key of the next event with these parts. Errors: [`Refusal::TooManyTitles`].
    pub fn key(&mut self, parts: Parts<'_>) -> Result<IdempotencyKey, Refusal> {
        let mut text = String::with_capacity(KEY_BYTES);
        // Writing to a text cannot fail.
        let _ = write!(text, "{:03}", parts.bank);
        for part in ["|", parts.agreement, "|", parts.title, "|", parts.event.slug()] {
            text.push_str(part);
        }
        if let BankEvent::InstructionAcknowledged | BankEvent::InstructionRejected | BankEvent::PayerEvent = parts.event {
            text.push(':');
            text.push_str(parts.movement);
        }
        text.push('|');
        if let Some(day) = parts.on {
            text.push_str(&kernel::written::date_text(day));
        }
        let _ = write!(text, "|{}", parts.cents);
        if self.0.len() >= MAX_TITLES {
            return Err(Refusal::TooManyTitles);
        }
        let ordinal = self.0.entry(hash(text.as_bytes())).or_insert(0);
        *ordinal += 1;
        let _ = write!(text, "|{ordinal}");
        Ok(IdempotencyKey(text))
    }
}

/// FNV-1a, 128 bits.
pub(super) fn hash(bytes: &[u8]) -> u128 {
    const OFFSET: u128 = 0x6c62_272e_07bb_0142_62b8_2175_6295_c58d;
    const PRIME: u128 = 0x0000_0000_0100_0000_0000_0000_0000_013b;
    bytes.iter().fold(OFFSET, |hash, byte| (hash ^ u128::from(*byte)).wrapping_mul(PRIME))
}
