//! proto ↔ domain: the only place of this service that knows both.

mod agreement;
mod charges;
mod collection;
mod command;
mod event;
mod feed;
mod finding;
mod instrument;
mod invoice;
mod legal_rates;
mod refusal;
mod remittance;
mod unapplied;
mod view;

pub use agreement::{NewAgreement, agreement_break, agreement_view, new_agreement};
pub use charges::{charge_terms, statement};
pub use collection::{Receiver, collection_account, collection_account_view, collection_refused, decode_collection, encode_collection};

pub use command::{
    Contact, NewCreditNote, NewInvoice, Terms, amendment, cancellation, credit_note, credit_note_cancellation, customer, customer_view,
    invoice_filter, new_invoice, new_payment, payment_reversal, reminder, timestamp,
};
pub use event::{DecodeFault, Fact, INSTRUMENTS_ASSIGNED, decode, encode};
pub use feed::{decode_feed, encode_feed, feed_refused, feed_report, feed_reported};
pub use finding::{
    decode as decode_finding, encode as encode_finding, refused as refused_finding, status as finding_status,
    status_of as finding_status_of,
};
pub use invoice::{invoice_view, say_what_is_due, verdict};
pub use legal_rates::{
    LEGAL_RATE_RECORDED, command as legal_rates, decode as decode_legal_rate, encode as encode_legal_rate, refused as legal_rates_refused,
    view as legal_rates_view,
};
pub use refusal::{Place, refused, taken};
pub use remittance::{decode as decode_remittance, encode as encode_remittance};
pub use unapplied::{
    decode as decode_unapplied, encode as encode_unapplied, refused as refused_unapplied, status as unapplied_status,
    status_of as unapplied_status_of,
};
pub use view::{rate, rating, view, viewed};

#[cfg(test)]
mod tests;
