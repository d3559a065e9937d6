//! Request → command → response.

mod arrangements;
mod catch_ups;
mod holidays;
mod listings;
mod migrations;
mod policies;
mod rehearsals;
mod tasks;
mod tracks;

use crate::{
    Ladders,
    aggregate::Refused,
    catch_up::CatchUps,
    holidays::Holidays,
    policies::{Policies, PolicyBooks},
};
use chrono::NaiveDate;
use contracts::dunning::v1::{self as proto, dunning_service_server::DunningService};
use eventlog::projection::Views;
use eventlog::{Clock, CommandKey, Log, WriteError, Writer};
use host::{Refusal, access::tenant_of, fields::Fields, request};
use kernel::Zone;
use ladder::Rejection;
use prost::Message;
use sha2::{Digest, Sha256};
use std::sync::{Arc, LazyLock};
use tonic::{Request, Response, Status};

/// The service; clones share everything.
#[derive(Clone)]
pub struct Server {
    pub(crate) writer: Writer<Ladders>,
    pub(crate) ladders: Arc<Ladders>,
    pub(crate) policies: Writer<Policies>,
    pub(crate) catch_ups: Writer<CatchUps>,
    pub(crate) holidays: Writer<Holidays>,
    pub(crate) log: Log,
    pub(crate) views: Views,
    pub(crate) clock: Arc<dyn Clock>,
    /// Zone of the tenant's civil dates, for payers whose own is unknown too.
    pub(crate) zone: Zone,
}

type Answer<T> = Result<Response<T>, Status>;

impl Server {
    fn books(&self) -> &Arc<PolicyBooks> {
        self.ladders.books()
    }

    /// The tenant's civil day.
    fn today(&self) -> NaiveDate {
        self.zone.day_of(self.clock.now())
    }
}

pub(crate) fn unreadable(error: impl std::fmt::Display) -> Refusal {
    tracing::warn!(%error, "a read failed");
    Refusal::unavailable("the database did not answer")
}

/// The key of a command; its body is the request with its type's name: one key for two kinds of command is a mistake of the caller.
fn command_key<M: Message>(command_id: &str, body: &M) -> Result<CommandKey, Refusal> {
    let id = request::command_id(command_id)?;
    let mut hash = Sha256::new();
    hash.update(name_of::<M>());
    hash.update(body.encode_to_vec());
    Ok(CommandKey { id: id.to_string(), body_hash: hash.finalize().into() })
}

/// What a caller hears of a command that did not go through.
fn refusal<R>(error: WriteError<R>, rejected: impl FnOnce(R) -> Refusal) -> Refusal {
    match error {
        WriteError::Rejected(rejection) => rejected(rejection),
        WriteError::CommandReused => Refusal::invalid("command_id", "command_reused", "the key was used for another command"),
        WriteError::DiskFull => Refusal::exhausted("disk_full", "the disk is full; nothing was stored"),
        WriteError::Unavailable(reason) => Refusal::unavailable(reason),
        WriteError::ClaimTaken { kind, .. } => Refusal::internal(format!("a claim of kind {kind} that nobody made")),
        WriteError::SideRefused(reason) | WriteError::Corrupt(reason) => {
            tracing::error!(%reason, "a stream could not be written");
            Refusal::internal("the stream could not be written")
        }
    }
}

static FIELDS: LazyLock<Fields> = LazyLock::new(|| Fields::of(contracts::DESCRIPTORS));

/// What a refusal is about where its request does not have the field at fault.
const SUBJECTS: [&str; 4] = ["invoice_id", "invoice_ids", "task_id", "to.policy_version"];

/// The name of a message, as its type has it.
fn name_of<M>() -> &'static str {
    std::any::type_name::<M>().rsplit("::").next().unwrap_or_default()
}

/// The field of a request that a fault is told of: the one at fault, or what the request has in its place.
fn field_in<'a>(request: &str, natural: &'a str) -> &'a str {
    FIELDS.first(&format!("regua.dunning.v1.{request}"), std::iter::once(natural).chain(SUBJECTS))
}

/// The refusal of what a request asked, by a field that it has.
fn rejected(refused: Refused, request: &str) -> Refusal {
    let refusal = refusal_of(refused);
    Refusal { field: field_in(request, &refusal.field).to_owned(), ..refusal }
}

