//! What happened to a payer's ladders.

use crate::arrangement::{Arrangement, ArrangementEnd, ArrangementKind};
use crate::catch_up::Forecast;
use crate::migration::MovedStep;
use crate::notices::NoticeKind;
use crate::policy::{Chain, ContactRules, StepKind};
use crate::reason::{Reason, TaskReason};
use crate::schedule::PlannedStep;
use crate::task::TaskKey;
use crate::track::End;
use alloc::string::String;
use alloc::vec::Vec;
use kernel::{
    AgreementId, ArrangementId, Calendar, ContactId, Currency, DateTime, InvoiceId, NaiveDate, PolicyId, StepId, Utc, VariantId, Zone,
};

/// An event. Days are local days.
#[derive(Debug, Clone, PartialEq, Eq)]
#[allow(missing_docs, reason = "the fields of events are those of the commands and of the track")]
pub enum Event {
    /// What is known of the payer changed.
    PayerNoted { zone: Option<Zone>, segment: Option<String>, state: Option<String>, municipality: Option<String> },
    /// What is known of the payer's risk changed.
    RatingNoted { score: u8 },
    /// The payer opened a receivable.
    ViewNoted { invoice_id: InvoiceId, viewed_at: DateTime<Utc> },
    /// A receivable entered its ladder.
    TrackEnrolled {
        invoice_id: InvoiceId,
        policy_id: PolicyId,
        policy_version: u32,
        variant: Option<VariantId>,
        cycle: u32,
        amount_minor: i64,
        currency: Currency,
        issued_on: NaiveDate,
        due_on: NaiveDate,
        effective_due: NaiveDate,
        known_on: NaiveDate,
        recorded_at: DateTime<Utc>,
        steps: Vec<PlannedStep>,
        instalment_of: Option<AgreementId>,
    },
    /// The balance changed.
    /// `received_minor`: what payments brought (positive) or returns took (negative); 0 where something else changed it.
    OutstandingNoted { invoice_id: InvoiceId, outstanding_minor: i64, received_minor: i64, recorded_at: DateTime<Utc> },
    /// The step before was executed: those that count from it have their dates. The occurrences are those of the cycle.
    StepsPlanned { invoice_id: InvoiceId, cycle: u32, day: NaiveDate, steps: Vec<PlannedStep> },
    /// Occurrences ended.
    StepsClosed { invoice_id: InvoiceId, cycle: u32, day: NaiveDate, closings: Vec<Closing> },
    /// The payer has steps to be contacted about; they are claimed by it. No two of a day speak for the same contact.
    ReminderDue { day: NaiveDate, items: Vec<DueItem>, rules: ContactRules, calendar: Calendar, zone: Zone },
    /// The payer is to be told that a debt is over, on a day after `day` and no later than `last_day`.
    NoticePlanned { invoice_id: InvoiceId, cycle: u32, kind: NoticeKind, day: NaiveDate, last_day: NaiveDate },
    /// The payer is told that debts are over; the notices are claimed by it. All items are of one currency, and none is a step.
    NoticeDue { kind: NoticeKind, day: NaiveDate, items: Vec<DueItem>, rules: ContactRules, calendar: Calendar, zone: Zone },
    /// A claimed notice could not be sent that day and is open again.
    NoticeDeferred { invoice_id: InvoiceId, cycle: u32, kind: NoticeKind, day: NaiveDate, contact_id: Option<ContactId>, reason: Reason },
    /// A notice ended.
    NoticeClosed { invoice_id: InvoiceId, cycle: u32, kind: NoticeKind, day: NaiveDate, end: End },
    /// A claimed step could not be done that day and is open again.
    StepDeferred {
        invoice_id: InvoiceId,
        cycle: u32,
        step_id: StepId,
        occurrence: u32,
        day: NaiveDate,
        contact_id: Option<ContactId>,
        reason: Reason,
    },
    /// A person must confirm a step.
    ApprovalRequested { invoice_id: InvoiceId, cycle: u32, step_id: StepId, occurrence: u32, day: NaiveDate },
    /// A person confirmed a step. `day` is missing in what was recorded before it was asked for.
    ApprovalGiven { invoice_id: InvoiceId, cycle: u32, step_id: StepId, occurrence: u32, by: String, day: Option<NaiveDate>, why: String },
    /// A person refused a step: it ends.
    ApprovalRefused { invoice_id: InvoiceId, cycle: u32, step_id: StepId, occurrence: u32, by: String, day: NaiveDate, why: String },
    /// A person has done what a task asked.
    TaskDone { task: TaskKey, day: NaiveDate, by: String, why: String },
    /// A task waits until a day.
    TaskSnoozed { task: TaskKey, until: NaiveDate, day: NaiveDate, by: String, why: String },
    /// A step that is no contact is to be done; it is claimed by it.
    ActionDue {
        invoice_id: InvoiceId,
        cycle: u32,
        step_id: StepId,
        occurrence: u32,
        day: NaiveDate,
        kind: StepKind,
        tone: u8,
        template: String,
        planned_on: NaiveDate,
        due_on: NaiveDate,
        effective_due: NaiveDate,
        currency: Currency,
        outstanding_minor: i64,
        disputed_minor: i64,
        min_outstanding_minor: i64,
        policy_id: PolicyId,
        policy_version: u32,
    },
    /// The debt is paid.
    TrackSettled { invoice_id: InvoiceId, cycle: u32, day: NaiveDate },
    /// The receivable was cancelled.
    TrackCancelled { invoice_id: InvoiceId, cycle: u32, day: NaiveDate, recorded_at: DateTime<Utc> },
    /// A payment was returned: a new cycle with its steps.
    TrackReopened {
        invoice_id: InvoiceId,
        cycle: u32,
        day: NaiveDate,
        outstanding_minor: i64,
        recorded_at: DateTime<Utc>,
        steps: Vec<PlannedStep>,
    },
    /// The receivable is owed by the instalments of an agreement.
    TrackRenegotiated { invoice_id: InvoiceId, cycle: u32, day: NaiveDate, agreement_id: AgreementId, recorded_at: DateTime<Utc> },
    /// The agreement was broken: a new cycle with its steps.
    TrackAgreementBroken {
        invoice_id: InvoiceId,
        cycle: u32,
        day: NaiveDate,
        outstanding_minor: i64,
        recorded_at: DateTime<Utc>,
        steps: Vec<PlannedStep>,
    },
    /// The due date moved: a new cycle with its steps.
    TrackRescheduled {
        invoice_id: InvoiceId,
        cycle: u32,
        day: NaiveDate,
        shift: Shift,
        due_on: NaiveDate,
        effective_due: NaiveDate,
        outstanding_minor: i64,
        recorded_at: DateTime<Utc>,
        steps: Vec<PlannedStep>,
    },
    /// The track moved to another policy version; its cycle, its place and what has ended stay. See [`crate::migration`].
    TrackMigrated {
        invoice_id: InvoiceId,
        cycle: u32,
        day: NaiveDate,
        policy_id: PolicyId,
        policy_version: u32,
        variant: Option<VariantId>,
        due_on: NaiveDate,
        effective_due: NaiveDate,
        place: u32,
        steps: Vec<MovedStep>,
        by: String,
        why: String,
    },
    /// All steps are over and the debt is open.
    TrackExhausted { invoice_id: InvoiceId, cycle: u32, day: NaiveDate },
    /// A collector has the debt.
    /// `by` and `why` are empty where a step of the ladder did it.
    TrackHandedOff { invoice_id: InvoiceId, cycle: u32, day: NaiveDate, by: String, why: String },
    /// The creditor gave the debt up in its books.
    TrackWrittenOff { invoice_id: InvoiceId, cycle: u32, day: NaiveDate, by: String, why: String },
    /// A contact of the payer is late: the payer waits for the creditor's catch-up.
    CatchUpBegan { day: NaiveDate, forecast: Forecast },
    /// The creditor's catch-up was approved or refused. `number` is 0 where approvals are given once for all.
    CatchUpEnded { day: NaiveDate, number: u32, released: bool },
    /// A hold, dispute, promise or announced payment began.
    Arranged { arrangement: Arrangement },
    /// It is over. `by` and `why` are empty where no person ended it; `received_minor` is what its debts received meanwhile.
    ArrangementEnded {
        id: ArrangementId,
        kind: ArrangementKind,
        invoice_ids: Vec<InvoiceId>,
        end: ArrangementEnd,
        day: NaiveDate,
        received_minor: i64,
        by: String,
        why: String,
    },
    /// A person has something to do; `until` where there is a deadline.
    TaskRaised { invoice_id: InvoiceId, cycle: u32, day: NaiveDate, reason: TaskReason, step_id: Option<StepId>, until: Option<NaiveDate> },
    /// The contact of a step was delivered.
    StepDelivered { invoice_id: InvoiceId, cycle: u32, step_id: StepId, occurrence: u32, delivered_on: NaiveDate },
    /// The payer's data was erased.
    PayerForgotten,
}

