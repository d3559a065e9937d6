//! A provider of our own that fails as a test tells it to, and what the adapter makes of that.

use crate::channel::{creditor, message};
use axum::{
    Router,
    body::Bytes,
    extract::{Query, State},
    http::{HeaderMap, StatusCode},
    response::{IntoResponse, Response},
    routing::{get, post},
};
use host::signed::signature;
use notice::Channel;
use notification::channel::{Answer, ChannelConfig, Channels, ChannelsConfig, Kind};
use std::{
    collections::{BTreeMap, VecDeque},
    sync::{Arc, Mutex},
};
use tokio::net::TcpListener;

pub const SECRET: &str = "a shared secret";

/// A provider in the hands of a test.
#[derive(Default)]
pub struct Provider {
    /// Status of the next answers; 0 = takes the message and never answers, 507 = takes it and fails. Then 200.
    pub failures: VecDeque<u16>,
    pub calls: usize,
    /// Messages by idempotency key.
    pub taken: BTreeMap<String, serde_json::Value>,
    /// What it says of a message that it has, when it is asked; 500 where that is empty.
    pub status: &'static str,
    pub asked: usize,
    answer: &'static str,
}

pub type Shared = Arc<Mutex<Provider>>;

async fn take(State(provider): State<Shared>, headers: HeaderMap, body: Bytes) -> Response {
    let header = |name: &str| headers.get(name).map(|value| value.to_str().unwrap().to_owned()).unwrap_or_default();
    assert!(signature::verify(SECRET.as_bytes(), &body, &header("x-regua-signature-256")), "signed over the raw body");
    let status = {
        let mut provider = provider.lock().unwrap();
        provider.calls += 1;
        let status = provider.failures.pop_front().unwrap_or(200);
        if matches!(status, 0 | 200 | 202 | 507) {
            provider.taken.insert(header("idempotency-key"), serde_json::from_slice(&body).unwrap());
        }
        status
    };
    if status == 0 {
        return std::future::pending().await;
    }
    (StatusCode::from_u16(status).unwrap(), provider.lock().unwrap().answer).into_response()
}

async fn ask(State(provider): State<Shared>, headers: HeaderMap, Query(query): Query<BTreeMap<String, String>>) -> Response {
    let signature = headers.get("x-regua-signature-256").map(|value| value.to_str().unwrap()).unwrap_or_default();
    assert!(signature::verify(SECRET.as_bytes(), query["key"].as_bytes(), signature), "signed over the key");
    let mut provider = provider.lock().unwrap();
    provider.asked += 1;
    match (provider.status, provider.taken.contains_key(&query["key"])) {
        ("", _) => StatusCode::INTERNAL_SERVER_ERROR.into_response(),
        (_, false) => StatusCode::NOT_FOUND.into_response(),
        (status, true) => axum::Json(serde_json::json!({ "status": status, "id": "p-1" })).into_response(),
    }
}

async fn serve(failures: &[u16], answer: &'static str) -> (Channels, Shared) {
    let (config, provider) = provider(failures, answer).await;
    (Channels::open(&ChannelsConfig::all(config), &creditor()).unwrap(), provider)
}

/// Starts a provider; what a channel must be told to use it.
pub async fn provider(failures: &[u16], answer: &'static str) -> (ChannelConfig, Shared) {
    let provider = Shared::default();
    provider.lock().unwrap().failures = failures.iter().copied().collect();
    provider.lock().unwrap().answer = answer;
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let router = Router::new().route("/messages", post(take)).route("/status", get(ask)).with_state(Arc::clone(&provider));
    tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
    (to_port(port), provider)
}

fn to_port(port: u16) -> ChannelConfig {
    ChannelConfig {
        kind: Kind::Webhook,
        url: format!("http://127.0.0.1:{port}/messages"),
        status_url: format!("http://127.0.0.1:{port}/status"),
        secret: SECRET.into(),
        timeout_seconds: 2,
        ..ChannelConfig::default()
    }
}

#[tokio::test]
async fn a_provider_gets_what_it_needs_to_send_and_to_report() {
    let (channels, provider) = serve(&[], r#"{"id": "wamid.1"}"#).await;
    let sent = message(Channel::Whatsapp, "a.0.0");
    assert_eq!(channels.send(&sent).await, Answer::Accepted { provider_id: "wamid.1".into() });
    let provider = provider.lock().unwrap();
    let taken = &provider.taken["acme~c/1~a.0.0"];
    for (field, expected) in [
        ("tenant", "acme"),
        ("customer_id", "c/1"),
        ("contact_id", "2026-11-23.BRL.all"),
        ("attempt_id", "a.0.0"),
        ("key", "acme~c/1~a.0.0"),
        ("channel", "whatsapp"),
        ("to", "+5511999990000"),
        ("language", "pt-BR"),
        ("template", "vencida"),
        ("text", &sent.body.text),
        ("at", "2026-11-23T12:00:00+00:00"),
    ] {
        assert_eq!(taken[field], expected, "{field}");
    }
    assert_eq!(taken["parameters"][0], "Ana");
}

#[tokio::test]
async fn what_the_provider_answers_decides() {
    let accepted = |provider_id: &str| Answer::Accepted { provider_id: provider_id.into() };
    let digest = message(Channel::Sms, "a.0.0").key.digest();
    let cases: [(&str, &[u16], &'static str, Answer, usize); 9] = [
        ("an answer without id", &[], "", accepted(&digest), 1),
        ("an answer with an id that cannot be kept", &[], r#"{"id": "a\nb"}"#, accepted(&digest), 1),
        ("taken for later", &[202], r#"{"provider_id": "p"}"#, accepted("p"), 1),
        ("ill for a moment", &[503, 500], r#"{"message_id": "m"}"#, accepted("m"), 3),
        ("takes it, and the answer is lost", &[0], r#"{"id": "i"}"#, accepted("i"), 2),
        ("refuses", &[422], "", Answer::Refused { reason: "http_422".into() }, 1),
        ("sends elsewhere", &[302], "", Answer::Refused { reason: "http_302".into() }, 1),
        ("ill for long", &[503; 9], "", Answer::Unknown { reason: "http_503".into() }, 4),
        ("has too much to do", &[429; 9], "", Answer::NotNow { reason: "http_429".into() }, 4),
    ];
    for (what, failures, answer, expected, calls) in cases {
        let (channels, provider) = serve(failures, answer).await;
        assert_eq!(channels.send(&message(Channel::Sms, "a.0.0")).await, expected, "{what}");
        let provider = provider.lock().unwrap();
        assert_eq!(provider.calls, calls, "{what}");
        assert!(provider.taken.len() <= 1, "{what}: one key, one message");
    }
}

#[tokio::test]
async fn a_provider_that_is_not_there_took_nothing() {
    let free = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap().port();
    let channels = Channels::open(&ChannelsConfig::all(to_port(free)), &creditor()).unwrap();
    assert_eq!(channels.send(&message(Channel::Sms, "a.0.0")).await, Answer::NotNow { reason: "http_unreachable".into() });
}
