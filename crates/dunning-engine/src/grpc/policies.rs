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
/// Faults in the details of a refusal, at most.
const MAX_FAULTS: usize = 50;
/// Characters of a fault's path and of its message.
const MAX_TEXT_CHARS: usize = 200;
/// Bytes of all faults in the details; Base64 makes a third more of them.
const MAX_DETAILS_BYTES: usize = 3_500;
/// Characters of the message for a person, each of up to nine bytes when it is sent.
const MAX_MESSAGE_CHARS: usize = 300;

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
                variants: wire::variant_previews(&policy, due_on),
            },
            Err(faults) => proto::PreviewPolicyResponse { faults: wire::faults(&faults), ..Default::default() },
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
    proto::PublishPolicyResponse {
        policy_id: policy.id().to_string(),
        policy_version,
        preview: wire::preview_lines(policy, due_on),
        variants: wire::variant_previews(policy, due_on),
    }
}

/// INVALID_ARGUMENT `policy_faults`: the first faults as [`proto::PolicyFaults`] in the details (a `google.rpc.Status`, as every gRPC
/// library reads it) and, for a person, in the message; the field is the first one's. All of it stays below the 8 KiB that clients take
/// as trailers; PreviewPolicy and `regua policy check` show every fault.
pub(super) fn policy_faults(faults: &[Fault]) -> Status {
    let shown = shown_faults(faults);
    let one = |fault: &proto::PolicyFault| format!("{}: {} ({})", fault.path, fault.message, fault.reason);
    let text: String = shown.iter().map(one).collect::<Vec<_>>().join("; ").chars().take(MAX_MESSAGE_CHARS).collect();
    let text = format!("{} faults: {text}", faults.len());
    let first = shown.first().map_or("toml", |fault| fault.path.as_str());
    let status: Status = Refusal::invalid(first, "policy_faults", "").into();
    let details = prost_types::Any {
        type_url: "type.googleapis.com/regua.dunning.v1.PolicyFaults".to_owned(),
        value: proto::PolicyFaults { faults: shown }.encode_to_vec(),
    };
    let code = Code::InvalidArgument;
    let rpc = tonic_types::Status { code: code.into(), message: "policy_faults".to_owned(), details: vec![details] };
    Status::with_details_and_metadata(code, text, rpc.encode_to_vec().into(), status.metadata().clone())
}

/// As many faults as go into an answer, with their texts cut.
fn shown_faults(faults: &[Fault]) -> Vec<proto::PolicyFault> {
    let cut = |text: String| -> String { text.chars().take(MAX_TEXT_CHARS).collect() };
    let mut left = MAX_DETAILS_BYTES;
    let shown = wire::faults(faults).into_iter().take(MAX_FAULTS);
    let shown = shown
        .map(|fault| proto::PolicyFault { path: cut(fault.path), message: cut(fault.message), reason: fault.reason })
        .take_while(|fault| {
            let size = fault.encoded_len() + 4;
            let fits = size <= left;
            left = left.saturating_sub(size);
            fits
        });
    shown.collect()
}
