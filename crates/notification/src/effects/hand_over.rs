//! A contact that is due: the owner looks, the gate decides, channels get the text.

use super::{Effects, Payer, Stalled};
use crate::{
    aggregate::Book,
    channel::{AttemptKey, Outgoing},
    template::{Language, Letter, Line},
    wire::Look,
};
use eventlog::WriteError;
use kernel::{ChannelAttemptId, ContactId};
use notice::{Attempt, Channel, Command, Contact, Event, Evidence, Gate, Item, Phase, Said};
use std::sync::Arc;

/// Between attempt ids in the answer of a gate; no id has it.
const SEPARATOR: char = ' ';

impl Effects {
    /// Looks, gates and hands over. `None` where the gate changed nothing or refused to be asked on an old state, and where a channel is
    /// at its rate: what is due stays due, and its timer comes again.
    pub(super) async fn look_and_hand_over(
        &self,
        payer: &Payer,
        book: &Book,
        contact_id: &ContactId,
    ) -> Result<Option<Arc<Book>>, Stalled> {
        let Some(contact) = book.contacts.contacts.get(contact_id) else { return Ok(None) };
        if self.is_held_up(contact) {
            self.shared.paced.add(1, &[]);
            return Ok(None);
        }
        let look = self.look(payer, (contact_id, contact)).await?;
        let gate = Gate { contact_id: contact_id.clone(), evidence: self.evidence(&look) };
        let (starting, at) = (self.starting(book, &gate), gate.evidence.now);
        if !self.shared.wiring.channels.pace().take(&starting, at) {
            self.shared.paced.add(1, &[]);
            return Ok(None);
        }
        let Some((mut book, started)) = self.gate(payer, gate).await? else {
            self.shared.wiring.channels.pace().give_back(&starting, at);
            return Ok(None);
        };
        for (nth, attempt_id) in started.iter().enumerate() {
            let place = (contact_id, attempt_id);
            // A chain that goes out beside another one waits until that one's provider has answered, which may take minutes: what was
            // looked at before is old by then.
            let after =
                if nth == 0 { self.hand_over(payer, &book, place, &look).await? } else { self.look_again(payer, &book, place).await? };
            book = after.unwrap_or(book);
        }
        Ok(Some(book))
    }

    /// Whether no way of the contact has room, whatever the owner would say: nobody is asked in vain.
    fn is_held_up(&self, contact: &Contact) -> bool {
        let (channels, now) = (&self.shared.wiring.channels, self.shared.wiring.clock.now());
        let is_full = |chain: &Vec<Channel>| {
            let mut usable = chain.iter().filter(|channel| channels.has(**channel)).peekable();
            usable.peek().is_some() && usable.all(|channel| !channels.pace().has_room(*channel, now))
        };
        let chains: Vec<Vec<Channel>> = match contact.phase {
            Phase::Composed => contact.items.iter().flat_map(|item| item.chains.clone()).collect(),
            Phase::Handed | Phase::Concluded => {
                let left = contact.chains.iter().map(|chain| chain.left().map(|(_, channel)| channel).collect());
                left.filter(|chain: &Vec<Channel>| !chain.is_empty()).collect()
            }
        };
        channels.pace().is_limited() && !chains.is_empty() && chains.iter().all(is_full)
    }

    fn evidence(&self, look: &Look) -> Evidence {
        let wiring = &self.shared.wiring;
        Evidence {
            now: wiring.clock.now(),
            verdicts: look.verdicts.clone(),
            reach: look.payer.reach(|channel| wiring.channels.has(channel)),
            local_holiday: look.local_holiday,
        }
    }

    /// The channels on which the gate would start a message; only asked for where a channel has a limit.
    fn starting(&self, book: &Book, gate: &Gate) -> Vec<Channel> {
        if !self.shared.wiring.channels.pace().is_limited() {
            return Vec::new();
        }
        let events = notice::decide(&book.contacts, &Command::Gate(gate.clone())).unwrap_or_default();
        let started = events.iter().filter_map(|event| match event {
            Event::AttemptStarted(started) => Some(started.channel),
            _ => None,
        });
        started.collect()
    }

