//! Holds, disputes, promises, announced payments, write-off and hand-off: what a person decides about a debt (ladder.md section 8).
//!
//! Silent corners of the norm, decided here:
//! - An arrangement is about debts that are owed: `enrolled`, `active` or `exhausted`. On others it is refused.
//! - The days of an arrangement are local days of the payer. Money is under way for business days of the track's calendar, counted from
//!   the promised (or announced) day moved to a business day.
//! - A promise is kept when what its debts received since reaches the promised amount, or all are paid; else, after its
//!   last day, partly kept where anything came, and broken. Partly kept resumes like broken: the text says what is missing.
//! - While a dispute is open, whole or not, its debt is neither listed nor taken to protest; what stands there already must leave.
//! - A payment by whatever way ends an announcement: what is left of the debt is reminded of again.

use super::command::{Arrange, Command, Rejection};
use super::decide::check_date;
use super::event::Event;
use super::lapse::close_open;
use super::listings;
use super::pending::Pending;
use crate::arrangement::{Arrangement, ArrangementEnd, ArrangementKind, ArrangementTerms, OpenArrangement};
use crate::reason::{Reason, TaskReason};
use crate::terms::Method;
use crate::track::{Phase, Track};
use alloc::string::String;
use alloc::vec::Vec;
use kernel::{ArrangementId, Currency, InvoiceId, MAX_AMOUNT_MINOR, NaiveDate, calendar};

/// Who orders something on which local day, and why.
struct Order<'a> {
    day: NaiveDate,
    by: &'a str,
    why: &'a str,
}

pub(super) fn arrange(pending: &mut Pending, command: &Command) -> Result<(), Rejection> {
    let Command::Arrange { at, by, why, what } = command else { return Ok(()) };
    let named = what.invoice_ids().first().ok_or(Rejection::ItemsNotDistinct)?;
    let zone = pending.ladder().zone(pending.context().policies).ok_or_else(|| Rejection::UnknownInvoice(named.clone()))?;
    let order = Order { day: zone.day_of(*at), by, why };
    for invoice_id in what.invoice_ids() {
        lapse(pending, invoice_id, order.day)?;
    }
    match what {
        Arrange::Hold { id, invoice_id, until, review_on } => hold(pending, &order, id, invoice_id, (*until, *review_on)),
        Arrange::Dispute { id, invoice_id, amount_minor } => dispute(pending, &order, id, invoice_id, *amount_minor),
        Arrange::Promise { .. } => promise(pending, &order, what),
        Arrange::Announce { id, invoice_id, method } => announce(pending, &order, id, invoice_id, *method),
        Arrange::End { invoice_id, kind, end } => end_by_hand(pending, &order, invoice_id, (*kind, *end)),
        Arrange::WriteOff { invoice_id } => write_off(pending, &order, invoice_id),
        Arrange::HandOff { invoice_id } => hand_off(pending, &order, invoice_id),
    }
}

fn hold(
    pending: &mut Pending,
    order: &Order,
    id: &ArrangementId,
    invoice_id: &InvoiceId,
    (until, review_on): (Option<NaiveDate>, Option<NaiveDate>),
) -> Result<(), Rejection> {
    for (field, date) in [("until", until), ("review_on", review_on)] {
        if let Some(date) = date {
            check_date(field, date)?;
            if date < order.day {
                return Err(Rejection::DateInPast(field));
            }
        }
    }
    if until.is_none() && review_on.is_none() {
        return Err(Rejection::HoldWithoutEnd);
    }
    make(pending, order, id, (ArrangementTerms::Hold { review_on }, until), core::slice::from_ref(invoice_id))
}

fn dispute(
    pending: &mut Pending,
    order: &Order,
    id: &ArrangementId,
    invoice_id: &InvoiceId,
    amount_minor: Option<i64>,
) -> Result<(), Rejection> {
    if let Some(part) = amount_minor {
        within(part, pending.track(invoice_id)?.outstanding_minor)?;
    }
    let before = pending.count();
    make(pending, order, id, (ArrangementTerms::Dispute { amount_minor }, None), core::slice::from_ref(invoice_id))?;
    if pending.count() > before {
        raise(pending, invoice_id, order.day, TaskReason::DisputeOpen)?;
        listings::remove(pending, invoice_id, order.day)?;
    }
    Ok(())
}

