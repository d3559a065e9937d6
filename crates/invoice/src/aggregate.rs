//! The account of one payer, as the event log runs it.

use crate::wire::{self, Fact};
use brazil::charges::LegalRates;
use eventlog::{Aggregate, DecodeError, Meta, NewEvent, Recorded};
use kernel::CustomerId;
use receivable::{Account, Command, Rejection};
use std::sync::Arc;

/// Accounts, one stream per payer.
#[derive(Debug, Clone, Copy, Default)]
pub struct Accounts;

/// A command with the payer whose account it is for.
#[derive(Debug, Clone)]
pub struct Addressed {
    /// The payer.
    pub customer_id: CustomerId,
    /// What is asked.
    pub command: Command,
    /// The tenant's legal rates: what an invoice that bears them is decided by.
    pub rates: Arc<LegalRates>,
}

impl Aggregate for Accounts {
    type State = Account;
    type Command = Addressed;
    type Event = Fact;
    type Rejection = Rejection;

    fn decide(&self, state: &Account, addressed: &Addressed) -> Result<Vec<Fact>, Rejection> {
        let events = receivable::decide(state, &addressed.command, &addressed.rates)?;
        Ok(events.into_iter().map(|event| Fact { customer_id: addressed.customer_id.clone(), event }).collect())
    }

    fn evolve(&self, state: Account, fact: &Fact) -> Account {
        receivable::evolve(state, &fact.event)
    }

    fn encode(&self, fact: &Fact) -> NewEvent {
        let (event_type, payload) = wire::encode(fact);
        NewEvent { event_type, schema_version: 1, payload, occurred_at: None, effective_on: fact.event.effective_on() }
    }

    fn decode(&self, recorded: &Recorded) -> Result<Option<Fact>, DecodeError> {
        wire::decode(&recorded.event_type, &recorded.payload).map_err(|fault| DecodeError::new(recorded, fault.to_string()))
    }
}

/// The stream of a payer's account.
pub fn stream(tenant: &str, customer_id: &str) -> String {
    format!("account/{tenant}/{customer_id}")
}

/// The payer whose account a stream is.
pub fn customer_of<'a>(tenant: &str, stream: &'a str) -> Option<&'a str> {
    stream.strip_prefix("account/")?.strip_prefix(tenant)?.strip_prefix('/')
}

/// What the events of a request share.
pub fn meta(tenant: &str, customer_id: &str) -> Meta {
    Meta { tenant: tenant.to_owned(), key: format!("{tenant}/{customer_id}"), traceparent: host::trace::traceparent(), ..Meta::default() }
}
