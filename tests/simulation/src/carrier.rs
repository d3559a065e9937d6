//! How contacts are carried out, one small step at a time: look, gate, call, note. Between any two steps anything may happen.
//!
//! It does what notification's effects do, in the same order, with the real rules, the real question to the owner and the real reading of
//! its answer; only the network and the texts are left out.

use crate::books::Debt;
use crate::bug::Bug;
use crate::history::Who;
use crate::journal::Refusal;
use crate::provider::{Provider, Reply, Sent};
use crate::witness::{Handed, Invariant, Visible};
use crate::world::World;
use chrono::{DateTime, TimeDelta, Utc};
use kernel::{ChannelAttemptId, ContactId, CustomerId};
use notice::command::AttemptResult;
use notice::{
    Attempt, AttemptPhase, Command, Contact, Event, Evidence, Gate, Item, NoteAttempt, NoteReceipt, OwnerAnswer, OwnerRefusal, Phase,
    RetryAttempt,
};
use notification::aggregate::Book;
use notification::wire::{self, Look};
use std::collections::VecDeque;

/// How long after its call an attempt without an answer is taken up.
const TAKE_UP_AFTER: TimeDelta = TimeDelta::seconds(60);
/// How long an attempt without an answer is taken up.
const TAKE_UP_FOR: TimeDelta = TimeDelta::hours(96);
/// How long a call may go on.
const CALL_IS_OVER: TimeDelta = TimeDelta::minutes(10);

/// What a process has in hand for one payer; gone when it dies.
#[derive(Default)]
pub struct Lane {
    stage: Stage,
    /// Version and moment at which there was nothing to do.
    rested: Option<(u64, DateTime<Utc>)>,
}

#[derive(Default)]
enum Stage {
    #[default]
    Rest,
    /// The owner has answered.
    Looked { contact_id: ContactId, look: Look, visible: Visible },
    /// Started attempts that are to be called; the first of them by the look of the gate.
    Sending { contact_id: ContactId, left: VecDeque<ChannelAttemptId>, look: Option<Look>, visible: Visible },
    /// An attempt is to be called again.
    Repeating { contact_id: ContactId, attempt_id: ChannelAttemptId, visible: Visible },
    /// A provider has answered, and nobody has noted it.
    Called { contact_id: ContactId, attempt_id: ChannelAttemptId, reply: Reply, left: VecDeque<ChannelAttemptId>, visible: Visible },
}

type Place<'a> = (&'a ContactId, &'a ChannelAttemptId);

impl World {
    /// Whether a payer's lane has something to do now.
    pub(crate) fn lane_wants(&mut self, payer: usize) -> bool {
        if !matches!(self.lanes[payer].stage, Stage::Rest) {
            return true;
        }
        let stream = self.contacts_stream(payer);
        let seen = (self.notification.journal.version(&stream), self.now);
        if seen.0 == 0 || self.lanes[payer].rested == Some(seen) {
            return false;
        }
        let (mut wants, now) = (false, self.now);
        self.notification.journal.look(&stream, &mut |book| {
            wants = !notice::due(&book.contacts, now).is_empty() || to_take_up(book, now).next().is_some();
        });
        if !wants {
            self.lanes[payer].rested = Some(seen);
        }
        wants
    }

    /// One step of a payer's lane.
    pub(crate) fn carry(&mut self, payer: usize) {
        let stage = std::mem::take(&mut self.lanes[payer].stage);
        let next = match stage {
            Stage::Rest => self.begin(payer),
            Stage::Looked { contact_id, look, visible } => self.gate(payer, contact_id, look, visible),
            Stage::Sending { contact_id, left, look, visible } => self.send(payer, contact_id, (left, look, visible)),
            Stage::Repeating { contact_id, attempt_id, visible } => self.call(payer, (&contact_id, &attempt_id), VecDeque::new(), visible),
            Stage::Called { contact_id, attempt_id, reply, left, visible } => {
                self.note_reply(payer, (&contact_id, &attempt_id), reply);
                if left.is_empty() { Stage::Rest } else { Stage::Sending { contact_id, left, look: None, visible } }
            }
        };
        self.lanes[payer].stage = next;
    }

