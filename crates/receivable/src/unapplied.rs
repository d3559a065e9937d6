//! Money that came and is on no receivable yet: one aggregate per payment.
//!
//! Invariants:
//! - it is assigned to at most one invoice at a time, and applied at most once: between the assignment and the word of the invoice's
//!   account nothing else can happen to it, so a process that dies in between only has to go on;
//! - what went back is never applied.

use crate::Source;
use alloc::{
    collections::BTreeMap,
    string::{String, ToString},
    vec,
    vec::Vec,
};
use kernel::money::positive_minor;
use kernel::{Currency, CustomerId, InvoiceId, NaiveDate, PaymentId, text};

/// A payment that matched no receivable.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Unapplied {
    /// As it came; `None` before.
    pub receipt: Option<Receipt>,
    /// What went back, minor units by the id of each return.
    pub returns: BTreeMap<String, i64>,
    /// Where it stands.
    pub phase: UnappliedPhase,
}

impl Unapplied {
    /// What has not gone back, minor units.
    pub fn left_minor(&self) -> i64 {
        let returned = self.returns.values().fold(0, |sum: i64, part| sum.saturating_add(*part));
        self.receipt.as_ref().map_or(0, |receipt| receipt.amount_minor.saturating_sub(returned))
    }
}

/// Where an unapplied payment stands.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum UnappliedPhase {
    /// It waits for a person.
    #[default]
    Waiting,
    /// It is on its way to an invoice.
    Assigned(Assignment),
    /// The invoice has it.
    Applied(Assignment),
    /// It is for no invoice.
    Dismissed {
        /// Why, as told.
        reason: String,
    },
    /// All of it went back.
    Returned,
}

/// The invoice that a payment was put on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Assignment {
    /// The invoice.
    pub invoice_id: InvoiceId,
    /// Its payer.
    pub customer_id: CustomerId,
    /// What is applied, minor units.
    pub amount_minor: i64,
}

/// Money as it came.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Receipt {
    /// Unique within the tenant; the id under which it is applied.
    pub payment_id: PaymentId,
    /// Who told of it.
    pub source: Source,
    /// Minor units, 1 to 2^53.
    pub amount_minor: i64,
    /// Currency.
    pub currency: Currency,
    /// Day of payment.
    pub paid_on: NaiveDate,
    /// What it named (nosso número, txid); may be empty. Nothing personal.
    pub reference: String,
    /// Bank or key that received it; may be empty.
    pub account: String,
    /// End-to-end id of a Pix; empty for others.
    pub end_to_end_id: String,
    /// Why it is on no invoice: a stable slug.
    pub reason: String,
    /// The invoice that it seems to be for.
    pub suggested: Option<InvoiceId>,
    /// What the bank took for it, minor units, not negative.
    pub fee_minor: i64,
}

/// What is asked of an unapplied payment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum UnappliedCommand {
    /// Keep it. The same again adds nothing.
    Keep(Receipt),
    /// Put it on an invoice.
    Assign {
        /// The invoice.
        invoice_id: InvoiceId,
        /// Its payer.
        customer_id: CustomerId,
    },
    /// The invoice has it. Nothing where it is not on its way to that one.
    Conclude {
        /// The invoice.
        invoice_id: InvoiceId,
    },
    /// The invoice refused it. Nothing where it is not on its way to that one.
    Release {
        /// The invoice.
        invoice_id: InvoiceId,
        /// Slug of the refusal.
        reason: String,
    },
    /// It is for no invoice.
    Dismiss {
        /// Why, 1 to 200 characters.
        reason: String,
    },
    /// A part of it, or all, went back. The same return again adds nothing.
    Return {
        /// Id of the return, 1 to 64 characters.
        return_id: String,
        /// Minor units, 1 to what has not gone back.
        amount_minor: i64,
        /// When.
        returned_on: NaiveDate,
    },
}

