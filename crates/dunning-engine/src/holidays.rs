//! Local holidays as events: days on which payers of a place are not contacted, one stream per tenant.
//!
//! Invariants: a day of a place has one name, the last one; what is recorded already, and what is withdrawn and was not recorded, is no event.
//! Decisions read them from the tenant's [`Book`](crate::policies::Book); no date is ever computed from them.

use crate::wire;
use brazil::Place;
use chrono::{DateTime, NaiveDate, Utc};
use eventlog::{Aggregate, DecodeError, NewEvent, Told};
use std::{collections::BTreeMap, convert::Infallible};

/// Local holidays, as the event log runs them.
#[derive(Debug, Clone, Copy, Default)]
pub struct Holidays;

/// A day of a place.
pub type Key = (NaiveDate, Place);

/// The local holidays of a tenant that are in force.
pub type Kept = BTreeMap<Key, Holiday>;

/// A local holiday.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Holiday {
    /// For a person.
    pub name: String,
    /// Who recorded it.
    pub signed: Signed,
}

/// Who did something, why and when.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Signed {
    /// Who, as an operator id.
    pub by: String,
    /// Why, in the operator's words.
    pub why: String,
    /// When.
    pub at: DateTime<Utc>,
}

/// What is asked of a tenant's holidays.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Change {
    /// Days have these names. Of a day that is named twice the last name counts.
    Record {
        /// The days.
        holidays: Vec<(Key, String)>,
        /// By whom.
        signed: Signed,
    },
    /// Days are no holidays any more.
    Withdraw {
        /// The days.
        days: Vec<Key>,
        /// By whom.
        signed: Signed,
    },
}

/// What happened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum HolidayEvent {
    /// A day is a holiday of a place, or has another name.
    Recorded {
        /// The day of the place.
        key: Key,
        /// For a person.
        name: String,
        /// By whom.
        signed: Signed,
    },
    /// A day is no holiday of a place any more.
    Withdrawn {
        /// The day of the place.
        key: Key,
        /// By whom.
        signed: Signed,
    },
}

impl Aggregate for Holidays {
    type State = Kept;
    type Command = Change;
    type Event = HolidayEvent;
    type Rejection = Infallible;

    fn decide(&self, kept: &Kept, change: &Change) -> Result<Vec<HolidayEvent>, Infallible> {
        let (mut names, mut events): (BTreeMap<Key, &str>, _) = (BTreeMap::new(), Vec::new());
        names.extend(kept.iter().map(|(key, holiday)| (*key, holiday.name.as_str())));
        match change {
            Change::Record { holidays, signed } => {
                for (key, name) in holidays {
                    if names.insert(*key, name) != Some(name.as_str()) {
                        events.push(HolidayEvent::Recorded { key: *key, name: name.clone(), signed: signed.clone() });
                    }
                }
            }
            Change::Withdraw { days, signed } => {
                for key in days {
                    if names.remove(key).is_some() {
                        events.push(HolidayEvent::Withdrawn { key: *key, signed: signed.clone() });
                    }
                }
            }
        }
        Ok(events)
    }

    fn evolve(&self, mut kept: Kept, event: &HolidayEvent) -> Kept {
        match event {
            HolidayEvent::Recorded { key, name, signed } => {
                kept.insert(*key, Holiday { name: name.clone(), signed: signed.clone() });
            }
            HolidayEvent::Withdrawn { key, .. } => {
                kept.remove(key);
            }
        }
        kept
    }

    fn encode(&self, event: &HolidayEvent) -> NewEvent {
        let (event_type, payload) = wire::encode_holiday(event);
        NewEvent { event_type, schema_version: 1, payload, occurred_at: None, effective_on: None }
    }

    fn decode(&self, told: &Told) -> Result<Option<HolidayEvent>, DecodeError> {
        wire::decode_holiday(&told.event_type, &told.payload).map_err(|fault| DecodeError::new(told, fault.to_string()))
    }
}

/// The stream of a tenant's local holidays.
pub fn stream(tenant: &str) -> String {
    format!("holidays/{tenant}")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(day: &str, place: &str) -> Key {
        (day.parse().unwrap(), Place::parse(place).unwrap())
    }

    fn signed(by: &str) -> Signed {
        Signed { by: by.into(), why: "lei municipal".into(), at: "2026-11-23T12:00:00Z".parse().unwrap() }
    }

    fn told(kept: &mut Kept, change: &Change) -> usize {
        let events = Holidays.decide(kept, change).unwrap();
        *kept = events.iter().fold(std::mem::take(kept), |kept, event| Holidays.evolve(kept, event));
        events.len()
    }

    #[test]
    fn a_day_of_a_place_is_recorded_once_and_withdrawn_once() {
        let mut kept = Kept::default();
        let (city, state) = (key("2027-01-25", "3550308"), key("2027-01-25", "SP"));
        let record = |names: &[(Key, &str)], by: &str| Change::Record {
            holidays: names.iter().map(|(key, name)| (*key, (*name).to_owned())).collect(),
            signed: signed(by),
        };
        assert_eq!(told(&mut kept, &record(&[(city, "Aniversário"), (state, "Outro")], "ana")), 2);
        assert_eq!(told(&mut kept, &record(&[(city, "Aniversário")], "bia")), 0, "known");
        assert_eq!(kept[&city].signed.by, "ana");
        assert_eq!(told(&mut kept, &record(&[(city, "x"), (city, "Aniversário de São Paulo")], "bia")), 2, "the last name counts");
        assert_eq!((kept[&city].name.as_str(), kept[&city].signed.by.as_str()), ("Aniversário de São Paulo", "bia"));
        let withdraw = Change::Withdraw { days: vec![city, city, key("2027-01-26", "SP")], signed: signed("ana") };
        assert_eq!(told(&mut kept, &withdraw), 1);
        assert_eq!(told(&mut kept, &withdraw), 0);
        assert_eq!(kept.keys().collect::<Vec<_>>(), [&state]);
    }
}
