//! Charges and discounts of an invoice: what was agreed, and what the invoice comes to on a day.
//!
//! What was agreed is part of the invoice for good; what it comes to is computed from the facts by `brazil::charges::statement`, the only
//! place that knows how. Without an agreement nothing is charged and nothing taken off.

use crate::{Account, Invoice, Payment, Phase};
use alloc::vec::Vec;
use brazil::charges::{
    Allocation, ChargeFault, Convention, DayBasis, Debt, DiscountTier, DiscountValue, Fine, Interest, InterestStart, LegalRates, Movement,
    MovementKind, Period, ProRata, Rate, Rounding, Statement, Terms, statement,
};
use kernel::{Calendar, InvoiceId, NaiveDate, calendar, money::MAX_AMOUNT_MINOR};

/// Highest fine, and highest interest for its period: more is a mistake of units.
const MAX_RATE: Rate = Rate::percent(100);
/// The first day that the rules of charges know.
const BEFORE_ANY: NaiveDate = match NaiveDate::from_ymd_opt(1900, 1, 1) {
    Some(day) => day,
    None => NaiveDate::MIN,
};
/// Most discounts of one invoice.
pub const MAX_DISCOUNTS: usize = 10;

/// What was agreed. Rates in millionths of a percent, amounts in minor units.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChargeTerms {
    /// Fine, once, from the first late day on.
    pub fine: Option<Fine>,
    /// Interest for being late.
    pub interest: AgreedInterest,
    /// First day of interest where the due day is no business day.
    pub interest_start: InterestStart,
    /// Discounts for paying early.
    pub discounts: Vec<EarlyDiscount>,
    /// Whether a discount's last day moves to the next business day.
    pub discounts_roll: bool,
    /// Where a payment goes first.
    pub allocation: Allocation,
    /// The one rounding of each component.
    pub rounding: Rounding,
    /// Business days.
    pub calendar: Calendar,
}

/// Interest that was agreed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AgreedInterest {
    /// None.
    None,
    /// A rate for a period.
    Rate {
        /// The rate.
        rate: Rate,
        /// Its period.
        period: Period,
        /// Days that count.
        days: DayBasis,
        /// How a day's interest is made.
        convention: Convention,
    },
    /// Minor units for each calendar day.
    PerDay(i64),
    /// The legal rate (CC 406, Lei 14.905/2024): what is owed where nothing was agreed. Its monthly values are the tenant's data.
    Legal(ProRata),
}

/// A discount for paying early.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct EarlyDiscount {
    /// Last day: so many calendar days before the due day, which it follows when that is changed.
    pub days_before_due: u16,
    /// How much.
    pub value: DiscountValue,
}

impl Default for ChargeTerms {
    /// Nothing charged, nothing taken off.
    fn default() -> Self {
        Self {
            fine: None,
            interest: AgreedInterest::None,
            interest_start: InterestStart::Original,
            discounts: Vec::new(),
            discounts_roll: false,
            allocation: Allocation::ChargesFirst,
            rounding: Rounding::HalfUp,
            calendar: Calendar::BrSettlement,
        }
    }
}

impl ChargeTerms {
    /// Whether anything is charged or taken off.
    pub fn is_plain(&self) -> bool {
        self.fine.is_none() && self.interest == AgreedInterest::None && self.discounts.is_empty()
    }

    /// The terms of an invoice that is due on a day. `rates` matter to the legal rate only.
    pub(crate) fn on(&self, due_on: NaiveDate, rates: &LegalRates) -> Terms {
        let interest = match self.interest {
            AgreedInterest::None => Interest::None,
            AgreedInterest::Rate { rate, period, days, convention } => Interest::Agreed { rate, period, days, convention },
            AgreedInterest::PerDay(cents) => Interest::CentsPerDay(cents),
            AgreedInterest::Legal(pro_rata) => Interest::Legal { rates: rates.clone(), pro_rata },
        };
        let tier = |discount: &EarlyDiscount| DiscountTier {
            until: calendar::add_days(due_on, -i64::from(discount.days_before_due)),
            value: discount.value,
        };
        Terms {
            fine: self.fine,
            interest,
            interest_start: self.interest_start,
            discounts: self.discounts.iter().map(tier).collect(),
            discounts_roll: self.discounts_roll,
            allocation: self.allocation,
            rounding: self.rounding,
            calendar: self.calendar,
        }
    }

