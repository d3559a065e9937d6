//! The providers: what they take, refuse and leave unsaid, and what they tell afterwards.

use crate::chance::Chance;
use chrono::{DateTime, TimeDelta, Utc};
use kernel::ChannelAttemptId;
use notice::{Channel, ReceiptStatus};
use std::collections::BTreeMap;

/// What the caller hears.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reply {
    /// Taken, under this id.
    Accepted(String),
    /// Not taken.
    Refused,
    /// Nothing.
    Silence,
}

/// Whether the payer gets a message by the call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sent {
    /// No.
    Nothing,
    /// Yes.
    Message,
    /// No: a repeated key is one message.
    KnownKey,
}

/// A report that is still to come.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Receipt {
    /// When it comes.
    pub at: DateTime<Utc>,
    /// Of which payer's message.
    pub payer: usize,
    /// Of which attempt.
    pub attempt_id: ChannelAttemptId,
    /// What it says.
    pub status: ReceiptStatus,
}

/// All providers.
#[derive(Debug, Default)]
pub struct Provider {
    /// Reports that are still to come.
    pub receipts: Vec<Receipt>,
    taken: BTreeMap<(usize, ChannelAttemptId), String>,
}

impl Provider {
    /// Whether there is a way out.
    pub fn has(channel: Channel) -> bool {
        channel != Channel::Voice
    }

    /// Whether a repeated key is one message.
    pub fn is_idempotent(channel: Channel) -> bool {
        channel == Channel::Whatsapp
    }

    /// Whether it can be asked what became of a message.
    pub fn can_be_asked(channel: Channel) -> bool {
        channel == Channel::Sms
    }

    /// A call with an attempt's key.
    pub fn call(
        &mut self,
        (payer, attempt_id, channel): (usize, &ChannelAttemptId, Channel),
        (now, failures_permille): (DateTime<Utc>, u64),
        chance: &mut Chance,
    ) -> (Reply, Sent) {
        let key = (payer, attempt_id.clone());
        if let Some(id) = self.taken.get(&key).filter(|_| Self::is_idempotent(channel)) {
            return (Reply::Accepted(id.clone()), Sent::KnownKey);
        }
        let id = format!("m{}", self.taken.len());
        if !chance.permille(failures_permille) {
            self.take(key, id.clone(), now, chance);
            return (Reply::Accepted(id), Sent::Message);
        }
        match chance.within(0, 4) {
            0 => (Reply::Silence, Sent::Nothing),
            1 => {
                self.take(key, id, now, chance);
                (Reply::Silence, Sent::Message)
            }
            _ => (Reply::Refused, Sent::Nothing),
        }
    }

    /// What it has of a message, where it can be asked and answers: its id, or nothing.
    pub fn ask(&self, payer: usize, attempt_id: &ChannelAttemptId, channel: Channel, chance: &mut Chance) -> Option<Option<String>> {
        let answers = Self::can_be_asked(channel) && !chance.permille(200);
        answers.then(|| self.taken.get(&(payer, attempt_id.clone())).cloned())
    }

    fn take(&mut self, key: (usize, ChannelAttemptId), id: String, now: DateTime<Utc>, chance: &mut Chance) {
        let (payer, attempt_id) = key.clone();
        self.taken.insert(key, id);
        let statuses: &[ReceiptStatus] = match chance.within(0, 10) {
            0 => &[ReceiptStatus::Failed],
            1 | 2 => &[],
            3 | 4 => &[ReceiptStatus::Delivered, ReceiptStatus::Read],
            5 => &[ReceiptStatus::Read, ReceiptStatus::Delivered, ReceiptStatus::Delivered],
            _ => &[ReceiptStatus::Delivered],
        };
        let mut at = now;
        for status in statuses {
            at += TimeDelta::minutes(chance.within(1, 40 * 60 / 8));
            self.receipts.push(Receipt { at, payer, attempt_id: attempt_id.clone(), status: *status });
        }
    }
}
