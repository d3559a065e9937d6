//! Where a receivable stood on every day: stretches of days on which nothing changed.
//!
//! The books of one receivable say the same of each day as [`crate::books`]; here all days are told at once, so that whoever
//! keeps the stretches finds a day without adding anything up.

use alloc::vec::Vec;
use kernel::NaiveDate;

/// What an entry decides besides the balance.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mark {
    /// From here on the receivable is there.
    Issued,
    /// From here on nothing is owed, whatever moves afterwards.
    Cancelled,
    /// Nothing.
    Plain,
}

/// A dated entry.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Moved {
    /// The civil day from which it counts.
    pub on: NaiveDate,
    /// Place among the entries in the order in which they were recorded; of terms that are seen the last hold.
    pub version: i64,
    /// What it decides.
    pub mark: Mark,
    /// What is owed more, minor units; less where negative.
    pub amount_minor: i64,
    /// The due date that it states, moved to a settlement day.
    pub due: Option<NaiveDate>,
}

/// What is contested from a day on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Contested {
    /// The first day.
    pub from: NaiveDate,
    /// The first day on which it is not any more; `None` while it is.
    pub until: Option<NaiveDate>,
    /// Minor units; 0 = all that is open.
    pub amount_minor: i64,
}

/// Days on which a receivable stood the same, something of it being open.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stretch {
    /// The first day.
    pub from: NaiveDate,
    /// The first day after it; `None` where it has no end yet.
    pub until: Option<NaiveDate>,
    /// The due date that holds, moved to a settlement day.
    pub due: NaiveDate,
    /// What is open, minor units, more than 0.
    pub open_minor: i64,
    /// How much of it is contested, minor units, at most all.
    pub contested_minor: i64,
}

/// All days on which something was open, in order; neighbours differ. Entries in any order. Days before the issue have none, also
/// where money came in before.
pub fn stretches(entries: &[Moved], contested: &[Contested]) -> Vec<Stretch> {
    let first_of = |mark| entries.iter().filter(|entry| entry.mark == mark).map(|entry| entry.on).min();
    let Some(issued) = first_of(Mark::Issued) else { return Vec::new() };
    let cancelled = first_of(Mark::Cancelled);
    let mut entries: Vec<Moved> = entries.to_vec();
    entries.sort_by_key(|entry| (entry.on, entry.version));
    let changes = entries.iter().map(|entry| entry.on);
    let disputes = contested.iter().flat_map(|part| [Some(part.from), part.until]).flatten();
    let mut days: Vec<NaiveDate> = changes.chain(disputes).map(|day| day.max(issued)).filter(|day| is_before(*day, cancelled)).collect();
    days.sort_unstable();
    days.dedup();
    let (mut entries, mut open_minor, mut terms) = (entries.iter().peekable(), 0_i64, None);
    let mut found: Vec<Stretch> = Vec::with_capacity(days.len());
    for (place, day) in days.iter().enumerate() {
        while let Some(entry) = entries.next_if(|entry| entry.on <= *day) {
            open_minor = open_minor.saturating_add(entry.amount_minor);
            terms = terms.max(entry.due.map(|due| (entry.version, due)));
        }
        let Some((_, due)) = terms.filter(|_| open_minor > 0) else { continue };
        let until = days.get(place + 1).copied().or(cancelled);
        let contested_minor = contested_minor(contested, *day, open_minor);
        match found.last_mut() {
            Some(last)
                if last.until == Some(*day) && (last.due, last.open_minor, last.contested_minor) == (due, open_minor, contested_minor) =>
            {
                last.until = until;
            }
            _ => found.push(Stretch { from: *day, until, due, open_minor, contested_minor }),
        }
    }
    found
}

fn is_before(day: NaiveDate, end: Option<NaiveDate>) -> bool {
    end.is_none_or(|end| day < end)
}

/// What is contested at the end of a day, of what is open then.
fn contested_minor(contested: &[Contested], day: NaiveDate, open_minor: i64) -> i64 {
    let then = || contested.iter().filter(|part| part.from <= day && is_before(day, part.until));
    if then().any(|part| part.amount_minor == 0) {
        return open_minor;
    }
    then().fold(0_i64, |sum, part| sum.saturating_add(part.amount_minor)).min(open_minor)
}
