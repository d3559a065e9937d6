//! Topic `regua.dunning.v1` → disputes with the days on which they were open.
//!
//! Dated and never forgotten: what was contested on a day is known for ever.

use super::{INVOICE_ID, TENANT, date, payload, receivables::Receivable};
use contracts::dunning::v1 as proto;
use eventlog::{
    bus::Message,
    projection::{ProjectionError, TableDef},
};
use sql::{Column, Kind, Value};

pub const DISPUTE: TableDef = TableDef {
    name: "dispute",
    columns: &[
        TENANT,
        INVOICE_ID,
        Column::new("arrangement_id", Kind::Text),
        // The contested part; 0 = all that is open.
        Column::new("amount_minor", Kind::Int),
        Column::new("opened_on", Kind::Date),
        Column::new("opened_at", Kind::Instant),
    ],
    key: &["tenant", "invoice_id", "arrangement_id"],
    indexes: &[],
};

pub const DISPUTE_END: TableDef = TableDef {
    name: "dispute_end",
    columns: &[
        TENANT,
        INVOICE_ID,
        Column::new("arrangement_id", Kind::Text),
        Column::new("ended_on", Kind::Date),
        Column::new("ended_at", Kind::Instant),
    ],
    key: &["tenant", "invoice_id", "arrangement_id"],
    indexes: &[],
};

/// A row of [`DISPUTE`] and its receivable, where the event opens one. Errors: a day that is none.
pub fn opened(message: &Message) -> Result<Option<(Receivable, Vec<Value>)>, ProjectionError> {
    if message.event.event_type != "DisputeOpened" {
        return Ok(None);
    }
    let m: proto::DisputeOpened = payload(message)?;
    let (tenant, day) = (message.event.tenant.clone(), date(message, "day", &m.day)?);
    let row = vec![
        tenant.as_str().into(),
        m.invoice_id.as_str().into(),
        m.arrangement_id.into(),
        m.amount_minor.into(),
        day.into(),
        message.event.recorded_at.into(),
    ];
    Ok(Some((Receivable { tenant, customer_id: m.customer_id, invoice_id: m.invoice_id }, row)))
}

/// A row of [`DISPUTE_END`] and its receivable, where the event ends one. Errors: a day that is none.
pub fn ended(message: &Message) -> Result<Option<(Receivable, Vec<Value>)>, ProjectionError> {
    if message.event.event_type != "DisputeResolved" {
        return Ok(None);
    }
    let m: proto::DisputeResolved = payload(message)?;
    let (tenant, day) = (message.event.tenant.clone(), date(message, "day", &m.day)?);
    let row =
        vec![tenant.as_str().into(), m.invoice_id.as_str().into(), m.arrangement_id.into(), day.into(), message.event.recorded_at.into()];
    Ok(Some((Receivable { tenant, customer_id: m.customer_id, invoice_id: m.invoice_id }, row)))
}
