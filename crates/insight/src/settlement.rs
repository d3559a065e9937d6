//! Settlement behaviour: who pays by the due date, and how late the others are.

use crate::books::{AsOf, Column, Entry};
use alloc::collections::BTreeMap;
use kernel::{NaiveDate, calendar};

/// The day on which a receivable was settled: the day its balance reached zero, for good as far as is seen. A payment dated
/// before the issue settles it on the day of issue. `None` where something is open, and where nothing is owed because the
/// receivable was cancelled or its principal is not seen.
pub fn settled_on(entries: &[Entry], as_of: AsOf) -> Option<NaiveDate> {
    let mut changes: BTreeMap<NaiveDate, (i64, i64)> = BTreeMap::new();
    for entry in entries.iter().filter(|entry| as_of.sees(entry.effective_on, entry.recorded_at)) {
        let (principal, balance) = changes.entry(entry.effective_on).or_default();
        *balance = balance.saturating_add(entry.balance_change_minor());
        if entry.column == Column::Principal {
            *principal = principal.saturating_add(entry.amount_minor);
        }
    }
    let (mut principal_minor, mut balance_minor, mut settled) = (0_i64, 0_i64, None);
    for (day, (principal_change, balance_change)) in changes {
        principal_minor = principal_minor.saturating_add(principal_change);
        balance_minor = balance_minor.saturating_add(balance_change);
        let is_settled = principal_minor > 0 && balance_minor <= 0;
        settled = is_settled.then(|| settled.unwrap_or(day));
    }
    settled
}

/// Counts and sums over settled receivables.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Settlement {
    /// Settled on or before the effective due date.
    pub paid_by_due: u64,
    /// Settled after it.
    pub paid_late: u64,
    /// Days from the effective due date to the settlement, over those paid late.
    pub days_late_total: i64,
    /// Days from the issue to the settlement, over all settled.
    pub days_to_settle_total: i64,
}

impl Settlement {
    /// Adds a settled receivable.
    pub fn add(&mut self, issued_on: NaiveDate, effective_due: NaiveDate, settled_on: NaiveDate) {
        let late = calendar::days_between(effective_due, settled_on);
        if late > 0 {
            self.paid_late = self.paid_late.saturating_add(1);
            self.days_late_total = self.days_late_total.saturating_add(late);
        } else {
            self.paid_by_due = self.paid_by_due.saturating_add(1);
        }
        let days = calendar::days_between(issued_on, settled_on);
        self.days_to_settle_total = self.days_to_settle_total.saturating_add(days);
    }
}
