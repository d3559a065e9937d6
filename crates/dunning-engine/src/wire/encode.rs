//! Events → protobuf bytes.

use super::field::{date_text, text_of};
use super::{Fact, agreement, arrangement, catch_up, migration, notice, work};
use contracts::dunning::v1 as proto;
use kernel::{Calendar, Zone, window::close_text, written};
use ladder::{
    Event,
    ladder::{Closing, DueItem, Shift},
    policy::{Chain, ContactRules},
    schedule::PlannedStep,
    track::End,
};
use prost::Message;

/// Type name and bytes of a fact.
pub fn encode(fact: &Fact) -> (&'static str, Vec<u8>) {
    let customer_id = fact.customer_id.to_string();
    match &fact.event {
        Event::PayerNoted { zone, segment, state, municipality } => {
            let time_zone = zone.map(|zone| zone.name().to_owned()).unwrap_or_default();
            let (segment, state) = (segment.clone().unwrap_or_default(), state.clone().unwrap_or_default());
            let municipality = municipality.clone().unwrap_or_default();
            ("PayerNoted", proto::PayerNoted { customer_id, time_zone, segment, state, municipality }.encode_to_vec())
        }
        Event::PayerForgotten => ("PayerForgotten", proto::PayerForgotten { customer_id }.encode_to_vec()),
        Event::RatingNoted { score } => ("RatingNoted", proto::RatingNoted { customer_id, score: (*score).into() }.encode_to_vec()),
        Event::ViewNoted { invoice_id, viewed_at } => {
            let (invoice_id, viewed_at_us) = (invoice_id.to_string(), viewed_at.timestamp_micros());
            ("ViewNoted", proto::ViewNoted { customer_id, invoice_id, viewed_at_us }.encode_to_vec())
        }
        Event::TrackEnrolled { .. } => ("TrackEnrolled", enrolled(customer_id, &fact.event).encode_to_vec()),
        Event::TrackRescheduled { .. } => ("TrackRescheduled", rescheduled(customer_id, &fact.event).encode_to_vec()),
        Event::TrackReopened { .. } => ("TrackReopened", reopened(customer_id, &fact.event).encode_to_vec()),
        Event::OutstandingNoted { .. } => ("OutstandingNoted", outstanding(customer_id, &fact.event).encode_to_vec()),
        Event::StepsPlanned { .. } => ("StepsPlanned", dated(customer_id, &fact.event).encode_to_vec()),
        Event::StepsClosed { .. } => ("StepsClosed", closed(customer_id, &fact.event).encode_to_vec()),
        Event::ReminderDue { .. } => ("ReminderDue", reminder(customer_id, &fact.event).encode_to_vec()),
        Event::NoticePlanned { .. } | Event::NoticeDue { .. } | Event::NoticeDeferred { .. } | Event::NoticeClosed { .. } => {
            notice::encode_notice(customer_id, &fact.event)
        }
        Event::StepDeferred { .. } => ("StepDeferred", deferred(customer_id, &fact.event).encode_to_vec()),
        Event::ApprovalRequested { .. } => ("ApprovalRequested", approval_requested(customer_id, &fact.event).encode_to_vec()),
        Event::ApprovalGiven { .. } => ("ApprovalGiven", approval_given(customer_id, &fact.event).encode_to_vec()),
        Event::ApprovalRefused { .. } | Event::TaskDone { .. } | Event::TaskSnoozed { .. } => work::encode(customer_id, &fact.event),
        Event::ActionDue { .. } => ("ActionDue", action(customer_id, &fact.event).encode_to_vec()),
        Event::TrackSettled { invoice_id, cycle, day } => {
            let m = proto::TrackSettled { customer_id, invoice_id: invoice_id.to_string(), day: written::date_text(*day), cycle: *cycle };
            ("TrackSettled", m.encode_to_vec())
        }
        Event::TrackRenegotiated { .. } => ("TrackRenegotiated", agreement::renegotiated(customer_id, &fact.event).encode_to_vec()),
        Event::TrackAgreementBroken { .. } => ("TrackAgreementBroken", agreement::broken(customer_id, &fact.event).encode_to_vec()),
        Event::TrackCancelled { .. } => ("TrackCancelled", cancelled(customer_id, &fact.event).encode_to_vec()),
        Event::TrackMigrated { .. } => migration::encode_moved(customer_id, &fact.event),
        Event::TrackExhausted { invoice_id, cycle, day } => {
            let m = proto::TrackExhausted { customer_id, invoice_id: invoice_id.to_string(), day: written::date_text(*day), cycle: *cycle };
            ("TrackExhausted", m.encode_to_vec())
        }
        Event::TrackHandedOff { .. } => ("TrackHandedOff", handed_off(customer_id, &fact.event).encode_to_vec()),
        Event::TrackWrittenOff { .. } => ("TrackWrittenOff", written_off(customer_id, &fact.event).encode_to_vec()),
        Event::CatchUpBegan { day, forecast } => catch_up::encode_began(customer_id, written::date_text(*day), forecast),
        Event::CatchUpEnded { day, number, released } => {
            let m = proto::CatchUpEnded { customer_id, day: written::date_text(*day), number: *number, released: *released };
            ("CatchUpEnded", m.encode_to_vec())
        }
        Event::Arranged { arrangement } => arrangement::encode_made(customer_id, arrangement),
        Event::ArrangementEnded { .. } => arrangement::encode_ended(customer_id, &fact.event),
        Event::TaskRaised { .. } => ("TaskRaised", task(customer_id, &fact.event).encode_to_vec()),
        Event::StepDelivered { .. } => ("StepDelivered", delivered(customer_id, &fact.event).encode_to_vec()),
    }
}

