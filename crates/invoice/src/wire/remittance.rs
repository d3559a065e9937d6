//! Remittances: protobuf bytes ↔ domain facts.

use super::event::{DecodeFault, day, invoice_id, message};
use chrono::{DateTime, Utc};
use contracts::invoice::v1 as proto;
use kernel::CustomerId;
use prost::Message;
use receivable::remittance::{Instruction, Order, RemittanceWritten};

/// Type of the event.
pub const REMITTANCE_WRITTEN: &str = "RemittanceWritten";

/// Type name and bytes of a fact.
pub fn encode(event: &RemittanceWritten) -> (&'static str, Vec<u8>) {
    let order = |order: &Order| proto::RemittanceOrder {
        instruction: order.instruction.code().to_owned(),
        invoice_id: order.invoice_id.to_string(),
        customer_id: order.customer_id.to_string(),
        due_on: order.due_on.to_string(),
        amount_minor: order.amount_minor,
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
        })
    };
    Ok(Some(RemittanceWritten {
        sequence: m.sequence,
        written_at: DateTime::<Utc>::from_timestamp_micros(m.written_at_us).ok_or(DecodeFault::Field("written_at_us"))?,
        orders: m.orders.into_iter().map(order).collect::<Result<_, DecodeFault>>()?,
    }))
}
