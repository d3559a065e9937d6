//! Notifications of Pix received, as the Central Bank's API posts them (pix-api 2.9.0, webhook `pix`).
//!
//! `POST /pix/{token}` with `{"pix": [...]}`, also with the `/pix` that payment service providers add to the address that they are
//! given; or `POST /pix` with `Authorization: Bearer {token}`. The token is the tenant's shared secret; a proxy before the listener ends
//! TLS and asks for the provider's certificate.
//!
//! Calls are repeated, reordered and grouped: everything is told apart by endToEndId and by the id of each return, so nothing changes
//! twice. A call with an item that cannot be understood is answered with 400 after the others are durable: the provider repeats the
//! whole, and the good ones are known by then. What the body says beyond ids, amounts and instants is not kept.

pub mod body;

use crate::{
    grpc::Server,
    receipts::{Going, GoneBack, Taken},
};
use axum::{
    Json, Router,
    body::Bytes,
    extract::{DefaultBodyLimit, Path, State},
    http::{HeaderMap, StatusCode, header},
    response::{IntoResponse, Response},
    routing::post,
};
use body::{Notice, Violation};
use futures::{StreamExt, stream};
use host::{Refusal, config::Faults, metrics::Metrics};
use kernel::{Currency, PaymentId, TenantId};
use opentelemetry::{KeyValue, metrics::Counter};
use receivable::{Source, unapplied::Receipt};
use serde::Deserialize;
use serde_json::json;
use std::{collections::BTreeMap, sync::Arc};
use subtle::ConstantTimeEq;

/// Longest call, in bytes.
const MAX_BODY_BYTES: usize = 1024 * 1024;
/// Payments of one call that are carried out at a time.
const IN_FLIGHT: usize = 64;
/// Shortest token, in characters.
const MIN_TOKEN_CHARS: usize = 16;

/// The `[pix]` section: who may notify.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PixConfig {
    /// `tenant = token`.
    pub tokens: BTreeMap<String, String>,
}

impl PixConfig {
    /// Errors: a key that is no tenant; a token shorter than 16 characters, with a character that does not fit a path, or of two tenants; all of them at once.
    pub fn check(&self) -> Result<(), Faults> {
        let mut faults = Vec::new();
        for (tenant, token) in &self.tokens {
            let message = if TenantId::new(tenant).is_err() || tenant.contains('/') {
                "is no tenant"
            } else if token.len() < MIN_TOKEN_CHARS || !token.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_.~".contains(&byte)) {
                "should be at least 16 letters, digits and - _ . ~"
            } else if self.tokens.iter().any(|(other, theirs)| other != tenant && theirs == token) {
                "is another tenant's token too"
            } else {
                continue;
            };
            faults.push(host::config::Fault { path: format!("pix.tokens.{tenant}"), message: message.to_owned() });
        }
        if faults.is_empty() { Ok(()) } else { Err(Faults(faults)) }
    }
}

#[derive(Clone)]
struct Notifications {
    server: Server,
    tokens: Arc<BTreeMap<String, String>>,
    taken: Counter<u64>,
}

/// The routes of notifications.
pub fn router(server: Server, config: PixConfig, metrics: &Metrics) -> Router {
    let taken = metrics.counter("pix_notices", "Pix that were notified, by what became of them");
    let notifications = Notifications { server, tokens: Arc::new(config.tokens), taken };
    Router::new()
        .route("/pix", post(with_header))
        .route("/pix/{token}", post(with_path))
        .route("/pix/{token}/pix", post(with_path))
        .layer(DefaultBodyLimit::max(MAX_BODY_BYTES))
        .with_state(notifications)
}

async fn with_header(State(notifications): State<Notifications>, headers: HeaderMap, body: Bytes) -> Response {
    let bearer = headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok()).and_then(|value| value.strip_prefix("Bearer "));
    notifications.answer(bearer.unwrap_or_default(), &body).await
}

async fn with_path(State(notifications): State<Notifications>, Path(token): Path<String>, body: Bytes) -> Response {
    notifications.answer(&token, &body).await
}

/// An answer as the API's problem document.
fn problem(status: StatusCode, title: &str, violations: &[Violation]) -> Response {
    let violations: Vec<_> = violations.iter().map(|one| json!({ "razao": one.reason, "propriedade": one.property })).collect();
    let body = json!({ "type": "about:blank", "title": title, "status": status.as_u16(), "violacoes": violations });
    (status, [(header::CONTENT_TYPE, "application/problem+json")], Json(body).into_response().into_body()).into_response()
}

