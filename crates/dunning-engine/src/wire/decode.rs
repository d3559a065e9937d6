//! Protobuf bytes → events.

use super::field::{DecodeFault, currency, day, id, instant, message, named, optional_day, optional_id, time, tone};
use super::{Fact, Read, agreement, arrangement, catch_up, migration, notice, work};
use contracts::dunning::v1 as proto;
use kernel::{Calendar, ContactId, CustomerId, InvoiceId, PolicyId, StepId, VariantId, Window, Zone, window::close_named};
use ladder::{
    Event, Reason, TaskReason,
    ladder::{Closing, DueItem, Shift},
    policy::{Chain, Channel, ContactRules, Merge, StepKind},
    schedule::PlannedStep,
    track::{End, FIRST_OCCURRENCE},
};

/// The fact of a stored event; `None` for a type that is none of a payer's ladders, or that this version does not know.
///
/// # Errors
/// [`DecodeFault`] for a known type whose payload cannot be read.
pub fn decode(tenant: &str, event_type: &str, payload: &[u8]) -> Result<Option<Fact>, DecodeFault> {
    let (customer_id, event) = match event_type {
        "PayerNoted" => payer_noted(message("PayerNoted", payload)?)?,
        "PayerForgotten" => (message::<proto::PayerForgotten>("PayerForgotten", payload)?.customer_id, Event::PayerForgotten),
        "RatingNoted" => rated(message("RatingNoted", payload)?)?,
        "ViewNoted" => viewed(message("ViewNoted", payload)?)?,
        "TrackEnrolled" => enrolled(message("TrackEnrolled", payload)?)?,
        "TrackRescheduled" => rescheduled(message("TrackRescheduled", payload)?)?,
        "TrackReopened" => reopened(message("TrackReopened", payload)?)?,
        "OutstandingNoted" => outstanding(message("OutstandingNoted", payload)?)?,
        "StepsPlanned" => dated(message("StepsPlanned", payload)?)?,
        "StepsClosed" => closed(message("StepsClosed", payload)?)?,
        "ReminderDue" => reminder(message("ReminderDue", payload)?)?,
        "StepDeferred" => deferred(message("StepDeferred", payload)?)?,
        "ApprovalRequested" => approval_requested(message("ApprovalRequested", payload)?)?,
        "ApprovalGiven" => approval_given(message("ApprovalGiven", payload)?)?,
        "ApprovalRefused" => work::refused(message("ApprovalRefused", payload)?)?,
        "TaskDone" => work::done(message("TaskDone", payload)?)?,
        "TaskSnoozed" => work::snoozed(message("TaskSnoozed", payload)?)?,
        "ActionDue" => action(message("ActionDue", payload)?)?,
        "TrackSettled" => settled(message("TrackSettled", payload)?)?,
        "TrackRenegotiated" => agreement::renegotiated_in(message("TrackRenegotiated", payload)?)?,
        "TrackAgreementBroken" => agreement::broken_in(message("TrackAgreementBroken", payload)?)?,
        "TrackCancelled" => cancelled(message("TrackCancelled", payload)?)?,
        "TrackMigrated" => migration::moved(message("TrackMigrated", payload)?)?,
        "TrackExhausted" => exhausted(message("TrackExhausted", payload)?)?,
        "TrackHandedOff" => handed_off(message("TrackHandedOff", payload)?)?,
        "TaskRaised" => task(message("TaskRaised", payload)?)?,
        "StepDelivered" => delivered(message("StepDelivered", payload)?)?,
        "TrackWrittenOff" => written_off(message("TrackWrittenOff", payload)?)?,
        other => match arrangement::decode(other, payload)? {
            Some(read) => read,
            None => match (catch_up::decode_payer(other, payload)?, notice::decode_notice(other, payload)?) {
                (Some(read), _) | (None, Some(read)) => read,
                (None, None) => return Ok(None),
            },
        },
    };
    let customer_id = id("customer_id", &customer_id, CustomerId::new)?;
    Ok(Some(Fact { tenant: tenant.to_owned(), customer_id, event }))
}

fn invoice(text: &str) -> Result<InvoiceId, DecodeFault> {
    id("invoice_id", text, InvoiceId::new)
}

fn step(text: &str) -> Result<StepId, DecodeFault> {
    id("step_id", text, StepId::new)
}

fn policy(text: &str) -> Result<PolicyId, DecodeFault> {
    id("policy_id", text, PolicyId::new)
}

