//! What must be known before an agreement breaks by itself: the legal rates, and whether payments may be missing.

use crate::{
    aggregate::{self, Accounts},
    feed::FeedWatch,
    legal_rates::RateBook,
};
use chrono::{DateTime, Utc};
use eventlog::{DueStream, LogError, Submission, timers::Briefing};
use kernel::Zone;
use std::collections::BTreeSet;

/// Wakes accounts whose agreements may break. Clones share what they know.
#[derive(Clone)]
pub(crate) struct Breaches {
    pub(crate) rates: RateBook,
    pub(crate) feeds: FeedWatch,
    /// Zone of the tenant's civil dates.
    pub(crate) zone: Zone,
}

impl Breaches {
    /// The command for a payer whose agreements may break, by what was read last.
    pub(crate) fn wake(&self, due: &DueStream, now: DateTime<Utc>) -> Submission<Accounts> {
        let known = (self.rates.last_known(&due.tenant), self.feeds.was_stale(&due.tenant));
        aggregate::wake(due, now, (self.zone, known))
    }
}

#[async_trait::async_trait]
impl Briefing for Breaches {
    async fn brief(&self, tenants: &BTreeSet<String>, now: DateTime<Utc>) -> Result<(), LogError> {
        for tenant in tenants {
            self.rates.of(tenant).await?;
            self.feeds.is_stale(tenant, now).await?;
        }
        Ok(())
    }
}
