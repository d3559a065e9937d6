//! An attempt: handed to its channel, its answer noted; and taken up again where the answer is missing.

use super::{Effects, Payer, Stalled};
use crate::{
    aggregate::{Book, attempts, take_up_at},
    channel::{Answer, Known},
    wire::Look,
};
use backon::{ExponentialBuilder, Retryable};
use chrono::TimeDelta;
use eventlog::{WriteError, Written};
use kernel::{ChannelAttemptId, ContactId};
use notice::{
    Attempt, AttemptPhase, Channel, Command, Contact, NoteAttempt, NoteReceipt, OwnerAnswer, ReceiptStatus, Rejection, RetryAttempt,
    command::AttemptResult,
};
use opentelemetry::KeyValue;
use std::{sync::Arc, time::Duration};
use tracing::Instrument;

/// How often an answer is written down before it is left to the timer.
const NOTE_TRIES: usize = 5;

/// How long a call with an attempt may go on, in whatever process.
const CALL_IS_OVER: TimeDelta = TimeDelta::minutes(10);

/// An attempt by its contact and id.
type Place<'a> = (&'a ContactId, &'a ChannelAttemptId);

impl Effects {
    /// Hands a started attempt to its channel and notes the answer; the state after it, where something was noted.
    pub(super) async fn hand_over(&self, payer: &Payer, book: &Book, place: Place<'_>, look: &Look) -> Result<Option<Arc<Book>>, Stalled> {
        let Some((contact, attempt)) = find(book, place) else { return Ok(None) };
        let answer = match self.message(payer, book, (place.0, contact), attempt, look) {
            Ok(message) => self.shared.wiring.channels.send(&message).await,
            Err(reason) => Answer::Refused { reason: reason.to_owned() },
        };
        let labels = [KeyValue::new("channel", attempt.channel.slug()), KeyValue::new("outcome", answer.slug())];
        self.shared.sent.add(1, &labels);
        let result = match answer {
            Answer::Accepted { provider_id } => AttemptResult::Accepted { provider_id },
            Answer::Refused { reason } => AttemptResult::Refused { reason },
            Answer::Unknown { reason } => {
                tracing::warn!(channel = attempt.channel.slug(), reason, "nobody knows whether a message was taken");
                AttemptResult::Unknown
            }
            Answer::NotNow { reason } => {
                tracing::info!(channel = attempt.channel.slug(), reason, "a message is tried again later");
                self.not_taken().insert(payer.key(place.1), reason);
                return Ok(None);
            }
        };
        self.note(payer, place, attempt.channel, result).await.map(Some)
    }

    /// Looks once more and hands a started attempt over, or refuses it where the owner does not say any more what the contact says.
    pub(super) async fn look_again(&self, payer: &Payer, book: &Book, place: Place<'_>) -> Result<Option<Arc<Book>>, Stalled> {
        let Some((contact, attempt)) = find(book, place) else { return Ok(None) };
        let look = self.look(payer, (place.0, contact)).await?;
        if still_says(contact, &look) {
            self.hand_over(payer, book, place, &look).await
        } else {
            self.give_up(payer, place, attempt, Some("facts_changed".to_owned())).await
        }
    }

    /// Notes a result; where what is accepted has arrived, the receipt as well.
    async fn note(&self, payer: &Payer, place: Place<'_>, channel: Channel, result: AttemptResult) -> Result<Arc<Book>, Stalled> {
        let at = self.shared.wiring.clock.now();
        let arrived = matches!(result, AttemptResult::Accepted { .. }) && self.shared.wiring.channels.delivers_at_once(channel);
        let noted = NoteAttempt { contact_id: place.0.clone(), attempt_id: place.1.clone(), result, at };
        let noted = self.insist(payer, Command::NoteAttempt(noted));
        let receipt = NoteReceipt { attempt_id: place.1.clone(), status: ReceiptStatus::Delivered, at };
        if arrived {
            // Queued in this order, and written together.
            let (noted, received) = tokio::join!(noted, self.insist(payer, Command::NoteReceipt(receipt)));
            noted.and(received).map(|written| written.state)
        } else {
            noted.await.map(|written| written.state)
        }
    }

    /// Writes down what the world did: it cannot be undone, so a database that is away for a moment is waited for.
    async fn insist(&self, payer: &Payer, command: Command) -> Result<Written<Book>, Stalled> {
        let write = || self.shared.wiring.writer.submit(payer.submission(command.clone()));
        let waits = ExponentialBuilder::default().with_min_delay(Duration::from_millis(50)).with_max_times(NOTE_TRIES - 1);
        let is_transient = |error: &WriteError<Rejection>| matches!(error, WriteError::Unavailable(_) | WriteError::DiskFull);
        write.retry(waits).when(is_transient).await.map_err(Stalled::from)
    }

