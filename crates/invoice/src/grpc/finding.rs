//! Findings: kept, listed, dismissed.

use super::{Server, ready::command_key, unreadable};
use crate::{
    finding::{self, ForFinding},
    query,
    receipts::unwritten,
    wire,
};
use contracts::invoice::v1 as proto;
use eventlog::{Submission, WriteError};
use host::{Refusal, request::Page};
use kernel::text;
use receivable::finding::{FindingCommand, Found};

/// Longest id of a finding.
const MAX_ID_CHARS: usize = 128;

impl Server {
    /// Keeps a finding, once. Errors: UNAVAILABLE.
    pub(crate) async fn keep_finding(&self, tenant: &str, finding_id: String, found: Found) -> Result<(), Refusal> {
        let asked = ForFinding { finding_id: finding_id.clone(), command: FindingCommand::Keep(found) };
        let submission = Submission::new(finding::stream(tenant, &finding_id), finding::meta(tenant), asked);
        match self.findings.submit(submission).await {
            Ok(_) => Ok(()),
            Err(WriteError::Rejected(rejection)) => Err(wire::refused_finding(rejection)),
            Err(error) => Err(unwritten(error)),
        }
    }

    pub(super) async fn list_findings(
        &self,
        tenant: &str,
        m: &proto::ListBankFindingsRequest,
    ) -> Result<proto::ListBankFindingsResponse, Refusal> {
        let page = Page::of(m.page_size, &m.page_token)?;
        let status = wire::finding_status(m.status)?;
        let mut found = query::findings(&self.views, tenant, status, &page).await.map_err(unreadable)?;
        let next_page_token = page.cut(&mut found, query::ListedFinding::key);
        Ok(proto::ListBankFindingsResponse { findings: found.into_iter().map(|one| one.finding).collect(), next_page_token })
    }

    pub(super) async fn dismiss_finding(
        &self,
        tenant: &str,
        m: &proto::DismissBankFindingRequest,
    ) -> Result<proto::DismissBankFindingResponse, Refusal> {
        let key = command_key("DismissBankFinding", (&m.command_id, m))?;
        let finding_id = text::bounded(&m.finding_id, MAX_ID_CHARS)
            .map_err(|fault| Refusal::invalid("finding_id", "id_malformed", fault.to_string()))?;
        let asked = ForFinding { finding_id: finding_id.clone(), command: FindingCommand::Dismiss { reason: m.reason.clone() } };
        let submission = Submission::new(finding::stream(tenant, &finding_id), finding::meta(tenant), asked).with_key(key);
        match self.findings.submit(submission).await {
            Ok(_) => Ok(proto::DismissBankFindingResponse {}),
            Err(WriteError::Rejected(rejection)) => Err(wire::refused_finding(rejection)),
            Err(WriteError::CommandReused) => Err(Refusal::invalid("command_id", "command_reused", "the key was used for another command")),
            Err(error) => Err(unwritten(error)),
        }
    }
}
