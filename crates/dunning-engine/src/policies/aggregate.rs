//! The streams of policies: what was published, and what was assigned.
//!
//! Invariants: versions of a policy count from 1 without gaps (the bundled one is version 1 of its id); a text equal to the newest
//! version is no new version; an assignment equal to the one in force is no event.

use super::{Assignment, Scope, Version};
use crate::wire;
use eventlog::{Aggregate, DecodeError, Meta, NewEvent, Statement, Told};
use kernel::PolicyId;
use std::{collections::BTreeMap, convert::Infallible};

/// Policies and assignments, as the event log runs them.
#[derive(Debug, Clone, Copy, Default)]
pub struct Policies;

/// What a stream of policies holds: versions in that of a policy, assignments in that of a tenant's assignments.
#[derive(Debug, Clone, Default)]
pub struct Shelf {
    newest: Option<(u32, String)>,
    assignments: BTreeMap<(Scope, String), Assignment>,
}

impl Shelf {
    /// The newest version of the policy, published or bundled; 0 where there is none.
    pub fn newest_version(&self, policy_id: &PolicyId) -> u32 {
        self.newest_of(policy_id).map_or(0, |(number, _)| number)
    }

    fn newest_of(&self, policy_id: &PolicyId) -> Option<(u32, &str)> {
        let bundled = Version::bundled();
        let unpublished = || (bundled.policy.id() == policy_id).then(|| (bundled.number, bundled.text.as_ref()));
        self.newest.as_ref().map(|(number, text)| (*number, text.as_str())).or_else(unpublished)
    }
}

/// What is asked of a stream of policies.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Change {
    /// Publish a text that was checked.
    Publish {
        /// The name that the text gives itself.
        policy_id: PolicyId,
        /// The text.
        toml: String,
    },
    /// Assign a policy that exists.
    Assign(Assignment),
    /// Note that tracks were moved.
    Migrate(Migrated),
}

/// Running tracks moved from one version to another, over all payers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Migrated {
    /// From which.
    pub from: (PolicyId, u32),
    /// To which.
    pub to: (PolicyId, u32),
    /// Payers whose tracks were looked at.
    pub payers: u64,
    /// Tracks that moved.
    pub moved: u64,
    /// Tracks that stay, because a step was being carried out.
    pub left: u64,
    /// Who, as an operator id.
    pub by: String,
    /// Why, in the operator's words.
    pub why: String,
}

/// What happened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PolicyEvent {
    /// A version was published, whole and for ever.
    Published {
        /// The ladder.
        policy_id: PolicyId,
        /// From 1.
        version: u32,
        /// The text.
        toml: String,
    },
    /// A policy now applies to somebody.
    Assigned(Assignment),
    /// Tracks moved; the tracks say so themselves.
    Migrated(Migrated),
}

impl Aggregate for Policies {
    type State = Shelf;
    type Command = Change;
    type Event = PolicyEvent;
    type Rejection = Infallible;

    fn decide(&self, shelf: &Shelf, change: &Change) -> Result<Vec<PolicyEvent>, Infallible> {
        let event = match change {
            Change::Publish { policy_id, toml } => match shelf.newest_of(policy_id) {
                Some((_, newest)) if newest == toml => None,
                newest => {
                    let version = newest.map_or(0, |(number, _)| number) + 1;
                    Some(PolicyEvent::Published { policy_id: policy_id.clone(), version, toml: toml.clone() })
                }
            },
            Change::Assign(assignment) => {
                let in_force = shelf.assignments.get(&(assignment.scope, assignment.target.clone()));
                (in_force != Some(assignment)).then(|| PolicyEvent::Assigned(assignment.clone()))
            }
            Change::Migrate(made) => Some(PolicyEvent::Migrated(made.clone())),
        };
        Ok(event.into_iter().collect())
    }

    fn evolve(&self, mut shelf: Shelf, event: &PolicyEvent) -> Shelf {
        match event {
            PolicyEvent::Published { version, toml, .. } => shelf.newest = Some((*version, toml.clone())),
            PolicyEvent::Assigned(assignment) => {
                shelf.assignments.insert((assignment.scope, assignment.target.clone()), assignment.clone());
            }
            PolicyEvent::Migrated(_) => {}
        }
        shelf
    }

    fn encode(&self, event: &PolicyEvent) -> NewEvent {
        let (event_type, payload) = wire::encode_policy(event);
        NewEvent { event_type, schema_version: 1, payload, occurred_at: None, effective_on: None }
    }

    fn decode(&self, told: &Told) -> Result<Option<PolicyEvent>, DecodeError> {
        wire::decode_policy(&told.event_type, &told.payload).map_err(|fault| DecodeError::new(told, fault.to_string()))
    }
}

/// The stream of a policy.
pub fn policy_stream(tenant: &str, policy_id: &PolicyId) -> String {
    format!("policy/{tenant}/{policy_id}")
}

/// The stream of a tenant's assignments.
pub fn assignments_stream(tenant: &str) -> String {
    format!("assignments/{tenant}")
}

/// What the events of a change share. They are about no payer: their key is the tenant.
pub fn meta(tenant: &str) -> Meta {
    Meta { tenant: tenant.to_owned(), key: tenant.to_owned(), traceparent: host::trace::traceparent(), ..Meta::default() }
}

/// The row by which every process finds the streams of policies again.
pub fn streams_row(stream: &str) -> Statement {
    Statement {
        sql: "INSERT INTO policy_stream (stream) VALUES ($1) ON CONFLICT (stream) DO NOTHING".to_owned(),
        args: vec![stream.into()],
    }
}