    /// Takes up attempts whose answer has been missing for a while: those of an earlier process, and those that a
    /// provider asked to try later.
    pub(super) async fn take_up(&self, payer: &Payer, book: &mut Arc<Book>) -> Result<(), Stalled> {
        let now = self.shared.wiring.clock.now();
        let is_due = |attempt: &Attempt| take_up_at(attempt, now).is_some_and(|at| at <= now);
        let contacts = book.contacts.contacts.iter();
        let due: Vec<(ContactId, ChannelAttemptId)> = contacts
            .flat_map(|(contact_id, contact)| attempts(contact).map(move |attempt| (contact_id, attempt)))
            .filter(|(_, attempt)| is_due(attempt))
            .map(|(contact_id, attempt)| (contact_id.clone(), attempt.attempt_id.clone()))
            .collect();
        for (contact_id, attempt_id) in &due {
            let span = self.trace_of(payer, contact_id).await;
            if let Some(after) = self.take_up_one(payer, book, (contact_id, attempt_id)).instrument(span).await? {
                *book = after;
            }
        }
        Ok(())
    }

    async fn take_up_one(&self, payer: &Payer, book: &Book, place: Place<'_>) -> Result<Option<Arc<Book>>, Stalled> {
        let Some((contact, attempt)) = find(book, place) else { return Ok(None) };
        let mut known_not_taken = self.not_taken().get(&payer.key(place.1)).cloned();
        if known_not_taken.is_none() && self.may_be_asked_for(attempt) {
            match self.shared.wiring.channels.ask(attempt.channel, &payer.key(place.1)).await {
                Known::Taken { provider_id, receipt } => {
                    return self.settle(payer, place, attempt.channel, provider_id, receipt).await.map(Some);
                }
                Known::NotTaken => known_not_taken = Some("not_taken".to_owned()),
                Known::Unclear => {}
            }
        }
        let may_repeat = known_not_taken.is_some() || self.shared.wiring.channels.is_idempotent(attempt.channel);
        let retry = RetryAttempt { attempt_id: place.1.clone(), channel_is_idempotent: may_repeat, at: self.shared.wiring.clock.now() };
        let retry = Command::RetryAttempt(retry);
        if notice::decide(&book.contacts, &retry).is_err() {
            return self.give_up(payer, place, attempt, known_not_taken).await;
        }
        let look = self.look(payer, (place.0, contact)).await?;
        if look.local_holiday || !still_says(contact, &look) {
            return self.give_up(payer, place, attempt, known_not_taken).await;
        }
        match self.shared.wiring.writer.submit(payer.submission(retry)).await {
            Ok(written) => {
                self.not_taken().remove(&payer.key(place.1));
                let after = self.hand_over(payer, &written.state, place, &look).await?;
                Ok(Some(after.unwrap_or(written.state)))
            }
            // It was settled meanwhile.
            Err(WriteError::Rejected(_)) => Ok(None),
            Err(error) => Err(error.into()),
        }
    }

    /// Nobody is calling with it any more.
    fn may_be_asked_for(&self, attempt: &Attempt) -> bool {
        match attempt.phase {
            AttemptPhase::Unknown { .. } => true,
            AttemptPhase::Started { at } => self.shared.wiring.clock.now() - at > CALL_IS_OVER,
            AttemptPhase::Accepted { .. } | AttemptPhase::Refused { .. } => false,
        }
    }

    /// The provider has it: noted as if it had answered at once.
    async fn settle(
        &self,
        payer: &Payer,
        place: Place<'_>,
        channel: Channel,
        provider_id: String,
        receipt: Option<ReceiptStatus>,
    ) -> Result<Arc<Book>, Stalled> {
        tracing::info!(channel = channel.slug(), "a provider was asked and has the message");
        let book = self.note(payer, place, channel, AttemptResult::Accepted { provider_id }).await?;
        let Some(status) = receipt else { return Ok(book) };
        let receipt = NoteReceipt { attempt_id: place.1.clone(), status, at: self.shared.wiring.clock.now() };
        self.insist(payer, Command::NoteReceipt(receipt)).await.map(|written| written.state)
    }

    /// It is not sent again: refused where it was certainly not taken, else nobody knows.
    async fn give_up(
        &self,
        payer: &Payer,
        place: Place<'_>,
        attempt: &Attempt,
        known_not_taken: Option<String>,
    ) -> Result<Option<Arc<Book>>, Stalled> {
        let result = match (known_not_taken, &attempt.phase) {
            (Some(reason), _) => AttemptResult::Refused { reason },
            (None, AttemptPhase::Started { .. }) => AttemptResult::Unknown,
            (None, AttemptPhase::Unknown { .. } | AttemptPhase::Accepted { .. } | AttemptPhase::Refused { .. }) => return Ok(None),
        };
        let noted = self.note(payer, place, attempt.channel, result).await?;
        self.not_taken().remove(&payer.key(place.1));
        Ok(Some(noted))
    }

    fn not_taken(&self) -> std::sync::MutexGuard<'_, std::collections::HashMap<crate::channel::AttemptKey, String>> {
        self.shared.not_taken.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }
}

fn find<'a>(book: &'a Book, (contact_id, attempt_id): Place<'_>) -> Option<(&'a Contact, &'a Attempt)> {
    let contact = book.contacts.contacts.get(contact_id)?;
    let attempt = attempts(contact).find(|attempt| attempt.attempt_id == *attempt_id)?;
    Some((contact, attempt))
}

/// Whether the owner still allows, to the cent, what the contact said: a repeated key must carry the same message.
fn still_says(contact: &Contact, look: &Look) -> bool {
    let same = |said: &notice::Said| look.verdicts.get(&said.key) == Some(&OwnerAnswer::Authorized { net_minor: said.net_minor });
    !contact.said.is_empty() && contact.said.iter().all(same)
}
