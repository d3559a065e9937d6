//! The ladders of one payer, as the event log runs them.
//!
//! Beyond the pure crate: the policy of a new track is resolved here, by the payer's segment and the tenant's assignments at that moment;
//! and facts are taken in the order of their log, whatever the clocks of their writers said.

use crate::{
    policies::{Book, PolicyBooks},
    wire::{self, Fact},
};
use chrono::{DateTime, NaiveDate, TimeDelta, Utc};
use eventlog::{Aggregate, DecodeError, DueStream, Meta, NewEvent, NextTimer, Submission, Told};
use kernel::{AgreementId, Currency, CustomerId, InvoiceId, StepId};
use ladder::{Command, Context, Event, Ladder, Rejection, Terms, ladder::Attend, next_wake, track::OccurrenceState};
use std::sync::Arc;

/// How long a track whose policy version nobody can find waits before it is looked at again.
const POLICY_MISSING_RETRY: TimeDelta = TimeDelta::minutes(1);

/// Ladders, one stream per payer.
pub struct Ladders {
    books: Arc<PolicyBooks>,
    approvals_given: bool,
    terms: Terms,
}

/// A payer's ladders, and whose they are.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Payer {
    /// The tenant; empty before the first event.
    pub tenant: String,
    /// The ladders.
    pub ladder: Ladder,
}

/// A command with the payer whose ladders it is for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Addressed {
    /// The tenant.
    pub tenant: String,
    /// The payer.
    pub customer_id: CustomerId,
    /// What is asked.
    pub order: Order,
}

/// What is asked of a payer's ladders.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Order {
    /// A command of the pure crate, as it is.
    Ladder(Command),
    /// A receivable enters the ladder that is assigned to it.
    Enter(Entry),
    /// A person confirms or refuses the step of a track's current cycle.
    Approve(Approval),
}

/// A receivable that enters a ladder.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// The receivable.
    pub invoice_id: InvoiceId,
    /// Minor units.
    pub amount_minor: i64,
    /// Its currency.
    pub currency: Currency,
    /// Civil date of issue.
    pub issued_on: NaiveDate,
    /// Civil due date.
    pub due_on: NaiveDate,
    /// When its owner recorded it.
    pub recorded_at: DateTime<Utc>,
    /// The agreement whose instalment it is.
    pub instalment_of: Option<AgreementId>,
}

/// A confirmation, or a refusal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Approval {
    /// The receivable.
    pub invoice_id: InvoiceId,
    /// The step.
    pub step_id: StepId,
    /// Who, as an operator id.
    pub by: String,
    /// Why; may be empty where it is given.
    pub why: String,
    /// When.
    pub at: DateTime<Utc>,
    /// Whether the step may go out.
    pub is_given: bool,
}

/// Why nothing happened.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    /// The rules of the ladder.
    #[error(transparent)]
    Ladder(#[from] Rejection),
    /// The step did not ask for an approval, or is past it.
    #[error("step_id: {0} does not wait for an approval")]
    NotAwaitingApproval(StepId),
}

impl Refused {
    /// Its stable name.
    pub fn slug(&self) -> &'static str {
        match self {
            Refused::Ladder(rejection) => rejection.slug(),
            Refused::NotAwaitingApproval(_) => "not_awaiting_approval",
        }
    }
}

impl Ladders {
    /// Ladders by these books. `approvals_given`: steps that ask for approval need none (replay, or a tenant that gave it for all).
    pub fn new(books: Arc<PolicyBooks>, approvals_given: bool, terms: Terms) -> Self {
        Self { books, approvals_given, terms }
    }

    /// The books.
    pub fn books(&self) -> &Arc<PolicyBooks> {
        &self.books
    }

    /// Whether steps that ask for approval need none.
    pub fn approvals_given(&self) -> bool {
        self.approvals_given
    }

    /// The creditor's limits, but that no catch-up waits for anybody.
    pub fn terms_of_rehearsals(&self) -> Terms {
        Terms { late_after_days: None, ..self.terms }
    }

