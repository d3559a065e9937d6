//! What is owed on a day, from the facts of a debt.

use super::accrual::known;
use super::{Allocation, ChargeFault, Exact, InterestStart, Rounding, Terms, accrue};
use alloc::vec::Vec;
use kernel::{NaiveDate, calendar, money};

/// A debt and what has happened to it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Debt {
    /// Nominal value, cents, more than zero.
    pub principal_cents: i64,
    /// Due date as agreed.
    pub due: NaiveDate,
    /// Payments and credits, in any order; those of one day count in the order given.
    pub movements: Vec<Movement>,
}

/// Something that lowers a debt.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Movement {
    /// When it counts.
    pub day: NaiveDate,
    /// Cents, more than zero.
    pub cents: i64,
    /// What it is.
    pub kind: MovementKind,
}

/// What lowers a debt.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MovementKind {
    /// Money received.
    Payment,
    /// An abatement or credit note: lowers the principal from its day on.
    Credit,
    /// Fine or interest forgiven: lowers what charges there are on its day.
    Waiver,
}

/// What is owed on a day. `principal + fine + interest - discount - credits - paid = due - excess`, to the cent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Statement {
    /// The day it is for.
    pub day: NaiveDate,
    /// Nominal value, cents.
    pub principal_cents: i64,
    /// Fine, cents.
    pub fine_cents: i64,
    /// Interest so far, cents.
    pub interest_cents: i64,
    /// Discount, cents: taken, or what paying today would take.
    pub discount_cents: i64,
    /// Credits and waivers, cents.
    pub credits_cents: i64,
    /// Payments, cents.
    pub paid_cents: i64,
    /// Principal that is not paid, cents; a discount is not taken off.
    pub principal_open_cents: i64,
    /// Fine and interest that are not paid, cents.
    pub charges_open_cents: i64,
    /// What settles the debt on this day, cents.
    pub due_cents: i64,
    /// What was paid or credited beyond it, cents.
    pub excess_cents: i64,
    /// Days from the first day of interest, 0 where it is not late or is settled.
    pub days_late: i64,
    /// Name of the interest convention.
    pub convention: &'static str,
    /// Rounding used.
    pub rounding: Rounding,
    /// First day of interest used.
    pub interest_start: InterestStart,
    /// Allocation used.
    pub allocation: Allocation,
}

/// The debt while its days are walked.
struct Walk<'a> {
    terms: &'a Terms,
    nominal: i64,
    /// Last day on time.
    on_time: NaiveDate,
    /// Interest is accrued up to and with this day.
    cursor: NaiveDate,
    late: bool,
    principal_open: i64,
    fine: i64,
    interest: Exact,
    charges_settled: i64,
    discount: i64,
    credits: i64,
    paid: i64,
    excess: i64,
}

/// The statement of a debt on a day; later movements are not seen. Errors: [`ChargeFault`].
pub fn statement(debt: &Debt, terms: &Terms, day: NaiveDate) -> Result<Statement, ChargeFault> {
    money::positive_minor(debt.principal_cents).map_err(|_| ChargeFault::Principal)?;
    for date in [debt.due, day] {
        known(date)?;
    }
    let mut seen: Vec<Movement> = debt.movements.iter().copied().filter(|movement| movement.day <= day).collect();
    seen.sort_by_key(|movement| movement.day);
    let mut walk = Walk::new(debt, terms);
    for movement in seen {
        known(movement.day)?;
        money::positive_minor(movement.cents).map_err(|_| ChargeFault::MovementAmount)?;
        walk.advance(movement.day)?;
        walk.apply(movement)?;
    }
    walk.advance(day)?;
    walk.statement(debt, day)
}

impl<'a> Walk<'a> {
    fn new(debt: &Debt, terms: &'a Terms) -> Self {
        let on_time = terms.last_day_on_time(debt.due);
        let cursor = match terms.interest_start {
            InterestStart::Original => debt.due,
            InterestStart::Adjusted => on_time,
        };
        Self {
            terms,
            nominal: debt.principal_cents,
            on_time,
            cursor,
            late: false,
            principal_open: debt.principal_cents,
            fine: 0,
            interest: Exact::ZERO,
            charges_settled: 0,
            discount: 0,
            credits: 0,
            paid: 0,
            excess: 0,
        }
    }

