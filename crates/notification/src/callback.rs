//! Delivery receipts: providers post them, signed as this service signs its own posts.
//!
//! `POST /callbacks/{channel}` with JSON `{"tenant", "customer_id", "contact_id", "attempt_id", "status", "at"}`, or with
//! the idempotency key as `attempt_id` and without the three before it. Receipts may come in any order and repeatedly.
//! `POST /callbacks/email/returned` with an e-mail that came back, signed in the same way: a delivery status notification (RFC 3464)
//! becomes the receipt of its attempt, an unsubscription an opt-out. What is neither is left to people.
//!
//! The status `opted_out` says that the payer wants no more messages on the channel; it needs the payer, and no attempt.

use crate::{
    aggregate::{self, Addressed, AllContacts, attempts},
    channel::{
        AttemptKey, Channels,
        bounce::{self, Returned},
    },
};
use axum::{
    Json, Router,
    body::Bytes,
    extract::{DefaultBodyLimit, Path, State},
    http::{HeaderMap, StatusCode},
    response::{IntoResponse, Response},
    routing::post,
};
use eventlog::{Clock, Submission, WriteError, Writer};
use host::{metrics::Metrics, signed::signature};
use kernel::{ChannelAttemptId, ContactId, CustomerId, DateTime, TenantId, Utc};
use notice::{Channel, Command, Kind, NoteReceipt, OptOut, ReceiptStatus};
use opentelemetry::{KeyValue, metrics::Counter};
use serde::Deserialize;
use serde_json::json;
use std::sync::Arc;

/// Longest receipt, in bytes.
const MAX_BODY_BYTES: usize = 64 * 1024;

/// What callbacks work with.
#[derive(Clone)]
struct Callbacks {
    writer: Writer<AllContacts>,
    channels: Arc<Channels>,
    clock: Arc<dyn Clock>,
    noted: Counter<u64>,
}

/// The routes of callbacks.
pub fn router(writer: Writer<AllContacts>, channels: Arc<Channels>, clock: Arc<dyn Clock>, metrics: &Metrics) -> Router {
    let noted = metrics.counter("receipts", "Delivery receipts that providers posted, by what became of them");
    let callbacks = Callbacks { writer, channels, clock, noted };
    Router::new()
        .route("/callbacks/{channel}", post(receive))
        .route("/callbacks/email/returned", post(returned))
        .layer(DefaultBodyLimit::max(MAX_BODY_BYTES))
        .with_state(callbacks)
}

/// A receipt as it is posted. Fields that providers add are ignored.
#[derive(Deserialize)]
struct Posted {
    #[serde(default)]
    tenant: String,
    #[serde(default)]
    customer_id: String,
    #[serde(default)]
    contact_id: String,
    #[serde(default)]
    attempt_id: String,
    status: String,
    at: Option<String>,
}

/// Status of a payer's no.
const OPTED_OUT: &str = "opted_out";

/// Why a receipt is not noted.
struct Refused {
    status: StatusCode,
    reason: &'static str,
    field: &'static str,
}

impl Refused {
    fn malformed(field: &'static str, reason: &'static str) -> Self {
        Self { status: StatusCode::BAD_REQUEST, reason, field }
    }

    fn not_found(reason: &'static str) -> Self {
        Self { status: StatusCode::NOT_FOUND, reason, field: "" }
    }
}

impl IntoResponse for Refused {
    fn into_response(self) -> Response {
        (self.status, Json(json!({ "reason": self.reason, "field": self.field }))).into_response()
    }
}

/// A receipt that was understood.
struct Receipt {
    key: AttemptKey,
    contact_id: Option<ContactId>,
    status: ReceiptStatus,
    at: DateTime<Utc>,
}

