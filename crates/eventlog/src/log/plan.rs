//! Numbering a batch: which appends are accepted, as what, and what must be stored for them. No IO.

use std::sync::Arc;

use chrono::{DateTime, Utc};

use crate::event::{Append, Appended, Claim, CommandKey, Expected, Ids, Meta, NewEvent, Recorded, Refused, Statement};
use crate::log::lookup::{ClaimName, CommandName, Lookup, StoredCommand};
use crate::log::rows::Made;
use crate::timers::TimerChange;

/// A batch being numbered, while the head is locked, or presumed to be where this process saw it last.
pub(crate) struct Plan {
    /// When the batch is recorded.
    pub(crate) now: DateTime<Utc>,
    /// The head that was presumed and not looked at: the batch may be stored only while the log stands there.
    pub(crate) presumed: Option<u64>,
    head: u64,
    known: Lookup,
    ids: Arc<dyn Ids>,
    pub(crate) staged: Staged,
    /// Always, but in a negative control.
    pub(crate) checks_versions: bool,
    /// Always, but in a negative control.
    pub(crate) knows_commands: bool,
}

/// Everything that the batch writes.
#[derive(Default)]
pub(crate) struct Staged {
    pub(crate) events: Vec<Recorded>,
    pub(crate) commands: Vec<(CommandName, Arc<StoredCommand>)>,
    pub(crate) claims: Vec<(Arc<ClaimName>, Arc<str>)>,
    /// With the ticket of the append that brought it.
    pub(crate) side: Vec<(usize, Statement)>,
    /// Of one stream there may be several, which follow each other.
    pub(crate) timers: Vec<TimerChange>,
    /// So many of the timers are on their way to the database.
    pub(crate) timers_sent: usize,
    /// So many of the events are on their way to the database, with their commands and claims, which are no longer here.
    pub(super) sent: usize,
    /// Rows of what comes next after that.
    pub(super) made: Made,
}

/// One append in the hands of who asks for it: only what becomes part of the log is taken from it.
pub(crate) struct Proposal<'a> {
    pub(crate) stream: &'a str,
    pub(crate) expected: Expected,
    pub(crate) events: Vec<NewEvent>,
    pub(crate) meta: &'a Meta,
    pub(crate) command: Option<&'a CommandKey>,
    pub(crate) claims: &'a [Claim],
    pub(crate) side: &'a [Statement],
    pub(crate) answer: Vec<u8>,
}

impl<'a> From<&'a Append> for Proposal<'a> {
    fn from(append: &'a Append) -> Self {
        Proposal {
            stream: &append.stream,
            expected: append.expected,
            events: append.events.clone(),
            meta: &append.meta,
            command: append.command.as_ref(),
            claims: &append.claims,
            side: &append.side,
            answer: append.answer.clone(),
        }
    }
}

impl Staged {
    pub(crate) fn timers_to_send(&self) -> &[TimerChange] {
        self.timers.get(self.timers_sent..).unwrap_or_default()
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.events.is_empty() && self.commands.is_empty() && self.claims.is_empty() && self.side.is_empty() && self.timers.is_empty()
    }
}

impl Plan {
    pub(crate) fn new(head: u64, known: Lookup, now: DateTime<Utc>, ids: Arc<dyn Ids>) -> Plan {
        Plan { now, presumed: None, head, known, ids, staged: Staged::default(), checks_versions: true, knows_commands: true }
    }

    /// On a head that nobody has looked at under the lock. Versions of streams are what whoever appends expects them to be, exactly. The
    /// database itself must find out if anything that a command was decided on is not so. It does where the command has an event: the event's
    /// place in its stream is taken, if the stream has moved; and so are its id and its names, if they have been used. A refusal and a command
    /// that causes nothing leave no such trace: they are not for such a plan.
    pub(crate) fn presuming(head: u64, now: DateTime<Utc>, ids: Arc<dyn Ids>) -> Plan {
        Plan { presumed: Some(head), ..Plan::new(head, Lookup::default(), now, ids) }
    }

    /// Puts what is numbered behind another head, and tells by how many positions: others of this process have appended meanwhile, to streams of
    /// their own. Only before any of it is sent.
    pub(crate) fn rebase(&mut self, head: u64) -> u64 {
        debug_assert!(self.staged.sent == 0, "what is sent has its place");
        let by = head.saturating_sub(self.presumed.unwrap_or(head));
        if by == 0 {
            return 0;
        }
        (self.presumed, self.head) = (Some(head), self.head + by);
        // Rows have their positions.
        self.staged.made = Made::default();
        self.staged.events.iter_mut().for_each(|event| event.position += by);
        for ((tenant, id), stored) in &mut self.staged.commands {
            Arc::make_mut(stored).last_position += by;
            self.known.commands.insert(tenant, id.clone(), Arc::clone(stored));
        }
        by
    }

    /// Position of the last event, with what the batch has added so far.
    pub(crate) fn head(&self) -> u64 {
        self.head
    }

    /// Last version of a stream, with what the batch has added so far. A plan that presumes knows none.
    pub(crate) fn version(&self, stream: &str) -> u64 {
        self.known.versions.get(stream).copied().unwrap_or(0)
    }

