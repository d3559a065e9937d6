//! proto ↔ domain: the only place of this service that knows both.

mod collection;
mod command;
mod event;
mod instrument;
mod refusal;

pub use collection::{Receiver, collection_account, collection_account_view, collection_refused, decode_collection, encode_collection};

pub use command::{
    Contact, NewInvoice, amendment, cancellation, customer, customer_view, invoice_filter, invoice_view, new_invoice, new_payment,
    payment_reversal, reminder, timestamp, verdict,
};
pub use event::{Fact, INSTRUMENTS_ASSIGNED, decode, encode};
pub use refusal::refused;
