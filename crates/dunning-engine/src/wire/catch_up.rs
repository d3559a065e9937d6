//! Catch-ups ↔ protobuf bytes.

use super::Read;
use super::field::{DecodeFault, day, id, message, named};
use crate::catch_up::{CatchUp, CatchUpEvent, Report, Verdict};
use contracts::dunning::v1 as proto;
use kernel::{PolicyId, StepId, written};
use ladder::{Event, Reason, catch_up::Forecast, policy::Channel};
use prost::Message;
use std::collections::BTreeMap;

/// Type name and bytes of a tenant's event.
pub fn encode_catch_up(event: &CatchUpEvent) -> (&'static str, Vec<u8>) {
    match event {
        CatchUpEvent::Planned(report) => ("CatchUpPlanned", planned(report).encode_to_vec()),
        CatchUpEvent::Decided { number, verdict } => {
            let (approved, by, reason) = (verdict.approved, verdict.by.clone(), verdict.why.clone());
            ("CatchUpDecided", proto::CatchUpDecided { number: *number, approved, by, reason }.encode_to_vec())
        }
    }
}

/// The tenant's event of a stored message; `None` for another type.
///
/// # Errors
/// [`DecodeFault`] for a known type whose payload cannot be read.
pub fn decode_catch_up(event_type: &str, payload: &[u8]) -> Result<Option<CatchUpEvent>, DecodeFault> {
    Ok(match event_type {
        "CatchUpPlanned" => {
            let m: proto::CatchUpPlanned = message("CatchUpPlanned", payload)?;
            Some(CatchUpEvent::Planned(Report {
                number: m.number,
                day: day("day", &m.day)?,
                payers: m.payers,
                forecast: forecast(m.contacts, &m.steps, (&m.superseded, &m.expired))?,
                approval_above: m.approval_above,
                approved: m.approved,
                until_position: m.until_position,
            }))
        }
        "CatchUpDecided" => {
            let m: proto::CatchUpDecided = message("CatchUpDecided", payload)?;
            Some(CatchUpEvent::Decided { number: m.number, verdict: Verdict { approved: m.approved, by: m.by, why: m.reason } })
        }
        _ => None,
    })
}

/// A catch-up as it is listed.
pub fn catch_up(one: &CatchUp) -> proto::CatchUp {
    let (by, reason) = one.verdict.as_ref().map(|verdict| (verdict.by.clone(), verdict.why.clone())).unwrap_or_default();
    proto::CatchUp { report: Some(planned(&one.report)), status: one.status().to_owned(), by, reason }
}

fn planned(report: &Report) -> proto::CatchUpPlanned {
    proto::CatchUpPlanned {
        number: report.number,
        day: written::date_text(report.day),
        payers: report.payers,
        contacts: report.forecast.contacts,
        steps: steps(&report.forecast),
        superseded: reasons(&report.forecast.superseded),
        expired: reasons(&report.forecast.expired),
        approval_above: report.approval_above,
        approved: report.approved,
        until_position: report.until_position,
    }
}

pub(super) fn encode_began(customer_id: String, day: String, forecast: &Forecast) -> (&'static str, Vec<u8>) {
    let m = proto::CatchUpBegan {
        customer_id,
        day,
        contacts: forecast.contacts,
        steps: steps(forecast),
        superseded: reasons(&forecast.superseded),
        expired: reasons(&forecast.expired),
    };
    ("CatchUpBegan", m.encode_to_vec())
}

/// The payer's event of a stored message; `None` for another type.
pub(super) fn decode_payer(event_type: &str, payload: &[u8]) -> Result<Option<(String, Event)>, DecodeFault> {
    Ok(match event_type {
        "CatchUpBegan" => Some(began(message("CatchUpBegan", payload)?)?),
        "CatchUpEnded" => {
            let m: proto::CatchUpEnded = message("CatchUpEnded", payload)?;
            Some((m.customer_id, Event::CatchUpEnded { day: day("day", &m.day)?, number: m.number, released: m.released }))
        }
        _ => None,
    })
}

fn began(m: proto::CatchUpBegan) -> Read {
    let forecast = forecast(m.contacts, &m.steps, (&m.superseded, &m.expired))?;
    Ok((m.customer_id, Event::CatchUpBegan { day: day("day", &m.day)?, forecast }))
}

fn steps(forecast: &Forecast) -> Vec<proto::CatchUpStep> {
    let one = |((policy_id, step_id, channel), tracks): (&(PolicyId, StepId, Channel), &u32)| proto::CatchUpStep {
        policy_id: policy_id.to_string(),
        step_id: step_id.to_string(),
        channel: channel.name().to_owned(),
        tracks: *tracks,
    };
    forecast.steps.iter().map(one).collect()
}

fn reasons(counts: &BTreeMap<Reason, u32>) -> Vec<proto::CatchUpReason> {
    counts.iter().map(|(reason, steps)| proto::CatchUpReason { reason: reason.slug().to_owned(), steps: *steps }).collect()
}

type Counted<'a> = (&'a [proto::CatchUpReason], &'a [proto::CatchUpReason]);

fn forecast(contacts: u32, steps: &[proto::CatchUpStep], (superseded, expired): Counted) -> Result<Forecast, DecodeFault> {
    let step = |m: &proto::CatchUpStep| {
        let channel = named("steps.channel", &m.channel, Channel::named)?;
        Ok(((id("steps.policy_id", &m.policy_id, PolicyId::new)?, id("steps.step_id", &m.step_id, StepId::new)?, channel), m.tracks))
    };
    let counted = |counts: &[proto::CatchUpReason]| {
        counts.iter().map(|m| Ok((named("reason", &m.reason, Reason::from_slug)?, m.steps))).collect::<Result<_, DecodeFault>>()
    };
    Ok(Forecast {
        contacts,
        steps: steps.iter().map(step).collect::<Result<_, DecodeFault>>()?,
        superseded: counted(superseded)?,
        expired: counted(expired)?,
    })
}
