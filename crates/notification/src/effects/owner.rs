//! The last look: asked of the owner of balances and addresses, right before a contact is handed over.

use super::{Effects, Payer, Stalled, hand_over::spoken_of};
use crate::wire::{self, Look};
use anyhow::Context;
use backon::{ExponentialBuilder, Retryable};
use contracts::invoice::v1 as proto;
use contracts::invoice::v1::invoice_service_client::InvoiceServiceClient;
use host::{
    client::{self, Credentials, for_tenant},
    config::Access,
};
use kernel::ContactId;
use notice::{Contact, Item};
use std::time::Duration;
use tonic::{Code, Status, service::interceptor::InterceptedService, transport::Channel};

/// How long one question may take.
const TIMEOUT: Duration = Duration::from_secs(10);
/// Questions in a row, the first included; after that the payer's timer asks again.
const TRIES: usize = 3;

/// A client of the owner.
pub type OwnerClient = InvoiceServiceClient<InterceptedService<Channel, Credentials>>;

/// A client of the owner at a URL, with the installation's own credentials. It connects when it is first needed.
/// Errors: the URL or a certificate cannot be read.
pub fn owner(url: &str, access: &Access) -> anyhow::Result<OwnerClient> {
    let channel = client::channel(url, access).context("the owner of invoices cannot be called")?;
    Ok(InvoiceServiceClient::with_interceptor(channel, Credentials::new(access)?))
}

impl Effects {
    /// The owner's word on the items of a contact, the payer's contact data, and whether the payer has a holiday.
    pub(super) async fn look(&self, payer: &Payer, (contact_id, contact): (&ContactId, &Contact)) -> Result<Look, Stalled> {
        let look = self.look_at(payer, contact_id, &spoken_of(contact)).await?;
        let known = self.shared.wiring.holidays.of(payer.tenant.as_str()).await.map_err(|error| Stalled::Log(error.to_string()))?;
        let local_holiday = known.of_written(contact.day, &look.payer.state, &look.payer.municipality).is_some();
        Ok(Look { local_holiday, ..look })
    }

    async fn look_at(&self, payer: &Payer, contact_id: &ContactId, items: &[&Item]) -> Result<Look, Stalled> {
        let asked = wire::look_request(&payer.customer_id, contact_id, items);
        let ask = || self.ask(payer, asked.clone());
        let waits = ExponentialBuilder::default().with_min_delay(Duration::from_millis(100)).with_max_times(TRIES - 1).with_jitter();
        match ask.retry(waits).when(|status| is_transient(status.code())).await {
            Ok(answer) => wire::look(items, answer).ok_or_else(|| self.unanswered("it answers something else")),
            Err(status) if is_final(status.code()) => Ok(wire::unknown_to_owner(items)),
            Err(status) => Err(self.unanswered(&format!("{:?}", status.code()))),
        }
    }

    async fn ask(&self, payer: &Payer, asked: proto::AuthorizeReminderRequest) -> Result<proto::AuthorizeReminderResponse, Status> {
        let mut owner = self.shared.wiring.owner.clone();
        let request = for_tenant(asked, payer.tenant.as_str());
        let answer = tokio::time::timeout(TIMEOUT, owner.authorize_reminder(request)).await;
        answer.map_err(|_| Status::deadline_exceeded("no answer in time"))?.map(tonic::Response::into_inner)
    }

    fn unanswered(&self, reason: &str) -> Stalled {
        self.shared.looks_unanswered.add(1, &[]);
        Stalled::Owner(reason.to_owned())
    }
}

/// Asking again at once may help.
fn is_transient(code: Code) -> bool {
    matches!(code, Code::Unavailable | Code::DeadlineExceeded | Code::Aborted | Code::ResourceExhausted | Code::Cancelled)
}

/// The owner has understood, and knows no such payer.
fn is_final(code: Code) -> bool {
    matches!(code, Code::NotFound | Code::FailedPrecondition)
}
