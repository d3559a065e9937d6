//! Events that bank files and the Pix network cause on an account.

use super::{DecodeFault, Fact, currency, day, fact, invoice_id, message, optional, payment_id};
use contracts::invoice::v1 as proto;
use kernel::written;
use prost::Message;
use receivable::{BankFeeCharged, BankRecord, BoletoNoticed, Event, PaymentConfirmed, Source};

/// Type name and bytes. Events of other files have their own arms: here they are nothing.
pub(super) fn encode(customer_id: String, event: &Event) -> (&'static str, Vec<u8>) {
    match event {
        Event::PaymentConfirmed(e) => {
            let message = proto::PaymentConfirmed {
                customer_id,
                invoice_id: e.invoice_id.to_string(),
                payment_id: e.payment_id.to_string(),
                confirmed_by: e.confirmed_by.to_string(),
                source: e.source.slug().to_owned(),
            };
            ("PaymentConfirmed", message.encode_to_vec())
        }
        Event::BoletoRegistered(e) => {
            let (invoice_id, record) = (e.invoice_id.to_string(), Some(record_out(e)));
            ("BoletoRegistered", proto::BoletoRegistered { customer_id, invoice_id, record }.encode_to_vec())
        }
        Event::BoletoRejected(e) => {
            let (invoice_id, record) = (e.invoice_id.to_string(), Some(record_out(e)));
            ("BoletoRejected", proto::BoletoRejected { customer_id, invoice_id, record }.encode_to_vec())
        }
        Event::BoletoWrittenOff(e) => {
            let (invoice_id, record) = (e.invoice_id.to_string(), Some(record_out(e)));
            ("BoletoWrittenOff", proto::BoletoWrittenOff { customer_id, invoice_id, record }.encode_to_vec())
        }
        Event::BoletoNoticed(e) => {
            let (invoice_id, record, notice) = (e.record.invoice_id.to_string(), Some(record_out(&e.record)), e.notice.clone());
            ("BoletoNoticed", proto::BoletoNoticed { customer_id, invoice_id, record, notice }.encode_to_vec())
        }
        Event::BankFeeCharged(e) => {
            let message = proto::BankFeeCharged {
                customer_id,
                invoice_id: e.invoice_id.to_string(),
                record_id: e.record_id.clone(),
                amount_minor: e.amount_minor,
                currency: e.currency.to_string(),
                charged_on: written::date_text(e.charged_on),
            };
            ("BankFeeCharged", message.encode_to_vec())
        }
        Event::CustomerRegistered(_)
        | Event::CustomerAmended(_)
        | Event::CustomerErased(_)
        | Event::CustomerRated(_)
        | Event::InvoiceViewed(_)
        | Event::InvoiceIssued(_)
        | Event::InvoiceAmended(_)
        | Event::InvoiceCancelled(_)
        | Event::CreditNoteIssued(_)
        | Event::CreditNoteCancelled(_)
        | Event::PaymentReceived(_)
        | Event::PaymentReversed(_)
        | Event::InstrumentsAssigned(_)
        | Event::AgreementMade(_)
        | Event::InvoiceRenegotiated(_)
        | Event::AgreementBroken(_)
        | Event::InvoiceReopened(_)
        | Event::AgreementCompleted(_)
        | Event::AgreementResumed(_)
        | Event::ReminderAuthorized(_) => ("", Vec::new()),
    }
}

fn record_out(record: &BankRecord) -> proto::BankRecord {
    proto::BankRecord {
        record_id: record.record_id.clone(),
        bank: record.bank.clone(),
        movement: record.movement.clone(),
        reasons: record.reasons.clone(),
        event_on: record.event_on.map(written::date_text).unwrap_or_default(),
    }
}

/// The fact of a stored event; `None` for a type that this version does not know.
pub(super) fn decode(event_type: &str, payload: &[u8]) -> Result<Option<Fact>, DecodeFault> {
    let decoded = match event_type {
        "PaymentConfirmed" => confirmed_in(message("PaymentConfirmed", payload)?)?,
        "BoletoRegistered" => {
            let m: proto::BoletoRegistered = message("BoletoRegistered", payload)?;
            fact(&m.customer_id, Event::BoletoRegistered(record_in(&m.invoice_id, m.record)?))?
        }
        "BoletoRejected" => {
            let m: proto::BoletoRejected = message("BoletoRejected", payload)?;
            fact(&m.customer_id, Event::BoletoRejected(record_in(&m.invoice_id, m.record)?))?
        }
        "BoletoWrittenOff" => {
            let m: proto::BoletoWrittenOff = message("BoletoWrittenOff", payload)?;
            fact(&m.customer_id, Event::BoletoWrittenOff(record_in(&m.invoice_id, m.record)?))?
        }
        "BoletoNoticed" => {
            let m: proto::BoletoNoticed = message("BoletoNoticed", payload)?;
            let event = BoletoNoticed { record: record_in(&m.invoice_id, m.record)?, notice: m.notice };
            fact(&m.customer_id, Event::BoletoNoticed(event))?
        }
        "BankFeeCharged" => charged_in(message("BankFeeCharged", payload)?)?,
        _ => return Ok(None),
    };
    Ok(Some(decoded))
}

fn record_in(invoice: &str, record: Option<proto::BankRecord>) -> Result<BankRecord, DecodeFault> {
    let record = record.ok_or(DecodeFault::Field("record"))?;
    Ok(BankRecord {
        invoice_id: invoice_id(invoice)?,
        record_id: record.record_id,
        bank: record.bank,
        movement: record.movement,
        reasons: record.reasons,
        event_on: optional(record.event_on).map(|text| day("record.event_on", &text)).transpose()?,
    })
}

fn confirmed_in(m: proto::PaymentConfirmed) -> Result<Fact, DecodeFault> {
    let event = PaymentConfirmed {
        payment_id: payment_id(&m.payment_id)?,
        invoice_id: invoice_id(&m.invoice_id)?,
        confirmed_by: payment_id(&m.confirmed_by)?,
        source: Source::named(&m.source).ok_or(DecodeFault::Field("source"))?,
    };
    fact(&m.customer_id, Event::PaymentConfirmed(event))
}

fn charged_in(m: proto::BankFeeCharged) -> Result<Fact, DecodeFault> {
    let event = BankFeeCharged {
        invoice_id: invoice_id(&m.invoice_id)?,
        record_id: m.record_id,
        amount_minor: m.amount_minor,
        currency: currency(&m.currency)?,
        charged_on: day("charged_on", &m.charged_on)?,
    };
    fact(&m.customer_id, Event::BankFeeCharged(event))
}
