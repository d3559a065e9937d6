//! The payment feed of each tenant: how far the recorded payments reach, and whether overdue reminders wait for it.

use crate::wire;
use chrono::{DateTime, TimeDelta, Utc};
use eventlog::{Aggregate, DecodeError, Log, LogError, Meta, NewEvent, Told, Writer};
use host::metrics::Metrics;
use receivable::{BankFileTaken, FeedCommand, FeedEvent, FeedRejection, PaymentFeed, PaymentFeedReported, feed};
use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, PoisonError},
};

/// Feeds, one stream per tenant.
#[derive(Debug, Clone, Copy, Default)]
pub struct PaymentFeeds;

impl Aggregate for PaymentFeeds {
    type State = PaymentFeed;
    type Command = FeedCommand;
    type Event = FeedEvent;
    type Rejection = FeedRejection;

    fn decide(&self, state: &PaymentFeed, command: &FeedCommand) -> Result<Vec<FeedEvent>, FeedRejection> {
        feed::decide(state, command)
    }

    fn evolve(&self, state: PaymentFeed, event: &FeedEvent) -> PaymentFeed {
        feed::evolve(state, event)
    }

    fn encode(&self, event: &FeedEvent) -> NewEvent {
        let (event_type, payload) = wire::encode_feed(event);
        let (FeedEvent::Reported(PaymentFeedReported { known_until }) | FeedEvent::BankFileTaken(BankFileTaken { known_until, .. })) =
            event;
        NewEvent { event_type, schema_version: 1, payload, occurred_at: Some(*known_until), effective_on: None }
    }

    fn decode(&self, told: &Told) -> Result<Option<FeedEvent>, DecodeError> {
        wire::decode_feed(&told.event_type, &told.payload).map_err(|fault| DecodeError::new(told, fault.to_string()))
    }
}

/// The stream of a tenant's feed.
pub(crate) fn stream(tenant: &str) -> String {
    format!("feed/{tenant}")
}

pub(crate) fn meta(tenant: &str) -> Meta {
    Meta { tenant: tenant.to_owned(), key: tenant.to_owned(), traceparent: host::trace::traceparent(), ..Meta::default() }
}

/// What a log knows of a tenant's feed. Errors: the log cannot be read.
pub async fn payment_feed(log: &Log, tenant: &str) -> Result<PaymentFeed, LogError> {
    let events = log.told(&[(stream(tenant), 0)]).await?;
    let decode = |event: &Told| PaymentFeeds.decode(event).map_err(|error| LogError::Corrupt(error.to_string()));
    events.iter().try_fold(PaymentFeed::default(), |known, event| {
        Ok(match decode(event)? {
            Some(event) => feed::evolve(known, &event),
            None => known,
        })
    })
}

/// Watches the feeds against the limit of the installation. Clones share it.
#[derive(Clone)]
pub(crate) struct FeedWatch {
    pub(crate) writer: Writer<PaymentFeeds>,
    pub(crate) max_age_hours: u32,
    /// Tenants that were looked at, and whether their feed was stale then: what the gauge tells.
    stale: Arc<Mutex<BTreeMap<String, bool>>>,
}

impl FeedWatch {
    /// `max_age_hours`: 0 = a feed is always fresh.
    pub(crate) fn new(writer: Writer<PaymentFeeds>, max_age_hours: u32, metrics: &Metrics) -> Self {
        let stale: Arc<Mutex<BTreeMap<String, bool>>> = Arc::default();
        let read = Arc::clone(&stale);
        metrics.gauge("payment_feed_stale", "1 where overdue reminders wait because payments may be missing", move || {
            let feeds = read.lock().unwrap_or_else(PoisonError::into_inner);
            feeds.iter().map(|(tenant, stale)| ("tenant", tenant.clone(), u64::from(*stale))).collect()
        });
        Self { writer, max_age_hours, stale }
    }

    /// Whether a tenant's overdue reminders wait. Without a limit nothing is read. Errors: the log cannot be read.
    pub(crate) async fn is_stale(&self, tenant: &str, now: DateTime<Utc>) -> Result<bool, LogError> {
        if self.max_age_hours == 0 {
            return Ok(false);
        }
        let (feed, _) = self.writer.state(&stream(tenant)).await?;
        Ok(self.judge(tenant, &feed, now))
    }

    /// Whether a tenant's feed was stale when it was last looked at here.
    pub(crate) fn was_stale(&self, tenant: &str) -> bool {
        self.stale.lock().unwrap_or_else(PoisonError::into_inner).get(tenant).copied().unwrap_or(false)
    }

    /// Whether a feed is past the limit; the alarm follows.
    pub(crate) fn judge(&self, tenant: &str, feed: &PaymentFeed, now: DateTime<Utc>) -> bool {
        let is_stale = self.max_age_hours != 0 && feed.is_stale(now, TimeDelta::hours(i64::from(self.max_age_hours)));
        let before = self.stale.lock().unwrap_or_else(PoisonError::into_inner).insert(tenant.to_owned(), is_stale);
        match (before.unwrap_or(false), is_stale) {
            (false, true) => tracing::warn!(tenant, known_until = ?feed.known_until, "overdue reminders wait: payments may be missing"),
            (true, false) => tracing::info!(tenant, "the payment feed is fresh again"),
            (false, false) | (true, true) => {}
        }
        is_stale
    }
}