    /// Charges up to and with `day`. What was paid by the last day on time bears none, even from the original due date.
    fn advance(&mut self, day: NaiveDate) -> Result<(), ChargeFault> {
        if day <= self.on_time {
            return Ok(());
        }
        if !self.late {
            self.late = true;
            if let Some(fine) = self.terms.fine.filter(|_| self.principal_open > 0) {
                self.fine = fine.on(self.principal_open)?.rounded(self.terms.rounding)?;
            }
        }
        let stretch = (self.cursor, day);
        let terms = self.terms;
        let grown = accrue(&terms.interest, self.principal_open, self.nominal, stretch, terms.calendar, terms.rounding)?;
        self.interest = self.interest.plus(grown)?;
        self.cursor = self.cursor.max(day);
        Ok(())
    }

    fn charges_open(&self) -> Result<i64, ChargeFault> {
        let interest = self.interest.rounded(self.terms.rounding)?;
        self.fine.checked_add(interest).and_then(|sum| sum.checked_sub(self.charges_settled)).ok_or(ChargeFault::TooLarge)
    }

    fn discount_offered(&self, day: NaiveDate) -> Result<i64, ChargeFault> {
        if self.late || self.principal_open == 0 {
            return Ok(0);
        }
        Ok(self.terms.discount_on(day, self.nominal)?.min(self.principal_open))
    }

    fn apply(&mut self, movement: Movement) -> Result<(), ChargeFault> {
        match movement.kind {
            MovementKind::Payment => {
                self.paid = self.paid.checked_add(movement.cents).ok_or(ChargeFault::TooLarge)?;
                self.pay(movement)?;
            }
            MovementKind::Credit => {
                self.credits = self.credits.checked_add(movement.cents).ok_or(ChargeFault::TooLarge)?;
                let rest = self.lower_principal(movement.cents);
                self.overflow(rest)?;
            }
            MovementKind::Waiver => {
                self.credits = self.credits.checked_add(movement.cents).ok_or(ChargeFault::TooLarge)?;
                let rest = self.lower_charges(movement.cents)?;
                self.overflow(rest)?;
            }
        }
        Ok(())
    }

    fn pay(&mut self, movement: Movement) -> Result<(), ChargeFault> {
        let offered = self.discount_offered(movement.day)?;
        if offered > 0 && movement.cents >= self.principal_open - offered {
            self.discount = offered;
            let rest = movement.cents - (self.principal_open - offered);
            self.principal_open = 0;
            return self.overflow(rest);
        }
        let rest = match self.terms.allocation {
            Allocation::ChargesFirst => {
                let rest = self.lower_charges(movement.cents)?;
                self.lower_principal(rest)
            }
            Allocation::PrincipalFirst => {
                let rest = self.lower_principal(movement.cents);
                self.lower_charges(rest)?
            }
        };
        self.overflow(rest)
    }

    fn overflow(&mut self, rest: i64) -> Result<(), ChargeFault> {
        self.excess = self.excess.checked_add(rest).ok_or(ChargeFault::TooLarge)?;
        Ok(())
    }

    /// Takes what it can of `cents`, gives back the rest.
    fn lower_principal(&mut self, cents: i64) -> i64 {
        let taken = cents.min(self.principal_open);
        self.principal_open -= taken;
        cents - taken
    }

    /// Takes what it can of `cents`, gives back the rest.
    fn lower_charges(&mut self, cents: i64) -> Result<i64, ChargeFault> {
        let taken = cents.min(self.charges_open()?);
        self.charges_settled += taken;
        Ok(cents - taken)
    }

    fn statement(&self, debt: &Debt, day: NaiveDate) -> Result<Statement, ChargeFault> {
        let offered = self.discount_offered(day)?;
        let charges_open = self.charges_open()?;
        let due_cents = (self.principal_open - offered).checked_add(charges_open).ok_or(ChargeFault::TooLarge)?;
        let start = match self.terms.interest_start {
            InterestStart::Original => debt.due,
            InterestStart::Adjusted => self.on_time,
        };
        let late = self.late && due_cents > 0;
        Ok(Statement {
            day,
            principal_cents: self.nominal,
            fine_cents: self.fine,
            interest_cents: self.interest.rounded(self.terms.rounding)?,
            discount_cents: self.discount + offered,
            credits_cents: self.credits,
            paid_cents: self.paid,
            principal_open_cents: self.principal_open,
            charges_open_cents: charges_open,
            due_cents,
            excess_cents: self.excess,
            days_late: if late { calendar::days_between(start, day) } else { 0 },
            convention: self.terms.interest.name(),
            rounding: self.terms.rounding,
            interest_start: self.terms.interest_start,
            allocation: self.terms.allocation,
        })
    }
}
