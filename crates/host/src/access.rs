//! Who may call: tokens, tenants, and the rule that no open listener starts without both TLS and a token.

use crate::{config::Access, refusal::Refusal};
use anyhow::Context;
use axum::http::{HeaderMap, header::AUTHORIZATION};
use kernel::TenantId;
use std::{net::SocketAddr, sync::Arc};
use subtle::ConstantTimeEq;
use tonic::{Code, Request, Status, metadata::MetadataMap, service::Interceptor};

/// Tenant of an installation without login.
pub const DEFAULT_TENANT: &str = "default";
/// Metadata key by which a caller that may act for any tenant names one.
pub const TENANT_KEY: &str = "regua-tenant";
/// Tenant of a token that may act for any.
pub const ANY_TENANT: &str = "*";

/// Who calls: in the request's extensions once the gatekeeper let it in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Caller {
    /// The tenant that the call acts for.
    pub tenant: String,
}

/// Lets calls in: an interceptor of every service.
#[derive(Clone)]
pub struct Gatekeeper {
    tokens: Arc<Vec<(String, String)>>,
}

impl Gatekeeper {
    /// From the `[access]` section. Without tokens every call is let in, which only loopback listeners may do.
    /// Errors: a token that is empty, or one whose tenant is none; a token that is passed over would open the door to all.
    pub fn new(access: &Access) -> anyhow::Result<Self> {
        let mut tokens = Vec::with_capacity(access.tokens.len() + 1);
        for (token, tenant) in &access.tokens {
            anyhow::ensure!(!token.trim().is_empty(), "access.tokens: a token is empty");
            let tenant = tenant.as_str().context("access.tokens: a tenant is no text")?;
            anyhow::ensure!(tenant == ANY_TENANT || is_tenant(tenant), "access.tokens: {tenant:?} is no tenant");
            tokens.push((token.clone(), tenant.to_owned()));
        }
        if !access.service_token.is_empty() {
            tokens.push((access.service_token.clone(), ANY_TENANT.to_owned()));
        }
        Ok(Self { tokens: Arc::new(tokens) })
    }

    /// The caller of a request. Errors: UNAUTHENTICATED `token_missing` or `token_unknown`; INVALID_ARGUMENT
    /// `tenant_malformed`; PERMISSION_DENIED `tenant_forbidden`.
    pub fn caller(&self, metadata: &MetadataMap) -> Result<Caller, Status> {
        let named = metadata.get(TENANT_KEY).and_then(|value| value.to_str().ok());
        if metadata.contains_key(TENANT_KEY) && !named.is_some_and(is_tenant) {
            return Err(Refusal::invalid(TENANT_KEY, "tenant_malformed", "is no tenant: 1 to 64 letters, digits and . _ : + @ -").into());
        }
        if self.tokens.is_empty() {
            return Ok(Caller { tenant: named.unwrap_or(DEFAULT_TENANT).to_owned() });
        }
        let refused = |reason: &str, text: &str| Status::from(Refusal::new(Code::Unauthenticated, reason, "authorization", text));
        let bearer = metadata.get("authorization").and_then(|value| value.to_str().ok()).and_then(|value| value.strip_prefix("Bearer "));
        let token = bearer.ok_or_else(|| refused("token_missing", "a bearer token is needed"))?;
        let known = self.tokens.iter().find(|(held, _)| bool::from(held.as_bytes().ct_eq(token.as_bytes())));
        let (_, tenant) = known.ok_or_else(|| refused("token_unknown", "the token is not known"))?;
        match (tenant.as_str(), named) {
            (ANY_TENANT, named) => Ok(Caller { tenant: named.unwrap_or(DEFAULT_TENANT).to_owned() }),
            (own, Some(other)) if own != other => {
                Err(Refusal::new(Code::PermissionDenied, "tenant_forbidden", TENANT_KEY, "the token is another tenant's").into())
            }
            (own, _) => Ok(Caller { tenant: own.to_owned() }),
        }
    }
}

/// Whether a text names a tenant: an id without `/`, which parts the tenant from the payer in names of streams and keys.
fn is_tenant(text: &str) -> bool {
    TenantId::new(text).is_ok() && !text.contains('/')
}

impl Interceptor for Gatekeeper {
    fn call(&mut self, mut request: Request<()>) -> Result<Request<()>, Status> {
        let caller = self.caller(request.metadata())?;
        request.extensions_mut().insert(caller);
        Ok(request)
    }
}

/// The tenant of a request that passed the gatekeeper.
pub fn tenant_of<T>(request: &Request<T>) -> Result<String, Status> {
    request.extensions().get::<Caller>().map(|caller| caller.tenant.clone()).ok_or_else(|| Refusal::internal("no caller").into())
}

/// Refuses an address that others can reach unless TLS and a token are set.
pub fn check_listener(address: SocketAddr, access: &Access) -> anyhow::Result<()> {
    let guarded = !access.certificate.is_empty() && !access.private_key.is_empty() && !access.tokens.is_empty();
    anyhow::ensure!(
        address.ip().is_loopback() || guarded,
        "{address} is not loopback: set access.certificate, access.private_key and at least one of access.tokens"
    );
    Ok(())
}

