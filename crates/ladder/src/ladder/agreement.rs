//! What an agreement does to the tracks of its debts (ladder.md section 8, "agreement"). Its instalments are tracks of their own.

use super::command::Rejection;
use super::event::Event;
use super::facts::{self, Fact};
use super::pending::Pending;
use super::{arrange, lapse, listings, notices};
use crate::reason::Reason;
use crate::schedule;
use crate::track::Phase;
use kernel::{AgreementId, DateTime, InvoiceId, Utc};

/// Open steps end, and with them the track, until the agreement is broken. A collector's or a written-off debt stays where it is.
pub(super) fn note_agreement(
    pending: &mut Pending,
    id: &InvoiceId,
    agreement_id: &AgreementId,
    at: DateTime<Utc>,
) -> Result<(), Rejection> {
    let Some(fact) = facts::fresh(pending, id, at)? else { return Ok(()) };
    match pending.track(id)?.phase {
        Phase::Cancelled | Phase::Renegotiated => Ok(()),
        Phase::HandedOff | Phase::WrittenOff => facts::note_outstanding(pending, id, (0, 0), &fact),
        Phase::Settled | Phase::Enrolled | Phase::Active | Phase::Exhausted => {
            arrange::lapse(pending, id, fact.day)?;
            notices::drop_open(pending, id, fact.day, Reason::Renegotiated)?;
            lapse::close_open(pending, id, fact.day, Reason::Renegotiated)?;
            let (cycle, invoice_id, agreement_id) = (pending.track(id)?.cycle, id.clone(), agreement_id.clone());
            pending.emit(Event::TrackRenegotiated { invoice_id, cycle, day: fact.day, agreement_id, recorded_at: fact.recorded_at });
            arrange::after_agreement(pending, id, fact.day)?;
            listings::remove(pending, id, fact.day)
        }
    }
}

/// The debt is owed by itself again: a new cycle, placed as after any standstill. What was open of it meanwhile, because money went back, is
/// part of what is open now and keeps its place.
pub(super) fn note_breach(pending: &mut Pending, id: &InvoiceId, minor: i64, at: DateTime<Utc>) -> Result<(), Rejection> {
    let Some(fact) = facts::fresh(pending, id, at)? else { return Ok(()) };
    arrange::lapse(pending, id, fact.day)?;
    match pending.track(id)?.phase {
        Phase::Cancelled => Ok(()),
        Phase::HandedOff | Phase::WrittenOff | Phase::Enrolled | Phase::Active | Phase::Exhausted => {
            facts::note_outstanding(pending, id, (minor, 0), &fact)
        }
        Phase::Settled | Phase::Renegotiated if minor <= 0 => Ok(()),
        Phase::Settled | Phase::Renegotiated => reopen(pending, id, minor, &fact),
    }
}

fn reopen(pending: &mut Pending, id: &InvoiceId, minor: i64, fact: &Fact) -> Result<(), Rejection> {
    notices::drop_open(pending, id, fact.day, Reason::Reopened)?;
    let track = pending.track(id)?;
    let policy = pending.policy_of(track)?;
    let event = Event::TrackAgreementBroken {
        invoice_id: id.clone(),
        cycle: track.cycle + 1,
        day: fact.day,
        outstanding_minor: minor,
        recorded_at: fact.recorded_at,
        steps: schedule::planned_steps(policy, track.due_on, track.instalment_of.is_some()),
    };
    pending.emit(event);
    facts::close_recently_sent(pending, id, fact.day)?;
    facts::begin(pending, id, fact.day)
}
