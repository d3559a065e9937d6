//! Entries at credit bureaus and protest offices as events, and who carries them out: see `docs/decisions/0010-entries-at-bureaus.md`.
//!
//! One stream per occurrence of a `bureau` or `protest` step, so that none is ever asked for twice. The rules are in [`ladder::listing`];
//! the clerk follows the service's own log and speaks to a [`provider::Provider`].

pub mod callback;
pub mod clerk;
pub mod config;
mod directory;
mod figures;
mod follow;
mod http;
mod key;
pub mod provider;
mod round;

pub use clerk::Clerk;
pub use config::{ProviderConfig, ProviderKind, Providers};
pub use figures::{Removals, removals};
pub(crate) use figures::{show, today};
pub use key::{EntryKey, OrderKey};

use crate::wire;
use eventlog::{Aggregate, DecodeError, Meta, NewEvent, Told};
use ladder::listing::{self, Command, Event, Listing};
use std::convert::Infallible;

/// Entries, one stream per occurrence.
#[derive(Debug, Clone, Copy, Default)]
pub struct Listings;

impl Aggregate for Listings {
    type State = Listing;
    type Command = Command;
    type Event = Event;
    type Rejection = Infallible;

    fn decide(&self, listing: &Listing, command: &Command) -> Result<Vec<Event>, Infallible> {
        Ok(listing::decide(listing, command))
    }

    fn evolve(&self, listing: Listing, event: &Event) -> Listing {
        listing::evolve(listing, event)
    }

    fn encode(&self, event: &Event) -> NewEvent {
        let (event_type, payload) = wire::encode_listing(event);
        NewEvent { event_type, schema_version: 1, payload, occurred_at: None, effective_on: None }
    }

    fn decode(&self, told: &Told) -> Result<Option<Event>, DecodeError> {
        wire::decode_listing(&told.event_type, &told.payload).map_err(|fault| DecodeError::new(told, fault.to_string()))
    }
}

/// What the events of an entry share.
pub fn meta(key: &EntryKey) -> Meta {
    let (tenant, customer_id) = (key.tenant.to_string(), &key.customer_id);
    Meta { key: format!("{tenant}/{customer_id}"), tenant, traceparent: host::trace::traceparent(), ..Meta::default() }
}
