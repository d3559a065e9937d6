//! Events of the log: protobuf bytes ↔ domain facts.

mod attempt;
mod composed;
mod gated;

use super::field::{DecodeFault, at_out, channel, currency, day, id, message};
use super::outcome::{key_in, key_out, outcomes_in, outcomes_out};
use contracts::notification::v1 as proto;
use kernel::{ContactId, Currency, CustomerId, DateTime, InvoiceId, NaiveDate, Utc, written};
use notice::{ContactConcluded, Event, Forgotten, ItemOutcome, Occurrence, OptedIn, OptedOut, Standstill, Suspended};
use prost::Message;
use std::collections::BTreeSet;

/// An event with the payer whose contacts it is about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fact {
    /// The payer.
    pub customer_id: CustomerId,
    /// What happened.
    pub event: Event,
    /// What its readers need besides.
    pub aside: Aside,
}

/// What the readers of an event need and the rules do not.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Aside {
    /// Nothing.
    Nothing,
    /// Of a composed contact: items whose payment was returned.
    Returned(BTreeSet<Occurrence>),
    /// Of a second look: the contact's day and currency.
    Contact {
        /// The payer's local day.
        day: NaiveDate,
        /// Of all its amounts.
        currency: Currency,
    },
    /// Of a receipt: what the message told of, and on which of the payer's days it came.
    Receipt {
        /// The payer's local day.
        day: NaiveDate,
        /// The steps, executed.
        items: Vec<ItemOutcome>,
    },
}

/// Type name and bytes of a fact.
pub fn encode(fact: &Fact) -> (&'static str, Vec<u8>) {
    let customer_id = fact.customer_id.to_string();
    match &fact.event {
        Event::ContactComposed(e) => ("ContactComposed", composed::out(customer_id, e, &fact.aside).encode_to_vec()),
        Event::ContactGated(e) => ("ContactGated", gated::out(customer_id, e).encode_to_vec()),
        Event::FallbackGated(e) => ("FallbackGated", gated::again_out(customer_id, e, &fact.aside).encode_to_vec()),
        Event::FallbackStopped(e) => ("FallbackStopped", gated::stopped_out(customer_id, e).encode_to_vec()),
        Event::AttemptStarted(e) => ("AttemptStarted", attempt::started_out(customer_id, e).encode_to_vec()),
        Event::AttemptRetried(e) => ("AttemptRetried", attempt::retried_out(customer_id, e).encode_to_vec()),
        Event::AttemptAccepted(e) => ("AttemptEnded", attempt::accepted_out(customer_id, e).encode_to_vec()),
        Event::AttemptRefused(e) => ("AttemptEnded", attempt::refused_out(customer_id, e).encode_to_vec()),
        Event::AttemptUnknown(e) => ("AttemptEnded", attempt::unknown_out(customer_id, e).encode_to_vec()),
        Event::ReceiptNoted(e) => ("ReceiptNoted", attempt::receipt_out(customer_id, e, &fact.aside).encode_to_vec()),
        Event::ContactConcluded(e) => ("ReminderConcluded", concluded_out(customer_id, e).encode_to_vec()),
        Event::OptedOut(e) => ("OptedOut", proto::OptedOut { customer_id, channel: e.channel.slug().to_owned() }.encode_to_vec()),
        Event::OptedIn(e) => ("OptedIn", proto::OptedIn { customer_id, channel: e.channel.slug().to_owned() }.encode_to_vec()),
        Event::Forgotten(Forgotten) => ("PayerForgotten", proto::PayerForgotten { customer_id }.encode_to_vec()),
        Event::Suspended(e) => ("DebtsSuspended", suspended_out(customer_id, e).encode_to_vec()),
    }
}

/// The fact of a stored event; `None` for a type that this version does not know. Errors: damaged bytes or fields.
pub fn decode(event_type: &str, payload: &[u8]) -> Result<Option<Fact>, DecodeFault> {
    let fact = match event_type {
        "ContactComposed" => composed::into_fact(message("ContactComposed", payload)?)?,
        "ContactGated" => gated::into_fact(message("ContactGated", payload)?)?,
        "FallbackGated" => gated::again_in(message("FallbackGated", payload)?)?,
        "FallbackStopped" => gated::stopped_in(message("FallbackStopped", payload)?)?,
        "AttemptStarted" => attempt::started_in(message("AttemptStarted", payload)?)?,
        "AttemptRetried" => attempt::retried_in(message("AttemptRetried", payload)?)?,
        "AttemptEnded" => attempt::ended_in(message("AttemptEnded", payload)?)?,
        "ReceiptNoted" => attempt::receipt_in(message("ReceiptNoted", payload)?)?,
        "ReminderConcluded" => concluded_in(message("ReminderConcluded", payload)?)?,
        "OptedOut" => {
            let m: proto::OptedOut = message("OptedOut", payload)?;
            plain(&m.customer_id, Event::OptedOut(OptedOut { channel: channel(&m.channel)? }))?
        }
        "OptedIn" => {
            let m: proto::OptedIn = message("OptedIn", payload)?;
            plain(&m.customer_id, Event::OptedIn(OptedIn { channel: channel(&m.channel)? }))?
        }
        "PayerForgotten" => {
            let m: proto::PayerForgotten = message("PayerForgotten", payload)?;
            plain(&m.customer_id, Event::Forgotten(Forgotten))?
        }
        "DebtsSuspended" => suspended_in(message("DebtsSuspended", payload)?)?,
        _ => return Ok(None),
    };
    Ok(Some(fact))
}

