//! Calls to running services: the invoice service, and the dunning engine.

use super::Shared;
use crate::settings::Settings;
use anyhow::anyhow;
use clap::Args;
use contracts::{dunning::v1::dunning_service_client::DunningServiceClient, invoice::v1::invoice_service_client::InvoiceServiceClient};
use eventlog::Ids;
use host::{client::Credentials, config::Listen, ids::TimeOrdered, refusal::reason_of};
use tonic::{Status, service::interceptor::InterceptedService, transport::Channel};

/// A client of the running invoice service.
pub type Client = InvoiceServiceClient<Reached>;

/// A client of the running dunning engine.
pub type Dunning = DunningServiceClient<Reached>;

/// A service as it is reached.
type Reached = InterceptedService<Channel, Credentials>;

/// How the service is asked.
#[derive(Args)]
pub struct Access {
    /// Bearer token, where the service asks for one
    #[arg(long, global = true, env = "REGUA_TOKEN", default_value = "", hide_env_values = true)]
    token: String,
}

/// A client of the running service. Errors: a configuration with faults, a token that is none.
pub fn connect(access: &Access, shared: &Shared) -> anyhow::Result<Client> {
    reached(access, shared, |settings| &settings.invoice).map(InvoiceServiceClient::new)
}

/// A client of the running dunning engine. Errors: as for [`connect`].
pub fn dunning(access: &Access, shared: &Shared) -> anyhow::Result<Dunning> {
    reached(access, shared, |settings| &settings.dunning_engine).map(DunningServiceClient::new)
}

fn reached(access: &Access, shared: &Shared, of: impl Fn(&Settings) -> &Listen) -> anyhow::Result<Reached> {
    let settings = shared.settings(None)?;
    let scheme = if settings.access.certificate.is_empty() { "http" } else { "https" };
    let listen = of(&settings);
    let url = if listen.url.is_empty() { format!("{scheme}://{}", listen.grpc) } else { listen.url.clone() };
    let channel = host::client::channel(&url, &settings.access)?;
    let token = access.token.as_str();
    let credentials = if token.is_empty() { Credentials::new(&settings.access)? } else { Credentials::with_token(token)? };
    Ok(InterceptedService::new(channel, credentials))
}

/// A key that was never used.
pub fn command_id() -> String {
    TimeOrdered.event_id().to_string()
}

/// Rows that a call gives at a time at most.
const PAGE: usize = 1000;

/// The first rows of a list, at most so many, page by page: `page` is given the size and the token of a page, and gives its rows and the token
/// of the next one, empty after the last.
///
/// # Errors
/// The first of a page.
pub async fn paged<T>(limit: usize, mut page: impl AsyncFnMut(i32, String) -> anyhow::Result<(Vec<T>, String)>) -> anyhow::Result<Vec<T>> {
    let (mut rows, mut token) = (Vec::new(), String::new());
    while rows.len() < limit {
        let size = i32::try_from((limit - rows.len()).min(PAGE))?;
        let (found, next) = page(size, token).await?;
        rows.extend(found);
        if next.is_empty() {
            break;
        }
        token = next;
    }
    Ok(rows)
}

/// What a person is told of a refusal: its slug and its sentence.
pub fn told(status: &Status) -> anyhow::Error {
    match reason_of(status) {
        "" => anyhow!("{}", status.message()),
        slug => anyhow!("{slug}: {}", status.message()),
    }
}
