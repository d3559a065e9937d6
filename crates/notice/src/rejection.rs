//! Why a command is refused.

use kernel::text::TextFault;

/// A refusal: nothing happened.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Rejection {
    /// A text is empty, too long or has control characters.
    #[error("{field} {fault}")]
    TextRefused {
        /// The field.
        field: &'static str,
        /// What is wrong with it.
        fault: TextFault,
    },
    /// The owner's answer is missing for an item of the contact.
    #[error("verdicts lack an item of the contact")]
    VerdictMissing,
    /// An authorised net balance of zero or less.
    #[error("verdicts authorise a balance that is not more than zero")]
    NetNotPositive,
    /// The payer has no such contact.
    #[error("the contact is unknown")]
    ContactUnknown,
    /// The payer has no such attempt.
    #[error("the attempt is unknown")]
    AttemptUnknown,
    /// Another contact of the day goes first.
    #[error("another contact of the day goes first")]
    OutOfTurn,
    /// The attempt has another result already.
    #[error("the attempt has another result already")]
    AttemptSettled,
    /// The channel does not honour keys: a repeated call could be a second message.
    #[error("the channel does not take a repeated key as one message")]
    RetryForbidden,
    /// The attempt was tried five times, was started more than ten minutes ago, speaks of a debt that stands still, or the window of its
    /// day is shut.
    #[error("the attempt may not be tried again")]
    RetriesSpent,
}

/// What kind of refusal it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// The command is wrong whatever the state.
    Invalid,
    /// It names something that is not there.
    NotFound,
    /// The state forbids it.
    Precondition,
}

impl Rejection {
    /// Stable reason for the caller.
    pub fn slug(&self) -> &'static str {
        match self {
            Rejection::TextRefused { .. } => "text_refused",
            Rejection::VerdictMissing => "verdict_missing",
            Rejection::NetNotPositive => "net_not_positive",
            Rejection::ContactUnknown => "contact_unknown",
            Rejection::AttemptUnknown => "attempt_unknown",
            Rejection::OutOfTurn => "out_of_turn",
            Rejection::AttemptSettled => "attempt_settled",
            Rejection::RetryForbidden => "retry_forbidden",
            Rejection::RetriesSpent => "retries_spent",
        }
    }

    /// The field at fault, by its name in the command.
    pub fn field(&self) -> &'static str {
        match self {
            Rejection::TextRefused { field, .. } => field,
            Rejection::VerdictMissing | Rejection::NetNotPositive => "evidence.verdicts",
            Rejection::ContactUnknown | Rejection::OutOfTurn => "contact_id",
            Rejection::AttemptUnknown | Rejection::AttemptSettled | Rejection::RetriesSpent => "attempt_id",
            Rejection::RetryForbidden => "channel_is_idempotent",
        }
    }

    /// What kind of refusal it is.
    pub fn kind(&self) -> Kind {
        match self {
            Rejection::TextRefused { .. } | Rejection::VerdictMissing | Rejection::NetNotPositive => Kind::Invalid,
            Rejection::ContactUnknown | Rejection::AttemptUnknown => Kind::NotFound,
            Rejection::OutOfTurn | Rejection::AttemptSettled | Rejection::RetryForbidden | Rejection::RetriesSpent => Kind::Precondition,
        }
    }
}
