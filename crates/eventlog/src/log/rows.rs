//! Rows of what a batch stages, made before the database wants them.

use std::sync::Arc;

use sql::Value;

use crate::log::lookup::{ClaimName, CommandName, StoredCommand};
use crate::log::plan::Staged;
use crate::log::record::{int, to_row};

/// Rows of events, commands and claims that are ready to go.
#[derive(Default)]
pub(crate) struct Made {
    pub(crate) events: Vec<Vec<Value>>,
    pub(crate) commands: Vec<Vec<Value>>,
    pub(crate) claims: Vec<Vec<Value>>,
}

impl Staged {
    /// Makes rows of all that is staged, so that they are ready when the database is.
    pub(crate) fn make_rows(&mut self) {
        let Made { events, commands, claims } = &mut self.made;
        events.extend(self.events.iter().skip(self.sent + events.len()).map(to_row));
        commands.extend(self.commands.iter().skip(commands.len()).map(command_row));
        claims.extend(self.claims.iter().skip(claims.len()).map(claim_row));
    }

    /// The rows that are made, for who sends them. The commands and claims that they are of are staged no longer.
    pub(crate) fn take_rows(&mut self) -> Made {
        let made = std::mem::take(&mut self.made);
        self.sent += made.events.len();
        self.commands.drain(..made.commands.len());
        self.claims.drain(..made.claims.len());
        made
    }
}

fn command_row(((tenant, id), stored): &(CommandName, Arc<StoredCommand>)) -> Vec<Value> {
    vec![
        tenant.as_str().into(),
        id.as_str().into(),
        stored.body_hash.as_slice().into(),
        stored.stream.as_str().into(),
        int(stored.first_version),
        int(stored.last_version),
        int(stored.last_position),
        stored.answer.as_slice().into(),
    ]
}

fn claim_row((name, stream): &(Arc<ClaimName>, Arc<str>)) -> Vec<Value> {
    let (tenant, kind, key) = name.as_ref();
    vec![tenant.as_str().into(), kind.as_ref().into(), key.as_str().into(), stream.as_ref().into()]
}
