//! What a log must look like, whatever happened to those who wrote it.

use std::collections::{BTreeMap, HashMap, HashSet};

use anyhow::{Context, Result, bail, ensure};
use eventlog::{Appended, Log, Recorded};

use crate::account::amount_of;
use crate::balances::Line;

const PAGE: usize = 1000;

/// Events that a command got and was told about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Acknowledged {
    pub(crate) command: String,
    pub(crate) first_version: u64,
    pub(crate) last_version: u64,
    pub(crate) last_position: u64,
    pub(crate) answer: Vec<u8>,
}

impl Acknowledged {
    pub(crate) fn new(command: impl Into<String>, appended: &Appended) -> Acknowledged {
        Acknowledged {
            command: command.into(),
            first_version: appended.first_version,
            last_version: appended.last_version,
            last_position: appended.last_position,
            answer: appended.answer.clone(),
        }
    }
}

/// The whole log, if it is one: positions 1, 2, 3 … up to the head, each stream's versions 1, 2, 3 … in that order, no event id twice.
pub(crate) async fn whole(log: &Log) -> Result<Vec<Recorded>> {
    let head = log.head().await?;
    let mut events: Vec<Recorded> = Vec::new();
    while (events.len() as u64) < head {
        let page = log.read(events.len() as u64, PAGE).await?;
        ensure!(!page.is_empty(), "the head is {head}, reading ends after {}", events.len());
        events.extend(page);
    }
    contiguous(&events)?;
    Ok(events)
}

/// Whether events are the beginning of a log.
pub(crate) fn contiguous(events: &[Recorded]) -> Result<()> {
    let mut versions: HashMap<&str, u64> = HashMap::new();
    let mut ids = HashSet::new();
    for (place, event) in events.iter().enumerate() {
        let (expected, found) = (place as u64 + 1, event.position);
        ensure!(expected == found, "position {found} stands where {expected} should be");
        let version = versions.entry(&event.stream).or_insert(0);
        *version += 1;
        ensure!(*version == event.version, "{}@{} stands where version {version} should be", event.stream, event.version);
        ensure!(ids.insert(event.event_id), "event id {} is there twice", event.event_id);
    }
    Ok(())
}

/// Whether every acknowledged command is there as it was acknowledged, and every command that is there is there once and whole.
pub(crate) fn carries(events: &[Recorded], acknowledged: &[Acknowledged]) -> Result<()> {
    let runs = runs(events)?;
    for one in acknowledged {
        let Some(run) = runs.get(one.command.as_str()) else { bail!("acknowledged {one:?} is not there") };
        let found = (run[0].version, run[run.len() - 1].version, run[run.len() - 1].position);
        let told = (one.first_version, one.last_version, one.last_position);
        ensure!(found == told, "{} was told {told:?} and is at {found:?}", one.command);
    }
    Ok(())
}

/// The events of each command: consecutive and of one stream.
pub(crate) fn runs(events: &[Recorded]) -> Result<HashMap<&str, &[Recorded]>> {
    let mut runs: HashMap<&str, &[Recorded]> = HashMap::new();
    for run in events.chunk_by(|a, b| a.command_id == b.command_id) {
        let Some(command) = run[0].command_id.as_deref() else { continue };
        ensure!(run.iter().all(|event| event.stream == run[0].stream), "{command} is on two streams");
        ensure!(runs.insert(command, run).is_none(), "{command} is there twice");
    }
    Ok(runs)
}

/// The read model that follows from a log, over the events of one type.
pub(crate) fn folded(events: &[Recorded], event_type: &str) -> Result<BTreeMap<String, Line>> {
    let mut lines: BTreeMap<String, Line> = BTreeMap::new();
    for event in events.iter().filter(|event| event.event_type == event_type) {
        let line = lines.entry(event.stream.clone()).or_default();
        line.balance +=
            amount_of(&event.payload).with_context(|| format!("{} {}@{} cannot be read", event.event_type, event.stream, event.version))?;
        line.entries += 1;
        line.version = event.version;
    }
    Ok(lines)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::moment::ids;

    /// `"1 a@1 c1"` an event: position, stream, version, command.
    fn log(text: &str) -> Vec<Recorded> {
        let ids = ids();
        let event = |line: &str| {
            let words: Vec<&str> = line.split(' ').collect();
            let (stream, version) = words[1].split_once('@').unwrap();
            Recorded {
                position: words[0].parse().unwrap(),
                event_id: ids.event_id(),
                stream: stream.into(),
                version: version.parse().unwrap(),
                event_type: "Paid".into(),
                schema_version: 1,
                tenant: String::new(),
                key: String::new(),
                recorded_at: chrono::DateTime::UNIX_EPOCH,
                occurred_at: None,
                effective_on: None,
                command_id: words.get(2).map(|command| (*command).into()),
                correlation_id: None,
                causation_id: None,
                traceparent: None,
                payload: b"1".to_vec(),
            }
        };
        text.split(", ").map(event).collect()
    }

    #[test]
    fn what_is_no_log_is_noticed() {
        let cases = [
            ("1 a@1, 2 b@1, 3 a@2", ""),
            ("1 a@1, 3 a@2", "position 3 stands where 2 should be"),
            ("1 a@1, 1 a@2", "position 1 stands where 2 should be"),
            ("2 a@2, 1 a@1", "position 2 stands where 1 should be"),
            ("1 a@1, 2 a@1", "a@1 stands where version 2 should be"),
            ("1 a@1, 2 a@3", "a@3 stands where version 2 should be"),
        ];
        for (text, expected) in cases {
            let said = contiguous(&log(text)).map_or_else(|error| error.to_string(), |()| String::new());
            assert_eq!(said, expected, "{text}");
        }
        let mut twice = log("1 a@1, 2 a@2");
        twice[1].event_id = twice[0].event_id;
        assert!(contiguous(&twice).is_err());
    }

    #[test]
    fn what_was_acknowledged_and_is_not_so_is_noticed() {
        let told = |command: &str, first_version, last_version, last_position| Acknowledged {
            command: command.into(),
            first_version,
            last_version,
            last_position,
            answer: Vec::new(),
        };
        let events = "1 a@1 c1, 2 a@2 c1, 3 b@1 c2";
        let cases = [
            (events, told("c1", 1, 2, 2), true),
            (events, told("c1", 1, 1, 1), false),
            (events, told("c2", 1, 1, 4), false),
            (events, told("c3", 2, 2, 4), false),
            ("1 a@1 c1, 2 b@1 c2, 3 a@2 c1", told("c2", 1, 1, 2), false),
            ("1 a@1 c1, 2 b@1 c1", told("c1", 1, 1, 2), false),
        ];
        for (text, one, right) in cases {
            assert_eq!(carries(&log(text), std::slice::from_ref(&one)).is_ok(), right, "{text}: {one:?}");
        }
    }
}
