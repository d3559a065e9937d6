//! Command to events.

use super::command::{Command, Rejection};
use super::event::Event;
use super::pending::Pending;
use super::{Ladder, agreement, arrange, attend, catch_up, conclude, facts, listings, migrate, wake};
use crate::PolicyBook;
use crate::terms::Terms;
use crate::variant::Variant;
use alloc::vec::Vec;
use chrono::Datelike;
use kernel::{DateTime, InvoiceId, NaiveDate, Utc};

/// What a decision may read besides the state.
#[derive(Clone, Copy)]
pub struct Context<'a> {
    /// The published policies.
    pub policies: &'a dyn PolicyBook,
    /// Steps that ask for approval need none (replay, or a tenant that gave it once for all).
    pub approvals_given: bool,
    /// The creditor's limits.
    pub terms: Terms,
}

/// The events that a command causes; none where it changes nothing. Errors: see [`Rejection`]; then nothing happened.
pub fn decide(ladder: &Ladder, command: &Command, context: &Context) -> Result<Vec<Event>, Rejection> {
    let mut pending = Pending::new(ladder, context);
    match command {
        Command::NotePayer { .. } => note_payer(&mut pending, command),
        Command::NoteRating { score } => note_rating(&mut pending, *score),
        Command::NoteView { invoice_id, viewed_at } => note_view(&mut pending, invoice_id, *viewed_at)?,
        Command::Enroll { .. } => enroll(&mut pending, command)?,
        Command::NotePayment { invoice_id, outstanding_minor, recorded_at } => {
            facts::note_payment(&mut pending, invoice_id, *outstanding_minor, (true, *recorded_at))?;
        }
        Command::NoteCredit { invoice_id, outstanding_minor, recorded_at } => {
            facts::note_payment(&mut pending, invoice_id, *outstanding_minor, (false, *recorded_at))?;
        }
        Command::NoteReversal { invoice_id, outstanding_minor, recorded_at } => {
            facts::note_reversal(&mut pending, invoice_id, *outstanding_minor, *recorded_at)?;
        }
        Command::NoteAmendment { invoice_id, outstanding_minor, due_on, recorded_at } => {
            facts::note_amendment(&mut pending, invoice_id, *outstanding_minor, *due_on, *recorded_at)?;
        }
        Command::NoteCancellation { invoice_id, recorded_at } => facts::note_cancellation(&mut pending, invoice_id, *recorded_at)?,
        Command::NoteAgreement { invoice_id, agreement_id, recorded_at } => {
            agreement::note_agreement(&mut pending, invoice_id, agreement_id, *recorded_at)?;
        }
        Command::NoteBreach { invoice_id, outstanding_minor, recorded_at } => {
            agreement::note_breach(&mut pending, invoice_id, *outstanding_minor, *recorded_at)?;
        }
        Command::Wake { now } => wake::wake(&mut pending, *now)?,
        Command::ConcludeContact { contact_id, day, items } => conclude::conclude_contact(&mut pending, contact_id, *day, items)?,
        Command::NoteDelivery { .. } => conclude::note_delivery(&mut pending, command)?,
        Command::ConcludeAction { .. } => conclude::conclude_action(&mut pending, command)?,
        Command::Approve { .. } => conclude::approve(&mut pending, command)?,
        Command::Attend { .. } => attend::attend(&mut pending, command)?,
        Command::Arrange { .. } => arrange::arrange(&mut pending, command)?,
        Command::EndCatchUp { number, released, now } => catch_up::end(&mut pending, *number, *released, *now)?,
        Command::NoteListing { invoice_id, cycle, step_id, day, note } => {
            listings::note(&mut pending, invoice_id, (*cycle, step_id), *day, note)?;
        }
        Command::Migrate { .. } => migrate::migrate(&mut pending, command)?,
        Command::ForgetPayer { recorded_at } => facts::forget_payer(&mut pending, *recorded_at)?,
    }
    Ok(pending.into_events())
}

fn note_payer(pending: &mut Pending, command: &Command) {
    let Command::NotePayer { zone, segment, state, municipality } = command else { return };
    let known = pending.ladder();
    let is_same = (&known.zone, &known.segment, &known.state, &known.municipality) == (zone, segment, state, municipality);
    if known.forgotten || !is_same {
        let (segment, state, municipality) = (segment.clone(), state.clone(), municipality.clone());
        pending.emit(Event::PayerNoted { zone: *zone, segment, state, municipality });
    }
}

fn note_rating(pending: &mut Pending, score: u8) {
    let known = pending.ladder();
    if !known.forgotten && known.risk_score != Some(score) {
        pending.emit(Event::RatingNoted { score });
    }
}

/// Conditions ask only running tracks, and a cycle that begins later does not count views from before.
fn note_view(pending: &mut Pending, invoice_id: &InvoiceId, viewed_at: DateTime<Utc>) -> Result<(), Rejection> {
    let track = pending.track(invoice_id)?;
    let is_news = track.viewed_at.is_none_or(|known| viewed_at > known);
    if is_news && track.phase.is_running() && !pending.ladder().forgotten {
        pending.emit(Event::ViewNoted { invoice_id: invoice_id.clone(), viewed_at });
    }
    Ok(())
}

/// Refuses civil dates that no receivable has.
pub(super) fn check_date(field: &'static str, day: NaiveDate) -> Result<(), Rejection> {
    if (1900..=9999).contains(&day.year()) { Ok(()) } else { Err(Rejection::DateOutOfRange(field)) }
}

/// `Enroll` asks for a track; planned dates are fixed here, by the pinned version and the variant of the payer's segment at this moment.
fn enroll(pending: &mut Pending, command: &Command) -> Result<(), Rejection> {
    let Command::Enroll { invoice_id, amount_minor, currency, issued_on, due_on, recorded_at, policy_id, policy_version, instalment_of } =
        command
    else {
        return Ok(());
    };
    if pending.ladder().tracks.contains_key(invoice_id) {
        return Ok(());
    }
    if *amount_minor <= 0 {
        return Err(Rejection::AmountNotPositive);
    }
    check_date("issued_on", *issued_on)?;
    check_date("due_on", *due_on)?;
    let policy = pending.policy(policy_id, *policy_version)?;
    let variant = policy.variant_for(pending.ladder().segment.as_deref());
    let policy = variant.map_or(policy, Variant::ladder);
    let event = Event::TrackEnrolled {
        invoice_id: invoice_id.clone(),
        policy_id: policy_id.clone(),
        policy_version: *policy_version,
        variant: variant.map(|variant| variant.id().clone()),
        cycle: 1,
        amount_minor: *amount_minor,
        currency: *currency,
        issued_on: *issued_on,
        due_on: *due_on,
        effective_due: crate::schedule::effective_due(*due_on, policy.calendar()),
        known_on: pending.zone_by(policy).day_of(*recorded_at).max(*issued_on),
        recorded_at: *recorded_at,
        steps: crate::schedule::planned_steps(policy, *due_on, instalment_of.is_some()),
        instalment_of: instalment_of.clone(),
    };
    pending.emit(event);
    Ok(())
}
