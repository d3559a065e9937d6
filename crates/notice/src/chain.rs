//! A chain of channels: the next stands in for the one before.

use crate::channel::{Channel, ReceiptStatus};
use alloc::{collections::BTreeSet, string::String, vec::Vec};
use chrono::TimeDelta;
use kernel::{ChannelAttemptId, DateTime, Utc};

/// A chain and how far it got.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Chain {
    /// Its channels, those without address or consent at the gate left out.
    pub links: Vec<Channel>,
    /// What was tried, in order.
    pub attempts: Vec<Attempt>,
    /// No further link is tried.
    pub stopped: bool,
}

impl Chain {
    /// A chain that has not begun.
    pub fn new(links: Vec<Channel>) -> Self {
        Self { links, attempts: Vec::new(), stopped: false }
    }

    /// Whether a channel accepted.
    pub fn is_accepted(&self) -> bool {
        self.attempts.iter().any(Attempt::is_accepted)
    }

    /// Whether an attempt has no known result.
    pub fn is_in_flight(&self) -> bool {
        self.attempts.iter().any(Attempt::is_in_flight)
    }

    /// Links after the last one tried; none once stopped.
    pub fn left(&self) -> impl Iterator<Item = (u32, Channel)> + '_ {
        let next = self.attempts.last().map_or(0, |attempt| attempt.link.saturating_add(1));
        let links = (0u32..).zip(self.links.iter().copied());
        links.filter(move |(link, _)| *link >= next && !self.stopped)
    }

    /// When its next link is to be tried: at once after a refusal or hard failure, after the given hours of silence.
    /// `None` where there is nothing left to try or nothing to try it for.
    pub fn falls_back_at(&self, after_hours: Option<u32>) -> Option<DateTime<Utc>> {
        let last = self.attempts.last()?;
        self.left().next()?;
        match (&last.phase, last.receipt) {
            (AttemptPhase::Refused { at, .. }, _) => Some(*at),
            (AttemptPhase::Accepted { at, .. }, Some(ReceiptStatus::Failed)) => Some(*at),
            (AttemptPhase::Accepted { .. }, Some(ReceiptStatus::Delivered | ReceiptStatus::Read)) => None,
            (AttemptPhase::Accepted { at, .. }, None) => at.checked_add_signed(TimeDelta::hours(i64::from(after_hours?))),
            (AttemptPhase::Started { .. } | AttemptPhase::Unknown { .. }, _) => None,
        }
    }
}

/// A link that is to be tried now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Start {
    /// Index of the chain.
    pub chain: u32,
    /// Index of the link.
    pub link: u32,
    /// Its channel.
    pub channel: Channel,
}

/// The next link of each of the named chains. A channel that another attempt of the contact used already is passed
/// over, so that parallel chains never send the same text twice, and calls stop at `voice_left`.
pub fn starts(chains: &[Chain], named: &[u32], may_use: impl Fn(Channel) -> bool, voice_left: u32) -> Vec<Start> {
    let mut used: BTreeSet<Channel> = chains.iter().flat_map(|chain| &chain.attempts).map(|attempt| attempt.channel).collect();
    let mut voice_left = voice_left;
    let mut starts = Vec::new();
    for (index, chain) in (0u32..).zip(chains).filter(|(index, _)| named.contains(index)) {
        let fits = |channel: Channel| !used.contains(&channel) && may_use(channel) && (channel != Channel::Voice || voice_left > 0);
        let Some((link, channel)) = chain.left().find(|(_, channel)| fits(*channel)) else { continue };
        if channel == Channel::Voice {
            voice_left -= 1;
        }
        used.insert(channel);
        starts.push(Start { chain: index, link, channel });
    }
    starts
}

/// One try on one channel.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Attempt {
    /// Also the provider's idempotency key.
    pub attempt_id: ChannelAttemptId,
    /// Index of its link.
    pub link: u32,
    /// Channel.
    pub channel: Channel,
    /// When it was first started.
    pub started_at: DateTime<Utc>,
    /// How often the provider was called with this attempt's key.
    pub tries: u32,
    /// What became of it.
    pub phase: AttemptPhase,
    /// What the provider told afterwards.
    pub receipt: Option<ReceiptStatus>,
}

impl Attempt {
    /// Whether the provider took it.
    pub fn is_accepted(&self) -> bool {
        match self.phase {
            AttemptPhase::Accepted { .. } => true,
            AttemptPhase::Started { .. } | AttemptPhase::Unknown { .. } | AttemptPhase::Refused { .. } => false,
        }
    }

    /// Whether its result is not known.
    pub fn is_in_flight(&self) -> bool {
        match self.phase {
            AttemptPhase::Started { .. } | AttemptPhase::Unknown { .. } => true,
            AttemptPhase::Accepted { .. } | AttemptPhase::Refused { .. } => false,
        }
    }

    /// Whether the provider refused it.
    pub fn is_refused(&self) -> bool {
        !self.is_accepted() && !self.is_in_flight()
    }
}

/// What became of an attempt.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AttemptPhase {
    /// Recorded, so that a crash cannot make it twice; the provider is being called.
    Started {
        /// When.
        at: DateTime<Utc>,
    },
    /// The call ended without an answer.
    Unknown {
        /// When.
        at: DateTime<Utc>,
    },
    /// The provider took it.
    Accepted {
        /// The provider's own id; empty where a receipt came before any answer.
        provider_id: String,
        /// When.
        at: DateTime<Utc>,
    },
    /// The provider did not take it.
    Refused {
        /// Why.
        reason: String,
        /// When.
        at: DateTime<Utc>,
    },
}
