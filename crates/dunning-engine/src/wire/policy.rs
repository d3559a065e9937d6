//! Policy events ↔ protobuf bytes.

use super::field::{DecodeFault, id, message, named};
use super::migration::{read_version, version};
use crate::policies::{Assignment, Migrated, PolicyEvent, Scope};
use contracts::dunning::v1 as proto;
use kernel::PolicyId;
use prost::Message;

/// Type name and bytes of a policy event.
pub fn encode_policy(event: &PolicyEvent) -> (&'static str, Vec<u8>) {
    match event {
        PolicyEvent::Published { policy_id, version, toml } => {
            let m = proto::PolicyPublished { policy_id: policy_id.to_string(), policy_version: *version, toml: toml.clone() };
            ("PolicyPublished", m.encode_to_vec())
        }
        PolicyEvent::Migrated(made) => {
            let m = proto::PolicyMigrated {
                from: Some(version(&made.from)),
                to: Some(version(&made.to)),
                payers: made.payers,
                tracks_moved: made.moved,
                tracks_left: made.left,
                by: made.by.clone(),
                reason: made.why.clone(),
            };
            ("PolicyMigrated", m.encode_to_vec())
        }
        PolicyEvent::Assigned(assignment) => ("PolicyAssigned", super::view::assigned(assignment).encode_to_vec()),
    }
}

/// The policy event of a stored event; `None` for another type.
///
/// # Errors
/// [`DecodeFault`] for a known type whose payload cannot be read.
pub fn decode_policy(event_type: &str, payload: &[u8]) -> Result<Option<PolicyEvent>, DecodeFault> {
    let event = match event_type {
        "PolicyPublished" => {
            let m: proto::PolicyPublished = message("PolicyPublished", payload)?;
            let policy_id = id("policy_id", &m.policy_id, PolicyId::new)?;
            PolicyEvent::Published { policy_id, version: m.policy_version, toml: m.toml }
        }
        "PolicyAssigned" => {
            let m: proto::PolicyAssigned = message("PolicyAssigned", payload)?;
            PolicyEvent::Assigned(Assignment {
                scope: named("scope", &m.scope, Scope::named)?,
                target: m.target,
                policy_id: id("policy_id", &m.policy_id, PolicyId::new)?,
                version: m.policy_version,
            })
        }
        "PolicyMigrated" => {
            let m: proto::PolicyMigrated = message("PolicyMigrated", payload)?;
            PolicyEvent::Migrated(Migrated {
                from: read_version("from", m.from)?,
                to: read_version("to", m.to)?,
                payers: m.payers,
                moved: m.tracks_moved,
                left: m.tracks_left,
                by: m.by,
                why: m.reason,
            })
        }
        _ => return Ok(None),
    };
    Ok(Some(event))
}
