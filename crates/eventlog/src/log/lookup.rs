//! What an append must know before it may be numbered, for a whole batch at once.

use std::borrow::Cow;
use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

use crate::event::{Append, Claim, CommandKey};

/// Names a stored command: tenant and id.
pub(crate) type CommandName = (String, String);
/// Names a claim: tenant, kind and key.
pub(crate) type ClaimName = (String, Cow<'static, str>, String);

/// What is known for one batch, by names that others chose. Each command looks a dozen of them up; a batch is too small for anybody to choose
/// names that would make that slow.
pub(crate) type Map<K, V> = HashMap<K, V, foldhash::fast::RandomState>;

/// The questions of a batch, each once.
#[derive(Debug, Default, Clone)]
pub(crate) struct Ask {
    pub(crate) streams: BTreeSet<String>,
    pub(crate) commands: BTreeSet<CommandName>,
    pub(crate) claims: BTreeSet<ClaimName>,
}

/// The answers, true while the head is locked: what is not there does not exist. Where a batch presumes, no id and no name is taken but by
/// itself, and no version is asked for.
#[derive(Debug, Default)]
pub(crate) struct Lookup {
    pub(crate) versions: Map<String, u64>,
    pub(crate) commands: Commands,
    pub(crate) claims: Map<Arc<ClaimName>, Arc<str>>,
}

/// Commands that were carried out, by tenant and id: each is asked for with names that somebody else has.
#[derive(Debug, Default)]
pub(crate) struct Commands(Map<String, Map<String, Arc<StoredCommand>>>);

impl Commands {
    pub(crate) fn get(&self, tenant: &str, id: &str) -> Option<&StoredCommand> {
        self.0.get(tenant)?.get(id).map(AsRef::as_ref)
    }

    pub(crate) fn insert(&mut self, tenant: &str, id: String, stored: Arc<StoredCommand>) {
        match self.0.get_mut(tenant) {
            Some(of_tenant) => _ = of_tenant.insert(id, stored),
            None => _ = self.0.insert(tenant.to_owned(), Map::from_iter([(id, stored)])),
        }
    }
}

/// A command that was carried out, and what it got.
#[derive(Debug, Clone)]
pub(crate) struct StoredCommand {
    pub(crate) body_hash: Vec<u8>,
    pub(crate) stream: String,
    pub(crate) first_version: u64,
    pub(crate) last_version: u64,
    pub(crate) last_position: u64,
    pub(crate) answer: Vec<u8>,
}

impl Ask {
    pub(crate) fn of(appends: &[Append]) -> Ask {
        let mut ask = Ask::default();
        for append in appends {
            ask.add(&append.stream, &append.meta.tenant, append.command.as_ref(), &append.claims);
        }
        ask
    }

    pub(crate) fn add(&mut self, stream: &str, tenant: &str, command: Option<&CommandKey>, claims: &[Claim]) {
        if !self.streams.contains(stream) {
            self.streams.insert(stream.to_string());
        }
        if let Some(key) = command {
            self.commands.insert((tenant.to_string(), key.id.clone()));
        }
        for claim in claims {
            self.claims.insert((tenant.to_string(), claim.kind.into(), claim.key.clone()));
        }
    }
}
