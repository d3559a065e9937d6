//! An aggregate for tests: it adds numbers up and has timers.

use chrono::{DateTime, TimeDelta, Utc};
use eventlog::alongside::{Alongside, AlongsideError};
use eventlog::{Aggregate, Append, DecodeError, Meta, NewEvent, NextTimer, Submission, Told};

use crate::logs::{append, meta, start};

pub struct Counter;

#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Sum {
    pub total: i64,
    pub events: u64,
    /// Track and moment in seconds after the start.
    pub planned: Vec<(String, i64)>,
    pub fired: Vec<String>,
}

#[derive(Debug, Clone)]
pub enum Command {
    Add(i64),
    Nothing,
    Panic,
    Plan(&'static str, i64),
    /// What is due by the moment fires.
    Wake(DateTime<Utc>),
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Event {
    Added(i64),
    Planned(String, i64),
    Fired(String),
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BelowZero;

impl Aggregate for Counter {
    type State = Sum;
    type Command = Command;
    type Event = Event;
    type Rejection = BelowZero;

    fn decide(&self, state: &Sum, command: &Command) -> Result<Vec<Event>, BelowZero> {
        match command {
            Command::Add(by) if state.total + by < 0 => Err(BelowZero),
            Command::Add(by) => Ok(vec![Event::Added(*by)]),
            Command::Nothing => Ok(vec![]),
            Command::Panic => panic!("a rule with a fault"),
            Command::Plan(track, seconds) => Ok(vec![Event::Planned((*track).into(), *seconds)]),
            Command::Wake(now) => {
                let due = state.planned.iter().filter(|(_, at)| moment(*at) <= *now);
                Ok(due.map(|(track, _)| Event::Fired(track.clone())).collect())
            }
        }
    }

    fn evolve(&self, mut state: Sum, event: &Event) -> Sum {
        state.events += 1;
        match event {
            Event::Added(by) => state.total += by,
            Event::Planned(track, at) => {
                state.planned.retain(|(other, _)| other != track);
                state.planned.push((track.clone(), *at));
            }
            Event::Fired(track) => {
                state.planned.retain(|(other, _)| other != track);
                state.fired.push(track.clone());
            }
        }
        state
    }

    fn encode(&self, event: &Event) -> NewEvent {
        let (event_type, payload) = match event {
            Event::Added(by) => ("Added", by.to_string()),
            Event::Planned(track, at) => ("Planned", format!("{track} {at}")),
            Event::Fired(track) => ("Fired", track.clone()),
        };
        NewEvent { event_type, schema_version: 1, payload: payload.into_bytes(), occurred_at: None, effective_on: None }
    }

    fn decode(&self, told: &Told) -> Result<Option<Event>, DecodeError> {
        let text = String::from_utf8_lossy(&told.payload).into_owned();
        let number = |text: &str| text.parse::<i64>().map_err(|_| DecodeError::new(told, "not a number"));
        match told.event_type.as_str() {
            "Added" => Ok(Some(Event::Added(number(&text)?))),
            "Planned" => {
                let (track, at) = text.split_once(' ').ok_or_else(|| DecodeError::new(told, "no track"))?;
                Ok(Some(Event::Planned(track.into(), number(at)?)))
            }
            "Fired" => Ok(Some(Event::Fired(text))),
            _ => Ok(None),
        }
    }

    fn timers(&self, state: &Sum, after: DateTime<Utc>) -> Vec<NextTimer> {
        let later = state.planned.iter().filter(|(_, at)| moment(*at) > after);
        later.map(|(track, at)| NextTimer { track: track.clone(), due_at: Some(moment(*at)) }).collect()
    }
}

pub fn moment(seconds: i64) -> DateTime<Utc> {
    start() + TimeDelta::seconds(seconds)
}

pub fn on(stream: &str, command: Command) -> Submission<Counter> {
    Submission::new(stream, stream_meta(stream), command)
}

pub fn stream_meta(stream: &str) -> Meta {
    meta(stream)
}

/// What another process adds, as [`append`] reads it.
pub fn added(text: &str) -> Append {
    let mut added = append(text);
    added.events[0].event_type = "Added";
    added
}

/// What a page writes besides its commands.
pub struct Nothing;

#[async_trait::async_trait]
impl Alongside for Nothing {
    async fn write(&self, _: &mut sql::Tx) -> Result<(), AlongsideError> {
        Ok(())
    }
}
