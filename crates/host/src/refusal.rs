//! Refusals: the one error that callers of every service see.

use crate::protocol;
use tonic::{Code, Status, metadata::MetadataValue};

/// Metadata key of the stable slug.
pub const REASON_KEY: &str = "regua-reason";
/// Metadata key of the field at fault.
pub const FIELD_KEY: &str = "regua-field";

/// Why a call was not done: a gRPC code, a stable slug, the field at fault (may be empty), a sentence for a person.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    /// gRPC status code.
    pub code: Code,
    /// Stable slug, `snake_case`.
    pub reason: String,
    /// The field at fault; empty where none is.
    pub field: String,
    /// For a person; holds no personal data.
    pub message: String,
}

impl Refusal {
    /// INVALID_ARGUMENT: the field can never be taken as it is.
    pub fn invalid(field: &str, reason: &str, message: impl Into<String>) -> Self {
        Self::new(Code::InvalidArgument, reason, field, message)
    }

    /// NOT_FOUND: what the field names does not exist for this tenant.
    pub fn not_found(field: &str, reason: &str, message: impl Into<String>) -> Self {
        Self::new(Code::NotFound, reason, field, message)
    }

    /// FAILED_PRECONDITION: a business refusal; the same call may succeed in another state.
    pub fn precondition(field: &str, reason: &str, message: impl Into<String>) -> Self {
        Self::new(Code::FailedPrecondition, reason, field, message)
    }

    /// UNAVAILABLE: nothing was done, try again.
    pub fn unavailable(message: impl Into<String>) -> Self {
        Self::new(Code::Unavailable, "unavailable", "", message)
    }

    /// RESOURCE_EXHAUSTED: a limit or the disk is full; nothing was done.
    pub fn exhausted(reason: &str, message: impl Into<String>) -> Self {
        Self::new(Code::ResourceExhausted, reason, "", message)
    }

    /// INTERNAL: a fault of ours; the chain goes to the log.
    pub fn internal(message: impl Into<String>) -> Self {
        Self::new(Code::Internal, "internal", "", message)
    }

    /// What broke a stream of messages that a service reads: a message that is none, or is too long, and else that it was cut.
    pub fn of_broken_stream(status: &Status, field: &str) -> Self {
        match protocol::named_fault(status.code()) {
            Some((code, reason, text)) => Self::new(code, reason, field, text.unwrap_or(status.message())),
            None => Self::new(status.code(), "stream_broken", field, status.message()),
        }
    }

    /// Any code.
    pub fn new(code: Code, reason: &str, field: &str, message: impl Into<String>) -> Self {
        Self { code, reason: reason.to_owned(), field: field.to_owned(), message: message.into() }
    }
}

impl From<Refusal> for Status {
    fn from(refusal: Refusal) -> Self {
        let text = if refusal.field.is_empty() { refusal.message.clone() } else { format!("{}: {}", refusal.field, refusal.message) };
        let mut status = Status::new(refusal.code, text);
        for (key, value) in [(REASON_KEY, &refusal.reason), (FIELD_KEY, &refusal.field)] {
            if let (false, Ok(value)) = (value.is_empty(), MetadataValue::try_from(value.as_str())) {
                status.metadata_mut().insert(key, value);
            }
        }
        status
    }
}

impl From<sql::SqlError> for Refusal {
    fn from(error: sql::SqlError) -> Self {
        tracing::warn!(%error, "the database refused a read");
        Refusal::unavailable("the database did not answer")
    }
}

/// The slug that a status carries, for clients and tests.
pub fn reason_of(status: &Status) -> &str {
    status.metadata().get(REASON_KEY).and_then(|value| value.to_str().ok()).unwrap_or("")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refusal_keeps_its_slug_and_field_on_the_wire() {
        let status: Status = Refusal::invalid("invoice.due_on", "due_before_issue", "is before issued_on").into();
        assert_eq!(status.code(), Code::InvalidArgument);
        assert_eq!(status.message(), "invoice.due_on: is before issued_on");
        assert_eq!(reason_of(&status), "due_before_issue");
        assert_eq!(status.metadata().get(FIELD_KEY).unwrap(), "invoice.due_on");
    }
}