/// The variant that a track is pinned to; empty in facts from before there were any, and of tracks on the base.
pub(super) fn variant(text: &str) -> Result<Option<VariantId>, DecodeFault> {
    if text.is_empty() { Ok(None) } else { id("variant", text, VariantId::new).map(Some) }
}

fn payer_noted(m: proto::PayerNoted) -> Read {
    let zone = if m.time_zone.is_empty() { None } else { Some(named("time_zone", &m.time_zone, Zone::named)?) };
    let segment = (!m.segment.is_empty()).then_some(m.segment);
    let state = (!m.state.is_empty()).then_some(m.state);
    let municipality = (!m.municipality.is_empty()).then_some(m.municipality);
    Ok((m.customer_id, Event::PayerNoted { zone, segment, state, municipality }))
}

fn rated(m: proto::RatingNoted) -> Read {
    let score = u8::try_from(m.score).map_err(|_| DecodeFault::Field("score"))?;
    Ok((m.customer_id, Event::RatingNoted { score }))
}

fn viewed(m: proto::ViewNoted) -> Read {
    let viewed_at = instant("viewed_at_us", m.viewed_at_us)?;
    Ok((m.customer_id, Event::ViewNoted { invoice_id: invoice(&m.invoice_id)?, viewed_at }))
}

fn enrolled(m: proto::TrackEnrolled) -> Read {
    let event = Event::TrackEnrolled {
        invoice_id: invoice(&m.invoice_id)?,
        policy_id: policy(&m.policy_id)?,
        policy_version: m.policy_version,
        variant: variant(&m.variant)?,
        cycle: m.cycle,
        amount_minor: m.amount_minor,
        currency: currency("currency", &m.currency)?,
        issued_on: day("issued_on", &m.issued_on)?,
        due_on: day("due_on", &m.due_on)?,
        effective_due: day("effective_due", &m.effective_due)?,
        known_on: day("known_on", &m.known_on)?,
        recorded_at: instant("recorded_at_us", m.recorded_at_us)?,
        steps: planned(&m.steps)?,
        instalment_of: agreement::instalment_of(&m.agreement_id)?,
    };
    Ok((m.customer_id, event))
}

fn rescheduled(m: proto::TrackRescheduled) -> Read {
    let event = Event::TrackRescheduled {
        invoice_id: invoice(&m.invoice_id)?,
        cycle: m.cycle,
        day: day("known_on", &m.known_on)?,
        shift: named("shift", &m.shift, shift_named)?,
        due_on: day("due_on", &m.due_on)?,
        effective_due: day("effective_due", &m.effective_due)?,
        outstanding_minor: m.outstanding_minor,
        recorded_at: instant("recorded_at_us", m.recorded_at_us)?,
        steps: planned(&m.steps)?,
    };
    Ok((m.customer_id, event))
}

fn shift_named(name: &str) -> Option<Shift> {
    match name {
        "later" => Some(Shift::Later),
        "earlier" => Some(Shift::Earlier),
        _ => None,
    }
}

fn reopened(m: proto::TrackReopened) -> Read {
    let event = Event::TrackReopened {
        invoice_id: invoice(&m.invoice_id)?,
        cycle: m.cycle,
        day: day("known_on", &m.known_on)?,
        outstanding_minor: m.outstanding_minor,
        recorded_at: instant("recorded_at_us", m.recorded_at_us)?,
        steps: planned(&m.steps)?,
    };
    Ok((m.customer_id, event))
}

pub(super) fn planned(steps: &[proto::PlannedStep]) -> Result<Vec<PlannedStep>, DecodeFault> {
    steps.iter().map(planned_step).collect()
}

/// A step with its dates.
pub(super) fn planned_step(m: &proto::PlannedStep) -> Result<PlannedStep, DecodeFault> {
    Ok(PlannedStep {
        step_id: id("steps.step_id", &m.step_id, StepId::new)?,
        // Facts from before steps were repeated do not say it.
        occurrence: m.occurrence.max(FIRST_OCCURRENCE),
        tone: tone("steps.tone", m.tone)?,
        kind: named("steps.kind", &m.kind, StepKind::named)?,
        planned_on: optional_day("steps.planned_on", &m.planned_on)?,
        last_day: optional_day("steps.last_day", &m.last_day)?,
    })
}

fn outstanding(m: proto::OutstandingNoted) -> Read {
    let recorded_at = instant("recorded_at_us", m.recorded_at_us)?;
    let event = Event::OutstandingNoted {
        invoice_id: invoice(&m.invoice_id)?,
        outstanding_minor: m.outstanding_minor,
        received_minor: m.received_minor,
        recorded_at,
    };
    Ok((m.customer_id, event))
}