fn plain(customer_id: &str, event: Event) -> Result<Fact, DecodeFault> {
    with_aside(customer_id, event, Aside::Nothing)
}

fn with_aside(customer_id: &str, event: Event, aside: Aside) -> Result<Fact, DecodeFault> {
    Ok(Fact { customer_id: id("customer_id", customer_id, CustomerId::new)?, event, aside })
}

fn suspended_out(customer_id: String, e: &Suspended) -> proto::DebtsSuspended {
    let invoice_ids = e.invoice_ids.iter().map(ToString::to_string).collect();
    proto::DebtsSuspended { customer_id, invoice_ids, reason: e.standstill.slug().to_owned() }
}

fn suspended_in(m: proto::DebtsSuspended) -> Result<Fact, DecodeFault> {
    let one = |text: &String| id("invoice_ids", text, InvoiceId::new);
    let invoice_ids = m.invoice_ids.iter().map(one).collect::<Result<_, _>>()?;
    let standstill = Standstill::named(&m.reason).ok_or(DecodeFault::Field("reason"))?;
    plain(&m.customer_id, Event::Suspended(Suspended { invoice_ids, standstill }))
}

fn concluded_out(customer_id: String, e: &ContactConcluded) -> proto::ReminderConcluded {
    proto::ReminderConcluded {
        customer_id,
        contact_id: e.contact_id.to_string(),
        day: written::date_text(e.day),
        currency: e.currency.to_string(),
        sent: e.channel.is_some(),
        channels: e.channel.iter().map(|channel| channel.slug().to_owned()).collect(),
        template: e.template.clone(),
        tone: u32::from(e.tone),
        items: outcomes_out(&e.outcomes),
        carrying: e.carrying.as_ref().map(key_out),
    }
}

fn concluded_in(m: proto::ReminderConcluded) -> Result<Fact, DecodeFault> {
    let event = ContactConcluded {
        contact_id: id("contact_id", &m.contact_id, ContactId::new)?,
        day: day("day", &m.day)?,
        currency: currency(&m.currency)?,
        carrying: m.carrying.as_ref().map(key_in).transpose()?,
        tone: super::field::tone(m.tone)?,
        template: m.template,
        channel: m.channels.first().map(|name| channel(name)).transpose()?,
        outcomes: outcomes_in(&m.items)?,
    };
    plain(&m.customer_id, Event::ContactConcluded(event))
}

/// When a fact happened, where it tells.
pub(crate) fn occurred_at(event: &Event) -> Option<DateTime<Utc>> {
    match event {
        Event::ContactGated(e) => Some(e.at),
        Event::FallbackGated(e) => Some(e.at),
        Event::AttemptStarted(e) => Some(e.at),
        Event::AttemptRetried(e) => Some(e.at),
        Event::AttemptAccepted(e) => Some(e.at),
        Event::AttemptRefused(e) => Some(e.at),
        Event::AttemptUnknown(e) => Some(e.at),
        Event::ReceiptNoted(e) => Some(e.at),
        Event::ContactComposed(_)
        | Event::FallbackStopped(_)
        | Event::ContactConcluded(_)
        | Event::OptedOut(_)
        | Event::OptedIn(_)
        | Event::Forgotten(_)
        | Event::Suspended(_) => None,
    }
}

/// The payer's local day on which a fact counts, where it has one.
pub(crate) fn effective_on(fact: &Fact) -> Option<NaiveDate> {
    match (&fact.event, &fact.aside) {
        (Event::ContactComposed(e), _) => Some(e.day),
        (Event::ContactGated(e), _) => Some(e.day),
        (Event::ContactConcluded(e), _) => Some(e.day),
        (Event::AttemptAccepted(e), _) => Some(e.day),
        (_, Aside::Contact { day, .. } | Aside::Receipt { day, .. }) => Some(*day),
        (_, Aside::Nothing | Aside::Returned(_)) => None,
    }
}

fn timestamp(at: DateTime<Utc>) -> Option<prost_types::Timestamp> {
    at_out(at)
}
