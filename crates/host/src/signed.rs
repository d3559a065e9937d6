//! Signed HTTP to a provider that treats a repeated `Idempotency-Key` as one message, and its word on one whose outcome is unknown.
//!
//! Bodies are signed as they travel (see [`signature`]); the provider signs what it posts back in the same way.

pub mod signature;

use backon::{ExponentialBuilder, Retryable};
use reqwest::{Client, Response, StatusCode, Url, redirect};
use std::{
    fmt,
    net::IpAddr,
    sync::atomic::{AtomicBool, Ordering},
    time::Duration,
};

/// Calls with one key, the first included.
const TRIES: usize = 4;
/// Longest answer that is read, in bytes.
const MAX_ANSWER_BYTES: usize = 64 * 1024;
/// Seconds after which the other side is given up.
const TIMEOUT_SECONDS: std::ops::RangeInclusive<u64> = 1..=120;

/// Where a provider is and how it is spoken to.
#[derive(Clone, Copy)]
pub struct Provider<'a> {
    /// Where messages are posted: https, or http to the same machine.
    pub url: &'a str,
    /// Where it is asked for a message; empty = it cannot be asked.
    pub status_url: &'a str,
    /// Signs what is posted. Never empty.
    pub secret: &'a str,
    /// 1 to 120.
    pub timeout_seconds: u64,
}

/// A key of [`Provider`] that cannot be used as it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProviderFault {
    /// Its name.
    pub key: &'static str,
    /// For a person.
    pub message: String,
}

/// The way to a provider.
pub struct Poster {
    client: Client,
    url: Url,
    status_url: Option<Url>,
    secret: String,
}

/// How posting a message ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Posted {
    /// The provider has it; its answer, where that is JSON.
    Taken(Option<serde_json::Value>),
    /// It will not have it: the status of its answer.
    Refused(u16),
    /// It may have it: a slug that says why nobody knows.
    Unknown(String),
    /// It certainly has not: a slug that says why.
    NotNow(String),
}

/// What a provider says of a message when it is asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Told {
    /// It never had it.
    NotTaken,
    /// It has: its answer; `Null` where that is no JSON.
    Taken(serde_json::Value),
    /// It cannot be asked, or does not say.
    Unclear,
}

/// How a call ended.
enum Call {
    Taken(Option<serde_json::Value>),
    Refused(StatusCode),
}

/// Why a call is made again.
struct Again(String);

impl Poster {
    /// # Errors
    /// No URL, data in the clear to another machine, no secret, a timeout out of range.
    pub fn open(provider: Provider<'_>) -> Result<Self, ProviderFault> {
        let url = private_url("url", provider.url)?;
        let status_url = if provider.status_url.is_empty() { None } else { Some(private_url("status_url", provider.status_url)?) };
        if provider.secret.is_empty() {
            return Err(ProviderFault { key: "secret", message: "is empty: posts are signed".to_owned() });
        }
        // Another part of the process may have chosen the provider before; any is good.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let client = Client::builder().timeout(timeout(provider.timeout_seconds)?).redirect(redirect::Policy::none()).build();
        let client = client.map_err(|error| ProviderFault { key: "url", message: format!("no HTTP client: {error}") })?;
        Ok(Self { client, url, status_url, secret: provider.secret.to_owned() })
    }

    /// `GET <status_url>?key=<idempotency key>`, signed over the key. 404 = it never had the message; else JSON of its own.
    pub async fn ask(&self, key: &str) -> Told {
        let Some(url) = &self.status_url else { return Told::Unclear };
        let mut url = url.clone();
        url.query_pairs_mut().append_pair("key", key);
        let signature = signature::sign(self.secret.as_bytes(), key.as_bytes());
        match self.client.get(url).header(signature::HEADER, signature).send().await {
            Ok(response) if response.status() == StatusCode::NOT_FOUND => Told::NotTaken,
            Ok(response) if response.status().is_success() => Told::Taken(json_of(response).await.unwrap_or_default()),
            Ok(_) | Err(_) => Told::Unclear,
        }
    }

    /// Posts a body, again with growing pauses and under the same key where the provider may not have it.
    pub async fn post(&self, key: &str, body: &str) -> Posted {
        let signature = signature::sign(self.secret.as_bytes(), body.as_bytes());
        let reached = AtomicBool::new(false);
        let call = || self.call(key, &signature, body.to_owned(), &reached);
        let waits = ExponentialBuilder::default().with_min_delay(Duration::from_millis(200)).with_max_times(TRIES - 1).with_jitter();
        match call.retry(waits).await {
            Ok(Call::Taken(answer)) => Posted::Taken(answer),
            Ok(Call::Refused(status)) => Posted::Refused(status.as_u16()),
            Err(Again(reason)) if reached.load(Ordering::Relaxed) => Posted::Unknown(reason),
            Err(Again(reason)) => Posted::NotNow(reason),
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
            return Ok(Call::Taken(json_of(response).await));
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

/// Secrets stay out of logs.
impl fmt::Debug for Poster {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Poster").field("url", &self.url.as_str()).finish_non_exhaustive()
    }
}

/// Whether a host is this very machine: what goes there passes nobody.
pub fn is_this_machine(host: &str) -> bool {
    let address = host.trim_start_matches('[').trim_end_matches(']').parse::<IpAddr>();
    host == "localhost" || address.is_ok_and(|address| address.is_loopback())
}

/// How long the other side is waited for. Errors: out of range.
pub fn timeout(seconds: u64) -> Result<Duration, ProviderFault> {
    if TIMEOUT_SECONDS.contains(&seconds) {
        Ok(Duration::from_secs(seconds))
    } else {
        Err(ProviderFault { key: "timeout_seconds", message: "should be 1 to 120".to_owned() })
    }
}

/// A URL that personal data may travel to.
fn private_url(key: &'static str, text: &str) -> Result<Url, ProviderFault> {
    let url: Url = text.parse().map_err(|_| ProviderFault { key, message: "is no URL".to_owned() })?;
    let host = url.host_str().unwrap_or_default();
    if url.scheme() != "https" && !(url.scheme() == "http" && is_this_machine(host)) {
        return Err(ProviderFault { key, message: "should be https (http only to the same machine)".to_owned() });
    }
    Ok(url)
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
