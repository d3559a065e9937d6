//! The words that every context shares: ids, money, civil dates, calendars, windows, zones, why a payer is told of something.
//!
//! Pure: no IO, no clock, no randomness, no serialisation. Whatever a decision needs is an argument.
#![no_std]
#![warn(missing_docs)]
extern crate alloc;

pub mod calendar;
pub mod ids;
pub mod money;
pub mod personal;
pub mod purpose;
pub mod text;
pub mod window;
pub mod written;
pub mod zone;

pub use calendar::Calendar;
pub use chrono::{DateTime, NaiveDate, NaiveTime, Utc, Weekday};
pub use ids::{
    AgreementId, ArrangementId, ChannelAttemptId, CollectionAccountId, CommandId, ContactId, CreditNoteId, CustomerId, InvoiceId,
    PaymentId, PolicyId, StepId, TenantId, VariantId,
};
pub use money::{Currency, MAX_AMOUNT_MINOR, Money};
pub use purpose::Purpose;
pub use window::{Holidays, Window};
pub use zone::Zone;
