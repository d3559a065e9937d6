//! Read models: folds of what the services tell, kept by a consumer of their own, and the same folds from the beginning.

use crate::journal::{Places, Refusal};
use crate::service::Partitions;
use contracts::invoice::v1 as proto;
use eventlog::bus::Message;
use eventlog::consumer::page::Sorted;
use prost::Message as _;
use std::collections::{BTreeMap, BTreeSet};

/// What is counted and remembered. Counting tells a message that came twice from one that came once.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Fold {
    /// By payer: how often each kind of thing was told.
    pub told: BTreeMap<(String, String), u64>,
    /// By payer and receivable: minor units that are open.
    pub open_minor: BTreeMap<(String, String), i64>,
    /// By payer: minor units that came in.
    pub received_minor: BTreeMap<String, i64>,
    /// By payer and receivable: where its track stands.
    pub tracks: BTreeMap<(String, String), &'static str>,
}

impl Fold {
    /// Takes a message in.
    pub fn apply(&mut self, message: &Message) {
        let event = &message.event;
        *self.told.entry((event.key.clone(), event.event_type.clone())).or_default() += 1;
        let payload = event.payload.as_slice();
        let open = match event.event_type.as_str() {
            "InvoiceIssued" => proto::InvoiceIssued::decode(payload).ok().map(|m| (m.invoice_id, m.amount_minor)),
            "InvoiceAmended" => proto::InvoiceAmended::decode(payload).ok().map(|m| (m.invoice_id, m.outstanding_minor)),
            "InvoiceCancelled" => proto::InvoiceCancelled::decode(payload).ok().map(|m| (m.invoice_id, 0)),
            "CreditNoteIssued" => proto::CreditNoteIssued::decode(payload).ok().map(|m| (m.invoice_id, m.outstanding_minor)),
            "CreditNoteCancelled" => proto::CreditNoteCancelled::decode(payload).ok().map(|m| (m.invoice_id, m.outstanding_minor)),
            "InvoiceRenegotiated" => proto::InvoiceRenegotiated::decode(payload).ok().map(|m| (m.invoice_id, 0)),
            "InvoiceReopened" => proto::InvoiceReopened::decode(payload).ok().map(|m| (m.invoice_id, m.outstanding_minor)),
            // A part of a payment is no new money.
            "PaymentReceived" => proto::PaymentReceived::decode(payload).ok().map(|m| {
                let came_minor = if m.part_of.is_empty() { m.amount_minor } else { 0 };
                *self.received_minor.entry(event.key.clone()).or_default() += came_minor;
                (m.invoice_id, m.outstanding_minor)
            }),
            "PaymentReversed" => proto::PaymentReversed::decode(payload).ok().map(|m| {
                let went_minor = if m.part_of.is_empty() { m.amount_minor } else { 0 };
                *self.received_minor.entry(event.key.clone()).or_default() -= went_minor;
                (m.invoice_id, m.outstanding_minor)
            }),
            other => {
                self.track(&event.key, other, payload);
                None
            }
        };
        if let Some((invoice_id, open_minor)) = open.filter(|(invoice_id, _)| !invoice_id.is_empty()) {
            self.open_minor.insert((event.key.clone(), invoice_id), open_minor);
        }
    }

    fn track(&mut self, payer: &str, event_type: &str, payload: &[u8]) {
        use contracts::dunning::v1 as dunning;
        let (invoice_id, stands) = match event_type {
            "TrackEnrolled" => (dunning::TrackEnrolled::decode(payload).map(|m| m.invoice_id), "enrolled"),
            "TrackSettled" => (dunning::TrackSettled::decode(payload).map(|m| m.invoice_id), "settled"),
            "TrackCancelled" => (dunning::TrackCancelled::decode(payload).map(|m| m.invoice_id), "cancelled"),
            "TrackRenegotiated" => (dunning::TrackRenegotiated::decode(payload).map(|m| m.invoice_id), "renegotiated"),
            "TrackAgreementBroken" => (dunning::TrackAgreementBroken::decode(payload).map(|m| m.invoice_id), "reopened"),
            "TrackReopened" => (dunning::TrackReopened::decode(payload).map(|m| m.invoice_id), "reopened"),
            "TrackHandedOff" => (dunning::TrackHandedOff::decode(payload).map(|m| m.invoice_id), "handed_off"),
            "TrackExhausted" => (dunning::TrackExhausted::decode(payload).map(|m| m.invoice_id), "exhausted"),
            _ => return,
        };
        if let Ok(invoice_id) = invoice_id {
            self.tracks.insert((payer.to_owned(), invoice_id), stands);
        }
    }
}

/// The live read models with the place of their consumer: they move together.
#[derive(Debug, Default)]
pub struct Views {
    /// What they say.
    pub fold: Fold,
    /// How far they have read.
    pub places: Places,
    /// Planted: the place moves from wherever it is.
    pub unfenced: bool,
    /// Planted: so many messages are passed over.
    pub skips: usize,
}

impl Views {
    /// Stores a page.
    ///
    /// # Errors
    /// [`Refusal::Fenced`] where somebody else has moved the place.
    pub fn take(&mut self, sorted: &Sorted) -> Result<(), Refusal> {
        let moved = sorted.moves.iter().any(|(place, moved)| self.places.next.get(place).copied().unwrap_or(0) != moved.from);
        if moved && !self.unfenced {
            return Err(Refusal::Fenced);
        }
        for message in sorted.fresh.iter().filter(|message| !message.is_withheld()) {
            if self.skips > 0 {
                self.skips -= 1;
            } else {
                self.fold.apply(message);
            }
        }
        self.places.next.extend(sorted.moves.iter().map(|(place, moved)| (place.clone(), moved.to)));
        self.places.marks.extend(sorted.marks.iter().map(|(key, mark)| (key.clone(), *mark)));
        Ok(())
    }
}

/// The read models from the beginning of all topics: each version of a stream once.
pub fn rebuilt(topics: [&Partitions; 3]) -> Fold {
    let (mut fold, mut seen) = (Fold::default(), BTreeSet::new());
    for message in topics.into_iter().flatten().flatten() {
        if seen.insert((&message.topic, &message.event.stream, message.event.version)) && !message.is_withheld() {
            fold.apply(message);
        }
    }
    fold
}