/// Each writer below is called with the event that it is named for; any other gives the empty message.
macro_rules! writer {
    ($name:ident, $message:ident, $customer_id:ident, $pattern:pat => $body:expr) => {
        fn $name($customer_id: String, event: &Event) -> proto::$message {
            let $pattern = event else { return proto::$message::default() };
            $body
        }
    };
}

writer!(enrolled, TrackEnrolled, customer_id, Event::TrackEnrolled {
    invoice_id, policy_id, policy_version, variant, cycle, amount_minor, currency, issued_on, due_on, effective_due, known_on, recorded_at,
    steps, instalment_of,
} => proto::TrackEnrolled {
    customer_id,
    invoice_id: invoice_id.to_string(),
    policy_id: policy_id.to_string(),
    policy_version: *policy_version,
    cycle: *cycle,
    amount_minor: *amount_minor,
    currency: currency.to_string(),
    issued_on: written::date_text(*issued_on),
    due_on: written::date_text(*due_on),
    effective_due: written::date_text(*effective_due),
    known_on: written::date_text(*known_on),
    steps: planned(steps),
    recorded_at_us: recorded_at.timestamp_micros(),
    agreement_id: instalment_of.as_ref().map(ToString::to_string).unwrap_or_default(),
    variant: text_of(variant.as_ref()),
});

writer!(rescheduled, TrackRescheduled, customer_id, Event::TrackRescheduled {
    invoice_id, cycle, day, shift, due_on, effective_due, outstanding_minor, recorded_at, steps,
} => proto::TrackRescheduled {
    customer_id,
    invoice_id: invoice_id.to_string(),
    cycle: *cycle,
    due_on: written::date_text(*due_on),
    effective_due: written::date_text(*effective_due),
    known_on: written::date_text(*day),
    steps: planned(steps),
    outstanding_minor: *outstanding_minor,
    shift: shift_name(*shift).to_owned(),
    recorded_at_us: recorded_at.timestamp_micros(),
});

writer!(reopened, TrackReopened, customer_id, Event::TrackReopened {
    invoice_id, cycle, day, outstanding_minor, recorded_at, steps,
} => proto::TrackReopened {
    customer_id,
    invoice_id: invoice_id.to_string(),
    cycle: *cycle,
    known_on: written::date_text(*day),
    steps: planned(steps),
    outstanding_minor: *outstanding_minor,
    recorded_at_us: recorded_at.timestamp_micros(),
});

writer!(outstanding, OutstandingNoted, customer_id, Event::OutstandingNoted {
    invoice_id, outstanding_minor, received_minor, recorded_at,
} => {
    proto::OutstandingNoted {
        customer_id,
        invoice_id: invoice_id.to_string(),
        outstanding_minor: *outstanding_minor,
        recorded_at_us: recorded_at.timestamp_micros(),
        received_minor: *received_minor,
    }
});

