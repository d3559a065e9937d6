//! Carries contacts out: looks a last time, gates, hands over, and tells what came of it.
//!
//! One lane a payer: a payer's contacts go one after the other in the order of [`notice::due`], many payers at once.
//! What is to be done is read from the payer's state, never from what woke the lane; being woken twice does nothing
//! twice. A start is stored before a provider is called. Nothing is sent without the owner's last look.
//!
//! Lanes are woken by the log (a contact was composed, a channel failed) and by the payer's timers, which come again
//! for as long as something is due: what a crash or an owner out of reach has left is taken up by them.

mod attempt;
mod follow;
mod hand_over;
mod owner;

pub use owner::{OwnerClient, owner};

use crate::{
    aggregate::{self, Addressed, AllContacts, Book},
    channel::{AttemptKey, Channels},
    holidays::HolidayBook,
    template::{Creditor, Templates},
};
use eventlog::{
    Activity, Clock, DueStream, Log, Shards, Submission, WriteError, Writer,
    activity::{Busy, InFlight},
    bus::partition::partition_of,
};
use host::{metrics::Metrics, trace};
use kernel::{ContactId, CustomerId, DateTime, TenantId, Utc};
use notice::{CloseStale, Command, Rejection};
use opentelemetry::metrics::Counter;
use std::{
    collections::{HashMap, hash_map::Entry},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;
use tracing::Instrument;

/// Payers whose contacts are carried out at the same time.
const LANES: usize = 64;

/// What effects work with.
pub struct Wiring {
    /// The contacts.
    pub writer: Writer<AllContacts>,
    /// Local holidays that the engine told.
    pub holidays: HolidayBook,
    /// Ways out.
    pub channels: Arc<Channels>,
    /// Texts.
    pub templates: Arc<Templates>,
    /// Who is owed.
    pub creditor: Creditor,
    /// The owner of balances and addresses.
    pub owner: OwnerClient,
    /// The only source of time.
    pub clock: Arc<dyn Clock>,
    /// Whose payers this process reaches.
    pub shards: Shards,
    /// Partitions of the keys of payers.
    pub partitions: i32,
    /// Cancelled when no new contact is to be begun.
    pub stop: CancellationToken,
}

/// The executor; clones share it.
#[derive(Clone)]
pub struct Effects {
    shared: Arc<Shared>,
}

struct Shared {
    wiring: Wiring,
    activity: Activity,
    in_flight: InFlight,
    lanes: Mutex<HashMap<Payer, Lane>>,
    places: Arc<Semaphore>,
    /// Attempts that a provider certainly did not take, with the reason; they may be tried again whatever the channel.
    /// Lost with the process: then nobody knows.
    not_taken: Mutex<HashMap<AttemptKey, String>>,
    sent: Counter<u64>,
    looks_unanswered: Counter<u64>,
    paced: Counter<u64>,
}

/// Whose contacts.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct Payer {
    tenant: TenantId,
    customer_id: CustomerId,
}

/// A lane that runs.
#[derive(Debug, Default)]
struct Lane {
    /// Something came up since it looked.
    again: bool,
}

/// Why a lane ends before all is done. Its payer's timers wake it again.
#[derive(Debug, thiserror::Error)]
enum Stalled {
    #[error("the owner does not answer: {0}")]
    Owner(String),
    #[error("the log does not answer: {0}")]
    Log(String),
}

impl From<WriteError<Rejection>> for Stalled {
    fn from(error: WriteError<Rejection>) -> Self {
        Stalled::Log(error.to_string())
    }
}

/// Closes a lane that ends otherwise than by itself: a panic must not leave its payer without a lane for ever.
struct OpenLane<'a> {
    effects: &'a Effects,
    payer: &'a Payer,
    closed: bool,
}

impl Drop for OpenLane<'_> {
    fn drop(&mut self) {
        if !self.closed {
            self.effects.lanes().remove(self.payer);
        }
    }
}

impl Payer {
    fn stream(&self) -> String {
        aggregate::stream(self.tenant.as_str(), self.customer_id.as_str())
    }

    fn of(tenant: &str, stream: &str) -> Option<Self> {
        let customer_id = CustomerId::new(aggregate::customer_of(tenant, stream)?).ok()?;
        Some(Self { tenant: TenantId::new(tenant).ok()?, customer_id })
    }

