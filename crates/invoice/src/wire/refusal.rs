//! Rejections of the account → refusals that callers see: the slugs and fields of the published interface.

use host::Refusal;
use receivable::{Kind, Rejection};

/// The refusal of a command. `within` is the message of the request that holds the command's fields (`invoice`, `payment`,
/// `customer`); empty where the request itself does.
pub fn refused(rejection: &Rejection, within: &str) -> Refusal {
    let field = match (within, field(rejection)) {
        ("", field) => field.to_owned(),
        (within, field) => format!("{within}.{field}"),
    };
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
        | Rejection::CustomerErased
        | Rejection::InvoiceExists
        | Rejection::InvoiceCancelled
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
        other => other,
    }
}
