//! Findings of bank files and Pix calls, as the event log runs them: one stream per finding.

use crate::wire;
use eventlog::{Aggregate, DecodeError, Meta, NewEvent, Told};
use receivable::finding::{Finding, FindingCommand, FindingEvent, FindingRejection, decide_finding, evolve_finding};

/// Findings, one stream per finding.
#[derive(Debug, Clone, Copy, Default)]
pub struct Findings;

/// A command with the finding that it is for.
#[derive(Debug, Clone)]
pub struct ForFinding {
    /// The finding.
    pub finding_id: String,
    /// What is asked.
    pub command: FindingCommand,
}

/// An event with the finding that it is about.
#[derive(Debug, Clone, PartialEq)]
pub struct FindingFact {
    /// The finding.
    pub finding_id: String,
    /// What happened.
    pub event: FindingEvent,
}

impl Aggregate for Findings {
    type State = Finding;
    type Command = ForFinding;
    type Event = FindingFact;
    type Rejection = FindingRejection;

    fn decide(&self, state: &Finding, asked: &ForFinding) -> Result<Vec<FindingFact>, FindingRejection> {
        let events = decide_finding(state, &asked.command)?;
        Ok(events.into_iter().map(|event| FindingFact { finding_id: asked.finding_id.clone(), event }).collect())
    }

    fn evolve(&self, state: Finding, fact: &FindingFact) -> Finding {
        evolve_finding(state, &fact.event)
    }

    fn encode(&self, fact: &FindingFact) -> NewEvent {
        let (event_type, payload) = wire::encode_finding(fact);
        NewEvent { event_type, schema_version: 1, payload, occurred_at: None, effective_on: None }
    }

    fn decode(&self, told: &Told) -> Result<Option<FindingFact>, DecodeError> {
        let decoded = wire::decode_finding(&told.event_type, &told.payload);
        decoded.map_err(|fault| DecodeError::new(told, fault.to_string()))
    }
}

/// The stream of a finding.
pub fn stream(tenant: &str, finding_id: &str) -> String {
    format!("finding/{tenant}/{finding_id}")
}

/// What the events of a request share. They are about no payer: their key is the tenant with none.
pub fn meta(tenant: &str) -> Meta {
    Meta { tenant: tenant.to_owned(), key: format!("{tenant}/"), traceparent: host::trace::traceparent(), ..Meta::default() }
}
