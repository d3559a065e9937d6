//! The whole system in one process, without a wall clock, a network or a thread of its own: the same seed gives the same history.
//!
//! [`history`] makes whole histories from a seed. [`outcome`] plays them: the real aggregates with the real encoding, publishing, sorting
//! and understanding of messages between them, one small step at a time in an order drawn from the seed, with crashes, repeated and
//! reordered messages, lost acknowledgements, consumers that were taken for dead, outages and providers that do not answer.
//! [`witness`] watches from outside whether the invariants of the ladder's norm (section 11) hold; [`bug`] shows that it would notice.

pub mod agreements;
pub mod books;
pub mod bug;
mod carrier;
pub mod chance;
mod deaf;
pub mod history;
pub mod journal;
mod judge;
mod mishap;
mod office;
pub mod outcome;
mod owner;
mod play;
pub mod policy;
pub mod provider;
pub mod reader;
pub mod report;
pub mod service;
pub mod tables;
mod tell;
pub mod views;
pub mod witness;
pub mod world;

pub use bug::Bug;
pub use outcome::{Outcome, check, play};
pub use report::Tally;
pub use witness::Invariant;
pub use world::Play;
