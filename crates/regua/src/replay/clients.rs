//! The services as their callers see them.

use crate::system::System;
use anyhow::Context;
use contracts::{
    dunning::v1::{self as dunning, dunning_service_client::DunningServiceClient},
    invoice::v1::{CollectionAccount, RegisterCollectionAccountRequest, invoice_service_client::InvoiceServiceClient},
    notification::v1::notification_service_client::NotificationServiceClient,
    reporting::v1::reporting_service_client::ReportingServiceClient,
};
use host::client::Credentials;
use tonic::{service::interceptor::InterceptedService, transport::Channel};

type Conduit = InterceptedService<Channel, Credentials>;

/// One client per service.
pub struct Clients {
    /// Payers, receivables, payments.
    pub invoice: InvoiceServiceClient<Conduit>,
    /// Policies, tracks.
    pub dunning: DunningServiceClient<Conduit>,
    /// Contacts.
    pub notification: NotificationServiceClient<Conduit>,
    /// Figures.
    pub reporting: ReportingServiceClient<Conduit>,
}

impl Clients {
    /// Clients of a running system.
    pub async fn connect(system: &System) -> anyhow::Result<Self> {
        let conduit = |service: &str| {
            let channel = host::client::channel(&system.url(service)?, system.access())?;
            Ok::<_, anyhow::Error>(InterceptedService::new(channel, Credentials::new(system.access())?))
        };
        Ok(Self {
            invoice: InvoiceServiceClient::new(conduit(invoice::NAME)?),
            dunning: DunningServiceClient::new(conduit(dunning_engine::NAME)?),
            notification: NotificationServiceClient::new(conduit(notification::NAME)?),
            reporting: ReportingServiceClient::new(conduit(reporting::NAME)?),
        })
    }

    /// Registers where the tenant's invoices are paid.
    pub async fn register_account(&mut self, account: &CollectionAccount) -> anyhow::Result<()> {
        let request = RegisterCollectionAccountRequest { command_id: "replay.account".into(), account: Some(account.clone()) };
        self.invoice.register_collection_account(request).await.context("the collection account was refused")?;
        Ok(())
    }

    /// Publishes a policy and makes it the tenant's.
    pub async fn publish_policy(&mut self, toml: &str) -> anyhow::Result<()> {
        let publish =
            dunning::PublishPolicyRequest { command_id: "replay.publish".into(), toml: toml.into(), preview_due_on: String::new() };
        let published = self.dunning.publish_policy(publish).await.context("the policy was refused")?.into_inner();
        let assign = dunning::AssignPolicyRequest {
            command_id: "replay.assign".into(),
            scope: "tenant".into(),
            target: String::new(),
            policy_id: published.policy_id,
            policy_version: published.policy_version,
        };
        self.dunning.assign_policy(assign).await.context("the policy could not be assigned")?;
        Ok(())
    }
}
