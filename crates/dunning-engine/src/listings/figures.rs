//! How entries and their removals stand: for metrics and for `regua check`.

use crate::query;
use chrono::NaiveDate;
use eventlog::{Log, projection::Views};
use host::metrics::{Metrics, Reading};
use kernel::{Calendar, Zone};
use std::sync::{Arc, Mutex, PoisonError};

/// Business days before its last day on which a removal counts as due soon.
const SOON_BUSINESS_DAYS: i32 = 2;

/// Removals that nobody confirmed, whoever sees to them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Removals {
    /// The last day is at most two business days away.
    pub soon: u64,
    /// The last day has passed.
    pub late: u64,
}

/// The removals of an installation on a day. Errors: the tables cannot be read, or were never filled.
pub async fn removals(log: &Log, today: NaiveDate) -> anyhow::Result<Removals> {
    of(&Views::of(vec![crate::projections(log)?]), today).await
}

async fn of(views: &Views, today: NaiveDate) -> anyhow::Result<Removals> {
    let soon_until = Calendar::BrSettlement.add_business_days(today, SOON_BUSINESS_DAYS);
    let (soon, late) = query::removals(views, (today, soon_until)).await?;
    Ok(Removals { soon, late })
}

/// Shows the figures to Prometheus; they are asked for whenever somebody looks.
pub(crate) fn show(metrics: &Metrics, views: &Views, today: impl Fn() -> NaiveDate + Send + Sync + 'static) {
    let shown: Arc<Mutex<(Vec<Reading>, Removals)>> = Arc::default();
    let (kept, asked) = (Arc::clone(&shown), views.clone());
    metrics.before_reading(move || {
        let (kept, views, today) = (Arc::clone(&kept), asked.clone(), today());
        async move {
            let open = query::open_listings(&views).await;
            if let (Ok(open), Ok(removals)) = (open, of(&views, today).await) {
                let readings = open.into_iter().map(|(kind, count)| ("kind", kind, count)).collect();
                *kept.lock().unwrap_or_else(PoisonError::into_inner) = (readings, removals);
            }
        }
    });
    let read = Arc::clone(&shown);
    metrics.gauge("open_listings", "Entries at bureaus and protest offices that are there or may be", move || {
        read.lock().unwrap_or_else(PoisonError::into_inner).0.clone()
    });
    metrics.gauge("removals", "Entries that must leave and are not confirmed to have left, by how near the last day is", move || {
        let removals = shown.lock().unwrap_or_else(PoisonError::into_inner).1;
        vec![("due", "soon".to_owned(), removals.soon), ("due", "late".to_owned(), removals.late)]
    });
}

/// The tenant's civil day, for [`show`].
pub(crate) fn today(clock: Arc<dyn eventlog::Clock>, zone: Zone) -> impl Fn() -> NaiveDate + Send + Sync + 'static {
    move || zone.day_of(clock.now())
}
