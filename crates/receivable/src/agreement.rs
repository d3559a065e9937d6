//! Agreements: debts of a payer that are owed anew in instalments (novation, Civil Code art. 360).
//!
//! Each instalment is an invoice of its own, so that boletos, Pix, charges and reminders are those of any invoice. The originals are owed
//! no more from the day of the agreement on; where it is broken they are owed again, less what was paid, as if that had been paid on them.
//!
//! Invariants: the amounts of the instalments sum up to the total; a debt is under one agreement at a time; what is owed is never in two
//! places.

use crate::{
    Account, IssueInvoice, Phase, coverage,
    event::{Release, released_minor},
};
use alloc::{string::String, vec::Vec};
use kernel::{AgreementId, Calendar, Currency, InvoiceId, NaiveDate, PaymentId, calendar};

/// Most originals of an agreement.
pub const MAX_ORIGINALS: usize = 100;
/// Most instalments of an agreement.
pub const MAX_INSTALMENTS: usize = 60;
/// Most days that an instalment may be overdue before the agreement is broken.
pub const MAX_BREACH_AFTER_DAYS: u32 = 365;

/// An agreement.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Agreement {
    /// Currency of all its debts and instalments.
    pub currency: Currency,
    /// What was owed at signing, charges included, minor units.
    pub owed_minor: i64,
    /// What was agreed, minor units: the sum of the instalments.
    pub total_minor: i64,
    /// The day of signing.
    pub made_on: NaiveDate,
    /// It is broken once an instalment is overdue for more than so many days.
    pub breach_after_days: u32,
    /// The debts as they stood at signing, oldest due first.
    pub originals: Vec<Original>,
    /// Its instalments in order.
    pub instalments: Vec<InvoiceId>,
    /// Where it stands.
    pub stage: Stage,
}

/// Where an agreement stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stage {
    /// Instalments are to be paid.
    Open,
    /// All instalments are paid. A payment that goes back opens it again.
    Completed {
        /// Since when.
        on: NaiveDate,
    },
    /// Not kept, for good.
    Broken {
        /// Since when.
        on: NaiveDate,
        /// Why.
        cause: BreakCause,
    },
}

/// Why an agreement was broken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum BreakCause {
    /// An instalment was overdue for longer than agreed.
    Late,
    /// A person said so.
    Person,
}

impl BreakCause {
    /// Stable name.
    pub fn slug(self) -> &'static str {
        match self {
            BreakCause::Late => "instalment_late",
            BreakCause::Person => "by_person",
        }
    }

    /// By its name.
    pub fn named(slug: &str) -> Option<Self> {
        [BreakCause::Late, BreakCause::Person].into_iter().find(|cause| cause.slug() == slug)
    }
}

/// A debt as it stood when the agreement was made, minor units. `principal + charges - discount` moved into the instalments.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Original {
    /// The debt.
    pub invoice_id: InvoiceId,
    /// Principal that was open.
    pub principal_minor: i64,
    /// Fine and interest of the day, and what was agreed beyond all that was owed.
    pub charges_minor: i64,
    /// Discount for paying early, and what was given up.
    pub discount_minor: i64,
    /// Money that had paid charges until then.
    pub charges_paid_minor: i64,
    /// Discount that had been taken until then.
    pub discount_taken_minor: i64,
}

impl Original {
    /// What moved into the instalments, minor units.
    pub fn moved_minor(&self) -> i64 {
        self.principal_minor.saturating_add(self.charges_minor).saturating_sub(self.discount_minor)
    }
}

/// Which instalment of which agreement an invoice is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InstalmentOf {
    /// The agreement.
    pub agreement_id: AgreementId,
    /// From 1.
    pub number: u32,
    /// How many there are.
    pub count: u32,
}

/// Makes an agreement. The same again adds nothing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MakeAgreement {
    /// New id, unique within the tenant.
    pub agreement_id: AgreementId,
    /// The debts: open, of one currency, 1 to [`MAX_ORIGINALS`], each named once.
    pub originals: Vec<InvoiceId>,
    /// Minor units: the sum of the instalments.
    pub total_minor: i64,
    /// The instalments, 1 to [`MAX_INSTALMENTS`], each due after the one before.
    pub instalments: Vec<IssueInvoice>,
    /// Days overdue after which it is broken, at most [`MAX_BREACH_AFTER_DAYS`].
    pub breach_after_days: u32,
    /// Today.
    pub made_on: NaiveDate,
}

