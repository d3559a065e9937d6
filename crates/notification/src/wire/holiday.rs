//! Local holidays: what the engine says, and what is kept of it.

use super::field::{DecodeFault, day, message};
use crate::holidays::Heard;
use brazil::Place;
use contracts::{dunning::v1 as dunning, notification::v1 as proto};
use kernel::written;
use prost::Message;

/// Type name and bytes of what is kept.
pub fn encode_holiday(heard: &Heard) -> (&'static str, Vec<u8>) {
    match heard {
        Heard::Noted { day, place, name } => {
            let m = proto::LocalHolidayNoted { place: place.to_string(), day: written::date_text(*day), name: name.clone() };
            ("LocalHolidayNoted", m.encode_to_vec())
        }
        Heard::Lifted { day, place } => {
            let m = proto::LocalHolidayLifted { place: place.to_string(), day: written::date_text(*day) };
            ("LocalHolidayLifted", m.encode_to_vec())
        }
    }
}

/// What is kept of a holiday; `None` for another type. Errors: damaged bytes or fields.
pub fn decode_holiday(event_type: &str, payload: &[u8]) -> Result<Option<Heard>, DecodeFault> {
    Ok(match event_type {
        "LocalHolidayNoted" => {
            let m: proto::LocalHolidayNoted = message("LocalHolidayNoted", payload)?;
            Some(Heard::Noted { day: day("day", &m.day)?, place: place(&m.place)?, name: m.name })
        }
        "LocalHolidayLifted" => {
            let m: proto::LocalHolidayLifted = message("LocalHolidayLifted", payload)?;
            Some(Heard::Lifted { day: day("day", &m.day)?, place: place(&m.place)? })
        }
        _ => None,
    })
}

/// What the engine says of a holiday; `None` where it says something else. Errors: damaged bytes or fields.
pub fn heard_of_holiday(event_type: &str, payload: &[u8]) -> Result<Option<Heard>, DecodeFault> {
    Ok(match event_type {
        "LocalHolidayRecorded" => {
            let m: dunning::LocalHolidayRecorded = message("LocalHolidayRecorded", payload)?;
            Some(Heard::Noted { day: day("day", &m.day)?, place: place(&m.place)?, name: m.name })
        }
        "LocalHolidayWithdrawn" => {
            let m: dunning::LocalHolidayWithdrawn = message("LocalHolidayWithdrawn", payload)?;
            Some(Heard::Lifted { day: day("day", &m.day)?, place: place(&m.place)? })
        }
        _ => None,
    })
}

fn place(text: &str) -> Result<Place, DecodeFault> {
    Place::parse(text).map_err(|_| DecodeFault::Field("place"))
}
