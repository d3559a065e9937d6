//! Carries entries out: opens one for each executed step, hands its commands over, and notes what the provider says.
//!
//! The clerk follows the service's own log from a place that it keeps in the database, so that nothing is forgotten when the process dies,
//! and goes round the open entries every few seconds. Several processes may do so at once: the stream of an entry decides who hands a
//! command over, because only one of them gets the event that says so.

use super::{EntryKey, Listings, Providers, follow, meta, round};
use crate::{
    Ladders,
    actions::LastLook,
    aggregate::{self, Addressed, Order, Payer},
};
use anyhow::Context;
use chrono::{NaiveDate, TimeDelta};
use contracts::invoice::v1::{GetCustomerRequest, GetCustomerResponse, invoice_service_client::InvoiceServiceClient};
use eventlog::{Activity, Clock, CommandKey, Log, Submission, WriteError, Writer, projection::Views};
use futures::future::BoxFuture;
use host::{
    client::{self, Credentials},
    config::Access,
};
use kernel::{CustomerId, Zone};
use ladder::listing::{self, Command, Listing};
use sha2::{Digest, Sha256};
use std::{
    collections::BTreeMap,
    convert::Infallible,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use tonic::{Status, service::interceptor::InterceptedService};

/// How often the open entries are gone round.
const ROUND_EVERY: Duration = Duration::from_secs(5);
/// How long to wait after the database did not answer.
const BACK_OFF: Duration = Duration::from_millis(500);

/// Asks the owner of invoices who a debtor is, on behalf of a tenant.
pub type FindDebtor = Arc<dyn Fn(String, GetCustomerRequest) -> BoxFuture<'static, Result<GetCustomerResponse, Status>> + Send + Sync>;

/// Asks the invoice service at `url` who a debtor is.
///
/// # Errors
/// The address is no URL, or the authority's file cannot be read.
pub fn debtors_over_grpc(url: &str, access: &Access) -> anyhow::Result<FindDebtor> {
    let owner = InvoiceServiceClient::new(InterceptedService::new(client::channel(url, access)?, Credentials::new(access)?));
    Ok(Arc::new(move |tenant, request| {
        let mut owner = owner.clone();
        Box::pin(async move { Ok(owner.get_customer(client::for_tenant(request, &tenant)).await?.into_inner()) })
    }))
}

/// What the clerk works with; clones share everything.
#[derive(Clone)]
pub struct Clerk {
    /// The entries.
    pub listings: Writer<Listings>,
    /// The ladders.
    pub ladders: Writer<Ladders>,
    /// Their rules.
    pub rules: Arc<Ladders>,
    /// The log that it follows.
    pub log: Log,
    /// The tables, for the open entries.
    pub views: Views,
    /// The only source of time.
    pub clock: Arc<dyn Clock>,
    /// Zone of the tenant's civil dates.
    pub zone: Zone,
    /// The owner's last look.
    pub look: LastLook,
    /// Who a debtor is.
    pub debtors: FindDebtor,
    /// The ways out.
    pub providers: Providers,
    /// When a kind's provider may be tried again, and an entry asked for again. In memory: after a restart both may be at once.
    pub pauses: Pauses,
}

/// Something that must wait: nothing is decided by it.
pub(super) struct Postponed(pub(super) String);

/// Instants before which something is not tried again, by name.
#[derive(Clone, Default)]
pub struct Pauses(Arc<Mutex<BTreeMap<String, chrono::DateTime<chrono::Utc>>>>);

impl Pauses {
    /// Whether a name may be tried now; then not again for a while.
    pub(super) fn take(&self, name: &str, now: chrono::DateTime<chrono::Utc>, pause: TimeDelta) -> bool {
        let free = self.is_free(name, now);
        if free {
            self.put_off(name, now + pause);
        }
        free
    }

    pub(super) fn is_free(&self, name: &str, now: chrono::DateTime<chrono::Utc>) -> bool {
        let until = self.0.lock().unwrap_or_else(PoisonError::into_inner).get(name).copied();
        until.is_none_or(|until| until <= now)
    }

    pub(super) fn put_off(&self, name: &str, until: chrono::DateTime<chrono::Utc>) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).insert(name.to_owned(), until);
    }
}

impl Clerk {
    /// Starts it; it ends by the token. Without a provider nothing runs, and the place is given up: what people list meanwhile is not listed
    /// again once there is one.
    ///
    /// # Errors
    /// The database cannot be read.
    pub async fn spawn(self, activity: &Activity, stop: CancellationToken) -> anyhow::Result<Option<JoinHandle<()>>> {
        if self.providers.is_empty() {
            follow::forget_place(&self.log).await?;
            return Ok(None);
        }
        let place = follow::Place::begin(&self.log).await.context("the log cannot be read")?;
        let (seen, log) = (place.clone(), self.log.clone());
        let registration = activity.register("listings", Box::new(move || seen.position() >= log.known_head()));
        let activity = activity.clone();
        Ok(Some(tokio::spawn(async move {
            let _registration = registration;
            let _ = stop.run_until_cancelled(self.run(place, activity)).await;
        })))
    }

