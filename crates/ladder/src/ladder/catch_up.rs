//! A payer waits for the creditor's catch-up, and is let go or not.

use super::command::Rejection;
use super::event::Event;
use super::lapse::{self, closing};
use super::pending::Pending;
use super::{Ladder, decide, evolve};
use crate::catch_up::{self, Forecast};
use crate::plan::Offer;
use crate::policy::StepKind;
use crate::reason::Reason;
use crate::track::End;
use alloc::vec::Vec;
use kernel::{DateTime, InvoiceId, NaiveDate, Utc};

/// Marks the payer where one of the day's contacts is late. Answers whether the contacts must wait.
pub(super) fn begin(pending: &mut Pending, ladder: &Ladder, offers: &[Offer], day: NaiveDate) -> bool {
    let context = pending.context();
    let Some(late_after_days) = context.terms.late_after_days.filter(|_| ladder.catch_up_since.is_none()) else { return false };
    let Some(forecast) = catch_up::forecast(ladder, offers, day, late_after_days, context.policies) else { return false };
    let forecast = Forecast { expired: pending.expired(), ..forecast };
    pending.emit(Event::CatchUpBegan { day, forecast });
    if context.approvals_given {
        pending.emit(Event::CatchUpEnded { day, number: 0, released: true });
        return false;
    }
    for offer in offers.iter().filter(|offer| offer.kind == StepKind::Notify && !offer.asks_approval) {
        pending.emit(Event::StepDeferred {
            invoice_id: offer.invoice_id.clone(),
            cycle: offer.cycle,
            step_id: offer.step_id.clone(),
            occurrence: offer.occurrence,
            day,
            contact_id: None,
            reason: Reason::CatchUpUnapproved,
        });
    }
    true
}

/// The creditor's catch-up was approved, or refused: then nothing of what is reached is sent, and the ladders go on with what comes.
pub(super) fn end(pending: &mut Pending, number: u32, released: bool, now: DateTime<Utc>) -> Result<(), Rejection> {
    let (ladder, context) = (pending.ladder(), pending.context());
    let Some(zone) = ladder.zone(context.policies).filter(|_| ladder.catch_up_since.is_some()) else { return Ok(()) };
    let day = zone.day_of(now);
    let ended = Event::CatchUpEnded { day, number, released };
    let after = evolve(ladder.clone(), &ended);
    pending.emit(ended);
    if released {
        let woken = decide(&after, &super::Command::Wake { now }, context)?;
        woken.into_iter().for_each(|event| pending.emit(event));
        return Ok(());
    }
    let running = ladder.tracks.iter().filter(|(_, track)| track.phase.is_running());
    let ids: Vec<InvoiceId> = running.map(|(id, _)| id.clone()).collect();
    for id in ids {
        lapse::record(pending, &id, now, zone)?;
        suppress_reached(pending, &id, day)?;
        lapse::take_stock(pending, &id, day)?;
    }
    Ok(())
}

fn suppress_reached(pending: &mut Pending, id: &InvoiceId, day: NaiveDate) -> Result<(), Rejection> {
    let track = pending.track(id)?;
    let reached = crate::plan::remaining(track).map(|(_, at)| at).filter(|at| at.kind == StepKind::Notify && at.is_reached(day));
    let closings = reached.map(|at| closing(at, End::Suppressed { reason: Reason::CatchUpRefused })).collect();
    let cycle = track.cycle;
    pending.close(id, cycle, day, closings);
    Ok(())
}
