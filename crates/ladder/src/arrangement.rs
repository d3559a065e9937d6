//! Arrangements: what somebody agreed or ordered about debts, and what keeps them out of contacts meanwhile.
//!
//! Invariants:
//! - a track has at most one open arrangement of each kind;
//! - an arrangement with a last day is over on the day after it, whether or not anybody looked;
//! - nothing is lost while a track is paused: what expires expires by its date, the rest is placed by the rule of the day.
//!
//! Source: ladder.md sections 4 and 8.

use crate::terms::Method;
use crate::track::Track;
use alloc::string::String;
use alloc::vec::Vec;
use kernel::{ArrangementId, Currency, InvoiceId, NaiveDate};

/// An arrangement about one or several debts of a payer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Arrangement {
    /// Given by the caller.
    pub id: ArrangementId,
    /// What was arranged.
    pub terms: ArrangementTerms,
    /// The debts: one, but for a promise.
    pub invoice_ids: Vec<InvoiceId>,
    /// Local day on which it was made.
    pub since: NaiveDate,
    /// Last local day on which it counts; `None` where only a person ends it.
    pub until: Option<NaiveDate>,
    /// Who made it, as an operator id.
    pub by: String,
    /// Why, in the operator's words; nothing personal.
    pub why: String,
}

/// What was arranged.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ArrangementTerms {
    /// Nothing is done until a day, or until a person looks again.
    Hold {
        /// The day on which a person must look again; `None` where it ends by itself.
        review_on: Option<NaiveDate>,
    },
    /// The payer contests the debt.
    Dispute {
        /// The contested part, minor units; `None` is all of it.
        amount_minor: Option<i64>,
    },
    /// The payer promised to pay.
    Promise {
        /// How much, minor units, over all its debts.
        amount_minor: i64,
        /// Of which currency.
        currency: Currency,
        /// The promised day.
        promised_on: NaiveDate,
    },
    /// The payer says that the payment is under way, or a bank saw it and has not credited it.
    Announcement {
        /// How.
        method: Method,
    },
}

/// The kinds of arrangement, in the order in which they are named as the reason of a pause.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ArrangementKind {
    /// See [`ArrangementTerms::Hold`].
    Hold,
    /// See [`ArrangementTerms::Dispute`].
    Dispute,
    /// See [`ArrangementTerms::Promise`].
    Promise,
    /// See [`ArrangementTerms::Announcement`].
    Announcement,
}

impl ArrangementKind {
    /// All kinds.
    pub const ALL: [ArrangementKind; 4] =
        [ArrangementKind::Hold, ArrangementKind::Dispute, ArrangementKind::Promise, ArrangementKind::Announcement];

    /// Its stable name.
    pub fn name(self) -> &'static str {
        match self {
            ArrangementKind::Hold => "hold",
            ArrangementKind::Dispute => "dispute",
            ArrangementKind::Promise => "promise",
            ArrangementKind::Announcement => "announcement",
        }
    }

    /// What a track is while one pauses it.
    pub fn state(self) -> &'static str {
        match self {
            ArrangementKind::Hold => "held",
            ArrangementKind::Dispute => "disputed",
            ArrangementKind::Promise => "promised",
            ArrangementKind::Announcement => "in_process",
        }
    }

    /// By its stable name.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.name() == name)
    }
}

/// How an arrangement ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ArrangementEnd {
    /// Its last day is over.
    Lapsed,
    /// A person ended it.
    Lifted,
    /// The dispute was right.
    Accepted,
    /// The dispute was wrong.
    Rejected,
    /// What was promised came.
    Kept,
    /// A part of what was promised came in time.
    PartlyKept,
    /// Nothing of what was promised came in time.
    Broken,
    /// The announced payment came.
    Confirmed,
}

impl ArrangementEnd {
    /// All ends.
    pub const ALL: [ArrangementEnd; 8] = [
        ArrangementEnd::Lapsed,
        ArrangementEnd::Lifted,
        ArrangementEnd::Accepted,
        ArrangementEnd::Rejected,
        ArrangementEnd::Kept,
        ArrangementEnd::PartlyKept,
        ArrangementEnd::Broken,
        ArrangementEnd::Confirmed,
    ];

