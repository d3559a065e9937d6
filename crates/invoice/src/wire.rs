//! proto ↔ domain: the only place of this service that knows both.

mod command;
mod event;
mod refusal;

pub use command::{
    Contact, amendment, cancellation, customer, customer_view, invoice_filter, invoice_view, new_invoice, new_payment, payment_reversal,
    reminder, timestamp, verdict,
};
pub use event::{Fact, decode, encode};
pub use refusal::refused;
