//! The gate: a first look at a composed contact, and another before each fallback.

use super::conclude::{all, concluded};
use crate::chain::{Start, starts};
use crate::event::StopReason;
use crate::gate::{carry, judge};
use crate::wake::{falls_back_at, is_open, opens_at, turn};
use crate::{
    AttemptStarted, Chain, Channel, Contact, ContactGated, Contacts, Event, Evidence, FallbackGated, FallbackStopped, Gate, Item,
    ItemOutcome, Occurrence, Outcome, OwnerAnswer, Phase, Reason, Rejection, Ruling, Said,
};
use alloc::{format, vec, vec::Vec};
use kernel::{ChannelAttemptId, ContactId, DateTime, Utc};

pub(super) fn gate(contacts: &Contacts, command: &Gate) -> Result<Vec<Event>, Rejection> {
    let contact_id = &command.contact_id;
    let contact = contacts.contacts.get(contact_id).ok_or(Rejection::ContactUnknown)?;
    let look = Look { contacts, contact_id, contact, evidence: &command.evidence };
    match contact.phase {
        Phase::Composed => {
            checked(&command.evidence, contact.items.iter().map(Item::key))?;
            look.in_turn()?;
            Ok(look.first())
        }
        Phase::Handed | Phase::Concluded => {
            let due = look.due_chains();
            if due.is_empty() {
                return Ok(vec![]);
            }
            checked(&command.evidence, contact.said.iter().map(|said| said.key.clone()))?;
            Ok(look.again(&due))
        }
    }
}

fn checked(evidence: &Evidence, mut keys: impl Iterator<Item = Occurrence>) -> Result<(), Rejection> {
    keys.try_for_each(|key| match evidence.verdicts.get(&key) {
        None => Err(Rejection::VerdictMissing),
        Some(OwnerAnswer::Authorized { net_minor }) if *net_minor <= 0 => Err(Rejection::NetNotPositive),
        Some(OwnerAnswer::Authorized { .. } | OwnerAnswer::Refused(_)) => Ok(()),
    })
}

struct Look<'a> {
    contacts: &'a Contacts,
    contact_id: &'a ContactId,
    contact: &'a Contact,
    evidence: &'a Evidence,
}