    /// A provider reports.
    pub(crate) fn receive(&mut self, number: usize) {
        let receipt = self.provider.receipts.remove(number);
        let note = NoteReceipt { attempt_id: receipt.attempt_id.clone(), status: receipt.status, at: self.now };
        let noted = self.of_notification(receipt.payer, Command::NoteReceipt(note), (None, None)).map(|facts| facts.len());
        self.count(&format!("receipt: {}", receipt.status.slug()));
        self.say(|| format!("receipt: {} {} -> {noted:?}", receipt.attempt_id, receipt.status.slug()));
    }

    /// All that a process of notification has in hand is gone.
    pub(crate) fn drop_lanes(&mut self) {
        self.lanes.iter_mut().for_each(|lane| *lane = Lane::default());
    }

    /// Planted: whoever comes back after an outage sends the last messages once more.
    pub(crate) fn resend_last(&mut self) {
        let last: Vec<Handed> = self.witness.calls.iter().rev().filter(|handed| handed.sent).take(2).cloned().collect();
        last.into_iter().for_each(|handed| self.witness.handed(handed, &Visible::default(), self.now));
    }

    /// Planted: the first debt of a message grows by a fee.
    fn book_fee(&mut self, payer: usize, handed: &Handed) {
        let Some((key, _)) = handed.items.first() else { return };
        let Some(invoice) = self.account(payer).invoices.get(&key.invoice_id).cloned() else { return };
        let fee = receivable::AmendInvoice {
            invoice_id: key.invoice_id.clone(),
            amount_minor: Some(invoice.amount_minor + 100),
            due_on: None,
            automatic_debit_on: None,
            today: crate::history::day_of(self.now),
        };
        let booked = self.of_invoice(payer, receivable::Command::AmendInvoice(fee), None);
        self.say(|| format!("planted fee: {booked:?}"));
    }

    fn contacts_stream(&self, payer: usize) -> std::sync::Arc<str> {
        self.contacts[payer].clone()
    }

    fn book(&mut self, payer: usize) -> Book {
        let stream = self.contacts_stream(payer);
        self.notification.journal.state(&stream).0
    }

    fn begin(&mut self, payer: usize) -> Stage {
        let book = self.book(payer);
        for (contact_id, attempt) in to_take_up(&book, self.now) {
            let before = self.notification.journal.version(&self.contacts_stream(payer));
            let stage = self.take_up(payer, &book, (contact_id, attempt));
            let after = self.notification.journal.version(&self.contacts_stream(payer));
            let is_idle = matches!(stage, Stage::Rest) && before == after;
            if !is_idle {
                return stage;
            }
        }
        match notice::due(&book.contacts, self.now).into_iter().next() {
            Some(contact_id) => self.look_first(payer, &book, contact_id),
            None => self.rest(payer),
        }
    }

    fn look_first(&mut self, payer: usize, book: &Book, contact_id: ContactId) -> Stage {
        let items: Vec<Item> = spoken_of(&book.contacts.contacts[&contact_id]).into_iter().cloned().collect();
        match self.look(payer, &contact_id, &items) {
            Some((look, visible)) => Stage::Looked { contact_id, look, visible },
            None => self.rest(payer),
        }
    }

    /// Nothing can be done before the clock or the log moves on.
    fn rest(&mut self, payer: usize) -> Stage {
        let version = self.notification.journal.version(&self.contacts_stream(payer));
        self.lanes[payer].rested = Some((version, self.now));
        Stage::Rest
    }

