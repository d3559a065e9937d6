//! A bureau over HTTP that drops, delays and repeats.

use super::*;
use axum::{
    Router,
    body::{Body, Bytes},
    extract::{Query, State},
    http::{HeaderMap, Request as Post, StatusCode},
    response::{IntoResponse, Response},
    routing::post,
};
use host::signed::signature;
use std::collections::{BTreeMap, VecDeque};
use tower::ServiceExt;

const SECRET: &str = "a shared secret";

/// A provider in the hands of a test.
#[derive(Default)]
struct Bureau {
    /// Status of the next answers; 0 = takes the command and never answers, 507 = takes it and fails. Then 200.
    failures: VecDeque<u16>,
    calls: usize,
    /// Commands by idempotency key.
    taken: BTreeMap<String, serde_json::Value>,
}

type Shared = Arc<Mutex<Bureau>>;

async fn take(State(bureau): State<Shared>, headers: HeaderMap, body: Bytes) -> Response {
    let header = |name: &str| headers[name].to_str().unwrap().to_owned();
    assert!(signature::verify(SECRET.as_bytes(), &body, &header(signature::HEADER)), "signed over the raw body");
    let status = {
        let mut bureau = bureau.lock().unwrap();
        bureau.calls += 1;
        let status = bureau.failures.pop_front().unwrap_or(200);
        if [0, 200, 507].contains(&status) {
            bureau.taken.insert(header("idempotency-key"), serde_json::from_slice(&body).unwrap());
        }
        status
    };
    match status {
        0 => std::future::pending().await,
        200 => "{\"status\":\"accepted\",\"reference\":\"B-1\"}".into_response(),
        other => StatusCode::from_u16(other).unwrap().into_response(),
    }
}

async fn ask(State(bureau): State<Shared>, Query(query): Query<BTreeMap<String, String>>) -> Response {
    let found = bureau.lock().unwrap().taken.contains_key(&query["key"]);
    if found { "{\"status\":\"accepted\"}".into_response() } else { StatusCode::NOT_FOUND.into_response() }
}

async fn bureau(failures: &[u16]) -> (Shared, Providers) {
    let bureau = Arc::new(Mutex::new(Bureau { failures: failures.iter().copied().collect(), ..Bureau::default() }));
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/entries", listener.local_addr().unwrap());
    let router = Router::new().route("/entries", post(take).get(ask)).with_state(Arc::clone(&bureau));
    tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
    let section = ProviderConfig {
        provider: ProviderKind::Http,
        status_url: url.clone(),
        url,
        secret: SECRET.into(),
        timeout_seconds: 1,
        ..Default::default()
    };
    (bureau, Providers::open(&ProvidersConfig { bureau: section, ..Default::default() }).unwrap())
}

async fn call_back(clerk: &Clerk, kind: &str, body: &str, secret: &str) -> (u16, String) {
    let request = Post::post(format!("/callbacks/{kind}"))
        .header(signature::HEADER, signature::sign(secret.as_bytes(), body.as_bytes()))
        .body(Body::from(body.to_owned()))
        .unwrap();
    let answer = crate::listings::callback::router(clerk.clone()).oneshot(request).await.unwrap();
    let status = answer.status().as_u16();
    let body = axum::body::to_bytes(answer.into_body(), 10_000).await.unwrap();
    let reason = serde_json::from_slice::<serde_json::Value>(&body).unwrap_or_default()["reason"].as_str().unwrap_or_default().to_owned();
    (status, reason)
}

fn says(status: &str) -> String {
    format!("{{\"key\":\"{KEY}\",\"status\":\"{status}\"}}")
}

#[tokio::test]
async fn a_provider_that_fails_after_it_took_a_command_has_it_once() {
    let (bureau, providers) = bureau(&[503, 507]).await;
    let (world, clerk) = world(providers).await;
    work(&world, &clerk).await;
    assert_eq!(phase(&world).await, "taken");
    let bureau = bureau.lock().unwrap();
    let keys: Vec<&String> = bureau.taken.keys().collect();
    assert_eq!((bureau.calls, keys), (3, vec![&format!("{KEY}~include")]));
    assert_eq!(bureau.taken[&format!("{KEY}~include")]["debtor"]["name"], "Ana Fictícia");
}

#[tokio::test]
async fn an_answer_that_never_comes_is_asked_for_and_nothing_is_sent_again() {
    let (bureau, providers) = bureau(&[0, 0, 0, 0]).await;
    let (mut world, clerk) = world(providers).await;
    work(&world, &clerk).await;
    assert_eq!((phase(&world).await.as_str(), bureau.lock().unwrap().calls), ("sent", 4), "four tries under one key");
    work(&world, &clerk).await;
    world.live(brasilia("2026-11-27", 21), sent).await;
    work(&world, &clerk).await;
    let (calls, taken) = {
        let bureau = bureau.lock().unwrap();
        (bureau.calls, bureau.taken.len())
    };
    assert_eq!((phase(&world).await.as_str(), calls, taken, world.events("ListingSent").await), ("taken", 4, 1, 1));
    world.check().await;
}

#[tokio::test]
async fn a_provider_that_takes_nothing_is_left_alone_and_tried_later() {
    let (bureau, providers) = bureau(&[429, 429, 429, 429]).await;
    let (mut world, clerk) = world(providers).await;
    work(&world, &clerk).await;
    assert_eq!((phase(&world).await.as_str(), bureau.lock().unwrap().calls), ("requested", 4));
    world.live(brasilia("2026-11-27", 21), sent).await;
    work(&world, &clerk).await;
    assert_eq!((phase(&world).await.as_str(), bureau.lock().unwrap().taken.len()), ("taken", 1));
    world.check().await;
}

#[tokio::test]
async fn words_come_in_any_order_and_repeatedly_and_only_signed_ones_count() {
    let (_, providers) = bureau(&[]).await;
    let (world, clerk) = world(providers).await;
    work(&world, &clerk).await;
    let unknown = says("listed").replace("I1", "I9");
    for (kind, body, secret, expected) in [
        ("bureau", says("listed"), "another", (401, "signature_wrong")),
        ("fax", says("listed"), SECRET, (404, "unknown_kind")),
        ("protest", says("listed"), SECRET, (404, "provider_without_callbacks")),
        ("bureau", unknown, SECRET, (404, "entry_unknown")),
        ("bureau", says("lost"), SECRET, (400, "unknown_status")),
        ("bureau", "x".into(), SECRET, (400, "body_malformed")),
        ("bureau", says("listed").replace('~', "-"), SECRET, (400, "key_malformed")),
    ] {
        assert_eq!(call_back(&clerk, kind, &body, secret).await, (expected.0, expected.1.to_owned()), "{kind} {body}");
    }
    world.paid("C1", "I1", 0).await;
    work(&world, &clerk).await;
    assert_eq!(phase(&world).await, "removal_sent");
    // The removal is confirmed before the listing is.
    for status in ["removed", "listed", "accepted", "removed", "removal_accepted"] {
        assert_eq!(call_back(&clerk, "bureau", &says(status), SECRET).await.0, 204);
    }
    work(&world, &clerk).await;
    assert_eq!(phase(&world).await, "removed");
    assert!(tasks(&world).await.contains(&"remove_bureau_listing done provider".to_owned()), "{:?}", tasks(&world).await);
    world.check().await;
}