writer!(dated, StepsPlanned, customer_id, Event::StepsPlanned { invoice_id, cycle, day, steps } => proto::StepsPlanned {
    customer_id,
    invoice_id: invoice_id.to_string(),
    cycle: *cycle,
    day: written::date_text(*day),
    steps: planned(steps),
});

writer!(closed, StepsClosed, customer_id, Event::StepsClosed { invoice_id, cycle, day, closings } => proto::StepsClosed {
    customer_id,
    invoice_id: invoice_id.to_string(),
    cycle: *cycle,
    day: written::date_text(*day),
    closings: closings.iter().map(closing).collect(),
});

writer!(reminder, ReminderDue, customer_id, Event::ReminderDue { day, items, rules, calendar, zone } => {
    reminder_of(customer_id, &written::date_text(*day), items, (rules, *calendar, *zone))
});

writer!(deferred, StepDeferred, customer_id, Event::StepDeferred {
    invoice_id, cycle, step_id, occurrence, day, contact_id, reason,
} => proto::StepDeferred {
    customer_id,
    invoice_id: invoice_id.to_string(),
    cycle: *cycle,
    step_id: step_id.to_string(),
    occurrence: *occurrence,
    day: written::date_text(*day),
    reason: reason.slug().to_owned(),
    contact_id: text_of(contact_id.as_ref()),
});

writer!(approval_requested, ApprovalRequested, customer_id, Event::ApprovalRequested { invoice_id, cycle, step_id, occurrence, day } => {
    proto::ApprovalRequested {
        customer_id,
        invoice_id: invoice_id.to_string(),
        cycle: *cycle,
        step_id: step_id.to_string(),
        occurrence: *occurrence,
        day: written::date_text(*day),
    }
});

writer!(approval_given, ApprovalGiven, customer_id, Event::ApprovalGiven { invoice_id, cycle, step_id, occurrence, by, day, why } => {
    proto::ApprovalGiven {
        customer_id,
        invoice_id: invoice_id.to_string(),
        cycle: *cycle,
        step_id: step_id.to_string(),
        occurrence: *occurrence,
        by: by.clone(),
        day: date_text(*day),
        reason: why.clone(),
    }
});

writer!(action, ActionDue, customer_id, Event::ActionDue {
    invoice_id, cycle, step_id, occurrence, day, kind, tone, template, planned_on, due_on, effective_due, currency, outstanding_minor,
    disputed_minor, min_outstanding_minor, policy_id, policy_version,
} => proto::ActionDue {
    customer_id,
    invoice_id: invoice_id.to_string(),
    cycle: *cycle,
    step_id: step_id.to_string(),
    occurrence: *occurrence,
    day: written::date_text(*day),
    kind: kind.name().to_owned(),
    tone: u32::from(*tone),
    min_outstanding_minor: *min_outstanding_minor,
    template: template.clone(),
    planned_on: written::date_text(*planned_on),
    due_on: written::date_text(*due_on),
    effective_due: written::date_text(*effective_due),
    currency: currency.to_string(),
    outstanding_minor: *outstanding_minor,
    policy_id: policy_id.to_string(),
    policy_version: *policy_version,
    disputed_minor: *disputed_minor,
});

writer!(handed_off, TrackHandedOff, customer_id, Event::TrackHandedOff { invoice_id, cycle, day, by, why } => proto::TrackHandedOff {
    customer_id,
    invoice_id: invoice_id.to_string(),
    day: written::date_text(*day),
    cycle: *cycle,
    by: by.clone(),
    reason: why.clone(),
});

writer!(written_off, TrackWrittenOff, customer_id, Event::TrackWrittenOff { invoice_id, cycle, day, by, why } => proto::TrackWrittenOff {
    customer_id,
    invoice_id: invoice_id.to_string(),
    day: written::date_text(*day),
    cycle: *cycle,
    by: by.clone(),
    reason: why.clone(),
});

writer!(cancelled, TrackCancelled, customer_id, Event::TrackCancelled { invoice_id, cycle, day, recorded_at } => proto::TrackCancelled {
    customer_id,
    invoice_id: invoice_id.to_string(),
    day: written::date_text(*day),
    cycle: *cycle,
    recorded_at_us: recorded_at.timestamp_micros(),
});

