//! Which events are under way to Kafka, and up to where all of them have arrived.

use std::collections::VecDeque;

/// Positions sent and not yet counted as published, in order.
#[derive(Debug, Default)]
pub(crate) struct Window {
    /// All positions up to here are acknowledged.
    published: u64,
    /// The positions after `published` that were sent; true once acknowledged.
    sent: VecDeque<bool>,
    failure: Option<String>,
}

impl Window {
    /// A window after a position that is published.
    pub fn after(published: u64) -> Self {
        Self { published, sent: VecDeque::new(), failure: None }
    }

    /// The highest position with everything before it acknowledged.
    pub fn published(&self) -> u64 {
        self.published
    }

    /// The highest position sent.
    pub fn sent(&self) -> u64 {
        self.published + self.sent.len() as u64
    }

    /// How many are under way or wait for an earlier one.
    pub fn in_flight(&self) -> usize {
        self.sent.len()
    }

    /// The next position is on its way. Positions are sent one after the other, because the log has no gaps.
    pub fn send(&mut self) {
        self.sent.push_back(false);
    }

    /// The last position was not sent after all.
    pub fn unsend(&mut self) {
        self.sent.pop_back();
    }

    /// Kafka has a position.
    pub fn acknowledge(&mut self, position: u64) {
        if let Some(flag) = position.checked_sub(self.published + 1).and_then(|index| self.sent.get_mut(index as usize)) {
            *flag = true;
        }
        while self.sent.front() == Some(&true) {
            self.sent.pop_front();
            self.published += 1;
        }
    }

    /// A message was given up: nothing after it counts, the relay starts again from what is published.
    pub fn fail(&mut self, reason: String) {
        self.failure.get_or_insert(reason);
    }

    /// Why the relay must start again.
    pub fn failure(&self) -> Option<&str> {
        self.failure.as_deref()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn published_is_the_highest_contiguous_acknowledged_position() {
        let mut window = Window::after(10);
        (0..4).for_each(|_| window.send());
        assert_eq!((window.published(), window.sent()), (10, 14));
        for (acknowledged, published) in [(12, 10), (11, 12), (14, 12), (14, 12), (9, 12), (99, 12), (13, 14)] {
            window.acknowledge(acknowledged);
            assert_eq!(window.published(), published, "after {acknowledged}");
        }
        assert_eq!(window.in_flight(), 0);
    }

    #[test]
    fn a_position_that_could_not_be_queued_is_sent_again() {
        let mut window = Window::after(0);
        window.send();
        window.unsend();
        assert_eq!(window.sent(), 0);
    }
}