fn promise(pending: &mut Pending, order: &Order, what: &Arrange) -> Result<(), Rejection> {
    let Arrange::Promise { id, invoice_ids, amount_minor, currency, promised_on, method } = what else { return Ok(()) };
    check_date("promised_on", *promised_on)?;
    let limits = pending.context().terms;
    if *promised_on < order.day {
        return Err(Rejection::DateInPast("promised_on"));
    }
    if *promised_on > calendar::add_days(order.day, i64::from(limits.max_promise_days)) {
        return Err(Rejection::PromiseTooFar(limits.max_promise_days));
    }
    let mut distinct = invoice_ids.clone();
    distinct.sort();
    distinct.dedup();
    if distinct.len() != invoice_ids.len() || distinct.is_empty() {
        return Err(Rejection::ItemsNotDistinct);
    }
    let terms = ArrangementTerms::Promise { amount_minor: *amount_minor, currency: *currency, promised_on: *promised_on };
    if !is_repeated(pending, id, &terms, invoice_ids)? {
        check_promise(pending, invoice_ids, *amount_minor, *currency)?;
    }
    let mut until = *promised_on;
    for invoice_id in invoice_ids {
        until = until.max(cleared_on(pending, invoice_id, *promised_on, method.unwrap_or(Method::Other))?);
    }
    make(pending, order, id, (terms, Some(until)), invoice_ids)
}

/// How many promises a track takes, and that nobody promises more than is owed.
fn check_promise(pending: &Pending, invoice_ids: &[InvoiceId], amount_minor: i64, currency: Currency) -> Result<(), Rejection> {
    let (mut owed_minor, most) = (0_i64, pending.context().terms.max_promises);
    for invoice_id in invoice_ids {
        let track = pending.track(invoice_id)?;
        if track.currency != currency {
            return Err(Rejection::CurrencyMismatch);
        }
        if track.promises_made >= most {
            return Err(Rejection::TooMany { kind: ArrangementKind::Promise, most });
        }
        owed_minor = owed_minor.saturating_add(track.outstanding_minor.max(0));
    }
    within(amount_minor, owed_minor)
}

fn announce(pending: &mut Pending, order: &Order, id: &ArrangementId, invoice_id: &InvoiceId, method: Method) -> Result<(), Rejection> {
    let (terms, items) = (ArrangementTerms::Announcement { method }, core::slice::from_ref(invoice_id));
    let most = pending.context().terms.max_announcements;
    if !is_repeated(pending, id, &terms, items)? && pending.track(invoice_id)?.announcements_made >= most {
        return Err(Rejection::TooMany { kind: ArrangementKind::Announcement, most });
    }
    let until = cleared_on(pending, invoice_id, order.day, method)?;
    make(pending, order, id, (terms, Some(until)), items)
}

/// The last day on which a payment made on a day may still be under way.
fn cleared_on(pending: &Pending, invoice_id: &InvoiceId, paid_on: NaiveDate, method: Method) -> Result<NaiveDate, Rejection> {
    let calendar = pending.policy_of(pending.track(invoice_id)?)?.calendar();
    let days = i32::try_from(pending.context().terms.clearing_days.of(method)).unwrap_or(i32::MAX);
    Ok(calendar.add_business_days(calendar.following(paid_on), days))
}

fn within(amount_minor: i64, most_minor: i64) -> Result<(), Rejection> {
    if amount_minor <= 0 {
        Err(Rejection::AmountNotPositive)
    } else if amount_minor > most_minor.min(MAX_AMOUNT_MINOR) {
        Err(Rejection::AmountTooLarge)
    } else {
        Ok(())
    }
}

/// The same arrangement once more; an error where its id is that of another one.
fn is_repeated(pending: &Pending, id: &ArrangementId, terms: &ArrangementTerms, invoice_ids: &[InvoiceId]) -> Result<bool, Rejection> {
    if !pending.ladder().arranged.contains(id) {
        return Ok(false);
    }
    let mut open = invoice_ids.iter().filter_map(|invoice_id| pending.track(invoice_id).ok()).flat_map(|track| &track.arrangements);
    let same = |open: &OpenArrangement| {
        open.arrangement.id == *id && open.arrangement.terms == *terms && open.arrangement.invoice_ids == invoice_ids
    };
    if open.any(same) { Ok(true) } else { Err(Rejection::ArrangementExists(id.clone())) }
}

