//! Policies and their assignments as events, and the book that decisions read them from.
//!
//! Streams: `policy/<tenant>/<policy_id>` holds the versions of one ladder, `assignments/<tenant>` who enters with which. Version 1 of
//! [`BUNDLED_ID`] exists for every tenant without an event: it is the ladder of who was assigned none.

mod aggregate;
mod book;
mod books;

pub use aggregate::{Change, Migrated, Policies, PolicyEvent, Shelf, assignments_stream, meta, policy_stream, streams_row};
pub use book::{BUNDLED_ID, Book, DEFAULT_POLICY, Version};
pub use books::PolicyBooks;

use kernel::PolicyId;

/// Whom an assignment is for; the narrowest wins.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Scope {
    /// All payers of the tenant.
    Tenant,
    /// All payers of a segment.
    Segment,
    /// One payer.
    Customer,
}

impl Scope {
    /// Its stable name.
    pub fn name(self) -> &'static str {
        match self {
            Scope::Tenant => "tenant",
            Scope::Segment => "segment",
            Scope::Customer => "customer",
        }
    }

    /// By its stable name.
    pub fn named(name: &str) -> Option<Self> {
        [Scope::Tenant, Scope::Segment, Scope::Customer].into_iter().find(|scope| scope.name() == name)
    }
}

/// Which policy new tracks enter with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Assignment {
    /// Whom it is for.
    pub scope: Scope,
    /// The segment or payer; empty for the tenant.
    pub target: String,
    /// The ladder.
    pub policy_id: PolicyId,
    /// Its version; 0 = the newest at enrolment.
    pub version: u32,
}
