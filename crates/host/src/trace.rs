//! Traces that run unbroken: from the RPC through log and bus into the consuming service.

use eventlog::bus::Message;
use opentelemetry::{propagation::TextMapPropagator, trace::TraceContextExt};
use opentelemetry_sdk::propagation::TraceContextPropagator;
use std::{
    collections::HashMap,
    sync::atomic::{AtomicBool, Ordering},
};
use tracing::Span;
use tracing_opentelemetry::OpenTelemetrySpanExt;

const TRACEPARENT: &str = "traceparent";
static ON: AtomicBool = AtomicBool::new(false);

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

/// The span of a request, gRPC or HTTP, child of the caller's.
pub fn request_span<B>(request: &axum::http::Request<B>) -> Span {
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

/// The span in which a consumer writes a message into its read models: an [`eventlog::consumer::Spans`].
pub fn projected(consumer: &'static str, message: &Message) -> Option<Span> {
    let parent = message.event.traceparent.as_deref()?;
    let name = message.event.event_type.as_str();
    let span = tracing::info_span!("project", otel.name = name, otel.kind = "consumer", consumer);
    adopt(&span, parent);
    Some(span)
}

/// The `traceparent` to store with what a timer causes: a trace begins here. `None` where nothing is traced.
pub fn begun(name: &'static str) -> Option<String> {
    traceparent_of(&tracing::info_span!(parent: None, "timer", otel.name = name, otel.kind = "internal"))
}

/// A span for work that goes on with what an event began, whenever that was; no child of the current span.
pub fn continued(name: &'static str, traceparent: Option<&str>) -> Span {
    let span = tracing::info_span!(parent: None, "work", otel.name = name, otel.kind = "internal");
    if let Some(parent) = traceparent {
        adopt(&span, parent);
    }
    span
}

/// Whether traces of this process go anywhere: looking for where a trace came from is work.
pub fn is_on() -> bool {
    ON.load(Ordering::Relaxed)
}

/// Told by telemetry.
pub(crate) fn turn_on() {
    ON.store(true, Ordering::Relaxed);
}