fn refusal_of(refused: Refused) -> Refusal {
    let (slug, text) = (refused.slug(), refused.to_string());
    match refused {
        Refused::NotAwaitingApproval(_) => Refusal::precondition("step_id", slug, text),
        Refused::Ladder(Rejection::UnknownInvoice(_)) => Refusal::not_found("invoice_id", slug, text),
        Refused::Ladder(Rejection::UnknownOccurrence { .. } | Rejection::WrongKind(_)) => Refusal::not_found("step_id", slug, text),
        Refused::Ladder(Rejection::UnknownPolicy { .. }) => Refusal::not_found("to.policy_version", slug, text),
        Refused::Ladder(Rejection::AmountNotPositive | Rejection::AmountTooLarge) => Refusal::invalid("amount_minor", slug, text),
        Refused::Ladder(Rejection::DateOutOfRange(field) | Rejection::DateInPast(field)) => Refusal::invalid(field, slug, text),
        Refused::Ladder(Rejection::HoldWithoutEnd) => Refusal::invalid("until", slug, text),
        Refused::Ladder(Rejection::CurrencyMismatch) => Refusal::invalid("currency", slug, text),
        Refused::Ladder(Rejection::PromiseTooFar(_)) => Refusal::invalid("promised_on", slug, text),
        Refused::Ladder(Rejection::ItemsNotDistinct) => Refusal::invalid("invoice_ids", slug, text),
        Refused::Ladder(Rejection::ArrangementExists(_)) => Refusal::precondition("arrangement_id", slug, text),
        Refused::Ladder(Rejection::TaskNotOpen(_) | Rejection::ApprovalPending) => Refusal::precondition("task_id", slug, text),
        Refused::Ladder(
            Rejection::TooMany { .. } | Rejection::AlreadyArranged(_) | Rejection::NotArranged(_) | Rejection::TrackOver { .. },
        ) => Refusal::precondition("invoice_id", slug, text),
    }
}

#[tonic::async_trait]
impl DunningService for Server {
    async fn preview_policy(&self, request: Request<proto::PreviewPolicyRequest>) -> Answer<proto::PreviewPolicyResponse> {
        tenant_of(&request)?;
        Ok(Response::new(self.preview(request.get_ref())?))
    }

    async fn publish_policy(&self, request: Request<proto::PublishPolicyRequest>) -> Answer<proto::PublishPolicyResponse> {
        let tenant = tenant_of(&request)?;
        Ok(Response::new(self.publish(&tenant, request.get_ref()).await?))
    }

    async fn list_policies(&self, request: Request<proto::ListPoliciesRequest>) -> Answer<proto::ListPoliciesResponse> {
        let book = self.books().of(&tenant_of(&request)?);
        let line = |(id, version): (&kernel::PolicyId, &crate::policies::Version)| proto::PolicyLine {
            policy_id: id.to_string(),
            policy_version: version.number,
        };
        Ok(Response::new(proto::ListPoliciesResponse { policies: book.versions().map(line).collect() }))
    }

    async fn get_policy(&self, request: Request<proto::GetPolicyRequest>) -> Answer<proto::GetPolicyResponse> {
        let tenant = tenant_of(&request)?;
        Ok(Response::new(self.policy(&tenant, request.get_ref()).await?))
    }

    async fn assign_policy(&self, request: Request<proto::AssignPolicyRequest>) -> Answer<proto::AssignPolicyResponse> {
        let tenant = tenant_of(&request)?;
        self.assign(&tenant, request.get_ref()).await?;
        Ok(Response::new(proto::AssignPolicyResponse {}))
    }

    async fn list_assignments(&self, request: Request<proto::ListAssignmentsRequest>) -> Answer<proto::ListAssignmentsResponse> {
        let book = self.books().of(&tenant_of(&request)?);
        let assignments = book.assignments().map(crate::wire::assigned).collect();
        Ok(Response::new(proto::ListAssignmentsResponse { assignments }))
    }

    async fn rehearse_migration(&self, request: Request<proto::RehearseMigrationRequest>) -> Answer<proto::RehearseMigrationResponse> {
        let tenant = tenant_of(&request)?;
        Ok(Response::new(self.rehearse(&tenant, request.get_ref()).await?))
    }

    async fn migrate_tracks(&self, request: Request<proto::MigrateTracksRequest>) -> Answer<proto::MigrateTracksResponse> {
        let tenant = tenant_of(&request)?;
        let report = Some(self.migrate(&tenant, request.get_ref()).await?);
        Ok(Response::new(proto::MigrateTracksResponse { report }))
    }

    async fn list_tracks(&self, request: Request<proto::ListTracksRequest>) -> Answer<proto::ListTracksResponse> {
        let tenant = tenant_of(&request)?;
        Ok(Response::new(self.tracks(&tenant, request.get_ref()).await?))
    }

