//! The ladder from outside: drafts, dates, offers, facts, traps, and the invariants as properties.

mod agreements;
mod arrangements;
mod book;
mod catch_ups;
mod conditions;
mod drafts;
mod facts;
mod histories;
mod holidays;
mod listings;
mod migrations;
mod nights;
mod notices;
mod offers;
mod properties;
mod repeats;
mod scenarios;
mod schedules;
mod tasks;
mod traps;
mod variants;
mod windows;
mod world;
