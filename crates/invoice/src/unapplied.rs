//! Unapplied payments, as the event log runs them: one stream per payment, nobody's until a person decides.

use crate::wire;
use eventlog::{Aggregate, DecodeError, Meta, NewEvent, Statement, Told};
use receivable::unapplied::{Unapplied, UnappliedCommand, UnappliedEvent, UnappliedRejection, decide_unapplied, evolve_unapplied};

/// Unapplied payments, one stream per payment.
#[derive(Debug, Clone, Copy, Default)]
pub struct UnappliedPayments;

/// A command with the payment that it is for.
#[derive(Debug, Clone)]
pub struct ForPayment {
    /// The payment.
    pub payment_id: String,
    /// What is asked.
    pub command: UnappliedCommand,
}

/// An event with the payment that it is about.
#[derive(Debug, Clone, PartialEq)]
pub struct UnappliedFact {
    /// The payment.
    pub payment_id: String,
    /// What happened.
    pub event: UnappliedEvent,
}

impl Aggregate for UnappliedPayments {
    type State = Unapplied;
    type Command = ForPayment;
    type Event = UnappliedFact;
    type Rejection = UnappliedRejection;

    fn decide(&self, state: &Unapplied, asked: &ForPayment) -> Result<Vec<UnappliedFact>, UnappliedRejection> {
        let events = decide_unapplied(state, &asked.command)?;
        Ok(events.into_iter().map(|event| UnappliedFact { payment_id: asked.payment_id.clone(), event }).collect())
    }

    fn evolve(&self, state: Unapplied, fact: &UnappliedFact) -> Unapplied {
        evolve_unapplied(state, &fact.event)
    }

    fn encode(&self, fact: &UnappliedFact) -> NewEvent {
        let (event_type, payload) = wire::encode_unapplied(fact);
        NewEvent { event_type, schema_version: 1, payload, occurred_at: None, effective_on: None }
    }

    fn decode(&self, told: &Told) -> Result<Option<UnappliedFact>, DecodeError> {
        let decoded = wire::decode_unapplied(&told.event_type, &told.payload);
        decoded.map_err(|fault| DecodeError::new(told, fault.to_string()))
    }
}

/// The stream of an unapplied payment.
pub fn stream(tenant: &str, payment_id: &str) -> String {
    format!("unapplied/{tenant}/{payment_id}")
}

/// What the events of a request share. They are about no payer: their key is the tenant with none.
pub fn meta(tenant: &str) -> Meta {
    Meta { tenant: tenant.to_owned(), key: format!("{tenant}/"), traceparent: host::trace::traceparent(), ..Meta::default() }
}

/// The row by which a process that starts finds a payment that was on its way to an invoice when another one died.
pub fn on_its_way(tenant: &str, payment_id: &str) -> Statement {
    Statement {
        sql: "INSERT INTO unapplied_assignment (tenant, payment_id) VALUES ($1, $2) ON CONFLICT (tenant, payment_id) DO NOTHING".to_owned(),
        args: vec![tenant.into(), payment_id.into()],
    }
}

/// Takes the row of [`on_its_way`] away.
pub fn arrived(tenant: &str, payment_id: &str) -> Statement {
    Statement {
        sql: "DELETE FROM unapplied_assignment WHERE tenant = $1 AND payment_id = $2".to_owned(),
        args: vec![tenant.into(), payment_id.into()],
    }
}