/// The end of one occurrence.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Closing {
    /// The step.
    pub step_id: StepId,
    /// Its occurrence.
    pub occurrence: u32,
    /// How it ended.
    pub end: End,
}

/// Which way a due date moved.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shift {
    /// Later: tone starts again.
    Later,
    /// Earlier: steps already past expire.
    Earlier,
}

/// One step of a reminder, or one notice.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DueItem {
    /// The receivable.
    pub invoice_id: InvoiceId,
    /// Its cycle.
    pub cycle: u32,
    /// The step.
    pub step_id: StepId,
    /// Its occurrence.
    pub occurrence: u32,
    /// Its tone.
    pub tone: u8,
    /// Its template.
    pub template: String,
    /// Its channels.
    pub chains: Vec<Chain>,
    /// The day for which it was planned; the oldest goes first where a budget is short.
    pub planned_on: NaiveDate,
    /// The last day on which it may go out.
    pub last_day: Option<NaiveDate>,
    /// Civil due date as agreed.
    pub due_on: NaiveDate,
    /// Due date moved to a business day.
    pub effective_due: NaiveDate,
    /// Whether the effective due date is over on that day.
    pub overdue: bool,
    /// Currency of the receivable.
    pub currency: Currency,
    /// Below this balance it is suppressed.
    pub min_outstanding_minor: i64,
    /// A payment of this debt was returned and nothing was sent since: the text says so.
    pub payment_returned: bool,
    /// A promise about this debt was broken, whole or in part, and nothing was sent since: the text says so.
    pub promise_broken: bool,
    /// The contested part, minor units: it is not asked for.
    pub disputed_minor: i64,
    /// The ladder.
    pub policy_id: PolicyId,
    /// Its version.
    pub policy_version: u32,
    /// Hours without a receipt after which a chain falls back.
    pub fallback_after_hours: u32,
}

