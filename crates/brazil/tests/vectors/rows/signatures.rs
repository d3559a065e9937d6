//! `webhook_signatures.csv`: what the services that sign their calls promise. The bytes are signed as they stand.

use super::row::{Checked, Row};
use base64::{Engine, engine::general_purpose::STANDARD};
use hmac::{Hmac, KeyInit, Mac};
use sha1::Sha1;
use sha2::Sha256;

pub fn check(row: &Row) -> Checked {
    let key = match row.text("key").strip_prefix("hex:") {
        Some(text) => hex::decode(text).map_err(|error| row.unchecked("key", error))?,
        None => row.text("key").as_bytes().to_vec(),
    };
    let message = row.text("message").as_bytes();
    let computed = match row.text("scheme") {
        "meta_sha256" => Hmac::<Sha256>::new_from_slice(&key).ok().map(|mac| format!("sha256={}", hex::encode(code(mac, message)))),
        "twilio_sha1" => Hmac::<Sha1>::new_from_slice(&key).ok().map(|mac| STANDARD.encode(code(mac, message))),
        _ => return Err(row.unchecked("scheme", "is a kind that is not known")),
    };
    let computed = computed.ok_or_else(|| row.unchecked("key", "is no key"))?;
    if row.text("check") == "ok" { row.is("expected", computed) } else { row.holds("check", row.text("expected") != computed, "ok") }
}

fn code(mut mac: impl Mac, message: &[u8]) -> Vec<u8> {
    mac.update(message);
    mac.finalize().into_bytes().to_vec()
}
