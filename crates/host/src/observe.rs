//! What every service shows to Prometheus.

use crate::{
    environment::Environment,
    metrics::{Metrics, Reading},
};
use eventlog::{
    consumer::{Consumer, ConsumerStatus},
    relay::Relay,
};
use std::{
    collections::BTreeMap,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
};

/// How far consumers are behind, what is parked, and what they saw twice.
pub(crate) fn consumers(metrics: &Metrics, consumers: &Arc<Vec<Consumer>>) {
    let readings = |read: fn(&ConsumerStatus) -> u64| {
        let consumers = Arc::downgrade(consumers);
        move || -> Vec<Reading> {
            let Some(consumers) = consumers.upgrade() else { return Vec::new() };
            consumers.iter().map(|consumer| ("consumer", consumer.name().to_owned(), read(&consumer.status()))).collect()
        }
    };
    let lag = |status: &ConsumerStatus| status.places.values().map(|place| place.lag.unsigned_abs()).sum();
    metrics.gauge("consumer_lag_events", "Events that a consumer has not read", readings(lag));
    metrics.gauge("parked_streams", "Streams that wait for a person", readings(|status| status.parked));
    metrics.gauge("duplicate_events", "Events seen before and skipped", readings(|status| status.counts.duplicates));
}

/// How many events wait for Kafka, and since when the oldest of them. In process nothing waits: consumers read the log itself.
pub(crate) fn relays(environment: &Environment, relays: &Arc<Vec<Relay>>) {
    let behind = Arc::downgrade(relays);
    environment.metrics.gauge("unpublished_events", "Events of the log that are not on the bus yet", move || {
        let Some(relays) = behind.upgrade() else { return Vec::new() };
        relays.iter().map(Relay::status).map(|status| ("topic", status.topic, status.head.saturating_sub(status.published))).collect()
    });
    let ages: Arc<Mutex<BTreeMap<String, u64>>> = Arc::default();
    let (relays, clock, seen) = (Arc::downgrade(relays), Arc::clone(&environment.process.clock), Arc::clone(&ages));
    environment.metrics.before_reading(move || {
        let (relays, clock, seen) = (relays.upgrade(), Arc::clone(&clock), Arc::clone(&seen));
        async move {
            for relay in relays.iter().flat_map(|relays| relays.iter()) {
                match relay.oldest_unpublished().await {
                    Ok(recorded_at) => {
                        let age_seconds = recorded_at.map_or(0, |at| (clock.now() - at).num_seconds().max(0).unsigned_abs());
                        seen.lock().unwrap_or_else(PoisonError::into_inner).insert(relay.status().topic, age_seconds);
                    }
                    Err(error) => tracing::warn!(%error, "the oldest event that is not on the bus cannot be read"),
                }
            }
        }
    });
    environment.metrics.gauge("oldest_unpublished_seconds", "Age of the oldest event that is not on the bus yet", move || {
        let ages = ages.lock().unwrap_or_else(PoisonError::into_inner);
        ages.iter().map(|(topic, age_seconds)| ("topic", topic.clone(), *age_seconds)).collect()
    });
}

/// How many timers are late.
pub(crate) fn timers(environment: &Environment) {
    let due = Arc::new(AtomicU64::new(0));
    let (log, counted) = (environment.log.clone(), Arc::clone(&due));
    environment.metrics.before_reading(move || {
        let (log, counted) = (log.clone(), Arc::clone(&counted));
        async move {
            match log.timers_due().await {
                Ok(count) => counted.store(count, Ordering::Relaxed),
                Err(error) => tracing::warn!(%error, "timers cannot be counted"),
            }
        }
    });
    environment.metrics.gauge("timers_due", "Timers that are due and have not fired", move || {
        vec![("log", "own".to_owned(), due.load(Ordering::Relaxed))]
    });
}
