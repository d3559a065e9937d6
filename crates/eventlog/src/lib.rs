//! The event log, and everything that hangs on it: the writer that decides commands, timers, the bus, consumers and read models.
//!
//! The database is the truth. [`log::Log`] keeps events in one gapless order; [`writer::Writer`] decides commands in batches, one
//! transaction each; [`timers::TimerLoop`] wakes streams; [`bus`] carries events to other services; [`consumer`] takes theirs in;
//! [`projection`] keeps read models. [`activity::Activity`] tells when all of it is at rest.

pub mod activity;
pub mod alongside;
pub mod bus;
pub mod consumer;
pub mod event;
pub mod log;
pub mod projection;
pub mod relay;
pub mod schema;
pub mod timers;
pub mod writer;

pub use activity::Activity;
pub use event::{Append, Appended, Claim, Clock, CommandKey, Expected, Ids, Meta, NewEvent, Recorded, Refused, Statement, Told};
pub use log::{Log, LogError};
pub use timers::{DueStream, Shards, TimerHandle, TimerLoop, TimerOptions};
pub use writer::{Aggregate, DecodeError, Intake, NextTimer, Submission, WriteError, Writer, WriterOptions, Written};
