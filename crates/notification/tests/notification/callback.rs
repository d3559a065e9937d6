//! Delivery receipts over HTTP: signed, in any order, repeatedly.

use crate::{
    house::{House, item},
    webhook::{self, SECRET},
};
use axum::{
    Router,
    body::Body,
    http::{Request, StatusCode},
};
use host::signed::signature;
use notification::{ChannelsConfig, callback};
use std::sync::Arc;
use tower::ServiceExt;

const KEY: &str = "acme~c1~2026-11-23.BRL.all.0.0";

/// A house that has sent one text message through a provider with callbacks; e-mails are only recorded.
async fn house() -> (House, Router) {
    let (config, _) = webhook::provider(&[], "").await;
    let house = House::open(&ChannelsConfig { sms: config.clone(), whatsapp: config, ..ChannelsConfig::recording() }).await;
    house.compose("c1", vec![item("i1", "sms > email")]).await;
    house.until("2026-11-23T12:00:00Z").await;
    let router = callback::router(house.writer.clone(), Arc::clone(&house.channels), house.clock.clone(), &house.metrics);
    (house, router)
}

async fn post(router: &Router, channel: &str, body: &str, signature: &str) -> (StatusCode, String) {
    let request = Request::post(format!("/callbacks/{channel}"))
        .header("X-Regua-Signature-256", signature)
        .header("content-type", "application/json")
        .body(Body::from(body.to_owned()))
        .unwrap();
    let response = router.clone().oneshot(request).await.unwrap();
    let status = response.status();
    let bytes = axum::body::to_bytes(response.into_body(), 10_000).await.unwrap();
    let told: serde_json::Value = serde_json::from_slice(&bytes).unwrap_or_default();
    (status, told["reason"].as_str().unwrap_or_default().to_owned())
}

/// An e-mail that came back from a mail server.
fn bounce(action: &str, key: &str) -> String {
    format!(
        "From: MAILER-DAEMON@mx.example\r\nContent-Type: multipart/report; report-type=delivery-status; boundary=AB\r\n\r\n\
         --AB\r\nContent-Type: message/delivery-status\r\n\r\nAction: {action}\r\nStatus: 5.1.1\r\n\r\n\
         --AB\r\nContent-Type: text/rfc822-headers\r\n\r\nX-Regua-Attempt: {key}\r\n\r\n--AB--\r\n"
    )
}

async fn signed(router: &Router, channel: &str, body: &str) -> (StatusCode, String) {
    post(router, channel, body, &signature::sign(SECRET.as_bytes(), body.as_bytes())).await
}

