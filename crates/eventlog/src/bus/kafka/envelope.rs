//! The envelope of an event as Kafka headers. The payload is the message's value, verbatim; the key is the partition key.

use std::fmt::{self, Write};

use chrono::{DateTime, NaiveDate, Utc};
use rdkafka::message::{BorrowedMessage, Header, Headers, Message as _, OwnedHeaders};
use uuid::Uuid;

use crate::bus::Message;
use crate::event::Recorded;

/// The type under which a message without a valid envelope is handed on: kept, skipped and counted like any unknown type.
pub const MALFORMED: &str = "malformed";

const EVENT_ID: &str = "event_id";
const POSITION: &str = "position";
const STREAM: &str = "stream";
const VERSION: &str = "version";
const EVENT_TYPE: &str = "event_type";
const SCHEMA_VERSION: &str = "schema_version";
const TENANT: &str = "tenant";
const RECORDED_AT: &str = "recorded_at_us";
const OCCURRED_AT: &str = "occurred_at_us";
const EFFECTIVE_ON: &str = "effective_on";
const COMMAND_ID: &str = "command_id";
const CORRELATION_ID: &str = "correlation_id";
const CAUSATION_ID: &str = "causation_id";
const TRACEPARENT: &str = "traceparent";

/// The headers of an event.
pub(crate) fn headers(event: &Recorded) -> OwnedHeaders {
    let must = Written { headers: OwnedHeaders::new_with_capacity(14), text: String::new() }
        .told(EVENT_ID, event.event_id)
        .told(POSITION, event.position)
        .text(STREAM, &event.stream)
        .told(VERSION, event.version)
        .text(EVENT_TYPE, &event.event_type)
        .told(SCHEMA_VERSION, event.schema_version)
        .text(TENANT, &event.tenant)
        .told(RECORDED_AT, event.recorded_at.timestamp_micros());
    let all = must
        .may(event.occurred_at, |headers, at| headers.told(OCCURRED_AT, at.timestamp_micros()))
        .may(event.effective_on, |headers, date| headers.told(EFFECTIVE_ON, date))
        .may(event.command_id.as_deref(), |headers, id| headers.text(COMMAND_ID, id))
        .may(event.correlation_id, |headers, id| headers.told(CORRELATION_ID, id))
        .may(event.causation_id, |headers, id| headers.told(CAUSATION_ID, id))
        .may(event.traceparent.as_deref(), |headers, trace| headers.text(TRACEPARENT, trace));
    all.headers
}

/// Headers as far as they are written. Whatever is no text yet becomes one in the same buffer: there are a dozen to every message.
struct Written {
    headers: OwnedHeaders,
    text: String,
}

impl Written {
    fn text(self, key: &str, value: &str) -> Self {
        Self { headers: self.headers.insert(Header { key, value: Some(value.as_bytes()) }), ..self }
    }

    fn told(mut self, key: &str, value: impl fmt::Display) -> Self {
        self.text.clear();
        // Writing to a text cannot fail.
        let _ = write!(self.text, "{value}");
        Self { headers: self.headers.insert(Header { key, value: Some(self.text.as_bytes()) }), text: self.text }
    }

    fn may<T>(self, value: Option<T>, write: impl FnOnce(Self, T) -> Self) -> Self {
        match value {
            Some(value) => write(self, value),
            None => self,
        }
    }
}

/// A message as a consumer sees it. One that no relay of ours can have written becomes an event of type [`MALFORMED`] in a stream of
/// its own: it blocks nobody and is not lost.
pub(crate) fn message(topic: &str, raw: &BorrowedMessage<'_>) -> Message {
    let event = recorded(raw).unwrap_or_else(|reason| {
        tracing::error!(topic, partition = raw.partition(), offset = raw.offset(), reason, "message without a valid envelope");
        malformed(raw)
    });
    Message { topic: topic.to_string(), partition: raw.partition(), offset: raw.offset(), event }
}

fn malformed(raw: &BorrowedMessage<'_>) -> Recorded {
    Recorded {
        position: 0,
        event_id: Uuid::nil(),
        stream: format!("{MALFORMED}/{}/{}", raw.partition(), raw.offset()),
        version: 1,
        event_type: MALFORMED.to_string(),
        schema_version: 0,
        tenant: String::new(),
        key: String::new(),
        recorded_at: DateTime::UNIX_EPOCH,
        occurred_at: None,
        effective_on: None,
        command_id: None,
        correlation_id: None,
        causation_id: None,
        traceparent: None,
        payload: raw.payload().unwrap_or_default().to_vec(),
    }
}

/// Header values by name.
struct Fields<'m, H: Headers>(&'m H);

impl<H: Headers> Fields<'_, H> {
    fn may(&self, key: &str) -> Result<Option<&str>, String> {
        let Some(bytes) = self.0.iter().find(|header| header.key == key).and_then(|header| header.value) else {
            return Ok(None);
        };
        std::str::from_utf8(bytes).map(Some).map_err(|_| format!("header {key} is not text"))
    }

    fn must(&self, key: &str) -> Result<&str, String> {
        self.may(key)?.ok_or_else(|| format!("header {key} is missing"))
    }

    fn parse<T: std::str::FromStr>(&self, key: &str) -> Result<T, String> {
        self.must(key)?.parse().map_err(|_| format!("header {key} cannot be read"))
    }

    fn parse_may<T: std::str::FromStr>(&self, key: &str) -> Result<Option<T>, String> {
        self.may(key)?.map(str::parse).transpose().map_err(|_| format!("header {key} cannot be read"))
    }

    fn text_may(&self, key: &str) -> Result<Option<String>, String> {
        Ok(self.may(key)?.map(str::to_string))
    }
}

fn recorded(raw: &BorrowedMessage<'_>) -> Result<Recorded, String> {
    let headers = raw.headers().ok_or("no headers")?;
    let fields = Fields(headers);
    let key = std::str::from_utf8(raw.key().ok_or("no key")?).map_err(|_| "the key is not text")?;
    let occurred_at = fields.parse_may::<i64>(OCCURRED_AT)?;
    Ok(Recorded {
        position: fields.parse(POSITION)?,
        event_id: fields.parse(EVENT_ID)?,
        stream: fields.must(STREAM)?.to_string(),
        version: fields.parse::<std::num::NonZeroU64>(VERSION)?.get(),
        event_type: fields.must(EVENT_TYPE)?.to_string(),
        schema_version: fields.parse(SCHEMA_VERSION)?,
        tenant: fields.must(TENANT)?.to_string(),
        key: key.to_string(),
        recorded_at: instant(fields.parse(RECORDED_AT)?)?,
        occurred_at: occurred_at.map(instant).transpose()?,
        effective_on: fields.parse_may::<NaiveDate>(EFFECTIVE_ON)?,
        command_id: fields.text_may(COMMAND_ID)?,
        correlation_id: fields.parse_may(CORRELATION_ID)?,
        causation_id: fields.parse_may(CAUSATION_ID)?,
        traceparent: fields.text_may(TRACEPARENT)?,
        payload: raw.payload().unwrap_or_default().to_vec(),
    })
}

fn instant(micros: i64) -> Result<DateTime<Utc>, String> {
    DateTime::from_timestamp_micros(micros).ok_or_else(|| "an instant is out of range".to_string())
}
