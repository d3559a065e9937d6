//! What is stored once must be readable for ever: a line per event, its type and its bytes, that nobody changes.

use super::*;
use std::{collections::BTreeSet, fs, path::PathBuf};

/// Set, it adds the lines of new samples; it never changes old ones.
const BLESS: &str = "REGUA_BLESS";

fn path() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("golden/events.txt")
}

fn line((event_type, payload): (&'static str, Vec<u8>)) -> String {
    format!("{event_type} {}", hex::encode(payload))
}

fn samples() -> Vec<String> {
    let facts = facts().map(|fact| encode(&fact));
    let policies = policy_events().into_iter().map(|event| encode_policy(&event));
    let catch_ups = catch_up_events().into_iter().map(|event| encode_catch_up(&event));
    let listings = listing::listing_events().into_iter().map(|event| encode_listing(&event));
    let holidays = holiday::holiday_events().into_iter().map(|event| encode_holiday(&event));
    facts.chain(policies).chain(catch_ups).chain(listings).chain(holidays).map(line).collect()
}

/// What is stored, read and written again; `None` where nobody knows the type.
fn again(event_type: &str, payload: &[u8]) -> Result<Option<String>, DecodeFault> {
    if let Some(fact) = decode("acme", event_type, payload)? {
        return Ok(Some(line(encode(&fact))));
    }
    if let Some(event) = decode_policy(event_type, payload)? {
        return Ok(Some(line(encode_policy(&event))));
    }
    if let Some(event) = decode_holiday(event_type, payload)? {
        return Ok(Some(line(encode_holiday(&event))));
    }
    if let Some(event) = decode_listing(event_type, payload)? {
        return Ok(Some(line(encode_listing(&event))));
    }
    Ok(decode_catch_up(event_type, payload)?.map(|event| line(encode_catch_up(&event))))
}

/// The messages of the contract that are events: those whose name a reader knows.
fn event_types() -> impl Iterator<Item = &'static str> {
    let contract = include_str!("../../../../../proto/regua/dunning/v1/events.proto");
    let messages = contract.lines().filter_map(|line| line.strip_prefix("message ")?.strip_suffix(" {"));
    messages.filter(|name| !matches!(again(name, &[]), Ok(None)))
}

#[test]
fn the_bytes_of_every_event_stay_what_they_were() {
    let mut then = fs::read_to_string(path()).unwrap_or_default();
    let known: BTreeSet<String> = then.lines().map(String::from).collect();
    let missing: Vec<String> = samples().into_iter().filter(|sample| !known.contains(sample)).collect();
    if std::env::var_os(BLESS).is_some() {
        missing.iter().for_each(|sample| then.extend([sample.as_str(), "\n"]));
        fs::write(path(), &then).unwrap();
    } else {
        assert_eq!(missing, Vec::<String>::new(), "set {BLESS} to add what is new; what was there before must stay");
    }
    for line in then.lines() {
        let (event_type, payload) = line.split_once(' ').unwrap();
        assert_eq!(again(event_type, &hex::decode(payload).unwrap()).unwrap().as_deref(), Some(line));
    }
    for event_type in event_types() {
        assert!(then.lines().any(|line| line.starts_with(&format!("{event_type} "))), "{event_type} has no line");
    }
}
