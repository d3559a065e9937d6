//! How the money that was paid for an invoice settles it, where charges or discounts were agreed.
//!
//! The split of each payment into charges and principal is never booked as a decision of its own: it is computed from all payments and
//! their dates, so that a payment that is told late, goes back, or meets a changed due day counts exactly as if everything had been known
//! from the start. Events carry the differences.

use crate::{
    Account, ChargeTerms, Invoice, Release,
    charges::{movement, owed},
};
use alloc::vec::Vec;
use brazil::charges::{ChargeFault, Debt, LegalRates, statement};
use kernel::{NaiveDate, PaymentId};

/// Where an invoice stands after all its money, in minor units.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Position {
    /// Principal not paid.
    pub open_minor: i64,
    /// Charges not paid, on the day of the last payment.
    pub charges_open_minor: i64,
    /// Money that paid charges.
    pub charges_paid_minor: i64,
    /// Discount that was taken.
    pub discount_minor: i64,
}

impl Position {
    /// What is left: principal, or charges where no principal is.
    pub fn outstanding_minor(&self) -> i64 {
        if self.open_minor > 0 { self.open_minor } else { self.charges_open_minor }
    }
}

/// What an invoice asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Asked {
    pub amount_minor: i64,
    /// Of it what credit notes took off.
    pub credited_minor: i64,
    pub due_on: NaiveDate,
}

impl Asked {
    pub fn of(invoice: &Invoice) -> Self {
        Self { amount_minor: invoice.amount_minor, credited_minor: invoice.credited_minor, due_on: invoice.due_on }
    }
}

/// Money paid for an invoice.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Money {
    pub payment_id: PaymentId,
    pub paid_on: NaiveDate,
    pub amount_minor: i64,
}

/// The money that is applied to an invoice now, in the order of recording.
pub(crate) fn money(account: &Account, invoice: &Invoice) -> Vec<Money> {
    let of = |payment_id: &PaymentId| {
        let payment = account.payments.get(payment_id).filter(|payment| payment.applied_minor > 0)?;
        Some(Money { payment_id: payment_id.clone(), paid_on: payment.paid_on, amount_minor: payment.applied_minor })
    };
    invoice.payments.iter().filter_map(of).collect()
}

/// Settles an amount that is due on a day; what is too much is released, the latest payment first: it came when nothing was owed.
/// Errors: [`ChargeFault`], also for a month until the last payment whose legal rate is not in `rates`.
pub(crate) fn settle(
    terms: &ChargeTerms,
    Asked { amount_minor, credited_minor, due_on }: Asked,
    money: &[Money],
    rates: &LegalRates,
) -> Result<(Position, Vec<Release>), ChargeFault> {
    let paid = money.iter().filter_map(|one| movement(one.paid_on, one.amount_minor));
    let (principal_cents, all_credited) = owed(amount_minor, credited_minor);
    let movements = all_credited.into_iter().chain(paid).collect();
    let last = money.iter().map(|one| one.paid_on).max().unwrap_or(due_on);
    let stands = statement(&Debt { principal_cents, due: due_on, movements }, &terms.on(due_on, rates), last)?;
    // A discount is taken by paying everything at once: while principal is open, none was.
    let discount_minor = if stands.principal_open_cents == 0 { stands.discount_cents } else { 0 };
    let kept_minor = stands.paid_cents - stands.excess_cents;
    let position = Position {
        open_minor: stands.principal_open_cents,
        charges_open_minor: stands.charges_open_cents,
        charges_paid_minor: kept_minor + discount_minor - (amount_minor - credited_minor - stands.principal_open_cents),
        discount_minor,
    };
    Ok((position, release(money, stands.excess_cents)))
}

fn release(money: &[Money], excess_minor: i64) -> Vec<Release> {
    let mut latest_first: Vec<&Money> = money.iter().collect();
    latest_first.sort_by_key(|one| one.paid_on);
    let mut left = excess_minor;
    let mut released = Vec::new();
    for one in latest_first.into_iter().rev() {
        let amount_minor = one.amount_minor.min(left);
        if amount_minor > 0 {
            left -= amount_minor;
            released.push(Release { payment_id: one.payment_id.clone(), amount_minor });
        }
    }
    released
}
