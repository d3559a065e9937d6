//! What an append must know before it may be numbered, for a whole batch at once.

use std::collections::{BTreeSet, HashMap};

use crate::event::{Append, Claim, CommandKey};

/// Names a stored command: tenant and id.
pub(crate) type CommandName = (String, String);
/// Names a claim: tenant, kind and key.
pub(crate) type ClaimName = (String, String, String);

/// The questions of a batch, each once.
#[derive(Debug, Default, Clone)]
pub(crate) struct Ask {
    pub(crate) streams: BTreeSet<String>,
    pub(crate) commands: BTreeSet<CommandName>,
    pub(crate) claims: BTreeSet<ClaimName>,
}

/// The answers, true while the head is locked, or what is presumed in their place. What is not there does not exist.
#[derive(Debug, Default)]
pub(crate) struct Lookup {
    pub(crate) versions: HashMap<String, u64>,
    pub(crate) commands: HashMap<CommandName, StoredCommand>,
    pub(crate) claims: HashMap<ClaimName, String>,
}

/// A command that was carried out, and what it got.
#[derive(Debug, Clone, PartialEq, Eq)]
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
            self.claims.insert((tenant.to_string(), claim.kind.to_string(), claim.key.clone()));
        }
    }
}