    async fn get_track(&self, request: Request<proto::GetTrackRequest>) -> Answer<proto::GetTrackResponse> {
        let tenant = tenant_of(&request)?;
        Ok(Response::new(self.track(&tenant, &request.get_ref().invoice_id).await?))
    }

    async fn explain_day(&self, request: Request<proto::ExplainDayRequest>) -> Answer<proto::ExplainDayResponse> {
        let tenant = tenant_of(&request)?;
        Ok(Response::new(self.explain(&tenant, request.get_ref()).await?))
    }

    async fn approve_step(&self, request: Request<proto::ApproveStepRequest>) -> Answer<proto::ApproveStepResponse> {
        let tenant = tenant_of(&request)?;
        self.answer(&tenant, &request.get_ref().command_id, request.get_ref()).await?;
        Ok(Response::new(proto::ApproveStepResponse {}))
    }

    async fn refuse_step(&self, request: Request<proto::RefuseStepRequest>) -> Answer<proto::RefuseStepResponse> {
        let tenant = tenant_of(&request)?;
        self.answer(&tenant, &request.get_ref().command_id, request.get_ref()).await?;
        Ok(Response::new(proto::RefuseStepResponse {}))
    }

    async fn complete_task(&self, request: Request<proto::CompleteTaskRequest>) -> Answer<proto::CompleteTaskResponse> {
        let tenant = tenant_of(&request)?;
        self.attend(&tenant, &request.get_ref().command_id, request.get_ref()).await?;
        Ok(Response::new(proto::CompleteTaskResponse {}))
    }

    async fn snooze_task(&self, request: Request<proto::SnoozeTaskRequest>) -> Answer<proto::SnoozeTaskResponse> {
        let tenant = tenant_of(&request)?;
        self.attend(&tenant, &request.get_ref().command_id, request.get_ref()).await?;
        Ok(Response::new(proto::SnoozeTaskResponse {}))
    }

    async fn rehearse_policy(&self, request: Request<proto::RehearsePolicyRequest>) -> Answer<proto::RehearsePolicyResponse> {
        let tenant = tenant_of(&request)?;
        Ok(Response::new(self.rehearse_policy_of(&tenant, request.get_ref()).await?))
    }

    async fn list_tasks(&self, request: Request<proto::ListTasksRequest>) -> Answer<proto::ListTasksResponse> {
        let tenant = tenant_of(&request)?;
        Ok(Response::new(self.tasks(&tenant, request.get_ref()).await?))
    }

    async fn place_hold(&self, request: Request<proto::PlaceHoldRequest>) -> Answer<proto::PlaceHoldResponse> {
        let tenant = tenant_of(&request)?;
        self.decide(&tenant, &request.get_ref().command_id, request.get_ref()).await?;
        Ok(Response::new(proto::PlaceHoldResponse {}))
    }

    async fn lift_hold(&self, request: Request<proto::LiftHoldRequest>) -> Answer<proto::LiftHoldResponse> {
        let tenant = tenant_of(&request)?;
        self.decide(&tenant, &request.get_ref().command_id, request.get_ref()).await?;
        Ok(Response::new(proto::LiftHoldResponse {}))
    }

    async fn open_dispute(&self, request: Request<proto::OpenDisputeRequest>) -> Answer<proto::OpenDisputeResponse> {
        let tenant = tenant_of(&request)?;
        self.decide(&tenant, &request.get_ref().command_id, request.get_ref()).await?;
        Ok(Response::new(proto::OpenDisputeResponse {}))
    }

    async fn resolve_dispute(&self, request: Request<proto::ResolveDisputeRequest>) -> Answer<proto::ResolveDisputeResponse> {
        let tenant = tenant_of(&request)?;
        self.decide(&tenant, &request.get_ref().command_id, request.get_ref()).await?;
        Ok(Response::new(proto::ResolveDisputeResponse {}))
    }

    async fn withdraw_promise(&self, request: Request<proto::WithdrawPromiseRequest>) -> Answer<proto::WithdrawPromiseResponse> {
        let tenant = tenant_of(&request)?;
        self.decide(&tenant, &request.get_ref().command_id, request.get_ref()).await?;
        Ok(Response::new(proto::WithdrawPromiseResponse {}))
    }

    async fn withdraw_announcement(
        &self,
        request: Request<proto::WithdrawAnnouncementRequest>,
    ) -> Answer<proto::WithdrawAnnouncementResponse> {
        let tenant = tenant_of(&request)?;
        self.decide(&tenant, &request.get_ref().command_id, request.get_ref()).await?;
        Ok(Response::new(proto::WithdrawAnnouncementResponse {}))
    }

