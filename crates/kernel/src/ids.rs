//! Identifiers: one newtype each, given by the caller or made at the edge.
//!
//! An id is 1 to 64 characters of `A-Z a-z 0-9 . _ : + / @ -`, compared byte for byte.
//! (`:` and `/` appear in ids of other people's systems; blanks and control characters never do.)

use alloc::string::{String, ToString};
use core::fmt;

/// Longest identifier, in characters.
pub const MAX_ID_CHARS: usize = 64;

/// Why a text is no identifier.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum IdFault {
    /// The text is empty.
    #[error("is empty")]
    Empty,
    /// The text has more than [`MAX_ID_CHARS`] characters.
    #[error("is longer than 64 characters")]
    TooLong,
    /// The text has a character outside the allowed set.
    #[error("has a character outside A-Z a-z 0-9 . _ : + / @ -")]
    Character,
}

fn check(text: &str) -> Result<(), IdFault> {
    if text.is_empty() {
        return Err(IdFault::Empty);
    }
    if text.len() > MAX_ID_CHARS {
        return Err(IdFault::TooLong);
    }
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"._:+/@-".contains(&byte);
    if text.bytes().all(allowed) { Ok(()) } else { Err(IdFault::Character) }
}

macro_rules! id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(String);

        impl $name {
            /// Checks and wraps a text. Errors: see [`IdFault`].
            pub fn new(text: &str) -> Result<Self, IdFault> {
                check(text).map(|()| Self(text.to_string()))
            }

            /// The text as given.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }
    };
}

id!(/// Whose portfolio it is: the creditor that uses the system.
    TenantId);
id!(/// Who owes: the payer. Unique within a tenant.
    CustomerId);
id!(/// A receivable. Unique within a tenant; a track carries the id of its receivable.
    InvoiceId);
id!(/// A payment. Unique within a tenant.
    PaymentId);
id!(/// A credit note. Unique within a tenant.
    CreditNoteId);
id!(/// An agreement about debts: what is owed anew in instalments. Unique within a tenant.
    AgreementId);
id!(/// Where payers pay: a bank's collection agreement, a Pix key, or both. Unique within a tenant.
    CollectionAccountId);
id!(/// A ladder, over all its versions.
    PolicyId);
id!(/// A step, stable over the versions of its policy.
    StepId);
id!(/// A variant of a policy: the ladder of some segments. Unique within a version of its policy.
    VariantId);
id!(/// What was, or is about to be, sent to one payer on one day.
    ContactId);
id!(/// One try of one contact on one channel.
    ChannelAttemptId);
id!(/// A hold, dispute, promise to pay or announced payment. Unique within a payer.
    ArrangementId);
id!(/// The caller's idempotency key of a command.
    CommandId);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_of_other_systems_are_taken_and_text_is_not() {
        for good in ["0379-NEVHP", "0000611365", "a", "urn:x/1@b.c+d_e"] {
            assert_eq!(CustomerId::new(good).map(|id| id.to_string()), Ok(good.to_string()));
        }
        for (bad, fault) in [
            ("", IdFault::Empty),
            ("a b", IdFault::Character),
            ("a\n", IdFault::Character),
            ("ação", IdFault::Character),
            (&"x".repeat(65), IdFault::TooLong),
        ] {
            assert_eq!(CustomerId::new(bad), Err(fault), "{bad:?}");
        }
    }
}
