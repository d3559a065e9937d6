//! Traces that run unbroken: from the RPC through log and bus into the consuming service.

use opentelemetry::{propagation::TextMapPropagator, trace::TraceContextExt};
use opentelemetry_sdk::propagation::TraceContextPropagator;
use std::collections::HashMap;
use tracing::Span;
use tracing_opentelemetry::OpenTelemetrySpanExt;

const TRACEPARENT: &str = "traceparent";

/// The W3C `traceparent` of the current span; `None` where nothing is traced.
pub fn traceparent() -> Option<String> {
    traceparent_of(&Span::current())
}

/// The W3C `traceparent` of a span; `None` where it is not traced.
pub fn traceparent_of(span: &Span) -> Option<String> {
    if span.is_none() {
        return None;
    }
    let context = span.context();
    if !context.span().span_context().is_valid() {
        return None;
    }
    let mut carrier = HashMap::new();
    TraceContextPropagator::new().inject_context(&context, &mut carrier);
    carrier.remove(TRACEPARENT)
}

/// Makes a span the child of a remote one.
pub fn adopt(span: &Span, traceparent: &str) {
    let carrier = HashMap::from([(TRACEPARENT.to_owned(), traceparent.to_owned())]);
    let context = TraceContextPropagator::new().extract(&carrier);
    if let Err(error) = span.set_parent(context) {
        tracing::debug!(?error, "a span could not take its parent");
    }
}

/// The span of a gRPC request, child of the caller's.
pub fn request_span(request: &axum::http::Request<()>) -> Span {
    let span = tracing::info_span!("rpc", otel.name = request.uri().path(), otel.kind = "server");
    if let Some(parent) = request.headers().get(TRACEPARENT).and_then(|value| value.to_str().ok()) {
        adopt(&span, parent);
    }
    span
}

/// The `traceparent` to store with what a consumed event causes: a child span of the event's own.
pub fn consumed(event_type: &str, traceparent: Option<&str>) -> Option<String> {
    let parent = traceparent?;
    let span = tracing::info_span!("consume", otel.name = event_type, otel.kind = "consumer");
    adopt(&span, parent);
    traceparent_of(&span).or_else(|| Some(parent.to_owned()))
}
