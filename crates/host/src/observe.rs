//! What every service shows to Prometheus and on `/health`.

use crate::{
    environment::Environment,
    health::Degraded,
    metrics::{Metrics, Reading},
};
use eventlog::{
    TimerHandle,
    consumer::{Consumer, ConsumerStatus},
    relay::{Relay, RelayStatus},
};
use std::{
    collections::BTreeMap,
    sync::{
        Arc, Mutex, PoisonError, Weak,
        atomic::{AtomicU64, Ordering},
    },
};

/// Figures that are looked up when somebody asks, by consumer or topic.
type Looked = Arc<Mutex<BTreeMap<String, u64>>>;

/// How far consumers are behind, what is parked or held, what stands still, and what they saw twice.
pub(crate) fn consumers(environment: &Environment, consumers: &Arc<Vec<Consumer>>) {
    let metrics = &environment.metrics;
    lags(metrics, consumers);
    let gauge = |name, description, read: fn(&ConsumerStatus) -> u64| {
        let consumers = Arc::downgrade(consumers);
        metrics.gauge(name, description, move || {
            statuses(&consumers).into_iter().map(|status| ("consumer", status.consumer.clone(), read(&status))).collect()
        });
    };
    gauge("parked_streams", "Streams that wait for a person", |status| status.parked);
    gauge("held_partitions", "Partitions that wait for a version that is missing", |status| status.gaps.len() as u64);
    gauge("stopped_consumers", "1 where a consumer has given up and reads no more", |status| status.stopped.into());
    gauge("troubled_consumers", "1 where a consumer cannot go on now", |status| status.trouble.is_some().into());
    gauge("duplicate_events", "Events seen before and skipped", |status| status.counts.duplicates);
    let consumers = Arc::downgrade(consumers);
    environment.health.ask(move || statuses(&consumers).iter().flat_map(ailing).collect());
}

fn statuses(consumers: &Weak<Vec<Consumer>>) -> Vec<ConsumerStatus> {
    consumers.upgrade().map(|consumers| consumers.iter().map(Consumer::status).collect()).unwrap_or_default()
}

fn ailing(status: &ConsumerStatus) -> Vec<Degraded> {
    let states = [
        ("stopped", u64::from(status.stopped)),
        ("in_trouble", u64::from(status.trouble.is_some() && !status.stopped)),
        ("partitions_held", status.gaps.len() as u64),
        ("streams_parked", status.parked),
    ];
    let part = || format!("consumer {}", status.consumer);
    states.into_iter().filter(|(_, count)| *count > 0).map(|(state, count)| Degraded { part: part(), state, count }).collect()
}

/// The lag is that of the consumer, whichever processes share its partitions: what the broker has, against what the database says is read.
fn lags(metrics: &Metrics, consumers: &Arc<Vec<Consumer>>) {
    let (behind, measured) = (Arc::downgrade(consumers), Looked::default());
    let measure = Arc::clone(&measured);
    metrics.before_reading(move || {
        let (consumers, measure) = (behind.upgrade(), Arc::clone(&measure));
        async move {
            for consumer in consumers.iter().flat_map(|consumers| consumers.iter()) {
                match consumer.lag().await {
                    Ok(lag) => _ = measure.lock().unwrap_or_else(PoisonError::into_inner).insert(consumer.name().to_owned(), lag),
                    Err(error) => tracing::warn!(consumer = consumer.name(), %error, "the lag cannot be measured"),
                }
            }
        }
    });
    let consumers = Arc::downgrade(consumers);
    metrics.gauge("consumer_lag_events", "Events that a consumer has not read", move || {
        let known = |status: &ConsumerStatus| status.places.values().map(|place| place.lag.unsigned_abs()).sum();
        let measured = measured.lock().unwrap_or_else(PoisonError::into_inner);
        let lag = |status: &ConsumerStatus| measured.get(&status.consumer).copied().unwrap_or_else(|| known(status));
        statuses(&consumers).into_iter().map(|status| ("consumer", status.consumer.clone(), lag(&status))).collect()
    });
}

/// How many events wait for Kafka, since when the oldest of them, and whether something is wrong. In process nothing waits: consumers
/// read the log itself.
pub(crate) fn relays(environment: &Environment, relays: &Arc<Vec<Relay>>) {
    let gauge = |name, description, read: fn(&RelayStatus) -> u64| {
        let relays = Arc::downgrade(relays);
        environment.metrics.gauge(name, description, move || relayed(&relays).iter().map(|status| reading(status, read(status))).collect());
    };
    gauge("unpublished_events", "Events of the log that are not on the bus yet", |status| status.head.saturating_sub(status.published));
    gauge("active_relays", "1 in the process that fills the topic", |status| status.active.into());
    gauge("troubled_relays", "1 where a relay cannot go on now", |status| status.trouble.is_some().into());
    let ailing = Arc::downgrade(relays);
    environment.health.ask(move || {
        let troubled = relayed(&ailing).into_iter().filter(|status| status.trouble.is_some());
        troubled.map(|status| Degraded { part: format!("relay {}", status.topic), state: "in_trouble", count: 1 }).collect()
    });
    ages(environment, relays);
}

fn relayed(relays: &Weak<Vec<Relay>>) -> Vec<RelayStatus> {
    relays.upgrade().map(|relays| relays.iter().map(Relay::status).collect()).unwrap_or_default()
}

fn reading(status: &RelayStatus, value: u64) -> Reading {
    ("topic", status.topic.clone(), value)
}

fn ages(environment: &Environment, relays: &Arc<Vec<Relay>>) {
    let ages = Looked::default();
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

/// How many timers are late, and which can never fire.
pub(crate) fn timers(environment: &Environment, timers: &Arc<Vec<TimerHandle>>) {
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
    let handles = Arc::downgrade(timers);
    environment.metrics.gauge("stuck_timers", "Streams that cannot be read, so that their timers cannot fire", move || {
        vec![("log", "own".to_owned(), stuck(&handles))]
    });
    let handles = Arc::downgrade(timers);
    environment.health.ask(move || {
        let count = stuck(&handles);
        if count == 0 { Vec::new() } else { vec![Degraded { part: "timers".to_owned(), state: "stuck", count }] }
    });
}

fn stuck(timers: &Weak<Vec<TimerHandle>>) -> u64 {
    timers.upgrade().map_or(0, |timers| timers.iter().map(|timer| timer.stats().stuck).sum())
}
