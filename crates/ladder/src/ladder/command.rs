//! What may be asked of a payer's ladder, and why it may be refused.

use crate::policy::Channel;
use crate::reason::Reason;
use alloc::string::String;
use alloc::vec::Vec;
use kernel::{ContactId, Currency, DateTime, InvoiceId, NaiveDate, PolicyId, StepId, Utc, Zone};

/// A command. `Note*` and `Conclude*` are facts: told twice, they change nothing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Command {
    /// What is known of the payer.
    NotePayer {
        /// The payer's own zone.
        zone: Option<Zone>,
        /// A neutral attribute.
        segment: Option<String>,
    },
    /// A receivable enters a ladder. The same receivable again changes nothing, whatever else it says.
    Enroll {
        /// The receivable.
        invoice_id: InvoiceId,
        /// What is owed, minor units.
        amount_minor: i64,
        /// Its currency.
        currency: Currency,
        /// Civil date of issue.
        issued_on: NaiveDate,
        /// Civil due date.
        due_on: NaiveDate,
        /// When it became known.
        recorded_at: DateTime<Utc>,
        /// The ladder.
        policy_id: PolicyId,
        /// The version it is pinned to.
        policy_version: u32,
    },
    /// A payment or credit was recorded.
    NotePayment {
        /// The receivable.
        invoice_id: InvoiceId,
        /// Open after it; zero or less is settled.
        outstanding_minor: i64,
        /// When it was recorded.
        recorded_at: DateTime<Utc>,
    },
    /// A payment was returned.
    NoteReversal {
        /// The receivable.
        invoice_id: InvoiceId,
        /// Open after it.
        outstanding_minor: i64,
        /// When it was recorded.
        recorded_at: DateTime<Utc>,
    },
    /// The receivable was changed.
    NoteAmendment {
        /// The receivable.
        invoice_id: InvoiceId,
        /// Open after it.
        outstanding_minor: i64,
        /// The civil due date after it.
        due_on: NaiveDate,
        /// When it was recorded.
        recorded_at: DateTime<Utc>,
    },
    /// The receivable was cancelled.
    NoteCancellation {
        /// The receivable.
        invoice_id: InvoiceId,
        /// When it was recorded.
        recorded_at: DateTime<Utc>,
    },
    /// Time has passed: record what is over, offer what is due. Any number of times.
    Wake {
        /// The instant.
        now: DateTime<Utc>,
    },
    /// A contact is over.
    ConcludeContact {
        /// The contact.
        contact_id: ContactId,
        /// Its local day.
        day: NaiveDate,
        /// What became of each step that it carried or was to carry.
        items: Vec<ItemOutcome>,
    },
    /// The contact of a step was delivered.
    NoteDelivery {
        /// The receivable.
        invoice_id: InvoiceId,
        /// Its cycle.
        cycle: u32,
        /// The step.
        step_id: StepId,
        /// Its occurrence.
        occurrence: u32,
        /// The local day.
        delivered_on: NaiveDate,
    },
    /// A step that is no contact is over.
    ConcludeAction {
        /// The receivable.
        invoice_id: InvoiceId,
        /// Its cycle.
        cycle: u32,
        /// The step.
        step_id: StepId,
        /// Its occurrence.
        occurrence: u32,
        /// The local day.
        day: NaiveDate,
        /// What became of it.
        outcome: ActionOutcome,
    },
    /// A person confirms a step that asked for it. Of a step that is over, or that did not ask, it changes nothing.
    Approve {
        /// The receivable.
        invoice_id: InvoiceId,
        /// Its cycle.
        cycle: u32,
        /// The step.
        step_id: StepId,
        /// Its occurrence.
        occurrence: u32,
        /// Who, as an operator id.
        by: String,
    },
    /// The payer's data was erased.
    ForgetPayer {
        /// When it was recorded.
        recorded_at: DateTime<Utc>,
    },
}

/// What became of one step of a contact.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ItemOutcome {
    /// The receivable.
    pub invoice_id: InvoiceId,
    /// Its cycle.
    pub cycle: u32,
    /// The step.
    pub step_id: StepId,
    /// Its occurrence.
    pub occurrence: u32,
    /// What became of it.
    pub outcome: Outcome,
}

/// What became of a step that is a contact.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// A channel accepted it.
    Executed {
        /// The first that did.
        channel: Channel,
    },
    /// A fact that the gate saw made it void.
    Superseded(Reason),
    /// A rule of the gate stopped it for good.
    Suppressed(Reason),
    /// A rule of the gate stopped it for that day; it stays open.
    Deferred(Reason),
    /// No channel accepted it.
    Undeliverable(Reason),
}

/// What became of a step that is no contact.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ActionOutcome {
    /// Done.
    Executed,
    /// Not to be done.
    Suppressed(Reason),
    /// Not on that day; it stays open.
    Deferred(Reason),
    /// It could not be done.
    Undeliverable(Reason),
}

/// Why a command is refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Rejection {
    /// The payer has no track of that receivable.
    #[error("invoice_id: {0} is not enrolled")]
    UnknownInvoice(InvoiceId),
    /// The track has no such step in that cycle.
    #[error("step_id: {step_id} has no occurrence {occurrence} in cycle {cycle} of {invoice_id}")]
    UnknownOccurrence {
        /// The receivable.
        invoice_id: InvoiceId,
        /// The cycle.
        cycle: u32,
        /// The step.
        step_id: StepId,
        /// The occurrence.
        occurrence: u32,
    },
    /// No such policy version was published.
    #[error("policy_version: {policy_id} has no version {version}")]
    UnknownPolicy {
        /// The ladder.
        policy_id: PolicyId,
        /// The version.
        version: u32,
    },
    /// A receivable of nothing has no ladder.
    #[error("amount_minor: must be more than zero")]
    AmountNotPositive,
    /// A civil date before 1900 or after 9999, named by its field: a slip, and too far for calendars and zones.
    #[error("{0}: must lie within 1900 to 9999")]
    DateOutOfRange(&'static str),
    /// A contact's outcome was told of a step that is no contact, or the other way round.
    #[error("step_id: {0} is of another kind")]
    WrongKind(StepId),
}

impl Rejection {
    /// Its stable name.
    pub fn slug(&self) -> &'static str {
        match self {
            Rejection::UnknownInvoice(_) => "unknown_invoice",
            Rejection::UnknownOccurrence { .. } => "unknown_occurrence",
            Rejection::UnknownPolicy { .. } => "unknown_policy",
            Rejection::AmountNotPositive => "amount_not_positive",
            Rejection::DateOutOfRange(_) => "date_out_of_range",
            Rejection::WrongKind(_) => "wrong_kind",
        }
    }
}
