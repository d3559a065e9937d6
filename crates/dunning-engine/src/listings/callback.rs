//! The word of a provider over HTTP: `POST /callbacks/bureau` and `/callbacks/protest`, signed as our own posts are.
//!
//! JSON `{"key", "status", "reason", "reference"}`; fields that providers add are ignored. Words may come in any order and repeatedly.

use super::{
    Clerk, EntryKey,
    clerk::Postponed,
    follow::PROVIDER,
    provider::{Word, reference_of, slug_of},
};
use axum::{
    Json, Router,
    body::Bytes,
    extract::{DefaultBodyLimit, Path, State},
    http::{HeaderMap, StatusCode},
    response::{IntoResponse, Response},
    routing::post,
};
use host::signed::signature;
use ladder::listing::{Answer, Kind};
use serde::Deserialize;
use serde_json::json;

/// Longest word, in bytes.
const MAX_BODY_BYTES: usize = 64 * 1024;

/// The routes of callbacks.
pub fn router(clerk: Clerk) -> Router {
    Router::new().route("/callbacks/{kind}", post(receive)).layer(DefaultBodyLimit::max(MAX_BODY_BYTES)).with_state(clerk)
}

#[derive(Deserialize)]
struct Posted {
    #[serde(default)]
    key: String,
    #[serde(default)]
    status: String,
    #[serde(default)]
    reason: String,
    #[serde(default)]
    reference: String,
}

/// Why a word is not noted.
struct Refused {
    status: StatusCode,
    reason: &'static str,
    field: &'static str,
}

impl Refused {
    fn new(status: StatusCode, reason: &'static str, field: &'static str) -> Self {
        Self { status, reason, field }
    }
}

impl IntoResponse for Refused {
    fn into_response(self) -> Response {
        (self.status, Json(json!({ "reason": self.reason, "field": self.field }))).into_response()
    }
}

async fn receive(State(clerk): State<Clerk>, Path(kind): Path<String>, headers: HeaderMap, body: Bytes) -> Response {
    note(&clerk, &kind, &headers, &body).await.map_or_else(IntoResponse::into_response, |()| StatusCode::NO_CONTENT.into_response())
}

async fn note(clerk: &Clerk, kind: &str, headers: &HeaderMap, body: &[u8]) -> Result<(), Refused> {
    let kind = Kind::named(kind).ok_or(Refused::new(StatusCode::NOT_FOUND, "unknown_kind", ""))?;
    let without = Refused::new(StatusCode::NOT_FOUND, "provider_without_callbacks", "");
    let secret = clerk.providers.callback_secret(kind).ok_or(without)?;
    let signature = headers.get(signature::HEADER).and_then(|value| value.to_str().ok()).unwrap_or_default();
    if !signature::verify(secret.as_bytes(), body, signature) {
        return Err(Refused::new(StatusCode::UNAUTHORIZED, "signature_wrong", signature::HEADER));
    }
    let malformed = |reason, field| Refused::new(StatusCode::BAD_REQUEST, reason, field);
    let posted: Posted = serde_json::from_slice(body).map_err(|_| malformed("body_malformed", ""))?;
    let key: EntryKey = posted.key.parse().map_err(|_| malformed("key_malformed", "key"))?;
    let answer = Answer::named(&posted.status).ok_or(malformed("unknown_status", "status"))?;
    let unavailable = |Postponed(reason): Postponed| {
        tracing::warn!(reason, "the word of a bureau could not be noted");
        Refused::new(StatusCode::SERVICE_UNAVAILABLE, "unavailable", "")
    };
    // Who may speak for a bureau says nothing about a protest.
    let known = clerk.listing(&key).await.map_err(unavailable)?;
    if known.opened.as_ref().is_none_or(|opened| opened.kind != kind) {
        return Err(Refused::new(StatusCode::NOT_FOUND, "entry_unknown", "key"));
    }
    let word = Word { answer, reason: slug_of(&posted.reason), reference: reference_of(&posted.reference) };
    clerk.note_word(&key, word, PROVIDER).await.map(|_| ()).map_err(unavailable)
}
