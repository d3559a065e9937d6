//! A provider that takes signed HTTP posts and treats a repeated `Idempotency-Key` as one message.

use super::{
    Answer, AttemptKey, ChannelConfig, ConfigFault, Known, Outgoing, signature,
    smtp::{is_this_machine, timeout},
};
use crate::template::Figure;
use backon::{ExponentialBuilder, Retryable};
use base64::{Engine, engine::general_purpose::STANDARD};
use kernel::{personal::Personal, text};
use notice::ReceiptStatus;
use reqwest::{Client, Response, StatusCode, Url, redirect};
use serde_json::json;
use std::{
    sync::atomic::{AtomicBool, Ordering},
    time::Duration,
};

/// Calls with one key, the first included.
const TRIES: usize = 4;
/// Longest answer that is read for the provider's id, in bytes.
const MAX_ANSWER_BYTES: usize = 64 * 1024;
const MAX_PROVIDER_ID_CHARS: usize = 200;

/// The way out.
pub(super) struct Webhook {
    client: Client,
    url: Url,
    status_url: Option<Url>,
    secret: Personal,
}

/// How a call ended.
enum Call {
    Taken(Option<String>),
    Refused(StatusCode),
}

/// Why a call is made again.
struct Again(String);

impl Webhook {
    /// Errors: no URL, personal data in the clear to another machine, no secret, a timeout out of range.
    pub fn open(config: &ChannelConfig) -> Result<Self, ConfigFault> {
        let url = private_url("url", &config.url)?;
        let status_url = if config.status_url.is_empty() { None } else { Some(private_url("status_url", &config.status_url)?) };
        if config.secret.is_empty() {
            return Err(ConfigFault::new("secret", "is empty: posts are signed"));
        }
        // Another part of the process may have chosen the provider before; any is good.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let client = Client::builder().timeout(timeout(config)?).redirect(redirect::Policy::none()).build();
        let client = client.map_err(|error| ConfigFault::new("url", format!("no HTTP client: {error}")))?;
        Ok(Self { client, url, status_url, secret: Personal::new(&config.secret) })
    }

    /// `GET <status_url>?key=<idempotency key>`, signed over the key. 404 = it never had the message; else JSON with `status` (`accepted`,
    /// `delivered`, `read` or `failed`) and its own id as `id`.
    pub async fn ask(&self, key: &AttemptKey) -> Known {
        let Some(url) = &self.status_url else { return Known::Unclear };
        let key_text = key.to_string();
        let mut url = url.clone();
        url.query_pairs_mut().append_pair("key", &key_text);
        let signature = signature::sign(self.secret.reveal().as_bytes(), key_text.as_bytes());
        match self.client.get(url).header(signature::HEADER, signature).send().await {
            Ok(response) if response.status() == StatusCode::NOT_FOUND => Known::NotTaken,
            Ok(response) if response.status().is_success() => told(&json_of(response).await.unwrap_or_default(), key),
            Ok(_) | Err(_) => Known::Unclear,
        }
    }

    pub async fn send(&self, message: &Outgoing) -> Answer {
        let body = body(message);
        let signature = signature::sign(self.secret.reveal().as_bytes(), body.as_bytes());
        let key = message.key.to_string();
        let reached = AtomicBool::new(false);
        let call = || self.call(&key, &signature, body.clone(), &reached);
        let waits = ExponentialBuilder::default().with_min_delay(Duration::from_millis(200)).with_max_times(TRIES - 1).with_jitter();
        match call.retry(waits).await {
            Ok(Call::Taken(provider_id)) => Answer::Accepted { provider_id: provider_id.unwrap_or_else(|| message.key.digest()) },
            Ok(Call::Refused(status)) => Answer::refused(format!("http_{}", status.as_u16())),
            Err(Again(reason)) if reached.load(Ordering::Relaxed) => Answer::unknown(reason),
            Err(Again(reason)) => Answer::not_now(reason),
        }
    }

