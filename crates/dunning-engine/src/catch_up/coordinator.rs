//! Plans a tenant's catch-up over all payers that wait, and lets them go at the tenant's pace once it is approved.
//!
//! It follows the service's own log from a place that it keeps in the database. A report is written when all timers that were due have
//! fired: then everybody who was late waits. Several processes may do this at once: a report covers each place of the log once, and
//! letting a payer go twice changes nothing.

use super::book::Tenant;
use super::{Book, CatchUps, Change, meta, stream};
use crate::{
    Ladders,
    aggregate::{self, Addressed, Order},
};
use anyhow::Context;
use chrono::{DateTime, TimeDelta, Utc};
use eventlog::{Activity, Clock, Log, Submission, WriteError, Writer};
use kernel::{CustomerId, Zone};
use ladder::{Command, catch_up::Forecast};
use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::Duration,
};
use tokio::{sync::watch, task::JoinHandle};
use tokio_util::sync::CancellationToken;

/// Events read at a time.
const PAGE: usize = 512;
/// How long to wait after the database did not answer.
const BACK_OFF: Duration = Duration::from_millis(500);
/// How often to look for what other processes appended, and whether timers that were due have fired.
const LOOK_EVERY: Duration = Duration::from_secs(1);
/// How often to look whether timers that were due have fired.
const SETTLE_EVERY: Duration = Duration::from_millis(10);
/// Looks after which a report is written although timers are due: a stream that cannot be woken must not hold up the others.
const MOST_LOOKS: u32 = 1_000;
/// Events after which the place is stored.
const STORE_EVERY: u64 = 1_000;

/// What the coordinator works with.
pub struct Coordinator {
    /// The ladders.
    pub ladders: Writer<Ladders>,
    /// The tenants' catch-ups.
    pub catch_ups: Writer<CatchUps>,
    /// The log that it follows.
    pub log: Log,
    /// The only source of time.
    pub clock: Arc<dyn Clock>,
    /// Zone of the tenant's civil dates.
    pub zone: Zone,
    /// Contacts of a day that need no approval.
    pub approval_above: u32,
    /// Contacts a minute; at least one.
    pub contacts_per_minute: u32,
    /// Approvals are given once for all, and nothing is throttled.
    pub approvals_given: bool,
}

impl Coordinator {
    /// Starts it; it ends by the token.
    ///
    /// # Errors
    /// The database cannot be read.
    pub async fn spawn(self, activity: &Activity, stop: CancellationToken) -> anyhow::Result<JoinHandle<()>> {
        let place = self.stored_place().await?;
        self.log.head().await.context("the log cannot be read")?;
        let at_rest = Arc::new(AtomicBool::new(false));
        let position = Arc::new(AtomicU64::new(place));
        let (checked, seen, log) = (Arc::clone(&at_rest), Arc::clone(&position), self.log.clone());
        let idle = move || checked.load(Ordering::SeqCst) && seen.load(Ordering::SeqCst) >= log.known_head();
        let registration = activity.register("catch-ups", Box::new(idle));
        let (book, activity) = (Book::default(), activity.clone());
        let running = Running { coordinator: self, book, position, stored: place, next_release_at: None, looks: 0, at_rest, activity };
        Ok(tokio::spawn(async move {
            let _registration = registration;
            let _ = stop.run_until_cancelled(running.run()).await;
        }))
    }

    async fn stored_place(&self) -> anyhow::Result<u64> {
        let Some(db) = self.log.db() else { return Ok(0) };
        let rows = db.query("SELECT position FROM action_place WHERE name = 'catch-ups'", &[]).await?;
        Ok(rows.first().map_or(Ok(0), |row| row.int("position"))?.unsigned_abs())
    }

    async fn store_place(&self, position: u64) -> Result<(), String> {
        let Some(db) = self.log.db() else { return Ok(()) };
        let text = "INSERT INTO action_place (name, position) VALUES ('catch-ups', $1) \
                    ON CONFLICT (name) DO UPDATE SET position = excluded.position WHERE action_place.position < excluded.position";
        let store = async {
            let mut tx = db.begin().await?;
            tx.execute(text, &[i64::try_from(position).unwrap_or(i64::MAX).into()]).await?;
            tx.commit().await
        };
        store.await.map_err(|error: sql::SqlError| error.to_string())
    }

    /// Writes the report of all who wait and are in none.
    async fn plan(&self, name: &str, tenant: &Tenant) -> Result<(), String> {
        let (Some(first), Some(last)) = (tenant.gathered.first(), tenant.gathered.last()) else { return Ok(()) };
        let mut forecast = Forecast::default();
        tenant.gathered.iter().for_each(|waiting| forecast.add(&waiting.forecast));
        let change = Change::Plan {
            day: self.zone.day_of(self.clock.now()),
            from_position: first.position,
            until_position: last.position,
            payers: u32::try_from(tenant.gathered.len()).unwrap_or(u32::MAX),
            forecast,
            approval_above: self.approval_above,
            approvals_given: self.approvals_given,
        };
        match self.catch_ups.submit(Submission::new(stream(name), meta(name), change)).await {
            Ok(_) | Err(WriteError::Rejected(_)) => Ok(()),
            Err(error) => Err(error.to_string()),
        }
    }

    async fn let_go(&self, tenant: &str, customer_id: &CustomerId, number: u32, released: bool) -> Result<(), String> {
        let command = Command::EndCatchUp { number, released, now: self.clock.now() };
        let order = Addressed { tenant: tenant.to_owned(), customer_id: customer_id.clone(), order: Order::Ladder(command) };
        let to = aggregate::stream(tenant, customer_id.as_str());
        match self.ladders.submit(Submission::new(to, aggregate::meta(tenant, customer_id.as_str()), order)).await {
            Ok(_) => Ok(()),
            Err(error @ (WriteError::Unavailable(_) | WriteError::DiskFull)) => Err(error.to_string()),
            Err(error) => {
                tracing::error!(%customer_id, %error, "a payer cannot be let go");
                Ok(())
            }
        }
    }
}

