//! Metrics of one service, in Prometheus form.

use anyhow::Context;
use futures::{
    FutureExt,
    future::{BoxFuture, join_all},
};
use opentelemetry::{
    KeyValue,
    metrics::{Counter, Meter, MeterProvider},
};
use opentelemetry_sdk::metrics::SdkMeterProvider;
use prometheus::{Encoder, Registry, TextEncoder};
use std::sync::{Arc, Mutex, PoisonError};

/// A reading of a gauge: label and value.
pub type Reading = (&'static str, String, u64);

/// Asks somebody for figures that a gauge then shows.
type Refresh = Arc<dyn Fn() -> BoxFuture<'static, ()> + Send + Sync>;

/// Instruments of one service.
#[derive(Clone)]
pub struct Metrics {
    registry: Registry,
    meter: Meter,
    refreshes: Arc<Mutex<Vec<Refresh>>>,
    _provider: Arc<SdkMeterProvider>,
}

impl Metrics {
    /// Empty instruments under the name of a service.
    pub fn new(service: &'static str) -> anyhow::Result<Self> {
        let registry = Registry::new();
        let exporter =
            opentelemetry_prometheus::exporter().with_registry(registry.clone()).scope_info_enabled(false).build().context("metrics")?;
        let provider = SdkMeterProvider::builder().with_reader(exporter).build();
        let meter = provider.meter(service);
        Ok(Self { registry, meter, refreshes: Arc::default(), _provider: Arc::new(provider) })
    }

    /// A counter; `name` without unit or `_total`, which the exporter adds.
    pub fn counter(&self, name: &'static str, description: &'static str) -> Counter<u64> {
        self.meter.u64_counter(name).with_description(description).build()
    }

    /// A gauge whose readings are taken when somebody asks: (label key, label value, value) each.
    pub fn gauge(&self, name: &'static str, description: &'static str, read: impl Fn() -> Vec<Reading> + Send + Sync + 'static) {
        self.meter
            .u64_observable_gauge(name)
            .with_description(description)
            .with_callback(move |observer| {
                for (key, label, value) in read() {
                    observer.observe(value, &[KeyValue::new(key, label)]);
                }
            })
            .build();
    }

    /// Has something done whenever somebody asks for all of it, before gauges are read: what only a database knows.
    pub fn before_reading<F: Future<Output = ()> + Send + 'static>(&self, refresh: impl Fn() -> F + Send + Sync + 'static) {
        let refresh: Refresh = Arc::new(move || refresh().boxed());
        self.refreshes.lock().unwrap_or_else(PoisonError::into_inner).push(refresh);
    }

    /// All of it as text, asked for anew.
    pub async fn fresh_text(&self) -> String {
        let refreshes = self.refreshes.lock().unwrap_or_else(PoisonError::into_inner).clone();
        join_all(refreshes.iter().map(|refresh| refresh())).await;
        self.text()
    }

    /// All of it as text.
    pub fn text(&self) -> String {
        let mut bytes = Vec::new();
        if let Err(error) = TextEncoder::new().encode(&self.registry.gather(), &mut bytes) {
            tracing::error!(%error, "metrics could not be written");
        }
        String::from_utf8(bytes).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counters_and_gauges_show_themselves_to_prometheus() {
        let metrics = Metrics::new("test").unwrap();
        metrics.counter("sent", "Handed over").add(3, &[KeyValue::new("outcome", "accepted")]);
        metrics.gauge("lag", "Events behind", || vec![("consumer", "reporting".to_owned(), 7)]);
        let text = metrics.text();
        assert!(text.contains("sent_total{outcome=\"accepted\"} 3"), "{text}");
        assert!(text.contains("lag{consumer=\"reporting\"} 7"), "{text}");
    }
}