/// What happened to an unapplied payment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum UnappliedEvent {
    /// It came.
    Received(Receipt),
    /// A person put it on an invoice.
    Assigned(Assignment),
    /// The invoice has it.
    Applied {
        /// The invoice.
        invoice_id: InvoiceId,
        /// Its payer.
        customer_id: CustomerId,
    },
    /// The invoice refused it.
    Released {
        /// The invoice.
        invoice_id: InvoiceId,
        /// Slug of the refusal.
        reason: String,
    },
    /// A person said that it is for no invoice.
    Dismissed {
        /// Why.
        reason: String,
    },
    /// A part of it, or all, went back.
    Returned {
        /// Id of the return.
        return_id: String,
        /// Minor units.
        amount_minor: i64,
        /// When.
        returned_on: NaiveDate,
    },
}

/// Why a command on an unapplied payment is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum UnappliedRejection {
    /// No such payment.
    #[error("no unapplied payment has this id")]
    Unknown,
    /// The id belongs to a payment that says something else.
    #[error("an unapplied payment with this id and other content exists")]
    Exists,
    /// It is on another invoice, or on its way there.
    #[error("the payment is applied")]
    AlreadyApplied,
    /// All of it went back.
    #[error("the payment went back")]
    WentBack,
    /// More than is left would go back, or the id belongs to a return of another amount.
    #[error("the return does not fit what is left of the payment")]
    ReturnRefused,
    /// A text is empty, too long or has control characters.
    #[error("{0} is empty, too long or has control characters")]
    Text(&'static str),
    /// Not 1 to 2^53 minor units.
    #[error("amount_minor is not 1 to 2^53")]
    Amount,
}

impl UnappliedRejection {
    /// Stable reason for the caller.
    pub fn slug(self) -> &'static str {
        match self {
            UnappliedRejection::Unknown => "unknown_unapplied_payment",
            UnappliedRejection::Exists => "payment_exists",
            UnappliedRejection::AlreadyApplied => "payment_applied",
            UnappliedRejection::WentBack => "payment_returned",
            UnappliedRejection::ReturnRefused => "return_refused",
            UnappliedRejection::Text(_) => "text_refused",
            UnappliedRejection::Amount => "amount_out_of_range",
        }
    }
}

type Decided = Result<Vec<UnappliedEvent>, UnappliedRejection>;

/// What a command does: events, none where nothing is new, or the reason why not.
pub fn decide_unapplied(state: &Unapplied, command: &UnappliedCommand) -> Decided {
    if let UnappliedCommand::Keep(receipt) = command {
        return keep(state, receipt);
    }
    if state.receipt.is_none() {
        return Err(UnappliedRejection::Unknown);
    }
    match command {
        UnappliedCommand::Keep(receipt) => keep(state, receipt),
        UnappliedCommand::Assign { invoice_id, customer_id } => assign(state, invoice_id, customer_id),
        UnappliedCommand::Conclude { invoice_id } => Ok(assigned_to(state, invoice_id).map(applied).into_iter().collect()),
        UnappliedCommand::Release { invoice_id, reason } => {
            let released = |to: &Assignment| UnappliedEvent::Released { invoice_id: to.invoice_id.clone(), reason: reason.clone() };
            Ok(assigned_to(state, invoice_id).map(released).into_iter().collect())
        }
        UnappliedCommand::Dismiss { reason } => dismiss(state, reason),
        UnappliedCommand::Return { return_id, amount_minor, returned_on } => give_back(state, return_id, *amount_minor, *returned_on),
    }
}

fn keep(state: &Unapplied, receipt: &Receipt) -> Decided {
    positive_minor(receipt.amount_minor).map_err(|_| UnappliedRejection::Amount)?;
    let Some(known) = &state.receipt else { return Ok(vec![UnappliedEvent::Received(receipt.clone())]) };
    let same = known.amount_minor == receipt.amount_minor && known.currency == receipt.currency && known.paid_on == receipt.paid_on;
    if same { Ok(vec![]) } else { Err(UnappliedRejection::Exists) }
}

fn assigned_to<'a>(state: &'a Unapplied, invoice_id: &InvoiceId) -> Option<&'a Assignment> {
    match &state.phase {
        UnappliedPhase::Assigned(to) => Some(to).filter(|to| to.invoice_id == *invoice_id),
        UnappliedPhase::Waiting | UnappliedPhase::Applied(_) | UnappliedPhase::Dismissed { .. } | UnappliedPhase::Returned => None,
    }
}

