//! A log in memory: the plainest thing that keeps the log's promises, and so the reference of the others.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard};

use chrono::{DateTime, Utc};
use tokio::sync::{Mutex, OwnedMutexGuard};

use crate::event::{Recorded, Told};
use crate::log::lookup::{Ask, ClaimName, CommandName, Lookup, StoredCommand};
use crate::log::plan::Staged;
use crate::timers::{StoredTimer, TimerChange};

#[derive(Default, Clone)]
pub(crate) struct Memory {
    /// Whoever appends holds this, as others hold the head row.
    appender: Arc<Mutex<()>>,
    committed: Arc<RwLock<Committed>>,
}

#[derive(Default)]
struct Committed {
    events: Vec<Recorded>,
    streams: HashMap<String, Vec<usize>>,
    commands: HashMap<CommandName, Arc<StoredCommand>>,
    claims: HashMap<Arc<ClaimName>, Arc<str>>,
    timers: BTreeMap<(String, String), StoredTimer>,
}

/// The right to append, until it is dropped.
pub(crate) struct Turn {
    _appender: OwnedMutexGuard<()>,
    memory: Memory,
}

impl Memory {
    pub(crate) async fn turn(&self) -> Turn {
        Turn { _appender: Arc::clone(&self.appender).lock_owned().await, memory: self.clone() }
    }

    pub(crate) fn head(&self) -> u64 {
        self.committed().events.len() as u64
    }

    pub(crate) fn read(&self, after_position: u64, limit: usize) -> Vec<Recorded> {
        let skip = usize::try_from(after_position).unwrap_or(usize::MAX);
        self.committed().events.iter().skip(skip).take(limit).cloned().collect()
    }

    pub(crate) fn read_streams(&self, streams: &[(String, u64)]) -> Vec<Recorded> {
        let committed = self.committed();
        let mut places: Vec<usize> = Vec::new();
        for (stream, after) in streams {
            let after = usize::try_from(*after).unwrap_or(usize::MAX);
            places.extend(committed.streams.get(stream).into_iter().flatten().skip(after));
        }
        places.sort_unstable();
        places.into_iter().map(|place| committed.events[place].clone()).collect()
    }

    pub(crate) fn told(&self, streams: &[(String, u64)]) -> Vec<Told> {
        self.read_streams(streams).into_iter().map(Told::from).collect()
    }

    pub(crate) fn claimed(&self, tenant: &str, kind: &str, key: &str) -> Option<String> {
        let name = (tenant.to_string(), kind.to_string().into(), key.to_string());
        self.committed().claims.get(&name).map(ToString::to_string)
    }

    pub(crate) fn timers(&self) -> Vec<StoredTimer> {
        self.committed().timers.values().cloned().collect()
    }

    fn committed(&self) -> RwLockReadGuard<'_, Committed> {
        self.committed.read().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Turn {
    pub(crate) fn look_up(&self, ask: &Ask) -> (u64, Lookup) {
        let committed = self.memory.committed();
        let mut found = Lookup::default();
        for stream in &ask.streams {
            if let Some(places) = committed.streams.get(stream) {
                found.versions.insert(stream.clone(), places.len() as u64);
            }
        }
        for name in &ask.commands {
            if let Some(stored) = committed.commands.get(name) {
                found.commands.insert(&name.0, name.1.clone(), Arc::clone(stored));
            }
        }
        for name in &ask.claims {
            if let Some((name, owner)) = committed.claims.get_key_value(name) {
                found.claims.insert(Arc::clone(name), Arc::clone(owner));
            }
        }
        (committed.events.len() as u64, found)
    }

    pub(crate) fn told(&self, streams: &[(String, u64)]) -> Vec<Told> {
        self.memory.told(streams)
    }

    pub(crate) fn commit(self, staged: &Staged, now: DateTime<Utc>) {
        let mut committed = self.memory.committed.write().unwrap_or_else(PoisonError::into_inner);
        for event in &staged.events {
            let place = committed.events.len();
            committed.streams.entry(event.stream.clone()).or_default().push(place);
            committed.events.push(event.clone());
        }
        committed.commands.extend(staged.commands.iter().cloned());
        committed.claims.extend(staged.claims.iter().cloned());
        for change in &staged.timers {
            rewrite_timers(&mut committed.timers, change, now);
        }
    }
}

fn rewrite_timers(timers: &mut BTreeMap<(String, String), StoredTimer>, change: &TimerChange, now: DateTime<Utc>) {
    timers.retain(|(stream, _), timer| *stream != change.stream || (!change.woken && timer.due_at <= now));
    for next in change.next.iter() {
        let key = (change.stream.clone(), next.track.clone());
        timers.entry(key).or_insert_with(|| change.stored(next));
    }
}
