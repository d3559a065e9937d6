//! Aging: what is open, by days late.

use kernel::{NaiveDate, calendar};

/// Days from the effective due date to a day: 0 on the due date itself, negative before.
pub fn days_late(effective_due: NaiveDate, day: NaiveDate) -> i64 {
    calendar::days_between(effective_due, day)
}

/// How late, in the classes of every aging report.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Bucket {
    /// Not late: due today or later.
    Current,
    /// 1 to 30 days late.
    Days1To30,
    /// 31 to 60 days late.
    Days31To60,
    /// 61 to 90 days late.
    Days61To90,
    /// More than 90 days late.
    Over90,
}

impl Bucket {
    /// All, the least late first.
    pub const ALL: [Bucket; 5] = [Bucket::Current, Bucket::Days1To30, Bucket::Days31To60, Bucket::Days61To90, Bucket::Over90];

    /// By days late.
    pub fn of(days_late: i64) -> Self {
        match days_late {
            ..=0 => Bucket::Current,
            1..=30 => Bucket::Days1To30,
            31..=60 => Bucket::Days31To60,
            61..=90 => Bucket::Days61To90,
            91.. => Bucket::Over90,
        }
    }

    /// Stable name.
    pub fn slug(self) -> &'static str {
        match self {
            Bucket::Current => "current",
            Bucket::Days1To30 => "1_30",
            Bucket::Days31To60 => "31_60",
            Bucket::Days61To90 => "61_90",
            Bucket::Over90 => "over_90",
        }
    }
}

/// What is open in one currency, by days late. The buckets and the disputed column add up to `open_minor`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Aging {
    /// Receivables with a balance.
    pub open_count: u64,
    /// All that is open, minor units.
    pub open_minor: i64,
    /// Not late, minor units.
    pub current_minor: i64,
    /// 1 to 30 days late, minor units.
    pub overdue_1_30_minor: i64,
    /// 31 to 60 days late, minor units.
    pub overdue_31_60_minor: i64,
    /// 61 to 90 days late, minor units.
    pub overdue_61_90_minor: i64,
    /// More than 90 days late, minor units.
    pub overdue_over_90_minor: i64,
    /// Under dispute, however late, minor units.
    pub disputed_minor: i64,
}

impl Aging {
    /// Adds a receivable. One without a balance is not open and adds nothing; no more than the balance is disputed.
    pub fn add(&mut self, balance_minor: i64, disputed_minor: i64, days_late: i64) {
        if balance_minor <= 0 {
            return;
        }
        let disputed_minor = disputed_minor.clamp(0, balance_minor);
        self.open_count = self.open_count.saturating_add(1);
        self.open_minor = self.open_minor.saturating_add(balance_minor);
        self.disputed_minor = self.disputed_minor.saturating_add(disputed_minor);
        let column = self.column(Bucket::of(days_late));
        *column = column.saturating_add(balance_minor - disputed_minor);
    }

    /// What is late, disputes left out, minor units.
    pub fn overdue_minor(&self) -> i64 {
        let columns = [self.overdue_1_30_minor, self.overdue_31_60_minor, self.overdue_61_90_minor, self.overdue_over_90_minor];
        columns.into_iter().fold(0, i64::saturating_add)
    }

    fn column(&mut self, bucket: Bucket) -> &mut i64 {
        match bucket {
            Bucket::Current => &mut self.current_minor,
            Bucket::Days1To30 => &mut self.overdue_1_30_minor,
            Bucket::Days31To60 => &mut self.overdue_31_60_minor,
            Bucket::Days61To90 => &mut self.overdue_61_90_minor,
            Bucket::Over90 => &mut self.overdue_over_90_minor,
        }
    }
}