    /// Whether an invoice can be charged by them: a year after it is due. The legal rate is left out: its months are not published yet.
    /// Errors: [`ChargeFault`]; a discount of all there is; a sum past 2^53.
    pub fn check(&self, amount_minor: i64, due_on: NaiveDate) -> Result<(), ChargeFault> {
        if self.discounts.len() > MAX_DISCOUNTS {
            return Err(ChargeFault::Terms("discounts"));
        }
        if matches!(self.fine, Some(Fine::Percent(rate)) if rate > MAX_RATE) {
            return Err(ChargeFault::Terms("fine"));
        }
        if matches!(self.interest, AgreedInterest::Rate { rate, .. } if rate > MAX_RATE) {
            return Err(ChargeFault::Terms("interest"));
        }
        let debt = Debt { principal_cents: amount_minor, due: due_on, movements: Vec::new() };
        let mut terms = self.on(due_on, &LegalRates::default());
        if matches!(terms.interest, Interest::Legal { .. }) {
            terms.interest = Interest::None;
        }
        if statement(&debt, &terms, calendar::add_days(due_on, 366))?.due_cents > MAX_AMOUNT_MINOR {
            return Err(ChargeFault::TooLarge);
        }
        // On the first last day every discount is valid.
        let first = self.discounts.iter().map(|discount| discount.days_before_due).max().unwrap_or(0);
        let earliest = statement(&debt, &terms, calendar::add_days(due_on, -i64::from(first)))?;
        if earliest.due_cents < 1 { Err(ChargeFault::Terms("discounts")) } else { Ok(()) }
    }
}

/// What an invoice comes to on a day, by the payments and credit notes that are known now and were made until then. A payment that went
/// back counts until the day on which it did, and so does a credit note that was taken back. Errors: [`ChargeFault`]; one is [`ChargeFault::MissingLegalRate`], where `rates` lack a month that counts.
pub fn statement_on(
    account: &Account,
    (invoice_id, invoice): (&InvoiceId, &Invoice),
    day: NaiveDate,
    rates: &LegalRates,
) -> Result<Statement, ChargeFault> {
    let counted = |payment: &Payment| {
        let parts = payment.returns.values().filter(|part| day < part.returned_on).map(|part| part.applied_minor);
        let whole = payment.reversed.iter().filter(|reversal| day < reversal.reversed_on).map(|reversal| reversal.applied_minor);
        parts.chain(whole).fold(payment.applied_minor, i64::saturating_add)
    };
    let paid = invoice.payments.iter().filter_map(|payment_id| account.payments.get(payment_id));
    let paid = paid.filter_map(|payment| movement(payment.paid_on, counted(payment)));
    let notes = account.credit_notes.values().filter(|note| note.invoice_id.as_ref() == Some(invoice_id) && note.counts_on(day));
    let credited_minor = notes.fold(0, |sum: i64, note| sum.saturating_add(note.amount_minor));
    let (principal_cents, all_credited) = owed(invoice.amount_minor, credited_minor);
    let movements = all_credited.into_iter().chain(paid).collect();
    let terms = invoice.charges.clone().unwrap_or_default();
    statement(&Debt { principal_cents, due: invoice.due_on, movements }, &terms.on(invoice.due_on, rates), day)
}

/// What settles an invoice on a day, in minor units, by all that is known: a payment dated later counts as made on that day. 0 where it is
/// settled or cancelled. Errors: [`ChargeFault::MissingLegalRate`]: nobody can say it yet. Terms are checked when they are agreed, so
/// that nothing else is missing in practice; what cannot be computed on some far day is not charged.
pub fn due_minor(account: &Account, invoice: &Invoice, day: NaiveDate, rates: &LegalRates) -> Result<i64, ChargeFault> {
    match (invoice.phase, &invoice.charges) {
        (Phase::Settled | Phase::Cancelled, _) => Ok(0),
        // What an agreement does not cover is owed just as it is.
        (Phase::Open, None) | (Phase::Renegotiated, _) => Ok(invoice.open_minor),
        (Phase::Open, Some(_)) => match statement_now(account, invoice, day, rates) {
            Ok(statement) => Ok(statement.due_cents),
            Err(missing @ ChargeFault::MissingLegalRate { .. }) => Err(missing),
            Err(ChargeFault::Principal | ChargeFault::MovementAmount | ChargeFault::Terms(_) | ChargeFault::TooLarge) => {
                Ok(invoice.open_minor)
            }
        },
    }
}

/// The statement of a day by all that is known: a payment dated later counts as made on that day. Errors: [`ChargeFault`].
pub fn statement_now(account: &Account, invoice: &Invoice, day: NaiveDate, rates: &LegalRates) -> Result<Statement, ChargeFault> {
    let paid = invoice.payments.iter().filter_map(|payment_id| account.payments.get(payment_id));
    let paid = paid.filter_map(|payment| movement(payment.paid_on.min(day), payment.applied_minor));
    let (principal_cents, all_credited) = owed(invoice.amount_minor, invoice.credited_minor);
    let movements = all_credited.into_iter().chain(paid).collect();
    let terms = invoice.charges.clone().unwrap_or_default();
    statement(&Debt { principal_cents, due: invoice.due_on, movements }, &terms.on(invoice.due_on, rates), day)
}

/// The principal of a debt: what credit notes took off counts as if it had never been asked. Where they took off all of it, a movement
/// before any other says so, because nothing is no debt.
pub(crate) fn owed(amount_minor: i64, credited_minor: i64) -> (i64, Option<Movement>) {
    if credited_minor < amount_minor {
        (amount_minor - credited_minor, None)
    } else {
        (amount_minor, Some(Movement { day: BEFORE_ANY, cents: credited_minor, kind: MovementKind::Credit }))
    }
}

pub(crate) fn movement(day: NaiveDate, cents: i64) -> Option<Movement> {
    (cents > 0).then_some(Movement { day, cents, kind: MovementKind::Payment })
}