    /// Its stable name.
    pub fn slug(self) -> &'static str {
        match self {
            ArrangementEnd::Lapsed => "lapsed",
            ArrangementEnd::Lifted => "lifted",
            ArrangementEnd::Accepted => "accepted",
            ArrangementEnd::Rejected => "rejected",
            ArrangementEnd::Kept => "kept",
            ArrangementEnd::PartlyKept => "partly_kept",
            ArrangementEnd::Broken => "broken",
            ArrangementEnd::Confirmed => "confirmed",
        }
    }

    /// By its stable name.
    pub fn from_slug(slug: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|end| end.slug() == slug)
    }
}

/// How a payer keeps promises.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct PromiseRecord {
    /// Made, whatever became of them.
    pub made: u32,
    /// Kept.
    pub kept: u32,
    /// Kept in part.
    pub partly_kept: u32,
    /// Broken.
    pub broken: u32,
}

/// An open arrangement as one of its tracks remembers it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OpenArrangement {
    /// The arrangement.
    pub arrangement: Arrangement,
    /// What the track had received when it was made, minor units.
    pub received_before_minor: i64,
    /// A person was asked to look at it again.
    pub review_asked: bool,
}

impl Arrangement {
    /// Its kind.
    pub fn kind(&self) -> ArrangementKind {
        match self.terms {
            ArrangementTerms::Hold { .. } => ArrangementKind::Hold,
            ArrangementTerms::Dispute { .. } => ArrangementKind::Dispute,
            ArrangementTerms::Promise { .. } => ArrangementKind::Promise,
            ArrangementTerms::Announcement { .. } => ArrangementKind::Announcement,
        }
    }

    /// Whether it still counts on a local day.
    pub fn counts_on(&self, day: NaiveDate) -> bool {
        self.until.is_none_or(|until| day <= until)
    }

    /// The day on which a person must look at it again.
    pub fn review_on(&self) -> Option<NaiveDate> {
        match self.terms {
            ArrangementTerms::Hold { review_on } => review_on,
            ArrangementTerms::Dispute { .. } | ArrangementTerms::Promise { .. } | ArrangementTerms::Announcement { .. } => None,
        }
    }
}

impl Track {
    /// The open arrangement of a kind, whether or not its last day is over.
    pub fn arrangement(&self, kind: ArrangementKind) -> Option<&OpenArrangement> {
        self.arrangements.iter().find(|open| open.arrangement.kind() == kind)
    }

    /// What keeps the track out of contacts on a local day: of several the first in the order of [`ArrangementKind`].
    pub fn pause_on(&self, day: NaiveDate) -> Option<&Arrangement> {
        let open = self.arrangements.iter().map(|open| &open.arrangement);
        open.filter(|arrangement| arrangement.counts_on(day) && self.is_paused_by(arrangement)).min_by_key(|arrangement| arrangement.kind())
    }

    fn is_paused_by(&self, arrangement: &Arrangement) -> bool {
        match arrangement.terms {
            ArrangementTerms::Dispute { amount_minor } => amount_minor.is_none_or(|part| part >= self.outstanding_minor),
            ArrangementTerms::Hold { .. } | ArrangementTerms::Promise { .. } | ArrangementTerms::Announcement { .. } => true,
        }
    }

    /// The part of the balance that is contested, minor units: it is left out of contacts.
    pub fn disputed_minor(&self) -> i64 {
        match self.arrangement(ArrangementKind::Dispute).map(|open| &open.arrangement.terms) {
            Some(ArrangementTerms::Dispute { amount_minor }) => {
                amount_minor.unwrap_or(self.outstanding_minor).min(self.outstanding_minor).max(0)
            }
            Some(ArrangementTerms::Hold { .. } | ArrangementTerms::Promise { .. } | ArrangementTerms::Announcement { .. }) | None => 0,
        }
    }

    /// What the track is on a local day: `held`, `disputed`, `promised`, `in_process` where an arrangement pauses it, else its phase.
    pub fn standing_on(&self, day: NaiveDate) -> &'static str {
        let pause = self.pause_on(day).filter(|_| self.phase.is_running());
        pause.map_or(self.phase.slug(), |arrangement| arrangement.kind().state())
    }

    /// Whether time alone may still change something.
    pub fn is_watched(&self) -> bool {
        self.phase.is_running() || !self.arrangements.is_empty() || self.has_open_notice()
    }
}
