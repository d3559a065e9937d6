//! Policies: preview, publish, read, assign.

use super::{Server, command_key, refusal, unreadable};
use crate::policies::{Change, Policies, Shelf, assignments_stream, meta, policy_stream, streams_row};
use crate::policy_toml;
use crate::wire;
use chrono::NaiveDate;
use contracts::dunning::v1 as proto;
use eventlog::{Submission, Written};
use host::{Refusal, request};
use kernel::{PolicyId, calendar};
use ladder::{Policy, draft::Fault, schedule};
use prost::Message;
use tonic::{Code, Status};

/// Days from today to the sample due date of a preview that names none.
const SAMPLE_DAYS: i64 = 30;

impl Server {
    fn sample(&self, field: &str, text: &str) -> Result<NaiveDate, Refusal> {
        request::date_or(field, text, calendar::add_days(self.today(), SAMPLE_DAYS))
    }

    pub(super) fn preview(&self, m: &proto::PreviewPolicyRequest) -> Result<proto::PreviewPolicyResponse, Refusal> {
        let due_on = self.sample("due_on", &m.due_on)?;
        Ok(match policy_toml::load(&m.toml) {
            Ok(policy) => proto::PreviewPolicyResponse {
                faults: Vec::new(),
                preview: wire::preview_lines(&policy, due_on),
                effective_due: schedule::effective_due(due_on, policy.calendar()).to_string(),
            },
            Err(faults) => {
                proto::PreviewPolicyResponse { faults: wire::faults(&faults), preview: Vec::new(), effective_due: String::new() }
            }
        })
    }

    pub(super) async fn publish(&self, tenant: &str, m: &proto::PublishPolicyRequest) -> Result<proto::PublishPolicyResponse, Status> {
        let due_on = self.sample("preview_due_on", &m.preview_due_on)?;
        let policy = policy_toml::load(&m.toml).map_err(|faults| policy_faults(&faults))?;
        let policy_id = policy.id().clone();
        let stream = policy_stream(tenant, &policy_id);
        let change = Change::Publish { policy_id: policy_id.clone(), toml: m.toml.clone() };
        let named = policy_id.clone();
        let submission = Submission::new(stream, meta(tenant), change)
            .with_key(command_key(&m.command_id, m)?)
            .with_answer(move |shelf: &Shelf, _| shelf.newest_version(&named).to_be_bytes().to_vec());
        let written = self.change(submission).await?;
        let policy_version = written.appended.answer.try_into().map(u32::from_be_bytes).map_err(|_| Refusal::internal("no version"))?;
        Ok(published(&policy, policy_version, due_on))
    }

    /// Appends a change and takes it into the book, whether or not the caller still waits.
    pub(super) async fn change(&self, submission: Submission<Policies>) -> Result<Written<Shelf>, Refusal> {
        let submission = if self.log.db().is_some() {
            let row = streams_row(&submission.stream);
            submission.with_side(row)
        } else {
            submission
        };
        let (policies, books) = (self.policies.clone(), std::sync::Arc::clone(self.books()));
        let task = tokio::spawn(async move {
            let written = policies.submit(submission).await.map_err(|error| refusal(error, |never| match never {}))?;
            books.refresh().await.map_err(unreadable)?;
            Ok(written)
        });
        task.await.map_err(|_| Refusal::internal("the change was cut off"))?
    }

    pub(super) async fn policy(&self, tenant: &str, m: &proto::GetPolicyRequest) -> Result<proto::GetPolicyResponse, Refusal> {
        let policy_id = request::id("policy_id", &m.policy_id, PolicyId::new)?;
        let (number, text) = self.version(tenant, &policy_id, m.policy_version).await?;
        Ok(proto::GetPolicyResponse { policy_id: policy_id.to_string(), policy_version: number, toml: text })
    }

    /// Number and text of a version; looks into the log where the book lacks it.
    pub(super) async fn version(&self, tenant: &str, policy_id: &PolicyId, number: u32) -> Result<(u32, String), Refusal> {
        let known = || self.books().of(tenant).version(policy_id, number).map(|version| (version.number, version.text.to_string()));
        if let Some(found) = known() {
            return Ok(found);
        }
        self.books().refresh().await.map_err(unreadable)?;
        let field = if self.books().of(tenant).version(policy_id, 0).is_some() { "policy_version" } else { "policy_id" };
        known().ok_or_else(|| Refusal::not_found(field, "unknown_policy", format!("no version {number} of {policy_id} was published")))
    }

    pub(super) async fn assign(&self, tenant: &str, m: &proto::AssignPolicyRequest) -> Result<(), Refusal> {
        let assignment = wire::assignment(m)?;
        self.version(tenant, &assignment.policy_id, assignment.version).await?;
        let submission =
            Submission::new(assignments_stream(tenant), meta(tenant), Change::Assign(assignment)).with_key(command_key(&m.command_id, m)?);
        self.change(submission).await.map(|_| ())
    }
}

fn published(policy: &Policy, policy_version: u32, due_on: NaiveDate) -> proto::PublishPolicyResponse {
    proto::PublishPolicyResponse { policy_id: policy.id().to_string(), policy_version, preview: wire::preview_lines(policy, due_on) }
}

/// INVALID_ARGUMENT `policy_faults`: every fault in the details and, for a person, in the message; the field is the first one's.
pub(super) fn policy_faults(faults: &[Fault]) -> Status {
    let text: Vec<String> = faults.iter().map(|fault| format!("{}: {} ({})", fault.path, fault.message, fault.slug)).collect();
    let first = faults.first().map_or("toml", |fault| fault.path.as_str());
    let status: Status = Refusal::invalid(first, "policy_faults", text.join("; ")).into();
    let details = proto::PolicyFaults { faults: wire::faults(faults) }.encode_to_vec();
    Status::with_details_and_metadata(Code::InvalidArgument, text.join("; "), details.into(), status.metadata().clone())
}
