//! What agreements do to tracks: facts to bytes, and back.

use super::decode::planned as planned_in;
use super::encode::planned as planned_out;
use super::field::{DecodeFault, day, id, instant};
use contracts::dunning::v1 as proto;
use kernel::{AgreementId, InvoiceId, written};
use ladder::Event;

type Read = Result<(String, Event), DecodeFault>;

pub(super) fn renegotiated(customer_id: String, event: &Event) -> proto::TrackRenegotiated {
    let Event::TrackRenegotiated { invoice_id, cycle, day, agreement_id, recorded_at } = event else { return Default::default() };
    proto::TrackRenegotiated {
        customer_id,
        invoice_id: invoice_id.to_string(),
        day: written::date_text(*day),
        cycle: *cycle,
        agreement_id: agreement_id.to_string(),
        recorded_at_us: recorded_at.timestamp_micros(),
    }
}

pub(super) fn broken(customer_id: String, event: &Event) -> proto::TrackAgreementBroken {
    let Event::TrackAgreementBroken { invoice_id, cycle, day, outstanding_minor, recorded_at, steps } = event else {
        return Default::default();
    };
    proto::TrackAgreementBroken {
        customer_id,
        invoice_id: invoice_id.to_string(),
        cycle: *cycle,
        day: written::date_text(*day),
        steps: planned_out(steps),
        outstanding_minor: *outstanding_minor,
        recorded_at_us: recorded_at.timestamp_micros(),
    }
}

pub(super) fn renegotiated_in(m: proto::TrackRenegotiated) -> Read {
    let event = Event::TrackRenegotiated {
        invoice_id: id("invoice_id", &m.invoice_id, InvoiceId::new)?,
        cycle: m.cycle,
        day: day("day", &m.day)?,
        agreement_id: id("agreement_id", &m.agreement_id, AgreementId::new)?,
        recorded_at: instant("recorded_at_us", m.recorded_at_us)?,
    };
    Ok((m.customer_id, event))
}

pub(super) fn broken_in(m: proto::TrackAgreementBroken) -> Read {
    let event = Event::TrackAgreementBroken {
        invoice_id: id("invoice_id", &m.invoice_id, InvoiceId::new)?,
        cycle: m.cycle,
        day: day("day", &m.day)?,
        outstanding_minor: m.outstanding_minor,
        recorded_at: instant("recorded_at_us", m.recorded_at_us)?,
        steps: planned_in(&m.steps)?,
    };
    Ok((m.customer_id, event))
}

/// Facts from before there were agreements, and of other receivables, name none.
pub(super) fn instalment_of(text: &str) -> Result<Option<AgreementId>, DecodeFault> {
    if text.is_empty() { Ok(None) } else { id("agreement_id", text, AgreementId::new).map(Some) }
}
