//! A seeded, plausible Brazilian portfolio; every name, document and address is plainly fictitious.

mod account;
mod people;

pub use account::account;

use anyhow::Context;
use chrono::{Datelike, NaiveDate};
use kernel::{Calendar, calendar};
use people::Person;
use std::path::Path;

/// What to make.
#[derive(Debug, Clone, Copy)]
pub struct Portfolio {
    /// Payers.
    pub customers: u32,
    /// Invoices.
    pub invoices: u32,
    /// Months.
    pub months: u32,
    /// The same seed makes the same portfolio.
    pub seed: u64,
}

/// SplitMix64 (Steele, Lea, Flood 2014): small, seeded, good enough to make up people.
#[derive(Debug, Clone)]
pub struct Dice(u64);

impl Dice {
    /// From a seed.
    pub fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// The next number.
    pub fn roll(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }

    /// A number below `sides`, which is more than zero.
    pub fn below(&mut self, sides: u64) -> u64 {
        self.roll() % sides.max(1)
    }

    /// True `percent` times of a hundred.
    pub fn chance(&mut self, percent: u64) -> bool {
        self.below(100) < percent
    }

    /// One of some things.
    pub fn pick<'a, T>(&mut self, of: &'a [T]) -> &'a T {
        &of[usize::try_from(self.below(of.len() as u64)).unwrap_or(0)]
    }
}

/// First day of every demo, so that its figures can be talked about.
fn first_day() -> NaiveDate {
    NaiveDate::from_ymd_opt(2025, 1, 2).unwrap_or_default()
}

impl Portfolio {
    /// The last day to play: the last of its months is over.
    pub fn until(&self) -> NaiveDate {
        let months = i32::try_from(self.months).unwrap_or(i32::MAX - 12);
        let (year, month0) = (first_day().year() + months / 12, months % 12);
        let after = NaiveDate::from_ymd_opt(year, u32::try_from(month0 + 1).unwrap_or(1), 1).unwrap_or(NaiveDate::MAX);
        calendar::previous(after)
    }

    /// Writes it as CSV. Errors: the file cannot be written.
    pub fn write(&self, path: &Path) -> anyhow::Result<()> {
        let mut dice = Dice::new(self.seed);
        let people: Vec<Person> = (0..self.customers).map(|number| Person::make(number, &mut dice)).collect();
        let mut out = csv::Writer::from_path(path).with_context(|| format!("{} cannot be written", path.display()))?;
        out.write_record(crate::portfolio::columns::OWN)?;
        let days = u64::try_from(calendar::days_between(first_day(), self.until())).unwrap_or(1).max(2) - 1;
        for number in 0..self.invoices {
            let person = dice.pick(&people).clone();
            self.write_invoice(&mut out, number, &person, days, &mut dice)?;
        }
        out.flush()?;
        Ok(())
    }

    fn write_invoice(
        &self,
        out: &mut csv::Writer<std::fs::File>,
        number: u32,
        person: &Person,
        days: u64,
        dice: &mut Dice,
    ) -> anyhow::Result<()> {
        let issued_on = calendar::add_days(first_day(), i64::try_from(dice.below(days)).unwrap_or(0));
        let due_on = calendar::add_days(issued_on, *dice.pick(&[7, 10, 15, 28, 30, 30, 30, 45]));
        let amount_minor =
            person.typical_minor / 2 + i64::try_from(dice.below(u64::try_from(person.typical_minor).unwrap_or(1))).unwrap_or(0) + 100;
        let payments = self.payments(person, amount_minor, (issued_on, due_on), dice);
        let rows = if payments.is_empty() { vec![None] } else { payments.into_iter().map(Some).collect() };
        for payment in rows {
            let (paid_on, paid_amount) = payment.map_or((String::new(), String::new()), |(day, minor)| (day.to_string(), decimal(minor)));
            let row = [
                person.customer_id.as_str(),
                &person.name,
                &person.tax_id,
                &person.email,
                &person.phone,
                &person.state,
                "",
                &format!("F{number:07}"),
                &issued_on.to_string(),
                &due_on.to_string(),
                &decimal(amount_minor),
                "BRL",
                &paid_on,
                &paid_amount,
            ];
            out.write_record(row)?;
        }
        Ok(())
    }

    /// When and how much somebody of that character pays.
    fn payments(&self, person: &Person, amount_minor: i64, dates: (NaiveDate, NaiveDate), dice: &mut Dice) -> Vec<(NaiveDate, i64)> {
        let (issued_on, due_on) = dates;
        let days_late = match person.reliability {
            _ if dice.chance(u64::from(person.never_pays_percent)) => return Vec::new(),
            0 => -i64::try_from(dice.below(5)).unwrap_or(0),
            1 => i64::try_from(dice.below(12)).unwrap_or(0) - 6,
            2 => i64::try_from(dice.below(40)).unwrap_or(0),
            _ => i64::try_from(dice.below(110)).unwrap_or(0) + 5,
        };
        let day = Calendar::BrSettlement.following(calendar::add_days(due_on, days_late).max(issued_on));
        if dice.chance(4) && amount_minor > 2000 {
            let part = amount_minor / 2;
            let rest_on = calendar::add_days(day, i64::try_from(dice.below(30)).unwrap_or(0) + 1);
            let rest = account::due_minor((amount_minor, due_on), &[(day, part)], rest_on);
            return vec![(day, part), (rest_on, rest)];
        }
        let asked = account::due_minor((amount_minor, due_on), &[], day);
        let paid = if dice.chance(1) { asked + amount_minor / 10 } else { asked };
        vec![(day, paid)]
    }
}

fn decimal(minor: i64) -> String {
    format!("{}.{:02}", minor / 100, minor % 100)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_seed_makes_the_same_portfolio() {
        let directory = tempfile::tempdir().unwrap();
        let make = |name: &str, seed| {
            let path = directory.path().join(name);
            Portfolio { customers: 20, invoices: 100, months: 6, seed }.write(&path).unwrap();
            std::fs::read_to_string(path).unwrap()
        };
        assert_eq!(make("a", 1), make("b", 1));
        assert_ne!(make("c", 1), make("d", 2));
    }

    #[test]
    fn a_demo_ends_with_its_last_month() {
        let until = |months| Portfolio { customers: 1, invoices: 1, months, seed: 1 }.until().to_string();
        assert_eq!((until(18), until(12), until(1)), ("2026-06-30".into(), "2025-12-31".into(), "2025-01-31".into()));
    }
}
