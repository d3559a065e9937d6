//! What the engine offers on a day: one step per track.

use crate::channel::Channel;
use alloc::{string::String, vec::Vec};
use kernel::{Calendar, Currency, InvoiceId, NaiveDate, Purpose, StepId, Window, Zone};

/// The steps offered to one payer on one local day.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reminder {
    /// The payer's local day.
    pub day: NaiveDate,
    /// How to merge and how much is enough.
    pub rules: Rules,
    /// Calendar whose holidays are outside the window.
    pub calendar: Calendar,
    /// The payer's zone.
    pub zone: Zone,
    /// The offered steps, one per track.
    pub items: Vec<Item>,
}

/// The `[contact]` section of a policy.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rules {
    /// What becomes one contact.
    pub merge: Merge,
    /// Contacts per payer and local day, over all currencies.
    pub max_per_day: u32,
    /// Contacts per payer over the local day and the six before.
    pub max_per_7_days: u32,
    /// Telephone calls per payer and local day.
    pub max_voice_per_day: u32,
    /// When the payer may be contacted.
    pub window: Window,
}

impl Default for Rules {
    /// One contact a day, three in seven days, one call a day, 09:00-18:00 on weekdays, all in one contact.
    fn default() -> Self {
        Self { merge: Merge::PerDay, max_per_day: 1, max_per_7_days: 3, max_voice_per_day: 1, window: Window::default() }
    }
}

/// What becomes one contact.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Merge {
    /// All of a currency and day.
    PerDay,
    /// Overdue and upcoming apart.
    ByClass,
    /// Each item alone.
    None,
}

impl Merge {
    /// By its name in a policy.
    pub fn named(slug: &str) -> Option<Self> {
        [Merge::PerDay, Merge::ByClass, Merge::None].into_iter().find(|merge| merge.slug() == slug)
    }

    /// Its name in a policy.
    pub fn slug(self) -> &'static str {
        match self {
            Merge::PerDay => "per_day",
            Merge::ByClass => "by_class",
            Merge::None => "none",
        }
    }
}

/// One offered step of one track.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Item {
    /// The receivable.
    pub invoice_id: InvoiceId,
    /// Cycle of its track.
    pub cycle: u32,
    /// Step.
    pub step_id: StepId,
    /// Occurrence of a repeated step.
    pub occurrence: u32,
    /// 1 courteous to 5 final.
    pub tone: u8,
    /// Template and version.
    pub template: String,
    /// Chains in parallel; within a chain the next channel stands in for the one before.
    pub chains: Vec<Vec<Channel>>,
    /// Planned date of the step: the older goes first when the budget is short.
    pub planned_on: NaiveDate,
    /// Due date.
    pub due_on: NaiveDate,
    /// Due date moved to a settlement day.
    pub effective_due: NaiveDate,
    /// Whether the debt is overdue on the reminder's day.
    pub overdue: bool,
    /// Currency of the receivable.
    pub currency: Currency,
    /// The step's minimum net balance, in minor units; judged by the owner.
    pub min_outstanding_minor: i64,
    /// The contested part when it was offered, in minor units; taken off by the owner.
    pub disputed_minor: i64,
    /// Hours without a receipt after which the next channel is tried; 0 = silence never falls back.
    pub fallback_after_hours: u32,
    /// Why the payer is told of it.
    pub purpose: Purpose,
}

impl Item {
    /// Its key.
    pub fn key(&self) -> Occurrence {
        Occurrence { invoice_id: self.invoice_id.clone(), cycle: self.cycle, step_id: self.step_id.clone(), occurrence: self.occurrence }
    }
}

/// Key of a step occurrence within a payer: it is executed at most once, ever.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Occurrence {
    /// The receivable.
    pub invoice_id: InvoiceId,
    /// Cycle of its track.
    pub cycle: u32,
    /// Step.
    pub step_id: StepId,
    /// Occurrence of a repeated step.
    pub occurrence: u32,
}
