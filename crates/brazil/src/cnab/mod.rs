//! Bank files: CNAB 240 and 400 returns, FEBRABAN 150, and the CNAB 240 remittance.
//!
//! [`ReturnReader`] takes bytes in chunks and gives one [`Entry`] a title, holding one record at a time. What it gives
//! is provisional until [`ReturnReader::finish`] says that the whole file is good: stage the entries, then apply them
//! together. Payments are told by movement code, never by an amount above zero.
//!
//! Sources: FEBRABAN CNAB 240 V10.6; manuals of Banco do Brasil, Santander, Caixa, Bradesco, Itaú, Sicoob.

pub mod caixa_out;
mod decode;
mod dialect240;
mod dialect400;
mod entry;
mod event;
pub mod frame240;
mod key;
pub mod layout;
mod lines;
mod movement240;
mod movement400;
mod progress;
mod reader;
mod record;
mod refusal;
pub mod remittance;
mod return150;
mod return240;
mod return400;
pub mod santander_out;
pub mod segments_in;
pub mod segments_out;

pub use entry::{Entry, PixTrace, Review, ReviewReason, Settlement, TitleFact, TitleRef};
pub use event::{BankEvent, Protest};
pub use key::IdempotencyKey;
pub use lines::{Encoding, TextForm};
pub use movement240::event_of as event_of_240;
pub use movement400::event_of as event_of_400;
pub use reader::ReturnReader;
pub use record::{Record, Unreadable};
pub use refusal::{Format, Refusal, Report, Warning};