    /// One call. `reached` is set as soon as the other side may have taken the message.
    async fn call(&self, key: &str, signature: &str, body: String, reached: &AtomicBool) -> Result<Call, Again> {
        let request = self
            .client
            .post(self.url.clone())
            .header("content-type", "application/json")
            .header("idempotency-key", key)
            .header(signature::HEADER, signature)
            .body(body);
        let response = request.send().await.map_err(|error| {
            if !error.is_connect() {
                reached.store(true, Ordering::Relaxed);
            }
            Again(if error.is_timeout() { "http_timeout" } else { "http_unreachable" }.to_owned())
        })?;
        let status = response.status();
        if status.is_success() {
            return Ok(Call::Taken(provider_id(response).await));
        }
        if status == StatusCode::TOO_MANY_REQUESTS {
            return Err(Again("http_429".to_owned()));
        }
        if status.is_server_error() || status == StatusCode::REQUEST_TIMEOUT {
            reached.store(true, Ordering::Relaxed);
            return Err(Again(format!("http_{}", status.as_u16())));
        }
        Ok(Call::Refused(status))
    }
}

fn body(message: &Outgoing) -> String {
    let figure =
        |figure: &Figure| json!({ "content_id": figure.content_id, "png_base64": STANDARD.encode(figure.png().unwrap_or_default()) });
    let figures: Vec<serde_json::Value> = message.body.figures.iter().map(figure).collect();
    json!({
        "key": message.key.to_string(),
        "tenant": message.key.tenant.as_str(),
        "customer_id": message.key.customer_id.as_str(),
        "contact_id": message.contact_id.as_str(),
        "attempt_id": message.key.attempt_id.as_str(),
        "channel": message.channel.slug(),
        "to": message.to.reveal(),
        "name": message.name.reveal(),
        "language": message.language.tag(),
        "template": message.template,
        "parameters": message.body.parameters,
        "subject": message.body.subject,
        "text": message.body.text,
        "html": message.body.html,
        "figures": figures,
        "at": message.at.to_rfc3339(),
    })
    .to_string()
}

/// A URL that personal data may travel to.
fn private_url(key: &str, text: &str) -> Result<Url, ConfigFault> {
    let url: Url = text.parse().map_err(|_| ConfigFault::new(key, "is no URL"))?;
    let host = url.host_str().unwrap_or_default();
    if url.scheme() != "https" && !(url.scheme() == "http" && is_this_machine(host)) {
        return Err(ConfigFault::new(key, "should be https (http only to the same machine)"));
    }
    Ok(url)
}

/// What a provider says of a message.
fn told(answer: &serde_json::Value, key: &AttemptKey) -> Known {
    let status = answer.get("status").and_then(|status| status.as_str()).unwrap_or_default();
    let receipt = ReceiptStatus::named(status);
    if receipt.is_none() && status != "accepted" {
        return Known::Unclear;
    }
    Known::Taken { provider_id: named_id(answer).unwrap_or_else(|| key.digest()), receipt }
}

/// The provider's id: `id`, `provider_id` or `message_id` of a JSON answer, where there is one that can be kept.
async fn provider_id(response: Response) -> Option<String> {
    named_id(&json_of(response).await?)
}

async fn json_of(mut response: Response) -> Option<serde_json::Value> {
    let mut bytes = Vec::new();
    while let Ok(Some(chunk)) = response.chunk().await {
        bytes.extend_from_slice(&chunk);
        if bytes.len() > MAX_ANSWER_BYTES {
            return None;
        }
    }
    serde_json::from_slice(&bytes).ok()
}

fn named_id(answer: &serde_json::Value) -> Option<String> {
    let named = ["id", "provider_id", "message_id"].into_iter().find_map(|name| answer.get(name)?.as_str());
    text::bounded(named?, MAX_PROVIDER_ID_CHARS).ok()
}
