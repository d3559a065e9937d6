//! One conformance suite for every adapter of the event log and of the bus.
//!
//! A property is a function over an adapter ([`storage::Storage`], [`storage::Durable`], [`wire::Wire`]) that returns what is wrong;
//! `tests/suite` runs each on every adapter there is. PostgreSQL takes part when `REGUA_TEST_POSTGRES` names one, Kafka when
//! `REGUA_TEST_KAFKA` does; properties that kill servers start their own below `REGUA_TEST_STACK`. What is left out says so.
//!
//! A property that cannot fail proves nothing: the negative controls take a protection out ([`faults::Switchboard::take_out`],
//! [`property::gate::Gate::TakenOut`]) and expect the property to notice.

pub mod account;
mod balances;
pub mod bureau;
pub mod chance;
pub mod faults;
mod history;
mod moment;
mod office;
mod process;
pub mod property;
mod servers;
pub mod storage;
mod stream;
mod together;
pub mod wire;
pub mod world;

/// What a property found: nothing, or what is wrong.
pub type Outcome = anyhow::Result<()>;