    /// The owner's word, and what was visible to it by the facts that it has acknowledged.
    fn look(&mut self, payer: usize, contact_id: &ContactId, items: &[Item]) -> Option<(Look, Visible)> {
        let items: Vec<&Item> = items.iter().collect();
        let customer_id = CustomerId::new(self.payer(payer)).expect("an id");
        let asked = wire::look_request(&customer_id, contact_id, &items);
        let answer = self.authorize(payer, &asked)?;
        let unknown = answer.verdicts.is_empty();
        let mut look = if unknown { wire::unknown_to_owner(&items) } else { wire::look(&items, answer)? };
        if self.play.bug == Some(Bug::GateIgnoresOwner) {
            look.verdicts.values_mut().for_each(|answer| *answer = OwnerAnswer::Authorized { net_minor: 100 });
        }
        if self.play.bug == Some(Bug::AgreementUnheard) {
            let still = OwnerAnswer::Refused(OwnerRefusal::Renegotiated);
            let forgets = |answer: &mut OwnerAnswer| {
                if *answer == still {
                    *answer = OwnerAnswer::Authorized { net_minor: 100 }
                }
            };
            look.verdicts.values_mut().for_each(forgets);
        }
        let books = &self.books[payer];
        let covered = books.net_minor().is_some_and(|net_minor| net_minor <= 0);
        let settled = books.debts.iter().filter(|(_, debt)| covered || debt.is_settled()).map(|(name, _)| name.clone()).collect();
        let named = |is: fn(&Debt) -> bool| books.debts.iter().filter(|(_, debt)| is(debt)).map(|(name, _)| name.clone()).collect();
        let owed = named(|debt| !debt.cancelled && !debt.charged && !debt.disturbed && debt.open_minor() > 0);
        let void = named(|debt| debt.cancelled);
        Some((look, Visible { settled, still: self.witness.still(payer), owed, void }))
    }

    fn gate(&mut self, payer: usize, contact_id: ContactId, look: Look, mut visible: Visible) -> Stage {
        let evidence =
            Evidence { now: self.now, verdicts: look.verdicts.clone(), reach: look.payer.reach(Provider::has), local_holiday: false };
        let gate = Command::Gate(Gate { contact_id: contact_id.clone(), evidence });
        visible.still = self.witness.still(payer);
        let facts = match self.of_notification(payer, gate, (None, None)) {
            Ok(facts) => facts,
            Err(Refusal::Rejected(_)) => return self.rest(payer),
            Err(error @ (Refusal::Fenced | Refusal::Fault(_))) => {
                self.accuse(Invariant::Contracts, format!("a gate: {error:?}"));
                return Stage::Rest;
            }
        };
        if facts.is_empty() {
            return self.rest(payer);
        }
        let started =
            facts.iter().filter_map(|fact| if let Event::AttemptStarted(e) = &fact.event { Some(e.attempt_id.clone()) } else { None });
        let left: VecDeque<ChannelAttemptId> = started.collect();
        self.say(|| format!("gate: {contact_id} starts {:?}", left.iter().map(ToString::to_string).collect::<Vec<_>>()));
        if left.is_empty() { Stage::Rest } else { Stage::Sending { contact_id, left, look: Some(look), visible } }
    }

    fn send(
        &mut self,
        payer: usize,
        contact_id: ContactId,
        (mut left, look, visible): (VecDeque<ChannelAttemptId>, Option<Look>, Visible),
    ) -> Stage {
        let Some(attempt_id) = left.pop_front() else { return Stage::Rest };
        if look.is_some() {
            return self.call(payer, (&contact_id, &attempt_id), left, visible);
        }
        // What was looked at before another chain's call is old by now.
        let book = self.book(payer);
        let Some((contact, attempt)) = find(&book, (&contact_id, &attempt_id)) else { return Stage::Rest };
        let items: Vec<Item> = spoken_of(contact).into_iter().cloned().collect();
        let Some((look, looked)) = self.look(payer, &contact_id, &items) else { return Stage::Rest };
        if still_says(contact, &look) {
            let visible = Visible { settled: looked.settled, ..visible };
            return self.call(payer, (&contact_id, &attempt_id), left, visible);
        }
        self.give_up(payer, (&contact_id, attempt), Some("facts_changed"));
        if left.is_empty() { Stage::Rest } else { Stage::Sending { contact_id, left, look: None, visible } }
    }

