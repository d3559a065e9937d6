//! A provider that takes signed HTTP posts and treats a repeated `Idempotency-Key` as one message.

use super::{Answer, AttemptKey, ChannelConfig, ConfigFault, Known, Outgoing};
use crate::template::Figure;
use base64::{Engine, engine::general_purpose::STANDARD};
use host::signed::{Posted, Poster, Provider, Told};
use kernel::text;
use notice::ReceiptStatus;
use serde_json::json;

const MAX_PROVIDER_ID_CHARS: usize = 200;

/// The way out.
pub(super) struct Webhook(Poster);

impl Webhook {
    /// Errors: no URL, personal data in the clear to another machine, no secret, a timeout out of range.
    pub fn open(config: &ChannelConfig) -> Result<Self, ConfigFault> {
        let ChannelConfig { url, status_url, secret, timeout_seconds, .. } = config;
        let provider = Provider { url, status_url, secret, timeout_seconds: *timeout_seconds };
        Poster::open(provider).map(Self).map_err(|fault| ConfigFault::new(fault.key, fault.message))
    }

    /// `GET <status_url>?key=<idempotency key>`, signed over the key. 404 = it never had the message; else JSON with `status` (`accepted`,
    /// `delivered`, `read` or `failed`) and its own id as `id`.
    pub async fn ask(&self, key: &AttemptKey) -> Known {
        match self.0.ask(&key.to_string()).await {
            Told::NotTaken => Known::NotTaken,
            Told::Taken(answer) => told(&answer, key),
            Told::Unclear => Known::Unclear,
        }
    }

    pub async fn send(&self, message: &Outgoing) -> Answer {
        match self.0.post(&message.key.to_string(), &body(message)).await {
            Posted::Taken(answer) => {
                let named = answer.as_ref().and_then(named_id);
                Answer::Accepted { provider_id: named.unwrap_or_else(|| message.key.digest()) }
            }
            Posted::Refused(status) => Answer::refused(format!("http_{status}")),
            Posted::Unknown(reason) => Answer::unknown(reason),
            Posted::NotNow(reason) => Answer::not_now(reason),
        }
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
fn named_id(answer: &serde_json::Value) -> Option<String> {
    let named = ["id", "provider_id", "message_id"].into_iter().find_map(|name| answer.get(name)?.as_str());
    text::bounded(named?, MAX_PROVIDER_ID_CHARS).ok()
}
