//! Everything that is sent, or about to be sent, to one payer: merging, the last-look gate, attempts, receipts, consent.
//!
//! Pure: no IO, no clock, no randomness, no serialisation. One aggregate ([`Contacts`]) per payer, so that the
//! contact budget and merging see everything that payer hears.
//!
//! How a day runs: [`Compose`] merges a reminder's items into contacts · [`due`] names those to look at, in turn ·
//! [`Gate`] decides with fresh facts what goes out and starts attempts, durable before any provider is called ·
//! [`NoteAttempt`] and [`NoteReceipt`] tell what became of them · a refusal, a hard failure or silence makes the
//! contact due again, so that every provider call has had its own last look.
//!
//! Invariants (property tests in `tests/`):
//! - an occurrence is accepted in at most one contact, and gets exactly one outcome per contact;
//! - the budget of a payer is never passed, over all currencies;
//! - a command that is repeated word for word adds no event;
//! - nothing is started outside the window of the contact's own day.
#![no_std]
#![warn(missing_docs)]
extern crate alloc;

pub mod chain;
pub mod channel;
pub mod command;
pub mod compose;
pub mod contacts;
mod decide;
pub mod event;
mod evolve;
pub mod gate;
pub mod outcome;
pub mod rejection;
pub mod reminder;
pub mod standstill;
pub mod wake;

pub use chain::{Attempt, AttemptPhase, Chain};
pub use channel::{Address, Channel, Reach, Reachability, ReceiptStatus};
pub use command::{CloseStale, Command, Compose, Forget, Gate, NoteAttempt, NoteReceipt, OptIn, OptOut, RetryAttempt, Suspend};
pub use compose::{Draft, compose};
pub use contacts::{Class, Contact, Contacts, Phase, Said};
pub use decide::decide;
pub use event::{
    AttemptAccepted, AttemptRefused, AttemptRetried, AttemptStarted, AttemptUnknown, ContactComposed, ContactConcluded, ContactGated,
    Event, FallbackGated, FallbackStopped, Forgotten, OptedIn, OptedOut, ReceiptNoted, Suspended,
};
pub use evolve::evolve;
pub use gate::{Budget, Evidence, OwnerAnswer, OwnerRefusal, Ruling, gate};
pub use outcome::{ItemOutcome, Outcome, Reason};
pub use rejection::{Kind, Rejection};
pub use reminder::{Item, Merge, Occurrence, Reminder, Rules};
pub use standstill::Standstill;
pub use wake::{due, next_wake};
