//! The invoice service: payers, receivables, payments, and the last look before a reminder goes out.
//!
//! Owns customers' personal data (one table, never in events) and publishes `regua.invoice.v1`.

pub mod aggregate;
mod allotment;
mod apply;
mod balance;
mod bank;
mod breach;
mod bulk;
pub mod collection;
mod feed;
mod finding;
mod grpc;
mod legal_rates;
mod migrations;
mod movement;
mod project;
pub mod publish;
mod query;
mod receipts;
mod remittance;
mod searchable;
mod start;
mod unapplied;
mod wire;

pub use aggregate::Accounts;
pub use bank::pix::{PixConfig, body as pix_body};
pub use feed::payment_feed;
pub use legal_rates::recorded_rates;
pub use start::{Settings, projections, start};

/// The topic of this service's facts.
pub const TOPIC: &str = "regua.invoice.v1";
/// Permanent name of its consumer: positions hang on it.
pub const CONSUMER: &str = "invoice.views";
/// All its consumers.
pub const CONSUMERS: &[&str] = &[CONSUMER];
/// Name of the service in configuration, logs and metrics.
pub const NAME: &str = "invoice";
