//! Ways to reach a payer.

use alloc::collections::BTreeMap;

/// A way to reach a payer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Channel {
    /// E-mail.
    Email,
    /// WhatsApp, by an approved template.
    Whatsapp,
    /// Text message.
    Sms,
    /// Telephone call.
    Voice,
    /// Paper.
    Letter,
}

impl Channel {
    /// All of them.
    pub const ALL: [Channel; 5] = [Channel::Email, Channel::Whatsapp, Channel::Sms, Channel::Voice, Channel::Letter];

    /// Its name in policies, events and reports.
    pub fn slug(self) -> &'static str {
        match self {
            Channel::Email => "email",
            Channel::Whatsapp => "whatsapp",
            Channel::Sms => "sms",
            Channel::Voice => "voice",
            Channel::Letter => "letter",
        }
    }

    /// By its slug.
    pub fn named(slug: &str) -> Option<Self> {
        Channel::ALL.into_iter().find(|channel| channel.slug() == slug)
    }
}

/// Whether the payer has an address for a channel.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Address {
    /// None is known.
    #[default]
    Missing,
    /// One is known and is malformed or bounced for good.
    Invalid,
    /// One is known and may be used.
    Valid,
}

/// What the owner of the payer's data says about a channel.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Reachability {
    /// The address.
    pub address: Address,
    /// Whether the channel may be used where the payer has neither opted in nor out (whatsapp needs a recorded yes).
    pub consent: bool,
}

/// What is known of each channel; an absent one has no address.
pub type Reach = BTreeMap<Channel, Reachability>;

/// What a provider tells afterwards. Ordered by weight: a later one replaces only a lighter one, in whatever order they
/// come, because reading implies delivery and delivery disproves a failure reported before it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum ReceiptStatus {
    /// A hard failure: it will not arrive.
    Failed,
    /// It arrived.
    Delivered,
    /// It was opened.
    Read,
}

impl ReceiptStatus {
    /// By its slug.
    pub fn named(slug: &str) -> Option<Self> {
        [ReceiptStatus::Failed, ReceiptStatus::Delivered, ReceiptStatus::Read].into_iter().find(|status| status.slug() == slug)
    }

    /// Stable name.
    pub fn slug(self) -> &'static str {
        match self {
            ReceiptStatus::Failed => "failed",
            ReceiptStatus::Delivered => "delivered",
            ReceiptStatus::Read => "read",
        }
    }
}