async fn receive(State(callbacks): State<Callbacks>, Path(channel): Path<String>, headers: HeaderMap, body: Bytes) -> Response {
    let outcome = callbacks.note(&channel, &headers, &body).await;
    let told = outcome.as_ref().map_or_else(|refused| refused.reason, |()| "noted");
    let labels = [KeyValue::new("channel", Channel::named(&channel).map_or("unknown", Channel::slug)), KeyValue::new("outcome", told)];
    callbacks.noted.add(1, &labels);
    match outcome {
        Ok(()) => StatusCode::NO_CONTENT.into_response(),
        Err(refused) => refused.into_response(),
    }
}

async fn returned(State(callbacks): State<Callbacks>, headers: HeaderMap, body: Bytes) -> Response {
    let outcome = callbacks.take_back(&headers, &body).await;
    let told = outcome.as_ref().map_or_else(|refused| refused.reason, |()| "noted");
    callbacks.noted.add(1, &[KeyValue::new("channel", Channel::Email.slug()), KeyValue::new("outcome", told)]);
    outcome.map_or_else(IntoResponse::into_response, |()| StatusCode::NO_CONTENT.into_response())
}

impl Callbacks {
    /// The signature is that of whoever may speak for the channel.
    fn admitted(&self, channel: Channel, headers: &HeaderMap, body: &[u8]) -> Result<(), Refused> {
        let secret = self.channels.callback_secret(channel).ok_or(Refused::not_found("channel_without_callbacks"))?;
        let signature = headers.get(signature::HEADER).and_then(|value| value.to_str().ok()).unwrap_or_default();
        if signature::verify(secret.as_bytes(), body, signature) {
            Ok(())
        } else {
            Err(Refused { status: StatusCode::UNAUTHORIZED, reason: "signature_wrong", field: signature::HEADER })
        }
    }

    async fn take_back(&self, headers: &HeaderMap, body: &[u8]) -> Result<(), Refused> {
        self.admitted(Channel::Email, headers, body)?;
        let not_ours = Refused { status: StatusCode::UNPROCESSABLE_ENTITY, reason: "mail_not_understood", field: "" };
        match bounce::read(&String::from_utf8_lossy(body)).ok_or(not_ours)? {
            Returned::OptOut { key } => {
                self.known(Channel::Email, &key, None).await?;
                let opt_out = Command::OptOut(OptOut { channel: Some(Channel::Email) });
                self.submit(&key.tenant, key.customer_id, opt_out).await
            }
            Returned::Status { key, receipt: Some(status) } => {
                self.note_receipt(Channel::Email, Receipt { key, contact_id: None, status, at: self.clock.now() }).await
            }
            Returned::Status { receipt: None, .. } => Ok(()),
        }
    }

    async fn note(&self, channel: &str, headers: &HeaderMap, body: &[u8]) -> Result<(), Refused> {
        let channel = Channel::named(channel).ok_or(Refused::not_found("unknown_channel"))?;
        self.admitted(channel, headers, body)?;
        let posted: Posted = serde_json::from_slice(body).map_err(|_| Refused::malformed("", "body_malformed"))?;
        if posted.status == OPTED_OUT {
            let (tenant, customer_id) = payer(&posted)?;
            return self.submit(&tenant, customer_id, Command::OptOut(OptOut { channel: Some(channel) })).await;
        }
        self.note_receipt(channel, understood(&posted, self.clock.now())?).await
    }

    async fn note_receipt(&self, channel: Channel, receipt: Receipt) -> Result<(), Refused> {
        self.known(channel, &receipt.key, receipt.contact_id.as_ref()).await?;
        let AttemptKey { tenant, customer_id, attempt_id } = receipt.key;
        self.submit(&tenant, customer_id, Command::NoteReceipt(NoteReceipt { attempt_id, status: receipt.status, at: receipt.at })).await
    }

    async fn submit(&self, tenant: &TenantId, customer_id: CustomerId, command: Command) -> Result<(), Refused> {
        let stream = aggregate::stream(tenant.as_str(), customer_id.as_str());
        let meta = aggregate::meta(tenant.as_str(), customer_id.as_str());
        match self.writer.submit(Submission::new(stream, meta, Addressed::new(customer_id, command))).await {
            Ok(_) => Ok(()),
            Err(WriteError::Rejected(rejection)) if rejection.kind() == Kind::NotFound => Err(Refused::not_found(rejection.slug())),
            Err(error) => {
                tracing::warn!(slug = error.slug(), "a receipt could not be noted");
                Err(Refused { status: StatusCode::SERVICE_UNAVAILABLE, reason: "unavailable", field: "" })
            }
        }
    }