writer!(task, TaskRaised, customer_id, Event::TaskRaised { invoice_id, cycle, day, reason, step_id, until } => proto::TaskRaised {
    customer_id,
    invoice_id: invoice_id.to_string(),
    reason: reason.slug().to_owned(),
    day: written::date_text(*day),
    cycle: *cycle,
    step_id: text_of(step_id.as_ref()),
    until: date_text(*until),
});

writer!(delivered, StepDelivered, customer_id, Event::StepDelivered { invoice_id, cycle, step_id, occurrence, delivered_on } => {
    proto::StepDelivered {
        customer_id,
        invoice_id: invoice_id.to_string(),
        cycle: *cycle,
        step_id: step_id.to_string(),
        occurrence: *occurrence,
        delivered_on: written::date_text(*delivered_on),
    }
});

pub(super) fn planned(steps: &[PlannedStep]) -> Vec<proto::PlannedStep> {
    steps.iter().map(planned_step).collect()
}

/// A step with its dates.
pub(super) fn planned_step(step: &PlannedStep) -> proto::PlannedStep {
    proto::PlannedStep {
        step_id: step.step_id.to_string(),
        tone: u32::from(step.tone),
        kind: step.kind.name().to_owned(),
        planned_on: date_text(step.planned_on),
        last_day: date_text(step.last_day),
        occurrence: step.occurrence,
    }
}

fn shift_name(shift: Shift) -> &'static str {
    match shift {
        Shift::Later => "later",
        Shift::Earlier => "earlier",
    }
}

pub(super) fn closing(closing: &Closing) -> proto::StepClosing {
    let mut m = proto::StepClosing {
        step_id: closing.step_id.to_string(),
        occurrence: closing.occurrence,
        reason: closing.end.reason().map(|reason| reason.slug().to_owned()).unwrap_or_default(),
        ..proto::StepClosing::default()
    };
    let end = match &closing.end {
        End::Executed { contact_id, channel } => {
            m.contact_id = text_of(contact_id.as_ref());
            m.channel = channel.map(|channel| channel.name().to_owned()).unwrap_or_default();
            proto::StepEnd::Executed
        }
        End::Superseded { by, .. } => {
            m.by_step_id = text_of(by.as_ref());
            proto::StepEnd::Superseded
        }
        End::Suppressed { .. } => proto::StepEnd::Suppressed,
        End::Expired { .. } => proto::StepEnd::Expired,
        End::Undeliverable { .. } => proto::StepEnd::Undeliverable,
    };
    m.set_end(end);
    m
}

pub(super) fn reminder_of(customer_id: String, day: &str, items: &[DueItem], terms: (&ContactRules, Calendar, Zone)) -> proto::ReminderDue {
    let (rules, calendar, zone) = terms;
    let rules = proto::ContactRules {
        merge: rules.merge.name().to_owned(),
        max_per_day: rules.max_per_day,
        max_per_7_days: rules.max_per_7_days,
        max_voice_per_day: rules.max_voice_per_day,
        weekdays: rules.window.weekdays.to_vec(),
        window_from: written::time_text(rules.window.from),
        window_until: close_text(rules.window.until),
    };
    proto::ReminderDue {
        customer_id,
        day: day.to_owned(),
        items: items.iter().map(item).collect(),
        rules: Some(rules),
        calendar: calendar.name().to_owned(),
        time_zone: zone.name().to_owned(),
    }
}

fn item(item: &DueItem) -> proto::DueItem {
    proto::DueItem {
        invoice_id: item.invoice_id.to_string(),
        cycle: item.cycle,
        step_id: item.step_id.to_string(),
        occurrence: item.occurrence,
        tone: u32::from(item.tone),
        template: item.template.clone(),
        chains: item.chains.iter().map(chain).collect(),
        planned_on: written::date_text(item.planned_on),
        due_on: written::date_text(item.due_on),
        effective_due: written::date_text(item.effective_due),
        overdue: item.overdue,
        currency: item.currency.to_string(),
        min_outstanding_minor: item.min_outstanding_minor,
        policy_id: item.policy_id.to_string(),
        policy_version: item.policy_version,
        fallback_after_hours: item.fallback_after_hours,
        last_day: date_text(item.last_day),
        payment_returned: item.payment_returned,
        promise_broken: item.promise_broken,
        disputed_minor: item.disputed_minor,
    }
}

fn chain(chain: &Chain) -> proto::ChannelChain {
    proto::ChannelChain { channels: chain.0.iter().map(|channel| channel.name().to_owned()).collect() }
}
