//! What became of a step occurrence, always with a reason.

use crate::reminder::Occurrence;

/// The end of a step occurrence in one contact. All but [`Outcome::Deferred`] are final for the occurrence.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// A channel accepted the contact.
    Executed,
    /// A fact made it pointless.
    Superseded(Reason),
    /// It was not to be said.
    Suppressed(Reason),
    /// Not on this day; the step stays open and is offered again.
    Deferred(Reason),
    /// It could not be said; a person must look.
    Undeliverable(Reason),
}

impl Outcome {
    /// Stable name.
    pub fn slug(self) -> &'static str {
        match self {
            Outcome::Executed => "executed",
            Outcome::Superseded(_) => "superseded",
            Outcome::Suppressed(_) => "suppressed",
            Outcome::Deferred(_) => "deferred",
            Outcome::Undeliverable(_) => "undeliverable",
        }
    }

    /// By its slug and reason; `None` where the slug is unknown or lacks its reason.
    pub fn named(slug: &str, reason: Option<Reason>) -> Option<Self> {
        match slug {
            "executed" => Some(Outcome::Executed),
            "superseded" => reason.map(Outcome::Superseded),
            "suppressed" => reason.map(Outcome::Suppressed),
            "deferred" => reason.map(Outcome::Deferred),
            "undeliverable" => reason.map(Outcome::Undeliverable),
            _ => None,
        }
    }

    /// Why; `None` for what was executed.
    pub fn reason(self) -> Option<Reason> {
        match self {
            Outcome::Executed => None,
            Outcome::Superseded(reason) | Outcome::Suppressed(reason) | Outcome::Deferred(reason) | Outcome::Undeliverable(reason) => {
                Some(reason)
            }
        }
    }

    /// Whether the occurrence is over for good.
    pub fn is_final(self) -> bool {
        match self {
            Outcome::Executed | Outcome::Superseded(_) | Outcome::Suppressed(_) | Outcome::Undeliverable(_) => true,
            Outcome::Deferred(_) => false,
        }
    }
}

/// Why an occurrence was not executed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Reason {
    /// Nothing is owed any more.
    Paid,
    /// The invoice was cancelled.
    Cancelled,
    /// Owed by the instalments of an agreement.
    Renegotiated,
    /// The residue is within the tenant's tolerance.
    WithinTolerance,
    /// A later cycle of the same track is in the same contact.
    NewCycle,
    /// A harsher step of the same track and cycle is in the same contact.
    SameDay,
    /// The payer's unapplied credit covers it.
    CoveredByCredit,
    /// The net balance is below the step's minimum.
    BelowMinimum,
    /// The owner has no such invoice.
    UnknownInvoice,
    /// The payer's personal data was deleted.
    CustomerErased,
    /// Thanks or a correction, and it is owed.
    OwedAgain,
    /// On automatic debit whose day has not come.
    AutomaticDebit,
    /// The payer said no to every channel of the step that there is an address for.
    OptedOut,
    /// The payer has not agreed to any of the step's channels.
    NoConsent,
    /// No valid address on any of the step's channels.
    NoAddress,
    /// Every channel refused.
    AllRefused,
    /// No provider ever told whether it was accepted.
    OutcomeUnknown,
    /// A hold keeps it out of contacts.
    Held,
    /// The payer contests it.
    Disputed,
    /// The payer promised to pay.
    Promised,
    /// A payment was announced.
    InProcess,
    /// It is no longer on its ladder.
    TrackOver,
    /// Outside the window of the contact's day.
    WindowShut,
    /// It is overdue, and the payment feed is older than the tenant's limit.
    StaleFeed,
    /// The owner cannot say what is due: the legal rate of a month is missing.
    ChargesUnknown,
    /// The payer has already heard of this currency and class on this day.
    DayTaken,
    /// The payer's contact budget is spent.
    BudgetSpent,
}

impl Reason {
    /// All of them.
    pub const ALL: [Reason; 27] = [
        Reason::Paid,
        Reason::Cancelled,
        Reason::Renegotiated,
        Reason::WithinTolerance,
        Reason::NewCycle,
        Reason::SameDay,
        Reason::CoveredByCredit,
        Reason::BelowMinimum,
        Reason::UnknownInvoice,
        Reason::CustomerErased,
        Reason::OwedAgain,
        Reason::AutomaticDebit,
        Reason::OptedOut,
        Reason::NoConsent,
        Reason::NoAddress,
        Reason::AllRefused,
        Reason::OutcomeUnknown,
        Reason::Held,
        Reason::Disputed,
        Reason::Promised,
        Reason::InProcess,
        Reason::TrackOver,
        Reason::WindowShut,
        Reason::StaleFeed,
        Reason::ChargesUnknown,
        Reason::DayTaken,
        Reason::BudgetSpent,
    ];

    /// By its slug.
    pub fn named(slug: &str) -> Option<Self> {
        Reason::ALL.into_iter().find(|reason| reason.slug() == slug)
    }

    /// Stable reason.
    pub fn slug(self) -> &'static str {
        match self {
            Reason::Paid => "paid",
            Reason::Cancelled => "cancelled",
            Reason::Renegotiated => "renegotiated",
            Reason::WithinTolerance => "within_tolerance",
            Reason::NewCycle => "new_cycle",
            Reason::SameDay => "same_day",
            Reason::CoveredByCredit => "covered_by_credit",
            Reason::BelowMinimum => "below_minimum",
            Reason::UnknownInvoice => "unknown_invoice",
            Reason::CustomerErased => "customer_erased",
            Reason::OwedAgain => "owed_again",
            Reason::AutomaticDebit => "automatic_debit",
            Reason::OptedOut => "opted_out",
            Reason::NoConsent => "no_consent",
            Reason::NoAddress => "no_address",
            Reason::AllRefused => "all_refused",
            Reason::OutcomeUnknown => "outcome_unknown",
            Reason::Held => "held",
            Reason::Disputed => "disputed",
            Reason::Promised => "promised",
            Reason::InProcess => "in_process",
            Reason::TrackOver => "track_over",
            Reason::WindowShut => "window_shut",
            Reason::StaleFeed => "stale_feed",
            Reason::ChargesUnknown => "charges_unknown",
            Reason::DayTaken => "day_taken",
            Reason::BudgetSpent => "budget_spent",
        }
    }
}

/// What became of one item of a contact.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ItemOutcome {
    /// Which.
    pub key: Occurrence,
    /// What.
    pub outcome: Outcome,
    /// The net balance at the gate, in minor units, where the owner gave one.
    pub net_minor: Option<i64>,
}