fn receipt(status: &str) -> String {
    format!(r#"{{"attempt_id": "{KEY}", "status": "{status}", "at": "2026-11-23T12:00:05Z", "more": [1]}}"#)
}

#[tokio::test(flavor = "multi_thread")]
async fn receipts_in_any_order_and_again_tell_the_heaviest_once() {
    let (house, router) = house().await;
    for status in ["read", "delivered", "read", "failed", "delivered"] {
        assert_eq!(signed(&router, "sms", &receipt(status)).await.0, StatusCode::NO_CONTENT, "{status}");
    }
    house.until("2026-11-24T12:00:00Z").await;
    assert_eq!(house.transcript("c1").await[5..], ["receipt sms read"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_failed_delivery_is_followed_by_the_next_channel() {
    let (house, router) = house().await;
    assert_eq!(signed(&router, "sms", &receipt("failed")).await.0, StatusCode::NO_CONTENT);
    house.until("2026-11-23T12:00:01Z").await;
    assert_eq!(
        house.transcript("c1").await[5..],
        ["receipt sms failed", "gated again", "started email", "accepted email", "receipt email delivered"]
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn ids_may_be_told_one_by_one() {
    let (house, router) = house().await;
    let body = r#"{"tenant": "acme", "customer_id": "c1", "contact_id": "2026-11-23.BRL.all",
        "attempt_id": "2026-11-23.BRL.all.0.0", "status": "delivered"}"#;
    assert_eq!(signed(&router, "sms", body).await.0, StatusCode::NO_CONTENT);
    assert_eq!(house.transcript("c1").await[5..], ["receipt sms delivered"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_not_signed_is_not_read() {
    let (house, router) = house().await;
    let good = receipt("read");
    let other = signature::sign(b"another secret", good.as_bytes());
    let of_another_body = signature::sign(SECRET.as_bytes(), receipt("failed").as_bytes());
    for signature in ["", "sha256=00", &other, &of_another_body] {
        assert_eq!(post(&router, "sms", &good, signature).await, (StatusCode::UNAUTHORIZED, "signature_wrong".into()), "{signature}");
        let answer = post(&router, "sms", "not json", signature).await;
        assert_eq!(answer.0, StatusCode::UNAUTHORIZED, "who is not known learns nothing");
    }
    assert_eq!(house.transcript("c1").await.len(), 5);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_receipt_that_cannot_be_noted_is_refused_with_its_reason() {
    let (house, router) = house().await;
    let with = |key: &str, status: &str, at: &str| format!(r#"{{"attempt_id": "{key}", "status": "{status}", "at": "{at}"}}"#);
    let now = "2026-11-23T12:00:00Z";
    let cases = [
        ("sms", "{".to_owned(), StatusCode::BAD_REQUEST, "body_malformed"),
        ("sms", "{\"attempt_id\": \"x\"}".to_owned(), StatusCode::BAD_REQUEST, "body_malformed"),
        ("sms", "{\"status\": \"read\"}".to_owned(), StatusCode::BAD_REQUEST, "id_malformed"),
        ("sms", "{\"status\": \"opted_out\", \"tenant\": \"acme\"}".to_owned(), StatusCode::BAD_REQUEST, "id_malformed"),
        ("email", "{\"status\": \"opted_out\"}".to_owned(), StatusCode::NOT_FOUND, "channel_without_callbacks"),
        ("sms", with(KEY, "sent", now), StatusCode::BAD_REQUEST, "unknown_status"),
        ("sms", with(KEY, "read", "yesterday"), StatusCode::BAD_REQUEST, "instant_malformed"),
        ("sms", with("no such key", "read", now), StatusCode::BAD_REQUEST, "id_malformed"),
        ("sms", with("acme~c1~2026-11-23.BRL.all.9.9", "read", now), StatusCode::NOT_FOUND, "attempt_unknown"),
        ("sms", with("acme~c9~2026-11-23.BRL.all.0.0", "read", now), StatusCode::NOT_FOUND, "attempt_unknown"),
        ("sms", with("other~c1~2026-11-23.BRL.all.0.0", "read", now), StatusCode::NOT_FOUND, "attempt_unknown"),
        // Another channel's provider cannot speak for this one.
        ("whatsapp", receipt("read"), StatusCode::NOT_FOUND, "attempt_unknown"),
        ("email", receipt("read"), StatusCode::NOT_FOUND, "channel_without_callbacks"),
        ("fax", receipt("read"), StatusCode::NOT_FOUND, "unknown_channel"),
    ];
    for (channel, body, status, reason) in cases {
        assert_eq!(signed(&router, channel, &body).await, (status, reason.to_owned()), "{channel} {body}");
    }
    let long = format!(r#"{{"attempt_id": "{}"}}"#, "x".repeat(100_000));
    assert_eq!(signed(&router, "sms", &long).await.0, StatusCode::PAYLOAD_TOO_LARGE);
    assert_eq!(house.transcript("c1").await.len(), 5);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_payers_no_is_told_by_the_provider_once_and_holds_for_its_channel() {
    let (house, router) = house().await;
    let named = r#"{"tenant": "acme", "customer_id": "c1", "status": "opted_out"}"#;
    for body in [named, named, &receipt("opted_out")] {
        assert_eq!(signed(&router, "sms", body).await.0, StatusCode::NO_CONTENT, "{body}");
    }
    assert_eq!(house.transcript("c1").await[5..], ["opted out sms"]);
    let of_nobody = post(&router, "sms", named, "").await;
    assert_eq!(of_nobody, (StatusCode::UNAUTHORIZED, "signature_wrong".into()), "nobody else can say it for the payer");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_mail_that_bounces_is_followed_by_the_next_channel_and_one_that_is_delayed_is_not() {
    let (config, _) = webhook::provider(&[], "").await;
    let house = House::open(&ChannelsConfig { email: config, ..ChannelsConfig::recording() }).await;
    house.compose("c1", vec![item("i1", "email > letter")]).await;
    house.until("2026-11-23T12:00:00Z").await;
    let router = callback::router(house.writer.clone(), Arc::clone(&house.channels), house.clock.clone(), &house.metrics);
    for (body, status, reason) in [
        (bounce("delayed", KEY), StatusCode::NO_CONTENT, ""),
        (bounce("failed", "acme~c9~2026-11-23.BRL.all.0.0"), StatusCode::NOT_FOUND, "attempt_unknown"),
        ("Subject: Re: Aviso\r\n\r\nobrigada".to_owned(), StatusCode::UNPROCESSABLE_ENTITY, "mail_not_understood"),
        (bounce("failed", KEY), StatusCode::NO_CONTENT, ""),
        (bounce("failed", KEY), StatusCode::NO_CONTENT, ""),
    ] {
        assert_eq!(signed(&router, "email/returned", &body).await, (status, reason.to_owned()), "{body}");
    }
    assert_eq!(post(&router, "email/returned", &bounce("failed", KEY), "").await.0, StatusCode::UNAUTHORIZED);
    house.until("2026-11-23T12:00:01Z").await;
    let transcript = house.transcript("c1").await;
    assert_eq!(transcript[5..], ["receipt email failed", "gated again", "started letter", "accepted letter", "receipt letter delivered"]);
    let unsubscribed = format!("From: ana@payer.example\r\nSubject: SAIR {KEY}\r\n\r\n");
    assert_eq!(signed(&router, "email/returned", &unsubscribed).await.0, StatusCode::NO_CONTENT);
    assert_eq!(house.transcript("c1").await.last().unwrap(), "opted out email");
}
