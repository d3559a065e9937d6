//! The newest events, kept in memory: a reader that is nearly at the head needs no query.

use std::collections::VecDeque;

use crate::event::Recorded;

const EVENTS: usize = 4096;
const PAYLOAD_BYTES: usize = 8 * 1024 * 1024;

/// A contiguous run of committed events.
#[derive(Default)]
pub(crate) struct Tail {
    events: VecDeque<Recorded>,
    payload_bytes: usize,
}

impl Tail {
    /// Adds committed events. Where another process appended in between, the run starts anew; a batch that comes late is left out.
    pub(crate) fn push(&mut self, events: Vec<Recorded>) {
        let Some(first) = events.first().map(|event| event.position) else { return };
        match self.events.back().map(|event| event.position) {
            Some(last) if first <= last => return,
            Some(last) if first > last + 1 => {
                self.events.clear();
                self.payload_bytes = 0;
            }
            Some(_) | None => {}
        }
        self.payload_bytes += events.iter().map(|event| event.payload.len()).sum::<usize>();
        self.events.extend(events);
        while self.events.len() > EVENTS || (self.payload_bytes > PAYLOAD_BYTES && self.events.len() > 1) {
            if let Some(dropped) = self.events.pop_front() {
                self.payload_bytes -= dropped.payload.len();
            }
        }
    }

    /// Events after a position, when they are all here and there is at least one. None sends the reader to the database: there may be
    /// newer ones of another process.
    pub(crate) fn after(&self, position: u64, limit: usize) -> Option<Vec<Recorded>> {
        let first = self.events.front()?.position;
        let last = self.events.back()?.position;
        if position + 1 < first || position >= last {
            return None;
        }
        let skip = (position + 1 - first) as usize;
        Some(self.events.iter().skip(skip).take(limit).cloned().collect())
    }
}
