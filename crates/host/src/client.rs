//! Calls to other services of the installation.

use crate::{access::TENANT_KEY, config::Access};
use anyhow::Context;
use tonic::{
    Request, Status,
    metadata::{Ascii, MetadataValue},
    service::Interceptor,
    transport::{Certificate, Channel, ClientTlsConfig, Endpoint},
};

/// A lazily connected channel: the other side may come later.
pub fn channel(url: &str, access: &Access) -> anyhow::Result<Channel> {
    let mut endpoint = Endpoint::from_shared(url.to_owned()).with_context(|| format!("{url} is no URL"))?.tcp_nodelay(true);
    if !access.authority.is_empty() {
        let pem = std::fs::read(&access.authority).with_context(|| format!("cannot read {}", access.authority))?;
        endpoint = endpoint.tls_config(ClientTlsConfig::new().ca_certificate(Certificate::from_pem(pem)))?;
    }
    Ok(endpoint.connect_lazy())
}

/// Puts token and trace on every call.
#[derive(Clone)]
pub struct Credentials {
    bearer: Option<MetadataValue<Ascii>>,
}

impl Credentials {
    /// With the installation's service token, if there is one.
    pub fn new(access: &Access) -> anyhow::Result<Self> {
        Self::with_token(&access.service_token)
    }

    /// With a token; empty = none.
    pub fn with_token(token: &str) -> anyhow::Result<Self> {
        let bearer = if token.is_empty() { None } else { Some(format!("Bearer {token}").parse()?) };
        Ok(Self { bearer })
    }
}

impl Interceptor for Credentials {
    fn call(&mut self, mut request: Request<()>) -> Result<Request<()>, Status> {
        if let Some(bearer) = &self.bearer {
            request.metadata_mut().insert("authorization", bearer.clone());
        }
        if let Some(traceparent) = crate::trace::traceparent().and_then(|text| text.parse().ok()) {
            request.metadata_mut().insert("traceparent", traceparent);
        }
        Ok(request)
    }
}

/// A request on behalf of a tenant.
pub fn for_tenant<T>(message: T, tenant: &str) -> Request<T> {
    let mut request = Request::new(message);
    if let Ok(value) = tenant.parse() {
        request.metadata_mut().insert(TENANT_KEY, value);
    }
    request
}
