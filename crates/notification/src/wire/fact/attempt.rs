//! AttemptStarted, AttemptRetried, AttemptEnded, ReceiptNoted.

use super::{Aside, Fact, plain, timestamp, with_aside};
use crate::wire::field::{DecodeFault, at, channel, day, id};
use crate::wire::outcome::{outcomes_in, outcomes_out};
use contracts::notification::v1 as proto;
use kernel::{ChannelAttemptId, ContactId, written};
use notice::{AttemptAccepted, AttemptRefused, AttemptRetried, AttemptStarted, AttemptUnknown, Event, ReceiptNoted, ReceiptStatus};

fn contact(text: &str) -> Result<ContactId, DecodeFault> {
    id("contact_id", text, ContactId::new)
}

fn attempt(text: &str) -> Result<ChannelAttemptId, DecodeFault> {
    id("attempt_id", text, ChannelAttemptId::new)
}

pub(super) fn started_out(customer_id: String, e: &AttemptStarted) -> proto::AttemptStarted {
    proto::AttemptStarted {
        customer_id,
        contact_id: e.contact_id.to_string(),
        attempt_id: e.attempt_id.to_string(),
        chain: e.chain,
        link: e.link,
        channel: e.channel.slug().to_owned(),
        day: String::new(),
        at: timestamp(e.at),
    }
}

pub(super) fn started_in(m: proto::AttemptStarted) -> Result<Fact, DecodeFault> {
    let event = AttemptStarted {
        contact_id: contact(&m.contact_id)?,
        attempt_id: attempt(&m.attempt_id)?,
        chain: m.chain,
        link: m.link,
        channel: channel(&m.channel)?,
        at: at("at", m.at)?,
    };
    plain(&m.customer_id, Event::AttemptStarted(event))
}

pub(super) fn retried_out(customer_id: String, e: &AttemptRetried) -> proto::AttemptRetried {
    proto::AttemptRetried { customer_id, contact_id: e.contact_id.to_string(), attempt_id: e.attempt_id.to_string(), at: timestamp(e.at) }
}

pub(super) fn retried_in(m: proto::AttemptRetried) -> Result<Fact, DecodeFault> {
    let event = AttemptRetried { contact_id: contact(&m.contact_id)?, attempt_id: attempt(&m.attempt_id)?, at: at("at", m.at)? };
    plain(&m.customer_id, Event::AttemptRetried(event))
}

pub(super) fn accepted_out(customer_id: String, e: &AttemptAccepted) -> proto::AttemptEnded {
    proto::AttemptEnded {
        customer_id,
        contact_id: e.contact_id.to_string(),
        attempt_id: e.attempt_id.to_string(),
        result: "accepted".to_owned(),
        provider_id: e.provider_id.clone(),
        channel: e.channel.slug().to_owned(),
        day: written::date_text(e.day),
        at: timestamp(e.at),
        ..proto::AttemptEnded::default()
    }
}

pub(super) fn refused_out(customer_id: String, e: &AttemptRefused) -> proto::AttemptEnded {
    proto::AttemptEnded {
        customer_id,
        contact_id: e.contact_id.to_string(),
        attempt_id: e.attempt_id.to_string(),
        result: "refused".to_owned(),
        reason: e.reason.clone(),
        channel: e.channel.slug().to_owned(),
        at: timestamp(e.at),
        ..proto::AttemptEnded::default()
    }
}

pub(super) fn unknown_out(customer_id: String, e: &AttemptUnknown) -> proto::AttemptEnded {
    proto::AttemptEnded {
        customer_id,
        contact_id: e.contact_id.to_string(),
        attempt_id: e.attempt_id.to_string(),
        result: "unknown".to_owned(),
        channel: e.channel.slug().to_owned(),
        at: timestamp(e.at),
        ..proto::AttemptEnded::default()
    }
}

pub(super) fn ended_in(m: proto::AttemptEnded) -> Result<Fact, DecodeFault> {
    let (contact_id, attempt_id) = (contact(&m.contact_id)?, attempt(&m.attempt_id)?);
    let (channel, at) = (channel(&m.channel)?, at("at", m.at)?);
    let event = match m.result.as_str() {
        "accepted" => Event::AttemptAccepted(AttemptAccepted {
            contact_id,
            attempt_id,
            channel,
            day: day("day", &m.day)?,
            provider_id: m.provider_id,
            at,
        }),
        "refused" => Event::AttemptRefused(AttemptRefused { contact_id, attempt_id, channel, reason: m.reason, at }),
        "unknown" => Event::AttemptUnknown(AttemptUnknown { contact_id, attempt_id, channel, at }),
        _ => return Err(DecodeFault::Field("result")),
    };
    plain(&m.customer_id, event)
}

pub(super) fn receipt_out(customer_id: String, e: &ReceiptNoted, aside: &Aside) -> proto::ReceiptNoted {
    let (day, items) = match aside {
        Aside::Receipt { day, items } => (written::date_text(*day), outcomes_out(items)),
        Aside::Nothing | Aside::Returned(_) | Aside::Contact { .. } => (String::new(), Vec::new()),
    };
    proto::ReceiptNoted {
        customer_id,
        contact_id: e.contact_id.to_string(),
        attempt_id: e.attempt_id.to_string(),
        status: e.status.slug().to_owned(),
        day,
        channel: e.channel.slug().to_owned(),
        items,
        at: timestamp(e.at),
    }
}

pub(super) fn receipt_in(m: proto::ReceiptNoted) -> Result<Fact, DecodeFault> {
    let statuses = [ReceiptStatus::Failed, ReceiptStatus::Delivered, ReceiptStatus::Read];
    let event = ReceiptNoted {
        contact_id: contact(&m.contact_id)?,
        attempt_id: attempt(&m.attempt_id)?,
        channel: channel(&m.channel)?,
        status: statuses.into_iter().find(|status| status.slug() == m.status).ok_or(DecodeFault::Field("status"))?,
        at: at("at", m.at)?,
    };
    let aside = Aside::Receipt { day: day("day", &m.day)?, items: outcomes_in(&m.items)? };
    with_aside(&m.customer_id, Event::ReceiptNoted(event), aside)
}
