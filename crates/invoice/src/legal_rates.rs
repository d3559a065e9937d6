//! The legal rates of each tenant, as the event log runs them, and as commands read them.

use crate::wire;
use brazil::charges::LegalRates;
use eventlog::{Aggregate, DecodeError, Log, LogError, Meta, NewEvent, Told, Writer};
use host::metrics::Metrics;
use moka::sync::Cache;
use receivable::legal_rates::{LegalRateRecorded, LegalRatesRejection, RecordLegalRates, decide_legal_rates, evolve_legal_rates};
use std::{
    collections::BTreeSet,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

/// How long another process may not know of a new month.
const REMEMBERED_FOR: Duration = Duration::from_secs(2);
/// Tenants whose rates are remembered.
const REMEMBERED_TENANTS: u64 = 10_000;

/// Rates, one stream per tenant.
#[derive(Debug, Clone, Copy, Default)]
pub struct LegalRateTables;

impl Aggregate for LegalRateTables {
    type State = LegalRates;
    type Command = RecordLegalRates;
    type Event = LegalRateRecorded;
    type Rejection = LegalRatesRejection;

    fn decide(&self, state: &LegalRates, command: &RecordLegalRates) -> Result<Vec<LegalRateRecorded>, LegalRatesRejection> {
        decide_legal_rates(state, command)
    }

    fn evolve(&self, state: LegalRates, event: &LegalRateRecorded) -> LegalRates {
        evolve_legal_rates(state, event)
    }

    fn encode(&self, event: &LegalRateRecorded) -> NewEvent {
        let payload = wire::encode_legal_rate(event);
        NewEvent { event_type: wire::LEGAL_RATE_RECORDED, schema_version: 1, payload, occurred_at: None, effective_on: None }
    }

    fn decode(&self, told: &Told) -> Result<Option<LegalRateRecorded>, DecodeError> {
        let decoded = wire::decode_legal_rate(&told.event_type, &told.payload);
        decoded.map_err(|fault| DecodeError::new(told, fault.to_string()))
    }
}

/// The stream of a tenant's rates.
pub fn stream(tenant: &str) -> String {
    format!("legal-rates/{tenant}")
}

/// The rates of a tenant, as a log has them.
///
/// # Errors
/// [`LogError`] where the log cannot be read.
pub async fn recorded_rates(log: &Log, tenant: &str) -> Result<LegalRates, LogError> {
    let events = log.told(&[(stream(tenant), 0)]).await?;
    let decode = |event: &Told| LegalRateTables.decode(event).map_err(|error| LogError::Corrupt(error.to_string()));
    events.iter().try_fold(LegalRates::default(), |known, event| {
        Ok(match decode(event)? {
            Some(event) => evolve_legal_rates(known, &event),
            None => known,
        })
    })
}

/// What the events of a request share.
pub fn meta(tenant: &str) -> Meta {
    Meta { tenant: tenant.to_owned(), key: format!("{tenant}/"), traceparent: host::trace::traceparent(), ..Meta::default() }
}

/// Rates as commands read them. Clones share it.
#[derive(Clone)]
pub(crate) struct RateBook {
    pub(crate) writer: Writer<LegalRateTables>,
    known: Cache<String, Arc<LegalRates>>,
    /// The same without end: for what happens by itself, where waiting a day mends what is missing.
    last: Cache<String, Arc<LegalRates>>,
    /// Tenants whose reminders wait for the rate of a month: what the gauge tells.
    missing: Arc<Mutex<BTreeSet<String>>>,
}

impl RateBook {
    pub(crate) fn new(writer: Writer<LegalRateTables>, metrics: &Metrics) -> Self {
        let missing: Arc<Mutex<BTreeSet<String>>> = Arc::default();
        let read = Arc::clone(&missing);
        metrics.gauge("legal_rate_missing", "1 where reminders wait because the legal rate of a month is not recorded", move || {
            let tenants = read.lock().unwrap_or_else(PoisonError::into_inner);
            tenants.iter().map(|tenant| ("tenant", tenant.clone(), 1)).collect()
        });
        Self {
            writer,
            known: Cache::builder().max_capacity(REMEMBERED_TENANTS).time_to_live(REMEMBERED_FOR).build(),
            last: Cache::new(REMEMBERED_TENANTS),
            missing,
        }
    }

    /// Says that a reminder waits for the rate of a month; the log tells it once until rates are recorded.
    pub(crate) fn is_missing(&self, tenant: &str) {
        if self.missing.lock().unwrap_or_else(PoisonError::into_inner).insert(tenant.to_owned()) {
            tracing::warn!(tenant, "reminders wait: the legal rate of a month is not recorded");
        }
    }

    /// The tenant's rates as they were at most two seconds ago; as they are, where this process recorded them. Errors: the log cannot be
    /// read.
    pub(crate) async fn of(&self, tenant: &str) -> Result<Arc<LegalRates>, LogError> {
        if let Some(known) = self.known.get(tenant) {
            return Ok(known);
        }
        let (rates, _) = self.writer.state(&stream(tenant)).await?;
        self.known.insert(tenant.to_owned(), Arc::clone(&rates));
        self.last.insert(tenant.to_owned(), Arc::clone(&rates));
        Ok(rates)
    }

    /// The tenant's rates as they were last read here; none where nobody asked for them since the start.
    pub(crate) fn last_known(&self, tenant: &str) -> Arc<LegalRates> {
        self.last.get(tenant).unwrap_or_default()
    }

    /// Forgets what was remembered of a tenant's rates.
    pub(crate) fn changed(&self, tenant: &str) {
        self.missing.lock().unwrap_or_else(PoisonError::into_inner).remove(tenant);
        self.known.invalidate(tenant);
    }
}
