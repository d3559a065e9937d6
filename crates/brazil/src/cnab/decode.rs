//! From the read columns to a fact, or to review: one order of checks for every layout.

use super::key::{Ordinals, Parts};
use super::record::Unreadable;
use super::{BankEvent, Entry, PixTrace, Refusal, Review, ReviewReason, Settlement, TitleFact, TitleRef};
use alloc::{borrow::Cow, string::String, vec::Vec};
use kernel::NaiveDate;

/// A title as read, before it is judged.
#[derive(Debug)]
pub(super) struct Reading {
    pub line: u64,
    pub bank: u16,
    pub movement: String,
    /// `None` where the bank's table has no such code.
    pub event: Option<BankEvent>,
    pub title: TitleRef,
    pub nominal: Result<i64, Unreadable>,
    pub due: Result<Option<NaiveDate>, Unreadable>,
    pub event_on: Result<Option<NaiveDate>, Unreadable>,
    pub credit_on: Result<Option<NaiveDate>, Unreadable>,
    /// Its amount paid is `Err` where a column is no number.
    pub settlement: Result<Settlement, Unreadable>,
    pub fee: Result<i64, Unreadable>,
    pub reasons: Vec<String>,
    pub pix: Option<PixTrace>,
    pub may_repeat_a_pix: bool,
}

impl Reading {
    /// The entry of this title; `print` is asked for where it goes to a person (see [`Review::print`]): it costs as much as all the
    /// rest. Errors: [`Refusal::TooManyTitles`].
    pub fn judge(self, ordinals: &mut Ordinals, print: impl FnOnce() -> u128) -> Result<Entry, Refusal> {
        match self.checked() {
            Ok((event, settlement)) => self.fact(event, settlement, ordinals).map(Entry::Fact),
            Err(reason) => Ok(self.review(reason, print())),
        }
    }

    /// The same title for a person to look at.
    pub fn review(self, reason: ReviewReason, print: u128) -> Entry {
        Entry::Review(Review { line: self.line, reason, movement: self.movement, title: self.title, print })
    }

    fn checked(&self) -> Result<(BankEvent, Option<Settlement>), ReviewReason> {
        if self.movement.trim().is_empty() {
            return Err(ReviewReason::BlankMovement);
        }
        let event = self.event.ok_or(ReviewReason::UnlistedMovement)?;
        if !event.moves_money() {
            return Ok((event, None));
        }
        if !self.title.is_named() {
            return Err(ReviewReason::NoNossoNumero);
        }
        let settlement = self.settlement.map_err(|_| ReviewReason::UnreadableAmount)?;
        if matches!(event, BankEvent::PaymentReceived { .. }) {
            if settlement.paid_cents <= 0 {
                return Err(ReviewReason::ZeroAmount);
            }
            if !matches!(self.event_on, Ok(Some(_))) {
                return Err(ReviewReason::BadEventDate);
            }
        }
        Ok((event, Some(settlement)))
    }

    fn fact(self, event: BankEvent, settlement: Option<Settlement>, ordinals: &mut Ordinals) -> Result<TitleFact, Refusal> {
        let fee_cents = self.fee.unwrap_or(0);
        let event_on = self.event_on.ok().flatten();
        let cents = settlement.map_or(if event == BankEvent::FeeDebited { fee_cents } else { 0 }, |settlement| settlement.paid_cents);
        let key = ordinals.key(Parts {
            bank: self.bank,
            agreement: &self.title.agreement,
            title: &self.title.name(),
            event,
            movement: &self.movement,
            on: event_on,
            cents,
        })?;
        let may_repeat_a_pix = settlement.is_some() && (self.may_repeat_a_pix || self.pix.is_some());
        Ok(TitleFact {
            line: self.line,
            bank: self.bank,
            movement: self.movement,
            event,
            title: self.title,
            nominal_cents: self.nominal.unwrap_or(0),
            due: self.due.ok().flatten(),
            event_on,
            credit_on: self.credit_on.ok().flatten(),
            settlement,
            fee_cents,
            reasons: self.reasons,
            key,
            pix: self.pix,
            may_repeat_a_pix,
        })
    }
}

impl TitleRef {
    /// Whether a nosso número (not all zeros) or a bar code names it.
    pub(super) fn is_named(&self) -> bool {
        self.barcode.is_some() || self.nosso_numero.chars().any(|c| c != '0' && !c.is_whitespace())
    }

    /// What names it in a key.
    fn name(&self) -> Cow<'_, str> {
        match &self.barcode {
            Some(slip) => Cow::Owned(slip.barcode()),
            None if self.is_named() => Cow::Borrowed(&self.nosso_numero),
            None => Cow::Borrowed(&self.company_use),
        }
    }
}

/// Codes of `size` characters in a run, blanks and zeros left out.
pub(super) fn reasons(run: &str, size: usize) -> Vec<String> {
    if run.bytes().all(|byte| matches!(byte, b' ' | b'0')) {
        return Vec::new();
    }
    let chars: Vec<char> = run.chars().collect();
    let codes = chars.chunks(size).map(|code| code.iter().collect::<String>());
    codes.map(|code| String::from(code.trim())).filter(|code| code.chars().any(|c| c != '0')).collect()
}