impl Look<'_> {
    /// The budget goes to whoever's turn it is, so nobody is looked at before those in front.
    fn in_turn(&self) -> Result<(), Rejection> {
        let in_front = |(id, other): (&ContactId, &Contact)| {
            other.phase == Phase::Composed
                && other.day == self.contact.day
                && opens_at(other) <= self.evidence.now
                && turn(id, other) < turn(self.contact_id, self.contact)
        };
        if self.contacts.contacts.iter().any(in_front) { Err(Rejection::OutOfTurn) } else { Ok(()) }
    }

    fn first(&self) -> Vec<Event> {
        let budget = self.contacts.budget(self.contact_id, self.contact);
        match crate::gate(self.contacts, self.contact, self.evidence, budget) {
            Ruling::NotYet => vec![],
            Ruling::Closed { outcomes } => vec![concluded(self.contact_id, self.contact, None, outcomes)],
            Ruling::Proceed { outcomes, said, carrying, chains } => {
                let began: Vec<Chain> = chains.iter().cloned().map(Chain::new).collect();
                let named: Vec<u32> = (0u32..).zip(&began).map(|(index, _)| index).collect();
                let starts = starts(&began, &named, |_| true, self.voice_left());
                let mut events = vec![self.gated(outcomes, said, carrying, chains)];
                events.extend(starts.iter().map(|start| self.started(start)));
                events
            }
        }
    }

    fn gated(&self, outcomes: Vec<ItemOutcome>, said: Vec<Said>, carrying: Occurrence, chains: Vec<Vec<Channel>>) -> Event {
        let item = self.contact.item(&carrying);
        Event::ContactGated(ContactGated {
            contact_id: self.contact_id.clone(),
            day: self.contact.day,
            currency: self.contact.currency,
            outcomes,
            said,
            tone: item.map_or(0, |item| item.tone),
            template: item.map(|item| item.template.clone()).unwrap_or_default(),
            carrying,
            chains,
            at: self.now(),
        })
    }

    fn due_chains(&self) -> Vec<u32> {
        let is_due = |chain: &Chain| falls_back_at(self.contact, chain).is_some_and(|at| at <= self.now());
        (0u32..).zip(&self.contact.chains).filter(|(_, chain)| is_due(chain)).map(|(index, _)| index).collect()
    }

    /// A look before a fallback: facts may have come since. What was executed keeps its outcome whatever is found. What
    /// another chain may be saying right now ends if it is over for good; if it would only wait, the fallback is stopped
    /// instead, for the item could come again although it was said.
    fn again(&self, due: &[u32]) -> Vec<Event> {
        let items: Vec<Item> = self.contact.said.iter().filter_map(|said| self.contact.item(&said.key).cloned()).collect();
        let (said, dropped) = judge(self.contacts, &items, self.evidence);
        let open = self.contact.phase == Phase::Handed && !self.contact.was_handed();
        if self.evidence.local_holiday || !is_open(self.contact, self.now()) {
            return self.stop(due, StopReason::WindowShut);
        }
        let undecided = self.contact.phase == Phase::Handed;
        let would_wait = dropped.iter().any(|item| !item.outcome.is_final());
        if undecided && !open && would_wait {
            return self.stop(due, StopReason::NothingToSay);
        }
        let Some(carrying) = carry(self.contact, &said) else {
            return if open {
                vec![concluded(self.contact_id, self.contact, None, dropped)]
            } else {
                self.stop(due, StopReason::NothingToSay)
            };
        };
        let may_use = |channel| self.contacts.may_use(channel, &self.evidence.reach);
        let starts = starts(&self.contact.chains, due, may_use, self.voice_left());
        let stopped: Vec<u32> = due.iter().copied().filter(|index| starts.iter().all(|start| start.chain != *index)).collect();
        if starts.is_empty() {
            return self.stop(&stopped, StopReason::NoChannelLeft);
        }
        let mut events = vec![self.gated_again(if undecided { dropped } else { vec![] }, said, carrying)];
        events.extend(self.stopped(&stopped, StopReason::NoChannelLeft));
        events.extend(starts.iter().map(|start| self.started(start)));
        events
    }

    fn gated_again(&self, outcomes: Vec<ItemOutcome>, said: Vec<Said>, carrying: &Item) -> Event {
        Event::FallbackGated(FallbackGated {
            contact_id: self.contact_id.clone(),
            outcomes,
            said,
            carrying: carrying.key(),
            tone: carrying.tone,
            template: carrying.template.clone(),
            at: self.now(),
        })
    }

    /// Stops chains; where that was the last hope of a contact that nobody accepted, it ends.
    fn stop(&self, due: &[u32], reason: StopReason) -> Vec<Event> {
        let mut events: Vec<Event> = self.stopped(due, reason).into_iter().collect();
        let hopeless = |(index, chain): (u32, &Chain)| due.contains(&index) || chain.left().next().is_none();
        let over = !self.contact.was_handed() && (0u32..).zip(&self.contact.chains).all(hopeless);
        if over && self.contact.phase == Phase::Handed {
            let outcome = match reason {
                StopReason::WindowShut => Outcome::Deferred(Reason::WindowShut),
                StopReason::NothingToSay | StopReason::NoChannelLeft => Outcome::Undeliverable(Reason::AllRefused),
            };
            events.push(concluded(self.contact_id, self.contact, None, all(self.contact, outcome)));
        }
        events
    }

    fn stopped(&self, chains: &[u32], reason: StopReason) -> Option<Event> {
        let event = || FallbackStopped { contact_id: self.contact_id.clone(), chains: chains.to_vec(), reason };
        (!chains.is_empty()).then(|| Event::FallbackStopped(event()))
    }

    fn started(&self, start: &Start) -> Event {
        let attempt_id = format!("{}.{}.{}", self.contact_id, start.chain, start.link);
        Event::AttemptStarted(AttemptStarted {
            contact_id: self.contact_id.clone(),
            attempt_id: ChannelAttemptId::new(&attempt_id).expect("contact ids are short enough for chain and link"),
            chain: start.chain,
            link: start.link,
            channel: start.channel,
            at: self.now(),
        })
    }

    fn voice_left(&self) -> u32 {
        let voice_today = self.contacts.budget(self.contact_id, self.contact).voice_today;
        self.contact.rules.max_voice_per_day.saturating_sub(voice_today)
    }

    fn now(&self) -> DateTime<Utc> {
        self.evidence.now
    }
}
