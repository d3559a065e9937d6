//! How many messages a minute a way out takes.

use super::ChannelsConfig;
use chrono::{DateTime, TimeDelta, Utc};
use notice::Channel;
use std::{
    collections::{BTreeMap, VecDeque},
    sync::{Mutex, MutexGuard, PoisonError},
};

const MINUTE: TimeDelta = TimeDelta::minutes(1);

/// The messages that were started in the last minute, for channels that have a limit. In memory: a process counts its own, and begins
/// at nought. A message that is handed over again is not counted again.
pub struct Pace {
    limits: BTreeMap<Channel, usize>,
    started: Mutex<BTreeMap<Channel, VecDeque<DateTime<Utc>>>>,
}

impl Pace {
    pub(super) fn of(config: &ChannelsConfig) -> Self {
        let limit = |channel: Channel| Some((channel, usize::try_from(config.of(channel).max_per_minute).ok()?));
        let limits = Channel::ALL.into_iter().filter_map(limit).filter(|(_, limit)| *limit > 0).collect();
        Self { limits, started: Mutex::default() }
    }

    /// Whether any channel has a limit.
    pub fn is_limited(&self) -> bool {
        !self.limits.is_empty()
    }

    /// Whether one more message may be started on a channel.
    pub fn has_room(&self, channel: Channel, now: DateTime<Utc>) -> bool {
        self.fits(&mut self.started(), channel, now)
    }

    /// Takes the room of messages that are about to be started, one on each of the channels: all of it or none. Whether it was there.
    pub fn take(&self, channels: &[Channel], now: DateTime<Utc>) -> bool {
        let mut started = self.started();
        if !channels.iter().all(|channel| self.fits(&mut started, *channel, now)) {
            return false;
        }
        for channel in channels.iter().filter(|channel| self.limits.contains_key(channel)) {
            started.entry(*channel).or_default().push_back(now);
        }
        true
    }

    /// Gives back what was taken at an instant, where nothing was started.
    pub fn give_back(&self, channels: &[Channel], taken_at: DateTime<Utc>) {
        let mut started = self.started();
        for channel in channels {
            if let Some(of_channel) = started.get_mut(channel)
                && let Some(place) = of_channel.iter().rposition(|at| *at == taken_at)
            {
                of_channel.remove(place);
            }
        }
    }

    fn fits(&self, started: &mut BTreeMap<Channel, VecDeque<DateTime<Utc>>>, channel: Channel, now: DateTime<Utc>) -> bool {
        let Some(limit) = self.limits.get(&channel) else { return true };
        let of_channel = started.entry(channel).or_default();
        of_channel.retain(|at| *at + MINUTE > now);
        of_channel.len() < *limit
    }

    fn started(&self) -> MutexGuard<'_, BTreeMap<Channel, VecDeque<DateTime<Utc>>>> {
        self.started.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::channel::ChannelConfig;

    fn at(seconds: i64) -> DateTime<Utc> {
        DateTime::UNIX_EPOCH + TimeDelta::seconds(seconds)
    }

    fn pace() -> Pace {
        let limited = |max_per_minute| ChannelConfig { max_per_minute, ..ChannelConfig::default() };
        Pace::of(&ChannelsConfig { email: limited(2), sms: limited(1), ..ChannelsConfig::default() })
    }

    #[test]
    fn no_minute_has_more_than_its_number_wherever_it_begins() {
        let pace = pace();
        let taken: Vec<bool> = [0, 30, 59, 60, 89, 90].map(|second| pace.take(&[Channel::Email], at(second))).into();
        assert_eq!(taken, [true, true, false, true, false, true]);
        assert!(pace.take(&[Channel::Voice; 9], at(90)), "who has no limit has none");
    }

    #[test]
    fn room_is_taken_whole_or_not_and_what_is_not_used_is_given_back() {
        let pace = pace();
        assert!(pace.take(&[Channel::Sms], at(0)));
        assert!(!pace.take(&[Channel::Email, Channel::Sms], at(1)));
        assert!(pace.take(&[Channel::Email], at(2)) && pace.take(&[Channel::Email], at(3)), "nothing of it was taken");
        pace.give_back(&[Channel::Sms, Channel::Email], at(3));
        assert_eq!((pace.has_room(Channel::Email, at(4)), pace.has_room(Channel::Sms, at(4))), (true, false));
    }
}
