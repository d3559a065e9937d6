//! Dated entries of a receivable, and what they say as of a day.

use kernel::{Calendar, DateTime, NaiveDate, Utc};

/// What an entry is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Column {
    /// Issued, amended or cancelled: adds to what is owed, or takes back where negative.
    Principal,
    /// Fine and interest: adds.
    Charges,
    /// Credit notes: reduce.
    Credits,
    /// Money: reduces; negative where it went back.
    Payments,
}

/// A dated entry of one receivable. Entries are never changed: a correction is a further one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Entry {
    /// What it is about.
    pub column: Column,
    /// Minor units; negative takes back.
    pub amount_minor: i64,
    /// The civil day from which it counts.
    pub effective_on: NaiveDate,
    /// When it became known.
    pub recorded_at: DateTime<Utc>,
}

impl Entry {
    /// What it does to the balance, in minor units.
    pub fn balance_change_minor(&self) -> i64 {
        match self.column {
            Column::Principal | Column::Charges => self.amount_minor,
            Column::Credits | Column::Payments => self.amount_minor.saturating_neg(),
        }
    }
}

/// A due date, from the day on which it was agreed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DueEntry {
    /// The due date.
    pub due_on: NaiveDate,
    /// The civil day from which it counts.
    pub effective_on: NaiveDate,
    /// When it became known.
    pub recorded_at: DateTime<Utc>,
}

/// The point from which the books are read: a day, its end included, as known now or as known at an instant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AsOf {
    /// The day.
    pub day: NaiveDate,
    /// Only what was recorded until then, it included; `None` = as known now.
    pub known_at: Option<DateTime<Utc>>,
}

impl AsOf {
    /// A day, as known now.
    pub fn day(day: NaiveDate) -> Self {
        Self { day, known_at: None }
    }

    /// Whether something that counts from a day and was recorded at an instant is seen from here.
    pub fn sees(&self, effective_on: NaiveDate, recorded_at: DateTime<Utc>) -> bool {
        effective_on <= self.day && self.known_at.is_none_or(|at| recorded_at <= at)
    }
}

/// Principal + charges − credits − payments, in minor units.
pub fn balance_minor(entries: &[Entry], as_of: AsOf) -> i64 {
    let seen = entries.iter().filter(|entry| as_of.sees(entry.effective_on, entry.recorded_at));
    seen.fold(0, |sum: i64, entry| sum.saturating_add(entry.balance_change_minor()))
}

/// The due date that holds: of those seen the one agreed last, of several on a day the one recorded last, then the last in
/// the list. `None` where none is seen.
pub fn due_on(dues: &[DueEntry], as_of: AsOf) -> Option<NaiveDate> {
    let seen = dues.iter().filter(|due| as_of.sees(due.effective_on, due.recorded_at));
    seen.max_by_key(|due| (due.effective_on, due.recorded_at)).map(|due| due.due_on)
}

/// A due date moved to the day on which banks settle.
pub fn effective_due(due_on: NaiveDate, calendar: Calendar) -> NaiveDate {
    calendar.following(due_on)
}