    /// Lets the gate decide on what the owner said; the attempts that it started, and nobody else's.
    async fn gate(&self, payer: &Payer, gate: Gate) -> Result<Option<(Arc<Book>, Vec<ChannelAttemptId>)>, Stalled> {
        let wiring = &self.shared.wiring;
        let command = Command::Gate(gate);
        let submission = payer.submission(command).with_answer(|_, facts| {
            let started = facts.iter().filter_map(|fact| match &fact.event {
                Event::AttemptStarted(started) => Some(started.attempt_id.as_str()),
                _ => None,
            });
            started.collect::<Vec<_>>().join(&SEPARATOR.to_string()).into_bytes()
        });
        match wiring.writer.submit(submission).await {
            Ok(written) if written.appended.last_version < written.appended.first_version => Ok(None),
            Ok(written) => {
                let answer = String::from_utf8(written.appended.answer).unwrap_or_default();
                let started = answer.split(SEPARATOR).filter_map(|id| ChannelAttemptId::new(id).ok()).collect();
                Ok(Some((written.state, started)))
            }
            Err(WriteError::Rejected(rejection)) => {
                tracing::debug!(slug = rejection.slug(), "the contact changed before it was looked at");
                Ok(None)
            }
            Err(error) => Err(error.into()),
        }
    }

    /// The message of an attempt. Errors: a slug, where there is none to be made.
    pub(super) fn message(
        &self,
        payer: &Payer,
        book: &Book,
        (contact_id, contact): (&ContactId, &Contact),
        attempt: &Attempt,
        look: &Look,
    ) -> Result<Outgoing, &'static str> {
        let template = contact.carrying_item().map(|item| item.template.clone()).ok_or("nothing_carried")?;
        let letter = self.letter(book, contact, look);
        let body = self.shared.wiring.templates.render(&template, attempt.channel, &letter).map_err(|fault| {
            tracing::error!(template, %fault, "a text cannot be made");
            fault.slug()
        })?;
        Ok(Outgoing {
            key: payer.key(&attempt.attempt_id),
            contact_id: contact_id.clone(),
            channel: attempt.channel,
            to: look.payer.address_of(attempt.channel),
            name: look.payer.name.clone(),
            language: letter.language,
            template,
            body,
            at: attempt.started_at,
        })
    }

    fn letter(&self, book: &Book, contact: &Contact, look: &Look) -> Letter {
        let line = |said: &Said| {
            let item = contact.item(&said.key)?;
            let shown = look.shown.get(&said.key.invoice_id);
            Some(Line {
                document: shown.map_or_else(|| said.key.invoice_id.to_string(), |shown| shown.document.clone()),
                amount_minor: said.net_minor,
                due_on: shown.and_then(|shown| shown.due_on).unwrap_or(item.due_on),
                overdue: item.overdue,
                payment_returned: book.returned.contains(&said.key),
                charged: shown.map(|shown| shown.charged).unwrap_or_default(),
                pay_with: shown.map(|shown| shown.pay_with.clone()).unwrap_or_default(),
            })
        };
        Letter {
            language: Language::of(&look.payer.language),
            name: look.payer.name.clone(),
            address: look.payer.address.clone(),
            creditor: self.shared.wiring.creditor.clone(),
            day: contact.day,
            currency: contact.currency,
            lines: contact.said.iter().filter_map(line).collect(),
            asks: contact.class.is_reminder(),
        }
    }
}

impl Payer {
    pub(super) fn key(&self, attempt_id: &ChannelAttemptId) -> AttemptKey {
        AttemptKey { tenant: self.tenant.clone(), customer_id: self.customer_id.clone(), attempt_id: attempt_id.clone() }
    }
}

/// What a look is about: all that was composed, or what the contact said when it was last looked at.
pub(super) fn spoken_of(contact: &Contact) -> Vec<&Item> {
    match contact.phase {
        Phase::Composed => contact.items.iter().collect(),
        Phase::Handed | Phase::Concluded => contact.said.iter().filter_map(|said| contact.item(&said.key)).collect(),
    }
}
