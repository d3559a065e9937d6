//! Requests → commands. Errors name the field as the caller wrote it.

use crate::policies::{Assignment, Scope};
use contracts::dunning::v1 as proto;
use host::{Refusal, request::id};
use kernel::{CustomerId, PolicyId, text};

/// Longest name of a segment, in characters; as the invoice service takes it.
const SEGMENT_CHARS: usize = 64;

/// An assignment.
///
/// # Errors
/// INVALID_ARGUMENT on the field at fault: `unknown_scope`, `target_not_empty`, `text_refused`, `id_malformed`.
pub fn assignment(m: &proto::AssignPolicyRequest) -> Result<Assignment, Refusal> {
    let unknown = || Refusal::invalid("scope", "unknown_scope", "should be tenant, segment or customer");
    let scope = Scope::named(&m.scope).ok_or_else(unknown)?;
    let target = match scope {
        Scope::Tenant if m.target.is_empty() => String::new(),
        Scope::Tenant => return Err(Refusal::invalid("target", "target_not_empty", "should be empty for a tenant")),
        Scope::Segment => {
            text::bounded(&m.target, SEGMENT_CHARS).map_err(|fault| Refusal::invalid("target", "text_refused", fault.to_string()))?
        }
        Scope::Customer => id("target", &m.target, CustomerId::new)?.to_string(),
    };
    Ok(Assignment { scope, target, policy_id: id("policy_id", &m.policy_id, PolicyId::new)?, version: m.policy_version })
}
