//! Signed bodies: `sha256=` and the hexadecimal HMAC-SHA256 of the raw bytes, as other providers' webhooks do it.

use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;
use subtle::ConstantTimeEq;

/// The header that carries a signature.
pub const HEADER: &str = "x-regua-signature-256";
const SCHEME: &str = "sha256=";

/// The value of the header for a body. The bytes are signed as they travel; nothing is written anew before.
pub fn sign(secret: &[u8], body: &[u8]) -> String {
    format!("{SCHEME}{}", hex::encode(code(secret, body)))
}

/// Whether a header's value is the signature of a body. The time it takes tells nothing about the secret.
pub fn verify(secret: &[u8], body: &[u8], value: &str) -> bool {
    let given = value.strip_prefix(SCHEME).and_then(|code| hex::decode(code).ok()).unwrap_or_default();
    bool::from(given.ct_eq(&code(secret, body)))
}

fn code(secret: &[u8], body: &[u8]) -> Vec<u8> {
    let mut mac = Hmac::<Sha256>::new_from_slice(secret).expect("HMAC takes keys of any length");
    mac.update(body);
    mac.finalize().into_bytes().to_vec()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn signatures_equal_those_that_others_printed() {
        let vectors = include_str!("../../../../vectors/webhook_signatures.csv");
        let mut reader = csv::ReaderBuilder::new().comment(Some(b'#')).from_reader(vectors.as_bytes());
        let mut checked = 0;
        for row in reader.records().map(Result::unwrap).filter(|row| &row[0] == "meta_sha256") {
            let key = row[1].strip_prefix("hex:").map_or_else(|| row[1].as_bytes().to_vec(), |text| hex::decode(text).unwrap());
            let message = row[2].as_bytes();
            assert_eq!(sign(&key, message), &row[3]);
            assert!(verify(&key, message, &row[3]) && !verify(b"other", message, &row[3]));
            checked += 1;
        }
        assert!(checked >= 3);
    }

    #[test]
    fn a_signature_of_another_form_is_no_signature() {
        let good = sign(b"secret", b"body");
        for bad in
            ["", "sha256=", "sha1=00", "sha256=zz", &good[..good.len() - 2], good.trim_start_matches("sha256="), &format!("{good}00")]
        {
            assert!(!verify(b"secret", b"body", bad), "{bad}");
        }
    }
}
