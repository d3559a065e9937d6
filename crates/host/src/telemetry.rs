//! Logs, traces and metrics of the process.

use crate::config::{Fault, TelemetryConfig};
use anyhow::Context;
use opentelemetry::{KeyValue, trace::TracerProvider};
use opentelemetry_otlp::WithExportConfig;
use opentelemetry_sdk::{Resource, trace::SdkTracerProvider};
use std::time::Duration;
use tracing_subscriber::{EnvFilter, Layer, layer::SubscriberExt, util::SubscriberInitExt};

/// Chatty libraries stay below warnings, else traces of exporting would export themselves.
const QUIET: &str = "h2=warn,hyper=warn,tonic=warn,tower=warn,sqlx=warn,rdkafka=warn,librdkafka=warn,rustls=warn,reqwest=warn";

/// Flushes traces when dropped; keep it until the process ends.
pub struct Telemetry {
    provider: Option<SdkTracerProvider>,
}

impl Drop for Telemetry {
    fn drop(&mut self) {
        if let Some(provider) = self.provider.take()
            && let Err(error) = provider.shutdown_with_timeout(Duration::from_secs(2))
        {
            eprintln!("traces were not flushed: {error}");
        }
    }
}

/// Starts logs on standard error and, where an endpoint is set, traces by OTLP. Errors: a malformed filter or
/// endpoint. A second call in one process keeps the first logs.
pub fn start(service: &'static str, config: &TelemetryConfig) -> anyhow::Result<Telemetry> {
    let filter = EnvFilter::try_new(format!("{QUIET},{}", config.log)).context("telemetry.log is no filter")?;
    let fmt = tracing_subscriber::fmt::layer().with_writer(std::io::stderr);
    let logs = match config.format.as_str() {
        "json" => fmt.json().with_filter(filter).boxed(),
        "text" => fmt.with_filter(filter).boxed(),
        other => anyhow::bail!("telemetry.format is {other}, should be text or json"),
    };
    let provider = if config.otlp_endpoint.is_empty() { None } else { Some(tracer_provider(service, &config.otlp_endpoint)?) };
    // What is logged and what is traced are two questions: a quiet log does not cut traces.
    let traced = EnvFilter::try_new(format!("{QUIET},info")).context("the filter of traces")?;
    let layer = |provider: &SdkTracerProvider| tracing_opentelemetry::layer().with_tracer(provider.tracer("regua")).with_filter(traced);
    let traces = provider.as_ref().map(layer);
    if tracing_subscriber::registry().with(logs).with(traces).try_init().is_err() {
        tracing::debug!("logs were started before");
    } else if provider.is_some() {
        crate::trace::turn_on();
    }
    Ok(Telemetry { provider })
}

/// Every key of the section at fault, as path and message.
pub fn faults(config: &TelemetryConfig) -> Vec<Fault> {
    let fault = |path: &str, message: String| Fault { path: path.to_owned(), message };
    let filter = EnvFilter::try_new(&config.log).err().map(|error| fault("telemetry.log", format!("is no filter: {error}")));
    let is_known = ["json", "text"].contains(&config.format.as_str());
    let format = (!is_known).then(|| fault("telemetry.format", format!("is {}, should be text or json", config.format)));
    filter.into_iter().chain(format).collect()
}

fn tracer_provider(service: &'static str, endpoint: &str) -> anyhow::Result<SdkTracerProvider> {
    let exporter = opentelemetry_otlp::SpanExporter::builder()
        .with_tonic()
        .with_endpoint(endpoint)
        .with_timeout(Duration::from_secs(3))
        .build()
        .context("telemetry.otlp_endpoint")?;
    let resource = Resource::builder().with_attribute(KeyValue::new("service.name", service)).build();
    Ok(SdkTracerProvider::builder().with_batch_exporter(exporter).with_resource(resource).build())
}
