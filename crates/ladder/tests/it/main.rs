//! The ladder from outside: drafts, dates, offers, facts, traps, and the invariants as properties.

mod book;
mod drafts;
mod facts;
mod histories;
mod offers;
mod properties;
mod schedules;
mod traps;
mod world;
