//! Who lists debts and takes them out: a bureau or an office, or what stands between it and us.

use super::{EntryKey, OrderKey};
use async_trait::async_trait;
use chrono::NaiveDate;
use kernel::personal::Personal;
use ladder::listing::{Answer, Cause, Opened, Order};

/// A command as a provider gets it. It holds personal data: it is made when it is handed over, and kept nowhere.
#[derive(Debug, Clone)]
pub struct Handover {
    /// Its idempotency key.
    pub key: OrderKey,
    /// What the entry is about.
    pub opened: Opened,
    /// The debtor's name.
    pub name: Personal,
    /// The debtor's CPF or CNPJ.
    pub tax_id: Personal,
    /// The debtor's postal address in one line; may be empty.
    pub address: Personal,
    /// Of a removal: why.
    pub cause: Option<Cause>,
    /// Of a removal: its last day.
    pub until: Option<NaiveDate>,
}

/// How handing over ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// The provider has it, and may have said more.
    Taken(Word),
    /// It will not have it: a slug.
    Refused(String),
    /// It may have it: a slug that says why nobody knows.
    Unknown(String),
    /// It certainly has not: a slug that says why.
    NotNow(String),
}

/// What a provider says of a command when it is asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Standing {
    /// It never had it.
    NotTaken,
    /// It has.
    Taken(Word),
    /// It cannot be asked, or does not say.
    Unclear,
}

/// The word of a provider.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Word {
    /// What it says.
    pub answer: Answer,
    /// Slug of a refusal; may be empty.
    pub reason: String,
    /// The provider's own number; may be empty.
    pub reference: String,
}

impl Word {
    /// That a command was taken, and no more.
    pub fn taken(order: Order) -> Self {
        Self { answer: Answer::taken(order), reason: String::new(), reference: String::new() }
    }
}

/// Words that came as a file.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Incoming {
    /// Its name.
    pub name: String,
    /// What could be read, each with its line, from 1.
    pub words: Vec<(usize, EntryKey, Word)>,
    /// What could not.
    pub faults: Vec<LineFault>,
}

/// A line that cannot be used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LineFault {
    /// From 1.
    pub line: usize,
    /// Stable name of what is wrong.
    pub slug: &'static str,
    /// The field; empty where it is the whole line.
    pub field: &'static str,
}

/// A way to a bureau or office.
#[async_trait]
pub trait Provider: Send + Sync {
    /// Hands commands over; one outcome for each, in order. The same key again never does anything twice.
    async fn send(&self, commands: &[Handover]) -> Vec<Outcome>;

    /// What became of a command whose outcome is unknown.
    async fn ask(&self, key: &OrderKey) -> Standing;

    /// Words that wait to be fetched; none where the provider calls back.
    async fn fetch(&self) -> Vec<Incoming> {
        Vec::new()
    }

    /// What was fetched is noted, but for the faults: it is not fetched again.
    async fn put_away(&self, _incoming: &Incoming, _faults: &[LineFault]) {}
}

/// A provider's slug: bounded, and of the letters that slugs are made of. What is none becomes `other`.
pub(super) fn slug_of(text: &str) -> String {
    let is_slug = !text.is_empty() && text.len() <= 64 && text.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_');
    if is_slug || text.is_empty() { text.to_owned() } else { "other".to_owned() }
}

/// A provider's own number, where it can be kept.
pub(super) fn reference_of(text: &str) -> String {
    kernel::text::bounded(text, 64).unwrap_or_default()
}

/// What all commands say, as JSON.
pub(super) fn as_json(command: &Handover) -> serde_json::Value {
    let Opened { kind, amount_minor, currency, due_on, notice_step, notice_contact, notice_delivered_on, .. } = &command.opened;
    let entry = &command.key.entry;
    let text = |value: Option<String>| value.unwrap_or_default();
    serde_json::json!({
        "key": entry.to_string(),
        "command": command.key.order.slug(),
        "kind": kind.slug(),
        "tenant": entry.tenant.as_str(),
        "contract": entry.invoice_id.as_str(),
        "customer_id": entry.customer_id.as_str(),
        "debtor": { "name": command.name.reveal(), "tax_id": command.tax_id.reveal(), "address": command.address.reveal() },
        "amount_minor": amount_minor,
        "currency": currency.as_str(),
        "due_on": due_on.to_string(),
        "notice": {
            "step_id": text(notice_step.as_ref().map(ToString::to_string)),
            "contact_id": text(notice_contact.as_ref().map(ToString::to_string)),
            "delivered_on": text(notice_delivered_on.map(|day| day.to_string())),
        },
        "cause": command.cause.map(Cause::slug).unwrap_or_default(),
        "until": text(command.until.map(|day| day.to_string())),
    })
}