fn make(
    pending: &mut Pending,
    order: &Order,
    id: &ArrangementId,
    (terms, until): (ArrangementTerms, Option<NaiveDate>),
    invoice_ids: &[InvoiceId],
) -> Result<(), Rejection> {
    for invoice_id in invoice_ids {
        pending.track(invoice_id)?;
    }
    if is_repeated(pending, id, &terms, invoice_ids)? {
        return Ok(());
    }
    let arrangement = Arrangement {
        id: id.clone(),
        terms,
        invoice_ids: invoice_ids.to_vec(),
        since: order.day,
        until,
        by: String::from(order.by),
        why: String::from(order.why),
    };
    for invoice_id in invoice_ids {
        let track = pending.track(invoice_id)?;
        owed(track)?;
        if track.arrangement(arrangement.kind()).is_some() {
            return Err(Rejection::AlreadyArranged(arrangement.kind()));
        }
    }
    pending.emit(Event::Arranged { arrangement });
    Ok(())
}

fn is_owed(track: &Track) -> bool {
    match track.phase {
        Phase::Enrolled | Phase::Active | Phase::Exhausted => true,
        Phase::Settled | Phase::Cancelled | Phase::HandedOff | Phase::WrittenOff | Phase::Renegotiated => false,
    }
}

fn owed(track: &Track) -> Result<(), Rejection> {
    if is_owed(track) { Ok(()) } else { Err(Rejection::TrackOver { invoice_id: track.invoice_id.clone(), phase: track.phase }) }
}

fn end_by_hand(
    pending: &mut Pending,
    order: &Order,
    invoice_id: &InvoiceId,
    (kind, end): (ArrangementKind, ArrangementEnd),
) -> Result<(), Rejection> {
    let open = pending.track(invoice_id)?.arrangement(kind).ok_or(Rejection::NotArranged(kind))?;
    let arrangement = open.arrangement.clone();
    finish(pending, &arrangement, (end, order.day), (order.by, order.why))
}

fn finish(
    pending: &mut Pending,
    arrangement: &Arrangement,
    (end, day): (ArrangementEnd, NaiveDate),
    (by, why): (&str, &str),
) -> Result<(), Rejection> {
    let received_minor = match arrangement.kind() {
        ArrangementKind::Promise | ArrangementKind::Announcement => received(pending, arrangement),
        ArrangementKind::Hold | ArrangementKind::Dispute => 0,
    };
    let event = Event::ArrangementEnded {
        id: arrangement.id.clone(),
        kind: arrangement.kind(),
        invoice_ids: arrangement.invoice_ids.clone(),
        end,
        day,
        received_minor,
        by: String::from(by),
        why: String::from(why),
    };
    pending.emit(event);
    let missing = matches!(end, ArrangementEnd::Broken | ArrangementEnd::PartlyKept);
    for invoice_id in &arrangement.invoice_ids {
        let track = pending.track(invoice_id)?;
        // Its ladder is over: nobody but a person can go on.
        if missing && track.phase == Phase::Exhausted {
            raise(pending, invoice_id, day, TaskReason::PromiseBroken)?;
        }
    }
    Ok(())
}

/// What the debts of an arrangement received since it was made, minor units; not below zero.
fn received(pending: &Pending, arrangement: &Arrangement) -> i64 {
    let of = |invoice_id: &InvoiceId| {
        let track = pending.track(invoice_id).ok()?;
        let open = track.arrangements.iter().find(|open| open.arrangement.id == arrangement.id)?;
        Some(track.received_minor.saturating_sub(open.received_before_minor))
    };
    arrangement.invoice_ids.iter().filter_map(of).fold(0_i64, i64::saturating_add).max(0)
}

fn outcome(pending: &Pending, arrangement: &Arrangement, promised_minor: i64) -> ArrangementEnd {
    let received_minor = received(pending, arrangement);
    let tracks = || arrangement.invoice_ids.iter().filter_map(|invoice_id| pending.track(invoice_id).ok());
    let (is_open, is_paid) = (tracks().any(is_owed), tracks().any(|track| track.phase == Phase::Settled));
    if received_minor >= promised_minor || (!is_open && is_paid) {
        ArrangementEnd::Kept
    } else if !is_open {
        // Cancelled, renegotiated, written off, handed off: nobody can keep it any more, and nobody broke it.
        ArrangementEnd::Lapsed
    } else if received_minor > 0 {
        ArrangementEnd::PartlyKept
    } else {
        ArrangementEnd::Broken
    }
}

/// A debt is owed by an agreement: what was arranged about it, and about nothing else that is owed, has no purpose.
pub(super) fn after_agreement(pending: &mut Pending, invoice_id: &InvoiceId, day: NaiveDate) -> Result<(), Rejection> {
    let open: Vec<Arrangement> = pending.track(invoice_id)?.arrangements.iter().map(|open| open.arrangement.clone()).collect();
    for arrangement in open {
        let mut tracks = arrangement.invoice_ids.iter().filter_map(|invoice_id| pending.track(invoice_id).ok());
        if !tracks.any(is_owed) {
            finish(pending, &arrangement, (ArrangementEnd::Lapsed, day), ("", ""))?;
        }
    }
    Ok(())
}