    fn submission(&self, command: Command) -> Submission<AllContacts> {
        let meta = aggregate::meta(self.tenant.as_str(), self.customer_id.as_str());
        Submission::new(self.stream(), meta, Addressed::new(self.customer_id.clone(), command))
    }
}

impl Effects {
    /// An executor at rest. `activity` waits for what it has in hand.
    pub fn new(wiring: Wiring, activity: &Activity, metrics: &Metrics) -> Self {
        let shared = Shared {
            wiring,
            activity: activity.clone(),
            in_flight: activity.in_flight("effects"),
            lanes: Mutex::default(),
            places: Arc::new(Semaphore::new(LANES)),
            not_taken: Mutex::default(),
            sent: metrics.counter("sent", "Messages handed to a channel, by what it answered"),
            looks_unanswered: metrics.counter("looks_unanswered", "Last looks that the owner did not answer"),
            paced: metrics.counter("paced", "Looks that were put off because a channel was at its rate"),
        };
        Self { shared: Arc::new(shared) }
    }

    /// The command of a timer; the payer's lane looks as well.
    pub fn wake(&self, due: &DueStream, now: DateTime<Utc>) -> Submission<AllContacts> {
        let payer = Payer::of(&due.tenant, &due.stream).expect("streams are named after tenants and payers that have valid ids");
        self.offer(payer.clone());
        let mut submission = payer.submission(Command::CloseStale(CloseStale { now }));
        submission.meta.traceparent = trace::begun("wake contacts");
        submission
    }

    /// Lets a payer's lane look for what is due.
    fn offer(&self, payer: Payer) {
        if !self.owns(&payer) || self.shared.wiring.stop.is_cancelled() {
            return;
        }
        match self.lanes().entry(payer.clone()) {
            Entry::Occupied(mut running) => running.get_mut().again = true,
            Entry::Vacant(free) => {
                free.insert(Lane::default());
                tokio::spawn(self.clone().run_lane(payer, self.shared.in_flight.start()));
            }
        }
    }

    fn owns(&self, payer: &Payer) -> bool {
        let key = format!("{}/{}", payer.tenant, payer.customer_id);
        match &self.shared.wiring.shards {
            Shards::All => true,
            Shards::Owned(owned) => owned.borrow().contains(&partition_of(&key, self.shared.wiring.partitions)),
        }
    }

    async fn run_lane(self, payer: Payer, _busy: Busy) {
        // The semaphore is never closed; a place is given back when the lane ends.
        let _place = Arc::clone(&self.shared.places).acquire_owned().await;
        let mut open = OpenLane { effects: &self, payer: &payer, closed: false };
        loop {
            if let Err(stalled) = self.carry_out(&payer).await {
                tracing::warn!(tenant = %payer.tenant, %stalled, "contacts wait");
            }
            let mut lanes = self.lanes();
            match lanes.get_mut(&payer) {
                Some(lane) if lane.again && !self.shared.wiring.stop.is_cancelled() => lane.again = false,
                _ => {
                    lanes.remove(&payer);
                    open.closed = true;
                    return;
                }
            }
        }
    }

    /// Does all that is due for a payer now.
    async fn carry_out(&self, payer: &Payer) -> Result<(), Stalled> {
        let mut book = self.book(payer).await?;
        self.take_up(payer, &mut book).await?;
        let mut unmoved: Option<ContactId> = None;
        while !self.shared.wiring.stop.is_cancelled() {
            let due = notice::due(&book.contacts, self.shared.wiring.clock.now());
            let Some(contact_id) = due.into_iter().next().filter(|first| unmoved.as_ref() != Some(first)) else { return Ok(()) };
            let span = self.trace_of(payer, &contact_id).await;
            match self.look_and_hand_over(payer, &book, &contact_id).instrument(span).await? {
                Some(after) => (book, unmoved) = (after, None),
                // Another process was faster, or it is not time yet: once more on what is true now, then leave it alone.
                None => (book, unmoved) = (self.book(payer).await?, Some(contact_id)),
            }
        }
        Ok(())
    }

    async fn book(&self, payer: &Payer) -> Result<Arc<Book>, Stalled> {
        let read = self.shared.wiring.writer.state(&payer.stream()).await;
        read.map(|(book, _)| book).map_err(|error| Stalled::Log(error.to_string()))
    }

    fn log(&self) -> &Log {
        self.shared.wiring.writer.log()
    }

    fn lanes(&self) -> MutexGuard<'_, HashMap<Payer, Lane>> {
        self.shared.lanes.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
