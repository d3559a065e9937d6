//! What a service keeps: its log, the ids of commands that were carried out, timers, and how far it has read others.
//!
//! Two journals behave alike to the byte: [`Memory`] is a model of the log that anybody can check by reading it, [`Sqlite`] is the
//! product's own log and writer on a database file.

mod memory;
mod sqlite;

pub use memory::{Memory, Rules};
pub use sqlite::{Disk, Sqlite, stored_places};

use chrono::{DateTime, Utc};
use eventlog::bus::Place;
use eventlog::consumer::InboundCommand;
use eventlog::consumer::page::{Mark, Sorted, StreamKey};
use eventlog::timers::StoredTimer;
use eventlog::{Aggregate, Meta, Recorded};
use std::collections::HashMap;

/// Partitions of every topic.
pub const PARTITIONS: i32 = 2;

/// A command for one stream.
pub struct Order<C> {
    /// The stream that decides.
    pub stream: String,
    /// Tenant and partition key.
    pub meta: Meta,
    /// What is asked.
    pub command: C,
    /// The caller's id of the command, where it may be repeated.
    pub key: Option<String>,
    /// The moment of the timer that caused it.
    pub wake: Option<DateTime<Utc>>,
}

/// Why nothing was stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Refusal {
    /// The rules forbid it.
    Rejected(String),
    /// Somebody else has moved the consumer's place.
    Fenced,
    /// Anything else: never expected.
    Fault(String),
}

/// A page of facts of others, and what it causes here; all of it is stored or nothing.
pub struct Page<'a, C> {
    /// Who read it.
    pub consumer: &'static str,
    /// The page.
    pub sorted: &'a Sorted,
    /// What it causes.
    pub commands: Vec<InboundCommand<C>>,
}

/// How far a consumer has read.
#[derive(Debug, Clone, Default)]
pub struct Places {
    /// The next offset of each partition.
    pub next: HashMap<Place, i64>,
    /// The last version of each stream.
    pub marks: HashMap<StreamKey, Mark>,
}

/// A service's store.
pub trait Journal<A: Aggregate> {
    /// Carries a command out; the events that it caused, none where its id is known already.
    ///
    /// # Errors
    /// [`Refusal`].
    fn submit(&mut self, order: Order<A::Command>, now: DateTime<Utc>) -> Result<Vec<A::Event>, Refusal>;

    /// Stores a page with the commands that it causes.
    ///
    /// # Errors
    /// [`Refusal`]; nothing of the page is stored.
    fn take(&mut self, page: Page<'_, A::Command>, now: DateTime<Utc>) -> Result<(), Refusal>;

    /// The newest state of a stream, and its version.
    fn state(&mut self, stream: &str) -> (A::State, u64);

    /// Looks at the newest state of a stream without a copy.
    fn look(&mut self, stream: &str, look: &mut dyn FnMut(&A::State));

    /// The version of a stream.
    fn version(&mut self, stream: &str) -> u64;

    /// Events after a position, at most so many.
    fn read(&mut self, after: u64, limit: usize) -> Vec<Recorded>;

    /// Position of the last event.
    fn head(&mut self) -> u64;

    /// The timer that is due first.
    fn next_timer(&mut self) -> Option<StoredTimer>;

    /// When it is due.
    fn next_due(&mut self) -> Option<DateTime<Utc>> {
        self.next_timer().map(|timer| timer.due_at)
    }

    /// How far a consumer has read, as it is stored.
    fn places(&mut self, consumer: &'static str) -> Places;

    /// The process dies and another one starts: what was only in memory is gone.
    fn restart(&mut self);
}
