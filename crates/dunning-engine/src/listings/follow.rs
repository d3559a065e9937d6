//! What the log says that entries must hear of, and what they say that people must hear of.

use super::EntryKey;
use super::clerk::{Clerk, Postponed, obligation};
use super::provider::Word;
use crate::wire::{self, Fact};
use eventlog::{Log, Recorded};
use kernel::{NaiveDate, StepId, TenantId};
use ladder::{
    Event, TaskReason,
    ladder::{Closing, ListingNote},
    listing::{self, Alarm, Answer, Command, Phase},
    track::{End, FIRST_OCCURRENCE},
};
use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering},
};

/// Events read at a time.
const PAGE: usize = 512;
/// Events after which the place is stored although none was about entries.
const STORE_EVERY: u64 = 1_000;
/// Who speaks where it is not a person.
const MACHINES: [&str; 2] = [PROVIDER, ENGINE];
/// The provider's word.
pub(super) const PROVIDER: &str = "provider";
/// Our own.
pub(super) const ENGINE: &str = "engine";

/// A place in the log, in the database.
#[derive(Clone)]
pub(super) struct Place {
    position: Arc<AtomicU64>,
    stored: Arc<AtomicU64>,
}

impl Place {
    /// Where it was, else the end of the log: what was executed before there was a provider was listed by people.
    pub async fn begin(log: &Log) -> anyhow::Result<Self> {
        let rows = match log.db() {
            Some(db) => db.query("SELECT position FROM action_place WHERE name = 'listings'", &[]).await?,
            None => Vec::new(),
        };
        let head = log.head().await?;
        let known = rows.first().map(|row| row.int("position")).transpose()?;
        let at = known.map_or(head, i64::unsigned_abs);
        let place = Self { position: Arc::new(AtomicU64::new(at)), stored: Arc::new(AtomicU64::new(at)) };
        if known.is_none() {
            place.store(log).await?;
        }
        Ok(place)
    }

    pub fn position(&self) -> u64 {
        self.position.load(Ordering::SeqCst)
    }

    async fn store(&self, log: &Log) -> Result<(), sql::SqlError> {
        let Some(db) = log.db() else { return Ok(()) };
        let position = self.position();
        let text = "INSERT INTO action_place (name, position) VALUES ('listings', $1) \
                    ON CONFLICT (name) DO UPDATE SET position = excluded.position WHERE action_place.position < excluded.position";
        let mut tx = db.begin().await?;
        tx.execute(text, &[i64::try_from(position).unwrap_or(i64::MAX).into()]).await?;
        tx.commit().await?;
        self.stored.store(position, Ordering::SeqCst);
        Ok(())
    }
}

/// Gives the place up.
pub(super) async fn forget_place(log: &Log) -> anyhow::Result<()> {
    let Some(db) = log.db() else { return Ok(()) };
    let mut tx = db.begin().await?;
    tx.execute("DELETE FROM action_place WHERE name = 'listings'", &[]).await?;
    Ok(tx.commit().await?)
}

/// Hears one page; false when there was none.
pub(super) async fn page(clerk: &Clerk, place: &Place) -> Result<bool, Postponed> {
    let after = place.position();
    if after >= clerk.log.known_head() {
        return Ok(false);
    }
    let events = clerk.log.read(after, PAGE).await.map_err(|error| Postponed(error.to_string()))?;
    let Some(last) = events.last().map(|event| event.position) else { return Ok(false) };
    let mut heard = false;
    for event in &events {
        heard |= hear(clerk, event).await?;
    }
    place.position.store(last, Ordering::SeqCst);
    if heard || last - place.stored.load(Ordering::SeqCst) >= STORE_EVERY {
        place.store(&clerk.log).await.map_err(|error| Postponed(error.to_string()))?;
    }
    Ok(true)
}

/// Whether it was about entries.
async fn hear(clerk: &Clerk, event: &Recorded) -> Result<bool, Postponed> {
    if let Some(key) = EntryKey::of_stream(&event.stream) {
        of_entry(clerk, &key, event).await?;
        return Ok(true);
    }
    if !["StepsClosed", "TaskRaised", "TaskDone"].contains(&event.event_type.as_str()) {
        return Ok(false);
    }
    let fact = wire::decode(&event.tenant, &event.event_type, &event.payload);
    let Some(fact) = fact.inspect_err(|fault| tracing::error!(%fault, "an event cannot be read")).ok().flatten() else { return Ok(false) };
    let Ok(tenant) = TenantId::new(&fact.tenant) else { return Ok(false) };
    of_ladder(clerk, &tenant, &fact).await
}

async fn of_ladder(clerk: &Clerk, tenant: &TenantId, fact: &Fact) -> Result<bool, Postponed> {
    if let Event::StepsClosed { invoice_id, cycle, closings, .. } = &fact.event {
        let mut heard = false;
        for closing in closings.iter().filter(|closing| is_action(closing)) {
            let key = entry(tenant, fact, (invoice_id, *cycle, &closing.step_id, closing.occurrence));
            heard |= open(clerk, key).await?;
        }
        return Ok(heard);
    }
    if let Event::TaskRaised { invoice_id, cycle, day, reason, step_id: Some(step_id), until: Some(until) } = &fact.event {
        if !asks_for_removal(*reason) {
            return Ok(false);
        }
        let key = entry(tenant, fact, (invoice_id, *cycle, step_id, FIRST_OCCURRENCE));
        require(clerk, &key, (*day, *until)).await?;
        return Ok(true);
    }
    if let Event::TaskDone { task, by, .. } = &fact.event {
        let Some(step_id) = task.step_id.as_ref().filter(|_| says_removed(task.reason)) else { return Ok(false) };
        if MACHINES.contains(&by.as_str()) {
            return Ok(false);
        }
        let key = entry(tenant, fact, (&task.invoice_id, task.cycle, step_id, FIRST_OCCURRENCE));
        let word = Word { answer: Answer::Removed, reason: String::new(), reference: String::new() };
        clerk.note_word(&key, word, by).await?;
        return Ok(true);
    }
    Ok(false)
}

