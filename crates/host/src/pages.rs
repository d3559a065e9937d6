//! What every service serves over HTTP: `/metrics` and `/health`.

use crate::{access, environment::Environment};
use axum::{
    Json, Router,
    extract::State,
    http::{HeaderMap, StatusCode, header::WWW_AUTHENTICATE},
    response::{IntoResponse, Response},
    routing::get,
};
use serde_json::json;

#[derive(Clone)]
struct Pages {
    environment: Environment,
    on_loopback: bool,
}

/// `on_loopback`: nobody but this machine reaches the listener.
pub(crate) fn router(environment: &Environment, on_loopback: bool) -> Router {
    if !on_loopback && environment.process.access.metrics_token.is_empty() {
        tracing::warn!("/metrics is closed: access.metrics_token is not set and the HTTP listener is not loopback");
    }
    let pages = Pages { environment: environment.clone(), on_loopback };
    Router::new().route("/metrics", get(metrics)).route("/health", get(health)).with_state(pages)
}

async fn metrics(State(pages): State<Pages>, headers: HeaderMap) -> Response {
    if !access::may_read_metrics(&pages.environment.process.access, &headers, pages.on_loopback) {
        let asked = [(WWW_AUTHENTICATE, "Bearer")];
        return (StatusCode::UNAUTHORIZED, asked, "access.metrics_token as a bearer token is needed\n").into_response();
    }
    pages.environment.metrics.fresh_text().await.into_response()
}

/// 503 once the service is to stop. A part that is not well takes no replica out: the others have the same trouble, or only this part has it.
async fn health(State(pages): State<Pages>) -> Response {
    let degraded = pages.environment.health.degraded();
    let (code, status) = match (pages.environment.stop.is_cancelled(), degraded.is_empty()) {
        (true, _) => (StatusCode::SERVICE_UNAVAILABLE, "stopping"),
        (false, true) => (StatusCode::OK, "serving"),
        (false, false) => (StatusCode::OK, "degraded"),
    };
    (code, Json(json!({ "status": status, "degraded": degraded }))).into_response()
}