fn applied(to: &Assignment) -> UnappliedEvent {
    UnappliedEvent::Applied { invoice_id: to.invoice_id.clone(), customer_id: to.customer_id.clone() }
}

/// Who dismissed a payment may have been wrong: it can be put on an invoice all the same.
fn assign(state: &Unapplied, invoice_id: &InvoiceId, customer_id: &CustomerId) -> Decided {
    match &state.phase {
        UnappliedPhase::Waiting | UnappliedPhase::Dismissed { .. } => {
            let (invoice_id, customer_id) = (invoice_id.clone(), customer_id.clone());
            Ok(vec![UnappliedEvent::Assigned(Assignment { invoice_id, customer_id, amount_minor: state.left_minor() })])
        }
        UnappliedPhase::Assigned(to) | UnappliedPhase::Applied(to) if to.invoice_id == *invoice_id => Ok(vec![]),
        UnappliedPhase::Assigned(_) | UnappliedPhase::Applied(_) => Err(UnappliedRejection::AlreadyApplied),
        UnappliedPhase::Returned => Err(UnappliedRejection::WentBack),
    }
}

fn dismiss(state: &Unapplied, reason: &str) -> Decided {
    let reason = text::bounded(reason, 200).map_err(|_| UnappliedRejection::Text("reason"))?;
    match &state.phase {
        UnappliedPhase::Waiting => Ok(vec![UnappliedEvent::Dismissed { reason }]),
        UnappliedPhase::Dismissed { .. } => Ok(vec![]),
        UnappliedPhase::Assigned(_) | UnappliedPhase::Applied(_) => Err(UnappliedRejection::AlreadyApplied),
        UnappliedPhase::Returned => Err(UnappliedRejection::WentBack),
    }
}

fn give_back(state: &Unapplied, return_id: &str, amount_minor: i64, returned_on: NaiveDate) -> Decided {
    let return_id = text::bounded(return_id, 64).map_err(|_| UnappliedRejection::Text("return_id"))?;
    positive_minor(amount_minor).map_err(|_| UnappliedRejection::Amount)?;
    if let Some(known_minor) = state.returns.get(&return_id) {
        return if *known_minor == amount_minor { Ok(vec![]) } else { Err(UnappliedRejection::ReturnRefused) };
    }
    match &state.phase {
        UnappliedPhase::Assigned(_) | UnappliedPhase::Applied(_) => return Err(UnappliedRejection::AlreadyApplied),
        UnappliedPhase::Returned => return Err(UnappliedRejection::ReturnRefused),
        UnappliedPhase::Waiting | UnappliedPhase::Dismissed { .. } => {}
    }
    if amount_minor > state.left_minor() {
        return Err(UnappliedRejection::ReturnRefused);
    }
    Ok(vec![UnappliedEvent::Returned { return_id, amount_minor, returned_on }])
}

/// The payment after an event. Total.
pub fn evolve_unapplied(mut state: Unapplied, event: &UnappliedEvent) -> Unapplied {
    match event {
        UnappliedEvent::Received(receipt) => state.receipt = Some(receipt.clone()),
        UnappliedEvent::Assigned(to) => state.phase = UnappliedPhase::Assigned(to.clone()),
        UnappliedEvent::Applied { .. } => {
            if let UnappliedPhase::Assigned(to) = &state.phase {
                state.phase = UnappliedPhase::Applied(to.clone());
            }
        }
        UnappliedEvent::Released { .. } => state.phase = UnappliedPhase::Waiting,
        UnappliedEvent::Dismissed { reason } => state.phase = UnappliedPhase::Dismissed { reason: reason.to_string() },
        UnappliedEvent::Returned { return_id, amount_minor, .. } => {
            state.returns.insert(return_id.clone(), *amount_minor);
            if state.left_minor() <= 0 {
                state.phase = UnappliedPhase::Returned;
            }
        }
    }
    state
}
