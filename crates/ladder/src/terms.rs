//! The creditor's limits: what no policy says and every decision reads.

/// A way to pay, as far as it decides how long the money is under way.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Method {
    /// Pix.
    Pix,
    /// A bank slip.
    Boleto,
    /// A bank transfer.
    Transfer,
    /// A card.
    Card,
    /// Automatic debit.
    DirectDebit,
    /// Anything else, or not said.
    Other,
}

impl Method {
    /// All methods.
    pub const ALL: [Method; 6] = [Method::Pix, Method::Boleto, Method::Transfer, Method::Card, Method::DirectDebit, Method::Other];

    /// Its stable name.
    pub fn name(self) -> &'static str {
        match self {
            Method::Pix => "pix",
            Method::Boleto => "boleto",
            Method::Transfer => "transfer",
            Method::Card => "card",
            Method::DirectDebit => "direct_debit",
            Method::Other => "other",
        }
    }

    /// By its stable name.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|method| method.name() == name)
    }
}

/// Business days until a payment by each method is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ClearingDays {
    /// Pix: at once.
    pub pix: u32,
    /// Bank slips: paid one day, credited the next, told the one after at the latest.
    pub boleto: u32,
    /// Transfers.
    pub transfer: u32,
    /// Cards.
    pub card: u32,
    /// Automatic debit.
    pub direct_debit: u32,
    /// Anything else, and promises that name no method.
    pub other: u32,
}

impl ClearingDays {
    /// Business days of a method.
    pub fn of(&self, method: Method) -> u32 {
        match method {
            Method::Pix => self.pix,
            Method::Boleto => self.boleto,
            Method::Transfer => self.transfer,
            Method::Card => self.card,
            Method::DirectDebit => self.direct_debit,
            Method::Other => self.other,
        }
    }
}

/// The creditor's limits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Terms {
    /// How long an announced or promised payment may be under way.
    pub clearing_days: ClearingDays,
    /// Promises that a track takes, kept ones too.
    pub max_promises: u32,
    /// Local days from the promise to the promised day, at most.
    pub max_promise_days: u32,
    /// Announced payments that a track takes.
    pub max_announcements: u32,
    /// Local days after which a contact that nobody offered is a catch-up ([`crate::catch_up`]); `None`: nothing is one.
    pub late_after_days: Option<u32>,
}

impl Default for Terms {
    fn default() -> Self {
        let clearing_days = ClearingDays { pix: 0, boleto: 2, transfer: 1, card: 2, direct_debit: 2, other: 2 };
        Self { clearing_days, max_promises: 2, max_promise_days: 45, max_announcements: 2, late_after_days: None }
    }
}
