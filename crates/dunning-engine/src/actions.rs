//! Steps that are no contact (task, bureau, protest, hand-off): done once their `ActionDue` is stored.
//!
//! The executor follows the service's own log from a place that it keeps in the database, so an action that was due when the process died
//! is found again. Before it acts it asks the owner of the balance, as a contact would. What it does is to conclude the step: the fact
//! itself is what a person, a bureau or a collector works from. Doing an action again changes nothing: a step that is not claimed is left
//! alone, and the command's id comes from the occurrence and its day.

mod owner;

pub use owner::{LastLook, outcome_of, over_grpc};

use crate::{
    Ladders,
    aggregate::{Addressed, Order, Payer, meta, stream},
    wire::{self, Fact},
};
use anyhow::Context;
use contracts::invoice::v1 as invoice;
use eventlog::{Activity, Clock, CommandKey, Log, Recorded, Submission, WriteError, Writer};
use futures::{StreamExt, TryStreamExt, stream as pages};
use host::trace;
use kernel::Zone;
use ladder::{Command, Event, ladder::ActionOutcome, track::OccurrenceState};
use sha2::{Digest, Sha256};
use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use tracing::{Instrument, Span};

/// Events read at a time.
const PAGE: usize = 512;
/// Actions in hand at a time.
const IN_HAND: usize = 8;
/// Events without an action after which the place is stored all the same.
const STORE_EVERY: u64 = 10_000;
/// How long to wait after the owner or the database did not answer.
const BACK_OFF: Duration = Duration::from_millis(500);
/// How often to look for what other processes appended.
const LOOK_EVERY: Duration = Duration::from_secs(1);
/// Longest id of a contact, in characters.
const CONTACT_ID_CHARS: usize = kernel::ids::MAX_ID_CHARS;

/// What the executor works with.
pub struct Executor {
    /// The ladders.
    pub writer: Writer<Ladders>,
    /// Their rules, for the payer's zone.
    pub ladders: Arc<Ladders>,
    /// The log that it follows.
    pub log: Log,
    /// The only source of time.
    pub clock: Arc<dyn Clock>,
    /// The owner's last look.
    pub look: LastLook,
}

/// An action whose outcome nobody knows yet: the page is done again.
struct Postponed(String);

impl Executor {
    /// Starts it; it ends by the token. While an action is due it is not idle.
    ///
    /// # Errors
    /// The database cannot be read.
    pub async fn spawn(self, activity: &Activity, stop: CancellationToken) -> anyhow::Result<JoinHandle<()>> {
        let place = self.stored_place().await?;
        self.log.head().await.context("the log cannot be read")?;
        let position = Arc::new(AtomicU64::new(place));
        let (checked, log) = (Arc::clone(&position), self.log.clone());
        let idle = move || checked.load(Ordering::SeqCst) >= log.known_head();
        let registration = activity.register("actions", Box::new(idle));
        let running = Running { executor: self, position, stored: place, activity: activity.clone() };
        Ok(tokio::spawn(async move {
            let _registration = registration;
            let _ = stop.run_until_cancelled(running.run()).await;
        }))
    }

    async fn stored_place(&self) -> anyhow::Result<u64> {
        let Some(db) = self.log.db() else { return Ok(0) };
        let rows = db.query("SELECT position FROM action_place WHERE name = 'actions'", &[]).await?;
        Ok(rows.first().map_or(Ok(0), |row| row.int("position"))?.unsigned_abs())
    }

    async fn store_place(&self, position: u64) -> Result<(), sql::SqlError> {
        let Some(db) = self.log.db() else { return Ok(()) };
        let mut tx = db.begin().await?;
        let text = "INSERT INTO action_place (name, position) VALUES ('actions', $1) \
                    ON CONFLICT (name) DO UPDATE SET position = excluded.position WHERE action_place.position < excluded.position";
        tx.execute(text, &[i64::try_from(position).unwrap_or(i64::MAX).into()]).await?;
        tx.commit().await
    }

    /// Asks the owner and concludes the step.
    async fn perform(&self, fact: &Fact) -> Result<(), Postponed> {
        let Event::ActionDue { invoice_id, cycle, step_id, occurrence, day, effective_due, min_outstanding_minor, disputed_minor, .. } =
            &fact.event
        else {
            return Ok(());
        };
        let to = stream(&fact.tenant, fact.customer_id.as_str());
        let (payer, _) = self.writer.state(&to).await.map_err(|error| Postponed(error.to_string()))?;
        if !is_claimed(&payer, &fact.event) {
            return Ok(());
        }
        let contact_id = contact_id(invoice_id.as_str(), step_id.as_str(), *cycle);
        let item = invoice::ReminderItem {
            invoice_id: invoice_id.to_string(),
            cycle: *cycle,
            step_id: step_id.to_string(),
            occurrence: *occurrence,
            min_outstanding_minor: *min_outstanding_minor,
            overdue: *effective_due < *day,
            disputed_minor: *disputed_minor,
            purpose: String::new(),
        };
        let asked = invoice::AuthorizeReminderRequest {
            customer_id: fact.customer_id.to_string(),
            contact_id: contact_id.clone(),
            items: vec![item],
        };
        let answer = (self.look)(fact.tenant.clone(), asked).await;
        let outcome = outcome_of(answer).map_err(|status| Postponed(status.to_string()))?;
        let conclusion = Command::ConcludeAction {
            invoice_id: invoice_id.clone(),
            cycle: *cycle,
            step_id: step_id.clone(),
            occurrence: *occurrence,
            day: self.today(&payer).max(*day),
            outcome,
        };
        let key = format!("{contact_id}.{occurrence}.{day}");
        self.conclude(fact, conclusion, key).await?;
        tracing::info!(%invoice_id, %step_id, cycle, outcome = outcome_name(outcome), "an action was concluded");
        Ok(())
    }

