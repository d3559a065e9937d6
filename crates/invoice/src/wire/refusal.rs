//! Rejections of the account → refusals that callers see: the slugs and fields of the published interface.

use host::{Refusal, fields::Fields};
use receivable::{Kind, Rejection};
use std::sync::LazyLock;

static FIELDS: LazyLock<Fields> = LazyLock::new(|| Fields::of(contracts::DESCRIPTORS));

/// What a refusal is about where its request does not have the field at fault: a cancellation has no amount, and is of an invoice.
const SUBJECTS: [&str; 6] = ["invoice_id", "invoice_ids", "payment_id", "credit_note_id", "agreement_id", "customer_id"];

/// Where a request holds the fields of a command.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Place {
    /// The request's message; empty where nobody asked.
    pub request: &'static str,
    /// The field with the message that holds them (`invoice`, `payment`, `customer`); empty where the request itself does.
    pub within: &'static str,
}

impl Place {
    /// In the request itself.
    pub fn of(request: &'static str) -> Self {
        Self { request, within: "" }
    }

    /// The field of the request that a fault is told of.
    fn field(self, natural: &str) -> String {
        let within = |name: &str| if self.within.is_empty() { name.to_owned() } else { format!("{}.{name}", self.within) };
        // An agreement has amounts and days in its instalments, and several debts.
        let (part, several) = (format!("instalments.{natural}"), format!("{natural}s"));
        let paths: Vec<String> = [natural, &part, &several].into_iter().chain(SUBJECTS).map(within).collect();
        FIELDS.first(&format!("regua.invoice.v1.{}", self.request), paths.iter().map(String::as_str)).to_owned()
    }
}

/// The field that names something whose id is taken: ids of instalments follow from that of their agreement.
pub fn taken(kind: &str, place: Place) -> String {
    let kind = if place.within == "agreement" { place.within } else { kind };
    place.field(&format!("{kind}_id"))
}

/// The refusal of a command, by a field that its request has.
pub fn refused(rejection: &Rejection, place: Place) -> Refusal {
    let field = if *rejection == Rejection::InvoiceExists { taken("invoice", place) } else { place.field(field(rejection)) };
    let text = rejection.to_string();
    match rejection.kind() {
        _ if *rejection == Rejection::CurrencyMismatch => Refusal::invalid(&field, reason(rejection), text),
        Kind::Invalid => Refusal::invalid(&field, reason(rejection), text),
        Kind::NotFound => Refusal::not_found(&field, reason(rejection), text),
        Kind::Precondition => Refusal::precondition(&field, reason(rejection), text),
    }
}

/// The slug of the interface, where the account's own word for it differs.
fn reason(rejection: &Rejection) -> &'static str {
    match rejection {
        Rejection::CustomerUnknown => "unknown_customer",
        Rejection::InvoiceUnknown => "unknown_invoice",
        Rejection::PaymentUnknown => "unknown_payment",
        Rejection::CreditNoteUnknown => "unknown_credit_note",
        Rejection::AgreementUnknown => "unknown_agreement",
        Rejection::PaymentAlreadyReversed => "payment_reversed",
        Rejection::ZoneUnknown => "unknown_zone",
        Rejection::TextRefused { .. }
        | Rejection::AmountNotPositive
        | Rejection::AmountTooLarge
        | Rejection::DueBeforeIssue
        | Rejection::DebitBeforeIssue
        | Rejection::ToleranceNegative
        | Rejection::MinimumNegative
        | Rejection::DisputedNegative
        | Rejection::ViewedInFuture
        | Rejection::ScoreOutOfRange
        | Rejection::RatedInFuture
        | Rejection::CustomerErased
        | Rejection::InvoiceExists
        | Rejection::InvoiceCancelled
        | Rejection::AgreementExists
        | Rejection::AgreementCompleted
        | Rejection::AgreementIdTooLong
        | Rejection::OriginalsMissing
        | Rejection::OriginalsNotDistinct
        | Rejection::OriginalsTooMany
        | Rejection::InstalmentsCount
        | Rejection::InstalmentsSum
        | Rejection::InstalmentsOrder
        | Rejection::BreachDaysTooMany
        | Rejection::InvoiceSettled
        | Rejection::InvoiceRenegotiated
        | Rejection::InvoiceIsInstalment
        | Rejection::CreditNoteExists
        | Rejection::CreditNoteTooLarge
        | Rejection::CreditNoteUsed
        | Rejection::BelowCredited
        | Rejection::CurrencyMismatch
        | Rejection::PaymentExists
        | Rejection::ReturnExists
        | Rejection::ReturnTooLarge
        | Rejection::FeeNegative
        | Rejection::CreditTooLarge
        | Rejection::InstrumentsCurrency
        | Rejection::Boleto(_)
        | Rejection::Charges(_) => rejection.slug(),
    }
}

fn field(rejection: &Rejection) -> &'static str {
    match rejection.field() {
        "attributes.zone" => "attributes.time_zone",
        "originals" => "invoice_ids",
        other => other,
    }
}