fn dated(m: proto::StepsPlanned) -> Read {
    let (invoice_id, day) = (invoice(&m.invoice_id)?, day("day", &m.day)?);
    Ok((m.customer_id, Event::StepsPlanned { invoice_id, cycle: m.cycle, day, steps: planned(&m.steps)? }))
}

fn closed(m: proto::StepsClosed) -> Read {
    let event = Event::StepsClosed {
        invoice_id: invoice(&m.invoice_id)?,
        cycle: m.cycle,
        day: day("day", &m.day)?,
        closings: m.closings.iter().map(closing).collect::<Result<_, _>>()?,
    };
    Ok((m.customer_id, event))
}

pub(super) fn closing(m: &proto::StepClosing) -> Result<Closing, DecodeFault> {
    let reason = || named("closings.reason", &m.reason, Reason::from_slug);
    let channel = || if m.channel.is_empty() { Ok(None) } else { named("closings.channel", &m.channel, Channel::named).map(Some) };
    let end = match m.end() {
        proto::StepEnd::Unspecified => return Err(DecodeFault::Field("closings.end")),
        proto::StepEnd::Executed => {
            End::Executed { contact_id: optional_id("closings.contact_id", &m.contact_id, ContactId::new)?, channel: channel()? }
        }
        proto::StepEnd::Superseded => {
            End::Superseded { reason: reason()?, by: optional_id("closings.by_step_id", &m.by_step_id, StepId::new)? }
        }
        proto::StepEnd::Suppressed => End::Suppressed { reason: reason()? },
        proto::StepEnd::Expired => End::Expired { reason: reason()? },
        proto::StepEnd::Undeliverable => End::Undeliverable { reason: reason()? },
    };
    Ok(Closing { step_id: id("closings.step_id", &m.step_id, StepId::new)?, occurrence: m.occurrence, end })
}

pub(super) fn reminder(m: proto::ReminderDue) -> Read {
    let rules = m.rules.ok_or(DecodeFault::Field("rules"))?;
    let weekdays = rules.weekdays.try_into().map_err(|_| DecodeFault::Field("rules.weekdays"))?;
    let event = Event::ReminderDue {
        day: day("day", &m.day)?,
        items: m.items.into_iter().map(item).collect::<Result<_, _>>()?,
        rules: ContactRules {
            merge: named("rules.merge", &rules.merge, Merge::named)?,
            max_per_day: rules.max_per_day,
            max_per_7_days: rules.max_per_7_days,
            max_voice_per_day: rules.max_voice_per_day,
            window: Window {
                weekdays,
                from: time("rules.window_from", &rules.window_from)?,
                until: named("rules.window_until", &rules.window_until, close_named)?,
            },
        },
        calendar: named("calendar", &m.calendar, Calendar::named)?,
        zone: named("time_zone", &m.time_zone, Zone::named)?,
    };
    Ok((m.customer_id, event))
}

fn item(m: proto::DueItem) -> Result<DueItem, DecodeFault> {
    Ok(DueItem {
        invoice_id: id("items.invoice_id", &m.invoice_id, InvoiceId::new)?,
        cycle: m.cycle,
        step_id: id("items.step_id", &m.step_id, StepId::new)?,
        occurrence: m.occurrence,
        tone: tone("items.tone", m.tone)?,
        template: m.template,
        chains: m.chains.iter().map(chain).collect::<Result<_, _>>()?,
        planned_on: day("items.planned_on", &m.planned_on)?,
        last_day: optional_day("items.last_day", &m.last_day)?,
        due_on: day("items.due_on", &m.due_on)?,
        effective_due: day("items.effective_due", &m.effective_due)?,
        overdue: m.overdue,
        currency: currency("items.currency", &m.currency)?,
        min_outstanding_minor: m.min_outstanding_minor,
        payment_returned: m.payment_returned,
        promise_broken: m.promise_broken,
        disputed_minor: m.disputed_minor,
        policy_id: id("items.policy_id", &m.policy_id, PolicyId::new)?,
        policy_version: m.policy_version,
        fallback_after_hours: m.fallback_after_hours,
    })
}

fn chain(m: &proto::ChannelChain) -> Result<Chain, DecodeFault> {
    m.channels.iter().map(|name| named("items.chains", name, Channel::named)).collect::<Result<_, _>>().map(Chain)
}

