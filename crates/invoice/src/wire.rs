//! proto ↔ domain: the only place of this service that knows both.

mod command;
mod event;

pub use command::{
    Contact, amendment, cancellation, customer, invoice_view, new_invoice, new_payment, payment_reversal, reminder, verdict,
};
pub use event::{Fact, decode, encode};
