//! Notices: what a payer is told once a debt is over (ladder.md section 8): thanks for a full payment, and that a cancelled debt about which
//! something was sent is void.
//!
//! A notice is no step: it has no tone and no place, keeps no gap, supersedes nothing, and asks for nothing. Of a track and cycle there is at
//! most one of each kind, for ever: a debt that is paid again was returned before, which began a new cycle.

use crate::policy::{Chain, Policy};
use crate::track::{End, Track};
use alloc::string::String;
use alloc::vec::Vec;
use kernel::{NaiveDate, StepId, Window, calendar};

/// What ids of notices begin with; no step of a policy has such an id.
pub const RESERVED: &str = "notice:";

/// What a payer is told. In order, the one that goes first where a payer has both.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum NoticeKind {
    /// The debt was cancelled: what was sent about it is void.
    Correction,
    /// Thanks: the debt was paid in full.
    ThankYou,
}

impl NoticeKind {
    /// Both.
    pub const ALL: [NoticeKind; 2] = [NoticeKind::Correction, NoticeKind::ThankYou];

    /// Its name in a policy.
    pub fn name(self) -> &'static str {
        match self {
            NoticeKind::Correction => "correction",
            NoticeKind::ThankYou => "thank_you",
        }
    }

    /// By its name in a policy.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.name() == name)
    }

    /// What stands in the place of a step where a contact names one.
    pub fn step_id(self) -> StepId {
        StepId::new(&alloc::format!("{RESERVED}{}", self.name())).expect("the names are made of id characters")
    }

    /// By what stands in the place of a step; `None` for a step of a policy.
    pub fn of_step(step_id: &StepId) -> Option<Self> {
        step_id.as_str().strip_prefix(RESERVED).and_then(Self::named)
    }
}

/// `[notices.…]` of a policy.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NoticeRule {
    /// Template id, with or without a version.
    pub template: String,
    /// Chains that go out in parallel; never empty.
    pub chains: Vec<Chain>,
    /// Local days after that of the fact on which it may go out; at least 1.
    pub expires_days: u32,
}

/// The notices of a policy; what is absent is not sent.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Notices {
    /// Thanks for a full payment.
    pub thank_you: Option<NoticeRule>,
    /// After a cancellation.
    pub correction: Option<NoticeRule>,
}

impl Notices {
    /// The rule of a kind.
    pub fn of(&self, kind: NoticeKind) -> Option<&NoticeRule> {
        match kind {
            NoticeKind::Correction => self.correction.as_ref(),
            NoticeKind::ThankYou => self.thank_you.as_ref(),
        }
    }
}

impl Policy {
    /// What is told once a debt is over.
    pub fn notices(&self) -> &Notices {
        &self.notices
    }

    /// When a payer of a state may be told it: the state's window, else the policy's.
    pub fn contact_window(&self, state: Option<&str>) -> Window {
        let of_state = self.state_windows.iter().find(|(code, _)| state == Some(code.as_str())).map(|(_, window)| *window);
        of_state.unwrap_or(self.contact.window)
    }
}

/// A notice of a track.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Notice {
    /// Which.
    pub kind: NoticeKind,
    /// The cycle that it ends.
    pub cycle: u32,
    /// The local day of the fact: it goes out on a later one.
    pub fact_on: NaiveDate,
    /// The last local day on which it may go out.
    pub last_day: NaiveDate,
    /// What became of it.
    pub state: NoticeState,
}

/// What became of a notice.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NoticeState {
    /// Still to be sent.
    Open,
    /// Being sent since that day.
    Claimed {
        /// The local day of the offer.
        day: NaiveDate,
    },
    /// Over.
    Ended {
        /// The local day of its end.
        day: NaiveDate,
        /// How.
        end: End,
    },
}

impl Notice {
    /// Whether it is still to be sent.
    pub fn is_open(&self) -> bool {
        self.state == NoticeState::Open
    }

    /// The first local day on which it may go out.
    pub fn first_day(&self) -> NaiveDate {
        calendar::next(self.fact_on)
    }
}

impl Track {
    /// The notice of a cycle.
    pub fn notice(&self, cycle: u32, kind: NoticeKind) -> Option<&Notice> {
        self.notices.iter().find(|notice| notice.cycle == cycle && notice.kind == kind)
    }

    /// Whether a notice is still to be sent.
    pub fn has_open_notice(&self) -> bool {
        self.notices.iter().any(Notice::is_open)
    }
}
