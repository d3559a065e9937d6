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

    /// So many positions more are on their way, or are about to be. They are sent one after the other, because the log has no gaps.
    pub fn send(&mut self, positions: usize) {
        self.sent.resize(self.sent.len() + positions, false);
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
        window.send(1);
        window.send(3);
        assert_eq!((window.published(), window.sent()), (10, 14));
        for (acknowledged, published) in [(12, 10), (11, 12), (14, 12), (14, 12), (9, 12), (99, 12), (13, 14)] {
            window.acknowledge(acknowledged);
            assert_eq!(window.published(), published, "after {acknowledged}");
        }
        assert_eq!(window.in_flight(), 0);
    }

    #[test]
    fn a_report_may_come_before_the_rest_of_its_page_was_sent() {
        let mut window = Window::after(0);
        window.send(3);
        window.acknowledge(1);
        assert_eq!((window.published(), window.sent(), window.in_flight()), (1, 3, 2));
    }
}
