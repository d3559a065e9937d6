//! Events of the log: protobuf bytes ↔ domain facts.

mod agreement;
mod bank;
mod credit;
mod view;

use super::{charges, instrument};
use chrono::{DateTime, NaiveDate, Utc};
use contracts::invoice::v1 as proto;
use kernel::{ContactId, Currency, CustomerId, InvoiceId, PaymentId, StepId, written};
use prost::Message;
use receivable::{Attributes, AuthorizedItem, Event, Release, Source};

/// An event with the payer whose account it is on.
#[derive(Debug, Clone, PartialEq)]
pub struct Fact {
    /// The payer.
    pub customer_id: CustomerId,
    /// What happened.
    pub event: Event,
}

/// Type of the event that names instruments.
pub const INSTRUMENTS_ASSIGNED: &str = "InstrumentsAssigned";

/// A stored event that cannot be read: the log is damaged or newer than the program.
#[derive(Debug, thiserror::Error)]
pub enum DecodeFault {
    /// The bytes are no such message.
    #[error("not a {0}: {1}")]
    Bytes(&'static str, prost::DecodeError),
    /// A field has a value that the domain does not take.
    #[error("field {0} is malformed")]
    Field(&'static str),
}

/// Type name and bytes of a fact.
pub fn encode(fact: &Fact) -> (&'static str, Vec<u8>) {
    let customer_id = fact.customer_id.to_string();
    match &fact.event {
        Event::CustomerRegistered(e) => (
            "CustomerRegistered",
            proto::CustomerRegistered { customer_id, attributes: Some(attributes_out(&e.attributes)), consents: texts(&e.consents) }
                .encode_to_vec(),
        ),
        Event::CustomerAmended(e) => (
            "CustomerAmended",
            proto::CustomerAmended { customer_id, attributes: Some(attributes_out(&e.attributes)), consents: texts(&e.consents) }
                .encode_to_vec(),
        ),
        Event::CustomerErased(_) => ("CustomerErased", proto::CustomerErased { customer_id }.encode_to_vec()),
        Event::CustomerRated(e) => view::rated_out(customer_id, e),
        Event::InvoiceViewed(e) => view::viewed_out(customer_id, e),
        Event::InvoiceIssued(e) => ("InvoiceIssued", issued_out(customer_id, e).encode_to_vec()),
        Event::InvoiceAmended(e) => ("InvoiceAmended", amended_out(customer_id, e).encode_to_vec()),
        Event::InvoiceCancelled(e) => ("InvoiceCancelled", cancelled_out(customer_id, e).encode_to_vec()),
        Event::CreditNoteIssued(e) => ("CreditNoteIssued", credit::issued_out(customer_id, e).encode_to_vec()),
        Event::CreditNoteCancelled(e) => ("CreditNoteCancelled", credit::cancelled_out(customer_id, e).encode_to_vec()),
        Event::PaymentReceived(e) => ("PaymentReceived", received_out(customer_id, e).encode_to_vec()),
        Event::PaymentReversed(e) => ("PaymentReversed", reversed_out(customer_id, e).encode_to_vec()),
        Event::PaymentConfirmed(_)
        | Event::BoletoRegistered(_)
        | Event::BoletoRejected(_)
        | Event::BoletoWrittenOff(_)
        | Event::BoletoNoticed(_)
        | Event::BankFeeCharged(_) => bank::encode(customer_id, &fact.event),
        Event::AgreementMade(e) => agreement::made(customer_id, e),
        Event::InvoiceRenegotiated(e) => agreement::renegotiated(customer_id, e),
        Event::AgreementBroken(e) => agreement::broken(customer_id, e),
        Event::InvoiceReopened(e) => agreement::reopened(customer_id, e),
        Event::AgreementCompleted(e) => agreement::completed(customer_id, e),
        Event::AgreementResumed(e) => agreement::resumed(customer_id, e),
        Event::ReminderAuthorized(e) => ("ReminderAuthorized", authorized_out(customer_id, e).encode_to_vec()),
        Event::InstrumentsAssigned(e) => (INSTRUMENTS_ASSIGNED, instrument::assigned_out(customer_id, e).encode_to_vec()),
    }
}

fn texts(set: &std::collections::BTreeSet<String>) -> Vec<String> {
    set.iter().cloned().collect()
}

fn attributes_out(a: &Attributes) -> proto::CustomerAttributes {
    proto::CustomerAttributes {
        segment: a.segment.clone().unwrap_or_default(),
        language: a.language.clone(),
        time_zone: a.zone.clone().unwrap_or_default(),
        state: a.state.clone().unwrap_or_default(),
        municipality: a.municipality.clone().unwrap_or_default(),
    }
}

fn issued_out(customer_id: String, e: &receivable::InvoiceIssued) -> proto::InvoiceIssued {
    proto::InvoiceIssued {
        customer_id,
        invoice_id: e.invoice_id.to_string(),
        amount_minor: e.amount_minor,
        currency: e.currency.to_string(),
        issued_on: written::date_text(e.issued_on),
        due_on: written::date_text(e.due_on),
        document: e.document.clone().unwrap_or_default(),
        automatic_debit_on: optional_day_out(e.automatic_debit_on),
        charges: e.charges.as_ref().map(charges::charge_terms_out),
        agreement_id: e.instalment.as_ref().map(|of| of.agreement_id.to_string()).unwrap_or_default(),
        instalment: e.instalment.as_ref().map_or(0, |of| of.number),
        instalments: e.instalment.as_ref().map_or(0, |of| of.count),
    }
}

fn optional_day_out(day: Option<NaiveDate>) -> String {
    day.map(written::date_text).unwrap_or_default()
}

fn amended_out(customer_id: String, e: &receivable::InvoiceAmended) -> proto::InvoiceAmended {
    proto::InvoiceAmended {
        customer_id,
        invoice_id: e.invoice_id.to_string(),
        previous_amount_minor: e.previous_amount_minor,
        amount_minor: e.amount_minor,
        previous_due_on: written::date_text(e.previous_due_on),
        due_on: written::date_text(e.due_on),
        outstanding_minor: e.outstanding_minor,
        released: releases_out(&e.released),
        currency: e.currency.to_string(),
        amended_on: written::date_text(e.amended_on),
        automatic_debit_on: optional_day_out(e.automatic_debit_on),
        charges_minor: e.charges_minor,
        discount_minor: e.discount_minor,
    }
}

fn cancelled_out(customer_id: String, e: &receivable::InvoiceCancelled) -> proto::InvoiceCancelled {
    proto::InvoiceCancelled {
        customer_id,
        invoice_id: e.invoice_id.to_string(),
        reason: e.reason.clone(),
        previous_outstanding_minor: e.previous_outstanding_minor,
        released: releases_out(&e.released),
        currency: e.currency.to_string(),
        amount_minor: e.amount_minor,
        cancelled_on: written::date_text(e.cancelled_on),
        charges_minor: e.charges_minor,
        discount_minor: e.discount_minor,
        credited_minor: e.credited_minor,
    }
}

fn received_out(customer_id: String, e: &receivable::PaymentReceived) -> proto::PaymentReceived {
    proto::PaymentReceived {
        customer_id,
        invoice_id: e.invoice_id.to_string(),
        payment_id: e.payment_id.to_string(),
        amount_minor: e.amount_minor,
        currency: e.currency.to_string(),
        paid_on: written::date_text(e.paid_on),
        method: e.method.clone(),
        applied_minor: e.applied_minor,
        unapplied_minor: e.unapplied_minor,
        outstanding_minor: e.outstanding_minor,
        charges_minor: e.charges_minor,
        discount_minor: e.discount_minor,
        released: releases_out(&e.released),
        source: e.source.slug().to_owned(),
        part_of: e.part_of.as_ref().map(|part| part.payment_id.to_string()).unwrap_or_default(),
        moved_on: e.part_of.as_ref().map(|part| written::date_text(part.moved_on)).unwrap_or_default(),
    }
}

fn reversed_out(customer_id: String, e: &receivable::PaymentReversed) -> proto::PaymentReversed {
    proto::PaymentReversed {
        customer_id,
        invoice_id: e.invoice_id.to_string(),
        payment_id: e.payment_id.to_string(),
        reversed_on: written::date_text(e.reversed_on),
        reason: e.reason.clone(),
        applied_minor: e.applied_minor,
        unapplied_minor: e.unapplied_minor,
        outstanding_minor: e.outstanding_minor,
        currency: e.currency.to_string(),
        amount_minor: e.amount_minor,
        charges_minor: e.charges_minor,
        discount_minor: e.discount_minor,
        return_id: e.return_id.clone().unwrap_or_default(),
        part_of: e.part_of.as_ref().map(ToString::to_string).unwrap_or_default(),
    }
}

fn authorized_out(customer_id: String, e: &receivable::ReminderAuthorized) -> proto::ReminderAuthorized {
    let item = |item: &AuthorizedItem| proto::AuthorizedItem {
        invoice_id: item.invoice_id.to_string(),
        cycle: item.cycle,
        step_id: item.step_id.to_string(),
        occurrence: item.occurrence,
        net_minor: item.net_minor,
    };
    proto::ReminderAuthorized {
        customer_id,
        contact_id: e.contact_id.to_string(),
        items: e.items.iter().map(item).collect(),
        at_us: e.at.timestamp_micros(),
    }
}

fn releases_out(released: &[Release]) -> Vec<proto::Release> {
    released.iter().map(|r| proto::Release { payment_id: r.payment_id.to_string(), amount_minor: r.amount_minor }).collect()
}

/// The fact of a stored event; `None` for a type that this version does not know.
pub fn decode(event_type: &str, payload: &[u8]) -> Result<Option<Fact>, DecodeFault> {
    let fact = match event_type {
        "CustomerRegistered" => registered_in(message("CustomerRegistered", payload)?)?,
        "CustomerAmended" => customer_amended_in(message("CustomerAmended", payload)?)?,
        "CustomerErased" => erased_in(message("CustomerErased", payload)?)?,
        "InvoiceIssued" => issued_in(message("InvoiceIssued", payload)?)?,
        "InvoiceAmended" => amended_in(message("InvoiceAmended", payload)?)?,
        "InvoiceCancelled" => cancelled_in(message("InvoiceCancelled", payload)?)?,
        "CreditNoteIssued" => credit::issued_in(payload)?,
        "CreditNoteCancelled" => credit::cancelled_in(payload)?,
        "PaymentReceived" => received_in(message("PaymentReceived", payload)?)?,
        "PaymentReversed" => reversed_in(message("PaymentReversed", payload)?)?,
        "ReminderAuthorized" => authorized_in(message("ReminderAuthorized", payload)?)?,
        INSTRUMENTS_ASSIGNED => instrument::assigned_in(message(INSTRUMENTS_ASSIGNED, payload)?)?,
        other => {
            let rare = match agreement::decode(other, payload)? {
                None => view::decode(other, payload)?,
                of_agreement => of_agreement,
            };
            return if rare.is_some() { Ok(rare) } else { bank::decode(other, payload) };
        }
    };
    Ok(Some(fact))
}

pub(super) fn message<M: Message + Default>(name: &'static str, payload: &[u8]) -> Result<M, DecodeFault> {
    M::decode(payload).map_err(|error| DecodeFault::Bytes(name, error))
}

pub(super) fn fact(customer_id: &str, event: Event) -> Result<Fact, DecodeFault> {
    Ok(Fact { customer_id: CustomerId::new(customer_id).map_err(|_| DecodeFault::Field("customer_id"))?, event })
}

pub(super) fn day(field: &'static str, text: &str) -> Result<NaiveDate, DecodeFault> {
    written::date(text).ok_or(DecodeFault::Field(field))
}

fn optional_day(field: &'static str, text: &str) -> Result<Option<NaiveDate>, DecodeFault> {
    if text.is_empty() { Ok(None) } else { day(field, text).map(Some) }
}

pub(super) fn currency(text: &str) -> Result<Currency, DecodeFault> {
    Currency::new(text).ok_or(DecodeFault::Field("currency"))
}

pub(super) fn invoice_id(text: &str) -> Result<InvoiceId, DecodeFault> {
    InvoiceId::new(text).map_err(|_| DecodeFault::Field("invoice_id"))
}

pub(super) fn payment_id(text: &str) -> Result<PaymentId, DecodeFault> {
    PaymentId::new(text).map_err(|_| DecodeFault::Field("payment_id"))
}

fn optional(text: String) -> Option<String> {
    if text.is_empty() { None } else { Some(text) }
}

fn attributes_in(message: Option<proto::CustomerAttributes>) -> Attributes {
    let a = message.unwrap_or_default();
    Attributes {
        segment: optional(a.segment),
        language: a.language,
        zone: optional(a.time_zone),
        state: optional(a.state),
        municipality: optional(a.municipality),
    }
}

fn registered_in(m: proto::CustomerRegistered) -> Result<Fact, DecodeFault> {
    let customer_id = CustomerId::new(&m.customer_id).map_err(|_| DecodeFault::Field("customer_id"))?;
    let event =
        receivable::CustomerRegistered { customer_id, attributes: attributes_in(m.attributes), consents: m.consents.into_iter().collect() };
    fact(&m.customer_id, Event::CustomerRegistered(event))
}

fn customer_amended_in(m: proto::CustomerAmended) -> Result<Fact, DecodeFault> {
    let customer_id = CustomerId::new(&m.customer_id).map_err(|_| DecodeFault::Field("customer_id"))?;
    let event =
        receivable::CustomerAmended { customer_id, attributes: attributes_in(m.attributes), consents: m.consents.into_iter().collect() };
    fact(&m.customer_id, Event::CustomerAmended(event))
}

fn erased_in(m: proto::CustomerErased) -> Result<Fact, DecodeFault> {
    let customer_id = CustomerId::new(&m.customer_id).map_err(|_| DecodeFault::Field("customer_id"))?;
    fact(&m.customer_id, Event::CustomerErased(receivable::CustomerErased { customer_id }))
}

fn issued_in(m: proto::InvoiceIssued) -> Result<Fact, DecodeFault> {
    let instalment = agreement::instalment_in(&m)?;
    let event = receivable::InvoiceIssued {
        instalment,
        invoice_id: invoice_id(&m.invoice_id)?,
        amount_minor: m.amount_minor,
        currency: currency(&m.currency)?,
        issued_on: day("issued_on", &m.issued_on)?,
        due_on: day("due_on", &m.due_on)?,
        document: optional(m.document),
        automatic_debit_on: optional_day("automatic_debit_on", &m.automatic_debit_on)?,
        charges: m.charges.as_ref().map(charges::charge_terms_in).transpose()?,
    };
    fact(&m.customer_id, Event::InvoiceIssued(event))
}

fn amended_in(m: proto::InvoiceAmended) -> Result<Fact, DecodeFault> {
    let event = receivable::InvoiceAmended {
        invoice_id: invoice_id(&m.invoice_id)?,
        currency: currency(&m.currency)?,
        previous_amount_minor: m.previous_amount_minor,
        amount_minor: m.amount_minor,
        previous_due_on: day("previous_due_on", &m.previous_due_on)?,
        due_on: day("due_on", &m.due_on)?,
        outstanding_minor: m.outstanding_minor,
        released: releases_in(m.released)?,
        automatic_debit_on: optional_day("automatic_debit_on", &m.automatic_debit_on)?,
        charges_minor: m.charges_minor,
        discount_minor: m.discount_minor,
        amended_on: day("amended_on", &m.amended_on)?,
    };
    fact(&m.customer_id, Event::InvoiceAmended(event))
}

fn cancelled_in(m: proto::InvoiceCancelled) -> Result<Fact, DecodeFault> {
    let event = receivable::InvoiceCancelled {
        invoice_id: invoice_id(&m.invoice_id)?,
        currency: currency(&m.currency)?,
        amount_minor: m.amount_minor,
        previous_outstanding_minor: m.previous_outstanding_minor,
        released: releases_in(m.released)?,
        charges_minor: m.charges_minor,
        discount_minor: m.discount_minor,
        credited_minor: m.credited_minor,
        reason: m.reason,
        cancelled_on: day("cancelled_on", &m.cancelled_on)?,
    };
    fact(&m.customer_id, Event::InvoiceCancelled(event))
}

fn received_in(m: proto::PaymentReceived) -> Result<Fact, DecodeFault> {
    let part_of = agreement::part_in(&m)?;
    let event = receivable::PaymentReceived {
        part_of,
        payment_id: payment_id(&m.payment_id)?,
        invoice_id: invoice_id(&m.invoice_id)?,
        amount_minor: m.amount_minor,
        currency: currency(&m.currency)?,
        paid_on: day("paid_on", &m.paid_on)?,
        method: m.method,
        applied_minor: m.applied_minor,
        charges_minor: m.charges_minor,
        discount_minor: m.discount_minor,
        unapplied_minor: m.unapplied_minor,
        released: releases_in(m.released)?,
        outstanding_minor: m.outstanding_minor,
        source: Source::named(&m.source).ok_or(DecodeFault::Field("source"))?,
    };
    fact(&m.customer_id, Event::PaymentReceived(event))
}

fn reversed_in(m: proto::PaymentReversed) -> Result<Fact, DecodeFault> {
    let event = receivable::PaymentReversed {
        payment_id: payment_id(&m.payment_id)?,
        invoice_id: invoice_id(&m.invoice_id)?,
        amount_minor: m.amount_minor,
        currency: currency(&m.currency)?,
        applied_minor: m.applied_minor,
        charges_minor: m.charges_minor,
        discount_minor: m.discount_minor,
        unapplied_minor: m.unapplied_minor,
        outstanding_minor: m.outstanding_minor,
        reason: m.reason,
        reversed_on: day("reversed_on", &m.reversed_on)?,
        return_id: optional(m.return_id),
        part_of: if m.part_of.is_empty() { None } else { Some(payment_id(&m.part_of)?) },
    };
    fact(&m.customer_id, Event::PaymentReversed(event))
}

fn authorized_in(m: proto::ReminderAuthorized) -> Result<Fact, DecodeFault> {
    let item = |item: proto::AuthorizedItem| {
        Ok(AuthorizedItem {
            invoice_id: invoice_id(&item.invoice_id)?,
            cycle: item.cycle,
            step_id: StepId::new(&item.step_id).map_err(|_| DecodeFault::Field("items.step_id"))?,
            occurrence: item.occurrence,
            net_minor: item.net_minor,
        })
    };
    let event = receivable::ReminderAuthorized {
        contact_id: ContactId::new(&m.contact_id).map_err(|_| DecodeFault::Field("contact_id"))?,
        items: m.items.into_iter().map(item).collect::<Result<_, DecodeFault>>()?,
        at: DateTime::<Utc>::from_timestamp_micros(m.at_us).ok_or(DecodeFault::Field("at_us"))?,
    };
    fact(&m.customer_id, Event::ReminderAuthorized(event))
}

fn releases_in(released: Vec<proto::Release>) -> Result<Vec<Release>, DecodeFault> {
    released.into_iter().map(|r| Ok(Release { payment_id: payment_id(&r.payment_id)?, amount_minor: r.amount_minor })).collect()
}
