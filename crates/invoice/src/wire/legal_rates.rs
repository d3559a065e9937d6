//! The legal rate: proto ↔ domain.

use super::event::{DecodeFault, message};
use brazil::charges::{LegalRates, Rate};
use contracts::invoice::v1 as proto;
use host::Refusal;
use prost::Message;
use receivable::legal_rates::{LegalRateRecorded, LegalRatesRejection, Month, RecordLegalRates};

/// Type name of its one event.
pub const LEGAL_RATE_RECORDED: &str = "LegalRateRecorded";

/// Bytes of a fact.
pub fn encode(event: &LegalRateRecorded) -> Vec<u8> {
    let LegalRateRecorded { month, rate } = event;
    proto::LegalRateRecorded { month: shown(month.year, month.month), percent_micros: rate.micros() }.encode_to_vec()
}

/// The fact of a stored event; `None` for another type.
pub fn decode(event_type: &str, payload: &[u8]) -> Result<Option<LegalRateRecorded>, DecodeFault> {
    if event_type != LEGAL_RATE_RECORDED {
        return Ok(None);
    }
    let m: proto::LegalRateRecorded = message(LEGAL_RATE_RECORDED, payload)?;
    let month = month(&m.month).ok_or(DecodeFault::Field("month"))?;
    Ok(Some(LegalRateRecorded { month, rate: Rate::from_micros(m.percent_micros) }))
}

/// Rates to record. Errors: INVALID_ARGUMENT `legal_rate_month`.
pub fn command(m: &proto::RecordLegalRatesRequest) -> Result<RecordLegalRates, Refusal> {
    let one = |m: &proto::LegalRate| {
        let month = month(&m.month).ok_or_else(|| refused(LegalRatesRejection::Month))?;
        Ok((month, Rate::from_micros(m.percent_micros)))
    };
    Ok(RecordLegalRates { rates: m.rates.iter().map(one).collect::<Result<_, Refusal>>()?, correct: m.correct })
}

/// Rates as callers see them, newest month first.
pub fn view(rates: &LegalRates) -> Vec<proto::LegalRate> {
    let one = |(year, month, rate): (i32, u32, Rate)| proto::LegalRate { month: shown(year, month), percent_micros: rate.micros() };
    rates.rows().rev().map(one).collect()
}

/// The refusal of a command.
pub fn refused(rejection: LegalRatesRejection) -> Refusal {
    let text = rejection.to_string();
    match rejection {
        LegalRatesRejection::Count | LegalRatesRejection::Month | LegalRatesRejection::Rate => {
            Refusal::invalid(rejection.field(), rejection.slug(), text)
        }
        LegalRatesRejection::Known => Refusal::precondition(rejection.field(), rejection.slug(), text),
    }
}

fn shown(year: i32, month: u32) -> String {
    format!("{year:04}-{month:02}")
}

/// `2026-10` and nothing else.
fn month(text: &str) -> Option<Month> {
    let (year, month) = text.split_once('-')?;
    let digits = |part: &str, size: usize| part.len() == size && part.bytes().all(|byte| byte.is_ascii_digit());
    if !digits(year, 4) || !digits(month, 2) {
        return None;
    }
    Some(Month { year: year.parse().ok()?, month: month.parse().ok()? })
}