    fn call(&mut self, payer: usize, place: Place<'_>, left: VecDeque<ChannelAttemptId>, visible: Visible) -> Stage {
        let book = self.book(payer);
        let Some((contact, attempt)) = find(&book, place) else { return Stage::Rest };
        let failures = (self.now, self.history.failures_permille);
        let (reply, sent) = self.provider.call((payer, place.1, attempt.channel), failures, &mut self.chance);
        let items = contact.said.iter().map(|said| (said.key.clone(), contact.item(&said.key).map_or(0, |item| item.tone))).collect();
        let handed = Handed {
            payer,
            contact_id: place.0.to_string(),
            attempt_id: place.1.clone(),
            channel: attempt.channel,
            items,
            sent: sent == Sent::Message,
        };
        self.count(&format!("provider: {}", heard(&reply, sent)));
        self.say(|| format!("call: {} on {} -> {reply:?} {sent:?}", place.1, attempt.channel.slug()));
        if self.play.bug == Some(Bug::ChargedOnSend) && sent == Sent::Message {
            self.book_fee(payer, &handed);
        }
        if handed.sent {
            let names: Vec<String> = handed.items.iter().map(|(key, _)| key.invoice_id.to_string()).collect();
            self.count_reminded(payer, &names);
        }
        self.witness.handed(handed, &visible, self.now);
        Stage::Called { contact_id: place.0.clone(), attempt_id: place.1.clone(), reply, left, visible }
    }

    fn note_reply(&mut self, payer: usize, place: Place<'_>, reply: Reply) {
        let result = match reply {
            Reply::Accepted(provider_id) => AttemptResult::Accepted { provider_id },
            Reply::Refused => AttemptResult::Refused { reason: "refused".to_owned() },
            Reply::Silence => AttemptResult::Unknown,
        };
        self.note(payer, place, result);
    }

    fn note(&mut self, payer: usize, place: Place<'_>, result: AttemptResult) {
        let note = NoteAttempt { contact_id: place.0.clone(), attempt_id: place.1.clone(), result, at: self.now };
        match self.of_notification(payer, Command::NoteAttempt(note), (None, None)) {
            Ok(facts) => self.say(|| format!("note: {} -> {} events", place.1, facts.len())),
            // A receipt was faster.
            Err(Refusal::Rejected(reason)) => self.say(|| format!("note: {} refused: {reason}", place.1)),
            Err(error @ (Refusal::Fenced | Refusal::Fault(_))) => self.accuse(Invariant::Contracts, format!("a note: {error:?}")),
        }
    }

    /// An attempt whose answer is missing: asked for, repeated under its key, or given up.
    fn take_up(&mut self, payer: usize, book: &Book, (contact_id, attempt): (&ContactId, &Attempt)) -> Stage {
        let place = (contact_id, &attempt.attempt_id);
        let mut not_taken = false;
        let over = match attempt.phase {
            AttemptPhase::Unknown { .. } => true,
            AttemptPhase::Started { at } => self.now - at > CALL_IS_OVER,
            AttemptPhase::Accepted { .. } | AttemptPhase::Refused { .. } => false,
        };
        if over && let Some(known) = self.provider.ask(payer, &attempt.attempt_id, attempt.channel, &mut self.chance) {
            self.count("provider: asked");
            match known {
                Some(provider_id) => {
                    self.note(payer, place, AttemptResult::Accepted { provider_id });
                    return Stage::Rest;
                }
                None => not_taken = true,
            }
        }
        let blind = self.play.bug == Some(Bug::ResendsUnknown);
        let may_repeat = not_taken || blind || Provider::is_idempotent(attempt.channel);
        let retry = RetryAttempt { attempt_id: attempt.attempt_id.clone(), channel_is_idempotent: may_repeat, at: self.now };
        let retry = Command::RetryAttempt(retry);
        if notice::decide(&book.contacts, &retry).is_err() {
            self.give_up(payer, (contact_id, attempt), not_taken.then_some("not_taken"));
            return Stage::Rest;
        }
        let contact = &book.contacts.contacts[contact_id];
        let items: Vec<Item> = spoken_of(contact).into_iter().cloned().collect();
        let Some((look, visible)) = self.look(payer, contact_id, &items) else { return Stage::Rest };
        if !still_says(contact, &look) {
            self.give_up(payer, (contact_id, attempt), not_taken.then_some("not_taken"));
            return Stage::Rest;
        }
        match self.of_notification(payer, retry, (None, None)) {
            Ok(_) => Stage::Repeating { contact_id: contact_id.clone(), attempt_id: attempt.attempt_id.clone(), visible },
            Err(_) => Stage::Rest,
        }
    }

