//! Local holidays as the engine tells them, kept for the last look: one stream per tenant.
//!
//! The engine offers nothing on one that it knows of. One that is recorded after the offer is found here, before a contact is handed over.

use crate::{
    inbound::DUNNING_TOPIC,
    wire::{self, DecodeFault},
};
use brazil::{LocalHolidays, Place};
use eventlog::{
    Aggregate, DecodeError, Log, LogError, NewEvent, Told,
    bus::Message,
    consumer::{Inbound, InboundCommand, Poison},
};
use kernel::NaiveDate;
use std::{
    collections::HashMap,
    convert::Infallible,
    sync::{Arc, Mutex, PoisonError},
};

/// Local holidays, as the event log runs them.
#[derive(Debug, Clone, Copy, Default)]
pub struct Holidays;

/// What the engine says of a day of a place; told twice, it changes nothing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Heard {
    /// It is a holiday.
    Noted {
        /// The day.
        day: NaiveDate,
        /// Where.
        place: Place,
        /// For a person.
        name: String,
    },
    /// It is none any more.
    Lifted {
        /// The day.
        day: NaiveDate,
        /// Where.
        place: Place,
    },
}

impl Aggregate for Holidays {
    type State = LocalHolidays;
    type Command = Heard;
    type Event = Heard;
    type Rejection = Infallible;

    fn decide(&self, known: &LocalHolidays, heard: &Heard) -> Result<Vec<Heard>, Infallible> {
        let is_news = match heard {
            Heard::Noted { day, place, name } => known.of_place(*day, *place) != Some(name),
            Heard::Lifted { day, place } => known.of_place(*day, *place).is_some(),
        };
        Ok(if is_news { vec![heard.clone()] } else { Vec::new() })
    }

    fn evolve(&self, mut known: LocalHolidays, heard: &Heard) -> LocalHolidays {
        match heard {
            Heard::Noted { day, place, name } => known.set(*day, *place, name.clone()),
            Heard::Lifted { day, place } => known.remove(*day, *place),
        }
        known
    }

    fn encode(&self, heard: &Heard) -> NewEvent {
        let (event_type, payload) = wire::encode_holiday(heard);
        NewEvent { event_type, schema_version: 1, payload, occurred_at: None, effective_on: None }
    }

    fn decode(&self, told: &Told) -> Result<Option<Heard>, DecodeError> {
        wire::decode_holiday(&told.event_type, &told.payload).map_err(|fault| DecodeError::new(told, fault.to_string()))
    }
}

/// What is made of the engine's facts.
#[derive(Debug, Clone, Copy, Default)]
pub struct HolidayFacts;

impl Inbound<Heard> for HolidayFacts {
    fn commands(&self, message: &Message) -> Result<Vec<InboundCommand<Heard>>, Poison> {
        if message.topic != DUNNING_TOPIC {
            return Ok(Vec::new());
        }
        let poison = |fault: DecodeFault| Poison::new(format!("{}: {fault}", message.event.event_type));
        let heard = wire::heard_of_holiday(&message.event.event_type, &message.event.payload).map_err(poison)?;
        let command = |heard: Heard| InboundCommand::caused_by(message, stream(&message.event.tenant), heard);
        Ok(heard.map(command).into_iter().collect())
    }

    /// Of this topic all other types are known and of no interest here.
    fn knows(&self, topic: &str, _event_type: &str) -> bool {
        topic == DUNNING_TOPIC
    }
}

/// Holidays as they are read before each contact: of what the log says only what is new. Clones share it.
#[derive(Clone)]
pub struct HolidayBook {
    log: Log,
    known: Arc<Mutex<HashMap<String, Known>>>,
}

/// A tenant's holidays, and the version of their stream.
type Known = (u64, Arc<LocalHolidays>);

impl HolidayBook {
    /// Over a log; nothing is read yet.
    pub fn new(log: Log) -> Self {
        Self { log, known: Arc::default() }
    }

    /// A tenant's holidays as they are now, whichever process heard of them. Errors: the log cannot be read, or holds what nobody can read.
    pub async fn of(&self, tenant: &str) -> Result<Arc<LocalHolidays>, LogError> {
        let (mut version, mut holidays) = self.lock().get(tenant).cloned().unwrap_or_default();
        let events = self.log.told(&[(stream(tenant), version)]).await?;
        let Some(last) = events.last() else { return Ok(holidays) };
        let after = Arc::make_mut(&mut holidays);
        for event in &events {
            let heard = Holidays.decode(event).map_err(|error| LogError::Corrupt(error.to_string()))?;
            if let Some(heard) = heard {
                *after = Holidays.evolve(std::mem::take(after), &heard);
            }
        }
        version = version.max(last.version);
        let mut known = self.lock();
        let kept = known.entry(tenant.to_owned()).or_default();
        if kept.0 < version {
            *kept = (version, Arc::clone(&holidays));
        }
        Ok(holidays)
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, HashMap<String, Known>> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The stream of a tenant's local holidays.
pub fn stream(tenant: &str) -> String {
    format!("holidays/{tenant}")
}