    async fn run(self, place: follow::Place, activity: Activity) {
        let mut head = self.log.watch();
        loop {
            head.borrow_and_update();
            let worked = match follow::page(&self, &place).await {
                Ok(true) => {
                    activity.touch();
                    continue;
                }
                Ok(false) => round::go_round(&self).await,
                Err(postponed) => Err(postponed),
            };
            if let Err(Postponed(reason)) = worked {
                tracing::warn!(reason, "entries at bureaus wait");
                tokio::time::sleep(BACK_OFF).await;
            }
            tokio::select! {
                changed = head.changed() => if changed.is_err() { return },
                () = self.log.look_for_others(ROUND_EVERY) => {}
                () = tokio::time::sleep(ROUND_EVERY) => {}
            }
        }
    }

    /// Follows the log to its head and goes round once.
    ///
    /// # Errors
    /// The reason for which something has to wait.
    pub async fn work_once(&self) -> Result<(), String> {
        let place = follow::Place::begin(&self.log).await.map_err(|error| error.to_string())?;
        let told = |Postponed(reason)| reason;
        while follow::page(self, &place).await.map_err(told)? {}
        round::go_round(self).await.map_err(told)?;
        while follow::page(self, &place).await.map_err(told)? {}
        Ok(())
    }

    /// Notes from now on: what was executed before is not listed.
    ///
    /// # Errors
    /// The database cannot be read.
    pub async fn begin_here(&self) -> anyhow::Result<()> {
        follow::Place::begin(&self.log).await.map(|_| ())
    }

    /// Tells an entry something that nobody carries out.
    #[cfg(test)]
    pub(crate) async fn tell_for_tests(&self, key: &EntryKey, command: Command) {
        assert!(self.tell(key, command).await.is_ok_and(|(changed, _)| changed));
    }

    /// The tenant's civil day.
    pub(super) fn today(&self) -> NaiveDate {
        self.zone.day_of(self.clock.now())
    }

    pub(super) async fn listing(&self, key: &EntryKey) -> Result<Arc<Listing>, Postponed> {
        let (listing, _) = self.listings.state(&key.stream()).await.map_err(|error| Postponed(error.to_string()))?;
        Ok(listing)
    }

    pub(super) async fn payer(&self, tenant: &str, customer_id: &CustomerId) -> Result<Arc<Payer>, Postponed> {
        let stream = aggregate::stream(tenant, customer_id.as_str());
        let (payer, _) = self.ladders.state(&stream).await.map_err(|error| Postponed(error.to_string()))?;
        Ok(payer)
    }

    /// Tells an entry something; whether that changed it, and how it is then.
    pub(super) async fn tell(&self, key: &EntryKey, command: Command) -> Result<(bool, Arc<Listing>), Postponed> {
        match self.listings.submit(Submission::new(key.stream(), meta(key), command)).await {
            Ok(written) => Ok((written.appended.first_version <= written.appended.last_version, written.state)),
            Err(error) => Err(Postponed(unwritten(&error))),
        }
    }

    /// Notes a provider's word, or a person's; whether there is such an entry.
    pub(super) async fn note_word(&self, key: &EntryKey, word: super::provider::Word, by: &str) -> Result<bool, Postponed> {
        let super::provider::Word { answer, reason, reference } = word;
        let by = by.to_owned();
        let command = Command::Answer { answer, reason, reference, by, at: self.clock.now() };
        let (_, listing) = self.tell(key, command).await?;
        Ok(listing.opened.is_some())
    }

    /// Tells a ladder what became of an entry, once for each event that says so.
    pub(super) async fn tell_ladder(
        &self,
        key: &EntryKey,
        note: ladder::ladder::ListingNote,
        event_position: u64,
    ) -> Result<(), Postponed> {
        let command = ladder::Command::NoteListing {
            invoice_id: key.invoice_id.clone(),
            cycle: key.cycle,
            step_id: key.step_id.clone(),
            day: self.today(),
            note,
        };
        let (tenant, customer_id) = (key.tenant.to_string(), key.customer_id.clone());
        let (to, meta) = (aggregate::stream(&tenant, customer_id.as_str()), aggregate::meta(&tenant, customer_id.as_str()));
        let id = format!("listing.{event_position}");
        let command_key = CommandKey { body_hash: Sha256::digest(&id).into(), id };
        let order = Addressed { tenant, customer_id, order: Order::Ladder(command) };
        match self.ladders.submit(Submission::new(to, meta, order).with_key(command_key)).await {
            Ok(_) => Ok(()),
            Err(error @ (WriteError::Unavailable(_) | WriteError::DiskFull)) => Err(Postponed(error.to_string())),
            Err(error) => {
                tracing::error!(entry = %key, %error, "a ladder could not be told of an entry");
                Ok(())
            }
        }
    }
}

fn unwritten(error: &WriteError<Infallible>) -> String {
    format!("an entry could not be written: {error}")
}

/// What a track's obligation is: the days are those of the task that asked for the removal.
pub(super) fn obligation(
    clerk: &Clerk,
    payer: &Payer,
    invoice_id: &kernel::InvoiceId,
    days: (NaiveDate, NaiveDate),
) -> Option<listing::Obligation> {
    let track = payer.ladder.tracks.get(invoice_id)?;
    let book = clerk.rules.books().of(&payer.tenant);
    let calendar = track.policy(&*book).map(ladder::Policy::calendar);
    Some(listing::due_removal(track, calendar.unwrap_or(kernel::Calendar::BrSettlement), days))
}