    fn give_up(&mut self, payer: usize, (contact_id, attempt): (&ContactId, &Attempt), not_taken: Option<&str>) {
        let result = match (not_taken, &attempt.phase) {
            (Some(reason), _) => AttemptResult::Refused { reason: reason.to_owned() },
            (None, AttemptPhase::Started { .. }) => AttemptResult::Unknown,
            (None, AttemptPhase::Unknown { .. } | AttemptPhase::Accepted { .. } | AttemptPhase::Refused { .. }) => return,
        };
        self.note(payer, (contact_id, &attempt.attempt_id), result);
    }

    /// Whether lanes may run at all.
    pub(crate) fn lanes_run(&self) -> bool {
        !self.is_out(Who::Notification)
    }
}

fn heard(reply: &Reply, sent: Sent) -> &'static str {
    match (reply, sent) {
        (Reply::Accepted(_), Sent::KnownKey) => "known key",
        (Reply::Accepted(_), Sent::Message | Sent::Nothing) => "accepted",
        (Reply::Refused, _) => "refused",
        (Reply::Silence, Sent::Message | Sent::KnownKey) => "silent, and sent",
        (Reply::Silence, Sent::Nothing) => "silent, and not sent",
    }
}

/// Attempts whose answer has been missing for a while.
fn to_take_up(book: &Book, now: DateTime<Utc>) -> impl Iterator<Item = (&ContactId, &Attempt)> {
    let due_at = move |attempt: &Attempt| match attempt.phase {
        AttemptPhase::Started { at } => Some(at + TAKE_UP_AFTER),
        AttemptPhase::Unknown { at } => (now < attempt.started_at + TAKE_UP_FOR).then_some(at + TAKE_UP_AFTER),
        AttemptPhase::Accepted { .. } | AttemptPhase::Refused { .. } => None,
    };
    let all = book.contacts.contacts.iter().flat_map(|(id, contact)| attempts(contact).map(move |attempt| (id, attempt)));
    all.filter(move |(_, attempt)| due_at(attempt).is_some_and(|at| at <= now))
}

fn attempts(contact: &Contact) -> impl Iterator<Item = &Attempt> {
    contact.chains.iter().flat_map(|chain| &chain.attempts)
}

fn find<'a>(book: &'a Book, (contact_id, attempt_id): Place<'_>) -> Option<(&'a Contact, &'a Attempt)> {
    let contact = book.contacts.contacts.get(contact_id)?;
    attempts(contact).find(|attempt| attempt.attempt_id == *attempt_id).map(|attempt| (contact, attempt))
}

/// What a look is about: all that was composed, or what the contact said when it was last looked at.
fn spoken_of(contact: &Contact) -> Vec<&Item> {
    match contact.phase {
        Phase::Composed => contact.items.iter().collect(),
        Phase::Handed | Phase::Concluded => contact.said.iter().filter_map(|said| contact.item(&said.key)).collect(),
    }
}

/// Whether the owner still allows, to the cent, what the contact said.
fn still_says(contact: &Contact, look: &Look) -> bool {
    let same = |said: &notice::Said| look.verdicts.get(&said.key) == Some(&OwnerAnswer::Authorized { net_minor: said.net_minor });
    !contact.said.is_empty() && contact.said.iter().all(same)
}
