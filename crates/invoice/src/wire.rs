//! proto ↔ domain: the only place of this service that knows both.

mod command;
mod event;
mod feed;
mod refusal;

pub use command::{
    Contact, Terms, amendment, cancellation, customer, customer_view, invoice_filter, invoice_view, new_invoice, new_payment,
    payment_reversal, reminder, timestamp, verdict,
};
pub use event::{DecodeFault, Fact, decode, encode};
pub use feed::{FEED_REPORTED, decode_feed, encode_feed, feed_refused, feed_report, feed_reported};
pub use refusal::refused;
