//! The aggregate of the suite: an account that adds amounts up, and how its facts look to others.

use anyhow::Context;
use eventlog::bus::{Message, Publish, Published};
use eventlog::consumer::{Inbound, InboundCommand, Poison};
use eventlog::{Aggregate, CommandKey, DecodeError, Meta, NewEvent, Recorded, Submission, Told};
use std::sync::atomic::{AtomicBool, Ordering};

/// An amount that the mirror does not understand before it was repaired.
pub(crate) const UNLUCKY: i64 = 13;
/// The public name of a booked amount.
pub(crate) const BOOKED: &str = "AmountBooked";

/// The rules of an account.
pub struct Accounts;

/// An account.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Account {
    /// Sum of all amounts.
    pub balance: i64,
    /// How many amounts.
    pub entries: u64,
}

/// What an account can be asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Command {
    /// Adds amounts, one event each, all or none.
    Pay(Vec<i64>),
    /// A fact that stays inside.
    Remark,
    /// A public fact of a type that no consumer knows.
    Rumour,
}

/// What happened to an account.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Event {
    /// An amount was added.
    Paid(i64),
    /// Something internal.
    Remarked,
    /// Something that nobody else understands.
    Rumoured,
}

/// The account would go below zero.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Overdrawn;

impl Aggregate for Accounts {
    type State = Account;
    type Command = Command;
    type Event = Event;
    type Rejection = Overdrawn;

    fn decide(&self, state: &Account, command: &Command) -> Result<Vec<Event>, Overdrawn> {
        match command {
            Command::Pay(amounts) if state.balance + amounts.iter().sum::<i64>() < 0 => Err(Overdrawn),
            Command::Pay(amounts) => Ok(amounts.iter().copied().map(Event::Paid).collect()),
            Command::Remark => Ok(vec![Event::Remarked]),
            Command::Rumour => Ok(vec![Event::Rumoured]),
        }
    }

    fn evolve(&self, mut state: Account, event: &Event) -> Account {
        match event {
            Event::Paid(amount) => {
                state.balance += amount;
                state.entries += 1;
            }
            Event::Remarked | Event::Rumoured => {}
        }
        state
    }

    fn encode(&self, event: &Event) -> NewEvent {
        let (event_type, payload) = match event {
            Event::Paid(amount) => ("Paid", amount.to_string()),
            Event::Remarked => ("Remarked", String::new()),
            Event::Rumoured => ("Rumoured", String::new()),
        };
        fact(event_type, &payload)
    }

    fn decode(&self, told: &Told) -> Result<Option<Event>, DecodeError> {
        match told.event_type.as_str() {
            "Paid" => Ok(Some(Event::Paid(amount_of(&told.payload).map_err(|error| DecodeError::new(told, error.to_string()))?))),
            "Remarked" => Ok(Some(Event::Remarked)),
            "Rumoured" => Ok(Some(Event::Rumoured)),
            _ => Ok(None),
        }
    }
}

/// The bank's public language: amounts under another name, remarks withheld, rumours as they are.
pub struct PublicFacts;

impl Publish for PublicFacts {
    fn publish(&self, event: &Recorded) -> Published {
        match event.event_type.as_str() {
            "Paid" => Published::Public { event_type: BOOKED.into(), payload: event.payload.clone() },
            "Remarked" => Published::Withheld,
            other => Published::Public { event_type: other.into(), payload: event.payload.clone() },
        }
    }
}

/// The mirror's ear: every amount is paid again on an account of its own. [`UNLUCKY`] is poison until the program is repaired.
#[derive(Default)]
pub(crate) struct Ear {
    pub(crate) repaired: AtomicBool,
}

impl Inbound<Command> for Ear {
    fn commands(&self, message: &Message) -> Result<Vec<InboundCommand<Command>>, Poison> {
        if message.event.event_type != BOOKED {
            return Ok(Vec::new());
        }
        let amount = amount_of(&message.event.payload).map_err(|error| Poison::new(error.to_string()))?;
        if amount == UNLUCKY && !self.repaired.load(Ordering::SeqCst) {
            return Err(Poison::new("13 is not understood"));
        }
        Ok(vec![InboundCommand::caused_by(message, mirrored(&message.event.stream), Command::Pay(vec![amount]))])
    }

    fn knows(&self, _topic: &str, event_type: &str) -> bool {
        event_type == BOOKED
    }
}

/// The mirror's account of a bank's account.
pub(crate) fn mirrored(stream: &str) -> String {
    format!("mirror/{stream}")
}

pub(crate) fn fact(event_type: &'static str, payload: &str) -> NewEvent {
    NewEvent { event_type, schema_version: 1, payload: payload.into(), occurred_at: None, effective_on: None }
}

pub(crate) fn amount_of(payload: &[u8]) -> anyhow::Result<i64> {
    let text = std::str::from_utf8(payload)?;
    text.parse().with_context(|| format!("{text:?} is no amount"))
}

pub(crate) fn meta(stream: &str) -> Meta {
    Meta { tenant: "default".into(), key: format!("default/{stream}"), ..Meta::default() }
}

/// A command without an id.
pub(crate) fn on(stream: &str, command: Command) -> Submission<Accounts> {
    Submission::new(stream, meta(stream), command)
}

/// The command with the number `n`, the same for ever: 1 to 3 amounts on one of seven accounts, with an id, answered with the state that
/// it led to. The answer depends on the order of all commands, so a command that was carried out twice gives itself away.
pub fn numbered(n: u64) -> Submission<Accounts> {
    let amounts = (0..=n % 3).map(|part| (n * 10 + part) as i64).collect();
    let answer = |state: &Account, _: &[Event]| format!("{} {}", state.balance, state.entries).into_bytes();
    on(&format!("account-{}", n % 7), Command::Pay(amounts)).with_key(key(n)).with_answer(answer)
}

/// How many events [`numbered`] causes.
pub(crate) fn events_of(n: u64) -> u64 {
    n % 3 + 1
}

/// The id of the command with the number `n`.
pub(crate) fn key(n: u64) -> CommandKey {
    let mut body_hash = [0; 32];
    body_hash[..8].copy_from_slice(&n.to_be_bytes());
    CommandKey { id: format!("c{n}"), body_hash }
}
