//! What may be asked of a payer's ladder, and why it may be refused.

use crate::arrangement::{ArrangementEnd, ArrangementKind};
use crate::policy::Channel;
use crate::reason::Reason;
use crate::task::TaskKey;
use crate::terms::Method;
use crate::track::Phase;
use alloc::string::String;
use alloc::vec::Vec;
use kernel::{AgreementId, ArrangementId, ContactId, Currency, DateTime, InvoiceId, NaiveDate, PolicyId, StepId, Utc, Zone};

/// A command. `Note*` and `Conclude*` are facts: told twice, they change nothing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Command {
    /// What is known of the payer.
    NotePayer {
        /// The payer's own zone.
        zone: Option<Zone>,
        /// A neutral attribute.
        segment: Option<String>,
        /// The state of the payer's address, by its two letters: decides the window.
        state: Option<String>,
        /// The municipality of the payer's address, by its code: decides local holidays.
        municipality: Option<String>,
    },
    /// The payer was rated; the owner tells only of what holds.
    NoteRating {
        /// 0 (least risk) to 100.
        score: u8,
    },
    /// The payer opened the receivable.
    NoteView {
        /// The receivable.
        invoice_id: InvoiceId,
        /// When.
        viewed_at: DateTime<Utc>,
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
        /// The agreement whose instalment it is.
        instalment_of: Option<AgreementId>,
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
    /// The receivable is owed by the instalments of an agreement.
    NoteAgreement {
        /// The receivable.
        invoice_id: InvoiceId,
        /// The agreement.
        agreement_id: AgreementId,
        /// When it was recorded.
        recorded_at: DateTime<Utc>,
    },
    /// The agreement about the receivable was broken.
    NoteBreach {
        /// The receivable.
        invoice_id: InvoiceId,
        /// Open after it.
        outstanding_minor: i64,
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
        /// Why; may be empty.
        why: String,
        /// When.
        at: DateTime<Utc>,
    },
    /// A person attends to what was asked.
    Attend {
        /// When.
        at: DateTime<Utc>,
        /// Who, as an operator id.
        by: String,
        /// Why, in the operator's words.
        why: String,
        /// What.
        what: Attend,
    },
    /// A person decides something about debts.
    Arrange {
        /// When.
        at: DateTime<Utc>,
        /// Who, as an operator id.
        by: String,
        /// Why, in the operator's words.
        why: String,
        /// What.
        what: Arrange,
    },
    /// A credit note reduced what is owed: as a payment, but that no promise is kept by it.
    NoteCredit {
        /// The receivable.
        invoice_id: InvoiceId,
        /// Open after it; zero or less is settled.
        outstanding_minor: i64,
        /// When it was recorded.
        recorded_at: DateTime<Utc>,
    },
    /// The creditor's catch-up was approved or refused: the payer goes on.
    EndCatchUp {
        /// Its number.
        number: u32,
        /// Whether it was approved.
        released: bool,
        /// The instant.
        now: DateTime<Utc>,
    },
    /// What became of an entry at a bureau or protest office. Told again, it changes nothing.
    NoteListing {
        /// The receivable.
        invoice_id: InvoiceId,
        /// The cycle of the step that made it.
        cycle: u32,
        /// The step.
        step_id: StepId,
        /// The local day.
        day: NaiveDate,
        /// What.
        note: ListingNote,
    },
    /// Running tracks of a policy version move to another one. Told again, it finds none.
    Migrate {
        /// The ladder and the version that they are pinned to.
        from: (PolicyId, u32),
        /// The ladder and the version that they move to.
        to: (PolicyId, u32),
        /// Who, as an operator id.
        by: String,
        /// Why, in the operator's words.
        why: String,
        /// The instant.
        now: DateTime<Utc>,
    },
    /// The payer's data was erased.
    ForgetPayer {
        /// When it was recorded.
        recorded_at: DateTime<Utc>,
    },
}

/// What a person must hear of an entry, or need not do any more.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ListingNote {
    /// It was refused.
    Refused,
    /// Its removal was refused.
    RemovalRefused {
        /// The last day of the removal.
        until: NaiveDate,
    },
    /// Its removal is not confirmed, and the last day is near.
    Near {
        /// The last day.
        until: NaiveDate,
    },
    /// Its removal is not confirmed, and the last day has passed.
    Late {
        /// The last day.
        until: NaiveDate,
    },
    /// There is no entry any more, or there never was one.
    Gone {
        /// Who saw to it: `provider`, `engine`, or an operator id.
        by: String,
    },
}

/// What a person does with what was asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Attend {
    /// It is done.
    Done(TaskKey),
    /// It waits until a day.
    Snooze {
        /// Which.
        task: TaskKey,
        /// The day on which it is looked at again; after today.
        until: NaiveDate,
    },
    /// A step is not to go out. Of a step that is over, or that did not ask, it changes nothing.
    Refuse {
        /// The receivable.
        invoice_id: InvoiceId,
        /// Its cycle.
        cycle: u32,
        /// The step.
        step_id: StepId,
        /// Its occurrence.
        occurrence: u32,
    },
}