impl Event {
    /// The receivable that it is about; `None` where it is about the payer or several.
    pub fn invoice_id(&self) -> Option<&InvoiceId> {
        match self {
            Event::PayerNoted { .. }
            | Event::ReminderDue { .. }
            | Event::NoticeDue { .. }
            | Event::PayerForgotten
            | Event::RatingNoted { .. }
            | Event::CatchUpBegan { .. }
            | Event::CatchUpEnded { .. }
            | Event::Arranged { .. }
            | Event::ArrangementEnded { .. } => None,
            Event::TrackEnrolled { invoice_id, .. }
            | Event::ViewNoted { invoice_id, .. }
            | Event::NoticePlanned { invoice_id, .. }
            | Event::NoticeDeferred { invoice_id, .. }
            | Event::NoticeClosed { invoice_id, .. }
            | Event::OutstandingNoted { invoice_id, .. }
            | Event::StepsPlanned { invoice_id, .. }
            | Event::StepsClosed { invoice_id, .. }
            | Event::StepDeferred { invoice_id, .. }
            | Event::ApprovalRequested { invoice_id, .. }
            | Event::ApprovalGiven { invoice_id, .. }
            | Event::ApprovalRefused { invoice_id, .. }
            | Event::TaskDone { task: TaskKey { invoice_id, .. }, .. }
            | Event::TaskSnoozed { task: TaskKey { invoice_id, .. }, .. }
            | Event::ActionDue { invoice_id, .. }
            | Event::TrackSettled { invoice_id, .. }
            | Event::TrackCancelled { invoice_id, .. }
            | Event::TrackReopened { invoice_id, .. }
            | Event::TrackRenegotiated { invoice_id, .. }
            | Event::TrackAgreementBroken { invoice_id, .. }
            | Event::TrackRescheduled { invoice_id, .. }
            | Event::TrackMigrated { invoice_id, .. }
            | Event::TrackExhausted { invoice_id, .. }
            | Event::TrackHandedOff { invoice_id, .. }
            | Event::TrackWrittenOff { invoice_id, .. }
            | Event::TaskRaised { invoice_id, .. }
            | Event::StepDelivered { invoice_id, .. } => Some(invoice_id),
        }
    }

    /// The receivables of an arrangement, or the one that it is about.
    pub fn invoice_ids(&self) -> &[InvoiceId] {
        if let Event::Arranged { arrangement } = self {
            &arrangement.invoice_ids
        } else if let Event::ArrangementEnded { invoice_ids, .. } = self {
            invoice_ids
        } else {
            self.invoice_id().map_or(&[], core::slice::from_ref)
        }
    }
}