    async fn write_off_debt(&self, request: Request<proto::WriteOffDebtRequest>) -> Answer<proto::WriteOffDebtResponse> {
        let tenant = tenant_of(&request)?;
        self.decide(&tenant, &request.get_ref().command_id, request.get_ref()).await?;
        Ok(Response::new(proto::WriteOffDebtResponse {}))
    }

    async fn hand_off_debt(&self, request: Request<proto::HandOffDebtRequest>) -> Answer<proto::HandOffDebtResponse> {
        let tenant = tenant_of(&request)?;
        self.decide(&tenant, &request.get_ref().command_id, request.get_ref()).await?;
        Ok(Response::new(proto::HandOffDebtResponse {}))
    }

    async fn make_promise(&self, request: Request<proto::MakePromiseRequest>) -> Answer<proto::MakePromiseResponse> {
        let tenant = tenant_of(&request)?;
        let until = self.decide(&tenant, &request.get_ref().command_id, request.get_ref()).await?;
        Ok(Response::new(proto::MakePromiseResponse { until }))
    }

    async fn announce_payment(&self, request: Request<proto::AnnouncePaymentRequest>) -> Answer<proto::AnnouncePaymentResponse> {
        let tenant = tenant_of(&request)?;
        let until = self.decide(&tenant, &request.get_ref().command_id, request.get_ref()).await?;
        Ok(Response::new(proto::AnnouncePaymentResponse { until }))
    }

    async fn list_arrangements(&self, request: Request<proto::ListArrangementsRequest>) -> Answer<proto::ListArrangementsResponse> {
        let tenant = tenant_of(&request)?;
        Ok(Response::new(self.arrangements(&tenant, request.get_ref()).await?))
    }

    async fn get_payer(&self, request: Request<proto::GetPayerRequest>) -> Answer<proto::GetPayerResponse> {
        let tenant = tenant_of(&request)?;
        Ok(Response::new(self.known_payer(&tenant, request.get_ref()).await?))
    }

    async fn list_catch_ups(&self, request: Request<proto::ListCatchUpsRequest>) -> Answer<proto::ListCatchUpsResponse> {
        let tenant = tenant_of(&request)?;
        Ok(Response::new(self.catch_ups(&tenant, request.get_ref()).await?))
    }

    async fn list_listings(&self, request: Request<proto::ListListingsRequest>) -> Answer<proto::ListListingsResponse> {
        let tenant = tenant_of(&request)?;
        Ok(Response::new(self.entries(&tenant, request.get_ref()).await?))
    }

    async fn record_local_holidays(
        &self,
        request: Request<proto::RecordLocalHolidaysRequest>,
    ) -> Answer<proto::RecordLocalHolidaysResponse> {
        let tenant = tenant_of(&request)?;
        Ok(Response::new(self.record_holidays(&tenant, request.get_ref()).await?))
    }

    async fn withdraw_local_holidays(
        &self,
        request: Request<proto::WithdrawLocalHolidaysRequest>,
    ) -> Answer<proto::WithdrawLocalHolidaysResponse> {
        let tenant = tenant_of(&request)?;
        Ok(Response::new(self.withdraw_holidays(&tenant, request.get_ref()).await?))
    }

    async fn list_local_holidays(&self, request: Request<proto::ListLocalHolidaysRequest>) -> Answer<proto::ListLocalHolidaysResponse> {
        let tenant = tenant_of(&request)?;
        Ok(Response::new(self.local_holidays(&tenant, request.get_ref()).await?))
    }

    async fn approve_catch_up(&self, request: Request<proto::ApproveCatchUpRequest>) -> Answer<proto::ApproveCatchUpResponse> {
        let (tenant, m) = (tenant_of(&request)?, request.get_ref());
        self.decide_catch_up((&tenant, &m.command_id, m), m.number, (true, &m.by, &m.reason)).await?;
        Ok(Response::new(proto::ApproveCatchUpResponse {}))
    }

    async fn refuse_catch_up(&self, request: Request<proto::RefuseCatchUpRequest>) -> Answer<proto::RefuseCatchUpResponse> {
        let (tenant, m) = (tenant_of(&request)?, request.get_ref());
        self.decide_catch_up((&tenant, &m.command_id, m), m.number, (false, &m.by, &m.reason)).await?;
        Ok(Response::new(proto::RefuseCatchUpResponse {}))
    }
}
