//! The key of a message: from it alone the payer's stream is found again.

use kernel::{ChannelAttemptId, CustomerId, TenantId};
use sha2::{Digest, Sha256};
use std::{fmt, str::FromStr};

/// No id has this character, so that a key is read back without doubt.
const SEPARATOR: char = '~';
/// Longest name of a file before its ending; file systems take 255 bytes.
const MAX_FILE_NAME: usize = 200;

/// The key of one try to reach one payer: tenant, payer and attempt, in one word. It is the provider's idempotency key.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct AttemptKey {
    /// Whose payer.
    pub tenant: TenantId,
    /// The payer.
    pub customer_id: CustomerId,
    /// The attempt, unique within the payer.
    pub attempt_id: ChannelAttemptId,
}

/// A text that is no key of ours.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("is no key of an attempt")]
pub struct KeyFault;

impl fmt::Display for AttemptKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{SEPARATOR}{}{SEPARATOR}{}", self.tenant, self.customer_id, self.attempt_id)
    }
}

impl FromStr for AttemptKey {
    type Err = KeyFault;

    fn from_str(text: &str) -> Result<Self, KeyFault> {
        let mut parts = text.split(SEPARATOR);
        let (Some(tenant), Some(customer_id), Some(attempt_id), None) = (parts.next(), parts.next(), parts.next(), parts.next()) else {
            return Err(KeyFault);
        };
        Ok(Self {
            tenant: TenantId::new(tenant).map_err(|_| KeyFault)?,
            customer_id: CustomerId::new(customer_id).map_err(|_| KeyFault)?,
            attempt_id: ChannelAttemptId::new(attempt_id).map_err(|_| KeyFault)?,
        })
    }
}

impl AttemptKey {
    /// A name for a file: readable where that is safe, else a hash. Different keys have different names.
    pub fn file_name(&self) -> String {
        let mut name = String::new();
        for letter in self.to_string().chars() {
            match letter {
                // The signs of a path; percent itself is in no id.
                '/' | ':' | '.' if letter != '.' || name.is_empty() => name.push_str(&format!("%{:02X}", u32::from(letter))),
                other => name.push(other),
            }
        }
        if name.len() > MAX_FILE_NAME { self.digest() } else { name }
    }

    /// SHA-256 of the key in hexadecimal: a word that says nothing to others.
    pub fn digest(&self) -> String {
        hex::encode(Sha256::digest(self.to_string()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(tenant: &str, customer: &str, attempt: &str) -> AttemptKey {
        AttemptKey {
            tenant: TenantId::new(tenant).unwrap(),
            customer_id: CustomerId::new(customer).unwrap(),
            attempt_id: ChannelAttemptId::new(attempt).unwrap(),
        }
    }

    #[test]
    fn a_key_is_read_back_and_others_are_refused() {
        let key = key("acme", "urn:x/1@b.c+d_e", "2026-11-23.BRL.all.0.0");
        assert_eq!(key.to_string().parse(), Ok(key.clone()));
        for bad in ["", "a~b", "a~b~c~d", "a~b c~d", "~b~c"] {
            assert_eq!(bad.parse::<AttemptKey>(), Err(KeyFault), "{bad}");
        }
    }

    #[test]
    fn a_file_name_never_leaves_its_directory() {
        for (customer, expected) in [("c-1", "acme~c-1~a.0.0"), ("../../etc", "acme~..%2F..%2Fetc~a.0.0"), ("a:b", "acme~a%3Ab~a.0.0")] {
            assert_eq!(key("acme", customer, "a.0.0").file_name(), expected);
        }
        assert!(key(".hidden", "c", "a").file_name().starts_with("%2E"));
        assert_eq!(key(&"/".repeat(64), &"/".repeat(64), "a").file_name().len(), 64);
    }
}
