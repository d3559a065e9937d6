//! What a person must look at in what banks and the Pix network told: one aggregate per finding.
//!
//! A finding moves no money. It is found once, by its content; a person who has dealt with it dismisses it, with a reason, and it stays
//! dismissed when the same file comes again.

use alloc::{
    string::{String, ToString},
    vec,
    vec::Vec,
};
use kernel::{Currency, InvoiceId, NaiveDate, PaymentId, text};

/// A finding.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Finding {
    /// What was found; `None` before.
    pub found: Option<Found>,
    /// Why it was dismissed, once it was.
    pub dismissed: Option<String>,
}

/// What was found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Found {
    /// What, by its stable name of 1 to 64 characters.
    pub kind: String,
    /// COMPE code of the bank, three digits; empty where no bank's file told it.
    pub bank: String,
    /// Agreement as the file has it; may be empty.
    pub agreement: String,
    /// The bank's number of the title as the file has it; may be empty.
    pub nosso_numero: String,
    /// Movement code; may be empty.
    pub movement: String,
    /// The company's own text or document number; may be empty.
    pub reference: String,
    /// Day of what was told, where it can be read.
    pub event_on: Option<NaiveDate>,
    /// Minor units, where money is in it that can be read; else 0.
    pub amount_minor: i64,
    /// Currency.
    pub currency: Currency,
    /// The receivable that it seems to be about.
    pub invoice_id: Option<InvoiceId>,
    /// The payment that it is about.
    pub payment_id: Option<PaymentId>,
    /// The payment that was counted, where this may be other money.
    pub counted_payment_id: Option<PaymentId>,
    /// Line in the file; 0 where there is none.
    pub line: u64,
}

/// A command on a finding.
#[derive(Debug, Clone, PartialEq, Eq)]
#[allow(clippy::large_enum_variant, reason = "they live for one command; a box would save nothing")]
pub enum FindingCommand {
    /// Keeps it. One that is known adds nothing.
    Keep(Found),
    /// A person has dealt with it. The same again adds nothing.
    Dismiss {
        /// What was done, 1 to 200 characters.
        reason: String,
    },
}

/// What happened to a finding.
#[derive(Debug, Clone, PartialEq, Eq)]
#[allow(clippy::large_enum_variant, reason = "they live for one command; a box would save nothing")]
pub enum FindingEvent {
    /// It was found.
    Found(Found),
    /// It was dealt with.
    Dismissed {
        /// What was done.
        reason: String,
    },
}

/// Why a command is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum FindingRejection {
    /// No such finding.
    #[error("there is no such finding")]
    Unknown,
    /// Empty, too long or with control characters.
    #[error("{0} is empty, too long or has control characters")]
    Text(&'static str),
    /// Dismissed already, for another reason.
    #[error("the finding is dismissed already")]
    Dismissed,
}

impl FindingRejection {
    /// Stable reason for the caller.
    pub fn slug(self) -> &'static str {
        match self {
            FindingRejection::Unknown => "unknown_finding",
            FindingRejection::Text(_) => "text_refused",
            FindingRejection::Dismissed => "finding_dismissed",
        }
    }
}

/// What a command does to a finding.
pub fn decide_finding(state: &Finding, command: &FindingCommand) -> Result<Vec<FindingEvent>, FindingRejection> {
    match command {
        FindingCommand::Keep(_) if state.found.is_some() => Ok(vec![]),
        FindingCommand::Keep(found) => {
            text::bounded(&found.kind, 64).map_err(|_| FindingRejection::Text("kind"))?;
            Ok(vec![FindingEvent::Found(found.clone())])
        }
        FindingCommand::Dismiss { reason } => {
            let reason = text::bounded(reason, 200).map_err(|_| FindingRejection::Text("reason"))?;
            match (&state.found, &state.dismissed) {
                (None, _) => Err(FindingRejection::Unknown),
                (Some(_), Some(before)) if *before == reason => Ok(vec![]),
                (Some(_), Some(_)) => Err(FindingRejection::Dismissed),
                (Some(_), None) => Ok(vec![FindingEvent::Dismissed { reason }]),
            }
        }
    }
}

/// The finding after an event. Total.
pub fn evolve_finding(mut state: Finding, event: &FindingEvent) -> Finding {
    match event {
        FindingEvent::Found(found) => state.found = Some(found.clone()),
        FindingEvent::Dismissed { reason } => state.dismissed = Some(reason.to_string()),
    }
    state
}