/// A payment of a track came, or its debt is owed no more: announcements are confirmed, promises may be kept.
pub(super) fn after_payment(pending: &mut Pending, invoice_id: &InvoiceId, day: NaiveDate) -> Result<(), Rejection> {
    let open: Vec<Arrangement> = pending.track(invoice_id)?.arrangements.iter().map(|open| open.arrangement.clone()).collect();
    for arrangement in open {
        match arrangement.terms {
            ArrangementTerms::Announcement { .. } => finish(pending, &arrangement, (ArrangementEnd::Confirmed, day), ("", ""))?,
            // What came after its last day does not keep it, whether or not anybody looked in between.
            ArrangementTerms::Promise { amount_minor, .. } if arrangement.counts_on(day) => {
                if outcome(pending, &arrangement, amount_minor) == ArrangementEnd::Kept {
                    finish(pending, &arrangement, (ArrangementEnd::Kept, day), ("", ""))?;
                }
            }
            ArrangementTerms::Promise { .. } | ArrangementTerms::Hold { .. } | ArrangementTerms::Dispute { .. } => {}
        }
    }
    Ok(())
}

/// Ends what was over before `day`. Comes before the balance of a fact of that day is noted.
pub(super) fn lapse(pending: &mut Pending, invoice_id: &InvoiceId, day: NaiveDate) -> Result<(), Rejection> {
    let track = pending.track(invoice_id)?;
    let over = |open: &&OpenArrangement| !open.arrangement.counts_on(day);
    let lapsed: Vec<Arrangement> = track.arrangements.iter().filter(over).map(|open| open.arrangement.clone()).collect();
    for arrangement in lapsed {
        let end = match arrangement.terms {
            ArrangementTerms::Promise { amount_minor, .. } => outcome(pending, &arrangement, amount_minor),
            ArrangementTerms::Hold { .. } | ArrangementTerms::Dispute { .. } | ArrangementTerms::Announcement { .. } => {
                ArrangementEnd::Lapsed
            }
        };
        finish(pending, &arrangement, (end, day), ("", ""))?;
    }
    Ok(())
}

/// Asks a person to look again at a hold whose review day has come. Once.
pub(super) fn ask_for_review(pending: &mut Pending, invoice_id: &InvoiceId, day: NaiveDate) -> Result<(), Rejection> {
    if review_day(pending.track(invoice_id)?).is_some_and(|review_on| review_on <= day) {
        raise(pending, invoice_id, day, TaskReason::HoldReview)?;
    }
    Ok(())
}

/// The day on which a person must look again at a hold, while nobody was asked.
pub(super) fn review_day(track: &Track) -> Option<NaiveDate> {
    let mut open = track.arrangements.iter().filter(|open| is_owed(track) && !open.review_asked);
    open.find_map(|open| open.arrangement.review_on())
}

fn raise(pending: &mut Pending, invoice_id: &InvoiceId, day: NaiveDate, reason: TaskReason) -> Result<(), Rejection> {
    let cycle = pending.track(invoice_id)?.cycle;
    pending.emit(Event::TaskRaised { invoice_id: invoice_id.clone(), cycle, day, reason, step_id: None, until: None });
    Ok(())
}

fn write_off(pending: &mut Pending, order: &Order, invoice_id: &InvoiceId) -> Result<(), Rejection> {
    let track = pending.track(invoice_id)?;
    if track.phase == Phase::WrittenOff {
        return Ok(());
    }
    owed(track)?;
    let cycle = track.cycle;
    close_open(pending, invoice_id, order.day, Reason::WrittenOff)?;
    let (by, why) = (String::from(order.by), String::from(order.why));
    pending.emit(Event::TrackWrittenOff { invoice_id: invoice_id.clone(), cycle, day: order.day, by, why });
    listings::remove(pending, invoice_id, order.day)
}

fn hand_off(pending: &mut Pending, order: &Order, invoice_id: &InvoiceId) -> Result<(), Rejection> {
    let track = pending.track(invoice_id)?;
    if track.phase == Phase::HandedOff {
        return Ok(());
    }
    owed(track)?;
    let cycle = track.cycle;
    close_open(pending, invoice_id, order.day, Reason::HandedOff)?;
    let (by, why) = (String::from(order.by), String::from(order.why));
    pending.emit(Event::TrackHandedOff { invoice_id: invoice_id.clone(), cycle, day: order.day, by, why });
    Ok(())
}