    /// The attempt is there, is of that channel, and of that contact where one is named: who may speak for one channel
    /// says nothing about another.
    async fn known(&self, channel: Channel, key: &AttemptKey, contact_id: Option<&ContactId>) -> Result<(), Refused> {
        let stream = aggregate::stream(key.tenant.as_str(), key.customer_id.as_str());
        let (book, _) = self.writer.state(&stream).await.map_err(|error| {
            tracing::warn!(%error, "a receipt's contacts cannot be read");
            Refused { status: StatusCode::SERVICE_UNAVAILABLE, reason: "unavailable", field: "" }
        })?;
        let contacts = book.contacts.contacts.iter().filter(|(id, _)| contact_id.is_none_or(|named| named == *id));
        let mut attempts = contacts.flat_map(|(_, contact)| attempts(contact));
        let found = attempts.any(|attempt| attempt.attempt_id == key.attempt_id && attempt.channel == channel);
        if found { Ok(()) } else { Err(Refused::not_found("attempt_unknown")) }
    }
}

fn understood(posted: &Posted, now: DateTime<Utc>) -> Result<Receipt, Refused> {
    let statuses = [ReceiptStatus::Delivered, ReceiptStatus::Read, ReceiptStatus::Failed];
    let status = statuses.into_iter().find(|status| status.slug() == posted.status);
    let contact_id = match posted.contact_id.as_str() {
        "" => None,
        text => Some(ContactId::new(text).map_err(|_| Refused::malformed("contact_id", "id_malformed"))?),
    };
    Ok(Receipt {
        key: key(posted)?,
        contact_id,
        status: status.ok_or(Refused::malformed("status", "unknown_status"))?,
        at: at(posted.at.as_deref(), now)?,
    })
}

/// Who said no: named, or by the key of a message.
fn payer(posted: &Posted) -> Result<(TenantId, CustomerId), Refused> {
    if !posted.attempt_id.is_empty() {
        return key(posted).map(|key| (key.tenant, key.customer_id));
    }
    let malformed = |field| Refused::malformed(field, "id_malformed");
    let tenant = TenantId::new(&posted.tenant).map_err(|_| malformed("tenant"))?;
    Ok((tenant, CustomerId::new(&posted.customer_id).map_err(|_| malformed("customer_id"))?))
}

fn key(posted: &Posted) -> Result<AttemptKey, Refused> {
    let malformed = |field| Refused::malformed(field, "id_malformed");
    if let Ok(key) = posted.attempt_id.parse::<AttemptKey>() {
        let fits = |named: &str, own: &str| named.is_empty() || named == own;
        let same = fits(&posted.tenant, key.tenant.as_str()) && fits(&posted.customer_id, key.customer_id.as_str());
        return if same { Ok(key) } else { Err(malformed("attempt_id")) };
    }
    Ok(AttemptKey {
        tenant: TenantId::new(&posted.tenant).map_err(|_| malformed("tenant"))?,
        customer_id: CustomerId::new(&posted.customer_id).map_err(|_| malformed("customer_id"))?,
        attempt_id: ChannelAttemptId::new(&posted.attempt_id).map_err(|_| malformed("attempt_id"))?,
    })
}

/// A provider's clock may run ahead; a receipt is never later than now.
fn at(text: Option<&str>, now: DateTime<Utc>) -> Result<DateTime<Utc>, Refused> {
    let Some(text) = text else { return Ok(now) };
    let at = DateTime::parse_from_rfc3339(text).map_err(|_| Refused::malformed("at", "instant_malformed"))?;
    Ok(at.with_timezone(&Utc).min(now))
}