/// Ends an agreement that is not kept. A broken one again adds nothing; nor does [`BreakCause::Late`] where nothing is that late.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BreakAgreement {
    /// The agreement; `None` = every one that is late.
    pub agreement_id: Option<AgreementId>,
    /// Why.
    pub cause: BreakCause,
    /// In a person's words, 1 to 200 characters.
    pub reason: String,
    /// Today.
    pub today: NaiveDate,
}

/// An agreement was made. What it does to each debt and each instalment is told by the events after it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AgreementMade {
    /// Which.
    pub agreement_id: AgreementId,
    /// Currency.
    pub currency: Currency,
    /// What was owed at signing, charges included, minor units.
    pub owed_minor: i64,
    /// What was agreed, minor units; the difference is a discount, or interest of the agreement.
    pub total_minor: i64,
    /// Days overdue after which it is broken.
    pub breach_after_days: u32,
    /// The debts, oldest due first.
    pub originals: Vec<InvoiceId>,
    /// The instalments in order.
    pub instalments: Vec<InvoiceId>,
    /// The day of signing.
    pub made_on: NaiveDate,
}

/// A debt is owed by an agreement's instalments from here on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InvoiceRenegotiated {
    /// The agreement.
    pub agreement_id: AgreementId,
    /// Currency.
    pub currency: Currency,
    /// The debt as it stood.
    pub original: Original,
    /// From when.
    pub renegotiated_on: NaiveDate,
}

/// A debt is owed by itself again: its agreement was broken. What was paid on instalments comes as payments after it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InvoiceReopened {
    /// The agreement.
    pub agreement_id: AgreementId,
    /// The debt.
    pub invoice_id: InvoiceId,
    /// Currency.
    pub currency: Currency,
    /// Comes back out of the instalments, minor units.
    pub moved_minor: i64,
    /// Charges booked more (less where negative), minor units: those of the signing are undone, money counts as it does without agreement.
    pub charges_minor: i64,
    /// Discount booked more (less where negative), minor units.
    pub discount_minor: i64,
    /// What was paid too much.
    pub released: Vec<Release>,
    /// Left to pay afterwards, minor units: principal, or charges where no principal is.
    pub outstanding_minor: i64,
    /// Due day.
    pub due_on: NaiveDate,
    /// From when.
    pub reopened_on: NaiveDate,
}

impl InvoiceReopened {
    /// By how much more principal of the debt is open, minor units.
    pub fn grown_minor(&self) -> i64 {
        let booked = self.moved_minor.saturating_add(self.charges_minor).saturating_sub(self.discount_minor);
        booked.saturating_add(released_minor(&self.released))
    }
}

/// An agreement was broken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AgreementBroken {
    /// Which.
    pub agreement_id: AgreementId,
    /// Why.
    pub cause: BreakCause,
    /// In a person's words.
    pub reason: String,
    /// What had been paid on its instalments, minor units.
    pub paid_minor: i64,
    /// Currency.
    pub currency: Currency,
    /// When.
    pub broken_on: NaiveDate,
}

/// An agreement was completed, or is open again because a payment went back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AgreementMoved {
    /// Which.
    pub agreement_id: AgreementId,
    /// When.
    pub on: NaiveDate,
}

/// The first day on which an agreement counts as broken, as its instalments stand; `None` where nothing is left to pay, or it is over.
/// Days are counted from the due day moved to a business day, as everywhere. An instalment that the payer's credit covers is never late:
/// nobody asks for it.
pub fn late_from(account: &Account, agreement: &Agreement) -> Option<NaiveDate> {
    match agreement.stage {
        Stage::Completed { .. } | Stage::Broken { .. } => return None,
        Stage::Open => {}
    }
    let uncovered = coverage::uncovered(account, agreement.currency);
    let open = agreement.instalments.iter().filter(|id| uncovered.contains(id)).filter_map(|id| account.invoices.get(id));
    let open = open.filter(|invoice| invoice.phase == Phase::Open);
    let due = open.map(|invoice| Calendar::BrSettlement.following(invoice.due_on)).min()?;
    Some(calendar::add_days(due, i64::from(agreement.breach_after_days) + 1))
}

/// Money that was put on a debt when its agreement was broken, with the day from which the books have it there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PartOf {
    /// The payment that brought it.
    pub payment_id: PaymentId,
    /// When it was put on the debt.
    pub moved_on: NaiveDate,
}