fn entry(tenant: &TenantId, fact: &Fact, of: (&kernel::InvoiceId, u32, &StepId, u32)) -> EntryKey {
    let (invoice_id, cycle, step_id, occurrence) = of;
    let customer_id = fact.customer_id.clone();
    EntryKey { tenant: tenant.clone(), customer_id, invoice_id: invoice_id.clone(), cycle, step_id: step_id.clone(), occurrence }
}

/// Executed without a contact: what it is the state tells.
fn is_action(closing: &Closing) -> bool {
    matches!(closing.end, End::Executed { contact_id: None, .. })
}

fn asks_for_removal(reason: TaskReason) -> bool {
    [TaskReason::RemoveBureauListing, TaskReason::RemoveProtest].contains(&reason)
}

/// A person who has done this has seen to the removal.
fn says_removed(reason: TaskReason) -> bool {
    asks_for_removal(reason) || reason == TaskReason::RemovalRefused
}

/// Opens the entry of an executed step, where somebody carries its kind out; whether it is a step of such a kind.
async fn open(clerk: &Clerk, key: EntryKey) -> Result<bool, Postponed> {
    let payer = clerk.payer(key.tenant.as_str(), &key.customer_id).await?;
    let Some(track) = payer.ladder.tracks.get(&key.invoice_id) else { return Ok(false) };
    let books = clerk.rules.books();
    let mut book = books.of(key.tenant.as_str());
    if track.policy(&*book).is_none() {
        // Another process published it a moment ago and has carried the step out: what is not opened now never is.
        books.refresh().await.map_err(|error| Postponed(error.to_string()))?;
        book = books.of(key.tenant.as_str());
    }
    let Some(policy) = track.policy(&*book) else { return Ok(false) };
    let of_step = (key.cycle, &key.step_id, key.occurrence);
    let asked = listing::request(&key.customer_id, (track, policy), of_step, clerk.rules.approvals_given());
    let Some((opened, missing)) = asked else { return Ok(false) };
    // Heard all the same: whoever is named for the kind later does not hear of it again.
    if clerk.providers.of(opened.kind).is_none() {
        return Ok(true);
    }
    if let Some(missing) = missing {
        tracing::warn!(entry = %key, missing = missing.slug(), "an entry lacks a prerequisite and is not handed over");
    }
    clerk.tell(&key, Command::Request { opened, missing, at: clerk.clock.now() }).await?;
    Ok(true)
}

async fn require(clerk: &Clerk, key: &EntryKey, days: (NaiveDate, NaiveDate)) -> Result<(), Postponed> {
    let payer = clerk.payer(key.tenant.as_str(), &key.customer_id).await?;
    let Some(obligation) = obligation(clerk, &payer, &key.invoice_id, days) else { return Ok(()) };
    clerk.tell(key, Command::Require { obligation, at: clerk.clock.now() }).await?;
    Ok(())
}

/// What people must hear of an entry.
async fn of_entry(clerk: &Clerk, key: &EntryKey, event: &Recorded) -> Result<(), Postponed> {
    let decoded = wire::decode_listing(&event.event_type, &event.payload);
    let Some(heard) = decoded.inspect_err(|fault| tracing::error!(%fault, "an event cannot be read")).ok().flatten() else { return Ok(()) };
    let listing = clerk.listing(key).await?;
    let (Some(phase), until) = (listing.phase(), listing.obligation.as_ref().map(|obligation| obligation.until)) else { return Ok(()) };
    let gone = |by: &str| (phase.is_over() && until.is_some()).then(|| ListingNote::Gone { by: by.to_owned() });
    let note = match heard {
        listing::Event::Requested { .. } | listing::Event::Sent { .. } | listing::Event::Lost { .. } => None,
        listing::Event::Answered { answer: Answer::Refused, .. } if phase == Phase::Refused && until.is_none() => {
            Some(ListingNote::Refused)
        }
        listing::Event::Answered { answer: Answer::RemovalRefused, .. } if phase == Phase::RemovalRefused => {
            Some(ListingNote::RemovalRefused { until: until.unwrap_or_else(|| clerk.today()) })
        }
        listing::Event::Answered { by, .. } => gone(&by),
        listing::Event::Withdrawn { .. } | listing::Event::RemovalRequired { .. } => gone(ENGINE),
        listing::Event::RemovalAlarmed { alarm, until, .. } => {
            tracing::error!(entry = %key, %until, alarm = alarm.slug(), "an entry that must leave is not confirmed to have left");
            Some(match alarm {
                Alarm::Near => ListingNote::Near { until },
                Alarm::Late => ListingNote::Late { until },
            })
        }
    };
    match note {
        Some(note) => clerk.tell_ladder(key, note, event.position).await,
        None => Ok(()),
    }
}