impl Notifications {
    async fn answer(&self, token: &str, body: &[u8]) -> Response {
        let Some(tenant) = self.tenant_of(token) else {
            return problem(StatusCode::UNAUTHORIZED, "the token is not known", &[]);
        };
        let (notices, mut violations) = match body::read(body) {
            Ok(read) => read,
            Err(violation) => return problem(StatusCode::BAD_REQUEST, "the body is no notification", &[violation]),
        };
        let mut unavailable = false;
        for (notice, refusal) in self.take_all(tenant, notices).await {
            match refusal.code {
                tonic::Code::Unavailable | tonic::Code::ResourceExhausted | tonic::Code::Internal => unavailable = true,
                _ => violations.push(Violation { property: notice, reason: refusal.reason }),
            }
        }
        if unavailable {
            return problem(StatusCode::SERVICE_UNAVAILABLE, "try again", &[]);
        }
        if violations.is_empty() { StatusCode::OK.into_response() } else { problem(StatusCode::BAD_REQUEST, "refused", &violations) }
    }

    /// Compares with every token, each in constant time.
    fn tenant_of(&self, token: &str) -> Option<&str> {
        let mut found = None;
        for (tenant, held) in self.tokens.iter() {
            if bool::from(held.as_bytes().ct_eq(token.as_bytes())) {
                found = Some(tenant.as_str());
            }
        }
        found
    }

    /// What of a call was refused. Items of one payment are taken in order, payments side by side.
    async fn take_all(&self, tenant: &str, notices: Vec<Notice>) -> Vec<(String, Refusal)> {
        let mut payments: BTreeMap<String, Vec<Notice>> = BTreeMap::new();
        for notice in notices {
            payments.entry(notice.end_to_end_id.to_string()).or_default().push(notice);
        }
        let one = |notices: Vec<Notice>| async move {
            let mut refused = Vec::new();
            for notice in notices {
                if let Err(refusal) = self.take(tenant, &notice).await {
                    refused.push((notice.property, refusal));
                }
            }
            refused
        };
        let all: Vec<Vec<(String, Refusal)>> = stream::iter(payments.into_values()).map(one).buffer_unordered(IN_FLIGHT).collect().await;
        all.into_iter().flatten().collect()
    }

    /// The payment, then what went back of it: a call that tells of a return tells of the payment too.
    async fn take(&self, tenant: &str, notice: &Notice) -> Result<(), Refusal> {
        let payment_id = PaymentId::new(notice.end_to_end_id.as_str()).map_err(|_| Refusal::internal("an endToEndId is no id"))?;
        let txid = notice.txid.as_ref().map(|txid| txid.as_str()).unwrap_or_default();
        let receipt = Receipt {
            payment_id: payment_id.clone(),
            source: Source::Pix,
            amount_minor: notice.amount_minor,
            currency: Currency::BRL,
            paid_on: self.server.zone.day_of(notice.at),
            reference: txid.to_owned(),
            account: String::new(),
            end_to_end_id: payment_id.to_string(),
            reason: String::new(),
            suggested: None,
            fee_minor: 0,
        };
        let target = match txid {
            "" => Err("not_named"),
            txid => self.server.of_txid(tenant, txid).await?.ok_or("no_receivable"),
        };
        let told = self.server.take_in(tenant, receipt.clone(), target.clone()).await?;
        if let (Some(counted), Ok(target)) = (told.counted, &target) {
            self.server.keep_twin(tenant, &receipt, target, counted).await?;
        }
        self.count(match told.taken {
            Taken::Applied => "applied",
            Taken::Confirmed => "confirmed",
            Taken::Known => "known",
            Taken::Unapplied => "unapplied",
        });
        for back in &notice.returns {
            let going = Going {
                payment_id: &payment_id,
                return_id: back.return_id.as_str(),
                amount_minor: back.amount_minor,
                reason: "devolucao",
                returned_on: self.server.zone.day_of(back.at),
            };
            let gone = self.server.take_back(tenant, &going).await?;
            self.count(match gone {
                GoneBack::Done => "returned",
                GoneBack::Known => "return_known",
            });
        }
        Ok(())
    }

    fn count(&self, outcome: &'static str) {
        self.taken.add(1, &[KeyValue::new("outcome", outcome)]);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_that_is_short_shared_or_does_not_fit_a_path_is_a_fault() {
        let config = |pairs: &[(&str, &str)]| PixConfig {
            tokens: pairs.iter().map(|(tenant, token)| ((*tenant).to_owned(), (*token).to_owned())).collect(),
        };
        assert!(config(&[("default", "0123456789abcdef"), ("acme", "0123456789abcdeg")]).check().is_ok());
        for wrong in [
            &[("default", "short")][..],
            &[("default", "0123456789abcde/")],
            &[("a/b", "0123456789abcdef")],
            &[("default", "0123456789abcdef"), ("acme", "0123456789abcdef")],
        ] {
            assert!(config(wrong).check().is_err(), "{wrong:?}");
        }
    }
}
