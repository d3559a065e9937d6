//! Delinquency: who is late, with how much, since when.

use crate::aging::{Bucket, days_late};
use alloc::collections::BTreeMap;
use kernel::{Currency, NaiveDate};

/// What is owed on one receivable as of a day.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Owed<Key> {
    /// The line to which it belongs: a customer, a segment.
    pub key: Key,
    /// Currency.
    pub currency: Currency,
    /// What is open, minor units.
    pub balance_minor: i64,
    /// Due date moved to a settlement day.
    pub effective_due: NaiveDate,
}

/// One line of the report: a customer or a segment in one currency.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DelinquencyLine {
    /// Receivables with a balance.
    pub open_count: u64,
    /// All that is open, minor units.
    pub open_minor: i64,
    /// Receivables that are late.
    pub overdue_count: u64,
    /// What is late, minor units.
    pub overdue_minor: i64,
    /// The oldest effective due date of what is late; `None` where nothing is.
    pub oldest_due: Option<NaiveDate>,
    /// Days since `oldest_due`; 0 where nothing is late.
    pub days_late: i64,
    /// The bucket of `days_late`.
    pub bucket: Bucket,
}

impl Default for DelinquencyLine {
    fn default() -> Self {
        Self { open_count: 0, open_minor: 0, overdue_count: 0, overdue_minor: 0, oldest_due: None, days_late: 0, bucket: Bucket::Current }
    }
}

impl DelinquencyLine {
    /// Adds a receivable as of a day. One without a balance adds nothing.
    pub fn add(&mut self, balance_minor: i64, effective_due: NaiveDate, day: NaiveDate) {
        if balance_minor <= 0 {
            return;
        }
        self.open_count = self.open_count.saturating_add(1);
        self.open_minor = self.open_minor.saturating_add(balance_minor);
        let late = days_late(effective_due, day);
        if late <= 0 {
            return;
        }
        self.overdue_count = self.overdue_count.saturating_add(1);
        self.overdue_minor = self.overdue_minor.saturating_add(balance_minor);
        self.oldest_due = Some(self.oldest_due.map_or(effective_due, |oldest| oldest.min(effective_due)));
        self.days_late = self.days_late.max(late);
        self.bucket = Bucket::of(self.days_late);
    }
}

/// Lines by key and currency, as of a day; keys without an open receivable have none.
pub fn delinquency<Key: Ord>(owed: impl IntoIterator<Item = Owed<Key>>, day: NaiveDate) -> BTreeMap<(Key, Currency), DelinquencyLine> {
    let mut lines: BTreeMap<(Key, Currency), DelinquencyLine> = BTreeMap::new();
    for owed in owed.into_iter().filter(|owed| owed.balance_minor > 0) {
        lines.entry((owed.key, owed.currency)).or_default().add(owed.balance_minor, owed.effective_due, day);
    }
    lines
}
