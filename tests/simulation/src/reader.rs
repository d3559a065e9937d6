//! A consumer: it remembers where it is, reads a page, sorts it with the product's own rules and has it stored.

use crate::journal::{Page, Places, Refusal};
use crate::service::{Partitions, Service};
use chrono::{DateTime, Utc};
use eventlog::Aggregate;
use eventlog::bus::{Message, Place};
use eventlog::consumer::Inbound;
use eventlog::consumer::page::{Sorted, sort};
use std::collections::HashSet;

/// A consumer of a service, as its process knows it.
#[derive(Debug, Clone)]
pub struct Reader {
    /// Its permanent name.
    pub name: &'static str,
    /// Where it believes to be.
    pub known: Places,
}

/// What befalls a page.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mishap {
    /// Nothing.
    None,
    /// Its messages come in another order.
    Reordered,
    /// The process dies before it is stored.
    LostBefore,
    /// It is stored, and the process dies before it knows.
    LostAfter,
}

/// What came of a page.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Taken {
    /// So many messages were new; so many had been seen.
    Stored(usize, u64),
    /// Nothing could be read.
    Nothing,
    /// Somebody else was faster.
    Fenced,
}

impl Reader {
    /// A consumer that has read nothing.
    pub fn new(name: &'static str) -> Self {
        Reader { name, known: Places::default() }
    }

    /// Messages of a partition that it has not read.
    pub fn lag(&self, topic: &Partitions, place: &Place) -> usize {
        lane(topic, place).len().saturating_sub(self.next(place))
    }

    fn next(&self, place: &Place) -> usize {
        self.known.next.get(place).map_or(0, |next| usize::try_from(*next).unwrap_or(0))
    }

    /// The next page of a partition, sorted. In order nothing may be missing.
    ///
    /// # Errors
    /// A gap where the page is whole.
    pub fn page(&self, topic: &Partitions, place: &Place, limit: usize, mishap: Mishap) -> Result<Sorted, String> {
        let mut page: Vec<Message> = lane(topic, place).iter().skip(self.next(place)).take(limit).cloned().collect();
        if mishap == Mishap::Reordered {
            page.reverse();
        }
        let sorted = sort(page, &self.known.next, &self.known.marks, &HashSet::new());
        match sorted.gaps.first() {
            Some(gap) if mishap != Mishap::Reordered => Err(format!("{}: a gap in {}", self.name, gap.stream)),
            Some(_) | None => Ok(sorted),
        }
    }

    /// Remembers that a page was stored.
    pub fn stored(&mut self, sorted: &Sorted) {
        self.known.next.extend(sorted.moves.iter().map(|(place, moved)| (place.clone(), moved.to)));
        self.known.marks.extend(sorted.marks.iter().map(|(key, mark)| (key.clone(), *mark)));
    }

    /// Takes the next page of a partition into a service.
    ///
    /// # Errors
    /// What never should be: a gap, a message that cannot be understood, a command that is refused.
    pub fn take<A: Aggregate>(
        &mut self,
        (topic, place): (&Partitions, &Place),
        (service, inbound): (&mut Service<A>, &dyn Inbound<A::Command>),
        (limit, mishap): (usize, Mishap),
        now: DateTime<Utc>,
    ) -> Result<(Taken, Vec<Message>), String> {
        let sorted = self.page(topic, place, limit, mishap)?;
        if sorted.is_empty() {
            return Ok((Taken::Nothing, Vec::new()));
        }
        if mishap == Mishap::LostBefore {
            self.known = service.journal.places(self.name);
            return Ok((Taken::Nothing, Vec::new()));
        }
        let mut commands = Vec::new();
        for message in sorted.fresh.iter().filter(|message| !message.is_withheld()) {
            commands.extend(inbound.commands(message).map_err(|poison| format!("{}: {poison}", self.name))?);
        }
        let stored = service.journal.take(Page { consumer: self.name, sorted: &sorted, commands }, now);
        match stored {
            Ok(()) if mishap == Mishap::LostAfter => self.known = service.journal.places(self.name),
            Ok(()) => self.stored(&sorted),
            Err(Refusal::Fenced) => {
                self.known = service.journal.places(self.name);
                return Ok((Taken::Fenced, Vec::new()));
            }
            Err(Refusal::Rejected(reason) | Refusal::Fault(reason)) => return Err(format!("{}: {reason}", self.name)),
        }
        Ok((Taken::Stored(sorted.fresh.len(), sorted.duplicates), sorted.fresh))
    }
}

fn lane<'a>(topic: &'a Partitions, place: &Place) -> &'a [Message] {
    usize::try_from(place.partition).ok().and_then(|at| topic.get(at)).map_or(&[], Vec::as_slice)
}
