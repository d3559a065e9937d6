//! The owner of the balance, asked before an action.

use crate::inbound::reason_of_gate;
use contracts::invoice::v1::{AuthorizeReminderRequest, AuthorizeReminderResponse, invoice_service_client::InvoiceServiceClient};
use futures::future::BoxFuture;
use host::{
    client::{self, Credentials},
    config::Access,
};
use ladder::{Reason, ladder::ActionOutcome};
use std::sync::Arc;
use tonic::{Code, Status, service::interceptor::InterceptedService};

/// Asks the owner on behalf of a tenant.
pub type LastLook =
    Arc<dyn Fn(String, AuthorizeReminderRequest) -> BoxFuture<'static, Result<AuthorizeReminderResponse, Status>> + Send + Sync>;

/// Asks the invoice service at `url`.
///
/// # Errors
/// The address is no URL, or the authority's file cannot be read.
pub fn over_grpc(url: &str, access: &Access) -> anyhow::Result<LastLook> {
    let owner = InterceptedService::new(client::channel(url, access)?, Credentials::new(access)?);
    let owner = InvoiceServiceClient::new(owner);
    Ok(Arc::new(move |tenant, request| {
        let mut owner = owner.clone();
        Box::pin(async move {
            let answer = owner.authorize_reminder(client::for_tenant(request, &tenant)).await?;
            Ok(answer.into_inner())
        })
    }))
}

/// What the owner's answer to one item means for the step.
///
/// `paid` and `cancelled` defer: the fact is on its way here and ends the step by its own reason; where it has come already, the deferral
/// itself ends it so. An automatic debit to come and a stale payment feed defer as well. What credit covers, or what is too little, is
/// suppressed.
///
/// # Errors
/// The status, where the same question may be answered later.
pub fn outcome_of(answer: Result<AuthorizeReminderResponse, Status>) -> Result<ActionOutcome, Status> {
    let answer = match answer {
        Ok(answer) => answer,
        Err(status) => return of_status(status),
    };
    let Some(verdict) = answer.verdicts.first() else { return Ok(ActionOutcome::Deferred(Reason::NotAuthorised)) };
    if verdict.authorized {
        return Ok(ActionOutcome::Executed);
    }
    Ok(match verdict.reason.as_str() {
        "paid" => ActionOutcome::Deferred(Reason::Paid),
        "cancelled" => ActionOutcome::Deferred(Reason::Cancelled),
        "automatic_debit" => ActionOutcome::Deferred(Reason::AutomaticDebit),
        "stale_feed" => ActionOutcome::Deferred(Reason::StaleFeed),
        "disputed" => ActionOutcome::Deferred(Reason::Disputed),
        "charges_unknown" => ActionOutcome::Deferred(Reason::NotAuthorised),
        "unknown" => ActionOutcome::Undeliverable(Reason::NotAuthorised),
        other => ActionOutcome::Suppressed(reason_of_gate(other)),
    })
}

fn of_status(status: Status) -> Result<ActionOutcome, Status> {
    match status.code() {
        Code::Unavailable | Code::DeadlineExceeded | Code::Cancelled | Code::ResourceExhausted | Code::Aborted => Err(status),
        Code::NotFound => Ok(ActionOutcome::Undeliverable(Reason::NotAuthorised)),
        code => {
            // A fault of the installation, and no reason to hold up the others: the step is offered again on another day.
            tracing::error!(?code, message = status.message(), "the owner refused to look");
            Ok(ActionOutcome::Deferred(Reason::NotAuthorised))
        }
    }
}
