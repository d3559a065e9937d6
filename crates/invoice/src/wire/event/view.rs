//! Views and ratings in events.

use super::{DecodeFault, Fact, day, fact, invoice_id, message};
use chrono::DateTime;
use contracts::invoice::v1 as proto;
use kernel::{CustomerId, written};
use prost::Message;
use receivable::{
    Event,
    rating::{CustomerRated, Rating},
    view::InvoiceViewed,
};

pub(super) fn viewed_out(customer_id: String, e: &InvoiceViewed) -> (&'static str, Vec<u8>) {
    let (invoice_id, viewed_at_us) = (e.invoice_id.to_string(), e.viewed_at.timestamp_micros());
    let m = proto::InvoiceViewed { customer_id, invoice_id, viewed_at_us, through: e.through.clone() };
    ("InvoiceViewed", m.encode_to_vec())
}

pub(super) fn rated_out(customer_id: String, e: &CustomerRated) -> (&'static str, Vec<u8>) {
    let Rating { score, source, rated_on } = &e.rating;
    let m = proto::CustomerRated { customer_id, score: (*score).into(), source: source.clone(), rated_on: written::date_text(*rated_on) };
    ("CustomerRated", m.encode_to_vec())
}

/// `None` for any other type.
pub(super) fn decode(event_type: &str, payload: &[u8]) -> Result<Option<Fact>, DecodeFault> {
    let fact = match event_type {
        "InvoiceViewed" => {
            let m: proto::InvoiceViewed = message("InvoiceViewed", payload)?;
            let viewed_at = DateTime::from_timestamp_micros(m.viewed_at_us).ok_or(DecodeFault::Field("viewed_at_us"))?;
            let viewed = InvoiceViewed { invoice_id: invoice_id(&m.invoice_id)?, viewed_at, through: m.through };
            fact(&m.customer_id, Event::InvoiceViewed(viewed))?
        }
        "CustomerRated" => {
            let m: proto::CustomerRated = message("CustomerRated", payload)?;
            let customer_id = CustomerId::new(&m.customer_id).map_err(|_| DecodeFault::Field("customer_id"))?;
            let score = u8::try_from(m.score).map_err(|_| DecodeFault::Field("score"))?;
            let rating = Rating { score, source: m.source, rated_on: day("rated_on", &m.rated_on)? };
            fact(&m.customer_id, Event::CustomerRated(CustomerRated { customer_id, rating }))?
        }
        _ => return Ok(None),
    };
    Ok(Some(fact))
}