    fn today(&self, payer: &Payer) -> chrono::NaiveDate {
        let book = self.ladders.books().of(&payer.tenant);
        payer.ladder.zone(&*book).unwrap_or(Zone::SAO_PAULO).day_of(self.clock.now())
    }

    async fn conclude(&self, fact: &Fact, command: Command, key: String) -> Result<(), Postponed> {
        let (tenant, customer_id) = (&fact.tenant, &fact.customer_id);
        let order = Addressed { tenant: tenant.clone(), customer_id: customer_id.clone(), order: Order::Ladder(command) };
        // The outcome is no part of the body: told twice with another one, the first holds.
        let body_hash = Sha256::digest(key.as_bytes()).into();
        let submission = Submission::new(stream(tenant, customer_id.as_str()), meta(tenant, customer_id.as_str()), order)
            .with_key(CommandKey { id: key, body_hash });
        match self.writer.submit(submission).await {
            Ok(_) => Ok(()),
            Err(error @ (WriteError::Unavailable(_) | WriteError::DiskFull)) => Err(Postponed(error.to_string())),
            Err(error) => {
                tracing::error!(%customer_id, %error, "an action could not be concluded");
                Ok(())
            }
        }
    }
}

fn outcome_name(outcome: ActionOutcome) -> &'static str {
    match outcome {
        ActionOutcome::Executed => "executed",
        ActionOutcome::Suppressed(_) => "suppressed",
        ActionOutcome::Deferred(_) => "deferred",
        ActionOutcome::Undeliverable(_) => "undeliverable",
    }
}

/// Whether the step is still claimed by this very offer.
fn is_claimed(payer: &Payer, event: &Event) -> bool {
    let Event::ActionDue { invoice_id, cycle, step_id, occurrence, day, .. } = event else { return false };
    let track = payer.ladder.tracks.get(invoice_id);
    let found = track.and_then(|track| track.occurrence(*cycle, step_id, *occurrence));
    found.is_some_and(|at| matches!(&at.state, OccurrenceState::Claimed { day: claimed_on } if claimed_on == day))
}

/// The id under which the owner is asked for an action: readable, or hashed where that is too long or its parts could be read in two ways.
fn contact_id(invoice_id: &str, step_id: &str, cycle: u32) -> String {
    let readable = format!("action.{invoice_id}.{step_id}.{cycle}");
    if readable.len() <= CONTACT_ID_CHARS && !invoice_id.contains('.') && !step_id.contains('.') {
        return readable;
    }
    // No id holds a blank.
    let hash = hex::encode(Sha256::digest(format!("{invoice_id} {step_id} {cycle}")));
    format!("action.{}", &hash[..40])
}

struct Running {
    executor: Executor,
    position: Arc<AtomicU64>,
    stored: u64,
    activity: Activity,
}

impl Running {
    async fn run(mut self) {
        let mut head = self.executor.log.watch();
        loop {
            head.borrow_and_update();
            match self.page().await {
                Ok(true) => {}
                Ok(false) => {
                    tokio::select! {
                        changed = head.changed() => if changed.is_err() { return },
                        () = self.executor.log.look_for_others(LOOK_EVERY) => {}
                    }
                }
                Err(Postponed(reason)) => {
                    tracing::warn!(reason, "actions wait");
                    tokio::time::sleep(BACK_OFF).await;
                }
            }
        }
    }

    /// Does the actions of one page; false when there was no page.
    async fn page(&mut self) -> Result<bool, Postponed> {
        let after = self.position.load(Ordering::SeqCst);
        if after >= self.executor.log.known_head() {
            return Ok(false);
        }
        let events = self.executor.log.read(after, PAGE).await.map_err(|error| Postponed(error.to_string()))?;
        let Some(last) = events.last().map(|event| event.position) else { return Ok(false) };
        let is_due = |event: &&Recorded| event.event_type == "ActionDue";
        let readable = |event: &Recorded| {
            let fact = wire::decode(&event.tenant, &event.event_type, &event.payload);
            let fact = fact.inspect_err(|fault| tracing::error!(%fault, "an action cannot be read")).ok().flatten()?;
            Some((fact, trace::continued("perform action", event.traceparent.as_deref())))
        };
        let due: Vec<(Fact, Span)> = events.iter().filter(is_due).filter_map(readable).collect();
        let executor = &self.executor;
        let all = pages::iter(&due).map(Ok);
        all.try_for_each_concurrent(IN_HAND, |(fact, span)| executor.perform(fact).instrument(span.clone())).await?;
        if !due.is_empty() || last - self.stored >= STORE_EVERY {
            executor.store_place(last).await.map_err(|error| Postponed(error.to_string()))?;
            self.stored = last;
        }
        self.position.store(last, Ordering::SeqCst);
        self.activity.touch();
        Ok(true)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use kernel::ids::ContactId;

    #[test]
    fn two_actions_never_share_a_name_and_each_name_is_an_id() {
        let long = "F".repeat(64);
        let actions = [("F1", "d+60", 1), ("F1.d", "60", 1), ("F1", "d.60", 1), ("F1", "d+60", 2), (long.as_str(), "d+60", 1)];
        let names: Vec<String> = actions.iter().map(|(invoice, step, cycle)| contact_id(invoice, step, *cycle)).collect();
        for (at, name) in names.iter().enumerate() {
            assert!(ContactId::new(name).is_ok(), "{name}");
            assert!(!names[..at].contains(name), "{name}");
        }
        assert_eq!(names[0], "action.F1.d+60.1");
    }
}
