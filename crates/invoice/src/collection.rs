//! Collection accounts of a tenant, as the event log runs them: one stream per tenant.

use crate::wire;
use eventlog::{Aggregate, DecodeError, Meta, NewEvent, Told};
use receivable::collection::{Collection, CollectionCommand, CollectionEvent, CollectionRejection, decide_collection, evolve_collection};

/// Collection accounts, one stream per tenant.
#[derive(Debug, Clone, Copy, Default)]
pub struct Collections;

impl Aggregate for Collections {
    type State = Collection;
    type Command = CollectionCommand;
    type Event = CollectionEvent;
    type Rejection = CollectionRejection;

    fn decide(&self, state: &Collection, command: &CollectionCommand) -> Result<Vec<CollectionEvent>, CollectionRejection> {
        decide_collection(state, command)
    }

    fn evolve(&self, state: Collection, event: &CollectionEvent) -> Collection {
        evolve_collection(state, event)
    }

    fn encode(&self, event: &CollectionEvent) -> NewEvent {
        let (event_type, payload) = wire::encode_collection(event);
        NewEvent { event_type, schema_version: 1, payload, occurred_at: None, effective_on: None }
    }

    fn decode(&self, told: &Told) -> Result<Option<CollectionEvent>, DecodeError> {
        let decoded = wire::decode_collection(&told.event_type, &told.payload);
        decoded.map_err(|fault| DecodeError::new(told, fault.to_string()))
    }
}

/// The stream of a tenant's collection accounts.
pub fn stream(tenant: &str) -> String {
    format!("collection/{tenant}")
}

/// What the events of a request share.
pub fn meta(tenant: &str) -> Meta {
    Meta { tenant: tenant.to_owned(), key: format!("{tenant}/"), traceparent: host::trace::traceparent(), ..Meta::default() }
}