/// What a person decides about debts. An arrangement told again with the same id and content changes nothing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Arrange {
    /// Nothing is done for a while.
    Hold {
        /// New.
        id: ArrangementId,
        /// The receivable.
        invoice_id: InvoiceId,
        /// The last day of the hold; may be missing where a review day is given.
        until: Option<NaiveDate>,
        /// The day on which a person must look again.
        review_on: Option<NaiveDate>,
    },
    /// The payer contests a debt or a part of it.
    Dispute {
        /// New.
        id: ArrangementId,
        /// The receivable.
        invoice_id: InvoiceId,
        /// The contested part, minor units; `None` is all of it.
        amount_minor: Option<i64>,
    },
    /// The payer promised to pay.
    Promise {
        /// New.
        id: ArrangementId,
        /// The debts, each once, at least one.
        invoice_ids: Vec<InvoiceId>,
        /// How much over all of them, minor units.
        amount_minor: i64,
        /// Their currency.
        currency: Currency,
        /// The promised day.
        promised_on: NaiveDate,
        /// How, where the payer said so.
        method: Option<Method>,
    },
    /// A payment is under way.
    Announce {
        /// New.
        id: ArrangementId,
        /// The receivable.
        invoice_id: InvoiceId,
        /// How.
        method: Method,
    },
    /// The open arrangement of a kind is over. Of a promise, for all its debts.
    End {
        /// The receivable, or one of them.
        invoice_id: InvoiceId,
        /// Which.
        kind: ArrangementKind,
        /// How it ended.
        end: ArrangementEnd,
    },
    /// The creditor gives the debt up in its books: no more contacts.
    WriteOff {
        /// The receivable.
        invoice_id: InvoiceId,
    },
    /// A collector takes the debt.
    HandOff {
        /// The receivable.
        invoice_id: InvoiceId,
    },
}

impl Arrange {
    /// The receivables that it names.
    pub fn invoice_ids(&self) -> &[InvoiceId] {
        match self {
            Arrange::Promise { invoice_ids, .. } => invoice_ids,
            Arrange::Hold { invoice_id, .. }
            | Arrange::Dispute { invoice_id, .. }
            | Arrange::Announce { invoice_id, .. }
            | Arrange::End { invoice_id, .. }
            | Arrange::WriteOff { invoice_id }
            | Arrange::HandOff { invoice_id } => core::slice::from_ref(invoice_id),
        }
    }
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
    /// A day that must not lie before today does, named by its field.
    #[error("{0}: lies in the past")]
    DateInPast(&'static str),
    /// A hold without an end and without a review day would be forgotten.
    #[error("until: a hold names its last day or the day of its review")]
    HoldWithoutEnd,
    /// More is disputed or promised than is owed.
    #[error("amount_minor: is more than what is open")]
    AmountTooLarge,
    /// The debts of a promise are in another currency.
    #[error("currency: is not that of the receivables")]
    CurrencyMismatch,
    /// The promised day is further away than the creditor allows.
    #[error("promised_on: is more than {0} days away")]
    PromiseTooFar(u32),
    /// A promise names no debt, or one twice.
    #[error("invoice_ids: should name each receivable once, and at least one")]
    ItemsNotDistinct,
    /// The creditor's limit of promises or announced payments is reached.
    #[error("invoice_id: already had {most} of kind {}", kind.name())]
    TooMany {
        /// Of what.
        kind: ArrangementKind,
        /// The limit.
        most: u32,
    },
    /// The id belongs to another arrangement of the payer.
    #[error("arrangement_id: {0} is the id of another arrangement")]
    ArrangementExists(ArrangementId),
    /// The track has an open arrangement of that kind.
    #[error("invoice_id: has an open {} already", .0.name())]
    AlreadyArranged(ArrangementKind),
    /// The track has no such open task: it was never asked for, is done, or there is nothing left to do.
    #[error("task_id: no such task of {0} is open")]
    TaskNotOpen(InvoiceId),
    /// A question is answered and not done.
    #[error("task_id: an approval is given or refused")]
    ApprovalPending,
    /// The track has no open arrangement of that kind.
    #[error("invoice_id: has no open {}", .0.name())]
    NotArranged(ArrangementKind),
    /// The debt is no longer on its ladder.
    #[error("invoice_id: {invoice_id} is {}", phase.slug())]
    TrackOver {
        /// The receivable.
        invoice_id: InvoiceId,
        /// Where it is.
        phase: Phase,
    },
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
            Rejection::DateInPast(_) => "date_in_past",
            Rejection::HoldWithoutEnd => "hold_without_end",
            Rejection::AmountTooLarge => "amount_too_large",
            Rejection::CurrencyMismatch => "currency_mismatch",
            Rejection::PromiseTooFar(_) => "promise_too_far",
            Rejection::ItemsNotDistinct => "items_not_distinct",
            Rejection::TooMany { kind: ArrangementKind::Promise, .. } => "too_many_promises",
            Rejection::TooMany { .. } => "too_many_announcements",
            Rejection::ArrangementExists(_) => "arrangement_exists",
            Rejection::AlreadyArranged(_) => "already_arranged",
            Rejection::TaskNotOpen(_) => "task_not_open",
            Rejection::ApprovalPending => "approval_pending",
            Rejection::NotArranged(_) => "not_arranged",
            Rejection::TrackOver { .. } => "track_over",
        }
    }
}
