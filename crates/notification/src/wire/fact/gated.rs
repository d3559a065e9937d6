//! ContactGated, FallbackGated, FallbackStopped.

use super::{
    Aside, Fact,
    composed::{chains_in, chains_out},
    plain, timestamp, with_aside,
};
use crate::wire::field::{DecodeFault, at, currency, day, id, tone};
use crate::wire::outcome::{key_in, key_out, outcomes_in, outcomes_out, said_in, said_out};
use contracts::notification::v1 as proto;
use kernel::{ContactId, written};
use notice::{ContactGated, Event, FallbackGated, FallbackStopped, Occurrence, event::StopReason};

pub(super) fn out(customer_id: String, e: &ContactGated) -> proto::ContactGated {
    proto::ContactGated {
        customer_id,
        contact_id: e.contact_id.to_string(),
        carrying_invoice_id: e.carrying.invoice_id.to_string(),
        items: said_out(&e.said),
        chains: chains_out(&e.chains),
        dropped: outcomes_out(&e.outcomes),
        day: written::date_text(e.day),
        currency: e.currency.to_string(),
        carrying: Some(key_out(&e.carrying)),
        tone: u32::from(e.tone),
        template: e.template.clone(),
        at: timestamp(e.at),
    }
}

fn carrying(m: Option<&proto::StepOccurrence>) -> Result<Occurrence, DecodeFault> {
    m.ok_or(DecodeFault::Field("carrying")).and_then(key_in)
}

pub(super) fn into_fact(m: proto::ContactGated) -> Result<Fact, DecodeFault> {
    let event = ContactGated {
        contact_id: id("contact_id", &m.contact_id, ContactId::new)?,
        day: day("day", &m.day)?,
        currency: currency(&m.currency)?,
        outcomes: outcomes_in(&m.dropped)?,
        said: said_in(&m.items)?,
        carrying: carrying(m.carrying.as_ref())?,
        tone: tone(m.tone)?,
        template: m.template,
        chains: chains_in(&m.chains)?,
        at: at("at", m.at)?,
    };
    plain(&m.customer_id, Event::ContactGated(event))
}

pub(super) fn again_out(customer_id: String, e: &FallbackGated, aside: &Aside) -> proto::FallbackGated {
    let (day, currency) = match aside {
        Aside::Contact { day, currency } => (written::date_text(*day), currency.to_string()),
        Aside::Nothing | Aside::Returned(_) | Aside::Receipt { .. } => (String::new(), String::new()),
    };
    proto::FallbackGated {
        customer_id,
        contact_id: e.contact_id.to_string(),
        dropped: outcomes_out(&e.outcomes),
        items: said_out(&e.said),
        carrying: Some(key_out(&e.carrying)),
        tone: u32::from(e.tone),
        template: e.template.clone(),
        at: timestamp(e.at),
        day,
        currency,
    }
}

pub(super) fn again_in(m: proto::FallbackGated) -> Result<Fact, DecodeFault> {
    let event = FallbackGated {
        contact_id: id("contact_id", &m.contact_id, ContactId::new)?,
        outcomes: outcomes_in(&m.dropped)?,
        said: said_in(&m.items)?,
        carrying: carrying(m.carrying.as_ref())?,
        tone: tone(m.tone)?,
        template: m.template,
        at: at("at", m.at)?,
    };
    let aside = Aside::Contact { day: day("day", &m.day)?, currency: currency(&m.currency)? };
    with_aside(&m.customer_id, Event::FallbackGated(event), aside)
}

pub(super) fn stopped_out(customer_id: String, e: &FallbackStopped) -> proto::FallbackStopped {
    proto::FallbackStopped {
        customer_id,
        contact_id: e.contact_id.to_string(),
        chains: e.chains.clone(),
        reason: e.reason.slug().to_owned(),
    }
}

pub(super) fn stopped_in(m: proto::FallbackStopped) -> Result<Fact, DecodeFault> {
    let event = FallbackStopped {
        contact_id: id("contact_id", &m.contact_id, ContactId::new)?,
        chains: m.chains,
        reason: StopReason::named(&m.reason).ok_or(DecodeFault::Field("reason"))?,
    };
    plain(&m.customer_id, Event::FallbackStopped(event))
}
