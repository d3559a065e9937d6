//! Numbering a batch: which appends are accepted, as what, and what must be stored for them. No IO.

use std::collections::HashMap;
use std::sync::Arc;

use chrono::{DateTime, Utc};

use crate::event::{Append, Appended, Claim, CommandKey, Expected, Ids, Meta, NewEvent, Recorded, Refused, Statement};
use crate::log::lookup::{ClaimName, CommandName, Lookup, StoredCommand};
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
    /// So many of the events are on their way to the database, with their commands and claims.
    pub(crate) sent: usize,
    pub(crate) commands: Vec<(CommandName, StoredCommand)>,
    pub(crate) claims: Vec<(ClaimName, String)>,
    /// With the ticket of the append that brought it.
    pub(crate) side: Vec<(usize, Statement)>,
    pub(crate) timers: Vec<TimerChange>,
}

impl Staged {
    pub(crate) fn is_empty(&self) -> bool {
        self.events.is_empty() && self.commands.is_empty() && self.claims.is_empty() && self.side.is_empty() && self.timers.is_empty()
    }
}

impl Plan {
    pub(crate) fn new(head: u64, known: Lookup, now: DateTime<Utc>, ids: Arc<dyn Ids>) -> Plan {
        Plan { now, presumed: None, head, known, ids, staged: Staged::default(), checks_versions: true, knows_commands: true }
    }

    /// On a head, and on versions of streams, that nobody has looked at under the lock.
    pub(crate) fn presuming(head: u64, versions: HashMap<String, u64>, now: DateTime<Utc>, ids: Arc<dyn Ids>) -> Plan {
        Plan { presumed: Some(head), ..Plan::new(head, Lookup { versions, ..Lookup::default() }, now, ids) }
    }

    /// Whether the database itself finds out if anything that a command was decided on is not so: with what is presumed it must. It does
    /// where the command has an event: the event's place in its stream is taken, if the stream has moved; and so are its id and its
    /// names, if they have been used. A refusal and a command that causes nothing leave no such trace.
    pub(crate) fn is_proven_by(&self, answer: Option<&Appended>) -> bool {
        let has_event = |appended: &Appended| !appended.deduplicated && appended.first_version <= appended.last_version;
        self.presumed.is_none() || answer.is_some_and(has_event)
    }

    /// Last version of a stream, with what the batch has added so far.
    pub(crate) fn version(&self, stream: &str) -> u64 {
        self.known.versions.get(stream).copied().unwrap_or(0)
    }

    /// What a command with this id got before; None when it is new.
    ///
    /// # Errors
    /// [`Refused::CommandReused`] when the id was used with another body.
    pub(crate) fn replayed(&self, tenant: &str, key: &CommandKey) -> Result<Option<Appended>, Refused> {
        let known = self.known.commands.get(&(tenant.to_string(), key.id.clone()));
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

    /// Accepts or refuses one append; `ticket` comes back when one of its side rows is refused later.
    pub(crate) fn accept(&mut self, ticket: usize, append: Append) -> Result<Appended, Refused> {
        if let Some(key) = &append.command
            && let Some(appended) = self.replayed(&append.meta.tenant, key)?
        {
            return Ok(appended);
        }
        let before = self.version(&append.stream);
        match append.expected {
            Expected::Exact(version) if version != before && self.checks_versions => {
                return Err(Refused::VersionConflict { actual: before });
            }
            Expected::Exact(_) | Expected::Any => {}
        }
        let claims = self.free_claims(&append)?;
        for name in claims {
            self.known.claims.insert(name.clone(), append.stream.clone());
            self.staged.claims.push((name, append.stream.clone()));
        }
        let Append { stream, events, meta, command, side, answer, .. } = append;
        let last_version = before + events.len() as u64;
        for (index, event) in events.into_iter().enumerate() {
            self.number(&stream, before + 1 + index as u64, event, &meta, command.as_ref());
        }
        self.staged.side.extend(side.into_iter().map(|statement| (ticket, statement)));
        let appended = Appended { first_version: before + 1, last_version, last_position: self.head, deduplicated: false, answer };
        if let Some(key) = command {
            self.remember((meta.tenant, key.id), key.body_hash, &stream, &appended);
        }
        self.known.versions.insert(stream, last_version);
        Ok(appended)
    }

    /// The claims that must be stored: those that nobody owns. None without an event: nothing in the stream would bear the name, and
    /// nobody could ever have it.
    fn free_claims(&self, append: &Append) -> Result<Vec<ClaimName>, Refused> {
        if append.events.is_empty() {
            return Ok(Vec::new());
        }
        let mut free: Vec<ClaimName> = Vec::new();
        for Claim { kind, key } in &append.claims {
            let name = (append.meta.tenant.clone(), (*kind).to_string(), key.clone());
            match self.known.claims.get(&name) {
                Some(owner) if *owner == append.stream => {}
                Some(owner) => return Err(Refused::ClaimTaken { kind: name.1, key: name.2, stream: owner.clone() }),
                None if free.contains(&name) => {}
                None => free.push(name),
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

    fn remember(&mut self, name: CommandName, body_hash: [u8; 32], stream: &str, appended: &Appended) {
        let stored = StoredCommand {
            body_hash: body_hash.to_vec(),
            stream: stream.to_string(),
            first_version: appended.first_version,
            last_version: appended.last_version,
            last_position: appended.last_position,
            answer: appended.answer.clone(),
        };
        self.known.commands.insert(name.clone(), stored.clone());
        self.staged.commands.push((name, stored));
    }
}