    fn decide_by(&self, book: &Book, payer: &Payer, addressed: &Addressed) -> Result<Vec<Fact>, Refused> {
        let command = match &addressed.order {
            Order::Ladder(command) => in_order_of_log(&payer.ladder, command.clone()),
            Order::Enter(entry) => enroll(book, &payer.ladder, &addressed.customer_id, entry),
            Order::Approve(approval) => approve(&payer.ladder, approval)?,
        };
        let context = Context { policies: book, approvals_given: self.approvals_given, terms: self.terms };
        let events = ladder::decide(&payer.ladder, &command, &context)?;
        let fact = |event: Event| Fact { tenant: addressed.tenant.clone(), customer_id: addressed.customer_id.clone(), event };
        Ok(events.into_iter().map(fact).collect())
    }

    /// The book in which every running track of a payer finds its policy, as far as anybody published it.
    fn book_for(&self, payer: &Payer) -> Arc<Book> {
        let book = self.books.of(&payer.tenant);
        let lacks = watched(&payer.ladder).any(|track| track.policy(&*book).is_none());
        if lacks && self.books.refresh_now() { self.books.of(&payer.tenant) } else { book }
    }
}

fn watched(ladder: &Ladder) -> impl Iterator<Item = &ladder::track::Track> {
    ladder.tracks.values().filter(|track| track.is_watched())
}

fn enroll(book: &Book, ladder: &Ladder, customer_id: &CustomerId, entry: &Entry) -> Command {
    let (policy_id, policy_version) = book.entry(customer_id, ladder.segment.as_deref());
    Command::Enroll {
        invoice_id: entry.invoice_id.clone(),
        amount_minor: entry.amount_minor,
        currency: entry.currency,
        issued_on: entry.issued_on,
        due_on: entry.due_on,
        recorded_at: entry.recorded_at,
        policy_id,
        policy_version,
        instalment_of: entry.instalment_of.clone(),
    }
}

fn approve(ladder: &Ladder, approval: &Approval) -> Result<Command, Refused> {
    let track = ladder.tracks.get(&approval.invoice_id).ok_or_else(|| Rejection::UnknownInvoice(approval.invoice_id.clone()))?;
    let waits = |state: &OccurrenceState| matches!(state, OccurrenceState::AwaitingApproval { .. });
    let asked = track.current().iter().find(|at| at.step_id == approval.step_id && waits(&at.state));
    let asked = asked.ok_or_else(|| Refused::NotAwaitingApproval(approval.step_id.clone()))?;
    let Approval { invoice_id, step_id, by, why, at, is_given } = approval.clone();
    let (cycle, occurrence) = (asked.cycle, asked.occurrence);
    Ok(if is_given {
        Command::Approve { invoice_id, cycle, step_id, occurrence, by, why, at }
    } else {
        Command::Attend { at, by, why, what: Attend::Refuse { invoice_id, cycle, step_id, occurrence } }
    })
}

/// The bus brings a payer's facts in the order of their log. A clock that was behind when a later fact was recorded must not make it
/// look stale: it counts as recorded no earlier than what its track knows.
fn in_order_of_log(ladder: &Ladder, mut command: Command) -> Command {
    let fact = match &mut command {
        Command::NotePayment { invoice_id, recorded_at, .. }
        | Command::NoteCredit { invoice_id, recorded_at, .. }
        | Command::NoteReversal { invoice_id, recorded_at, .. }
        | Command::NoteAmendment { invoice_id, recorded_at, .. }
        | Command::NoteAgreement { invoice_id, recorded_at, .. }
        | Command::NoteBreach { invoice_id, recorded_at, .. }
        | Command::NoteCancellation { invoice_id, recorded_at } => Some((invoice_id, recorded_at)),
        Command::NotePayer { .. }
        | Command::NoteRating { .. }
        | Command::NoteView { .. }
        | Command::Enroll { .. }
        | Command::Wake { .. }
        | Command::ConcludeContact { .. }
        | Command::NoteDelivery { .. }
        | Command::ConcludeAction { .. }
        | Command::Approve { .. }
        | Command::Attend { .. }
        | Command::Arrange { .. }
        | Command::EndCatchUp { .. }
        | Command::NoteListing { .. }
        | Command::Migrate { .. }
        | Command::ForgetPayer { .. } => None,
    };
    if let Some((invoice_id, recorded_at)) = fact
        && let Some(track) = ladder.tracks.get(invoice_id)
    {
        *recorded_at = (*recorded_at).max(track.facts_until);
    }
    command
}

