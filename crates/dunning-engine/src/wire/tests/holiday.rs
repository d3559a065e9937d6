//! Local holidays: a sample of every event.

use super::*;
use crate::holidays::{HolidayEvent, Signed};
use crate::publish::PublicFacts;
use brazil::Place;
use eventlog::bus::{Publish, Published};

pub(super) fn holiday_events() -> Vec<HolidayEvent> {
    let key = |place: &str| (day("2027-01-25"), Place::parse(place).unwrap());
    let signed = || Signed { by: "ana".into(), why: "lei municipal".into(), at: at() };
    vec![
        HolidayEvent::Recorded { key: key("3550308"), name: "Aniversário de São Paulo".into(), signed: signed() },
        HolidayEvent::Recorded { key: key("SP"), name: "ponto facultativo".into(), signed: signed() },
        HolidayEvent::Recorded { key: key("tenant"), name: "recesso".into(), signed: signed() },
        HolidayEvent::Withdrawn { key: key("3550308"), signed: signed() },
    ]
}

#[test]
fn every_event_of_a_holiday_comes_back_as_it_went_and_is_public() {
    for event in holiday_events() {
        let (event_type, payload) = encode_holiday(&event);
        assert_eq!(decode_holiday(event_type, &payload), Ok(Some(event)));
        assert_eq!(decode("acme", event_type, &payload), Ok(None), "{event_type} is no event of a ladder");
        assert!(matches!(PublicFacts.publish(&recorded(event_type)), Published::Public { .. }));
    }
    assert_eq!(decode_holiday("TrackSettled", &[]), Ok(None));
    assert_eq!(decode_holiday("LocalHolidayWithdrawn", &[]), Err(DecodeFault::Field("day")));
}
