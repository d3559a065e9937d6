//! What keeps a debt out of contacts after it was offered: the engine tells it in the order of its log.

use crate::Reason;

/// Why a debt stands still.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Standstill {
    /// A hold.
    Held,
    /// The payer contests all of it.
    Disputed,
    /// The payer promised to pay.
    Promised,
    /// A payment was announced.
    InProcess,
    /// It left its ladder: handed off, written off.
    Over,
}

impl Standstill {
    /// All of them.
    pub const ALL: [Standstill; 5] =
        [Standstill::Held, Standstill::Disputed, Standstill::Promised, Standstill::InProcess, Standstill::Over];

    /// Why an item of it is put off: the engine offers it again, or ends it by what it knows.
    pub fn reason(self) -> Reason {
        match self {
            Standstill::Held => Reason::Held,
            Standstill::Disputed => Reason::Disputed,
            Standstill::Promised => Reason::Promised,
            Standstill::InProcess => Reason::InProcess,
            Standstill::Over => Reason::TrackOver,
        }
    }

    /// Stable name.
    pub fn slug(self) -> &'static str {
        self.reason().slug()
    }

    /// By its slug.
    pub fn named(slug: &str) -> Option<Self> {
        Standstill::ALL.into_iter().find(|standstill| standstill.slug() == slug)
    }
}
