//! A payer's tracks move from one policy version to another.

use super::command::{Command, Rejection};
use super::event::Event;
use super::lapse;
use super::pending::Pending;
use crate::migration;
use crate::reason::Reason;
use crate::variant::Variant;
use alloc::vec::Vec;
use kernel::InvoiceId;

/// Moves the running tracks of `from` of which nothing is being carried out. Sends nothing: what the new version makes due goes out by the
/// rules of the day, in one contact per currency on the day of the move. The variant is that of the payer's segment on that day.
pub(super) fn migrate(pending: &mut Pending, command: &Command) -> Result<(), Rejection> {
    let Command::Migrate { from, to, by, why, now } = command else { return Ok(()) };
    let (book, policy) = (pending.context().policies, pending.policy(&to.0, to.1)?);
    pending.policy(&from.0, from.1)?;
    let variant = policy.variant_for(pending.ladder().segment.as_deref());
    let policy = variant.map_or(policy, Variant::ladder);
    let Some(zone) = pending.ladder().zone(book) else { return Ok(()) };
    let day = zone.day_of(*now);
    let is_of = |track: &crate::track::Track| track.phase.is_running() && (&track.policy_id, track.policy_version) == (&from.0, from.1);
    let ids: Vec<InvoiceId> = pending.ladder().tracks.values().filter(|track| is_of(track)).map(|track| track.invoice_id.clone()).collect();
    for id in ids {
        // What was over by its dates is over by those of the old version.
        lapse::close_over(pending, &id, day)?;
        let track = pending.track(&id)?;
        let Some(moved) = migration::plan(track, policy) else { continue };
        let (cycle, due_on) = (track.cycle, track.due_on);
        lapse::close_keys(pending, &id, day, &moved.vanished, Reason::PolicyMigrated)?;
        pending.emit(Event::TrackMigrated {
            invoice_id: id.clone(),
            cycle,
            day,
            policy_id: to.0.clone(),
            policy_version: to.1,
            variant: variant.map(|variant| variant.id().clone()),
            due_on,
            effective_due: moved.effective_due,
            place: moved.place,
            steps: moved.steps,
            by: by.clone(),
            why: why.clone(),
        });
        lapse::take_stock(pending, &id, day)?;
    }
    Ok(())
}
