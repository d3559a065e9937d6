//! Events as rows.

use sql::{Column, Kind, Row, SqlError, Value};

use crate::event::{Recorded, Told};

/// The columns of `events`, in the order in which an event is stored.
pub const COLUMNS: &[Column] = &[
    Column::new("position", Kind::Int),
    Column::new("event_id", Kind::Uuid),
    Column::new("stream", Kind::Text),
    Column::new("version", Kind::Int),
    Column::new("event_type", Kind::Text),
    Column::new("schema_version", Kind::Int),
    Column::new("tenant", Kind::Text),
    Column::new("routing_key", Kind::Text),
    Column::new("recorded_at", Kind::Instant),
    Column::optional("occurred_at", Kind::Instant),
    Column::optional("effective_on", Kind::Date),
    Column::optional("command_id", Kind::Text),
    Column::optional("correlation_id", Kind::Uuid),
    Column::optional("causation_id", Kind::Uuid),
    Column::optional("traceparent", Kind::Text),
    Column::new("payload", Kind::Bytes),
];

/// The same columns for a `SELECT`, of the table alias `e`.
pub(crate) const SELECT: &str = "e.position, e.event_id, e.stream, e.version, e.event_type, e.schema_version, e.tenant, e.routing_key, \
     e.recorded_at, e.occurred_at, e.effective_on, e.command_id, e.correlation_id, e.causation_id, e.traceparent, e.payload";

pub(crate) fn to_row(event: &Recorded) -> Vec<Value> {
    vec![
        int(event.position),
        event.event_id.into(),
        event.stream.as_str().into(),
        int(event.version),
        event.event_type.as_str().into(),
        event.schema_version.into(),
        event.tenant.as_str().into(),
        event.key.as_str().into(),
        event.recorded_at.into(),
        event.occurred_at.into(),
        event.effective_on.into(),
        event.command_id.clone().into(),
        event.correlation_id.into(),
        event.causation_id.into(),
        event.traceparent.clone().into(),
        event.payload.as_slice().into(),
    ]
}

pub(crate) fn from_row(mut row: Row) -> Result<Recorded, SqlError> {
    Ok(Recorded {
        position: unsigned(row.int("position")?),
        event_id: row.uuid("event_id")?,
        stream: row.take_text("stream")?,
        version: unsigned(row.int("version")?),
        event_type: row.take_text("event_type")?,
        schema_version: u32::try_from(row.int("schema_version")?).unwrap_or(u32::MAX),
        tenant: row.take_text("tenant")?,
        key: row.take_text("routing_key")?,
        recorded_at: row.instant("recorded_at")?,
        occurred_at: row.opt_instant("occurred_at")?,
        effective_on: row.opt_date("effective_on")?,
        command_id: row.take_opt_text("command_id")?,
        correlation_id: row.opt_uuid("correlation_id")?,
        causation_id: row.opt_uuid("causation_id")?,
        traceparent: row.take_opt_text("traceparent")?,
        payload: row.take_bytes("payload")?,
    })
}

/// The columns of which a state is made, as [`SELECT`].
pub(crate) const SELECT_TOLD: &str = "e.position, e.stream, e.version, e.event_type, e.schema_version, e.tenant, e.payload";

pub(crate) fn told_from_row(mut row: Row) -> Result<Told, SqlError> {
    Ok(Told {
        position: unsigned(row.int("position")?),
        stream: row.take_text("stream")?,
        version: unsigned(row.int("version")?),
        event_type: row.take_text("event_type")?,
        schema_version: u32::try_from(row.int("schema_version")?).unwrap_or(u32::MAX),
        tenant: row.take_text("tenant")?,
        payload: row.take_bytes("payload")?,
    })
}

/// Positions and versions count events: they fit an i64 for longer than any disk lasts.
pub(crate) fn int(number: u64) -> Value {
    Value::Int(i64::try_from(number).unwrap_or(i64::MAX))
}

pub(crate) fn unsigned(number: i64) -> u64 {
    u64::try_from(number).unwrap_or(0)
}
