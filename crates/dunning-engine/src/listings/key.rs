//! The keys of an entry and of its two commands: from a key alone the stream is found again.

use kernel::{CustomerId, InvoiceId, StepId, TenantId};
use ladder::listing::Order;
use std::{fmt, str::FromStr};

/// No id has this character, so that a key is read back without doubt.
const SEPARATOR: char = '~';

/// One entry: the occurrence that asked for it.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct EntryKey {
    /// Whose debtor.
    pub tenant: TenantId,
    /// The payer.
    pub customer_id: CustomerId,
    /// The receivable.
    pub invoice_id: InvoiceId,
    /// Its cycle.
    pub cycle: u32,
    /// The step.
    pub step_id: StepId,
    /// Its occurrence.
    pub occurrence: u32,
}

/// One command about an entry: the provider's idempotency key.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct OrderKey {
    /// The entry.
    pub entry: EntryKey,
    /// Which command.
    pub order: Order,
}

/// A text that is no key of ours.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("is no key of an entry")]
pub struct KeyFault;

impl EntryKey {
    /// The stream of the entry.
    pub fn stream(&self) -> String {
        format!("listing/{self}")
    }

    /// The entry whose stream it is; `None` for another stream.
    pub fn of_stream(stream: &str) -> Option<Self> {
        stream.strip_prefix("listing/")?.parse().ok()
    }
}

impl fmt::Display for EntryKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { tenant, customer_id, invoice_id, cycle, step_id, occurrence } = self;
        write!(f, "{tenant}~{customer_id}~{invoice_id}~{cycle}~{step_id}~{occurrence}")
    }
}

impl FromStr for EntryKey {
    type Err = KeyFault;

    fn from_str(text: &str) -> Result<Self, KeyFault> {
        let parts: Vec<&str> = text.split(SEPARATOR).collect();
        let [tenant, customer_id, invoice_id, cycle, step_id, occurrence] = parts[..] else { return Err(KeyFault) };
        let key = Self {
            tenant: TenantId::new(tenant).map_err(|_| KeyFault)?,
            customer_id: CustomerId::new(customer_id).map_err(|_| KeyFault)?,
            invoice_id: InvoiceId::new(invoice_id).map_err(|_| KeyFault)?,
            cycle: cycle.parse().map_err(|_| KeyFault)?,
            step_id: StepId::new(step_id).map_err(|_| KeyFault)?,
            occurrence: occurrence.parse().map_err(|_| KeyFault)?,
        };
        // One entry has one name: no `+1` and no `01`.
        if key.to_string() == text { Ok(key) } else { Err(KeyFault) }
    }
}

impl fmt::Display for OrderKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{SEPARATOR}{}", self.entry, self.order.slug())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_read_back_and_others_are_refused() {
        let text = "acme~urn:x/1@b.c~I-1~2~d+45~1";
        let key: EntryKey = text.parse().unwrap();
        assert_eq!((key.to_string().as_str(), EntryKey::of_stream(&key.stream())), (text, Some(key.clone())));
        assert_eq!(OrderKey { entry: key, order: Order::Remove }.to_string(), format!("{text}~remove"));
        for bad in ["", "acme", "acme~c~i~x~s~1", "acme~c~i~01~s~1", "acme~c~i~1~s~+1", "acme~c~i~1~s~1~include", "acme~c d~i~1~s~1"] {
            assert_eq!(bad.parse::<EntryKey>(), Err(KeyFault), "{bad}");
        }
        assert_eq!(EntryKey::of_stream("ladder/acme/C1"), None);
    }
}