impl Aggregate for Ladders {
    type State = Payer;
    type Command = Addressed;
    type Event = Fact;
    type Rejection = Refused;

    fn decide(&self, payer: &Payer, addressed: &Addressed) -> Result<Vec<Fact>, Refused> {
        let decided = self.decide_by(&self.books.of(&addressed.tenant), payer, addressed);
        match decided {
            Err(Refused::Ladder(Rejection::UnknownPolicy { .. })) if self.books.refresh_now() => {
                self.decide_by(&self.books.of(&addressed.tenant), payer, addressed)
            }
            decided => decided,
        }
    }

    fn evolve(&self, payer: Payer, fact: &Fact) -> Payer {
        let tenant = if payer.tenant.is_empty() { fact.tenant.clone() } else { payer.tenant };
        Payer { tenant, ladder: ladder::evolve(payer.ladder, &fact.event) }
    }

    fn encode(&self, fact: &Fact) -> NewEvent {
        let (event_type, payload) = wire::encode(fact);
        NewEvent { event_type, schema_version: 1, payload, occurred_at: None, effective_on: None }
    }

    fn decode(&self, told: &Told) -> Result<Option<Fact>, DecodeError> {
        let decoded = wire::decode(&told.tenant, &told.event_type, &told.payload);
        decoded.map_err(|fault| DecodeError::new(told, fault.to_string()))
    }

    fn timers(&self, payer: &Payer, after: DateTime<Utc>) -> Vec<NextTimer> {
        let book = self.book_for(payer);
        let due_at = |track: &ladder::track::Track| match track.policy(&*book) {
            Some(_) => next_wake(&payer.ladder, &track.invoice_id, &*book, after),
            None => Some(after + POLICY_MISSING_RETRY),
        };
        watched(&payer.ladder).map(|track| NextTimer { track: track.invoice_id.to_string(), due_at: due_at(track) }).collect()
    }
}

/// The stream of a payer's ladders.
pub fn stream(tenant: &str, customer_id: &str) -> String {
    format!("ladder/{tenant}/{customer_id}")
}

/// The payer whose ladders a stream is.
pub fn customer_of(tenant: &str, stream: &str) -> Option<CustomerId> {
    let text = stream.strip_prefix("ladder/")?.strip_prefix(tenant)?.strip_prefix('/')?;
    CustomerId::new(text).ok()
}

/// What the events of a command share.
pub fn meta(tenant: &str, customer_id: &str) -> Meta {
    Meta { tenant: tenant.to_owned(), key: format!("{tenant}/{customer_id}"), traceparent: host::trace::traceparent(), ..Meta::default() }
}

/// The command for a payer whose timers are due.
pub fn wake(due: &DueStream, now: DateTime<Utc>) -> Submission<Ladders> {
    let traceparent = host::trace::begun("wake ladder");
    let meta = Meta { tenant: due.tenant.clone(), key: due.key.clone(), traceparent, ..Meta::default() };
    // Only streams of ladders have timers, and their name was made by `stream`.
    let customer_id = customer_of(&due.tenant, &due.stream).expect("a stream with timers is a payer's");
    let order = Order::Ladder(Command::Wake { now });
    Submission::new(due.stream.clone(), meta, Addressed { tenant: due.tenant.clone(), customer_id, order })
}