    /// What a command with this id got before; None when it is new.
    ///
    /// # Errors
    /// [`Refused::CommandReused`] when the id was used with another body.
    pub(crate) fn replayed(&self, tenant: &str, key: &CommandKey) -> Result<Option<Appended>, Refused> {
        let known = self.known.commands.get(tenant, &key.id);
        let Some(stored) = known.filter(|_| self.knows_commands) else { return Ok(None) };
        if stored.body_hash != key.body_hash {
            return Err(Refused::CommandReused);
        }
        Ok(Some(Appended {
            first_version: stored.first_version,
            last_version: stored.last_version,
            last_position: stored.last_position,
            deduplicated: true,
            answer: stored.answer.clone(),
        }))
    }

    /// Accepts or refuses one append of a command that [`Plan::replayed`] does not know; `ticket` comes back when one of its side rows is
    /// refused later.
    pub(crate) fn accept(&mut self, ticket: usize, proposal: Proposal<'_>) -> Result<Appended, Refused> {
        let Proposal { stream, expected, events, meta, command, claims, side, answer } = proposal;
        debug_assert!(
            self.presumed.is_none() || matches!(expected, Expected::Exact(_)),
            "{stream}: a plan that presumes knows no versions"
        );
        debug_assert!(command.is_none_or(|key| matches!(self.replayed(&meta.tenant, key), Ok(None))), "{stream}: a known command");
        let before = match expected {
            Expected::Exact(version) if self.presumed.is_some() => version,
            Expected::Exact(_) | Expected::Any => self.version(stream),
        };
        if let Expected::Exact(version) = expected
            && version != before
            && self.checks_versions
        {
            return Err(Refused::VersionConflict { actual: before });
        }
        // Without an event nothing in the stream would bear a name, and nobody could ever have it.
        if !claims.is_empty() && !events.is_empty() {
            let owner: Arc<str> = stream.into();
            for name in self.free_claims(stream, &meta.tenant, claims)? {
                self.known.claims.insert(Arc::clone(&name), Arc::clone(&owner));
                self.staged.claims.push((name, Arc::clone(&owner)));
            }
        }
        let last_version = before + events.len() as u64;
        for (index, event) in events.into_iter().enumerate() {
            self.number(stream, before + 1 + index as u64, event, meta, command);
        }
        self.staged.side.extend(side.iter().map(|statement| (ticket, statement.clone())));
        let appended = Appended { first_version: before + 1, last_version, last_position: self.head, deduplicated: false, answer };
        if let Some(key) = command {
            self.remember(&meta.tenant, key, stream, &appended);
        }
        if self.presumed.is_none() {
            self.note_version(stream, last_version);
        }
        Ok(appended)
    }

    fn note_version(&mut self, stream: &str, version: u64) {
        match self.known.versions.get_mut(stream) {
            Some(known) => *known = version,
            None => _ = self.known.versions.insert(stream.to_owned(), version),
        }
    }

    /// The claims that must be stored: those that nobody owns.
    fn free_claims(&self, stream: &str, tenant: &str, claims: &[Claim]) -> Result<Vec<Arc<ClaimName>>, Refused> {
        let mut free: Vec<Arc<ClaimName>> = Vec::with_capacity(claims.len());
        for Claim { kind, key } in claims {
            let name: ClaimName = (tenant.to_owned(), (*kind).into(), key.clone());
            match self.known.claims.get(&name) {
                Some(owner) if **owner == *stream => {}
                Some(owner) => return Err(Refused::ClaimTaken { kind: name.1.into(), key: name.2, stream: owner.to_string() }),
                None if free.iter().any(|other| **other == name) => {}
                None => free.push(Arc::new(name)),
            }
        }
        Ok(free)
    }

    fn number(&mut self, stream: &str, version: u64, event: NewEvent, meta: &Meta, command: Option<&CommandKey>) {
        self.head += 1;
        self.staged.events.push(Recorded {
            position: self.head,
            event_id: self.ids.event_id(),
            stream: stream.to_string(),
            version,
            event_type: event.event_type.to_string(),
            schema_version: event.schema_version,
            tenant: meta.tenant.clone(),
            key: meta.key.clone(),
            recorded_at: self.now,
            occurred_at: event.occurred_at.map(|at| chrono::SubsecRound::trunc_subsecs(at, 6)),
            effective_on: event.effective_on,
            command_id: command.map(|key| key.id.clone()),
            correlation_id: meta.correlation_id,
            causation_id: meta.causation_id,
            traceparent: meta.traceparent.clone(),
            payload: event.payload,
        });
    }

    fn remember(&mut self, tenant: &str, key: &CommandKey, stream: &str, appended: &Appended) {
        let stored = Arc::new(StoredCommand {
            body_hash: key.body_hash.to_vec(),
            stream: stream.to_string(),
            first_version: appended.first_version,
            last_version: appended.last_version,
            last_position: appended.last_position,
            answer: appended.answer.clone(),
        });
        self.known.commands.insert(tenant, key.id.clone(), Arc::clone(&stored));
        self.staged.commands.push(((tenant.to_owned(), key.id.clone()), stored));
    }
}
