//! Follows the log: whoever has something new to be done is woken at once.

use super::{Effects, Payer};
use crate::wire;
use eventlog::Recorded;
use host::trace;
use kernel::ContactId;
use notice::{Event, ReceiptStatus};
use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};
use tracing::Span;

/// Events read at a time.
const PAGE: usize = 512;
/// How long to wait after the log did not answer.
const BACK_OFF: Duration = Duration::from_millis(200);
/// How long a contact in hand may take to its end when the service stops.
const LAST_WORDS: Duration = Duration::from_secs(20);

impl Effects {
    /// Follows the log from its end on until the stop token is cancelled, then waits for what is in hand. What is before
    /// has its timers. Errors: the log cannot be read.
    pub async fn start(self) -> Result<tokio::task::JoinHandle<()>, eventlog::LogError> {
        let head = self.log().head().await?;
        let followed = Arc::new(AtomicU64::new(head));
        let (seen, log) = (Arc::clone(&followed), self.log().clone());
        let idle = move || seen.load(Ordering::SeqCst) >= log.known_head();
        let registration = self.shared.activity.register("effects follow", Box::new(idle));
        Ok(tokio::spawn(async move {
            let _registration = registration;
            let stop = self.shared.wiring.stop.clone();
            let _ = stop.run_until_cancelled(self.follow(&followed)).await;
            self.wait_for_lanes().await;
        }))
    }

    async fn follow(&self, followed: &AtomicU64) {
        let mut head = self.log().watch();
        loop {
            let after = followed.load(Ordering::SeqCst);
            match self.log().read(after, PAGE).await {
                Ok(events) => {
                    events.iter().filter(|event| wants_attention(event)).filter_map(payer).for_each(|payer| self.offer(payer));
                    if let Some(last) = events.last() {
                        followed.store(last.position, Ordering::SeqCst);
                        self.shared.activity.touch();
                        continue;
                    }
                }
                Err(error) => {
                    tracing::warn!(%error, "effects wait for the log");
                    tokio::time::sleep(BACK_OFF).await;
                    continue;
                }
            }
            // The log lives as long as its writer, which this executor holds.
            let _ = head.wait_for(|head| *head > after).await;
        }
    }

    /// The span in which something is done for a contact: it goes on with the trace that composed the contact, also hours later or after
    /// a restart, so it is looked up in the log. Where that cannot be read, the work has no trace and is done all the same.
    pub(super) async fn trace_of(&self, payer: &Payer, contact_id: &ContactId) -> Span {
        if !trace::is_on() {
            return Span::none();
        }
        let events = self.log().read_streams(&[(payer.stream(), 0)]).await.unwrap_or_default();
        let composed = events.iter().rev().find(|event| composes(event, contact_id));
        trace::continued("carry out contact", composed.and_then(|event| event.traceparent.as_deref()))
    }

    async fn wait_for_lanes(&self) {
        let all = u32::try_from(super::LANES).unwrap_or(u32::MAX);
        let rest = self.shared.places.acquire_many(all);
        if tokio::time::timeout(LAST_WORDS, rest).await.is_err() {
            tracing::warn!("contacts in hand did not end in time; they are taken up after the next start");
        }
    }
}

fn payer(event: &Recorded) -> Option<Payer> {
    Payer::of(&event.tenant, &event.stream)
}

fn composes(event: &Recorded, contact_id: &ContactId) -> bool {
    if event.event_type != "ContactComposed" {
        return false;
    }
    let fact = wire::decode(&event.event_type, &event.payload).ok().flatten();
    fact.is_some_and(|fact| matches!(fact.event, Event::ContactComposed(composed) if composed.contact_id == *contact_id))
}

/// Whether there may be something to do at once: a new contact, or a channel that failed.
fn wants_attention(event: &Recorded) -> bool {
    match event.event_type.as_str() {
        "ContactComposed" => true,
        "AttemptEnded" | "ReceiptNoted" => match wire::decode(&event.event_type, &event.payload) {
            Ok(Some(fact)) => match fact.event {
                Event::AttemptRefused(_) => true,
                Event::ReceiptNoted(receipt) => receipt.status == ReceiptStatus::Failed,
                _ => false,
            },
            Ok(None) | Err(_) => false,
        },
        _ => false,
    }
}
