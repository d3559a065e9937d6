//! Remittances: protobuf bytes ↔ domain facts.

use super::event::{DecodeFault, day, invoice_id, message};
use brazil::charges::Rate;
use brazil::cnab::remittance::{DiscountOrder, FineOrder, InterestOrder};
use chrono::{DateTime, Utc};
use contracts::invoice::v1 as proto;
use kernel::{CustomerId, written};
use prost::Message;
use receivable::BankCharges;
use receivable::remittance::{Instruction, Order, RemittanceWritten};

/// Type of the event.
pub const REMITTANCE_WRITTEN: &str = "RemittanceWritten";

/// Type name and bytes of a fact.
pub fn encode(event: &RemittanceWritten) -> (&'static str, Vec<u8>) {
    let order = |order: &Order| proto::RemittanceOrder {
        instruction: order.instruction.code().to_owned(),
        invoice_id: order.invoice_id.to_string(),
        customer_id: order.customer_id.to_string(),
        due_on: written::date_text(order.due_on),
        amount_minor: order.amount_minor,
        charges: charges_out(&order.charges),
        nosso_numero: order.nosso_numero.clone(),
    };
    let message = proto::RemittanceWritten {
        sequence: event.sequence,
        written_at_us: event.written_at.timestamp_micros(),
        orders: event.orders.iter().map(order).collect(),
    };
    (REMITTANCE_WRITTEN, message.encode_to_vec())
}

/// The fact of a stored event; `None` for another type.
pub fn decode(event_type: &str, payload: &[u8]) -> Result<Option<RemittanceWritten>, DecodeFault> {
    if event_type != REMITTANCE_WRITTEN {
        return Ok(None);
    }
    let m: proto::RemittanceWritten = message(REMITTANCE_WRITTEN, payload)?;
    let order = |m: proto::RemittanceOrder| {
        Ok(Order {
            instruction: Instruction::of(&m.instruction).ok_or(DecodeFault::Field("orders.instruction"))?,
            invoice_id: invoice_id(&m.invoice_id)?,
            customer_id: CustomerId::new(&m.customer_id).map_err(|_| DecodeFault::Field("orders.customer_id"))?,
            due_on: day("orders.due_on", &m.due_on)?,
            amount_minor: m.amount_minor,
            charges: m.charges.map(charges_in).transpose()?.unwrap_or_default(),
            nosso_numero: m.nosso_numero,
        })
    };
    Ok(Some(RemittanceWritten {
        sequence: m.sequence,
        written_at: DateTime::<Utc>::from_timestamp_micros(m.written_at_us).ok_or(DecodeFault::Field("written_at_us"))?,
        orders: m.orders.into_iter().map(order).collect::<Result<_, DecodeFault>>()?,
    }))
}

/// Absent where the bank adds nothing and takes nothing off.
fn charges_out(charges: &BankCharges) -> Option<proto::RemittanceCharges> {
    if *charges == BankCharges::default() {
        return None;
    }
    let mut m = proto::RemittanceCharges::default();
    match charges.interest {
        InterestOrder::Exempt => {}
        InterestOrder::CentsPerDay(from, cents) => (m.interest_from, m.interest_minor_per_day) = (from.to_string(), cents),
        InterestOrder::PercentPerMonth(from, rate) => (m.interest_from, m.interest_percent_micros) = (from.to_string(), rate.micros()),
    }
    match charges.fine {
        None => {}
        Some(FineOrder::Fixed(from, cents)) => (m.fine_from, m.fine_minor) = (from.to_string(), cents),
        Some(FineOrder::Percent(from, rate)) => (m.fine_from, m.fine_percent_micros) = (from.to_string(), rate.micros()),
    }
    m.abatement_minor = charges.abatement_minor;
    m.discounts = charges.discounts.iter().map(discount_out).collect();
    Some(m)
}

/// Codes 1 and 2 of the bank's table are the only ones that are ever told.
fn discount_out(discount: &DiscountOrder) -> proto::RemittanceDiscount {
    let (minor, percent_micros) = match discount.code {
        2 => (0, Rate::from_hundredths(discount.hundredths.unsigned_abs()).micros()),
        _ => (discount.hundredths, 0),
    };
    proto::RemittanceDiscount { until: discount.until.to_string(), minor, percent_micros }
}

fn charges_in(m: proto::RemittanceCharges) -> Result<BankCharges, DecodeFault> {
    let interest = match (m.interest_minor_per_day, m.interest_percent_micros) {
        (0, 0) => InterestOrder::Exempt,
        (0, micros) => InterestOrder::PercentPerMonth(day("interest_from", &m.interest_from)?, Rate::from_micros(micros)),
        (cents, _) => InterestOrder::CentsPerDay(day("interest_from", &m.interest_from)?, cents),
    };
    let fine = match (m.fine_minor, m.fine_percent_micros) {
        (0, 0) => None,
        (0, micros) => Some(FineOrder::Percent(day("fine_from", &m.fine_from)?, Rate::from_micros(micros))),
        (cents, _) => Some(FineOrder::Fixed(day("fine_from", &m.fine_from)?, cents)),
    };
    let discounts = m.discounts.iter().map(discount_in).collect::<Result<_, DecodeFault>>()?;
    Ok(BankCharges { interest, fine, discounts, abatement_minor: m.abatement_minor })
}

fn discount_in(m: &proto::RemittanceDiscount) -> Result<DiscountOrder, DecodeFault> {
    let until = day("discounts.until", &m.until)?;
    let percent = i64::try_from(m.percent_micros / 10_000).map_err(|_| DecodeFault::Field("discounts.percent_micros"))?;
    Ok(match percent {
        0 => DiscountOrder { code: 1, until, hundredths: m.minor },
        hundredths => DiscountOrder { code: 2, until, hundredths },
    })
}
