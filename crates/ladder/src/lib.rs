//! The collection ladder (régua de cobrança): which step of which debt is due on which day, and why.
//!
//! Pure: no IO, no clock, no randomness, no serialisation. Policies, days and instants are arguments.
//!
//! Reading order: [`policy`] (what a ladder is), [`variant`] (whose it is) and [`draft`] (how one is checked), [`schedule`] (dates), [`track`]
//! (where one debt stands), [`arrangement`] (what keeps it out of contacts), [`plan`] (what is offered on a day, and why not the rest), [`ladder`] (the aggregate of one payer), [`listing`] (an entry at a bureau or protest office), [`notices`] (what is said once a debt is over), [`migration`] (from one policy version to another).
//!
//! Interpretation where the norm leaves room:
//! - A planned date is the first day on or after the rolled date on which the step's window opens. It is a pure function
//!   of due date, policy and calendar and may lie before enrolment.
//! - The occurrences of a repeated step follow each other in policy order, before the next step, with the step's tone: none is lower than the
//!   one before it, and the execution of a later step ends those that remain. Their dates all count from the step's anchor.
//! - A step that counts from the execution of the step before has no date until then, and is not reached. It ends with the step before where
//!   that ends otherwise.
//! - A step is *reached* from its planned date on; *expired* from the day after its last day, whether or not anyone looked.
//! - A track offers at most one step a day. A payer gets one contact per currency and day, or per class or track where the
//!   policy merges less: what comes later that day waits where its contact has gone, and goes where it makes one of its own.
//! - A track's place is the latest executed step of its cycle, in policy order: lower steps are never sent after it.
//! - Steps of other kinds than `notify` are no contacts: `min_gap_days` neither counts nor delays them; they do set place and tone.
#![no_std]
#![warn(missing_docs)]
extern crate alloc;

pub mod arrangement;
pub mod catch_up;
pub mod condition;
pub mod draft;
mod holiday;
pub mod ladder;
pub mod listing;
pub mod migration;
pub mod notices;
pub mod plan;
pub mod policy;
pub mod preview;
pub mod reason;
pub mod schedule;
pub mod task;
pub mod terms;
pub mod track;
pub mod variant;

pub use ladder::{Command, Context, Event, Ladder, Rejection, decide, evolve, next_wake};
pub use policy::{Policy, PolicyBook};
pub use reason::{Reason, TaskReason};
pub use terms::Terms;
