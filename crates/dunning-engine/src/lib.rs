//! The dunning engine: policies, tracks, and why a payer was contacted, or not.
//!
//! One stream per payer holds all tracks of the payer; timers wake it when a window opens on a day on which something may be due. What is
//! due goes out as one `ReminderDue` per payer and day; notification tells what became of it. Steps that are no contact are done by the
//! engine itself, once the owner of the balance has looked; entries at bureaus and protest offices are carried out by [`listings`].

pub mod actions;
pub mod aggregate;
pub mod catch_up;
mod explain;
mod grpc;
pub mod holidays;
pub mod inbound;
mod limits;
pub mod listings;
mod migration;
mod migrations;
pub mod policies;
pub mod policy_toml;
mod project;
pub mod publish;
mod query;
mod rehearsal;
mod start;
#[cfg(test)]
mod tests;
mod wire;

pub use aggregate::Ladders;
pub use limits::Limits;
pub use listings::config::ProvidersConfig;
pub use policies::DEFAULT_POLICY;
pub use start::{Settings, projections, start, tables};

/// The topic of this service's facts.
pub const TOPIC: &str = "regua.dunning.v1";
/// Name of the service in configuration, logs and metrics.
pub const NAME: &str = "dunning-engine";
/// The consumer of others' facts; permanent.
pub const INBOUND_CONSUMER: &str = "dunning.inbound";
/// The consumer that fills the views; permanent.
pub const VIEWS_CONSUMER: &str = "dunning.views";
/// All consumers of this service.
pub const CONSUMERS: &[&str] = &[INBOUND_CONSUMER, VIEWS_CONSUMER];