fn deferred(m: proto::StepDeferred) -> Read {
    let event = Event::StepDeferred {
        invoice_id: invoice(&m.invoice_id)?,
        cycle: m.cycle,
        step_id: step(&m.step_id)?,
        occurrence: m.occurrence,
        day: day("day", &m.day)?,
        contact_id: optional_id("contact_id", &m.contact_id, ContactId::new)?,
        reason: named("reason", &m.reason, Reason::from_slug)?,
    };
    Ok((m.customer_id, event))
}

fn approval_requested(m: proto::ApprovalRequested) -> Read {
    let event = Event::ApprovalRequested {
        invoice_id: invoice(&m.invoice_id)?,
        cycle: m.cycle,
        step_id: step(&m.step_id)?,
        occurrence: m.occurrence,
        day: day("day", &m.day)?,
    };
    Ok((m.customer_id, event))
}

fn approval_given(m: proto::ApprovalGiven) -> Read {
    let event = Event::ApprovalGiven {
        invoice_id: invoice(&m.invoice_id)?,
        cycle: m.cycle,
        step_id: step(&m.step_id)?,
        occurrence: m.occurrence,
        by: m.by,
        day: optional_day("day", &m.day)?,
        why: m.reason,
    };
    Ok((m.customer_id, event))
}

fn action(m: proto::ActionDue) -> Read {
    let event = Event::ActionDue {
        invoice_id: invoice(&m.invoice_id)?,
        cycle: m.cycle,
        step_id: step(&m.step_id)?,
        occurrence: m.occurrence,
        day: day("day", &m.day)?,
        kind: named("kind", &m.kind, StepKind::named)?,
        tone: tone("tone", m.tone)?,
        template: m.template,
        planned_on: day("planned_on", &m.planned_on)?,
        due_on: day("due_on", &m.due_on)?,
        effective_due: day("effective_due", &m.effective_due)?,
        currency: currency("currency", &m.currency)?,
        outstanding_minor: m.outstanding_minor,
        disputed_minor: m.disputed_minor,
        min_outstanding_minor: m.min_outstanding_minor,
        policy_id: policy(&m.policy_id)?,
        policy_version: m.policy_version,
    };
    Ok((m.customer_id, event))
}

fn settled(m: proto::TrackSettled) -> Read {
    Ok((m.customer_id, Event::TrackSettled { invoice_id: invoice(&m.invoice_id)?, cycle: m.cycle, day: day("day", &m.day)? }))
}

fn cancelled(m: proto::TrackCancelled) -> Read {
    let event = Event::TrackCancelled {
        invoice_id: invoice(&m.invoice_id)?,
        cycle: m.cycle,
        day: day("day", &m.day)?,
        recorded_at: instant("recorded_at_us", m.recorded_at_us)?,
    };
    Ok((m.customer_id, event))
}

fn exhausted(m: proto::TrackExhausted) -> Read {
    Ok((m.customer_id, Event::TrackExhausted { invoice_id: invoice(&m.invoice_id)?, cycle: m.cycle, day: day("day", &m.day)? }))
}

fn handed_off(m: proto::TrackHandedOff) -> Read {
    let (invoice_id, day) = (invoice(&m.invoice_id)?, day("day", &m.day)?);
    Ok((m.customer_id, Event::TrackHandedOff { invoice_id, cycle: m.cycle, day, by: m.by, why: m.reason }))
}

fn written_off(m: proto::TrackWrittenOff) -> Read {
    let (invoice_id, day) = (invoice(&m.invoice_id)?, day("day", &m.day)?);
    Ok((m.customer_id, Event::TrackWrittenOff { invoice_id, cycle: m.cycle, day, by: m.by, why: m.reason }))
}

fn task(m: proto::TaskRaised) -> Read {
    let event = Event::TaskRaised {
        invoice_id: invoice(&m.invoice_id)?,
        cycle: m.cycle,
        day: day("day", &m.day)?,
        reason: named("reason", &m.reason, TaskReason::from_slug)?,
        step_id: optional_id("step_id", &m.step_id, StepId::new)?,
        until: optional_day("until", &m.until)?,
    };
    Ok((m.customer_id, event))
}

fn delivered(m: proto::StepDelivered) -> Read {
    let event = Event::StepDelivered {
        invoice_id: invoice(&m.invoice_id)?,
        cycle: m.cycle,
        step_id: step(&m.step_id)?,
        occurrence: m.occurrence,
        delivered_on: day("delivered_on", &m.delivered_on)?,
    };
    Ok((m.customer_id, event))
}