struct Running {
    coordinator: Coordinator,
    book: Book,
    position: Arc<AtomicU64>,
    stored: u64,
    /// The next minute of the tenant's pace.
    next_release_at: Option<DateTime<Utc>>,
    /// How often timers that were due had not fired yet.
    looks: u32,
    /// Nobody waits but for a person or for the clock.
    at_rest: Arc<AtomicBool>,
    activity: Activity,
}

/// What to wait for.
enum Rest {
    /// The log's next event.
    Log,
    /// Timers that are due.
    Timers,
    /// The log's next event, or an instant.
    Until(DateTime<Utc>),
}

impl Running {
    async fn run(mut self) {
        let mut head = self.coordinator.log.watch();
        loop {
            head.borrow_and_update();
            match self.step().await {
                Ok(None) => {}
                Ok(Some(rest)) => self.rest(rest, &mut head).await,
                Err(reason) => {
                    tracing::warn!(reason, "catch-ups wait");
                    tokio::time::sleep(BACK_OFF).await;
                }
            }
        }
    }

    /// Does what can be done; `None` where there may be more.
    async fn step(&mut self) -> Result<Option<Rest>, String> {
        if self.read().await? {
            return Ok(None);
        }
        let waits = |(name, tenant): (&String, &Tenant)| (!tenant.gathered.is_empty()).then(|| name.clone());
        let waiting: Vec<String> = self.book.tenants.iter().filter_map(waits).collect();
        if !waiting.is_empty() {
            let due = self.coordinator.log.timers_due().await.map_err(|error| error.to_string())?;
            self.looks += 1;
            if due > 0 && self.looks < MOST_LOOKS {
                return Ok(Some(Rest::Timers));
            }
            self.looks = 0;
            for name in waiting {
                let tenant = self.book.tenants.get(&name).cloned().unwrap_or_default();
                self.coordinator.plan(&name, &tenant).await?;
            }
            return Ok(None);
        }
        if self.next_release_at.is_none_or(|at| at <= self.coordinator.clock.now()) {
            let more = self.release().await?;
            self.next_release_at = more.then(|| self.coordinator.clock.now() + TimeDelta::minutes(1));
        }
        self.store().await?;
        Ok(Some(self.next_release_at.map_or(Rest::Log, Rest::Until)))
    }

    /// Takes in one page; false when there was none.
    async fn read(&mut self) -> Result<bool, String> {
        let after = self.position.load(Ordering::SeqCst);
        if after >= self.coordinator.log.known_head() {
            return Ok(false);
        }
        let events = self.coordinator.log.read(after, PAGE).await.map_err(|error| error.to_string())?;
        let Some(last) = events.last().map(|event| event.position) else { return Ok(false) };
        for event in &events {
            if let Err(fault) = self.book.absorb(event) {
                tracing::error!(position = event.position, %fault, "an event of a catch-up cannot be read");
            }
        }
        self.position.store(last, Ordering::SeqCst);
        self.activity.touch();
        Ok(true)
    }

    /// Lets go as many as the pace of a minute allows; true where more wait for the next.
    async fn release(&mut self) -> Result<bool, String> {
        let pace = if self.coordinator.approvals_given { usize::MAX } else { self.coordinator.contacts_per_minute.max(1) as usize };
        let mut more = false;
        for (name, tenant) in &self.book.tenants {
            let decided = tenant.batches.iter().filter_map(|(number, batch)| Some((*number, batch.released?, batch)));
            let waiting: Vec<_> =
                decided.flat_map(|(number, released, batch)| batch.payers.keys().map(move |payer| (number, released, payer))).collect();
            more |= waiting.len() > pace;
            for (number, released, customer_id) in waiting.into_iter().take(pace) {
                self.coordinator.let_go(name, customer_id, number, released).await?;
            }
        }
        Ok(more)
    }

    /// Remembers the place before which nobody waits; not at each event of a quiet log.
    async fn store(&mut self) -> Result<(), String> {
        let read = self.position.load(Ordering::SeqCst);
        let place = self.book.first_position().map_or(read, |first| first.saturating_sub(1).min(read));
        if place >= self.stored + STORE_EVERY {
            self.coordinator.store_place(place).await?;
            self.stored = place;
        }
        Ok(())
    }

    async fn rest(&self, rest: Rest, head: &mut watch::Receiver<u64>) {
        let clock = &self.coordinator.clock;
        let until = match rest {
            Rest::Timers => return tokio::time::sleep(SETTLE_EVERY).await,
            Rest::Log => None,
            Rest::Until(at) => Some(at),
        };
        let sleep = async { if let Some(at) = until { clock.sleep_until(at).await } else { std::future::pending().await } };
        tokio::pin!(sleep);
        // A virtual clock counts the sleeper only once it was polled: rest is announced after that.
        if futures::poll!(sleep.as_mut()).is_ready() {
            return;
        }
        self.at_rest.store(true, Ordering::SeqCst);
        self.activity.touch();
        tokio::select! {
            () = &mut sleep => {}
            () = self.coordinator.log.look_for_others(LOOK_EVERY) => {}
            changed = head.changed() => if changed.is_err() { std::future::pending::<()>().await },
        }
        // Before the sleeper is taken out: a virtual clock that sees no sleeper must not find this at rest.
        self.at_rest.store(false, Ordering::SeqCst);
    }
}
