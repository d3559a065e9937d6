//! What was ordered of banks, as the event log runs it: one stream per collection account.

use crate::wire;
use eventlog::{Aggregate, DecodeError, Meta, NewEvent, Told};
use kernel::CollectionAccountId;
use receivable::remittance::{RemittanceRejection, RemittanceWritten, Remittances, WriteRemittance, decide_remittance, evolve_remittance};

/// Remittances, one stream per collection account.
#[derive(Debug, Clone, Copy, Default)]
pub struct RemittanceFiles;

impl Aggregate for RemittanceFiles {
    type State = Remittances;
    type Command = WriteRemittance;
    type Event = RemittanceWritten;
    type Rejection = RemittanceRejection;

    fn decide(&self, state: &Remittances, command: &WriteRemittance) -> Result<Vec<RemittanceWritten>, RemittanceRejection> {
        decide_remittance(state, command)
    }

    fn evolve(&self, state: Remittances, event: &RemittanceWritten) -> Remittances {
        evolve_remittance(state, event)
    }

    fn encode(&self, event: &RemittanceWritten) -> NewEvent {
        let (event_type, payload) = wire::encode_remittance(event);
        NewEvent { event_type, schema_version: 1, payload, occurred_at: None, effective_on: None }
    }

    fn decode(&self, told: &Told) -> Result<Option<RemittanceWritten>, DecodeError> {
        let decoded = wire::decode_remittance(&told.event_type, &told.payload);
        decoded.map_err(|fault| DecodeError::new(told, fault.to_string()))
    }
}

/// The stream of an account's remittances.
pub fn stream(tenant: &str, account_id: &CollectionAccountId) -> String {
    format!("remittance/{tenant}/{account_id}")
}

/// What the events of a request share. They are about no payer: their key is the tenant with none.
pub fn meta(tenant: &str) -> Meta {
    Meta { tenant: tenant.to_owned(), key: format!("{tenant}/"), traceparent: host::trace::traceparent(), ..Meta::default() }
}