/// Whether a request may read the metrics: who shows `access.metrics_token`, or, where none is set, who asks a loopback listener.
pub fn may_read_metrics(access: &Access, headers: &HeaderMap, on_loopback: bool) -> bool {
    if access.metrics_token.is_empty() {
        return on_loopback;
    }
    let shown = headers.get(AUTHORIZATION).and_then(|value| value.to_str().ok()).and_then(|value| value.strip_prefix("Bearer "));
    shown.is_some_and(|token| token.as_bytes().ct_eq(access.metrics_token.as_bytes()).into())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Reflection;

    #[test]
    fn metrics_are_for_this_machine_or_for_who_shows_the_token() {
        let with = |token: &str| Access { metrics_token: token.to_owned(), ..Access::default() };
        let shown = |text: &'static str| HeaderMap::from_iter([(AUTHORIZATION, text.parse().unwrap())]);
        let cases = [
            ("", HeaderMap::new(), true, true),
            ("", HeaderMap::new(), false, false),
            ("", shown("Bearer "), false, false),
            ("scrape", HeaderMap::new(), true, false),
            ("scrape", shown("Bearer scrape"), false, true),
            ("scrape", shown("Bearer scrap"), false, false),
            ("scrape", shown("scrape"), true, false),
        ];
        for (token, headers, on_loopback, may) in cases {
            assert_eq!(may_read_metrics(&with(token), &headers, on_loopback), may, "{token:?} {headers:?} {on_loopback}");
        }
    }

    fn metadata(pairs: &[(&'static str, &str)]) -> MetadataMap {
        let mut map = MetadataMap::new();
        for (key, value) in pairs {
            map.insert(*key, value.parse().unwrap());
        }
        map
    }

    fn gatekeeper() -> Gatekeeper {
        let tokens = "acme-token = \"acme\"\nroot-token = \"*\"".parse().unwrap();
        Gatekeeper::new(&Access { tokens, ..Access::default() }).unwrap()
    }

    #[test]
    fn a_token_opens_its_own_tenant_only() {
        type Pairs = &'static [(&'static str, &'static str)];
        let cases: [(Pairs, Result<&str, Code>); 8] = [
            (&[], Err(Code::Unauthenticated)),
            (&[("authorization", "Bearer nonsense")], Err(Code::Unauthenticated)),
            (&[("authorization", "Bearer acme-token")], Ok("acme")),
            (&[("authorization", "Bearer acme-token"), (TENANT_KEY, "other")], Err(Code::PermissionDenied)),
            (&[("authorization", "Bearer root-token"), (TENANT_KEY, "other")], Ok("other")),
            (&[("authorization", "Bearer root-token"), (TENANT_KEY, "a b")], Err(Code::InvalidArgument)),
            (&[("authorization", "Bearer root-token"), (TENANT_KEY, "acme/eu")], Err(Code::InvalidArgument)),
            (&[("authorization", "Bearer ")], Err(Code::Unauthenticated)),
        ];
        for (pairs, expected) in cases {
            let got = gatekeeper().caller(&metadata(pairs)).map(|caller| caller.tenant).map_err(|status| status.code());
            assert_eq!(got, expected.map(str::to_owned), "{pairs:?}");
        }
    }

    #[test]
    fn a_token_that_cannot_be_used_is_a_fault_and_is_not_passed_over() {
        for tokens in ["\"\" = \"acme\"", "t = 5", "t = \"\"", "t = \"a b\"", "t = \"acme/eu\""] {
            let access = Access { tokens: tokens.parse().unwrap(), ..Access::default() };
            assert!(Gatekeeper::new(&access).is_err(), "{tokens}");
        }
    }

    #[test]
    fn reflection_off_loopback_has_to_be_asked_for() {
        let (near, far) = ("127.0.0.1:7401".parse().unwrap(), "0.0.0.0:7401".parse().unwrap());
        for (reflection, expected) in
            [(Reflection::Never, (false, false)), (Reflection::Loopback, (true, false)), (Reflection::Always, (true, true))]
        {
            let access = Access { reflection, ..Access::default() };
            assert_eq!((access.reflects(near), access.reflects(far)), expected, "{reflection:?}");
        }
    }

    #[test]
    fn an_open_listener_without_tls_and_token_is_refused() {
        let open = "0.0.0.0:7401".parse().unwrap();
        assert!(check_listener(open, &Access::default()).is_err());
        assert!(check_listener("127.0.0.1:7401".parse().unwrap(), &Access::default()).is_ok());
        let tokens: toml::Table = "t = \"acme\"".parse().unwrap();
        assert!(check_listener(open, &Access { tokens: tokens.clone(), ..Access::default() }).is_err());
        let access = Access { tokens, certificate: "c.pem".into(), private_key: "k.pem".into(), ..Access::default() };
        assert!(check_listener(open, &access).is_ok());
    }
}
