//! Views: a payer opened an invoice, as a portal, an app or a link tells. It moves no money; who reminds may ask for it.

use alloc::string::String;
use kernel::{DateTime, InvoiceId, Utc};

/// Records that the payer opened an invoice. Only the newest view is kept: one that is no later than it adds nothing, and neither does a view
/// of a payer whose data was erased.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RecordView {
    /// Which.
    pub invoice_id: InvoiceId,
    /// When it was opened, not after `now`.
    pub viewed_at: DateTime<Utc>,
    /// Where, 1 to 64 characters, such as `portal`; nothing personal.
    pub through: String,
    /// The moment of recording.
    pub now: DateTime<Utc>,
}

/// The payer opened an invoice, for the first time or again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InvoiceViewed {
    /// Which.
    pub invoice_id: InvoiceId,
    /// When.
    pub viewed_at: DateTime<Utc>,
    /// Where.
    pub through: String,
}
